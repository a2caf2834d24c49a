"""What may have kept a slot from starting: which faults, overlapping its own window, explain which miss."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from controller.model.record import Outcome, Reason
from controller.model.schedule import Mode
from controller.simulation.chronicle import Claimed, Trouble
from controller.simulation.faults import AFTERMATH, CRASHES, FaultKind
from controller.simulation.judge.case import Case

K = FaultKind

UNREACHABLE = frozenset(
    {
        K.OUTAGE,
        K.QUOTA,
        K.LIST_FAILS,
        K.CUT_PLATFORM,
        K.GARBLED_READ,
        K.SLOW_READ,
        K.READ_CUT,
        K.CLOCK_STEP,
        K.CLOCK_RATE,
    }
)
"""Nobody can look while these last, or nobody trusts the clock, and the back-off after them is up to `AFTERMATH`."""

REFUSING = frozenset({K.REFUSED, K.REJECTED})
"""A POST of the connection itself was refused, and is sent again after a back-off."""

STORAGE = frozenset({K.STORE_FAILS, K.STORE_ANSWER_LOST, K.STORE_SLOW, K.STORE_DOWN, K.CUT_STORE})
"""What cannot be written is not sent."""

DOWN = frozenset({*CRASHES, K.GRACEFUL_STOP, K.PAUSE, K.SUSPEND_MACHINE, K.ELECTION_LOST})
"""No controller acts, until the next one does."""

UNREAD = frozenset({K.SOURCE_FAILS, K.FETCH_HANGS, K.FORCE_PUSH})
"""The specs cannot be read, or are refused, which matters only to a life that has not read them yet."""

EDITED = frozenset({K.SCHEDULE_SET, K.STATUS_SET})
"""Somebody changed the connection itself on its platform; that is seen when connections are listed next."""

EXPLAINS: Mapping[tuple[Outcome, Reason], frozenset[FaultKind]] = {
    (Outcome.MISSED, Reason.SUPERSEDED): UNREACHABLE | REFUSING | STORAGE | DOWN | EDITED,
    (Outcome.MISSED, Reason.DEADLINE): UNREACHABLE | REFUSING | STORAGE | DOWN | EDITED,
}
"""Faults that explain a miss by themselves. Without one it takes what `was_prevented` lists."""

LASTING: Mapping[FaultKind, timedelta] = {
    **dict.fromkeys(UNREACHABLE | REFUSING, AFTERMATH),
    **dict.fromkeys(STORAGE | DOWN, timedelta(seconds=30)),
    **dict.fromkeys(EDITED, timedelta(minutes=12)),
}
"""How long after its end a fault may still be felt."""

DOUBTFUL_AFTER = timedelta(seconds=5)


def was_prevented(case: Case, fires: float, ends: float) -> bool:
    """Whether the controller could not start a slot at some time of its window: a fault of the table, a doubt, or specs unread."""
    spec = case.due.last_spec(case.decided)
    if spec is not None and spec.mode is Mode.OBSERVE:
        return case.record.reason is Reason.DEADLINE
    if spec is not None and any(each.mode is Mode.OBSERVE for each in case.due.specs_between(fires, ends)):
        return True
    kinds = EXPLAINS.get((case.record.outcome, case.record.reason or Reason.OBSERVE), frozenset())
    if any(each.kind in kinds and _met(each, fires, ends) for each in troubles_of(case)):
        return True
    if any(was_doubtful(each) and overlaps(case, each, fires, ends) for each in case.claims):
        return True
    return was_blind(case, fires, ends)


def troubles_of(case: Case) -> Iterable[Trouble]:
    """Faults that hit everything, and those of the record's own connection."""
    name = case.record.slot.ref.connection_id
    return (each for each in case.evidence.chronicle.troubles if each.connection_id in (None, name))


def ended_at(trouble: Trouble) -> float:
    """When a fault itself was over, in seconds since the epoch."""
    return (trouble.until - AFTERMATH).timestamp()


def _met(trouble: Trouble, since: float, until: float) -> bool:
    felt = ended_at(trouble) + LASTING[trouble.kind].total_seconds()
    return trouble.since.timestamp() <= until and felt >= since


def was_blind(case: Case, fires: float, ends: float) -> bool:
    """Whether a life began that could not read the specs, and had not before the slot's window was over.

    A life that has read them once keeps them, so a source that fails later explains nothing.
    """
    troubles = case.evidence.chronicle.troubles
    failing = [each for each in troubles if each.kind in UNREAD]
    begun = [ended_at(each) for each in troubles if each.kind in DOWN and ended_at(each) <= ends]
    if not begun:
        begun = [case.due.versions[0].since.timestamp()] if case.due.versions else []
    first_read = min(
        (at for each in case.evidence.fetched if begun and (at := each.at.timestamp()) >= max(begun)), default=ends + 1
    )
    if first_read <= fires or not begun:
        return False
    return any(each.since.timestamp() <= ends and each.until.timestamp() >= max(begun) for each in failing)


def was_doubtful(claimed: Claimed) -> bool:
    """Whether a claim stayed open for longer than the answer to its POST takes."""
    return claimed.closed_at is None or claimed.closed_at - claimed.committed_at > DOUBTFUL_AFTER


def overlaps(case: Case, claimed: Claimed, since: float, until: float) -> bool:
    """Whether a claim was open at some time of a stretch."""
    closed = claimed.closed_at or case.evidence.read_at
    return claimed.committed_at.timestamp() <= until and closed.timestamp() >= since
