"""Two revisions side by side, as the controller would put them in force one after the other."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from controller.decide.comparison.cautions import cautions_of, moved_cautions, peak_caution, ranked
from controller.decide.comparison.crowd import loads
from controller.decide.comparison.difference import (
    Caution,
    Change,
    Comparison,
    FieldChange,
    Level,
    Pace,
    PolicyChange,
    Revision,
    ScheduleChange,
    Totals,
)
from controller.decide.comparison.leaves import differing, leaves, policy_leaves, source_of, written_leaves
from controller.decide.comparison.pace import Counter
from controller.decide.comparison.requests import held_for_removals, new_requests, request_cautions
from controller.decide.desired import Desired, merge
from controller.decide.slots import to_epoch
from controller.model.identity import ConnectionRef
from controller.model.policy import Policy
from controller.model.record import Reason
from controller.model.safety import SafetyLimits
from controller.model.schedule import ScheduleSpec

LIMITS = SafetyLimits()
"""Of settings that say nothing about them."""

TWINS = {
    Reason.DUPLICATE_CONNECTION: "two documents claim its connection; none of them is in force, and nothing starts",
    Reason.DUPLICATE_NAME: "two documents have its name; none of them is in force, and nothing starts",
}


def compare(
    before: Revision, after: Revision, at: datetime, given: Iterable[Caution] = (), limits: SafetyLimits = LIMITS
) -> Comparison:
    """What ``after`` changes where ``before`` is in force.

    ``given``: what reading the files has found already and belongs among the cautions. ``limits``: those of the controller that would
    apply it.
    """
    old = merge(Desired(), "before", before.specs, before.failed_paths, before.policies)
    new = merge(old, "after", after.specs, _newly_failed(before, after), after.policies)
    counter = Counter(at)
    changes = [each for ref in sorted(_refs(old, new)) if (each := _change(ref, old, new, after, counter)) is not None]
    policies = tuple(_policy_changes(old, new))
    requests = new_requests(before.requests, after.requests)
    removed = sum(each.kind is Change.REMOVED for each in changes)
    held = held_for_removals(removed, len(old.specs), limits, is_empty=not (new.specs or new.obstacles))
    totals = _totals(old, new, counter)
    cautions = [
        *([Caution(Level.DANGER, "held-until-confirmed", held)] if held else []),
        *request_cautions(requests, {spec.name for spec in new.specs.values()}, at),
        *(caution for each in changes for caution in cautions_of(each, to_epoch(at))),
        *moved_cautions(changes),
        *given,
        *peak_caution(totals[0], totals[1]),
    ]
    order = list(Change)
    return Comparison(
        at=at,
        schedules=tuple(sorted(changes, key=lambda each: (order.index(each.kind), each.name, each.ref))),
        policies=policies,
        requests=requests,
        cautions=ranked(cautions),
        before=totals[0],
        after=totals[1],
        horizon=totals[2],
        held=held,
        unread=tuple(sorted(before.failed_paths)),
        counts=Tally(each.kind for each in changes),
    )


def _newly_failed(before: Revision, after: Revision) -> frozenset[str]:
    """The rejected files that may stand in the way of a removal.

    Of one that was rejected before, the controller most likely has a good version from earlier still, and believes what is missing.
    """
    origins = [*(spec.origin for spec in before.specs), *(policy.origin for policy in before.policies)]
    known = {origin.path for origin in origins}
    return frozenset(path for path in after.failed_paths if path in known or path not in before.failed_paths)


def _refs(old: Desired, new: Desired) -> set[ConnectionRef]:
    return {*old.specs, *new.specs, *new.obstacles}


def _change(ref: ConnectionRef, old: Desired, new: Desired, after: Revision, counter: Counter) -> ScheduleChange | None:
    before, now = old.specs.get(ref), new.specs.get(ref)
    kind, remark = _kind(ref, old, new, after)
    fields = _fields(before, now, new.policies)
    if kind is Change.CHANGED and not fields:
        return None
    if kind is Change.HELD and ref in old.obstacles:
        return None
    stops = TWINS[new.obstacles[ref]] if ref in new.obstacles else ""
    stopped = TWINS[old.obstacles[ref]] if ref in old.obstacles else ""
    if now is None and kind is Change.HELD:
        now = next((spec for spec in after.specs if spec.ref == ref), None)
    return ScheduleChange(
        ref=ref,
        kind=kind,
        before=before,
        after=now,
        fields=tuple(fields),
        pace_before=counter.pace(before, held=stopped) if before is not None else Pace(),
        pace_after=counter.pace(now, held=stops) if now is not None else Pace(),
        remark=remark,
    )


def _kind(ref: ConnectionRef, old: Desired, new: Desired, after: Revision) -> tuple[Change, str]:
    """What becomes of a connection, and what that does not say."""
    if ref in new.obstacles:
        return Change.HELD, TWINS[new.obstacles[ref]]
    if ref in new.stale:
        path = new.written[ref].origin.path
        if path in after.failed_paths:
            return Change.KEPT, f"{path} is rejected: what it last held in good order stays in force"
        # Whatever a file holds that was never read in good order may be this schedule.
        others = ", ".join(sorted(after.failed_paths)[:3])
        return Change.KEPT, f"the revision has it no more; it stays in force while {others} is rejected and may hold it"
    if ref not in new.specs:
        return Change.REMOVED, ""
    if ref in old.specs:
        return Change.CHANGED, ""
    was_twin = ref in old.obstacles
    return Change.ADDED, "two documents claimed it before" if was_twin else ""


def _fields(
    before: ScheduleSpec | None, after: ScheduleSpec | None, policies: Iterable[Policy]
) -> Iterable[FieldChange]:
    if after is None:
        return ()
    if before is None:
        found = ((row, source_of(row.name, after, policies)) for row in written_leaves(after))
        # What nobody wrote goes without saying.
        return [replace(row, source=source) for row, source in found if source.origin is not None]
    if before == after:
        return ()
    rows = [FieldChange(*row) for row in differing(leaves(before), leaves(after))]
    return [FieldChange(row.name, row.before, row.after, source_of(row.name, after, policies)) for row in rows]


def _policy_changes(old: Desired, new: Desired) -> Iterable[PolicyChange]:
    before, after = ({policy.name: policy for policy in each.policies} for each in (old, new))
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        rows = differing(policy_leaves(was) if was else {}, policy_leaves(now) if now else {})
        found, specs = (now, new.specs) if now is not None else (was, old.specs)
        if found is None or not rows:
            continue
        kind = Change.ADDED if was is None else Change.REMOVED if now is None else Change.CHANGED
        selects = sum(found.selects(spec) for spec in specs.values())
        yield PolicyChange(name, kind, found.origin, selects, tuple(FieldChange(*row) for row in rows))


def _totals(old: Desired, new: Desired, counter: Counter) -> tuple[Totals, Totals, timedelta]:
    """Both revisions as wholes, and how far the busiest minute was looked for."""
    before, after = _acting(old), _acting(new)
    same = {ref for ref in before.keys() & after.keys() if before[ref] == after[ref]}
    shared = sum(counter.runs_per_day(before[ref]) for ref in same)
    earlier, later = ([spec for ref, spec in each.items() if ref not in same] for each in (before, after))
    crowds = loads((before[ref] for ref in same), earlier, later, counter)
    runs = [shared + sum(map(counter.runs_per_day, each)) for each in (earlier, later)]
    return (
        Totals(len(old.specs), runs[0], crowds[0]),
        Totals(len(new.specs), runs[1], crowds[1]),
        crowds[2],
    )


def _acting(desired: Desired) -> Mapping[ConnectionRef, ScheduleSpec]:
    """The schedules that nothing stands against as a whole."""
    return {ref: spec for ref, spec in desired.specs.items() if ref not in desired.obstacles}
