"""A schedule's values as people and programs read them, each with the place that it came from."""

from datetime import timedelta

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.cli.schedule_text import RESOLVED, origin_rows, resolved_json, resolved_origins, resolved_text
from controller.decide.policies import resolve
from controller.model.schedule import ScheduleSpec
from controller.model.span import span_text
from tests.unit.adapters.specs.corpus import CORPUS


def everything() -> ScheduleSpec:
    """The schedule of the corpus that writes nearly everything, under the policy beside it."""
    schedule = (
        (CORPUS / "good" / "everything.yaml").read_text().replace("ing\nspec", "ing\n  labels: {team: finance}\nspec")
    )
    policy = (CORPUS / "good" / "policy.yaml").read_text()
    tree = parse_tree({"s.yaml": schedule.encode(), "p.yaml": policy.encode()}, platforms=None)
    return resolve(tree.specs[0], tree.policies, None)


def test_each_written_value_stands_beside_its_file_and_line() -> None:
    """Values of the schedule and of its policies; windows are one list from several places, each freeze has its own row."""
    rows = {name: (value, place) for name, value, place in origin_rows(everything(), timedelta(minutes=1))}
    assert rows["overlap"] == ("Queue", "s.yaml:19")
    assert rows["catchUp.window"] == ("2h", "p.yaml:8")
    assert rows["retry.attempts"] == ("2", "p.yaml:8")
    assert rows["retry"] == ("attempts 2 backoff 1m maxBackoff 30m", "s.yaml:21")
    assert rows["exclude"] == ('2026-12-25, 2027-01-01 Europe/Zurich; cron "* * * * SUN" UTC', "s.yaml:12")
    assert rows["freeze[finance]"] == ("incident 4711 by ana until 2026-12-01T08:00:00Z", "p.yaml:10")
    windows, places = rows["windows"]
    assert places == "s.yaml:23, p.yaml:9"
    assert windows.split("; ") == [
        'deny "0 2 * * *" for 3h Europe/Zurich (nightly backup)',
        'allow "0 0 * * *" for 1d UTC, onClose Cancel',
        'deny "0 18 * * FRI" for 60h Europe/Zurich (no syncs at weekends)',
    ]
    assert all(value for value, _ in rows.values())
    assert "minGap" not in rows


def test_origins_are_plain_texts() -> None:
    """A program reads ``path:line`` under each name; a schedule that is not known has none."""
    origins = resolved_origins(everything())
    assert (origins["windows"], origins["windows[finance]"], origins["jitter"]) == (
        "s.yaml:23",
        "p.yaml:9",
        "s.yaml:16",
    )
    assert resolved_origins(None) == {}


def test_the_resolved_document_has_every_field() -> None:
    """Whatever is off is there as nothing, so that every schedule has the same keys."""
    row = resolved_json(everything(), timedelta(minutes=1))
    assert tuple(row) == RESOLVED == tuple(resolved_json(None, None))
    assert row["freezes"] == [{"reason": "incident 4711", "by": "ana", "until": "2026-12-01T08:00:00Z"}]
    assert row["windows"][1] == {
        "allow": {"cron": "0 0 * * *", "duration": "1d", "timeZone": "UTC", "reason": ""},
        "onClose": "Cancel",
    }
    assert row["exclude"][0] == {"dates": ["2026-12-25", "2027-01-01"], "timeZone": "Europe/Zurich"}
    assert row["retry"] == {"attempts": 2, "backoff": "1m", "maxBackoff": "30m"}
    assert row["freshnessAlert"] == {"warnAfter": "6h", "errorAfter": "12h"}


def test_the_line_for_people_leaves_out_what_is_off() -> None:
    """No window, retry or conflict is named where there is none."""
    text = resolved_text(everything(), None)
    assert "retry attempts 2 backoff 1m maxBackoff 30m, failureBudget 10" in text
    assert "conflicts" not in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "90s"), (5_400, "90m"), (172_800, "2d"), (1_234_567, "1234567s"), (0.5, "0.5s")],
)
def test_a_duration_is_written_as_a_spec_writes_it(seconds: float, text: str) -> None:
    """In the largest unit that leaves no fraction, and never with an exponent."""
    assert span_text(timedelta(seconds=seconds)) == text
