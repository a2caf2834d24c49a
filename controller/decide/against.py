"""What the spec, the policies and the files themselves say against a slot, whatever the platform shows."""

from dataclasses import replace
from datetime import datetime

from controller.decide.slots import from_epoch, to_epoch
from controller.decide.windows import is_open, opens_at
from controller.model.plan import ConnectionFacts
from controller.model.record import Reason
from controller.model.schedule import ScheduleSpec, Suspension

Against = tuple[Reason, str]
"""A reason and a phrase for people."""


def held_as_a_whole(facts: ConnectionFacts) -> Against | None:
    """What a person must mend in the files before anything starts; a slot waits for that as long as its window lasts."""
    spec = facts.spec
    if facts.obstacle is not None:
        return facts.obstacle, "two files claim it; none of them is in force"
    if spec is not None and spec.conflicts:
        fields = ", ".join(_quarrel(spec, name) for name in spec.conflicts)
        return (
            Reason.POLICY_CONFLICT,
            f"policies of equal priority set {fields} differently; change one, or its priority",
        )
    if spec is not None and spec.unsupported:
        return Reason.NOT_YET_SUPPORTED, f"not supported yet: {', '.join(spec.unsupported)}"
    return None


def _quarrel(spec: ScheduleSpec, name: str) -> str:
    """A field in conflict, with the places that disagree."""
    places = sorted(str(place) for key, place in spec.origins.items() if key.startswith(f"{name}["))
    return f"{name} ({', '.join(places)})" if places else name


def forbidden(facts: ConnectionFacts, due_at: datetime) -> Against | None:
    """What ends a slot that is due at an instant, at once: nothing is made up for it later."""
    spec = facts.spec
    if spec is None:
        return None
    against = paused(spec, due_at)
    return against if spec.failure_budget is None else against or stalled_by(spec, facts.standing.failures)


def paused(spec: ScheduleSpec, instant: datetime) -> Against | None:
    """Whether its own suspension, one by hand, or a policy's freeze stands at an instant."""
    for suspension in (spec.suspend, spec.by_hand):
        if suspension is not None and suspension.covers(instant):
            return Reason.SUSPENDED, suspension_text(suspension)
    freeze = freeze_at(spec, instant) if spec.freezes else None
    return None if freeze is None else (Reason.FROZEN, suspension_text(freeze))


def as_suspended(spec: ScheduleSpec | None, by_hand: Suspension | None) -> ScheduleSpec | None:
    """A schedule with what a person's command says against it; the same object where none does."""
    return spec if spec is None or by_hand is None else replace(spec, by_hand=by_hand)


def freeze_at(spec: ScheduleSpec, instant: datetime) -> Suspension | None:
    """The freeze that stands at an instant, the longest one."""
    if not spec.freezes:
        return None
    standing = [each for each in spec.freezes if each.covers(instant)]
    for_ever = next((each for each in standing if each.until is None), None)
    return for_ever or max(standing, key=lambda each: each.until or instant, default=None)


def stalled_by(spec: ScheduleSpec, failures: int) -> Against | None:
    """Whether too many syncs failed one after the other: nothing starts until the spec changes, a person resumes, or one succeeds."""
    if spec.failure_budget is None or failures < spec.failure_budget:
        return None
    message = f"{failures} syncs failed in a row, and failureBudget is {spec.failure_budget}; mend the cause, resume it or edit the spec"
    return Reason.STALLED, message


def closed(spec: ScheduleSpec | None, instant: datetime) -> Against | None:
    """Whether the windows let nothing start at an instant."""
    if spec is None or not spec.windows:
        return None
    openness = is_open(spec.windows, to_epoch(instant))
    return None if openness.open else (Reason.WINDOW_CLOSED, openness.reason)


def next_opening(spec: ScheduleSpec, instant: datetime) -> datetime | None:
    """When something may start again."""
    epoch = opens_at(spec.windows, to_epoch(instant))
    return None if epoch is None else from_epoch(epoch)


def closed_throughout(spec: ScheduleSpec | None, since: datetime, until: datetime) -> Against | None:
    """Whether the windows let nothing start from one instant to another, that one included."""
    if spec is None or (against := closed(spec, since)) is None:
        return None
    opening = next_opening(spec, since)
    return against if opening is None or opening > until else None


def suspension_text(suspend: Suspension) -> str:
    """Why, by whom and until when, as one phrase."""
    by = f" (by {suspend.by})" if suspend.by else ""
    until = f", until {suspend.until:%Y-%m-%d %H:%M:%SZ}" if suspend.until is not None else ""
    return f"{suspend.reason or 'no reason given'}{by}{until}"
