"""Policies that contradict each other, as ``validate`` tells it."""

from pathlib import Path

from controller.adapters.specs.directory import validate_paths

SCHEDULE = """\
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {{name: {name}}}
spec: {{connectionId: conn_{name}, schedules: [{{every: 6h}}]{more}}}
---
"""
POLICY = """\
apiVersion: mainspring.dev/v1
kind: SyncPolicy
metadata: {{name: {name}}}
spec: {{selector: {{}}, priority: {priority}, defaults: {{overlap: {overlap}}}}}
---
"""


def warnings_of(folder: Path, text: str) -> list[str]:
    """The warnings about a file, without the advice."""
    (folder / "a.yaml").write_text(text)
    tree = validate_paths([folder])
    assert tree.errors == ()
    return [f"{each.origin.line}: {each.code}: {each.message.partition(';')[0]}" for each in tree.warnings]


def test_both_places_of_a_quarrel_are_told(tmp_path: Path) -> None:
    """Each names the other, and whom it is about."""
    one, two = (
        POLICY.format(name="one", priority=0, overlap="Queue"),
        POLICY.format(name="two", priority=0, overlap="Replace"),
    )
    text = SCHEDULE.format(name="a", more="") + SCHEDULE.format(name="b", more="") + one + two
    about = "is a quarrel of policies about a and 1 more, which is held where no earlier value is in force"
    path = tmp_path / "a.yaml"
    assert warnings_of(tmp_path, text) == [
        f"14: policy-conflict: overlap against {path}:19 {about}",
        f"19: policy-conflict: overlap against {path}:14 {about}",
    ]


def test_what_is_no_quarrel_is_not_told(tmp_path: Path) -> None:
    """The schedule's own value, a higher priority, or the same value end it."""
    own = SCHEDULE.format(name="a", more=", overlap: Skip")
    assert (
        warnings_of(
            tmp_path, own + "".join(POLICY.format(name=n, priority=0, overlap=n.title()) for n in ("queue", "replace"))
        )
        == []
    )
    plain = SCHEDULE.format(name="a", more="")
    high = POLICY.format(name="one", priority=1, overlap="Queue") + POLICY.format(
        name="two", priority=0, overlap="Skip"
    )
    assert warnings_of(tmp_path, plain + high) == []
    same = POLICY.format(name="one", priority=0, overlap="Queue") + POLICY.format(
        name="two", priority=0, overlap="Queue"
    )
    assert warnings_of(tmp_path, plain + same) == []
