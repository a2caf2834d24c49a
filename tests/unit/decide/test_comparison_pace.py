"""Starts a day, the next of them and the busiest minutes: counted, and equal to what one by one comes out."""

from collections import Counter as Tally
from datetime import UTC, datetime, timedelta

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.decide.comparison import crowd
from controller.decide.comparison.cautions import field_cautions
from controller.decide.comparison.clock_changes import slot_in_fold
from controller.decide.comparison.crowd import loads
from controller.decide.comparison.difference import FieldChange, Pace
from controller.decide.comparison.pace import PACE_DAYS, Counter
from controller.decide.foresight.forecast import Outlook, forecast, taken_in
from controller.decide.foresight.foreseen import Prospect
from controller.decide.slots import calendar_of, from_epoch, to_epoch
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.profile import EMBEDDED
from controller.model.record import Standing
from controller.model.schedule import ScheduleSpec
from tests.git_repository import schedule

AT = datetime(2026, 3, 2, 5, tzinfo=UTC)
ZURICH = "\n      timeZone: Europe/Zurich"
DENY = 'windows: [{deny: {cron: "0 2 * * *", duration: 3h, timeZone: Europe/Zurich}}]'
ALLOW = 'windows: [{allow: {cron: "0 8 * * MON-FRI", duration: 10h}}]'


def spec(when: str, more: str = "") -> ScheduleSpec:
    """A schedule."""
    tree = parse_tree({"a.yaml": schedule("a", when, more=more).encode()}, platforms=None)
    assert tree.errors == ()
    return tree.specs[0]


def pace(when: str, more: str = "") -> Pace:
    """How often it starts."""
    return Counter(AT).pace(spec(when, more))


PACES = [
    # when, more, mean a day, least, most
    ("every: 15m", "", 96, 96, 96),
    ('cron: "*/15 8-17 * * MON-FRI"', "", 40 * 20 / 28, 0, 40),
    ('cron: "0 6 * * *"' + ZURICH, "", 1, 1, 1),
    ('cron: "30 2 * * *"' + ZURICH, "", 1, 1, 1),
    ("every: 15m", "suspend: true", 0, 0, 0),
    ("every: 1d", 'suspend: {until: "2026-03-17T00:00:00Z"}', 0.5, 0, 1),
    ("every: 15m", "mode: Observe", 0, 0, 0),
    ("every: 6h", 'exclude: [{cron: "* * * * SUN"}]', 4 * 24 / 28, 0, 4),
    ("every: 1h", 'windows: [{deny: {cron: "30 1 * * *", duration: 3h}}]', 22, 22, 22),
    ("every: 1h", 'windows: [{deny: {cron: "30 1 * * *", duration: 3h}}]\ncatchUp: {window: 10m}', 21, 21, 21),
    ("manual: {}", "", 0, 0, 0),
    ("freshness: 4h", "", 6, None, None),
]


@pytest.mark.parametrize(("when", "more", "mean", "least", "most"), PACES)
def test_the_starts_of_a_day(when: str, more: str, mean: float, least: int | None, most: int | None) -> None:
    """The mean of four weeks, and the fewest and the most on one day in the schedule's zone."""
    found = pace(when, more)
    assert found.mean == pytest.approx(mean)
    assert (found.least, found.most) == (least, most)


@pytest.mark.parametrize(
    "more", ["", DENY, ALLOW, DENY + "\ncatchUp: {window: 30m}", 'exclude: [{dates: ["2026-03-10"]}]']
)
@pytest.mark.parametrize("when", ['cron: "*/20 * * * *"' + ZURICH, "every: 7h", 'cron: "30 2 * * *"' + ZURICH])
def test_the_count_is_what_a_forecast_foresees(when: str, more: str) -> None:
    """Two ways to the same number: a forecast walks slot by slot, and its syncs take no time here."""
    found = spec(when, more)
    since = datetime(2026, 3, 3, tzinfo=UTC)
    until = since + timedelta(days=PACE_DAYS)
    just_before = since - timedelta(seconds=1)
    outlook = Outlook(found, taken_in(found, Standing(found.ref), just_before), EMBEDDED, timedelta(seconds=1))
    rows = forecast(outlook, just_before, until + timedelta(hours=12))
    starts = [row.starts for row in rows if row.outcome is Prospect.TRIGGERED and row.starts is not None]
    expected = sum(to_epoch(since) <= start < to_epoch(until) for start in starts)
    calendar = calendar_of(found.calendar_key)
    assert calendar is not None
    counter = Counter(AT)
    assert counter.count(found, calendar, to_epoch(since), to_epoch(until)) == expected
    assert len(list(counter.starts(found, calendar, to_epoch(since), to_epoch(until)))) == expected


def test_the_next_slots_name_their_zones_and_when_they_start() -> None:
    """A slot that meets a closed window starts when it opens."""
    found = pace('cron: "30 2 * * *"' + ZURICH, DENY).coming
    assert [
        (f"{each.scheduled_at:%d %H:%M}", each.starts_at and f"{each.starts_at:%d %H:%M}", each.zones) for each in found
    ] == [
        ("03 01:30", "03 04:00", ("Europe/Zurich",)),
        ("04 01:30", "04 04:00", ("Europe/Zurich",)),
        ("05 01:30", "05 04:00", ("Europe/Zurich",)),
    ]
    late = pace('cron: "30 2 * * *"' + ZURICH, DENY + "\ncatchUp: {window: 1h}").coming
    assert [each.starts_at for each in late] == [None, None, None]


@pytest.mark.parametrize(
    ("more", "quiet", "first"),
    [
        ("suspend: true", "suspended", None),
        ('suspend: {until: "2026-03-05T00:00:00Z"}', "suspended until 2026-03-05 00:00Z", "2026-03-05 00:00"),
        ("mode: Observe", "it only observes", None),
    ],
)
def test_what_keeps_it_quiet_is_said(more: str, quiet: str, first: str | None) -> None:
    """And the next slot is the first after it; the end of a suspension is no longer suspended."""
    found = pace("every: 1h", more)
    assert found.quiet == quiet
    assert next((f"{each.scheduled_at:%Y-%m-%d %H:%M}" for each in found.coming), None) == first


def crowded(*specs: ScheduleSpec) -> Tally[datetime]:
    """The busiest minutes of schedules that are all new."""
    _, after, _ = loads((), (), specs, Counter(AT))
    return Tally({peak.at: peak.starts for peak in after.minutes})


def named(found: ScheduleSpec, name: str) -> ScheduleSpec:
    """The same for another connection."""
    text = schedule(name, "every: 1h").encode()
    other = parse_tree({"b.yaml": text}, platforms=None).specs[0]
    return ScheduleSpec(
        name, other.platform, other.connection_id, found.entries, other.origin, name, jitter=found.jitter
    )


def test_the_busiest_minute_counts_all_that_start_in_it() -> None:
    """Equal calendars are gone through once, and count as many times as there are schedules."""
    nightly = spec('cron: "0 6 * * *"')
    rows = [named(nightly, f"n{n}") for n in range(7)]
    found = crowded(*rows, spec('cron: "0 6 * * MON"'))
    assert found.most_common(1) == [(datetime(2026, 3, 2, 6, tzinfo=UTC), 8)]


def test_jitter_is_counted_where_it_falls() -> None:
    """Forty starts at one slot are spread over the minutes of the jitter."""
    rows = [named(spec('cron: "0 6 * * *"', "jitter: 10m"), f"n{n}") for n in range(40)]
    found = crowded(*rows)
    assert 4 <= max(found.values()) < 20
    assert all(0 <= at.minute < 10 for at in found)


def test_what_stays_counts_on_both_sides() -> None:
    """And what goes or comes on one."""
    stays, goes, comes = (named(spec('cron: "0 6 * * *"'), name) for name in ("stays", "goes", "comes"))
    more = named(comes, "more")
    before, after, _ = loads([stays], [goes], [comes, more], Counter(AT))
    assert (before.minutes[0].starts, after.minutes[0].starts) == (2, 3)
    assert before.hour is not None
    assert (before.hour.at, before.hour.starts) == (datetime(2026, 3, 2, 6, tzinfo=UTC), 2)


def test_a_large_fleet_is_looked_at_for_a_shorter_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is bounded, and how far was looked is said."""
    monkeypatch.setattr(crowd, "STARTS_MAX", 100)
    _, _, horizon = loads((), (), [spec("every: 15m")], Counter(AT))
    assert horizon == timedelta(days=1)


FOLDS = [
    (EntryKind.CRON, "30 2 * * *", "Europe/Zurich", "the first of the two, 2026-10-25T02:30+02:00"),
    (EntryKind.QUARTZ, "0 30 2 * * ?", "Europe/Zurich", "the second of the two, 2026-10-25T02:30+01:00"),
    (EntryKind.CRON, "30 1 * * *", "America/New_York", "the first of the two, 2026-11-01T01:30-04:00"),
    (EntryKind.CRON, "30 3 * * *", "Europe/Zurich", ""),
    (EntryKind.CRON, "*/30 * * * *", "Europe/Zurich", ""),
    (EntryKind.CRON, "30 2 * * *", "UTC", ""),
    (EntryKind.CRON, "30 2 1 * *", "Europe/Zurich", ""),
]


@pytest.mark.parametrize(("kind", "text", "zone", "expected"), FOLDS)
def test_a_time_that_comes_twice_is_one_slot(kind: EntryKind, text: str, zone: str, expected: str) -> None:
    """Which of the two it is depends on the dialect, and is what the evaluator gives."""
    entry = CalendarEntry(kind, text, zone)
    told = slot_in_fold(entry, to_epoch(AT))
    assert told.endswith(expected) if expected else told == ""
    if expected:
        slot = to_epoch(datetime.fromisoformat(expected.rpartition(" ")[2]))
        calendar = calendar_of(f'[["{kind}","{text}","{zone}",0,0]]')
        assert calendar is not None
        assert calendar.previous_at_or_before(slot) == slot
        twin = slot + 3600 if "first" in expected else slot - 3600
        assert calendar.previous_at_or_before(twin) != twin, from_epoch(twin)


def test_corrections_on_the_platform_are_warned_of() -> None:
    """From then on the connection itself is written to."""
    rows = {"drift.platformSchedule": FieldChange("drift.platformSchedule", "Warn", "Enforce")}
    assert [code for _, code, _ in field_cautions(rows)] == ["corrects"]
    back = {"drift.platformSchedule": FieldChange("drift.platformSchedule", "Enforce", "Warn")}
    assert list(field_cautions(back)) == []
