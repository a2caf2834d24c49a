"""When a revision removes too much, and who may confirm it."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.decide.desired import Desired, merge
from controller.decide.removals import Coming, coming, hold, judge_removals
from controller.model.identity import ConnectionRef
from controller.model.record import Reason
from controller.model.request import DeclaredRequest, RequestAction
from controller.model.revision import AppliedRevision, HeldRevision, Revisions
from controller.model.safety import SafetyLimits
from controller.model.schedule import Origin, ScheduleSpec

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = SafetyLimits()
BAD = "main@sha1:" + "b" * 40
NEXT = "main@sha1:" + "c" * 40


def refs(*numbers: int) -> dict[ConnectionRef, str]:
    """Schedules by connection."""
    return {ConnectionRef("default", f"conn_{number}"): f"s{number}" for number in numbers}


def change(removed: int, in_force: int, *requests: DeclaredRequest, revision: str = BAD) -> Coming:
    """A revision that removes the first so many schedules."""
    return Coming(revision, refs(*range(removed)), in_force, removed == in_force, requests)


def request(**said: object) -> DeclaredRequest:
    """A document that confirms the bad revision."""
    fields = {"revision": BAD, **said}
    return DeclaredRequest("yes", RequestAction.CONFIRM_REMOVALS, Origin("yes.yaml", 1), **fields)  # type: ignore[arg-type]


def held(change: Coming) -> Revisions:
    """What is known after a revision was held."""
    return Revisions(AppliedRevision("main@sha1:" + "a" * 40, NOW), (hold(change, "too much", NOW),))


@pytest.mark.parametrize(
    ("removed", "in_force", "is_held"),
    [
        (0, 0, False),
        (1, 8, False),
        (2, 8, False),
        (3, 12, False),
        (3, 11, True),
        (25, 100, False),
        (26, 100, True),
        (2, 4, False),
        (3, 4, True),
        (1, 1, True),
        (2, 2, True),
    ],
)
def test_more_than_a_quarter_and_at_least_three_are_held_and_so_is_an_empty_tree(
    removed: int, in_force: int, *, is_held: bool
) -> None:
    """Both bounds must be passed; one that leaves nothing is held however little there was."""
    assert bool(judge_removals(change(removed, in_force), Revisions(), LIMITS, "", NOW).held) is is_held


def test_the_bounds_can_be_set() -> None:
    """A team whose repository moves a lot sets them to its own measure."""
    loose, strict = SafetyLimits(removal_share=0.5), SafetyLimits(removal_count=1, removal_share=0.0)
    assert not judge_removals(change(4, 8), Revisions(), loose, "", NOW).held
    assert judge_removals(change(5, 8), Revisions(), loose, "", NOW).held
    assert judge_removals(change(1, 8), Revisions(), strict, "", NOW).held


def test_the_message_names_what_goes_and_how_to_confirm_it() -> None:
    """Who reads it can decide without looking anything up."""
    message = judge_removals(change(7, 20), Revisions(), LIMITS, "", NOW).held
    assert message == (
        "it removes 7 of 20 schedules in force (s0, s1, s2, s3, s4 and 2 more); what was in force stays so. If this is meant, confirm it"
        " with mainspring run --confirm-revision bbbbbbbbbbbb, or with a commit that adds a SyncRequest with action: ConfirmRemovals and"
        ' revision: "bbbbbbbbbbbb"'
    )
    assert judge_removals(change(2, 2), Revisions(), LIMITS, "", NOW).held.startswith(
        "it holds no schedule at all, and it"
    )


@pytest.mark.parametrize("given", [BAD, "b" * 40, "b" * 7, "B" * 12])
def test_the_operator_confirms_by_name_or_hash(given: str) -> None:
    """Seven digits are enough, as Git shows them."""
    ruling = judge_removals(change(6, 8), Revisions(), LIMITS, given, NOW)
    assert (ruling.held, ruling.confirmed_by) == ("", "--confirm-revision")


@pytest.mark.parametrize("given", ["b" * 6, "c" * 40, "main", NEXT, ""])
def test_another_revision_is_not_confirmed(given: str) -> None:
    """Too few digits, another hash, a branch: none of them means this revision."""
    assert judge_removals(change(6, 8), Revisions(), LIMITS, given, NOW).held


def test_a_revision_that_was_in_force_before_stays_so() -> None:
    """After a restart in the middle of its removals it is not held for what is left of them."""
    known = Revisions(AppliedRevision(BAD, NOW))
    assert not judge_removals(change(6, 8), known, LIMITS, "", NOW).held


@pytest.mark.parametrize("named", [BAD, "b" * 40, "b" * 8])
def test_a_newer_commit_confirms_a_held_one(named: str) -> None:
    """It may remove less than that, and says who confirmed it and why."""
    known = held(change(6, 8))
    later = change(5, 8, request(revision=named, reason="the team has left"), revision=NEXT)
    ruling = judge_removals(later, known, LIMITS, "", NOW)
    assert (ruling.held, ruling.confirmed_by) == ("", "yes at yes.yaml:1: the team has left")


def test_a_confirmation_holds_for_an_older_held_revision_too() -> None:
    """Between the revision that was told and the commit that confirms it somebody else may have pushed."""
    known = held(change(6, 8))
    known = Revisions(known.applied, (*known.held, hold(change(6, 8, revision=NEXT), "too much", NOW)))
    assert not judge_removals(change(6, 8, request(), revision="main@sha1:" + "d" * 40), known, LIMITS, "", NOW).held


@pytest.mark.parametrize(
    ("removed", "said", "words"),
    [
        (7, {}, "this revision also removes s6"),
        (6, {"expires_at": NOW}, "it expired at 2026-03-02 12:00:00Z"),
        (6, {"not_before": NOW + HOUR}, "it waits until 2026-03-02 13:00:00Z"),
        (6, {"revision": "d" * 40}, f"{'d' * 40} is not known to be held; {BAD} is the newest that is"),
    ],
)
def test_a_confirmation_that_does_not_fit_says_why(removed: int, said: dict[str, object], words: str) -> None:
    """More removed, too late, too early, another revision."""
    later = change(removed, 20, request(**said), revision=NEXT)
    message = judge_removals(later, held(change(6, 20)), LIMITS, "", NOW).held
    assert f"yes at yes.yaml:1 does not confirm that: {words}" in message


def test_what_nobody_was_told_of_nobody_confirms() -> None:
    """A store that has lost what was held cannot tell whether this commit removes more."""
    message = judge_removals(change(6, 8, request(), revision=NEXT), Revisions(), LIMITS, "", NOW).held
    assert f"{BAD} is not known to be held; what was in force stays so" in message


def test_a_confirmation_in_time_counts() -> None:
    """Between its two instants."""
    timed = request(not_before=NOW, expires_at=NOW + HOUR)
    assert not judge_removals(change(6, 8, timed, revision=NEXT), held(change(6, 8)), LIMITS, "", NOW).held


def test_a_request_of_another_kind_confirms_nothing() -> None:
    """Whatever revision it names."""
    other = DeclaredRequest("run", RequestAction.SYNC, Origin("run.yaml", 1), revision=BAD)
    assert judge_removals(change(6, 8, other, revision=NEXT), held(change(6, 8)), LIMITS, "", NOW).held


def spec(number: int, path: str = "") -> ScheduleSpec:
    """A schedule in a file of its own."""
    return ScheduleSpec(f"s{number}", "default", f"conn_{number}", (), Origin(path or f"{number}.yaml", 1), content="")


def test_only_absences_that_are_believed_count() -> None:
    """A file that is rejected, moved, or claimed twice removes nothing."""
    before = merge(Desired(), "r1", [spec(number) for number in range(6)], frozenset())
    twice = [spec(0), spec(0, "again.yaml"), spec(1, "moved/1.yaml")]
    after = merge(before, "r2", twice, frozenset({"2.yaml"}))
    assert after.obstacles == {ConnectionRef("default", "conn_0"): Reason.DUPLICATE_CONNECTION}
    found = coming(refs(*range(6)), after)
    assert (list(found.removed.values()), found.in_force, found.is_empty) == (["s3", "s4", "s5"], 6, False)
    # Nor what cannot be read back from the store, while a rejected file may hold it.
    unread = merge(Desired(), "r3", [], frozenset({"who.yaml"}))
    assert coming(refs(*range(6)), unread).removed == {}


def test_what_is_held_is_remembered_with_what_it_removes() -> None:
    """So that a confirmation can be checked."""
    assert hold(change(3, 8), "so", NOW) == HeldRevision(BAD, NOW, frozenset(refs(0, 1, 2)), 8, "so")
