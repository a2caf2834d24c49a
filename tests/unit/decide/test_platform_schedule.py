"""A platform's own schedule in one form: every spelling of it, and never other slots than it has."""

from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.decide.calendar import CalendarError, compile_cron, compile_quartz
from controller.decide.platform_schedule import PlatformTiming, canonical, canonical_entry, is_due_like
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import PlatformScheduleKind

CRON, BASIC = PlatformScheduleKind.CRON, PlatformScheduleKind.BASIC
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana")
IN_2020 = 1_577_836_800
IN_2060 = 2_840_140_800


def shown(kind: PlatformScheduleKind, expression: str) -> str:
    """The canonical form as text."""
    return str(canonical(kind, expression))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 12 * * ?", 'cron "0 12 * * *" UTC'),
        ("0 0 12 * * ? UTC", 'cron "0 12 * * *" UTC'),
        ("  0   0 12 ? * *  Etc/UTC ", 'cron "0 12 * * *" UTC'),
        ("0 0 12 * * ? GMT", 'cron "0 12 * * *" UTC'),
        ("0 0/15 8-18 ? * 2-6 Europe/Zurich", 'cron "*/15 8-18 * * MON-FRI" Europe/Zurich'),
        ("0 0,15,30,45 8,9,10 ? * MON,TUE,WED", 'cron "*/15 8-10 * * MON-WED" UTC'),
        ("0 0 0 ? * 7-2", 'cron "0 0 * * SUN,MON,SAT" UTC'),
        ("0 0 0 ? * SUN", 'cron "0 0 * * SUN" UTC'),
        ("0 0 0 1 JAN-MAR ?", 'cron "0 0 1 1-3 *" UTC'),
        ("0 0 0 L * ?", 'cron "0 0 L * *" UTC'),
        ("0 0 0 LW * ?", 'cron "0 0 LW * *" UTC'),
        ("0 0 0 15W * ?", 'cron "0 0 15W * *" UTC'),
        ("0 0 0 ? * 6L", 'cron "0 0 * * FRIL" UTC'),
        ("0 0 0 ? * 6#2", 'cron "0 0 * * FRI#2" UTC'),
        ("0 0 0 1 * ? *", 'cron "0 0 1 * *" UTC'),
        ("30 0 0 * * ?", 'quartz "30 0 0 * * ?" UTC'),
        ("0 0 0 L-3 * ?", 'quartz "0 0 0 L-3 * ?" UTC'),
        ("0 0 0 1 1 ? 2027-2030", 'quartz "0 0 0 1 1 ? 2027-2030" UTC'),
        ("0 30 2 * * ? Europe/Zurich", 'quartz "0 30 2 * * ?" Europe/Zurich'),
        ("0 0 * * * ? Europe/Zurich", 'quartz "0 0 * * * ?" Europe/Zurich'),
        ("0 0 12 * * ? Mars/Phobos", "None"),
        ("0 0 12 * *", "None"),
        ("0 0 30 2 * ?", "None"),
        ("whatever it is", "None"),
        ("", "None"),
    ],
)
def test_every_spelling_has_one_form(expression: str, expected: str) -> None:
    """Trailing zones, defaults, names, numbers, steps and lists; what is not understood is nothing at all."""
    assert shown(CRON, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Every 24 HOURS", timedelta(days=1)),
        ("every 1 hour", timedelta(hours=1)),
        ("Every 90 MINUTES", timedelta(minutes=90)),
        ("2 weeks", timedelta(weeks=2)),
    ],
)
def test_a_basic_schedule_is_an_interval(expression: str, expected: timedelta) -> None:
    """As the platform shows it."""
    assert canonical(BASIC, expression) == PlatformTiming(every=expected)


@pytest.mark.parametrize("expression", ["Every 1 MONTHS", "Every 0 HOURS", "Every 1234567 HOURS", "hourly", ""])
def test_an_interval_without_a_length_is_none(expression: str) -> None:
    """A month has no length, and nothing is not a distance."""
    assert canonical(BASIC, expression) is None


@pytest.mark.parametrize("kind", [PlatformScheduleKind.MANUAL, PlatformScheduleKind.UNKNOWN])
def test_what_has_no_schedule_has_no_timing(kind: PlatformScheduleKind) -> None:
    """Also where an old expression stands beside it."""
    assert canonical(kind, "0 0 12 * * ?") is None


@pytest.mark.parametrize(
    ("entry", "expression", "alike"),
    [
        (CalendarEntry(EntryKind.CRON, "0 12 * * 1-5", "Europe/Zurich"), "0 0 12 ? * MON-FRI Europe/Zurich", True),
        (CalendarEntry(EntryKind.CRON, "@daily"), "0 0 0 * * ?", True),
        (CalendarEntry(EntryKind.QUARTZ, "0 30 2 * * ?", "Europe/Zurich"), "0 30 2 ? * * Europe/Zurich", True),
        (CalendarEntry(EntryKind.CRON, "30 2 * * *", "Europe/Zurich"), "0 30 2 ? * * Europe/Zurich", False),
        (CalendarEntry(EntryKind.CRON, "0 12 * * *"), "0 0 12 ? * * Europe/Zurich", False),
        (CalendarEntry(EntryKind.CRON, "0 0 1 * MON"), "0 0 0 1 * ?", False),
        (CalendarEntry(EntryKind.FRESHNESS, "1h", every=3600), "0 0 * * * ?", False),
    ],
)
def test_a_spec_is_compared_in_the_same_form(entry: CalendarEntry, expression: str, *, alike: bool) -> None:
    """Equal slots are equal, whatever they are written in."""
    timing = canonical(CRON, expression)
    assert timing is not None
    assert is_due_like(timing, [entry]) is alike
    assert not is_due_like(timing, [entry, entry])


numbers = st.integers


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> str:
    """One field: all, a value, a range, a step or a list."""
    a, b = draw(numbers(low, high)), draw(numbers(low, high))
    first, last = min(a, b), max(a, b)
    step = draw(numbers(1, max((high - low) // 2, 1)))
    return draw(st.sampled_from(["*", f"{a}", f"{first}-{last}", f"{a}/{step}", f"*/{step}", f"{a},{b}"]))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """A Quartz expression of any kind, with a zone behind it or none."""
    seconds = draw(st.sampled_from(["0", "0", "0", "0", "30", "*/20"]))
    day_fields = [
        f"{draw(fields(1, 31))} {draw(fields(1, 12))} ?",
        f"? {draw(fields(1, 12))} {draw(fields(1, 7))}",
        f"{draw(st.sampled_from(['L', 'LW', 'L-3', '15W', '1W', '31W']))} * ?",
        f"? * {draw(st.sampled_from(['MON-FRI', 'SAT', '2L', '6#3', 'SUN#5', 'L', 'FRI-MON']))}",
    ]
    year = draw(st.sampled_from(["", "", "", " *", " 2020-2080"]))
    zone = draw(st.sampled_from(["", *(f" {zone}" for zone in ZONES)]))
    return f"{seconds} {draw(fields(0, 59))} {draw(fields(0, 23))} {draw(st.sampled_from(day_fields))}{year}{zone}"


@settings(max_examples=150, deadline=None)
@given(expressions(), numbers(IN_2020, IN_2060))
@example("0 30 2 * * ? Europe/Zurich", 1_774_000_000)
@example("0 0 0 ? * SUN America/Havana", 1_772_000_000)
def test_a_translation_has_the_same_next_fifty_slots(expression: str, instant: int) -> None:
    """By the project's own evaluators of both dialects; and the form of a form is itself."""
    words = expression.split()
    zone = words.pop() if words[-1][0].isalpha() and len(words) > 6 else "UTC"
    try:
        original = compile_quartz(" ".join(words), zone)
    except CalendarError:
        assert canonical(CRON, expression) is None
        return
    timing = canonical(CRON, expression)
    assert timing is not None
    assert timing.time_zone == zone
    if timing.cron is not None:
        translated = compile_cron(timing.cron, zone)
        assert canonical_entry(CalendarEntry(EntryKind.CRON, timing.cron, zone)) == timing
    else:
        assert timing.quartz is not None
        translated = compile_quartz(timing.quartz, zone)
        assert canonical(CRON, f"{timing.quartz} {zone}") == timing
    ours = theirs = instant
    for _ in range(50):
        following, expected = translated.next_after(ours), original.next_after(theirs)
        assert following == expected
        if following is None or expected is None:
            return
        ours, theirs = following, expected
