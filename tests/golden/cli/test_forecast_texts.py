"""What a forecast looks like. ``MAINSPRING_GOLDEN=write`` writes the texts anew: read the difference."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controller.cli.foresight.forecast_tally import Range, Tally, tally
from controller.cli.foresight.forecast_text import forecast_text, single_text
from controller.cli.terminal import Paint
from controller.decide.foresight.forecast import Outlook, forecast, taken_in
from controller.model.calendar import CalendarEntry, EntryKind, ExcludedCron
from controller.model.profile import AITRONOS
from controller.model.record import Reason, Standing
from controller.model.schedule import Mode, Origin, Overlap, ScheduleSpec, Suspension
from controller.model.window import Window, WindowKind

HERE = Path(__file__).parent / "texts"
NOW = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)
"""The day before the clocks of Europe go forward."""

ZURICH = "Europe/Zurich"


def cron(text: str, zone: str = "UTC") -> CalendarEntry:
    """An entry."""
    return CalendarEntry(EntryKind.CRON, text, zone)


def outlook(name: str, entry: CalendarEntry, lasts: float | None = None, **said: object) -> Outlook:
    """A schedule that comes into force now; its syncs last so many minutes."""
    obstacle = said.pop("obstacle", None)
    spec = ScheduleSpec(name, "default", f"conn_{name}", (entry,), Origin(f"{name}.yaml", 1), "", **said)  # type: ignore[arg-type]
    usual = None if lasts is None else timedelta(minutes=lasts)
    assert obstacle is None or isinstance(obstacle, Reason)
    return Outlook(spec, taken_in(spec, Standing(spec.ref), NOW), AITRONOS, usual, obstacle=obstacle)


OUTLOOKS = (
    outlook("audit", cron("0 */6 * * *"), mode=Mode.OBSERVE),
    outlook(
        "clicks-of-the-shop-and-of-everything-that-is-around-it", cron("*/10 * * * *"), 25, jitter=timedelta(minutes=4)
    ),
    outlook("customers", cron("30 2 * * *", ZURICH), 12),
    outlook("fresh", CalendarEntry(EntryKind.FRESHNESS, "4h", every=14_400), 8),
    outlook("ledger", cron("0 * * * *"), suspend=Suspension("moving house", "ana", NOW + timedelta(days=1))),
    outlook(
        "orders",
        cron("*/15 8-18 * * MON-SAT", ZURICH),
        18,
        overlap=Overlap.QUEUE,
        windows=(Window(WindowKind.DENY, "0 12 * * *", 3600, ZURICH, "lunch"),),
        exclude=(ExcludedCron("* 9 * * *", ZURICH),),
    ),
    outlook("twin", cron("0 6 * * *"), obstacle=Reason.DUPLICATE_NAME),
)

CASES = {
    # name: length, zone, width, one schedule
    "forecast": (timedelta(days=2), "UTC", None, ""),
    "forecast-zurich-80": (timedelta(days=2), ZURICH, 80, ""),
    "forecast-month": (timedelta(days=30), "UTC", 100, ""),
    "forecast-one": (timedelta(days=3), "UTC", 100, "orders"),
    "forecast-one-80": (timedelta(hours=3), "UTC", 80, "clicks-of-the-shop-and-of-everything-that-is-around-it"),
    "forecast-none": (timedelta(minutes=5), "UTC", 80, "customers"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_as_somebody_last_saw_it(name: str) -> None:
    """Every word and every shade is as it was when somebody last looked at it, and no line is wider than the terminal."""
    length, zone, width, one = CASES[name]
    shown, whole = Range(NOW, NOW + length, NOW, ZoneInfo(zone)), Tally()
    chosen = [each for each in OUTLOOKS if one in ("", each.spec.name)]
    rows = [tally(each, forecast(each, NOW, NOW + length), whole, keep=bool(one)) for each in chosen]
    render = single_text if one else forecast_text
    text = render(rows, whole, shown, Paint(enabled=False), width) + "\n"
    path = HERE / f"{name}.txt"
    if os.environ.get("MAINSPRING_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()
    assert all(len(line) <= (width or 1000) for line in text.splitlines())
