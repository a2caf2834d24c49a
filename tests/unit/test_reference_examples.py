"""The examples of the spec reference, run: what each fragment comes to over three days, by the numbers of somebody who reads the page."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.decide.foresight.forecast import Outlook, forecast, taken_in
from controller.model.profile import AITRONOS
from controller.model.record import Standing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "spec-reference.md").read_text(encoding="utf-8")
FRAGMENTS = [
    each for each in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if "kind:" not in each
]
CHRISTMAS_EVE = "2026-12-24"

# What the fragment holds, the day from which three days are looked at, how many minutes a sync takes, and what its slots come to.
CASES = {
    "0 8 L": (CHRISTMAS_EVE, 1, {"Triggered": 2}),  # Thursday and Friday at six; the month ends later
    "quartz": (CHRISTMAS_EVE, 1, {"Triggered": 2}),
    "freshness: 4h": (CHRISTMAS_EVE, 30, {"Triggered": 16}),  # at once, then four hours after each half-hour sync
    "manual": (CHRISTMAS_EVE, 1, {}),
    "exclude": (
        CHRISTMAS_EVE,
        1,
        {"Triggered": 42, "Excluded": 30},
    ),  # Christmas in Zurich, and two nights from two to four
    "jitter": (CHRISTMAS_EVE, 1, {"Triggered": 3}),
    "window: 2h": (CHRISTMAS_EVE, 1, {"Triggered": 3}),
    "Queue": (
        CHRISTMAS_EVE,
        40,
        {"Triggered": 108, "Skipped(Active)": 36},
    ),  # every fourth slot would have to wait for too long
    "stalledAfter": (CHRISTMAS_EVE, 1, {"Triggered": 12}),
    "retry": (CHRISTMAS_EVE, 1, {"Triggered": 3}),
    "windows": (CHRISTMAS_EVE, 1, {"Triggered": 120, "Skipped(WindowClosed)": 168}),  # fourteen hours a day are closed
    "suspend": ("2026-11-30", 1, {"Triggered": 7, "Skipped(Suspended)": 5}),
    "freshnessAlert": (CHRISTMAS_EVE, 1, {"Triggered": 12}),
}


@pytest.mark.parametrize(("key", "fragment"), list(zip(CASES, FRAGMENTS, strict=True)), ids=CASES)
def test_an_example_comes_to_what_the_page_says(key: str, fragment: str) -> None:
    """Three days of the fragment have the slots, starts and skips that its words promise."""
    day, minutes, expected = CASES[key]
    assert key in fragment
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    head = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: shown}\nspec:\n  connectionId: conn_shown\n"
    text = head + "".join(f"  {line}\n" for line in fragment.splitlines())
    (spec,) = parse_tree({"shown.yaml": text.encode()}, platforms=None).specs
    outlook = Outlook(spec, taken_in(spec, Standing(spec.ref), begin), AITRONOS, timedelta(minutes=minutes))
    assert Counter(slot.word for slot in forecast(outlook, begin, begin + timedelta(days=3))) == expected


def test_the_jitter_of_an_example_is_within_its_bounds_and_its_own() -> None:
    """Each of the three mornings is put off by another time of less than ten minutes."""
    fragment = FRAGMENTS[list(CASES).index("jitter")]
    text = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: shown}\nspec:\n  connectionId: conn_shown\n"
    text += "".join(f"  {line}\n" for line in fragment.splitlines())
    (spec,) = parse_tree({"shown.yaml": text.encode()}, platforms=None).specs
    begin = datetime(2026, 12, 24, tzinfo=UTC)
    outlook = Outlook(spec, taken_in(spec, Standing(spec.ref), begin), AITRONOS)
    shifts = {slot.fires - slot.scheduled for slot in forecast(outlook, begin, begin + timedelta(days=3))}
    assert len(shifts) == 3
    assert all(0 <= shift < 600 for shift in shifts)
