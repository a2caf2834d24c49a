"""How a schedule stands, in the Kubernetes shape: one condition of each type, each an observation with its reason and since when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.model.record import Reason


class ConditionType(StrEnum):
    """The closed list of conditions; every schedule has one of each."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    DRIFTED = "Drifted"
    HEALTHY = "Healthy"
    IN_WINDOW = "InWindow"


class ConditionStatus(StrEnum):
    """Whether it holds; what nobody could judge yet is ``UNKNOWN``."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionReason(StrEnum):
    """Reasons that only conditions have, beside those of `Reason`; no word stands in both lists."""

    NOT_JUDGED = "NotJudged"
    SCHEDULED = "Scheduled"
    SETTLED = "Settled"
    PROGRESSING = "Progressing"
    NOTHING_STALLED = "NothingStalled"
    SPEC_REJECTED = "SpecRejected"
    DEFECT = "Defect"
    NO_DRIFT = "NoDrift"
    SYNC_SUCCEEDED = "SyncSucceeded"
    SYNC_FAILED = "SyncFailed"
    SYNC_CANCELLED = "SyncCancelled"
    NO_SYNC_YET = "NoSyncYet"
    AGEING = "Ageing"
    OUTDATED = "Outdated"
    WINDOW_OPEN = "WindowOpen"
    NO_WINDOWS = "NoWindows"


Why = Reason | ConditionReason
"""The reason of a condition: a word of either closed list."""


def why_called(word: str) -> Why:
    """The reason of that name; ValueError where no list has it."""
    try:
        return ConditionReason(word)
    except ValueError:
        return Reason(word)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one condition; ``message`` is for people, and changes only when something happened."""

    type: ConditionType
    status: ConditionStatus
    reason: Why
    message: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A verdict as it is kept.

    Attributes:
        observed_generation: the generation that it speaks of; 0 = none was taken in.
        last_transition_at: since when ``status`` is what it is; None = nobody ever judged it.
    """

    type: ConditionType
    status: ConditionStatus
    reason: Why
    message: str = ""
    observed_generation: int = 0
    last_transition_at: datetime | None = None
