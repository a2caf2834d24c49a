"""A connection's own schedule: what may be written, how it is shown, and which ticks it has."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from controller.decide.calendar import compile_quartz
from controller.embedded.quartz import parse_quartz
from controller.embedded.schedule import Schedule, parse_timing

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EXPRESSIONS = [
    "0 0 12 * * ?",
    "0 0/15 8-17 ? * 2-6",
    "0 0 22-2 * * ?",
    "0 0 0 L * ?",
    "0 0 1 ? * 6L",
    "0 0 1 ? * 6#3",
    "0 0 1 ? * FRI-MON",
    "0 0 0 ? * L",
    "0 0 0 29 2 ? 2028",
    "*/5 * * * * ?",
    "0 5,10/20 * ? JAN-MAR,DEC *",
    "0 15 10 ? * MON-FRI 2026-2027",
]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_ticks_are_those_of_quartz(expression: str, zone: str) -> None:
    """Fifty ticks are what an evaluator that shares no line with this one finds."""
    here, there = parse_quartz(f"{expression} {zone}"), compile_quartz(expression, zone)
    at: datetime | None = BEGIN
    for _ in range(50):
        assert at is not None
        expected = there.next_after(int(at.timestamp()))
        at = here.next_after(at)
        assert (None if at is None else at.timestamp()) == expected
        if at is None:
            break


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("0 0 12 * * ?", "0 0 12 * * ? UTC"),
        (" 0  0 12 * * ? utc", "0 0 12 * * ? UTC"),
        ("0 0 6 ? * mon-fri Europe/Zurich", "0 0 6 ? * MON-FRI Europe/Zurich"),
        ("0 0 6 ? * MON 2026", "0 0 6 ? * MON 2026 UTC"),
    ],
)
def test_an_expression_is_shown_with_its_zone(written: str, shown: str) -> None:
    """What comes back is not what was written, as from Airbyte; written again it stays."""
    assert Schedule(schedule_type="cron", cron_expression=written).shown()["cron_expression"] == shown
    assert parse_quartz(shown).text == shown


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("0 6 * * *", "has 5 fields"),
        ("0 6 * * * UTC", "has 5 fields"),
        ("", "has 0 fields"),
        ("0 0 6 * * *", "exactly one of day-of-month and day-of-week must be ?"),
        ("0 0 6 ? * ?", "exactly one"),
        ("60 0 6 * * ?", "no value of its second field"),
        ("0 1- 6 * * ?", "no value of its minute field"),
        ("0 0/0 6 * * ?", "step"),
        ("0 0 6 15W * ?", "takes only L"),
        ("0 0 6 L-3 * ?", "takes only L"),
        ("0 0 6 ? * 6#6", "counts no weekday"),
        ("0 0 6 ? * MON/2", "ignores a step after the name"),
        ("0 0 6 30 2 ?", "no day that ever comes"),
        ("0 0 6 * * ? Europe/Zurrich", "no time zone 'Europe/Zurrich'"),
        ("0 " * 300, "longer than"),
    ],
)
def test_what_is_no_expression_is_refused(written: str, complaint: str) -> None:
    """Five fields above all, and whatever would silently mean something else."""
    with pytest.raises(ValueError, match=complaint.replace("?", r"\?")):
        parse_quartz(written)


@pytest.mark.parametrize(
    ("written", "shown", "seconds"),
    [
        ("Every 15 MINUTES", "Every 15 MINUTES", 900),
        ("every 1 hour", "Every 1 HOURS", 3600),
        ("Every 24 HOURS", "Every 24 HOURS", 86_400),
        ("Every 2 DAYS", "Every 2 DAYS", 172_800),
        ("Every 5 SECONDS", "Every 5 SECONDS", 5),
    ],
)
def test_intervals(written: str, shown: str, seconds: int) -> None:
    """All units, in either case and number."""
    read = parse_timing(written)
    assert (read.text, read.interval.total_seconds()) == (shown, seconds)


@pytest.mark.parametrize(
    "written", ["15 MINUTES", "Every 0 MINUTES", "Every MINUTE", "Every 2 WEEKS", "Every 366 DAYS"]
)
def test_what_is_no_interval_is_refused(written: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"no interval|longer than"):
        parse_timing(written)


@pytest.mark.parametrize(
    ("document", "place", "complaint"),
    [
        ({}, ("schedule_type",), "Field required"),
        ({"scheduleType": "hourly"}, ("schedule_type",), "Input should be"),
        ({"scheduleType": "cron"}, (), "cron needs cronExpression"),
        ({"scheduleType": "basic"}, (), "basic needs basicTiming"),
        ({"scheduleType": "manual", "basicTiming": "Every 1 HOURS"}, (), "basicTiming means nothing"),
        ({"scheduleType": "cron", "cronExpression": "0 6 * * *"}, ("cron_expression",), "has 5 fields"),
        ({"scheduleType": "manual", "units": 24}, ("units",), "Extra inputs"),
    ],
)
def test_a_wrong_schedule_names_its_key(document: dict[str, object], place: tuple[str, ...], complaint: str) -> None:
    """The first error says where it is and what is wrong."""
    with pytest.raises(ValidationError, match=complaint) as caught:
        Schedule.model_validate(document)
    assert caught.value.errors()[0]["loc"] == place
