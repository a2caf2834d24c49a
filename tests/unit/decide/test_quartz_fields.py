"""The Quartz grammar, item by item (``scheduling.md`` 3)."""

import pytest

from controller.decide.calendar import CalendarError, compile_quartz
from controller.decide.cron.fields import EXPRESSION_CHARACTERS_MAX
from controller.decide.quartz.fields import QuartzDays, parse_quartz

ALL_MONTHS = 0b1_1111_1111_1110


def values(bits: int | None) -> list[int]:
    """The numbers of the bits that are set."""
    return [n for n in range((bits or 0).bit_length()) if (bits or 0) >> n & 1]


@pytest.mark.parametrize(
    ("expression", "name", "expected"),
    [
        ("13-13 * * * * ?", "seconds", [13]),
        ("4-4/3 * * * * ?", "seconds", [4]),
        ("50/5 * * * * ?", "seconds", [50, 55]),
        ("58-2 * * * * ?", "seconds", [0, 1, 2, 58, 59]),
        ("0 */7 * * * ?", "minutes", [0, 7, 14, 21, 28, 35, 42, 49, 56]),
        ("0 */40 * * * ?", "minutes", [0, 40]),
        ("0 /40 * * * ?", "minutes", [0, 40]),
        ("0 5/15 * * * ?", "minutes", [5, 20, 35, 50]),
        ("0 59/15 * * * ?", "minutes", [59]),
        ("0 10-40/15 * * * ?", "minutes", [10, 25, 40]),
        ("0 10-40/100 * * * ?", "minutes", [10]),
        ("0 50-10/15 * * * ?", "minutes", [5, 50]),
        ("0 1,3-5,50/5 * * * ?", "minutes", [1, 3, 4, 5, 50, 55]),
        ("0 0 */5 * * ?", "hours", [0, 5, 10, 15, 20]),
        ("0 0 22-2 * * ?", "hours", [0, 1, 2, 22, 23]),
        ("0 0 22-4/2 * * ?", "hours", [0, 2, 4, 22]),
        ("0 007 08 * * ?", "minutes", [7]),
        ("\t0  0 8 * *  ? ", "hours", [8]),
    ],
)
def test_a_time_field_has_these_values(expression: str, name: str, expected: list[int]) -> None:
    """Ranges with equal ends are one value, ranges that run backwards wrap, steps restart with each cycle."""
    assert values(getattr(parse_quartz(expression), name)) == expected


@pytest.mark.parametrize(
    ("expression", "name", "expected"),
    [
        ("0 0 0 1 NOV-FEB ?", "months", [1, 2, 11, 12]),
        ("0 0 0 1 jan,Mar-MAY ?", "months", [1, 3, 4, 5]),
        ("0 0 0 1 */5 ?", "months", [1, 6, 11]),
        ("0 0 0 1 11-2/3 ?", "months", [2, 11]),
        ("0 0 0 1,30-2 * ?", "days", [1, 2, 30, 31]),
        ("0 0 0 */15 * ?", "days", [1, 16, 31]),
        ("0 0 0 ? * 1", "weekdays", [0]),
        ("0 0 0 ? * 7", "weekdays", [6]),
        ("0 0 0 ? * L", "weekdays", [6]),
        ("0 0 0 ? * FRI-TUE", "weekdays", [0, 1, 2, 5, 6]),
        ("0 0 0 ? * 6-3", "weekdays", [0, 1, 2, 5, 6]),
        ("0 0 0 ? * mon-fri", "weekdays", [1, 2, 3, 4, 5]),
        ("0 0 0 ? * 2/2", "weekdays", [1, 3, 5]),
        ("0 0 0 ? * */2", "weekdays", [0, 2, 4, 6]),
        ("0 0 0 ? * *", "weekdays", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_day_field_has_these_values(expression: str, name: str, expected: list[int]) -> None:
    """Weekdays count from Sunday = 1 (bit 0 here), L alone is Saturday, months and days wrap too."""
    assert values(getattr(parse_quartz(expression).day_rule, name)) == expected


@pytest.mark.parametrize(
    ("day", "weekday", "expected"),
    [
        ("L", "?", QuartzDays(ALL_MONTHS, before_last=0)),
        ("L-3", "?", QuartzDays(ALL_MONTHS, before_last=3)),
        ("l-30", "?", QuartzDays(ALL_MONTHS, before_last=30)),
        ("LW", "?", QuartzDays(ALL_MONTHS, before_last=0, workday=True)),
        ("L-3W", "?", QuartzDays(ALL_MONTHS, before_last=3, workday=True)),
        ("15w", "?", QuartzDays(ALL_MONTHS, days=1 << 15, workday=True)),
        ("?", "6L", QuartzDays(ALL_MONTHS, weekdays=1 << 5, last=True)),
        ("?", "friL", QuartzDays(ALL_MONTHS, weekdays=1 << 5, last=True)),
        ("?", "6#3", QuartzDays(ALL_MONTHS, weekdays=1 << 5, nth=3)),
        ("?", "SUN#5", QuartzDays(ALL_MONTHS, weekdays=1, nth=5)),
    ],
)
def test_a_special_day_is_this_rule(day: str, weekday: str, expected: QuartzDays) -> None:
    """L, L-n, LW, nW, nL and n#k, names and letters in either case."""
    assert parse_quartz(f"0 0 0 {day} * {weekday}").day_rule == expected


@pytest.mark.parametrize(
    ("year", "expected"),
    [("2024", [54]), ("2098/1", [128, 129]), ("1970-1972,2099", [0, 1, 2, 129]), ("*/50", [0, 50, 100]), ("*", [])],
)
def test_a_year_field_has_these_years(year: str, expected: list[int]) -> None:
    """From 1970 to 2099; a star is the same as no year field, no limit at all."""
    assert [*values(parse_quartz(f"0 0 0 1 1 ? {year}").years)] == expected
    assert (parse_quartz(f"0 0 0 1 1 ? {year}") == parse_quartz("0 0 0 1 1 ?")) == (year == "*")


REFUSED = {
    "": "is empty; write six or seven fields: second minute",
    "0 0 6 * *": "five fields; write it as cron, or put the second before it",
    "0 0 6 *": "has 4 fields; write six or seven",
    "0": "has 1 field; write six or seven",
    "0 0 6 * * ? 2024 1": "has 8 fields; write six or seven",
    "@daily": "is no Quartz expression; write it as cron",
    "0 0 6 * * ? Europe/Zurich": "'Europe/Zurich' does not belong into the expression; write the zone as timeZone",
    "0 0 6 * * ? 2024 Europe/Zurich": "write the zone as timeZone beside it",
    "0 0 6 * * ? UTC": "'UTC' does not belong into the expression; write the zone as timeZone",
    "0 6 * * * Etc/GMT+1": "write the zone as timeZone beside it",
    "0 6 * * * utc": "write the zone as timeZone beside it",
    "TZ=UTC 0 0 6 * * ?": "write the zone as timeZone beside it",
    "0 0 15 * * MON,TUE": r"both are restricted; write \? in one of them, and two entries where either day counts",
    "0 0 0 15 * MON": r"both are restricted; write \? in one of them",
    "0 0 0 * * *": r"both are restricted; write \? in one of them",
    "0 0 0 ? * ?": r"both are \?; write \* or values in one of them",
    "0 0 ? * * ?": r"the \? in the hour field '\?' means nothing; write \* or a value",
    "0 0 0 1,? * ?": r"the \? in the day-of-month field '1,\?' means nothing",
    "60 0 0 * * ?": "60 is out of range for the second field; write 0 to 59",
    "0 60 0 * * ?": "60 is out of range for the minute field; write 0 to 59",
    "0 0 24 * * ?": "24 is out of range for the hour field; write 0 to 23",
    "0 0 0 0 * ?": "0 is out of range for the day-of-month field; write 1 to 31",
    "0 0 0 1 13 ?": "13 is out of range for the month field; write 1 to 12 or JAN to DEC",
    "0 0 0 ? * 0": r"0 is out of range for the day-of-week field; write 1 to 7 or SUN to SAT \(Quartz counts from Sunday = 1\)",
    "0 0 0 ? * 8": "8 is out of range for the day-of-week field",
    "0 0 0 1 1 ? 1969": "1969 is out of range for the year field; write 1970 to 2099",
    "0 0 0 1 1 ? 2100": "2100 is out of range for the year field",
    "0 0 0 1 1 ? 2030-2020": "runs backwards; write 2020-2030",
    "0 0 0 1 FOO ?": "'FOO' is no value of the month field",
    "0 0 0 1, * ?": "has an empty item; write values between the commas",
    "0 */0 0 * * ?": r"is no number above zero; write for example \*/5",
    "0 5/ 0 * * ?": "is no number above zero",
    "0 */60 * * * ?": "is longer than the minute field; write at most 59",
    "0 0 0/24 * * ?": "is longer than the hour field; write at most 23",
    "0 0 0 ? * MON/2": "Quartz ignores the step in 'MON/2'; write the day-of-week field in numbers, 2/2 for example",
    "0 0 0 ? * MON-FRI/2": "Quartz ignores the step in 'MON-FRI/2'",
    "0 0 0 ? * MON-6": "mixes a name and a number, which Quartz refuses",
    "0 0 0 ? * 2-FRI": "mixes a name and a number, which Quartz refuses",
    "0 0 0 L-31 * ?": "lies before every month; write at most L-30",
    "0 0 0 L- * ?": "is no day of the month; write L, L-3, LW or 15W",
    "0 0 0 L3 * ?": "is no day of the month; write L, L-3, LW or 15W",
    "0 0 0 5L * ?": "is no day of the month; write L, L-3, LW or 15W",
    "0 0 0 32W * ?": "32 is out of range for the day-of-month field",
    "0 0 0 W * ?": "'' is no value of the day-of-month field",
    "0 0 0 1W,15W * ?": "stand alone in Quartz, so the day-of-month field cannot be '1W,15W'; write its items as entries",
    "0 0 0 L,15 * ?": "write its items as entries of their own",
    "0 0 0 ? * 6L,2": "stand alone in Quartz, so the day-of-week field cannot be '6L,2'",
    "0 0 0 ? * L,2": "write its items as entries of their own",
    "0 0 0 ? * 2,6L": "write its items as entries of their own",
    "0 0 0 ? * 6#1,6#3": "write its items as entries of their own",
    "0 0 0 ? * 6#6": "counts no weekday; write for example 6#2",
    "0 0 0 ? * 6#0": "counts no weekday",
    "0 0 0 ? * 0#1": "0 is out of range for the day-of-week field",
    "0 0 0 25,27-44- * ?": "'44-' is no value",
    "0" * (EXPRESSION_CHARACTERS_MAX + 1): "split it into several entries",
}


@pytest.mark.parametrize(("expression", "sentence"), REFUSED.items(), ids=[text[:30] for text in REFUSED])
def test_what_quartz_refuses_or_ignores_is_refused(expression: str, sentence: str) -> None:
    """With a stable code and a sentence that says what to write instead."""
    with pytest.raises(CalendarError, match=sentence) as refused:
        compile_quartz(expression)
    assert refused.value.code == "quartz-syntax"


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("0 0 0 31 2 ?", "UTC"),
        ("0 0 0 30 2 ? *", "UTC"),
        ("0 0 0 31W 4,6 ?", "UTC"),
        ("0 0 0 29 2 ? 2023", "UTC"),
        ("0 0 0 L-30 2 ?", "UTC"),
        ("0 0 0 ? 2 1#5 2025", "UTC"),
        ("0 30 2 10 3 ? 2024", "America/New_York"),
        ("0 30 2 ? 3 1#2 2007-2099", "America/New_York"),
        ("0 0 12 30 12 ? 2011", "Pacific/Apia"),
    ],
)
def test_a_time_that_never_comes_is_refused(expression: str, zone: str) -> None:
    """No such day in those years, or the clock of the zone jumps over the time on each of them."""
    with pytest.raises(CalendarError, match="names no time that ever comes in") as refused:
        compile_quartz(expression, zone)
    assert refused.value.code == "quartz-never-fires"


def test_an_unknown_zone_is_refused_as_for_cron() -> None:
    """The same code and sentence in both dialects."""
    with pytest.raises(CalendarError, match="no IANA time zone") as refused:
        compile_quartz("0 0 6 * * ?", "Europe/Zuerich")
    assert refused.value.code == "zone-unknown"


def test_equal_expressions_are_one_calendar() -> None:
    """However they are written; the default zone is UTC."""
    assert compile_quartz("0 0 6 ? * MON-FRI") is compile_quartz("00 0 06 ? jan-dec 2-6 *", "UTC")
