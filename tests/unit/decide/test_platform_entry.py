"""What a platform's own schedule comes to as an entry of a spec: the same slots, in the simplest dialect that has them."""

from datetime import UTC, datetime
from random import Random

import pytest

from controller.decide.calendar import Calendar, CalendarError, compile_cron, compile_every, compile_quartz
from controller.decide.platform_schedule import canonical, entry_of
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import PlatformScheduleKind
from tests.unit.decide.random_expressions import quartz_expression

CRON, BASIC = PlatformScheduleKind.CRON, PlatformScheduleKind.BASIC
ZURICH = "Europe/Zurich"
BEGIN = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())


def lifted(kind: PlatformScheduleKind, expression: str) -> CalendarEntry | None:
    """The entry with the slots of a platform's own schedule; None where there is none that can be trusted."""
    timing = canonical(kind, expression)
    return None if timing is None else entry_of(timing)


@pytest.mark.parametrize(
    ("expression", "entry"),
    [
        ("0 0 12 * * ? UTC", CalendarEntry(EntryKind.CRON, "0 12 * * *")),
        ("0 0 12 * * ?", CalendarEntry(EntryKind.CRON, "0 12 * * *")),
        ("0 0/15 8-17 ? * 2-6 UTC", CalendarEntry(EntryKind.CRON, "*/15 8-17 * * MON-FRI")),
        (f"0 0 6 ? * MON-FRI {ZURICH}", CalendarEntry(EntryKind.CRON, "0 6 * * MON-FRI", ZURICH)),
        ("0 0 0 L * ?", CalendarEntry(EntryKind.CRON, "0 0 L * *")),
        ("0 0 0 LW * ?", CalendarEntry(EntryKind.CRON, "0 0 LW * *")),
        ("0 0 0 15W * ?", CalendarEntry(EntryKind.CRON, "0 0 15W * *")),
        ("0 0 0 ? JAN,JUL 6#3", CalendarEntry(EntryKind.CRON, "0 0 * 1,7 FRI#3")),
        ("0 0 0 ? * 6L", CalendarEntry(EntryKind.CRON, "0 0 * * FRIL")),
        ("0 0 0 ? * FRI-MON", CalendarEntry(EntryKind.CRON, "0 0 * * SUN,MON,FRI,SAT")),
        ("0 3/7 10-20/5 * * ?", CalendarEntry(EntryKind.CRON, "3-59/7 10-20/5 * * *")),
        # What cron cannot say.
        ("30 0 0 * * ?", CalendarEntry(EntryKind.QUARTZ, "30 0 0 * * ?")),
        ("0 0 0 L-3 * ?", CalendarEntry(EntryKind.QUARTZ, "0 0 0 L-3 * ?")),
        ("0 0 0 * * ? 2030", CalendarEntry(EntryKind.QUARTZ, "0 0 0 * * ? 2030")),
        # What cron says, and means otherwise where the clock changes.
        (f"0 30 2 * * ? {ZURICH}", CalendarEntry(EntryKind.QUARTZ, "0 30 2 * * ?", ZURICH)),
        (f"0 0 * * * ? {ZURICH}", CalendarEntry(EntryKind.QUARTZ, "0 0 * * * ?", ZURICH)),
        ("0 30 2 * * ? Asia/Kolkata", CalendarEntry(EntryKind.CRON, "30 2 * * *", "Asia/Kolkata")),
    ],
)
def test_a_quartz_expression_becomes_the_simplest_entry(expression: str, entry: CalendarEntry) -> None:
    """Cron if it has the very same slots, Quartz if not; the zone moves beside the expression."""
    assert lifted(CRON, expression) == entry


@pytest.mark.parametrize(
    ("timing", "text", "seconds"),
    [
        ("Every 15 MINUTES", "15m", 900),
        ("Every 24 HOURS", "1d", 86_400),
        ("every 1 day", "1d", 86_400),
        ("Every 2 WEEKS", "14d", 1_209_600),
        ("Every 30 SECONDS", "30s", 30),
    ],
)
def test_a_basic_timing_becomes_an_interval(timing: str, text: str, seconds: int) -> None:
    """It counts from the epoch."""
    assert lifted(BASIC, timing) == CalendarEntry(EntryKind.EVERY, text, every=seconds)


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        (CRON, ""),
        (CRON, "0 6 * * *"),
        (CRON, "0 0 6 * * ? Europe/Zurrich"),
        (CRON, "0 0 6 30 2 ? UTC"),
        (BASIC, ""),
        (BASIC, "Every 2 MONTHS"),
        (BASIC, "Every 0 HOURS"),
        (PlatformScheduleKind.UNKNOWN, "0 0 6 * * ?"),
    ],
)
def test_what_cannot_be_trusted_becomes_nothing(kind: PlatformScheduleKind, expression: str) -> None:
    """No schedule is guessed."""
    assert lifted(kind, expression) is None


def compiled(entry: CalendarEntry) -> Calendar:
    """The calendar of an entry."""
    if entry.kind is EntryKind.EVERY:
        return compile_every(entry.every, entry.anchor)
    return (compile_cron if entry.kind is EntryKind.CRON else compile_quartz)(entry.text, entry.time_zone)


@pytest.mark.parametrize("zone", ["UTC", ZURICH, "America/New_York", "Australia/Lord_Howe"])
def test_random_expressions_keep_their_slots(zone: str) -> None:
    """The next 50 slots of 300 expressions, and 50 from the night of a change of the clock on, are Quartz' own."""
    chance, translated = Random(7), 0
    for _ in range(300):
        expression = quartz_expression(chance)
        try:
            theirs = compile_quartz(expression, zone)
        except CalendarError:
            continue
        entry = lifted(CRON, f"{expression} {zone}")
        assert entry is not None, expression
        translated += entry.kind is EntryKind.CRON
        ours = compiled(entry)
        for begin in (BEGIN, int(datetime(2027, 10, 30, 12, tzinfo=UTC).timestamp())):
            at: int | None = begin
            for _ in range(50):
                assert at is not None
                after = theirs.next_after(at)
                assert ours.next_after(at) == after, (expression, entry)
                if after is None:
                    break
                at = after
    assert translated > 30
