"""The checker can fail: each way in which a finished year is spoilt is named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import JobStatus
from controller.model.record import Outcome, Reason, SlotRecord
from controller.model.schedule import CatchUp, CatchUpPolicy, Origin, Overlap, Retry, ScheduleSpec, Suspension
from controller.model.window import Window, WindowKind
from tests.simulation.checker import Fault, judge_year
from tests.simulation.driver import live
from tests.simulation.life import Life, Lived

START = datetime(2026, 3, 27, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

PLAIN = ScheduleSpec(
    "orders",
    "acme",
    "orders",
    (CalendarEntry(EntryKind.CRON, "30 */2 * * *", "Europe/Zurich"),),
    Origin("orders.yaml", 1),
    "version 0",
)
DENSE = replace(PLAIN, entries=(CalendarEntry(EntryKind.EVERY, "300s", every=300),))
WINDOWED = replace(PLAIN, windows=(Window(WindowKind.DENY, "0 0 * * *", 7200),))
SUSPENDED = replace(PLAIN, suspend=Suspension(until=START + 24 * HOUR))
RETRIED = replace(PLAIN, retry=Retry(attempts=2))
STRICT = replace(PLAIN, catch_up=CatchUp(CatchUpPolicy.NONE))
FRESH = replace(PLAIN, entries=(CalendarEntry(EntryKind.FRESHNESS, "4h", every=4 * 3600),))


def year_of(spec: ScheduleSpec, days: int = 4, off_hours: int = 12, **said: float) -> Lived:
    """A few days around a spring night, half a day of them without a controller, as the planner makes them."""
    off = (START + 26 * HOUR, START + (26 + off_hours) * HOUR)
    life = Life(
        versions=((START, spec),),
        off=(off,),
        seed="checker",
        start=START,
        end=START + timedelta(days=days),
        long_share=said.get("long_share", 0),
        failed_share=said.get("failed_share", 0),
    )
    return live(life)


def records_of(lived: Lived, word: str) -> list[int]:
    """Where the records with an outcome are."""
    return [place for place, record in enumerate(lived.records) if record.word == word]


def change(lived: Lived, place: int, **said: object) -> None:
    """Rewrite one record."""
    lived.records[place] = replace(lived.records[place], **said)  # type: ignore[arg-type]


def drop_a_record(lived: Lived) -> None:
    """A miss is forgotten."""
    del lived.records[records_of(lived, "Missed(Superseded)")[2]]


def drop_a_start(lived: Lived) -> None:
    """A start and its job are forgotten."""
    del lived.records[5]
    del lived.jobs[5]


def double_a_record(lived: Lived) -> None:
    """A slot gets its outcome twice."""
    lived.records.append(lived.records[3])


def double_a_job(lived: Lived) -> None:
    """A slot is started twice."""
    lived.jobs.insert(4, replace(lived.jobs[3], job_id="twin", created_at=lived.jobs[3].ended_at + 5 * MINUTE))


def start_early(lived: Lived) -> None:
    """A job starts a minute before its slot."""
    lived.jobs[3].created_at -= MINUTE


def start_late(lived: Lived) -> None:
    """A job starts a minute after it could."""
    lived.jobs[3].created_at += MINUTE


def start_in_a_closed_window(lived: Lived) -> None:
    """A job starts half an hour before its window opens."""
    job = next(job for job in lived.jobs if job.created_at.hour == 2 and job.created_at.minute == 0)
    job.created_at -= 29 * MINUTE


def start_beside_another(lived: Lived) -> None:
    """A job that starts while the one before is active."""
    lived.jobs[3].ended_at = lived.jobs[4].created_at + MINUTE


def start_too_soon(lived: Lived) -> None:
    """Two starts within minGap."""
    lived.life = replace(lived.life, versions=((START, replace(PLAIN, min_gap=121 * MINUTE)),))


def start_while_suspended(lived: Lived) -> None:
    """The suspension was longer than the planner believed."""
    longer = replace(SUSPENDED, suspend=Suspension(until=START + 25 * HOUR + 45 * MINUTE))
    lived.life = replace(lived.life, versions=((START, longer),))


def start_without_a_controller(lived: Lived) -> None:
    """A job of ours starts while nobody could start it."""
    begin = lived.life.off[0][0]
    lived.life = replace(lived.life, off=((begin - 3 * HOUR, lived.life.off[0][1]),))


def start_the_forbidden_past(lived: Lived) -> None:
    """A slot is made up for although nothing may be."""
    lived.life = replace(lived.life, versions=((START, STRICT),))


def invent_a_record(lived: Lived) -> None:
    """A record of an instant at which no slot is."""
    odd = SlotKey(PLAIN.ref, START + timedelta(hours=5))
    lived.records.append(SlotRecord(odd, Outcome.SKIPPED, START + 6 * HOUR, "orders", Reason.ACTIVE))


def excuse_with_a_job(lived: Lived) -> None:
    """A slot is skipped for a job that was not there."""
    change(lived, 3, outcome=Outcome.SKIPPED, reason=Reason.ACTIVE, job_id=None)
    del lived.jobs[3]


def excuse_with_a_window(lived: Lived) -> None:
    """A slot is skipped for a window that does not exist."""
    change(lived, 3, outcome=Outcome.SKIPPED, reason=Reason.WINDOW_CLOSED, job_id=None)
    del lived.jobs[3]


def excuse_with_a_suspension(lived: Lived) -> None:
    """A slot is skipped for a suspension that is over."""
    change(lived, 3, outcome=Outcome.SKIPPED, reason=Reason.SUSPENDED, job_id=None)
    del lived.jobs[3]


def excuse_with_absence(lived: Lived) -> None:
    """A slot is missed while the controller was there."""
    change(lived, 3, outcome=Outcome.MISSED, reason=Reason.DEADLINE, job_id=None)
    del lived.jobs[3]


def excuse_with_a_success(lived: Lived) -> None:
    """A slot of the calendar counts as done."""
    change(lived, 3, outcome=Outcome.COUNTED, reason=None, job_id=None)
    del lived.jobs[3]


def miscount(lived: Lived) -> None:
    """A range of missed slots is one short."""
    place = next(place for place, record in enumerate(lived.records) if record.through is not None)
    change(lived, place, count=lived.records[place].count - 1)


def shorten_a_range(lived: Lived) -> None:
    """A range of missed slots leaves out its last one, and counts right."""
    place = next(place for place, record in enumerate(lived.records) if record.through is not None)
    record = lived.records[place]
    assert record.through is not None
    change(lived, place, through=record.through - 5 * MINUTE, count=record.count - 1)


def retry_a_success(lived: Lived) -> None:
    """A slot is tried again although its job succeeded."""
    retried = next(job for job in lived.jobs if job.key.run == 1)
    next(job for job in lived.jobs if job.key == ClaimKey(retried.key.slot, 0)).status = JobStatus.SUCCEEDED


def retry_at_once(lived: Lived) -> None:
    """A retry does not wait for its pause."""
    retried = next(job for job in lived.jobs if job.key.run == 1)
    retried.created_at -= 50 * timedelta(seconds=1)


def forget_a_retry(lived: Lived) -> None:
    """A job fails, and nothing follows."""
    retried = {job.key.slot for job in lived.jobs if job.key.run == 1}
    lived.jobs = [job for job in lived.jobs if job.key.run == 0 or job.key.slot != min(retried)]


def lose_an_age(lived: Lived) -> None:
    """Data gets too old, and the slot for it is nowhere."""
    done = next(place for place, job in enumerate(lived.jobs) if job.created_at > START + 6 * HOUR)
    lived.jobs[done].status = JobStatus.FAILED


SPOILT: list[tuple[Callable[[Lived], None], ScheduleSpec, Fault, str]] = [
    (drop_a_record, PLAIN, Fault.LOST, "no record of the slot"),
    (drop_a_start, PLAIN, Fault.LOST, "no record of the slot"),
    (double_a_record, PLAIN, Fault.DOUBLED, "2 records of the slot"),
    (double_a_job, PLAIN, Fault.DOUBLED, "2 jobs for run 0"),
    (start_early, PLAIN, Fault.FORBIDDEN, "before it fires"),
    (start_late, PLAIN, Fault.FORBIDDEN, "could have begun at"),
    (start_in_a_closed_window, WINDOWED, Fault.FORBIDDEN, "while no window was open"),
    (start_beside_another, PLAIN, Fault.FORBIDDEN, "while another job was active"),
    (start_too_soon, PLAIN, Fault.FORBIDDEN, "before minGap was over"),
    (start_while_suspended, SUSPENDED, Fault.FORBIDDEN, "while suspended"),
    (start_without_a_controller, PLAIN, Fault.FORBIDDEN, "when there was no controller"),
    (start_the_forbidden_past, PLAIN, Fault.FORBIDDEN, "although catchUp is None"),
    (invent_a_record, PLAIN, Fault.INVENTED, "where no slot is"),
    (excuse_with_a_job, PLAIN, Fault.UNEXCUSED, "nothing of the kind stood against it"),
    (excuse_with_a_window, PLAIN, Fault.UNEXCUSED, "nothing of the kind stood against it"),
    (excuse_with_a_suspension, PLAIN, Fault.UNEXCUSED, "it was not suspended"),
    (excuse_with_absence, PLAIN, Fault.UNEXCUSED, "nothing of the kind stood against it"),
    (excuse_with_a_success, PLAIN, Fault.UNEXCUSED, "no success made it needless"),
    (miscount, DENSE, Fault.LOST, "slots, listed"),
    (shorten_a_range, DENSE, Fault.LOST, "no record of the slot"),
    (retry_a_success, RETRIED, Fault.FORBIDDEN, "had not failed"),
    (retry_at_once, RETRIED, Fault.FORBIDDEN, "before its pause was over"),
    (forget_a_retry, RETRIED, Fault.LOST, "did not begin, and could have"),
    (lose_an_age, FRESH, Fault.LOST, "no record of the slot"),
]


@pytest.mark.parametrize(("spoil", "spec", "fault", "words"), SPOILT, ids=[row[0].__name__ for row in SPOILT])
def test_a_spoilt_year_is_named(spoil: Callable[[Lived], None], spec: ScheduleSpec, fault: Fault, words: str) -> None:
    """A good year has no finding; spoilt in one place it has one that says what is wrong."""
    is_dense, is_retried = spec is DENSE, spec is RETRIED
    lived = year_of(spec, 8 if is_dense else 4, 100 if is_dense else 12, failed_share=0.5 if is_retried else 0)
    assert judge_year(lived).findings == ()
    spoil(lived)
    found = [finding for finding in judge_year(lived).findings if finding.fault is fault and words in finding.text]
    assert found


def test_a_job_that_takes_too_long_is_a_reason() -> None:
    """While a job is active its connection's slots are skipped, and the checker agrees."""
    lived = year_of(replace(PLAIN, overlap=Overlap.SKIP), long_share=0.0)
    lived = live(replace(lived.life, usual=(3 * 3600, 5 * 3600)))
    assert records_of(lived, "Skipped(Active)")
    assert judge_year(lived).findings == ()
