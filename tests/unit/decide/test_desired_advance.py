"""A revision that differs in a few files comes into force as if all of it had been read, at the cost of those."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.desired import Desired, advance, differing, merge
from controller.model.policy import Policy, Setting
from controller.model.schedule import Origin, Overlap, ScheduleSpec
from tests.unit.decide.given import every
from tests.unit.decide.given import spec as make_spec
from tests.unit.decide.test_desired import ref

POLICY = Policy(
    "gold",
    Origin("policy", 1),
    "policy",
    labels=(("tier", "gold"),),
    defaults={"overlap": Setting(Overlap.QUEUE, Origin("policy", 5))},
)

TREES = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.integers(0, 9), st.sampled_from([15, 30]), st.booleans()),
    max_size=8,
).map(lambda tree: {path: row for path, row in tree.items() if [one[0] for one in tree.values()].count(row[0]) == 1})


def documents(tree: dict[str, tuple[int, int, bool]]) -> dict[str, ScheduleSpec]:
    """The schedules of a tree by path; a connection may move from one file to another."""
    return {
        path: make_spec(
            every(minutes),
            ref=ref(str(number)),
            name=f"n{number}",
            origin=Origin(path, 1),
            labels=(("tier", "gold"),) if is_gold else (),
        )
        for path, (number, minutes, is_gold) in tree.items()
    }


@settings(max_examples=300, deadline=None)
@given(trees=st.lists(TREES, min_size=2, max_size=5))
def test_advancing_is_merging(trees: list[dict[str, tuple[int, int, bool]]]) -> None:
    """Whatever files come, go, change and swap connections: what is in force, and what is different, is the same both ways."""
    rows = [documents(tree) for tree in trees]
    whole = merge(Desired(), "r0", rows[0].values(), frozenset(), [POLICY])
    advanced = whole
    for index, (before, after) in enumerate(pairwise(rows), 1):
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        was, held = whole, advanced
        whole = merge(whole, f"r{index}", after.values(), frozenset(), [POLICY])
        assert advanced.is_whole
        advanced = advance(
            advanced,
            f"r{index}",
            [spec for path, spec in before.items() if path in changed],
            [spec for path, spec in after.items() if path in changed],
        )
        assert advanced == whole
        assert differing(held, advanced) == differing(was, whole)


def test_a_policy_holds_for_what_is_advanced() -> None:
    """A schedule that comes with a few others is under the policies in force."""
    gold = documents({"a": (1, 15, True)})["a"]
    before = merge(Desired(), "r1", (), frozenset(), [POLICY])
    assert advance(before, "r2", (), [gold]).specs[gold.ref].overlap is Overlap.QUEUE
