"""Plans as text, Markdown and JSON, from one situation in which every kind of action and hold occurs."""

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.cli.planning.plan_rows import PlanRows, rows_of
from controller.cli.planning.plan_text import plan_markdown, plan_text, why_not
from controller.cli.terminal import Paint
from controller.decide.planner import make_plan
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import ConnectionFacts, ConnectionPlan, Listing, Plan, PlanningInput, PlatformFacts
from controller.model.profile import EMBEDDED
from controller.model.record import Answer, Claim, Reason, Standing
from controller.model.schedule import Origin, ScheduleSpec, Suspension
from tests.golden.cli.scene import NOW, REVISION

HERE = Path(__file__).parent / "texts"
DUE = NOW.replace(second=0)


def spec(name: str, every: int = 3600, **more: object) -> ScheduleSpec:
    """A schedule every hour, unless told otherwise."""
    entry = CalendarEntry(EntryKind.EVERY, f"{every}s", every=every)
    return ScheduleSpec(name, "default", f"conn_{name}", (entry,), Origin(f"{name}.yaml", 1), name, **more)  # type: ignore[arg-type]


def job(name: str, created_at: datetime) -> Job:
    """A sync that runs."""
    return Job(f"job_{name}", f"conn_{name}", JobKind.SYNC, JobStatus.RUNNING, created_at, rows=1200)


def facts(
    given: ScheduleSpec,
    *,
    since: datetime | None = DUE - timedelta(seconds=1),
    jobs: tuple[Job, ...] = (),
    **more: object,
) -> ConnectionFacts:
    """A connection whose schedule is in force and accounted for up to just before noon; ``since`` None: not in force."""
    standing = Standing(given.ref)
    if since is not None:
        standing = Standing(given.ref, given.name, given.calendar_key, since, since, 1, given.content, **more)  # type: ignore[arg-type]
    return ConnectionFacts(given.ref, given, standing, jobs)


def situation() -> PlanningInput:
    """One connection for each thing that can be decided."""
    late = spec("overlong", max_duration=timedelta(minutes=10))
    doubtful, gone = spec("doubtful"), spec("gone")
    claim = Claim(
        ClaimKey(SlotKey(doubtful.ref, DUE), 0), 1, DUE, frozenset(), "doubtful", REVISION, answer=Answer.UNKNOWN
    )
    retired = facts(gone)
    unknown = ConnectionFacts(
        ConnectionRef("elsewhere", "conn_x"), None, Standing(ConnectionRef("elsewhere", "conn_x"), "lost")
    )
    connections = (
        facts(spec("due")),
        facts(spec("busy"), jobs=(job("busy", DUE - timedelta(minutes=5)),)),
        facts(spec("idle", every=7 * 3600)),
        facts(spec("new"), since=None),
        facts(late, jobs=(job("overlong", DUE - timedelta(hours=1)),)),
        facts(spec("quiet", suspend=Suspension("moving | house", "ana"))),
        facts(doubtful, jobs=(job("doubtful", DUE + timedelta(seconds=1)),), claim=claim),
        facts(
            spec("waiting"), claim=Claim(ClaimKey(SlotKey(spec("waiting").ref, DUE), 0), 1, DUE, frozenset(), "waiting")
        ),
        facts(spec("future", unsupported=("retry",))),
        ConnectionFacts(gone.ref, None, retired.standing),
        ConnectionFacts(spec("twin").ref, None, Standing(spec("twin").ref, "twin"), obstacle=Reason.DUPLICATE_NAME),
        unknown,
    )
    listing = Listing(NOW - timedelta(seconds=1), NOW - timedelta(hours=2))
    return PlanningInput(NOW, REVISION, {"default": PlatformFacts(EMBEDDED, listing, 2)}, connections)


@pytest.fixture
def rows() -> PlanRows:
    """The plan for the situation."""
    known = situation()
    return rows_of(known, make_plan(known))


def is_golden(name: str, text: str) -> bool:
    """Whether a text is as kept; see `test_texts`."""
    path = HERE / name
    if os.environ.get("MAINSPRING_GOLDEN") == "write":
        path.write_text(text + "\n")
    return path.read_text() == text + "\n"


def test_the_situation_holds_every_kind_of_action(rows: PlanRows) -> None:
    """The texts beside this file show all that a plan can say."""
    kinds = {row.action for row in rows.actions}
    assert kinds == {"trigger", "cancel", "accept", "retire", "settle", "record"}


def test_a_plan_as_text(rows: PlanRows, zurich: None) -> None:
    """What a person reads on a terminal, in the zone of the machine."""
    assert is_golden("plan.txt", plan_text(rows, Paint(False)))


def test_a_plan_as_markdown(rows: PlanRows) -> None:
    """What a reviewer reads in a pull request: all in UTC, and no text of a spec breaks the table."""
    assert is_golden("plan.md", plan_markdown(rows))


def test_a_plan_as_json(rows: PlanRows) -> None:
    """What a script reads."""
    assert is_golden("plan.json", json.dumps(rows.as_json, indent=2))


def test_a_defect_is_told_and_is_not_called_idle() -> None:
    """A connection for which nothing could be decided does not look like one that merely waits."""
    known = situation()
    broken = ConnectionPlan(known.connections[0].ref, defect="KeyError: 'x'")
    rows = rows_of(replace(known, connections=known.connections[:1]), Plan(NOW, (broken,)))
    assert why_not(rows.schedules[0], rows) == "nothing can be decided for it, a defect of Mainspring: KeyError: 'x'"
