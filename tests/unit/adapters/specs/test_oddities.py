"""What is valid and seldom meant: months without the day, wall times that a change of the clock skips."""

import pytest

from controller.adapters.specs.tree import YEAR_START, parse_tree
from tests.unit.adapters.specs.texts import HEAD, read

NEXT_SPRING = 1_790_000_000
"""A day in September 2026."""


def warned(entry: str, code: str, warn_from: int = YEAR_START) -> str:
    """The message of the one warning of a code about an entry; nothing without one."""
    text = HEAD + f"  schedules: [{entry}]"
    tree = parse_tree({"a.yaml": text.encode()}, platforms=None, warn_from=warn_from)
    assert tree.errors == ()
    found = [warning for warning in tree.warnings if warning.code == code]
    assert all((warning.origin.line, len(found)) == (6, 1) for warning in found)
    return found[0].message if found else ""


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            '{cron: "0 0 31 * *"}',
            "February, April, June, September and November have no slot, for want of day 31; write L",
        ),
        ('{cron: "0 0 31 1-4 *"}', "February and April have no slot"),
        ('{cron: "0 0 30,31 * *"}', "February has no slot, for want of day 30"),
        ('{cron: "0 0 29-31 * *"}', "February of most years has no slot, for want of day 29"),
        ('{cron: "0 0 29 2 *"}', "February of most years has no slot"),
        ('{cron: "0 0 31W * *"}', "February, April"),
        ('{quartz: "0 0 6 31 * ?"}', "for want of day 31"),
        ('{quartz: "0 0 6 L-30 * ?"}', "for want of day 31"),
        ('{cron: "0 0 28-31 * *"}', ""),
        ('{cron: "0 0 31 1,3 *"}', ""),
        ('{cron: "0 0 31 * FRI"}', ""),
        ('{cron: "0 0 31,L * *"}', ""),
        ('{cron: "0 0 */30 * *"}', ""),
        ('{cron: "0 0 * * FRI#5"}', ""),
        ('{quartz: "0 0 6 L * ?"}', ""),
        ('{quartz: "0 0 6 ? * 6#5"}', ""),
        ("{every: 6h}", ""),
    ],
)
def test_months_without_the_day_are_named(entry: str, words: str) -> None:
    """Only a month without any slot is told, and only if a day number is why."""
    message = warned(entry, "missing-days")
    assert words in message
    assert bool(words) == bool(message)


ZURICH = "timeZone: Europe/Zurich"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            f'{{cron: "30 2 * * *", {ZURICH}}}',
            "2026-03-29 has no 02:30 in Europe/Zurich, because the clock is put forward: its slot is at 03:00",
        ),
        (f'{{cron: "0 2,3 * * *", {ZURICH}}}', "no 02:00"),
        (
            f'{{quartz: "0 30 2 * * ?", {ZURICH}}}',
            "no 02:30 in Europe/Zurich, because the clock is put forward: its slot is lost",
        ),
        (f'{{quartz: "5 30 2 * * ?", {ZURICH}}}', "no 02:30:05"),
        ('{cron: "30 2 * * *", timeZone: America/New_York}', "2026-03-08"),
        (f'{{cron: "0 3 * * *", {ZURICH}}}', ""),
        (f'{{cron: "59 1 * * *", {ZURICH}}}', ""),
        (f'{{cron: "30 2 * * MON", {ZURICH}}}', ""),
        (f'{{cron: "*/30 2 * * *", {ZURICH}}}', ""),
        (f'{{quartz: "0 0 * * * ?", {ZURICH}}}', ""),
        (f'{{quartz: "0 30 2 * * ? 2028", {ZURICH}}}', ""),
        ('{cron: "30 2 * * *"}', ""),
        ('{cron: "30 2 * * *", timeZone: Asia/Tokyo}', ""),
    ],
)
def test_a_slot_where_the_clock_is_put_forward_is_named(entry: str, words: str) -> None:
    """The date, the time that does not exist, and what becomes of the slot."""
    message = warned(entry, "slot-in-gap")
    assert words in message
    assert bool(words) == bool(message)


def test_the_next_change_of_the_clock_is_told() -> None:
    """Whoever validates in autumn hears of the next spring, not of the last one."""
    entry = f'{{cron: "30 2 * * *", {ZURICH}}}'
    assert "2027-03-28 has no 02:30" in warned(entry, "slot-in-gap", NEXT_SPRING)


def test_an_oddity_never_rejects() -> None:
    """A warning is none of the errors, and the schedule is there."""
    tree = read(HEAD + f'  schedules: [{{cron: "30 2 31 * *", {ZURICH}}}]')
    assert (tree.errors, len(tree.specs), tree.failed_paths) == ((), 1, frozenset())
