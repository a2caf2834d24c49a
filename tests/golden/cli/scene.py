"""A store and a spec tree in which every state of a schedule occurs, at one fixed instant."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controller.adapters.specs.tree import parse_tree
from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType, Why
from controller.model.event import Event, EventName
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import AcceptSchedule
from controller.model.record import Answer, Claim, Outcome, Reason, SlotRecord
from controller.model.schedule import ScheduleSpec
from controller.ports.store import Decisions

AT = "2026-03-28T12:00:30Z"
"""The day before the clocks of Europe go forward."""

NOW = datetime.fromisoformat(AT)
REVISION = "dir@sha256:feed"

HEAD = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {{name: {name}{labels}}}\nspec:\n  connectionId: {connection}\n"

SPECS: dict[str, tuple[str, str]] = {
    # name: what stands in its file below connectionId, and the same as it was accepted ("" = never, "=" = the same)
    "orders": ('  schedules:\n    - {cron: "30 2 * * *", timeZone: Europe/Zurich}\n  catchUp: {window: 2h}\n', "="),
    "clicks": ("  schedules:\n    - every: 10m\n  maxDuration: 30m\n", "="),
    "ledger": ('  schedules:\n    - every: 1h\n  suspend: {reason: "moving house", by: ana}\n', "="),
    "audit": ("  mode: Observe\n  schedules:\n    - every: 6h\n", "="),
    "prices": ("  schedules:\n    - every: 2h\n", "="),
    "fresh": ("  schedules:\n    - every: 6h\n", ""),
    "edited": ("  schedules:\n    - every: 12h\n", "  schedules:\n    - every: 6h\n"),
    "doubt": ("  schedules:\n    - every: 1h\n", "="),
    "legacy": ("  schedules:\n    - every: 1d\n  nonsense: 1\n", "  schedules:\n    - every: 1d\n"),
    "future": ('  schedules:\n    - cron: "0 3 31 * *"\n', "="),
    "twin-a": ("  schedules:\n    - every: 6h\n", ""),
    "twin-b": ("  schedules:\n    - every: 8h\n", ""),
}

SETTINGS = """store = {store}
[specs]
path = {specs}
"""

PLATFORM = """[platforms.default]
kind = "embedded"
base_url = "{url}"
organization_id = "org_demo"
token_env = "SCENE_TOKEN"
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it lies; commands run in ``folder``, so that texts hold no path of a machine."""

    folder: Path

    def add_platform(self, url: str) -> None:
        """Name a platform in the settings."""
        with (self.folder / "mainspring.toml").open("a") as settings:
            settings.write(PLATFORM.format(url=url))


def text_of(name: str, body: str) -> str:
    """A spec file."""
    labels = ", labels: {team: finance}" if name == "orders" else ""
    connection = "conn_twin" if name.startswith("twin") else f"conn_{name}"
    return HEAD.format(name=name, labels=labels, connection=connection) + body


def make_scene(folder: Path) -> Scene:
    """Write settings, specs and store."""
    (folder / "specs").mkdir()
    for name, (body, _) in SPECS.items():
        (folder / "specs" / f"{name}.yaml").write_text(text_of(name, body))
    (folder / "mainspring.toml").write_text(SETTINGS.format(store=json.dumps("state.db"), specs=json.dumps("specs")))
    asyncio.run(_fill(folder / "state.db"))
    return Scene(folder)


def ref(name: str) -> ConnectionRef:
    """A connection of the scene."""
    return ConnectionRef("default", f"conn_{name}")


def ago(**units: float) -> datetime:
    """An instant before the scene's."""
    return NOW - timedelta(**units)


def accepted(name: str, since: datetime) -> AcceptSchedule:
    """A schedule that a controller took in."""
    body, before = SPECS[name]
    tree = parse_tree({f"{name}.yaml": text_of(name, body if before == "=" else before).encode()}, platforms=None)
    spec: ScheduleSpec = tree.specs[0]
    return AcceptSchedule(ref(name), spec, since, 1, REVISION, name)


def at(text: str) -> datetime:
    """An instant of the scene's day, or of any other that is named."""
    return datetime.fromisoformat(text if "T" in text else f"2026-03-28T{text}").replace(tzinfo=UTC)


def record(
    name: str, slot: str, outcome: Outcome, reason: Reason | None = None, message: str = "", job_id: str | None = None
) -> SlotRecord:
    """What a slot came to, two seconds after it was due."""
    decided_at = at(slot) + timedelta(seconds=2)
    return SlotRecord(
        SlotKey(ref(name), at(slot)), outcome, decided_at, name, reason, message, job_id, revision=REVISION
    )


def job(name: str, job_id: str, created: str, status: JobStatus, seconds: int = 40, rows: int | None = 1200) -> Job:
    """An observed sync."""
    ended = at(created) + timedelta(seconds=seconds) if status.is_terminal else None
    size = rows * 64 if rows is not None else None
    return Job(job_id, f"conn_{name}", JobKind.SYNC, status, at(created), ended, timedelta(seconds=seconds), rows, size)


RECORDS: Sequence[SlotRecord] = (
    record(
        "orders", "2026-03-26T01:30:00", Outcome.MISSED, Reason.DEADLINE, "its window ended at 03:30:00Z: no controller"
    ),
    record("orders", "2026-03-27T01:30:00", Outcome.COUNTED, None, "job_8 was started elsewhere at 01:31:00Z", "job_8"),
    record("clicks", "11:40:00", Outcome.TRIGGERED, job_id="job_20"),
    record("clicks", "11:50:00", Outcome.SKIPPED, Reason.ACTIVE, "job_20 was still running"),
    record("clicks", "12:00:00", Outcome.SKIPPED, Reason.ACTIVE, "job_20 was still running"),
    record("ledger", "12:00:00", Outcome.SKIPPED, Reason.SUSPENDED, "moving house (by ana)"),
    record("audit", "06:00:00", Outcome.COUNTED, None, "job_30 was started elsewhere at 06:00:10Z", "job_30"),
    record("audit", "12:00:00", Outcome.HELD, Reason.OBSERVE, "observed until 18:00:00Z; nothing is triggered"),
    record("prices", "12:00:00", Outcome.TRIGGERED, job_id="job_40"),
    record("doubt", "11:00:00", Outcome.MISSED, Reason.SUPERSEDED, "nobody could start it before a newer slot was due"),
)

JOBS: Sequence[Job] = (
    job("orders", "job_8", "2026-03-27T01:31:00", JobStatus.SUCCEEDED, 95),
    job("orders", "job_9", "01:30:02", JobStatus.SUCCEEDED, 1830, 2_345_678),
    job("clicks", "job_20", "11:40:02", JobStatus.RUNNING, 1228, 5600),
    job("audit", "job_30", "06:00:10", JobStatus.SUCCEEDED),
    job("prices", "job_40", "12:00:02", JobStatus.FAILED, 3, 17),
)


UNREMARKABLE: Mapping[ConditionType, tuple[ConditionStatus, Why, str]] = {
    ConditionType.READY: (ConditionStatus.TRUE, ConditionReason.SCHEDULED, "nothing stands against its next slot"),
    ConditionType.RECONCILING: (ConditionStatus.FALSE, ConditionReason.SETTLED, "nothing is under way"),
    ConditionType.STALLED: (ConditionStatus.FALSE, ConditionReason.NOTHING_STALLED, "nobody needs to act"),
    ConditionType.DRIFTED: (ConditionStatus.FALSE, ConditionReason.NO_DRIFT, "the platform's settings are as desired"),
    ConditionType.HEALTHY: (ConditionStatus.TRUE, ConditionReason.SYNC_SUCCEEDED, "its last sync succeeded"),
    ConditionType.IN_WINDOW: (ConditionStatus.TRUE, ConditionReason.NO_WINDOWS, "no window limits it"),
}

REMARKABLE: Sequence[tuple[str, Condition]] = (
    (
        "ledger",
        Condition(
            ConditionType.READY,
            ConditionStatus.FALSE,
            Reason.SUSPENDED,
            "moving house (by ana)",
            1,
            at("2026-03-27T08:00:00"),
        ),
    ),
    (
        "prices",
        Condition(
            ConditionType.HEALTHY,
            ConditionStatus.FALSE,
            ConditionReason.SYNC_FAILED,
            "job_40 failed after 17 rows",
            1,
            at("12:00:06"),
        ),
    ),
    (
        "legacy",
        Condition(
            ConditionType.STALLED,
            ConditionStatus.TRUE,
            ConditionReason.SPEC_REJECTED,
            "a file is rejected; the last good version stays in force until it is mended",
            1,
            at("11:30:00"),
        ),
    ),
)


def _slot_fields(name: str, slot: str) -> dict[str, str | int | float | bool | None]:
    return {
        "schedule": name,
        "platform": "default",
        "connection_id": f"conn_{name}",
        "scheduled_at": f"{at(slot):%Y-%m-%dT%H:%M:%SZ}",
        "revision": REVISION,
    }


EVENTS: Sequence[Event] = (
    Event(
        EventName.SYNC_TRIGGERED,
        at("2026-03-27T01:30:00"),
        {
            **_slot_fields("orders", "2026-03-27T01:30:00"),
            "job_id": "job_7",
            "reason": "Due",
            "trigger_delay_seconds": 0.2,
        },
    ),
    Event(
        EventName.SYNC_TRIGGERED,
        at("11:40:02"),
        {**_slot_fields("clicks", "11:40:00"), "job_id": "job_20", "reason": "Due", "trigger_delay_seconds": 1.9},
    ),
    Event(
        EventName.SLOT_SKIPPED,
        at("12:00:02"),
        {**_slot_fields("clicks", "12:00:00"), "reason": "Active", "message": "job_20 was still \x1b[31mrunning"},
    ),
    Event(EventName.CYCLE_FINISHED, at("12:00:03"), {"revision": REVISION, "considered": 3}),
)


async def _fill(path: Path) -> None:
    store = SqliteStore.open(path, mode=StoreMode.ACT)
    await store.take("default", "host/1", at("01:00:00"))
    taken_in = [accepted(name, ago(days=7)) for name, (_, before) in SPECS.items() if before]
    await store.apply(Decisions(accepted=taken_in))
    await store.apply(Decisions(records=RECORDS))
    started = record("orders", "01:30:00", Outcome.TRIGGERED, job_id="job_9")
    first = Claim(ClaimKey(started.slot, 0), 1, at("01:30:01"), frozenset({"job_8"}), "orders", REVISION)
    await store.claim(first)
    await store.confirm(first, JOBS[1], started)
    claim = Claim(ClaimKey(SlotKey(ref("doubt"), at("12:00:00")), 0), 1, at("12:00:01"), frozenset(), "doubt", REVISION)
    await store.claim(claim)
    await store.answered(claim, Answer.UNKNOWN, at("12:00:11"))
    judged = ("orders", "clicks", "ledger", "prices", "edited", "legacy")
    usual = [Condition(kind, *said, 1, ago(days=7)) for kind, said in UNREMARKABLE.items()]
    await store.put_conditions({ref(name): usual for name in judged})
    await store.put_conditions({ref(name): [condition] for name, condition in REMARKABLE})
    await store.save_jobs("default", JOBS)
    await store.save_jobs("default", [], through=at("12:00:20"))
    await store.append_events(EVENTS)
    await store.close()
