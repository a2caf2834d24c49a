"""A forecast for people: when it gets busy, what will not start and why, and what comes next for each schedule."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from textwrap import wrap
from zoneinfo import ZoneInfo

from controller.cli.foresight.forecast_tally import SLOTS_SHOWN, Range, Row, Tally, Word
from controller.cli.foresight.heat_map import heat_map
from controller.cli.page import GAP, INDENT, counted, fitted_table, heading, indented
from controller.cli.schedule_text import entries_text, span
from controller.cli.terminal import Cell, Paint
from controller.decide.explain import WAITING
from controller.decide.foresight.foreseen import ASSUMED_DURATION, Foreseen, Prospect, sentence
from controller.decide.slots import from_epoch
from controller.model.record import Reason

STYLE = {
    Prospect.TRIGGERED: "green",
    Prospect.COUNTED: "green",
    Prospect.SKIPPED: "yellow",
    Prospect.HELD: "yellow",
    Prospect.EXCLUDED: "dim",
}

WAITED = {
    Reason.WINDOW_CLOSED: "for a window",
    Reason.ACTIVE: "for a sync to end",
    Reason.MIN_GAP: "for minGap",
    Reason.REPLACED: "in place of a running sync",
}

MEANING = {
    Prospect.COUNTED: "a sync that is going already makes the data fresh",
    Prospect.EXCLUDED: "they fall into exclude: there are no such slots",
}

NAME_NARROWEST = 12
"""A name is not cut below this."""


def forecast_text(rows: Sequence[Row], whole: Tally, shown: Range, paint: Paint, width: int | None) -> str:
    """All schedules."""
    return "\n".join(
        [
            *_beginning(rows, whole, shown, paint, width),
            "",
            f"{heading('schedules', paint)}  {paint('dim', f'times in {shown.zone}')}",
            indented(_schedules(rows, shown, paint, width)),
            "",
            _assumptions(rows, paint, width),
        ]
    )


def single_text(rows: Sequence[Row], whole: Tally, shown: Range, paint: Paint, width: int | None) -> str:
    """One schedule, slot by slot; two, where two files have its name."""
    parts = _beginning(rows, whole, shown, paint, width)
    for row in rows:
        zone = _own_zone(row) or shown.zone
        parts += ["", paint("bold", row.outlook.spec.name), indented(entries_text(row.outlook.spec.entries)), ""]
        parts.append(indented(_slots(row.first, zone, paint, width) if row.first else "no slots"))
        if (more := sum(row.words.values()) - SLOTS_SHOWN) > 0:
            parts.append(indented(paint("dim", f"and {more:,} more; -o json has them all")))
    return "\n".join([*parts, "", _assumptions(rows, paint, width)])


def _beginning(rows: Sequence[Row], whole: Tally, shown: Range, paint: Paint, width: int | None) -> list[str]:
    begin, end = (each.astimezone(shown.zone) for each in (shown.since, shown.until))
    title = f"{_moment(begin)} to {_moment(end)} {end:%Z}"
    slots = sum(row.slots for row in rows)
    numbers = f"{counted(len(rows), 'schedule')}, {counted(slots, 'slot')}, {counted(whole.starts, 'start')}"
    room = None if width is None else width - INDENT
    parts = [paint("bold", title), numbers, ""]
    if whole.minutes:
        parts += [heading("starts by hour", paint), indented("\n".join(heat_map(whole.minutes, shown, paint)))]
        parts += ["", indented(_busiest(whole, shown, paint)), ""]
    return [*parts, heading("outcomes", paint), indented(_outcomes(whole, paint, room) if whole.words else "no slots")]


def _moment(at: datetime) -> str:
    return f"{at:%a %d %b %Y %H:%M}" + (f":{at:%S}" if at.second else "")


def _busiest(whole: Tally, shown: Range, paint: Paint) -> str:
    minute, most = max(whole.minutes.items(), key=lambda item: (item[1], -item[0]))
    if most == 1:
        return "no two starts share a minute"
    at = datetime.fromtimestamp(minute * 60, shown.zone)
    others = sum(count == most for count in whole.minutes.values()) - 1
    as_busy = f", and {counted(others, 'minute')} as busy" if others else ""
    return f"busiest minute: {paint('bold', f'{most:,} starts')} at {at:%Y-%m-%d %H:%M %Z}{as_busy}"


def _outcomes(whole: Tally, paint: Paint, width: int | None) -> str:
    order = list(Prospect)
    ranked = sorted(whole.words.items(), key=lambda item: (order.index(item[0][0]), -item[1]))
    pad = max(len("SLOTS"), *(len(f"{count:,}") for _, count in ranked))
    cells = [
        (
            Cell(f"{outcome}({reason})" if reason else str(outcome), STYLE[outcome]),
            f"{count:,}".rjust(pad),
            _meaning((outcome, reason), whole),
        )
        for (outcome, reason), count in ranked
    ]
    return fitted_table(("OUTCOME", "SLOTS".rjust(pad), "WHY"), cells, paint, width)


def _meaning(word: Word, whole: Tally) -> str:
    outcome, reason = word
    if outcome is Prospect.TRIGGERED:
        waits = [(why, whole.waits[why]) for why in WAITED if whole.waits[why]]
        if not waits:
            return "all on time"
        return f"{whole.waits[None]:,} on time, " + ", ".join(f"{count:,} later {WAITED[why]}" for why, count in waits)
    if reason is Reason.ACTIVE:
        return "a sync before it should still be going"
    return WAITING[reason] if reason is not None else MEANING[outcome]


def _schedules(rows: Sequence[Row], shown: Range, paint: Paint, width: int | None) -> str:
    table = [
        [
            row.outlook.spec.name,
            f"{row.slots:,}",
            f"{row.starts:,}",
            _skipped(row),
            "-" if row.next_start is None else f"{_short(row.next_start, shown.zone)}",
            _rate(row.starts / shown.days),
        ]
        for row in rows
    ]
    head = ["NAME", "SLOTS", "STARTS", "SKIPPED", "NEXT START", "RUNS/DAY"]
    widths = [max(len(line[column]) for line in [head, *table]) for column in range(len(head))]
    room = widths[0] if width is None else max(width - INDENT - sum(widths[1:]) - GAP * 5, NAME_NARROWEST)
    cells: list[list[Cell | str]] = [
        [
            Cell(name if len(name) <= room else name[: room - 1] + "…", "bold"),
            slots.rjust(widths[1]),
            Cell(starts.rjust(widths[2]), "" if starts != "0" else "yellow"),
            Cell(skipped, "yellow" if skipped != "-" else "dim"),
            Cell(start, "dim" if start == "-" else ""),
            rate.rjust(widths[5]),
        ]
        for name, slots, starts, skipped, start, rate in table
    ]
    head[1], head[2] = head[1].rjust(widths[1]), head[2].rjust(widths[2])
    return fitted_table(head, cells, paint, None)


def _skipped(row: Row) -> str:
    if not row.against:
        return "-"
    total = sum(count for _, count in row.against)
    (_, reason), most = row.against[0]
    return f"{total:,} {reason}" if most == total else f"{total:,} {reason}, …"


def _short(instant: int, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(instant, zone)
    return f"{at:%a %d %b %H:%M}" + (f":{at:%S}" if at.second else "")


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _own_zone(row: Row) -> ZoneInfo | None:
    """The zone that the schedule itself speaks of."""
    zones = [entry.time_zone for entry in row.outlook.spec.entries if entry.time_zone != "UTC"]
    return ZoneInfo(zones[0]) if zones else None


def _slots(slots: Sequence[Foreseen], zone: ZoneInfo, paint: Paint, width: int | None) -> str:
    seconds = ":%S" if any(slot.scheduled % 60 for slot in slots) else ""
    is_utc, rows = zone.key == "UTC", list[tuple[Cell | str, ...]]()
    for slot in slots:
        here, there = datetime.fromtimestamp(slot.scheduled, zone), from_epoch(slot.scheduled)
        utc = there.strftime(f"%H:%M{seconds}Z" if here.date() == there.date() else f"%d %b %H:%M{seconds}Z")
        local = here.strftime(f"%a %d %b %H:%M{seconds}" + ("Z" if is_utc else " %Z"))
        why = sentence(slot, partial(_then, zone=zone, beside=here))
        word = Cell(slot.word, STYLE[slot.outcome])
        rows.append((local, word, why) if is_utc else (local, utc, word, why))
    head = ("SLOT", "OUTCOME", "WHY") if is_utc else (f"SLOT ({zone})", "UTC", "OUTCOME", "WHY")
    return fitted_table(head, rows, paint, None if width is None else width - INDENT)


def _then(instant: int, zone: ZoneInfo, beside: datetime) -> str:
    """An instant beside another: its day only where that is another one."""
    at = datetime.fromtimestamp(instant, zone)
    day = "" if at.date() == beside.date() else f"{at:%a %d %b} "
    return f"{day}{at:%H:%M}" + (f":{at:%S}" if at.second else "")


def _assumptions(rows: Sequence[Row], paint: Paint, width: int | None) -> str:
    known = sum(row.outlook.duration is not None for row in rows)
    usual = f"known for {known:,} of {len(rows):,}, else {span(ASSUMED_DURATION)}"
    text = f"assumed: syncs succeed in their usual time ({usual}), nobody interferes"
    return "\n".join(paint("dim", line) for line in wrap(text, width or len(text)))
