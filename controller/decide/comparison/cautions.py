"""What deserves a second look before a revision is merged."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from controller.decide.comparison.clock_changes import YEAR_SECONDS, slot_in_fold
from controller.decide.comparison.difference import Caution, Change, FieldChange, Level, Pace, ScheduleChange, Totals
from controller.decide.comparison.pace import PACE_DAYS
from controller.decide.slots import DEFAULT_WINDOW_MAX, calendar_of, freshness_ages
from controller.model.calendar import EntryKind
from controller.model.schedule import Mode, Overlap, ScheduleSpec

PEAK_FACTOR = 2
PEAK_MIN = 10
"""From which number of starts an hour on it is told that a peak has doubled."""

ALIKE_MIN = 5
"""From this number of schedules on, what is true of all of them is told once."""

NAMES_SHOWN = 3

CORRECTIONS = ("drift.platformSchedule", "drift.connectionStatus")
ENFORCE = "Enforce"

Told = tuple[Level, str, str]


def cautions_of(change: ScheduleChange, at: int) -> Iterator[Caution]:
    """All about one schedule."""
    fields = {each.name: each for each in change.fields}
    rows: list[Told] = []
    if change.after is not None and change.kind in (Change.ADDED, Change.CHANGED):
        rows += _when(change.after, at) if change.before is None or "schedules" in fields else []
        rows += _never(change.after, at)
        rows += _shut(change.pace_after)
        rows += _mode(change.before, change.after)
        rows += _window(change.before, change.after, at)
        rows += field_cautions(fields)
    elif change.kind is Change.HELD:
        rows.append((Level.DANGER, "duplicate", change.remark))
    for level, code, message in rows:
        yield Caution(level, code, message, change.name, change.origin)


def _when(spec: ScheduleSpec, at: int) -> Iterator[Told]:
    for entry in spec.entries:
        if told := slot_in_fold(entry, at):
            yield Level.NOTE, "slot-in-fold", told


def _never(spec: ScheduleSpec, at: int) -> Iterator[Told]:
    if freshness_ages(spec.calendar_key) or any(entry.kind is EntryKind.MANUAL for entry in spec.entries):
        return
    calendar = calendar_of(spec.calendar_key)
    slot = None if calendar is None else calendar.next_after(at)
    if slot is None:
        yield Level.WARNING, "never-fires", "it has no slot any more"
    elif slot > at + YEAR_SECONDS:
        yield Level.WARNING, "never-fires", "it has no slot within a year"


def _shut(pace: Pace) -> Iterator[Told]:
    if pace.coming and not pace.mean and all(each.starts_at is None for each in pace.coming):
        yield (
            Level.WARNING,
            "always-closed",
            f"no slot of the next {PACE_DAYS} days starts: its windows are closed for too long",
        )


def _mode(before: ScheduleSpec | None, after: ScheduleSpec) -> Iterator[Told]:
    if before is not None and before.mode is Mode.OBSERVE and after.mode is Mode.ENFORCE:
        yield Level.WARNING, "starts-writing", "mode Observe → Enforce: from now on it starts and cancels syncs"
    if before is not None and before.mode is Mode.ENFORCE and after.mode is Mode.OBSERVE:
        yield Level.WARNING, "stops-writing", "mode Enforce → Observe: nothing starts it any more"
    if after.conflicts and (before is None or before.conflicts != after.conflicts):
        names = ", ".join(after.conflicts)
        yield Level.DANGER, "policy-conflict", f"policies quarrel about {names}: it is held until one gives way"


def field_cautions(fields: Mapping[str, FieldChange]) -> Iterator[Told]:
    """What single values that differ may do; a value that was not there before is None."""
    if "overlap" in fields and fields["overlap"].after is Overlap.REPLACE:
        yield Level.WARNING, "replace", "overlap Replace: a slot that is due cancels the sync that still runs"
    for name in CORRECTIONS:
        if name in fields and str(fields[name].after) == ENFORCE:
            yield Level.WARNING, "corrects", f"{name} Enforce: it changes the connection on the platform by itself"
    for name, word in (("suspend", "suspended"), ("freeze", "frozen")):
        if name in fields:
            yield from _standstill(word, fields[name])


def _window(before: ScheduleSpec | None, after: ScheduleSpec, at: int) -> Iterator[Told]:
    if (
        before is not None
        and before.catch_up.window != after.catch_up.window
        and _lasts(after, at) < _lasts(before, at)
    ):
        yield Level.WARNING, "shorter-window", "catchUp.window is shorter: slots are given up sooner after an outage"


def _lasts(spec: ScheduleSpec, at: int) -> int:
    """How long the next slot may still start; without ``catchUp.window`` until the one after it."""
    if spec.catch_up.window is not None:
        return int(spec.catch_up.window.total_seconds())
    most, calendar = int(DEFAULT_WINDOW_MAX.total_seconds()), calendar_of(spec.calendar_key)
    slot = None if calendar is None else calendar.next_after(at)
    following = None if calendar is None or slot is None else calendar.next_after(slot)
    return most if slot is None or following is None else min(following - slot, most)


def _standstill(word: str, change: FieldChange) -> Iterator[Told]:
    if change.after and not change.before:
        yield Level.WARNING, word, f"it is {word} from now on: nothing starts"
    elif change.before and not change.after:
        yield Level.WARNING, f"no-longer-{word}", f"it is not {word} any more: it starts again with its next slot"


def peak_caution(before: Totals, after: Totals) -> Iterator[Caution]:
    """A minute or an hour that gets much busier than the busiest was."""
    minutes = [next(iter(each.load.minutes), None) for each in (before, after)]
    hours = [each.load.hour for each in (before, after)]
    for word, (old, new) in (("minute", minutes), ("hour", hours)):
        earlier = 0 if old is None else old.starts
        if new is not None and new.starts >= PEAK_MIN and new.starts >= PEAK_FACTOR * max(earlier, 1):
            message = f"the busiest {word} grows from {earlier:,} to {new.starts:,} starts, at {new.at:%Y-%m-%d %H:%MZ}"
            yield Caution(Level.WARNING, "peak-doubles", message)


def moved_cautions(changes: Sequence[ScheduleChange]) -> Iterator[Caution]:
    """A name that drives another connection than before: that is another schedule."""
    gone = {each.name: each for each in changes if each.kind is Change.REMOVED}
    for each in changes:
        if each.kind is Change.ADDED and (old := gone.get(each.name)) is not None:
            message = f"it drives {each.ref} instead of {old.ref}: history and watermark belong to the connection and begin anew"
            yield Caution(Level.WARNING, "other-connection", message, each.name, each.origin)


def ranked(cautions: Sequence[Caution]) -> tuple[Caution, ...]:
    """The worst first, then as they came; what is the same for many schedules is told once."""
    alike: dict[tuple[Level, str, str], list[Caution]] = defaultdict(list)
    for each in cautions:
        alike[each.level, each.code, each.message].append(each)
    told = [one for rows in alike.values() for one in (rows if len(rows) < ALIKE_MIN else [_for_all(rows)])]
    order = list(Level)
    return tuple(sorted(told, key=lambda each: order.index(each.level)))


def _for_all(rows: Sequence[Caution]) -> Caution:
    names = ", ".join(each.schedule for each in rows[:NAMES_SHOWN])
    first = rows[0]
    return Caution(first.level, first.code, f"{len(rows):,} schedules ({names}, …): {first.message}")
