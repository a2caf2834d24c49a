"""The cron grammar, item by item."""

import re

import pytest

from controller.decide.cron.fields import EXPRESSION_CHARACTERS_MAX, CronFields, parse_cron
from controller.decide.cron.refusal import CalendarError


def values(bits: int) -> list[int]:
    """The numbers of the bits that are set."""
    return [n for n in range(bits.bit_length()) if bits >> n & 1]


def field(expression: str, name: str) -> list[int]:
    """The values of one plain field."""
    fields = parse_cron(expression)
    return values(getattr(fields if name in CronFields.__slots__ else fields.day_rule, name))


@pytest.mark.parametrize(
    ("expression", "name", "expected"),
    [
        ("13-13 * * * *", "minutes", [13]),
        ("4-4/3 * * * *", "minutes", [4]),
        ("*/7 * * * *", "minutes", [0, 7, 14, 21, 28, 35, 42, 49, 56]),
        ("*/40 * * * *", "minutes", [0, 40]),
        ("0 */5 * * *", "hours", [0, 5, 10, 15, 20]),
        ("5/15 * * * *", "minutes", [5, 20, 35, 50]),
        ("59/15 * * * *", "minutes", [59]),
        ("*/100 * * * *", "minutes", [0]),
        ("10-40/15 * * * *", "minutes", [10, 25, 40]),
        ("1,3-5,50/5 * * * *", "minutes", [1, 3, 4, 5, 50, 55]),
        ("007 08 * * *", "minutes", [7]),
        ("0 0 1 jan,Mar-MAY *", "months", [1, 3, 4, 5]),
        ("0 0 * * 0", "weekdays", [0]),
        ("0 0 * * 7", "weekdays", [0]),
        ("0 0 * * 5-7", "weekdays", [0, 5, 6]),
        ("0 0 * * 0-7", "weekdays", [0, 1, 2, 3, 4, 5, 6]),
        ("0 0 * * */7", "weekdays", [0]),
        ("0 0 * * */2", "weekdays", [0, 2, 4, 6]),
        ("0 0 * * MON/2", "weekdays", [1, 3, 5]),
        ("0 0 * * 7/2", "weekdays", [0]),
        ("0 0 * * mon-fri", "weekdays", [1, 2, 3, 4, 5]),
        ("0 0 1W,15w * *", "near_workdays", [1, 15]),
        ("0 0 * * 5L,SATL", "last_weekdays", [5, 6]),
        ("0 0 * * 7L", "last_weekdays", [0]),
        ("0 0 * * MON#1,5#2,7#5", "nth_weekdays", [1, 12, 28]),
        ("0 0 ? * ?", "days", list(range(1, 32))),
        ("\t 0  0 * *   * ", "hours", [0]),
    ],
)
def test_a_field_has_these_values(expression: str, name: str, expected: list[int]) -> None:
    """Ranges with equal ends are one value, steps restart with each cycle, 0 and 7 are Sunday, letters have no case."""
    assert field(expression, name) == expected


@pytest.mark.parametrize(
    ("day", "last_day", "last_workday", "days"),
    [("L", True, False, []), ("LW", False, True, []), ("1,L,lw", True, True, [1]), ("15", False, False, [15])],
)
def test_l_is_the_last_day_and_lw_the_last_workday(
    day: str, last_day: bool, last_workday: bool, days: list[int]
) -> None:
    """L and LW stand alone or in a list with plain days."""
    rule = parse_cron(f"0 0 {day} * *").day_rule
    assert (rule.last_day, rule.last_workday, values(rule.days)) == (last_day, last_workday, days)


@pytest.mark.parametrize(
    ("day", "weekday", "both"),
    [
        ("*", "*", True),
        ("1", "*", True),
        ("*", "MON", True),
        ("*/10", "SUN", True),
        ("1", "*/2", True),
        ("*/2,5", "MON", True),
        ("?", "MON", True),
        ("1", "?", True),
        ("1", "MON", False),
        ("1-31", "MON", False),
        ("1", "0-6", False),
        ("1", "1-7", False),
        ("5,*/2", "MON", False),
        ("L", "5L", False),
    ],
)
def test_both_day_fields_must_match_only_if_one_starts_with_a_star(day: str, weekday: str, both: bool) -> None:
    """Finding 6: ``*/n`` is a star as in Debian; a range over everything is none."""
    assert parse_cron(f"0 0 {day} * {weekday}").day_rule.both is both


@pytest.mark.parametrize(
    ("minute", "hour", "fixed_time"),
    [
        ("0", "2", True),
        ("0-59", "0-23", True),
        ("0/15", "2", True),
        ("5,*", "2", True),
        ("*", "2", False),
        ("0", "*", False),
        ("*/15", "2", False),
        ("0", "*/2", False),
    ],
)
def test_a_time_is_fixed_unless_minute_or_hour_starts_with_a_star(minute: str, hour: str, fixed_time: bool) -> None:
    """Finding 2: Debian looks at the first character of the two fields."""
    assert parse_cron(f"{minute} {hour} * * *").fixed_time is fixed_time


@pytest.mark.parametrize(
    ("macro", "expression"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @Annually ", "0 0 1 1 *"),
    ],
)
def test_a_macro_is_its_five_fields(macro: str, expression: str) -> None:
    """The macros of Debian's cron, from @hourly to @yearly."""
    assert parse_cron(macro) == parse_cron(expression)


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("", "write five fields"),
        ("   ", "write five fields"),
        ("0", "1 field; write five"),
        ("0 0 * *", "4 fields; write five"),
        ("0 0 0 * * *", "6 fields; write five .* no seconds.* or use quartz"),
        ("0 0 0 * * ? 2026", "7 fields; write five .* or use quartz"),
        ("0 0 * * * a b c", "8 fields; write five"),
        ("22-2 * * * *", "backwards; .* 22-59,0-2"),
        ("0 0 * * FRI-TUE", "backwards; .* FRI-6,0-TUE"),
        ("0 0 * NOV-FEB *", "backwards; .* NOV-12,1-FEB"),
        ("*/0 * * * *", r"write for example \*/5"),
        ("*/ * * * *", r"write for example \*/5"),
        ("*/-5 * * * *", r"write for example \*/5"),
        ("1/2/3 * * * *", r"write for example \*/5"),
        (", * * * *", "empty item; write values between the commas"),
        ("1,,2 * * * *", "empty item; write values between the commas"),
        ("1, * * * *", "empty item; write values between the commas"),
        ("25,27-44- * * * *", "write 0 to 59"),
        ("-5 * * * *", "write 0 to 59"),
        ("60 * * * *", "out of range for the minute field; write 0 to 59"),
        ("0 24 * * *", "out of range for the hour field; write 0 to 23"),
        ("0 0 0 * *", "out of range for the day-of-month field; write 1 to 31"),
        ("0 0 32W * *", "out of range for the day-of-month field; write 1 to 31"),
        ("0 0 * 13 *", "out of range for the month field; write 1 to 12 or JAN to DEC"),
        ("0 0 * * 8", "out of range for the day-of-week field; write 0 to 7 or SUN to SAT"),
        ("0 0 * * MONDAY", "write 0 to 7 or SUN to SAT"),
        ("MON * * * *", "write 0 to 59"),
        ("1.5 * * * *", "write 0 to 59"),
        ("+5 * * * *", "write 0 to 59"),
        ("\u0663 * * * *", "write 0 to 59"),
        ("A" * 900 + " * * * *", "write 0 to 59"),
        ("*/" + "A" * 900 + " * * * *", "write for example"),
        ("9" * 900 + " * * * *", "write 0 to 59"),
        ("**/5 * * * *", "write 0 to 59"),
        ("? * * * *", "write 0 to 59"),
        ("0 0 ?/2 * *", r"must stand alone; write \*"),
        ("0 0 1,? * *", r"must stand alone; write \*"),
        ("0 0 L-3 * *", "write L .* or use quartz"),
        ("0 0 W * *", "write 1 to 31"),
        ("0 0 1-5W * *", "write 1 to 31"),
        ("0 0 * * L", "write SAT, or for example 5L"),
        ("0 0 * * 1-5L", "write 0 to 7"),
        ("0 0 * * 5#0", "write for example 5#2"),
        ("0 0 * * 5#6", "write for example 5#2"),
        ("0 0 * * 5#", "write for example 5#2"),
        ("0 0 * * 5#2/2", "write for example 5#2"),
        ("H * * * *", "write 0 to 59"),
        ("@every 5m", "write the entry as every, for example every: 6h"),
        ("@every", "write the entry as every"),
        ("@reboot", "write one of @hourly"),
        ("@daily 5", "write one of @hourly"),
        ("@", "write one of @hourly"),
        ("TZ=Europe/Zurich 0 0 * * *", "write the zone as timeZone"),
        ("CRON_TZ=UTC 0 0 * * *", "write the zone as timeZone"),
        ("0," * EXPRESSION_CHARACTERS_MAX + "0 * * * *", "split it into several entries"),
    ],
)
def test_what_is_no_cron_is_refused_with_advice(expression: str, advice: str) -> None:
    """Every refusal says in one line what to write instead, however long the text that was wrong."""
    with pytest.raises(CalendarError) as refused:
        parse_cron(expression)
    assert refused.value.code == "cron-syntax"
    assert re.search(advice, str(refused.value))
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 250
