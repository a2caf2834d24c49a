"""From a revision to what is in force: a bad file harms only itself, and never counts as a deletion."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.desired import Desired, merge
from controller.model.identity import ConnectionRef
from controller.model.policy import Policy, Setting
from controller.model.record import Reason
from controller.model.schedule import Origin, Overlap, ScheduleSpec, Suspension
from tests.unit.decide.given import every, spec


def schedule(path: str, connection_id: str = "", name: str = "", minutes: int = 15) -> ScheduleSpec:
    """What a file asks for; connection and name are called after it unless told otherwise."""
    ref = ConnectionRef("acme", connection_id or path)
    return spec(every(minutes), ref=ref, name=name or path, origin=Origin(path, 1))


def ref(connection_id: str) -> ConnectionRef:
    """A connection."""
    return ConnectionRef("acme", connection_id)


def first(*specs: ScheduleSpec) -> Desired:
    """What the first revision put in force."""
    return merge(Desired(), "r1", specs, frozenset())


def second(before: Desired, specs: Iterable[ScheduleSpec], failed: Iterable[str] = ()) -> Desired:
    """What the next revision puts in force."""
    return merge(before, "r2", specs, frozenset(failed))


A, B = schedule("a"), schedule("b")
A2, B2 = schedule("a", minutes=30), schedule("b", minutes=30)


def test_a_good_revision_is_in_force_as_it_is() -> None:
    """Nothing is stale, nothing stands against anything, and what is absent is gone."""
    specs = {A.ref: A, B.ref: B}
    assert first(A, B) == Desired("r1", specs, {}, frozenset(), absence_believed=True, written=specs, settled=specs)


def test_an_edit_comes_into_force() -> None:
    """The newest good version of a file holds."""
    assert second(first(A, B), [A2, B]).specs == {A.ref: A2, B.ref: B}


def test_a_removed_file_is_gone() -> None:
    """When every file could be read, absence is believed."""
    after = second(first(A, B), [A])
    assert (after.specs, after.absence_believed) == ({A.ref: A}, True)


def test_a_rejected_file_keeps_what_it_last_held() -> None:
    """It stays in force, is told to be stale, and the other edits of the revision hold."""
    after = second(first(A, B), [B2], ["a"])
    specs = {A.ref: A, B.ref: B2}
    stale = frozenset({A.ref})
    assert after == Desired("r2", specs, {}, stale, absence_believed=True, written=specs, settled=specs)


def test_a_rejected_file_keeps_all_its_documents() -> None:
    """Several documents of one file stand and fall together."""
    one, two = schedule("a", "one", "one"), schedule("a", "two", "two")
    after = second(first(one, two), [], ["a"])
    assert (after.specs, after.stale) == ({one.ref: one, two.ref: two}, frozenset({one.ref, two.ref}))


def test_it_stays_in_force_for_as_many_revisions_as_it_is_rejected() -> None:
    """A stale schedule is still known to be that file's."""
    after = merge(second(first(A, B), [B], ["a"]), "r3", [B], frozenset({"a"}))
    assert (after.specs, after.stale, after.absence_believed) == ({A.ref: A, B.ref: B}, frozenset({A.ref}), True)


def test_a_file_that_is_mended_is_in_force_again() -> None:
    """What it holds now replaces what it last held, and is not stale."""
    after = merge(second(first(A, B), [B], ["a"]), "r3", [A2, B], frozenset())
    assert (after.specs[A.ref], after.stale) == (A2, frozenset())


def test_a_removed_file_is_gone_although_a_known_one_is_rejected() -> None:
    """A rejected file with a known earlier version is that version's, and no other's."""
    after = second(first(A, B), [], ["a"])
    assert (after.specs, after.absence_believed) == ({A.ref: A}, True)


def test_a_rejected_file_of_which_nothing_is_known_may_be_any_connections() -> None:
    """Renamed and broken in one commit: while a revision holds such a file, nothing that is missing counts as gone."""
    after = second(first(A, B), [B2], ["c"])
    assert (after.specs, after.stale, after.absence_believed) == ({A.ref: A, B.ref: B2}, frozenset({A.ref}), False)


def test_the_first_revision_with_a_rejected_file_does_not_believe_in_absence() -> None:
    """After a restart nothing is known of any file."""
    after = merge(Desired(), "r1", [A], frozenset({"b"}))
    assert (after.specs, after.absence_believed) == ({A.ref: A}, False)


def test_a_file_that_moved_is_the_same_connection() -> None:
    """The connection is driven by whichever file names it."""
    moved = schedule("elsewhere", "a", "a")
    assert second(first(A), [moved]).specs == {A.ref: moved}


def test_two_files_that_claim_a_connection_put_nothing_new_in_force() -> None:
    """What was in force stays, told to be stale, and the reason stands against it."""
    after = second(first(A, B), [A2, B2, schedule("c", "a", "c")])
    assert after.specs == {A.ref: A, B.ref: B2}
    assert (after.obstacles, after.stale) == ({A.ref: Reason.DUPLICATE_CONNECTION}, frozenset({A.ref}))


def test_two_files_that_claim_a_new_connection_put_nothing_in_force() -> None:
    """Neither of them is triggered."""
    after = first(schedule("c", "x", "c"), schedule("d", "x", "d"), B)
    assert (after.specs, after.obstacles) == ({B.ref: B}, {ref("x"): Reason.DUPLICATE_CONNECTION})


def test_two_files_that_claim_a_name_put_neither_connection_in_force() -> None:
    """A name means one schedule; both connections are held."""
    after = second(first(A, B), [schedule("a", minutes=30), schedule("b", name="a")])
    assert after.specs == {A.ref: A, B.ref: B}
    assert after.obstacles == {A.ref: Reason.DUPLICATE_NAME, B.ref: Reason.DUPLICATE_NAME}


def test_a_connection_claimed_twice_under_one_name_is_a_duplicate_connection() -> None:
    """The nearer reason is told."""
    after = first(A, schedule("c", "a", "a"))
    assert after.obstacles == {A.ref: Reason.DUPLICATE_CONNECTION}


def test_a_contradiction_that_is_over_lets_the_schedule_in() -> None:
    """When one of two files goes, the other is in force."""
    after = merge(second(first(A), [A2, schedule("c", "a", "c")]), "r3", [A2], frozenset())
    assert (after.specs, after.obstacles, after.stale) == ({A.ref: A2}, {}, frozenset())


def policy(name: str, path: str = "", freeze: str = "", **settings: object) -> Policy:
    """A policy for every schedule, in a file called after it unless told otherwise."""
    origin = Origin(path or name, 1)
    said = {key.replace("_", "."): Setting(value, origin) for key, value in settings.items()}
    return Policy(name, origin, freeze, defaults=said, freeze=Suspension(freeze) if freeze else None)


def under(
    before: Desired, *policies: Policy, specs: Iterable[ScheduleSpec] = (A,), failed: Iterable[str] = ()
) -> Desired:
    """What the next revision puts in force with these policies."""
    return merge(before, "r2", specs, frozenset(failed), policies)


def reasons(desired: Desired) -> list[str]:
    """Why schedule A is frozen."""
    return [freeze.reason for freeze in desired.specs[A.ref].freezes]


P, P2, Q = policy("p", freeze="one"), policy("p", freeze="two"), policy("q", freeze="three")


def test_policies_hold_for_what_is_in_force() -> None:
    """What is written stays known beside what is in force under the policies."""
    after = under(Desired(), Q, P)
    assert (reasons(after), after.written, after.settled) == (["one", "three"], {A.ref: A}, {A.ref: A})
    assert after.policies == (P, Q)


def test_a_rejected_policy_keeps_its_last_good_version() -> None:
    """The others of the revision hold, and what is absent is still gone, because the file is known."""
    after = under(under(Desired(), P), Q, specs=[B], failed=["p"])
    assert after.policies == (P, Q)
    assert (after.absence_believed, set(after.specs)) == (True, {B.ref})


def test_a_policy_holds_for_a_stale_schedule_too() -> None:
    """A schedule whose file is rejected is under the policies of today."""
    after = under(under(Desired(), P), P2, specs=[], failed=["a"])
    assert (reasons(after), after.stale) == (["two"], frozenset({A.ref}))


def test_a_policy_that_is_removed_no_longer_holds() -> None:
    """Where every file could be read an absent policy is gone."""
    assert reasons(under(under(Desired(), P))) == []


def test_a_policy_stays_while_its_absence_is_not_believed() -> None:
    """A rejected file of which nothing is known may be the policy's, renamed and broken in one commit."""
    after = under(under(Desired(), P), failed=["unknown"])
    assert (reasons(after), after.absence_believed) == (["one"], False)


def test_two_documents_that_claim_the_name_of_a_policy_put_neither_in_force() -> None:
    """The last good version stays; without one there is none."""
    twins = (P2, policy("p", "elsewhere", freeze="twin"))
    assert reasons(under(under(Desired(), P), *twins)) == ["one"]
    assert reasons(under(Desired(), *twins)) == []


def test_a_rejected_file_that_held_only_a_policy_is_known() -> None:
    """It is not taken for a schedule that moved there, so what is missing is gone."""
    before = under(Desired(), P, specs=[A, B])
    after = under(before, specs=[B], failed=["p"])
    assert (after.absence_believed, set(after.specs), after.policies) == (True, {B.ref}, (P,))


def test_where_policies_disagree_the_value_last_in_force_stays() -> None:
    """A quarrel changes nothing, in this revision and in the ones after it."""
    queue, replace_ = policy("x", overlap=Overlap.QUEUE), policy("y", overlap=Overlap.REPLACE)
    quarrel = under(under(Desired(), queue), queue, replace_)
    assert quarrel.specs[A.ref].overlap is Overlap.QUEUE
    assert (quarrel.specs[A.ref].conflicts, quarrel.specs[A.ref].origins["overlap"]) == ((), queue.origin)
    assert under(quarrel, queue, replace_).specs[A.ref].overlap is Overlap.QUEUE


def test_where_policies_disagree_and_nothing_was_in_force_the_field_is_named() -> None:
    """A default that nobody wrote decides nothing."""
    queue, replace_ = policy("x", overlap=Overlap.QUEUE), policy("y", overlap=Overlap.REPLACE)
    assert under(under(Desired()), queue, replace_).specs[A.ref].conflicts == ("overlap",)


FILES = ["a", "b", "c", "d"]
TREES = st.dictionaries(st.sampled_from(FILES), st.integers(1, 3), max_size=4)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(before=TREES, after=TREES, rejected=st.sets(st.sampled_from(FILES), max_size=4))
def test_a_rejected_file_never_changes_what_another_file_says(
    before: dict[str, int], after: dict[str, int], rejected: set[str]
) -> None:
    """Compared with the same revision without a bad file, every good file says the same and nothing more is gone."""
    known = first(*(schedule(path, minutes=minutes) for path, minutes in before.items()))
    good = [schedule(path, minutes=minutes) for path, minutes in after.items() if path not in rejected]
    merged = second(known, good, rejected)

    clean = second(known, good)
    assert {ref: merged.specs[ref] for ref in clean.specs} == clean.specs
    for path in rejected & before.keys():
        assert merged.specs[ref(path)] == known.specs[ref(path)]
        assert ref(path) in merged.stale
    assert merged.stale == {each for each in merged.specs if each not in clean.specs}
