"""How a schedule stands, from specs and store alone: one word, and why."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.adapters.stores.memory import MemoryStore
from controller.errors import SpecSourceUnavailable
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.event import Event, EventName
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import AcceptSchedule
from controller.model.profile import EMBEDDED
from controller.model.record import Answer, Claim, Outcome, Reason, SlotRecord
from controller.model.schedule import Drift, ScheduleSpec
from controller.model.status import ScheduleStatus, State, StatusReport
from controller.ports.spec_source import SpecTree
from controller.ports.store import Decisions
from controller.reconcile.history import HISTORY
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading, read_report
from tests.fakes.spec_source import schedule_text

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
REF = ConnectionRef("default", "conn_orders")
SPEC = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec:
  connectionId: conn_{name}
  schedules:
    - every: {every}
"""
ORDERS = SPEC.format(name="orders", every="6h")


def minute(number: float) -> datetime:
    """An instant after noon."""
    return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=number)


class Files:
    """A spec source that reads these texts, or cannot."""

    def __init__(self, files: dict[str, str] | None) -> None:
        self.files = files

    async def fetch(self, applied: str = "") -> SpecTree:  # noqa: ARG002
        """As the port says."""
        if self.files is None:
            raise SpecSourceUnavailable("the specs cannot be read")
        return parse_tree({path: text.encode() for path, text in self.files.items()}, platforms=None)


def restore(content: str) -> ScheduleSpec | None:
    """Read a spec back from a store."""
    specs = parse_tree({"store.yaml": content.encode()}, platforms=None).specs
    return specs[0] if specs else None


class Bench:
    """A store, and what is done to it before it is read."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        asyncio.run(self.store.take("default", "test", NOW))

    def take_in(self, text: str = ORDERS) -> None:
        """Put a spec in force."""
        spec = parse_tree({"a.yaml": text.encode()}, platforms=None).specs[0]
        accepted = AcceptSchedule(spec.ref, spec, minute(-600), 1, "r", spec.name)
        asyncio.run(self.store.apply(Decisions(accepted=[accepted])))

    def record(self, at: float, outcome: Outcome, reason: Reason | None = None, message: str = "") -> None:
        """Write a slot's record."""
        record = SlotRecord(SlotKey(REF, minute(at)), outcome, minute(at), "orders", reason, message)
        asyncio.run(self.store.apply(Decisions(records=[record])))

    def see(self, job_id: str, status: JobStatus, at: float, kind: JobKind = JobKind.SYNC) -> None:
        """Observe a job."""
        ended = minute(at + 1) if status.is_terminal else None
        asyncio.run(
            self.store.save_jobs("default", [Job(job_id, "conn_orders", kind, status, minute(at), ended, rows=1200)])
        )

    def claim(self, at: float, answer: Answer) -> None:
        """Claim a slot; its POST is answered, or not yet."""
        claim = Claim(ClaimKey(SlotKey(REF, minute(at)), 0), 1, minute(at), frozenset(), "orders")
        asyncio.run(self.store.claim(claim))
        if answer is not Answer.NONE:
            asyncio.run(self.store.answered(claim, answer, minute(at)))

    def report(
        self, files: dict[str, str] | None, trouble: tuple[str, ...] = (), only: str | None = None
    ) -> StatusReport:
        """Read everything."""
        reading = Reading(self.store, Files(files), Restorers(restore), {"default": EMBEDDED}, NOW, trouble, only)
        return asyncio.run(read_report(reading))

    def status(self, text: str = ORDERS) -> ScheduleStatus:
        """Read the one schedule."""
        (status,) = self.report({"orders.yaml": text}).schedules
        return status


@pytest.fixture
def bench() -> Bench:
    """An empty store."""
    return Bench()


def said(status: ScheduleStatus) -> tuple[State, Reason | None]:
    """The state with its reason."""
    return status.condition.state, status.condition.reason


def test_a_schedule_that_nobody_took_in_is_reconciling(bench: Bench) -> None:
    """Before a controller has run, a spec is a wish."""
    status = bench.status()
    assert said(status) == (State.RECONCILING, None)
    assert status.condition.message.startswith("not in force yet")
    assert (status.generation, status.observed_generation) == (1, 0)


def test_a_schedule_in_force_is_ready(bench: Bench) -> None:
    """In force, nothing against it, nothing failed."""
    bench.take_in()
    status = bench.status()
    assert said(status) == (State.READY, None)
    assert status.next_slot_at == minute(360)
    assert (status.generation, status.observed_generation, status.min_gap) == (1, 1, timedelta(0))


def test_an_edit_is_reconciling_and_the_calendar_in_force_counts(bench: Bench) -> None:
    """Until the controller takes an edit in, the old calendar says when the next slot is."""
    bench.take_in()
    status = bench.status(ORDERS.replace("6h", "1h"))
    assert said(status) == (State.RECONCILING, None)
    assert (status.generation, status.observed_generation) == (2, 1)
    assert status.next_slot_at == minute(360)


def test_comments_and_order_are_no_edit(bench: Bench) -> None:
    """A generation is named by what is asked for, not by how it is laid out."""
    bench.take_in()
    assert said(bench.status(f"# a comment\n{ORDERS}")) == (State.READY, None)


def test_a_suspended_schedule_says_why_and_by_whom(bench: Bench) -> None:
    """Suspension is shown with its reason."""
    text = ORDERS + "  suspend: {reason: moving house, by: ana}\n"
    bench.take_in(text)
    status = bench.status(text)
    assert said(status) == (State.SUSPENDED, Reason.SUSPENDED)
    assert status.condition.message == "moving house (by ana)"


def drifting(**more: Any) -> NotedDrift:
    """The platform's own schedule was found to be one."""
    known: dict[str, Any] = {"policy": Drift.WARN, "desired": "manual", "observed": "every 1d", "began_at": minute(-5)}
    return NotedDrift(REF, DriftField.SCHEDULE, **(known | {"generation": 1} | more))


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        (drifting(), (State.HELD, Reason.DOUBLE_SCHEDULED)),
        (drifting(ended_at=minute(-1)), (State.READY, None)),
        (drifting(ended_at=minute(-1), fighting_since=minute(-3)), (State.HELD, Reason.FIGHT_DETECTED)),
        (drifting(fighting_since=minute(-3), generation=0), (State.HELD, Reason.DOUBLE_SCHEDULED)),
    ],
)
def test_a_connection_that_is_not_as_desired_holds_its_schedule(
    bench: Bench, drift: NotedDrift, expected: tuple[State, Reason | None]
) -> None:
    """Shown from what was noted last, without a look at the platform, with how often it was corrected today."""
    bench.take_in()
    rows = [Correction(REF, DriftField.SCHEDULE, minute(at), "every 1d", "manual", 1, 1) for at in (-900, -3, -2)]

    async def note() -> None:
        await bench.store.apply(Decisions(drifts=[drift]))
        await bench.store.journal_corrections(rows)
        await bench.store.answer_corrections(rows[-1:], CorrectionStatus.REFUSED)

    asyncio.run(note())
    status = bench.status()
    assert said(status) == expected
    assert status.corrected_today == 1


def test_a_schedule_that_only_observes_goes_on_observing(bench: Bench) -> None:
    """Nothing waits for the connection there."""
    text = ORDERS + "  mode: Observe\n"
    bench.take_in(text)
    asyncio.run(bench.store.apply(Decisions(drifts=[drifting()])))
    assert bench.status(text).condition.state is State.OBSERVING


def test_a_schedule_without_a_spec_is_removed(bench: Bench) -> None:
    """What the store has in force and a whole tree does not hold is on its way out, and has no next slot."""
    bench.take_in()
    status = next(each for each in bench.report({"kept.yaml": schedule_text("kept")}).schedules if each.name != "kept")
    assert said(status) == (State.REMOVED, None)
    assert (status.name, status.next_slot_at) == ("orders", None)


def test_a_rejected_file_makes_a_missing_schedule_stale_and_not_removed(bench: Bench) -> None:
    """A file that cannot be read may be anybody's; absence proves nothing."""
    bench.take_in()
    (status,) = bench.report({"orders.yaml": ORDERS + "  nonsense: 1\n"}).schedules
    assert said(status) == (State.STALE, None)
    assert "orders.yaml:8:3: unknown-key" in status.condition.message
    assert status.next_slot_at == minute(360)


def test_a_suspension_in_a_rejected_file_is_still_stale(bench: Bench) -> None:
    """Somebody who broke the file while ending the suspension must see that it is broken."""
    bench.take_in(ORDERS + "  suspend: true\n")
    (status,) = bench.report({"orders.yaml": ORDERS + "  suspend: nope\n"}).schedules
    assert said(status) == (State.STALE, None)


def test_specs_that_cannot_be_read_leave_what_the_store_holds(bench: Bench) -> None:
    """A failed read is told, and nothing looks removed."""
    bench.take_in()
    report = bench.report(None)
    assert [said(status) for status in report.schedules] == [(State.STALE, None)]
    assert report.trouble == ("the specs cannot be read; this is what the store holds",)


def test_without_store_and_specs_there_is_nothing_to_say(bench: Bench) -> None:
    """Neither side can be read: that is a failure, not an empty list."""
    with pytest.raises(SpecSourceUnavailable):
        bench.report(None, trouble=("no store yet",))


def test_two_files_for_one_connection_are_both_shown_as_held(bench: Bench) -> None:
    """Whoever looks for either name finds it, with the reason."""
    other = ORDERS.replace("name: orders", "name: other")
    found = bench.report({"a.yaml": ORDERS, "b.yaml": other}).schedules
    assert [(status.name, said(status)) for status in found] == [
        ("orders", (State.HELD, Reason.DUPLICATE_CONNECTION)),
        ("other", (State.HELD, Reason.DUPLICATE_CONNECTION)),
    ]


def test_two_files_with_one_name_are_both_shown_as_held(bench: Bench) -> None:
    """The same for a name that stands twice."""
    other = ORDERS.replace("conn_orders", "conn_other")
    found = bench.report({"a.yaml": ORDERS, "b.yaml": other}).schedules
    assert [said(status) for status in found] == [(State.HELD, Reason.DUPLICATE_NAME)] * 2
    assert "the same name" in found[0].condition.message


def test_an_active_job_is_running(bench: Bench) -> None:
    """A job that has not ended is told with its id and rows; one that nobody claimed is foreign."""
    bench.take_in()
    bench.see("job_7", JobStatus.RUNNING, -1)
    status = bench.status()
    assert said(status) == (State.RUNNING, Reason.ACTIVE)
    assert status.condition.message == "job_7 is running since 11:59:00Z, 1,200 rows, started elsewhere"
    assert status.active_run is not None
    assert status.active_run.origin == "foreign"
    assert status.active_run.job.duration == timedelta(seconds=90), "as long as it has taken by now"


def test_a_request_under_way_is_running_and_not_in_doubt(bench: Bench) -> None:
    """For as long as its answer may take, a claim is nothing to worry about."""
    bench.take_in()
    bench.claim(0.45, Answer.NONE)
    assert said(bench.status()) == (State.RUNNING, Reason.TRIGGER_IN_FLIGHT)


@pytest.mark.parametrize(("at", "answer"), [(0.45, Answer.UNKNOWN), (0, Answer.NONE), (0.45, Answer.BUSY)])
def test_an_unsettled_claim_is_in_doubt(bench: Bench, at: float, answer: Answer) -> None:
    """An answer that says nothing, or none in the time that it may take."""
    bench.take_in()
    bench.claim(at, answer)
    assert said(bench.status()) == (State.IN_DOUBT, Reason.IN_DOUBT)


def test_a_slot_that_waits_holds_its_schedule(bench: Bench) -> None:
    """What a due slot waits for is the schedule's state."""
    bench.take_in()
    bench.record(0, Outcome.HELD, Reason.CONNECTION_INACTIVE, "the connection is inactive on the platform")
    status = bench.status()
    assert said(status) == (State.HELD, Reason.CONNECTION_INACTIVE)
    assert status.condition.message == "the connection is inactive on the platform"


def test_an_observed_schedule_is_observing(bench: Bench) -> None:
    """``mode: Observe`` is no hold that anybody must end."""
    text = ORDERS + "  mode: Observe\n"
    bench.take_in(text)
    bench.record(0, Outcome.HELD, Reason.OBSERVE, "observed until 18:00:00Z; nothing is triggered")
    assert said(bench.status(text)) == (State.OBSERVING, Reason.OBSERVE)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_sync_that_did_not_succeed_is_failing(bench: Bench, status: JobStatus) -> None:
    """The newest sync decides; an older success stays the last success."""
    bench.take_in()
    bench.see("job_6", JobStatus.SUCCEEDED, -60)
    bench.see("job_7", status, -10)
    found = bench.status()
    assert said(found) == (State.FAILING, None)
    assert found.last_success_at == minute(-59)


def test_a_success_after_a_failure_is_ready(bench: Bench) -> None:
    """Health is the last result, and a reset is no sync."""
    bench.take_in()
    bench.see("job_6", JobStatus.FAILED, -60)
    bench.see("job_7", JobStatus.SUCCEEDED, -10)
    bench.see("job_8", JobStatus.FAILED, -5, JobKind.RESET)
    assert said(bench.status()) == (State.READY, None)


def test_missed_slots_are_counted_with_those_that_share_a_record(bench: Bench) -> None:
    """One record may stand for many slots; skipped ones are not missed."""
    bench.take_in()
    key = SlotKey(REF, minute(-500))
    many = SlotRecord(key, Outcome.MISSED, NOW, "orders", Reason.SUPERSEDED, through=minute(-100), count=40)
    asyncio.run(bench.store.apply(Decisions(records=[many])))
    bench.record(-60, Outcome.MISSED, Reason.DEADLINE)
    bench.record(-30, Outcome.SKIPPED, Reason.ACTIVE)
    status = bench.status()
    assert status.missed_count == 41
    assert status.last_scheduled_at == minute(-30)


def test_only_the_newest_of_a_long_history_is_read(bench: Bench) -> None:
    """A month of slots costs no more than the newest hundred."""
    bench.take_in()
    for number in range(HISTORY + 5):
        bench.record(-number, Outcome.SKIPPED, Reason.ACTIVE)
    assert len(bench.status().slots) == HISTORY


def test_a_report_says_how_far_platforms_were_seen(bench: Bench) -> None:
    """So that a reader can tell a quiet platform from a controller that does not run."""
    asyncio.run(bench.store.save_jobs("default", [], through=minute(-20)))
    assert bench.report({}).observed == {"default": minute(-20)}


def test_the_history_of_one_schedule_is_read_alone(bench: Bench) -> None:
    """Asking for one of ten thousand reads one history, and still knows every name."""
    bench.take_in()
    bench.record(0, Outcome.SKIPPED, Reason.ACTIVE)
    files = {"a.yaml": ORDERS, "b.yaml": SPEC.format(name="other", every="6h")}
    assert [(row.name, len(row.slots)) for row in bench.report(files, only="orders").schedules] == [
        ("orders", 1),
        ("other", 0),
    ]
    assert [len(row.slots) for row in bench.report(files, only="other").schedules] == [0, 0]


def tell(bench: Bench, name: EventName, **fields: Any) -> None:
    """An event of the controller."""
    asyncio.run(bench.store.append_events([Event(name, NOW, fields)]))


FROZEN = {"wall": "2026-03-02T13:00:00Z", "expected": "2026-03-02T12:00:00Z", "seconds": 3600.0}
SKEWED = {
    "platform": "default",
    "seconds": 300.0,
    "tolerance": 30.0,
    "message": "the platform's clock is 300 s ahead of ours",
}


def test_a_clock_in_doubt_is_the_reason(bench: Bench) -> None:
    """Frozen, everything is; with one platform's clock wrong, what is on that one; once they agree, nothing any more."""
    bench.take_in()
    tell(bench, EventName.CLOCK_FROZEN, **FROZEN)
    assert said(bench.status()) == (State.HELD, Reason.CLOCK_FROZEN)
    assert "2026-03-02T13:00:00Z" in bench.status().condition.message
    tell(bench, EventName.CLOCK_AGREED, platform=None, corrected_seconds=0.0)
    tell(bench, EventName.CLOCK_SKEWED, **SKEWED | {"platform": "other"})
    assert said(bench.status()) == (State.READY, None)
    tell(bench, EventName.CLOCK_SKEWED, **SKEWED)
    assert said(bench.status()) == (State.HELD, Reason.CLOCK_SKEW)
    tell(bench, EventName.CLOCK_AGREED, platform="default", corrected_seconds=0.0)
    assert said(bench.status()) == (State.READY, None)


@pytest.mark.parametrize("name", [EventName.CONTROLLER_STARTED, EventName.CONTROLLER_STOPPED])
def test_a_doubt_ends_with_the_controller_that_had_it(bench: Bench, name: EventName) -> None:
    """The next one compares anew."""
    bench.take_in()
    tell(bench, EventName.CLOCK_FROZEN, **FROZEN)
    tell(bench, EventName.CLOCK_SKEWED, **SKEWED)
    tell(bench, name)
    assert said(bench.status()) == (State.READY, None)
