"""What excuses a slot that was not started: only what could have done it, and only while the slot could have started."""

from datetime import timedelta

import pytest

from controller.model.job import JobStatus
from controller.model.record import Outcome, Reason
from controller.simulation.chronicle import Trouble, Version
from controller.simulation.faults import FaultKind
from controller.simulation.judge.checker import judge
from controller.simulation.judge.evidence import Fetched
from tests.unit.simulation.evidence_kit import REF, SLOTS, Story, seconds, spec_of

EVERY = "  schedules: [{every: 15m}]\n"
SUSPENDED = EVERY + "  suspend: {reason: a rest}\n"


def trouble(kind: FaultKind, since: float, length: float, connection_id: str | None = None) -> Trouble:
    """A fault, its length by itself in seconds, counted from the second slot."""
    begins = SLOTS[1] + seconds(since)
    return Trouble(kind, begins, begins + seconds(length) + timedelta(seconds=60), connection_id)


EXCUSES = [
    ("an outage during the window", Reason.DEADLINE, trouble(FaultKind.OUTAGE, 5, 800), True),
    ("a crash during the window", Reason.SUPERSEDED, trouble(FaultKind.CRASH, -5, 800), True),
    ("a full disk", Reason.DEADLINE, trouble(FaultKind.STORE_FAILS, 1, 0), True),
    ("an outage long before", Reason.DEADLINE, trouble(FaultKind.OUTAGE, -500, 100), False),
    ("a crash that was over", Reason.DEADLINE, trouble(FaultKind.CRASH, -100, 50), False),
    ("another connection's refusal", Reason.DEADLINE, trouble(FaultKind.REFUSED, 1, 0, "conn_b"), False),
    ("its own refusal", Reason.DEADLINE, trouble(FaultKind.REFUSED, 1, 0, "conn_a"), True),
    ("a list that lags", Reason.DEADLINE, trouble(FaultKind.LIST_LAG, 0, 800), False),
    ("a job of somebody else", Reason.DEADLINE, trouble(FaultKind.FOREIGN_RUN, 0, 800), False),
    ("a spec source that fails after it was read", Reason.DEADLINE, trouble(FaultKind.SOURCE_FAILS, -60, 900), False),
]


@pytest.mark.parametrize(("reason", "met", "is_excused"), [row[1:] for row in EXCUSES], ids=[row[0] for row in EXCUSES])
def test_only_what_could_have_done_it_excuses_a_miss(reason: Reason, met: Trouble, is_excused: bool) -> None:
    """A fault excuses a miss of its own kind, of its own connection, and only inside the slot's window."""
    story = Story.calm()
    story.decide(1, Outcome.MISSED, reason, 901)
    story.chronicle.troubles.append(met)
    found = judge(story.evidence()).violations
    assert bool(found) is not is_excused, found


def test_a_life_that_never_read_the_specs_may_miss() -> None:
    """A process that starts while the source fails knows of nothing until it can read."""
    story = Story.calm()
    story.decide(1, Outcome.MISSED, Reason.DEADLINE, 901)
    story.chronicle.troubles += [trouble(FaultKind.SOURCE_FAILS, -100, 950), trouble(FaultKind.CRASH, -90, 30)]
    story.fetched.append(Fetched(SLOTS[1] + seconds(870), 2, story.fetched[0].tree))
    for claimed in story.chronicle.claims[1:]:
        claimed.life = 2
    for post in story.chronicle.posts[1:]:
        post.life = 2
    assert judge(story.evidence()).violations == ()


CLAIMED = [
    (Reason.SUSPENDED, EVERY),
    (Reason.FROZEN, EVERY),
    (Reason.STALLED, EVERY),
    (Reason.STALLED, EVERY + "  failureBudget: 1\n"),
    (Reason.DELETED, EVERY),
    (Reason.WINDOW_CLOSED, EVERY),
    (Reason.ACTIVE, EVERY),
    (Reason.MIN_GAP, EVERY + "  minGap: 1s\n"),
    (Reason.REJECTED, EVERY),
    (Reason.CONNECTION_INACTIVE, EVERY),
    (Reason.IN_DOUBT, EVERY),
]


@pytest.mark.parametrize(("reason", "body"), CLAIMED)
def test_a_skip_needs_what_it_names(reason: Reason, body: str) -> None:
    """No reason of a skip is believed for being mentioned."""
    story = Story.calm(body)
    story.decide(1, Outcome.SKIPPED, reason)
    assert any("nothing of the kind stood against it" in each for each in judge(story.evidence()).violations)


def test_a_suspension_and_failures_in_a_row_are_reasons() -> None:
    """What was in force, and what really failed, is believed."""
    story = Story.calm()
    story.decide(1, Outcome.SKIPPED, Reason.SUSPENDED)
    story.chronicle.versions[REF] += [
        Version(SLOTS[0] + seconds(60), spec_of(SUSPENDED)),
        Version(SLOTS[1] + seconds(60), spec_of(EVERY)),
    ]
    assert judge(story.evidence()).violations == ()
    stalled = Story.calm(EVERY + "  failureBudget: 1\n")
    stalled.forget(0)
    stalled.start(SLOTS[0], result=JobStatus.FAILED)
    stalled.decide(1, Outcome.SKIPPED, Reason.STALLED)
    assert not [each for each in judge(stalled.evidence()).violations if "nothing of the kind" in each]
