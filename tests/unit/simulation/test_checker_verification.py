"""What `verify` asks: the books of a store and of a platform, without any hidden truth."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import Job
from controller.model.profile import AITRONOS
from controller.model.record import Standing
from controller.reconcile.books import Books
from controller.simulation.slots.verification import Findings, verify
from tests.unit.simulation.evidence_kit import BEGAN, READ, REF, SLOTS, Story, seconds

LATER = READ + timedelta(minutes=5)


def books() -> Books:
    """An hour in which everything is as it should be; its store was read soon enough that the next slot may still come."""
    story = Story.calm()
    jobs = [
        Job(job.job_id, REF.connection_id, job.kind, job.result, job.created_at)
        for job in story.chronicle.jobs.values()
    ]
    return Books(
        ref=REF,
        profile=AITRONOS,
        spec=story.chronicle.versions[REF][0].spec,
        standing=Standing(REF, schedule="a", calendar_key="key", effective_since=BEGAN, watermark=SLOTS[-1]),
        since=BEGAN,
        read_at=LATER,
        records=tuple(story.records),
        listed=tuple(jobs),
        missing=frozenset(),
        elsewhere={},
        owners={job_id: keys[0] for (_, job_id), keys in story.chronicle.owners.items()},
    )


def without_record(given: Books) -> Books:
    """Nobody remembers the second slot."""
    return replace(given, records=(given.records[0], *given.records[2:]))


def undecided(given: Books) -> Books:
    """No controller has looked for an hour."""
    return replace(given, read_at=LATER + timedelta(minutes=30))


def range_over_record(given: Books) -> Books:
    """A range reaches into the second slot, which has its own record."""
    return replace(given, records=(replace(given.records[0], through=SLOTS[1], count=2), *given.records[1:]))


def two_jobs(given: Books) -> Books:
    """The store gave two jobs to the second slot."""
    owner = ClaimKey(SlotKey(REF, SLOTS[1]), 0)
    return replace(given, owners={**given.owners, "job_9": owner})


def not_listed(given: Books) -> Books:
    """The platform does not know the second slot's job."""
    return replace(given, listed=(given.listed[0], *given.listed[2:]), missing=frozenset({"job_2"}))


def of_another(given: Books) -> Books:
    """The second slot's job is another connection's."""
    return replace(given, listed=(given.listed[0], *given.listed[2:]), elsewhere={"job_2": "conn_b"})


def same_job(given: Books) -> Books:
    """The second slot has the job of the first."""
    rows = (given.records[0], replace(given.records[1], job_id="job_1"), *given.records[2:])
    return replace(given, records=rows)


def wrong_time(given: Books) -> Books:
    """The second slot's job was created hours before it: by its id it fits, by its time it does not."""
    early = replace(given.listed[1], created_at=BEGAN - timedelta(hours=3))
    return replace(given, listed=(given.listed[0], early, *given.listed[2:]))


ROWS: list[tuple[Callable[[Books], Books], str, str]] = [
    (without_record, "missed_silently", "slots after it are decided"),
    (undecided, "missed_silently", "no controller decided anything of it after"),
    (range_over_record, "doubled", "2 records speak for it"),
    (two_jobs, "doubled", "has 2 jobs: job_2, job_9"),
    (not_listed, "unexplained", "job_2 is not on the platform"),
    (of_another, "unexplained", "job_2 belongs to conn_b"),
    (same_job, "unexplained", "job_1 is that of"),
    (wrong_time, "unexplained", "no sync left for it"),
]


def test_books_that_agree_have_no_finding() -> None:
    """Four slots, four records, four jobs."""
    assert verify([books()]) == Findings(4, (), (), (), ())


@pytest.mark.parametrize(("spoil", "where", "text"), ROWS, ids=[row[0].__name__ for row in ROWS])
def test_what_does_not_agree_is_found_once(spoil: Callable[[Books], Books], where: str, text: str) -> None:
    """Each finding names schedule, slot and what is wrong, in the one list that it belongs to."""
    found = verify([spoil(books())])
    counts = {name: len(getattr(found, name)) for name in ("doubled", "missed_silently", "unexplained")}
    assert counts == {"doubled": 0, "missed_silently": 0, "unexplained": 0, where: 1}
    [finding] = getattr(found, where)
    assert text in finding.message
    assert (finding.schedule, finding.connection) == ("a", "default/conn_a")
    expected = SLOTS[-1] + timedelta(minutes=15) if spoil is undecided else SLOTS[1]
    assert finding.scheduled_at == expected


def test_a_spec_that_cannot_be_read_back_is_said() -> None:
    """Its jobs are still compared, its slots cannot be listed."""
    found = verify([replace(books(), spec=None)])
    assert (found.slots, found.doubled, found.missed_silently) == (0, (), ())
    assert "no spec of it can be read back" in found.unread[0]


def test_clocks_that_differ_a_little_are_no_finding() -> None:
    """The platform's clock may be off by what its profile tolerates."""
    given = books()
    shifted = tuple(replace(job, created_at=job.created_at - seconds(25)) for job in given.listed)
    assert verify([replace(given, listed=shifted)]).is_clean
