"""The checker sees each promise broken: an hour in which all is well is spoiled in one place, and the right check says so."""

from collections.abc import Callable

import pytest

from controller.model.identity import ClaimKey, SlotKey
from controller.model.job import JobKind, JobStatus
from controller.model.record import Outcome, Reason
from controller.simulation.chronicle import Claimed, Version
from controller.simulation.judge.checker import judge
from controller.simulation.judge.evidence import Fetched
from tests.unit.simulation.evidence_kit import REF, SLOTS, Story, seconds, spec_of, tree_of

EVERY = "  schedules: [{every: 15m}]\n"
ONCE = EVERY + "  whenInDoubt: Skip\n"
RETRY = EVERY + "  retry: {attempts: 1, backoff: 1m}\n"
FRESH = "  schedules: [{freshness: 15m}]\n"
OTHER = '  schedules: [{cron: "7 * * * *"}]\n'
SUSPENDED = EVERY + "  suspend: {reason: a rest}\n"


def second_job(story: Story) -> None:
    """One POST made two jobs."""
    story.add_job(SLOTS[1] + seconds(200), story.chronicle.posts[1])


def gone(story: Story) -> None:
    """Nobody knows of a slot."""
    story.forget(0)


def covered_twice(story: Story) -> None:
    """A range speaks for a slot that has its own record."""
    story.change(0, outcome=Outcome.MISSED, reason=Reason.SUPERSEDED, through=SLOTS[1], count=2, job_id=None)


def without_reason(story: Story) -> None:
    """A slot is missed on a calm day."""
    story.decide(1, Outcome.MISSED, Reason.DEADLINE, 900)


def without_job(story: Story) -> None:
    """A started slot whose job does not exist."""
    del story.chronicle.jobs[f"default/{story.records[1].job_id}"]


def unclaimed(story: Story) -> None:
    """A POST that nobody claimed."""
    story.chronicle.posts[1].claim = None


def sent_twice(story: Story) -> None:
    """Two POSTs for one claim."""
    story.chronicle.claims[1].posts = 2


def sent_late(story: Story) -> None:
    """A POST that was held back after its claim."""
    story.chronicle.posts[1].sent_at += seconds(10)


def old_epoch(story: Story) -> None:
    """Somebody who lost the platform still writes."""
    story.chronicle.epochs += [("default", 1), ("default", 2), ("default", 1)]


def two_owners(story: Story) -> None:
    """A job belongs to two slots."""
    story.chronicle.own("default", "job_1", ClaimKey(SlotKey(REF, SLOTS[3]), 0))


def wrong_job(story: Story) -> None:
    """A slot has the job of another one."""
    story.change(1, job_id=story.records[2].job_id)


def early(story: Story) -> None:
    """A POST before its slot."""
    post = story.chronicle.posts[1]
    assert post.claim is not None
    post.sent_at -= seconds(30)
    post.claim.began_at -= seconds(30)


def out_of_order(story: Story) -> None:
    """An older slot is claimed after a newer one."""
    story.chronicle.claims[1], story.chronicle.claims[2] = story.chronicle.claims[2], story.chronicle.claims[1]


def edited_away(story: Story) -> None:
    """A slot that an edit took away is sent for once more."""
    story.chronicle.versions[REF].append(Version(SLOTS[1] + seconds(0.5), spec_of(OTHER)))
    story.fetched.append(Fetched(SLOTS[1] + seconds(0.5), 1, tree_of(OTHER, "two")))


def beside_another(story: Story) -> None:
    """A POST while a job was shown as active."""
    story.chronicle.posts[1].against = "job_77"


def while_suspended(story: Story) -> None:
    """A claim after a suspension was read."""
    story.fetched.append(Fetched(SLOTS[1], 1, tree_of(SUSPENDED, "two")))


def while_deleted(story: Story) -> None:
    """A claim after a deletion was read."""
    story.fetched.append(Fetched(SLOTS[3], 1, tree_of("", "two")))


def retired_too_soon(story: Story) -> None:
    """A schedule goes although its file is there."""
    story.chronicle.versions[REF].append(Version(SLOTS[3] + seconds(60), None))


def left_open(story: Story) -> None:
    """A claim that nobody settles."""
    claimed = story.chronicle.claims[0]
    story.chronicle.open[REF] = Claimed(claimed.claim, 1, claimed.began_at, claimed.committed_at)


def still_waiting(story: Story) -> None:
    """A slot that is not final at the end."""
    story.decide(2, Outcome.HELD, Reason.AWAITING_LISTING)


def slow(story: Story) -> None:
    """A start that nothing stood against, and that was late."""
    story.forget(1)
    story.start(SLOTS[1], late=20)


def unfailed(story: Story) -> None:
    """A further run after a run that succeeded."""
    story.start(SLOTS[3], run=1, late=120)


def impatient(story: Story) -> None:
    """A further run before its back-off was over."""
    story.forget(3)
    story.start(SLOTS[3], result=JobStatus.FAILED)
    story.start(SLOTS[3], run=1, late=130)


def unseen_failure(story: Story) -> None:
    """A further run by somebody who had not seen the job before it."""
    story.forget(3)
    story.start(SLOTS[3], result=JobStatus.FAILED)
    again = story.start(SLOTS[3], run=1, late=170)
    assert again.post is not None
    assert again.post.claim is not None
    object.__setattr__(again.post.claim.claim, "baseline", frozenset())


def after_its_window(story: Story) -> None:
    """A further run when its window was over."""
    story.forget(2)
    story.start(SLOTS[2], result=JobStatus.FAILED)
    story.start(SLOTS[2], run=1, late=905)


def too_many(story: Story) -> None:
    """More further runs than were asked for."""
    story.forget(2)
    story.start(SLOTS[2], result=JobStatus.FAILED)
    story.start(SLOTS[2], run=1, late=170, result=JobStatus.FAILED)
    story.start(SLOTS[2], run=2, late=400)


def still_fresh(story: Story) -> None:
    """A slot for the age of the data just after a success."""
    story.forget(3)
    story.add_job(SLOTS[3] - seconds(400))
    story.start(SLOTS[3])


def no_slot(story: Story) -> None:
    """A record of an instant that no calendar has."""
    story.change(3, slot=SlotKey(REF, SLOTS[3] + seconds(7)))


def miscounted(story: Story) -> None:
    """A range that says it stands for more slots than there were."""
    story.forget(1)
    story.change(0, outcome=Outcome.MISSED, reason=Reason.SUPERSEDED, through=SLOTS[1], count=9, job_id=None)


def not_a_sync(story: Story) -> None:
    """A slot is said to be started by a reset."""
    story.chronicle.jobs["default/job_2"].kind = JobKind.RESET


def long_before(story: Story) -> None:
    """A slot adopts a job of an hour ago."""
    old = story.add_job(SLOTS[0] - seconds(500))
    story.change(3, job_id=old.job_id, adopted=True)


def too_late(story: Story) -> None:
    """A claim when the slot's window was over."""
    claimed = story.chronicle.claims[1]
    claimed.began_at += seconds(910)
    story.chronicle.posts[1].sent_at += seconds(910)


def without_specs(story: Story) -> None:
    """A claim by a life that has read nothing."""
    story.fetched.clear()


def out_of_force(story: Story) -> None:
    """A POST for a schedule that has gone."""
    story.chronicle.versions[REF].append(Version(SLOTS[3], None))


def denied(story: Story) -> None:
    """A job of ours for a slot that says it was not started."""
    story.change(1, outcome=Outcome.SKIPPED, reason=Reason.ACTIVE, job_id=None)


def unasked(story: Story) -> None:
    """A further run that the spec does not ask for."""
    story.forget(2)
    story.start(SLOTS[2], result=JobStatus.FAILED)
    story.start(SLOTS[2], run=1, late=170)


def prophetic(story: Story) -> None:
    """A slot is decided before it came."""
    story.decide(1, Outcome.SKIPPED, Reason.ACTIVE, -300)


def counted_nothing(story: Story) -> None:
    """A slot counts for somebody's job and names none."""
    story.decide(1, Outcome.COUNTED)


def counted_unknown(story: Story) -> None:
    """A slot counts for a job that does not exist."""
    story.decide(1, Outcome.COUNTED)
    story.change(1, job_id="job_99")


def counted_early(story: Story) -> None:
    """A slot counts for a job from before its window."""
    story.decide(1, Outcome.COUNTED)
    story.change(1, job_id=story.add_job(SLOTS[1] - seconds(300)).job_id)


ROWS: list[tuple[str, Callable[[Story], None], str, str]] = [
    ("S1b", second_job, EVERY, "has 2 jobs"),
    ("S1a", second_job, ONCE, "has 2 jobs"),
    ("S1", unfailed, RETRY, "no job of the run before it had failed"),
    ("S1", unseen_failure, RETRY, "had not been seen to fail"),
    ("S2", gone, EVERY, "has no record of the slot"),
    ("S2", covered_twice, EVERY, "records of the slot"),
    ("S2", without_reason, EVERY, "nothing explains Deadline"),
    ("S2", without_job, EVERY, "no job of default/conn_a is left"),
    ("S2", retired_too_soon, EVERY, "no revision had dropped it"),
    ("S2", after_its_window, RETRY, "after its window"),
    ("S3", unclaimed, EVERY, "has no claim"),
    ("S3", sent_twice, EVERY, "is one of 2"),
    ("S4", sent_late, EVERY, "after its claim began"),
    ("S5", old_epoch, EVERY, "under epoch 1, after epoch 2"),
    ("S6", two_owners, EVERY, "belongs to 2 runs"),
    ("S6", wrong_job, EVERY, "was made for"),
    ("S7", early, EVERY, "fires"),
    ("S7", impatient, RETRY, "back-off"),
    ("S7", still_fresh, FRESH, "after a success"),
    ("S8", out_of_order, EVERY, "was claimed after"),
    ("S8", edited_away, EVERY, "which is no slot"),
    ("S9", beside_another, EVERY, "was shown as active"),
    ("S10", while_suspended, EVERY, "while suspended"),
    ("S10", while_deleted, EVERY, "its spec was gone"),
    ("S10", too_many, RETRY, "its spec asks for 1"),
    ("S8", no_slot, EVERY, "there is no such slot"),
    ("S2", miscounted, EVERY, "it stands for 9 slots"),
    ("S6", not_a_sync, EVERY, "is no sync of the connection"),
    ("S6", long_before, EVERY, "began long before it"),
    ("S2", too_late, EVERY, "too late"),
    ("S10", without_specs, EVERY, "before any spec was read"),
    ("S10", out_of_force, EVERY, "with no spec in force"),
    ("S2", denied, EVERY, "which has Skipped(Active)"),
    ("S10", unasked, EVERY, "its spec asks for no retry"),
    ("S2", prophetic, EVERY, "decided before it fired"),
    ("S2", counted_nothing, EVERY, "it names no job"),
    ("S2", counted_unknown, EVERY, "is no job of the connection"),
    ("S2", counted_early, EVERY, "does not count"),
    ("L1", left_open, EVERY, "has an open claim"),
    ("L1", still_waiting, EVERY, "still open at the end"),
    ("L2", slow, EVERY, "one of a hundred"),
]


@pytest.mark.parametrize("body", [EVERY, ONCE, RETRY])
def test_an_hour_in_which_all_is_well_has_no_violation(body: str) -> None:
    """What the rows below spoil is without fault before."""
    verdict = judge(Story.calm(body).evidence())
    assert verdict.violations == ()
    assert (verdict.slots, verdict.starts) == (4, 4)


@pytest.mark.parametrize(
    ("promise", "spoil", "body", "text"), ROWS, ids=[f"{row[0]}-{row[1].__name__}" for row in ROWS]
)
def test_a_broken_promise_is_named(promise: str, spoil: Callable[[Story], None], body: str, text: str) -> None:
    """The violation begins with the name of the promise and says what is wrong."""
    story = Story.calm(body)
    spoil(story)
    found = judge(story.evidence()).violations
    assert any(each.startswith(f"{promise} ") and text in each for each in found), found


def test_every_promise_has_a_row() -> None:
    """S11 compares simulations, S12 needs a history that no source has, L3 is L1 after a life that ended."""
    promises = {*(f"S{number}" for number in range(2, 11)), "S1a", "S1b", "L1", "L2"}
    assert promises <= {row[0] for row in ROWS}


def test_a_further_run_in_time_is_none() -> None:
    """A run after a failed one, after its back-off and in its window, is as it should be."""
    story = Story.calm(RETRY)
    story.forget(2)
    story.start(SLOTS[2], result=JobStatus.FAILED)
    story.start(SLOTS[2], run=1, late=170)
    assert judge(story.evidence()).violations == ()
