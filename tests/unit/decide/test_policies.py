"""What policies make of a schedule: who wins, what a quarrel does, and what is added."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.policies import PLACES, resolve, settle, settled
from controller.model.calendar import ExcludedCron
from controller.model.policy import Policy, Setting
from controller.model.schedule import (
    CatchUp,
    CatchUpPolicy,
    Drift,
    ForeignJobs,
    FreshnessAlert,
    Mode,
    OnDelete,
    Origin,
    Overlap,
    Retry,
    ScheduleSpec,
    Suspension,
    WhenInDoubt,
)
from controller.model.window import Window, WindowKind
from tests.unit.decide.given import spec

HERE = Origin("s.yaml", 1)
NIGHT, WEEKEND = Window(WindowKind.DENY, "0 2 * * *", 3600), Window(WindowKind.DENY, "0 0 * * SAT", 172_800)
HOUR = timedelta(hours=1)
NEW_YEAR, SUMMER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)

PLAIN = spec(labels=(("team", "finance"), ("tier", "gold")))


def policy(name: str, said: Mapping[str, object] | None = None, priority: int = 0, **more: Any) -> Policy:
    """A policy for every schedule; its values stand in a file called after it, one a line."""
    places = {key: Setting(value, Origin(name, line)) for line, (key, value) in enumerate((said or {}).items(), 2)}
    return Policy(name, Origin(name, 1), name, priority=priority, defaults=places, **more)


def writing(**values: Any) -> ScheduleSpec:
    """A schedule that wrote some values itself: attribute and value, and the names of the fields as ``names``."""
    names = values.pop("names")
    return replace(PLAIN, **values, origins=dict.fromkeys(names, HERE))


EVERY_VALUE: dict[str, tuple[object, Mapping[str, Any]]] = {
    "mode": (Mode.OBSERVE, {"mode": Mode.OBSERVE}),
    "catchUp.policy": (CatchUpPolicy.NONE, {"catch_up": CatchUp(CatchUpPolicy.NONE)}),
    "catchUp.window": (HOUR, {"catch_up": CatchUp(window=HOUR)}),
    "whenInDoubt": (WhenInDoubt.SKIP, {"when_in_doubt": WhenInDoubt.SKIP}),
    "minGap": (HOUR, {"min_gap": HOUR}),
    "overlap": (Overlap.QUEUE, {"overlap": Overlap.QUEUE}),
    "maxDuration": (HOUR, {"max_duration": HOUR}),
    "stalledAfter": (HOUR, {"stalled_after": HOUR}),
    "retry": ("on", {"retry": Retry()}),
    "retry.attempts": (2, {"retry": Retry(attempts=2)}),
    "retry.backoff": (timedelta(minutes=2), {"retry": Retry(backoff=timedelta(minutes=2))}),
    "retry.maxBackoff": (HOUR, {"retry": Retry(max_backoff=HOUR)}),
    "failureBudget": (7, {"failure_budget": 7}),
    "windows": ((NIGHT,), {"windows": (NIGHT,)}),
    "exclude": ((ExcludedCron("* * * * SUN"),), {"exclude": (ExcludedCron("* * * * SUN"),)}),
    "jitter": (HOUR, {"jitter": HOUR}),
    "startDate": (NEW_YEAR, {"start_date": NEW_YEAR}),
    "endDate": (SUMMER, {"end_date": SUMMER}),
    "suspend": (Suspension("x"), {"suspend": Suspension("x")}),
    "drift.foreignJobs": (ForeignJobs.IGNORE, {"foreign_jobs": ForeignJobs.IGNORE}),
    "drift.platformSchedule": (Drift.ENFORCE, {"drift_schedule": Drift.ENFORCE}),
    "drift.connectionStatus": (Drift.IGNORE, {"drift_status": Drift.IGNORE}),
    "onDelete": (OnDelete.CANCEL_RUNNING, {"on_delete": OnDelete.CANCEL_RUNNING}),
    "freshnessAlert.warnAfter": (HOUR, {"freshness_alert": FreshnessAlert(warn_after=HOUR)}),
    "freshnessAlert.errorAfter": (HOUR, {"freshness_alert": FreshnessAlert(error_after=HOUR)}),
}


@pytest.mark.parametrize("name", EVERY_VALUE)
def test_a_policy_gives_what_the_schedule_did_not_write(name: str) -> None:
    """Each value arrives with the file and line of the policy, and the others keep their defaults."""
    value, expected = EVERY_VALUE[name]
    assert resolve(PLAIN, [policy("p", {name: value})], None) == replace(
        PLAIN, **dict(expected), origins={name: Origin("p", 2)}
    )


def test_no_value_that_a_policy_may_set_is_left_out_here() -> None:
    """The table above has every leaf."""
    assert PLACES.keys() <= EVERY_VALUE.keys()


OWN = writing(overlap=Overlap.REPLACE, names=["overlap"])
QUEUE, SKIP = policy("a", {"overlap": Overlap.QUEUE}), policy("b", {"overlap": Overlap.SKIP})
HIGH = policy("c", {"overlap": Overlap.REPLACE}, priority=1)
BEFORE = writing(overlap=Overlap.REPLACE, names=["overlap"])
UNWRITTEN = replace(PLAIN, overlap=Overlap.REPLACE)


@pytest.mark.parametrize(
    ("written", "policies", "previous", "overlap", "origin", "conflicts"),
    [
        (OWN, [QUEUE], None, Overlap.REPLACE, "s.yaml:1", ()),
        (OWN, [QUEUE, SKIP], None, Overlap.REPLACE, "s.yaml:1", ()),
        (PLAIN, [QUEUE], BEFORE, Overlap.QUEUE, "a:2", ()),
        (PLAIN, [QUEUE, HIGH], None, Overlap.REPLACE, "c:2", ()),
        (PLAIN, [QUEUE, SKIP, HIGH], None, Overlap.REPLACE, "c:2", ()),
        (PLAIN, [QUEUE, replace(QUEUE, name="z")], None, Overlap.QUEUE, "a:2", ()),
        (PLAIN, [QUEUE, SKIP], None, Overlap.SKIP, "None", ("overlap",)),
        (PLAIN, [QUEUE, SKIP], UNWRITTEN, Overlap.SKIP, "None", ("overlap",)),
        (PLAIN, [QUEUE, SKIP], BEFORE, Overlap.REPLACE, "s.yaml:1", ()),
    ],
    ids=[
        "the schedule wins",
        "a quarrel about what the schedule says is none",
        "a new policy comes into force",
        "the higher priority wins",
        "a quarrel below the highest priority is none",
        "equal values are no quarrel",
        "a quarrel without anything earlier",
        "a default that nobody wrote decides nothing",
        "a quarrel leaves what was in force",
    ],
)
def test_who_decides(
    written: ScheduleSpec,
    policies: list[Policy],
    previous: ScheduleSpec | None,
    overlap: Overlap,
    origin: str,
    conflicts: tuple[str, ...],
) -> None:
    """The schedule, then the priority, then what was last in force; else nobody."""
    found = resolve(written, policies, previous)
    assert (found.overlap, str(found.origins.get("overlap")), found.conflicts) == (overlap, origin, conflicts)


@pytest.mark.parametrize(
    ("labels", "platforms", "is_selected"),
    [
        ((), (), True),
        ((("team", "finance"),), (), True),
        ((("team", "finance"), ("tier", "gold")), ("acme", "other"), True),
        ((("team", "sales"),), (), False),
        ((("team", "finance"), ("tier", "lead")), (), False),
        ((), ("other",), False),
    ],
)
def test_a_policy_speaks_of_what_it_selects(
    labels: tuple[tuple[str, str], ...], platforms: tuple[str, ...], is_selected: bool
) -> None:
    """All labels and one of the platforms; a schedule that nothing selects is the same object."""
    row = policy("p", {"jitter": HOUR}, labels=labels, platforms=platforms, freeze=Suspension("x"), windows=(NIGHT,))
    found = resolve(PLAIN, [row], None)
    assert (found is not PLAIN) == is_selected
    assert (found.jitter, len(found.freezes), len(found.windows)) == ((HOUR, 1, 1) if is_selected else (None, 0, 0))


def test_a_suspension_that_is_over_is_not_ended_by_anothers_until() -> None:
    """A suspension is one value: whoever wrote a part of it wrote all of it, also ``false``."""
    mine = writing(suspend=Suspension("mine"), names=["suspend"])
    row = policy("p", {"suspend": Suspension("theirs", until=SUMMER)})
    assert resolve(mine, [row], None).suspend == Suspension("mine")
    assert resolve(writing(names=["suspend"]), [row], None).suspend is None


def test_a_retry_is_filled_from_several_documents() -> None:
    """Each part from where it was written, the last one by default."""
    mine = writing(retry=Retry(attempts=9), names=["retry.attempts"])
    found = resolve(mine, [policy("p", {"retry.backoff": HOUR / 6, "retry.attempts": 2})], None)
    assert found.retry == Retry(9, timedelta(minutes=10))
    assert {name: str(origin) for name, origin in found.origins.items()} == {
        "retry.attempts": "s.yaml:1",
        "retry.backoff": "p:2",
    }


@pytest.mark.parametrize(
    ("written", "said", "pair"),
    [
        (
            writing(retry=Retry(max_backoff=HOUR), names=["retry.maxBackoff"]),
            {"retry.backoff": 2 * HOUR, "retry.attempts": 2},
            ("retry.backoff", "retry.maxBackoff"),
        ),
        (
            writing(freshness_alert=FreshnessAlert(error_after=HOUR), names=["freshnessAlert.errorAfter"]),
            {"freshnessAlert.warnAfter": 2 * HOUR},
            ("freshnessAlert.errorAfter", "freshnessAlert.warnAfter"),
        ),
        (writing(end_date=SUMMER, names=["endDate"]), {"startDate": SUMMER}, ("endDate", "startDate")),
    ],
)
def test_values_that_make_nonsense_of_each_other_are_a_conflict_of_both(
    written: ScheduleSpec, said: Mapping[str, object], pair: tuple[str, str]
) -> None:
    """Each document is valid by itself; the policy's value does not come into force, its other ones do."""
    found = resolve(written, [policy("p", said)], None)
    assert found.conflicts == pair
    quarrelling = {f"{name}[p]" for name in set(said) & set(pair)}
    assert set(found.origins) == set(written.origins) | (set(said) - set(pair)) | quarrelling


def test_nonsense_leaves_what_was_in_force() -> None:
    """A policy that grows beyond the schedule's own bound keeps its last good value there."""
    mine = writing(retry=Retry(max_backoff=HOUR), names=["retry.maxBackoff"])
    before = settle(mine, [policy("p", {"retry.backoff": HOUR / 2})], None)
    found = resolve(mine, [policy("p", {"retry.backoff": 2 * HOUR})], before)
    assert (found.retry, found.conflicts) == (Retry(3, HOUR / 2, HOUR), ())


def test_windows_and_freezes_are_added_with_their_origins() -> None:
    """Those of policies come after the schedule's own, by name of the policy, whatever the priority."""
    mine = writing(windows=(NIGHT,), names=["windows"])
    late = policy("z", windows=(WEEKEND,), windows_origin=Origin("z", 5), freeze=Suspension("z"), priority=9)
    early = policy("a", freeze=Suspension("a"), freeze_origin=Origin("a", 7))
    found = resolve(mine, [late, early], None)
    assert (found.windows, found.freezes) == ((NIGHT, WEEKEND), (Suspension("a"), Suspension("z")))
    assert {name: str(origin) for name, origin in found.origins.items()} == {
        "windows": "s.yaml:1",
        "windows[z]": "z:5",
        "freeze[z]": "z:1",
        "freeze[a]": "a:7",
    }


def test_added_windows_are_not_taken_for_the_schedules_own() -> None:
    """Where two policies quarrel about the list, what stays of it is the list, not what was added to it."""
    one, two = policy("a", {"windows": (NIGHT,)}), policy("b", {"windows": (WEEKEND,)})
    adding = policy("c", windows=(WEEKEND,))
    before = settle(PLAIN, [one, adding], None)
    assert resolve(PLAIN, [one, two, adding], before).windows == (NIGHT, WEEKEND)


VALUES: dict[str, list[object]] = {
    "overlap": list(Overlap),
    "retry.backoff": [HOUR, 2 * HOUR],
    "retry.maxBackoff": [HOUR / 2, 3 * HOUR],
    "startDate": [NEW_YEAR, SUMMER],
    "endDate": [SUMMER],
    "suspend": [None, Suspension("x")],
    "windows": [(NIGHT,), (WEEKEND,), ()],
}
OWN_VALUES = {"overlap", "endDate", "suspend", "windows"}
DEFAULTS = st.fixed_dictionaries({}, optional={name: st.sampled_from(found) for name, found in VALUES.items()})


@st.composite
def sets_of_policies(draw: st.DrawFn) -> list[Policy]:
    """Up to four policies, some of which select the schedule."""
    return [
        policy(
            name,
            draw(DEFAULTS),
            draw(st.integers(0, 1)),
            labels=draw(st.sampled_from([(), (("team", "finance"),), (("team", "sales"),)])),
            freeze=draw(st.sampled_from([None, Suspension(name)])),
            windows=draw(st.sampled_from([(), (WEEKEND,)])),
        )
        for name in draw(st.lists(st.sampled_from("abcd"), unique=True))
    ]


@st.composite
def written_schedules(draw: st.DrawFn) -> ScheduleSpec:
    """A schedule that wrote some of the values itself; alone they make sense."""
    said = draw(DEFAULTS)
    return settled(PLAIN, {name: Setting(said[name], HERE) for name in said.keys() & OWN_VALUES})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(written=written_schedules(), policies=sets_of_policies(), before=sets_of_policies(), random=st.randoms())
def test_the_order_of_policies_never_matters(
    written: ScheduleSpec, policies: list[Policy], before: list[Policy], random: Any
) -> None:
    """Files are read in some order; what is in force does not depend on it."""
    previous = settle(written, before, None)
    shuffled = random.sample(policies, len(policies))
    assert resolve(written, shuffled, previous) == resolve(written, policies, previous)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(written=written_schedules(), policies=sets_of_policies(), before=sets_of_policies())
def test_what_the_schedule_wrote_always_wins(
    written: ScheduleSpec, policies: list[Policy], before: list[Policy]
) -> None:
    """Value and origin stay; windows may be added behind them."""
    found = resolve(written, policies, settle(written, before, None))
    for name, origin in written.origins.items():
        attribute, _ = PLACES[name]
        value, own = getattr(found, attribute), getattr(written, attribute)
        assert (value[: len(own)] if name == "windows" else value) == own
        assert found.origins[name] == origin


@settings(max_examples=200, deadline=None, derandomize=True)
@given(written=written_schedules(), policies=sets_of_policies())
def test_what_is_not_in_conflict_makes_sense(written: ScheduleSpec, policies: list[Policy]) -> None:
    """No combination of valid documents puts nonsense in force, and a quarrel never hides behind a default."""
    found = resolve(written, policies, None)
    if found.retry is not None:
        assert found.retry.backoff <= found.retry.max_backoff
    if (
        found.start_date is not None
        and found.end_date is not None
        and {"startDate", "endDate"} - written.origins.keys()
    ):
        assert found.start_date < found.end_date
    assert not set(found.conflicts) & (found.origins.keys() - written.origins.keys())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(policies=sets_of_policies())
def test_a_schedule_that_nothing_selects_is_the_same_object(policies: list[Policy]) -> None:
    """Without a policy nothing is copied and nothing changes."""
    alone = replace(PLAIN, labels=())
    others = [replace(each, labels=(("team", "sales"),)) for each in policies]
    assert resolve(alone, others, None) is alone
