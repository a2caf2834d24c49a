"""Where other libraries answer otherwise, and why this one is right. What a newer version has mended fails here and goes."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from controller.decide.calendar import compile_cron
from tests.unit.decide.brute_force import Walker
from tests.unit.decide.other_libraries import Search, apscheduler_next, croniter_next, cronsim_next

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
REFUSES = "refuses"
WEEKS = 6 * 7 * 86_400


class Case(NamedTuple):
    """One question, the other library's answer and ours; times with their offset."""

    library: Search
    expression: str
    zone: str
    after: str
    theirs: str
    ours: str


CASES = {
    "cronsim: an answer from the first copy of the hour when asked in the second lies in the past, and a loop would never end": Case(
        cronsim_next, "30 1 * * *", NEW_YORK, "2024-11-03T01:10-05:00", "2024-11-03T01:30-04:00", "2024-11-04T01:30-05:00"
    ),
    "cronsim: at 00:00 on a day that began at 01:00 no clock showed a matching minute (Havana)": Case(
        cronsim_next, "* 0 10 * *", "America/Havana", "2019-03-09T12:00-05:00", "2019-03-10T00:00-05:00", "2019-04-10T00:00-04:00"
    ),
    "cronsim: a gap of half an hour hides no minute of the hour after it (Lord Howe)": Case(
        cronsim_next, "*/10 3 * * *", LORD_HOWE, "2024-10-06T00:00+10:30", "2024-10-06T03:30+11:00", "2024-10-06T03:00+11:00"
    ),
    "cronsim: a day without its first hour still has its second one (Tehran)": Case(
        cronsim_next, "*/30 1 * * 6", "Asia/Tehran", "2020-03-20T12:00+03:30", "2020-03-28T01:00+04:30", "2020-03-21T01:00+04:30"
    ),
    "cronsim: a clock that lost a whole day was corrected, so what it skipped is not made up (Apia)": Case(
        cronsim_next, "30 12 * * *", "Pacific/Apia", "2011-12-29T13:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T12:30+14:00"
    ),
    "cronsim: a range from 4 to 4 holds only 4, whatever the step": Case(
        cronsim_next, "4-4/3 * * * *", "UTC", "2024-01-01T00:05+00:00", "2024-01-01T00:07+00:00", "2024-01-01T01:04+00:00"
    ),
    "cronsim: every second day from Wednesday is Wednesday and Friday, for a week has no eighth day": Case(
        cronsim_next, "0 0 * * 3/2", "UTC", "2024-01-05T12:00+00:00", "2024-01-07T00:00+00:00", "2024-01-10T00:00+00:00"
    ),
    "croniter: a range from 13 to 13 holds only 13": Case(
        croniter_next, "13-13 * * * *", "UTC", "2024-01-01T00:14+00:00", "2024-01-01T00:15+00:00", "2024-01-01T01:13+00:00"
    ),
    "croniter: a day field that starts with a star must match too, so a Sunday must be one of these days": Case(
        croniter_next, "0 0 */10 * SUN", "UTC", "2024-01-01T12:00+00:00", "2024-01-07T00:00+00:00", "2024-01-21T00:00+00:00"
    ),
    "croniter: a wildcard has slots only when the clock shows a matching minute, and 03:00 is none of 02:xx": Case(
        croniter_next, "* 2 * * *", NEW_YORK, "2024-03-10T01:59-05:00", "2024-03-10T03:00-04:00", "2024-03-11T02:00-04:00"
    ),
    "croniter: a daily sync comes once on the day with a repeated hour": Case(
        croniter_next, "30 1 * * *", NEW_YORK, "2024-11-03T01:30-04:00", "2024-11-03T01:30-05:00", "2024-11-04T01:30-05:00"
    ),
    "APScheduler: the day after summer time begins has a midnight": Case(
        apscheduler_next, "0 0 * * *", NEW_YORK, "2021-03-14T00:00-05:00", "2021-03-16T00:00-04:00", "2021-03-15T00:00-04:00"
    ),
    "APScheduler: what is due in the gap is due when the gap ends, not half an hour later": Case(
        apscheduler_next, "30 2 * * *", NEW_YORK, "2024-03-10T01:00-05:00", "2024-03-10T03:30-04:00", "2024-03-10T03:00-04:00"
    ),
    "APScheduler: cron counts weekdays from Sunday": Case(
        apscheduler_next, "0 0 * * 0", "UTC", "2024-01-05T12:00+00:00", "2024-01-08T00:00+00:00", "2024-01-07T00:00+00:00"
    ),
    "APScheduler: cron's day 7 is Sunday again": Case(
        apscheduler_next, "0 0 * * 7", "UTC", "2024-01-05T12:00+00:00", REFUSES, "2024-01-07T00:00+00:00"
    ),
    "APScheduler: of two restricted day fields one is enough": Case(
        apscheduler_next, "0 0 13 * FRI", "UTC", "2024-01-01T12:00+00:00", "2024-09-13T00:00+00:00", "2024-01-05T00:00+00:00"
    ),
    "APScheduler: a step longer than the field leaves its first value": Case(
        apscheduler_next, "0 */30 * * *", "UTC", "2024-01-01T12:00+00:00", REFUSES, "2024-01-02T00:00+00:00"
    ),
}  # fmt: skip


def seconds(text: str) -> int:
    """Seconds since the epoch of a time with its offset."""
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_another_library_answers_otherwise(case: Case) -> None:
    """The other library says what the table holds; the evaluator and the walker say something else. The case's name is the reason."""
    after, ours = seconds(case.after), seconds(case.ours)
    if case.theirs == REFUSES:
        with pytest.raises(ValueError, match="is higher than"):
            case.library(case.expression, case.zone, after)
    else:
        assert case.library(case.expression, case.zone, after) == seconds(case.theirs)
    assert compile_cron(case.expression, case.zone).next_after(after) == ours
    assert Walker(case.expression).slots(case.zone, after + 1, after + WEEKS)[0] == ours
    assert (
        datetime.fromisoformat(case.ours).utcoffset() == datetime.fromtimestamp(ours, ZoneInfo(case.zone)).utcoffset()
    )
