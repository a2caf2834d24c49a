"""The demo's first screen: what will run next, before anything has run."""

from datetime import UTC, datetime, timedelta

from controller.cli.terminal import Cell, Paint, both, table
from controller.decide.slots import calendar_of, freshness_ages, next_slot
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree

_A_DAY = timedelta(hours=20)
_LAST = datetime.max.replace(tzinfo=UTC)

NEXT_SHOWN = 3
"""Instants per schedule: enough to see the rhythm."""


def upcoming(tree: SpecTree, now: datetime, paint: Paint) -> str:
    """A table of schedules with their next slots, soonest first, and every error of the tree under it."""
    rows = sorted((_row(spec, now) for spec in tree.specs), key=lambda row: row[0])
    shown = table(("SCHEDULE", "WHEN", "NEXT (local)", "THEN", "STATE"), [cells for _, cells in rows], paint)
    errors = [paint("red", str(error)) for error in tree.errors]
    return "\n".join([shown, *errors])


def _row(spec: ScheduleSpec, now: datetime) -> tuple[datetime, list[Cell | str]]:
    # The store is not asked: what a freshness entry rests on is known once the controller runs.
    calendar, slots, at = calendar_of(spec.calendar_key), list[datetime](), now
    while calendar is not None and len(slots) < NEXT_SHOWN and (following := next_slot(calendar, at)) is not None:
        slots.append(following)
        at = following
    state = Cell("ready", "green")
    if spec.suspend is not None and spec.suspend.covers(now):
        state = Cell(f"suspended: {spec.suspend.reason or 'no reason given'}", "yellow")
    elif spec.unsupported:
        state = Cell(f"held: {', '.join(spec.unsupported)} not supported yet", "yellow")
    never = "when it is that old" if freshness_ages(spec.calendar_key) else "never"
    first = both(slots[0], now) if slots else never
    then = ", ".join(
        f"{slot.astimezone():%H:%M:%S}" if slot - now < _A_DAY else f"{slot.astimezone():%a %H:%M}"
        for slot in slots[1:]
    )
    return slots[0] if slots else _LAST, [
        Cell(spec.name, "bold"),
        when(spec),
        Cell(first, "cyan"),
        Cell(then, "dim"),
        state,
    ]


def when(spec: ScheduleSpec) -> str:
    """A schedule's entries as they were written."""
    return ", ".join(_entry(entry) for entry in spec.entries)


def _entry(entry: CalendarEntry) -> str:
    match entry.kind:
        case EntryKind.CRON | EntryKind.QUARTZ:
            return f"{entry.text} {entry.time_zone}"
        case EntryKind.EVERY:
            return f"every {entry.text}"
        case EntryKind.FRESHNESS:
            return f"freshness {entry.text}"
        case _:
            return "manual"
