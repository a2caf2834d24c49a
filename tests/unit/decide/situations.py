"""Random situations before the planner, all of them possible: what the store, the specs and the platform could say at one instant."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from controller.decide.against import held_as_a_whole, paused
from controller.decide.calendar import Calendar
from controller.decide.sight import is_under_way
from controller.decide.slots import calendar_in_force, due_slots, fires_at
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.drift import Correction, CorrectionStatus, DriftField, NotedDrift
from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.profile import AITRONOS
from controller.model.record import Answer, Claim, Outcome, Reason, Setbacks, SlotRecord, Standing, Success
from controller.model.schedule import (
    CatchUp,
    CatchUpPolicy,
    Drift,
    ForeignJobs,
    Mode,
    Overlap,
    Retry,
    ScheduleSpec,
    Suspension,
    WhenInDoubt,
)
from controller.model.window import OnClose
from tests.unit.decide.given import (
    MIDNIGHT,
    REF,
    Given,
    allow,
    at,
    cancelled,
    claim,
    clock,
    connection,
    cron,
    deny,
    every,
    spec,
    standing,
)

OBSTACLES = (Reason.DUPLICATE_CONNECTION, Reason.DUPLICATE_NAME)
WAITS = (
    Reason.ACTIVE,
    Reason.MIN_GAP,
    Reason.AWAITING_TURN,
    Reason.AWAITING_LISTING,
    Reason.OBSERVE,
    Reason.REFUSED,
    Reason.CONNECTION_INACTIVE,
)
FRESH = (CalendarEntry(EntryKind.FRESHNESS, "1h", every=3600),)
ENTRIES = (
    every(5),
    every(15),
    every(60),
    cron("7 * * * *"),
    (*every(30), *cron("5,30 * * * *")),
    cron("0 8 * * MON"),
    cron("20 * * * *", "Europe/Zurich"),
    FRESH,
    (*FRESH, *every(30)),
)
SHUT = (
    (),
    (),
    deny("20 * * * *", 25),
    deny("0 10 * * *", 75, OnClose.CANCEL),
    allow("0 * * * *", 30, OnClose.CANCEL),
    (*allow("0 11 * * *", 60), *deny("30 11 * * *", 10)),
)
ENDS = ("10:00", "10:40", "11:15", "12:30")


def lengths(*minutes: float) -> st.SearchStrategy[timedelta | None]:
    """One of some durations, or none."""
    return st.sampled_from([None, *(timedelta(minutes=each) for each in minutes)])


@st.composite
def pauses(draw: st.DrawFn) -> Suspension:
    """A suspension or a freeze that ends."""
    return Suspension("for a while", until=at(draw(st.sampled_from(ENDS))))


@st.composite
def specs(draw: st.DrawFn) -> ScheduleSpec:
    """A schedule with any of the fields that are supported."""
    return spec(
        draw(st.sampled_from(ENTRIES)),
        mode=draw(st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.OBSERVE])),
        catch_up=CatchUp(draw(st.sampled_from(CatchUpPolicy)), draw(lengths(2, 90))),
        when_in_doubt=draw(st.sampled_from(WhenInDoubt)),
        min_gap=draw(lengths(0, 10)),
        max_duration=draw(lengths(30)),
        suspend=draw(st.sampled_from([None] * 5 + [Suspension("for a reason"), draw(pauses())])),
        foreign_jobs=draw(st.sampled_from(ForeignJobs)),
        unsupported=draw(st.sampled_from([()] * 7 + [("anything",)])),
        conflicts=draw(st.sampled_from([()] * 7 + [("overlap",)])),
        jitter=draw(lengths(3, 20)),
        windows=draw(st.sampled_from(SHUT)),
        overlap=draw(st.sampled_from(Overlap)),
        retry=draw(st.sampled_from([None, Retry(), Retry(1, timedelta(seconds=10))])),
        freezes=draw(st.sampled_from([(), (), (), (draw(pauses()),)])),
        failure_budget=draw(st.sampled_from([None, None, 3])),
        stalled_after=draw(lengths(20)),
        drift_schedule=draw(st.sampled_from(Drift)),
        drift_status=draw(st.sampled_from(Drift)),
    )


@st.composite
def drifts(draw: st.DrawFn, now: str) -> dict[str, Any]:
    """What may be noted of the connection, and what was corrected of it lately."""
    noted: dict[DriftField, NotedDrift] = {}
    for field in draw(st.sets(st.sampled_from(DriftField))):
        began = at(now) - timedelta(minutes=draw(st.integers(60, 300)))
        ended = draw(st.sampled_from([None, at(now) - timedelta(minutes=draw(st.integers(0, 59)))]))
        fought = draw(st.sampled_from([None, None, began]))
        policy, generation = draw(st.sampled_from(Drift)), draw(st.sampled_from([0, 1]))
        noted[field] = NotedDrift(REF, field, policy, "manual", "cron", began, generation, ended, fought)
    ages = sorted(draw(st.sets(st.integers(0, 7_000), max_size=8)))
    made = [
        Correction(REF, field, at(now) - timedelta(seconds=age), "cron", "manual", 1, max(8 - place, 0), status)
        for place, age in enumerate(ages)
        for field, status in [(draw(st.sampled_from(DriftField)), draw(st.sampled_from(CorrectionStatus)))]
    ]
    return {"drifts": noted, "corrections": tuple(made)}


@st.composite
def jobs(draw: st.DrawFn, now: str) -> tuple[Job, ...]:
    """A few jobs of the last hours."""
    ages = draw(st.lists(st.integers(0, 120), max_size=3))
    return tuple(
        Job(
            f"j{number}",
            REF.connection_id,
            draw(st.sampled_from([JobKind.SYNC, JobKind.SYNC, JobKind.RESET])),
            draw(st.sampled_from([JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.RUNNING, JobStatus.UNKNOWN])),
            at(now) - timedelta(minutes=age),
        )
        for number, age in enumerate(ages)
    )


@st.composite
def standings(draw: st.DrawFn, in_force: ScheduleSpec, now: str, known_jobs: tuple[Job, ...]) -> Standing:
    """Where a connection with this schedule in force may stand."""
    watermark = at(now).replace(second=0) - timedelta(minutes=draw(st.integers(0, 100)))
    fresh_since = draw(st.sampled_from([None, at(now) - timedelta(minutes=draw(st.integers(10, 150)))]))
    known: dict[str, Any] = {
        "fresh_since": fresh_since,
        "last_success": None if fresh_since is None else Success("s1", fresh_since),
    }
    calendar = calendar_in_force(standing(in_force, **known), AITRONOS)
    assert calendar is not None
    decided = due_slots(calendar, watermark - timedelta(minutes=90), watermark).instants
    open_slots = draw(st.lists(st.sampled_from(decided), unique=True, max_size=3)) if decided else []
    claimed = draw(st.booleans()) and bool(open_slots)
    records = [
        SlotRecord(SlotKey(REF, slot), Outcome.HELD, slot, in_force.name, draw(st.sampled_from(WAITS)), "waits")
        for slot in sorted(open_slots)
    ]
    held = {record.slot.scheduled_at: record for record in records}
    open_claim: Claim | None = None
    if claimed:
        answer = draw(st.sampled_from(Answer))
        written = min(open_slots[0] + timedelta(seconds=draw(st.integers(0, 4000))), at(now))
        baseline = draw(st.sets(st.sampled_from([job.job_id for job in known_jobs]))) if known_jobs else set()
        answered = None if answer is Answer.NONE else written + timedelta(seconds=1)
        open_claim = claim(clock(open_slots[0]), clock(written), baseline, answer=answer, answered_at=answered)
    counts = st.integers(0, 2)
    if draw(st.integers(0, 3)) == 0:
        known["last_success"] = Success("s2", at(now) - timedelta(minutes=draw(st.integers(0, 9))))
    owners = [ClaimKey(SlotKey(REF, slot), run) for slot in (*decided[-2:], MIDNIGHT) for run in (0, 1)]
    owned = {job.job_id: draw(st.sampled_from(owners)) for job in known_jobs if draw(st.booleans())}
    return standing(
        in_force,
        clock(watermark),
        **known,
        **draw(drifts(now)),
        failures=draw(st.integers(0, 3)),
        counted=frozenset(job_id for job_id in owned if draw(st.integers(0, 3)) == 0),
        claim=open_claim,
        pending=tuple(held[slot] for slot in sorted(held)),
        setbacks={
            slot: Setbacks(
                draw(counts), draw(counts), draw(counts), 6, at(now) - timedelta(seconds=draw(st.integers(0, 40)))
            )
            for slot in held
            if draw(st.booleans())
        },
        attributed=owned,
        cancel=draw(st.sampled_from([None, cancelled("j0", clock(at(now) - timedelta(seconds=20)), draw(counts) + 1)])),
        last_triggered_at=draw(st.sampled_from([None, at(now) - timedelta(seconds=30)])),
    )


@st.composite
def situations(draw: st.DrawFn) -> Given:
    """Anything that may be the case at one instant."""
    now = clock(at("10:00") + timedelta(seconds=draw(st.integers(0, 7200))))
    desired, known_jobs = draw(specs()), draw(jobs(now))
    in_force = draw(st.one_of(st.just(desired), st.just(desired), specs()))
    begun = at(now) - timedelta(seconds=draw(st.integers(0, 200)))
    stands = draw(standings(in_force, now, known_jobs))
    if draw(st.integers(0, 9)) == 0:
        stands = standing(in_force, calendar_key=None, content="")
    return Given(
        now=now,
        spec=draw(st.sampled_from([desired] * 6 + [None])),
        standing=stands,
        jobs=known_jobs,
        listing=draw(st.sampled_from([clock(begun)] * 4 + ["none"])),
        covers=clock(begun - timedelta(minutes=draw(st.integers(5, 300)))),
        obstacle=draw(st.sampled_from([None] * 6 + list(OBSTACLES))),
        connection=draw(
            st.sampled_from(
                [
                    None,
                    *(
                        replace(connection(status), schedule_kind=kind)
                        for status in ConnectionStatus
                        for kind in PlatformScheduleKind
                    ),
                ]
            )
        ),
        confirmed=draw(st.booleans()),
        written=draw(st.sampled_from(["", clock(at(now) - timedelta(seconds=draw(st.integers(0, 20))))])),
        looks=draw(st.integers(1, 9)),
        connection_read=draw(st.sampled_from(["", clock(at(now) - timedelta(seconds=5))])),
        in_flight=draw(st.sampled_from([False] * 5 + [True])),
        permits=draw(st.integers(0, 2)),
        quiet_until=draw(st.sampled_from([""] * 4 + [clock(at(now) + timedelta(seconds=60))])),
        trouble=draw(st.sampled_from(["", "timeout"])),
        moved=draw(st.sampled_from(["", clock(at(now) - timedelta(minutes=draw(st.integers(0, 30))))])),
        success_known=draw(st.integers(0, 5)) > 0 or stands.last_success is not None,
        last_spec=desired,
    )


def calendar_now(given: Given) -> Calendar | None:
    """All slots of the connection as things stand."""
    facts = given.facts()
    return calendar_in_force(facts.standing, given.profile, success_known=facts.success_known)


def open_slots(given: Given) -> list[SlotKey]:
    """Slots that have fired and have no final record, the one of an open claim excepted; oldest first."""
    stands = given.facts().standing
    claimed = stands.claim.key.slot if stands.claim is not None else None
    found = {record.slot for record in stands.pending if record.slot != claimed}
    calendar = calendar_now(given)
    if calendar is not None and stands.watermark is not None:
        found |= {SlotKey(REF, slot) for slot in due_slots(calendar, stands.watermark, at(given.now)).instants}
    fired = (
        s for s in found if is_observed(given) or fires_at(given.spec, calendar, REF, s.scheduled_at) <= at(given.now)
    )
    return sorted(fired)


def is_observed(given: Given) -> bool:
    """Whether slots are only observed: then they are open from their own instant on, whatever the jitter."""
    wanted, facts = given.spec, given.facts()
    if wanted is None or wanted.mode is not Mode.OBSERVE or is_under_way(facts):
        return False
    return held_as_a_whole(facts) is None and paused(wanted, at(given.now)) is None


def is_waiting_for_an_answer(given: Given) -> bool:
    """Whether a request is under way whose slot is not known."""
    return is_under_way(given.facts())
