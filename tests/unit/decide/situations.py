"""Random situations before the planner, all of them possible: what the store, the specs and the platform could say at one instant."""

from datetime import timedelta

from hypothesis import strategies as st

from controller.decide.sight import is_under_way
from controller.decide.slots import calendar_of, due_slots
from controller.model.connection import ConnectionStatus
from controller.model.identity import SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.record import Answer, Claim, Outcome, Reason, Setbacks, SlotRecord, Standing
from controller.model.schedule import (
    CatchUp,
    CatchUpPolicy,
    ForeignJobs,
    Mode,
    ScheduleSpec,
    Suspension,
    WhenInDoubt,
)
from tests.unit.decide.given import (
    MIDNIGHT,
    REF,
    Given,
    at,
    cancelled,
    claim,
    clock,
    connection,
    cron,
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
ENTRIES = (every(5), every(15), every(60), cron("7 * * * *"), (*every(30), *cron("5,30 * * * *")), cron("0 8 * * MON"))


def lengths(*minutes: float) -> st.SearchStrategy[timedelta | None]:
    """One of some durations, or none."""
    return st.sampled_from([None, *(timedelta(minutes=each) for each in minutes)])


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
        suspend=draw(st.sampled_from([None, None, None, Suspension("for a reason")])),
        foreign_jobs=draw(st.sampled_from([ForeignJobs.COUNT, ForeignJobs.IGNORE])),
        unsupported=draw(st.sampled_from([(), (), (), ("jitter",)])),
    )


@st.composite
def jobs(draw: st.DrawFn, now: str) -> tuple[Job, ...]:
    """A few jobs of the last hours."""
    ages = draw(st.lists(st.integers(0, 120), max_size=3))
    return tuple(
        Job(
            f"j{number}",
            REF.connection_id,
            draw(st.sampled_from([JobKind.SYNC, JobKind.SYNC, JobKind.RESET])),
            draw(st.sampled_from([JobStatus.SUCCEEDED, JobStatus.SUCCEEDED, JobStatus.RUNNING, JobStatus.UNKNOWN])),
            at(now) - timedelta(minutes=age),
        )
        for number, age in enumerate(ages)
    )


@st.composite
def standings(draw: st.DrawFn, in_force: ScheduleSpec, now: str, known_jobs: tuple[Job, ...]) -> Standing:
    """Where a connection with this schedule in force may stand."""
    watermark = at(now).replace(second=0) - timedelta(minutes=draw(st.integers(0, 100)))
    calendar = calendar_of(in_force.calendar_key)
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
    return standing(
        in_force,
        clock(watermark),
        claim=open_claim,
        pending=tuple(held[slot] for slot in sorted(held)),
        setbacks={
            slot: Setbacks(
                draw(counts), draw(counts), draw(counts), 6, at(now) - timedelta(seconds=draw(st.integers(0, 40)))
            )
            for slot in held
            if draw(st.booleans())
        },
        attributed={job.job_id: MIDNIGHT for job in known_jobs if draw(st.booleans())},
        cancel=cancelled("j0", clock(at(now) - timedelta(seconds=20))) if draw(st.booleans()) else None,
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
        connection=draw(st.sampled_from([None, *(connection(status) for status in ConnectionStatus)])),
        connection_read=draw(st.sampled_from(["", clock(at(now) - timedelta(seconds=5))])),
        in_flight=draw(st.sampled_from([False] * 5 + [True])),
        permits=draw(st.integers(0, 2)),
        quiet_until=draw(st.sampled_from([""] * 4 + [clock(at(now) + timedelta(seconds=60))])),
        trouble=draw(st.sampled_from(["", "timeout"])),
    )


def open_slots(given: Given) -> list[SlotKey]:
    """Slots that are due and have no final record, the one of an open claim excepted; oldest first."""
    stands = given.facts().standing
    claimed = stands.claim.key.slot if stands.claim is not None else None
    found = {record.slot for record in stands.pending if record.slot != claimed}
    calendar = calendar_of(stands.calendar_key) if stands.calendar_key is not None else None
    if calendar is not None and stands.watermark is not None:
        found |= {SlotKey(REF, slot) for slot in due_slots(calendar, stands.watermark, at(given.now)).instants}
    return sorted(found)


def is_waiting_for_an_answer(given: Given) -> bool:
    """Whether a request is under way whose slot is not known."""
    return is_under_way(given.facts())
