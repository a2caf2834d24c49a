"""A schedule to which its exclusions and bounds leave no slot is rejected, and looking for one costs little."""

import time

import pytest

from tests.unit.adapters.specs.texts import HEAD, read

ZURICH = "timeZone: Europe/Zurich"
SUNDAYS = f'[{{cron: "* * * * SUN", {ZURICH}}}]'


@pytest.mark.parametrize(
    ("entries", "more"),
    [
        (f'[{{cron: "0 6 * * SUN", {ZURICH}}}]', f"exclude: {SUNDAYS}"),
        (f'[{{cron: "0 6 * * 7", {ZURICH}}}, {{cron: "*/15 * * * SUN", {ZURICH}}}]', f"exclude: {SUNDAYS}"),
        ("[{every: 6h}]", 'exclude: [{cron: "* * * * *"}]'),
        (f'[{{cron: "0 6 * * *", {ZURICH}}}]', f'exclude: [{{cron: "* 6 * * *", {ZURICH}}}]'),
        (f'[{{cron: "30 2 * * *", {ZURICH}}}]', f'exclude: [{{cron: "30 2 * * *", {ZURICH}}}]'),
        ('[{cron: "0 6 29 2 *"}]', "endDate: 2028-02-29T06:00:00Z"),
        ('[{cron: "0 6 * * *"}]', "endDate: 2026-01-01T06:00:00Z"),
        ("[{every: 6h}]", "startDate: 2026-01-01T00:00:01Z\n  endDate: 2026-01-01T06:00:00Z"),
        ('[{quartz: "0 0 6 * * ? 2026"}]', "startDate: 2027-01-01T00:00:00Z"),
        ('[{cron: "0 6 25 12 *"}]', 'exclude: [{cron: "* * * 12 *"}]'),
    ],
)
def test_a_schedule_without_any_slot_is_rejected(entries: str, more: str) -> None:
    """Whoever writes a schedule wants it to run; one that never can is a mistake, told where it was narrowed."""
    tree = read(HEAD + f"  schedules: {entries}\n  {more}\n")
    found = [(f"{e.origin.line}:{e.origin.column}", e.code) for e in tree.errors]
    assert found == [("7:3", "never-fires")]


@pytest.mark.parametrize(
    ("entries", "more"),
    [
        (f'[{{cron: "0 6 * * SUN", {ZURICH}}}, {{every: 6h}}]', f"exclude: {SUNDAYS}"),
        (f'[{{cron: "0 6 * * *", {ZURICH}}}]', f"exclude: {SUNDAYS}"),
        ('[{cron: "0 6 * * SUN"}]', f"exclude: {SUNDAYS}"),
        (f'[{{cron: "30 2 * * *", {ZURICH}}}]', f'exclude: [{{cron: "* 2 * * *", {ZURICH}}}]'),
        (
            f'[{{cron: "30 2 * * *", {ZURICH}}}]',
            f'startDate: 2026-04-01T00:00:00Z\n  exclude: [{{cron: "* 2 * * *", {ZURICH}}}]',
        ),
        (f'[{{cron: "* 2 * * *", {ZURICH}}}]', f'exclude: [{{cron: "0-59 2 * * *", {ZURICH}}}]'),
        ('[{cron: "0 6 * * *"}]', "endDate: 2026-01-01T06:00:01Z"),
        ('[{cron: "0 6 25 12 *"}]', 'exclude: [{dates: ["2026-12-25"]}]'),
        ('[{cron: "0 6 * * *"}]', "startDate: 2099-12-31T00:00:00Z"),
        ("[{freshness: 6h}]", 'exclude: [{cron: "* * * * *"}]'),
        ("[{manual: {}}]", 'exclude: [{cron: "* * * * *"}]'),
    ],
)
def test_a_schedule_with_one_slot_is_valid(entries: str, more: str) -> None:
    """One slot is enough, also one that only a change of the clock makes; freshness and manual are never without."""
    tree = read(HEAD + f"  schedules: {entries}\n  {more}\n")
    assert tree.errors == ()


def test_a_hostile_file_costs_little() -> None:
    """However many schedules of a file have much excluded, one search is short and all of them together are bounded."""
    body = HEAD + '  schedules: [{cron: "0 6 * * SUN", timeZone: Europe/Zurich}]\n  exclude:\n'
    body += '    - {cron: "* 0-12,14-23 * * SUN", timeZone: Europe/Zurich}\n' * 90
    began = time.process_time()
    tree = read("---\n".join(body.replace("orders", f"n{n}").replace("conn_1", f"c{n}") for n in range(20)))
    assert {error.code for error in tree.errors} <= {"never-fires"}
    assert time.process_time() - began < 5
