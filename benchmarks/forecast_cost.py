"""What a forecast costs: 1,000 mixed schedules over 30 days, CPU seconds and memory. Run: python -m benchmarks.forecast_cost [MODE].

Without MODE each measurement runs in a process of its own, so that no cache and no peak is shared: ``text`` and ``json`` measure the CPU
time and the resident peak, ``traced`` the peak that Python's allocator sees.
"""

import io
import resource
import subprocess
import sys
import time
import tracemalloc
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from controller.cli.foresight import forecast as command
from controller.cli.foresight.forecast_tally import Range, Tally, tally
from controller.cli.foresight.forecast_text import forecast_text
from controller.cli.terminal import Paint
from controller.decide.foresight.forecast import Outlook, forecast, taken_in
from controller.model.calendar import CalendarEntry, EntryKind, ExcludedCron
from controller.model.identity import ConnectionRef
from controller.model.profile import AITRONOS
from controller.model.record import Standing
from controller.model.schedule import Origin, Overlap, ScheduleSpec
from controller.model.window import Window, WindowKind

SCHEDULES = 1_000
DAYS = 30
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = (
    "Europe/Zurich", "Europe/London", "Europe/Lisbon", "Europe/Athens", "Europe/Moscow", "Europe/Helsinki", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "America/Santiago", "America/Bogota",
    "America/Mexico_City", "America/Halifax", "Asia/Tokyo", "Asia/Seoul", "Asia/Shanghai", "Asia/Kolkata", "Asia/Dubai",
    "Asia/Singapore", "Asia/Tehran", "Asia/Karachi", "Asia/Jakarta", "Australia/Sydney", "Australia/Perth", "Pacific/Auckland",
    "Africa/Cairo", "Africa/Lagos", "Africa/Johannesburg",
)  # fmt: skip
NIGHT = Window(WindowKind.DENY, "0 2 * * *", 3 * 3600, "Europe/Zurich")


def cron(text: str, zone: str = "UTC") -> CalendarEntry:
    """An entry."""
    return CalendarEntry(EntryKind.CRON, text, zone)


def schedule(number: int) -> Outlook:
    """One of the mix: of ten, five run every quarter of an hour and the others less often."""
    zone = ZONES[number % len(ZONES)]
    entries = (
        cron("*/15 * * * *"),
        cron("*/15 * * * *", zone),
        cron("*/15 * * * *"),
        cron("*/15 8-18 * * MON-FRI", zone),
        cron("*/15 8-18 * * *", zone),
        cron(f"{number % 60} * * * *"),
        cron(f"{number % 60} {number % 24} * * *", zone),
        cron(f"{number % 60} 3 * * SUN", zone),
        CalendarEntry(EntryKind.EVERY, "6h", every=6 * 3600, anchor=number * 60),
        CalendarEntry(EntryKind.FRESHNESS, "4h", every=4 * 3600),
    )
    spec = ScheduleSpec(f"s-{number:04}", "default", f"conn_{number}", (entries[number % 10],), Origin("s.yaml", 1), "")
    if number % 3 == 0:
        spec = replace(spec, jitter=timedelta(minutes=10))
    if number % 4 == 0:
        spec = replace(spec, overlap=Overlap.QUEUE)
    if number % 5 == 0:
        spec = replace(spec, windows=(NIGHT,))
    if number % 7 == 0:
        spec = replace(spec, exclude=(ExcludedCron("* * * * SUN", zone),))
    standing = taken_in(spec, Standing(ConnectionRef("default", spec.connection_id)), NOW)
    return Outlook(spec, standing, AITRONOS, timedelta(minutes=number % 20 + 1))


def run(mode: str) -> None:
    """Measure once and print."""
    outlooks = [schedule(number) for number in range(SCHEDULES)]
    shown = Range(NOW, NOW + timedelta(days=DAYS), NOW, ZoneInfo("UTC"))
    slots = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if mode == "traced":
        tracemalloc.start()
    started = time.process_time()
    if mode == "json":
        # Half of them: a document holds a million slots at most.
        sink = Sink()
        with redirect_stdout(sink):
            command.write_json(outlooks[: SCHEDULES // 2], shown)
        slots = sink.lines - 2
    else:
        whole = Tally()
        rows = [tally(each, forecast(each, NOW, shown.until), whole) for each in outlooks]
        forecast_text(rows, whole, shown, Paint(enabled=False), 100)
        slots = sum(whole.words.values())
    took = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = f"{mode:7} {slots:9,} slots"
    if mode == "traced":
        line += f"  peak {tracemalloc.get_traced_memory()[1] / 2**20:6.1f} MiB allocated"
    else:
        line += f"  {took:6.2f} s CPU, {took / slots * 1e6:5.2f} µs a slot; resident peak {peak / 1024:6.1f} MiB, {before / 1024:.1f} before"
    sys.stdout.write(line + "\n")


class Sink(io.StringIO):
    """Counts lines and keeps nothing."""

    lines = 0

    def write(self, text: str) -> int:
        """Take a piece."""
        self.lines += text.count("\n")
        return len(text)


def main() -> None:
    """Run each measurement in a process of its own."""
    if len(sys.argv) > 1 and sys.argv[1] in ("text", "json", "traced"):
        run(sys.argv[1])
        return
    for mode in ("text", "json", "traced"):
        subprocess.run([sys.executable, "-m", "benchmarks.forecast_cost", mode], check=True)


if __name__ == "__main__":
    main()
