"""What a policy may say, what it means, and where a mistake in it is told."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.model.policy import Policy, Setting
from controller.model.schedule import Drift, Origin, Overlap, Suspension
from controller.model.window import Window, WindowKind
from tests.unit.adapters.specs.test_schedule_document import ALL
from tests.unit.adapters.specs.texts import other, read

FINANCE = """
  selector: {labels: {team: finance, tier: gold}, platforms: [default, eu]}
  priority: 10
  defaults:
    overlap: Queue
    catchUp: {window: 2h}
    suspend: false
  windows: [{deny: {cron: "0 18 * * FRI", duration: 60h, timeZone: Europe/Zurich, reason: weekend}}]
  freeze: {reason: incident, by: ana, until: "2026-12-01T08:00:00Z"}"""


def policy_of(spec: str) -> Policy:
    """The one policy of a valid file."""
    tree = read(other("SyncPolicy", spec))
    assert (tree.errors, tree.warnings, tree.specs) == ((), (), ())
    return tree.policies[0]


def test_everything_that_a_policy_says_arrives() -> None:
    """Values are kept one by one by their name below ``spec``, each with its place."""
    policy = policy_of(FINANCE)
    assert policy == Policy(
        name="finance",
        origin=Origin("a.yaml", 1),
        content=policy.content,
        labels=(("team", "finance"), ("tier", "gold")),
        platforms=("default", "eu"),
        priority=10,
        defaults={
            "overlap": Setting(Overlap.QUEUE, Origin("a.yaml", 8, 5)),
            "catchUp.window": Setting(timedelta(hours=2), Origin("a.yaml", 9, 15)),
            "suspend": Setting(None, Origin("a.yaml", 10, 5)),
        },
        windows=(Window(WindowKind.DENY, "0 18 * * FRI", 216_000, "Europe/Zurich", "weekend"),),
        windows_origin=Origin("a.yaml", 11, 3),
        freeze=Suspension("incident", "ana", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        freeze_origin=Origin("a.yaml", 12, 3),
    )
    assert '"priority":10' in policy.content


def test_the_smallest_policy_selects_everything_and_says_nothing() -> None:
    """An empty selector is every schedule."""
    policy = policy_of("{selector: {}}")
    assert (policy.labels, policy.platforms, policy.priority, policy.defaults) == ((), (), 0, {})
    assert (policy.windows, policy.windows_origin, policy.freeze, policy.freeze_origin) == ((), None, None, None)


@pytest.mark.parametrize(("value", "freeze"), [("true", Suspension()), ("false", None), ("{}", Suspension())])
def test_a_freeze_is_a_truth_value_or_a_reason(value: str, freeze: Suspension | None) -> None:
    """As a suspension is."""
    assert policy_of(f"{{selector: {{}}, freeze: {value}}}").freeze == freeze


def test_every_field_of_a_schedule_may_be_a_default_but_three() -> None:
    """All but the platform, the connection and the schedules; a value means in a policy what it means in a schedule."""
    body = "".join(f"  {line}\n" for line in ALL.splitlines()[1:])
    policy = policy_of(f"\n  selector: {{}}\n  defaults:\n{body}")
    assert len(policy.defaults) == 22
    assert all(not name.startswith("defaults") for name in policy.defaults)


def test_what_is_done_about_drift_may_be_said_by_a_policy() -> None:
    """For every schedule that it selects, each field by itself."""
    tree = read(other("SyncPolicy", "{selector: {}, defaults: {drift: {platformSchedule: Enforce}}}"))
    assert tree.warnings == ()
    assert {name: setting.value for name, setting in tree.policies[0].defaults.items()} == {
        "drift.platformSchedule": Drift.ENFORCE
    }


@pytest.mark.parametrize(
    ("spec", "column", "code"),
    [
        ("{priority: 1}", 7, "missing-key"),
        ("{selector: {}, defaults: {connectionId: x}}", 33, "unknown-key"),
        ("{selector: {}, defaults: {schedules: []}}", 33, "unknown-key"),
        ("{selector: {}, defaults: {jitter: 0s}}", 41, "bad-duration"),
        ("{selector: {}, defaults: {retry: {backoff: 1h}}}", 50, "bad-range"),
        ("{selector: {platforms: [A]}}", 31, "bad-name"),
        ("{selector: {}, priority: high}", 32, "wrong-type"),
        ("{selector: {}, freeze: on}", 30, "wrong-type"),
        ("{selector: {}, windows: [{deny: {duration: 1h}}]}", 39, "missing-key"),
    ],
)
def test_a_mistake_in_a_policy_is_one_located_error(spec: str, column: int, code: str) -> None:
    """A policy is read as strictly as a schedule, and is not there when it is wrong."""
    tree = read(other("SyncPolicy", spec))
    assert [(e.origin.line, e.origin.column, e.code) for e in tree.errors] == [(4, column, code)]
    assert tree.policies == ()
