"""When jobs may start, as a spec says it (``spec-format.md``, ``windows``)."""

from dataclasses import dataclass
from enum import StrEnum


class WindowKind(StrEnum):
    """What a window does while it is open."""

    ALLOW = "allow"
    DENY = "deny"


class OnClose(StrEnum):
    """What happens to a running job of ours when its window closes."""

    LET_RUN = "LetRun"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class Window:
    """One entry of ``spec.windows``.

    Attributes:
        kind: whether jobs may start only in it, or not in it.
        cron: when it opens.
        duration: whole seconds of real time, at least one.
        time_zone: IANA name in which ``cron`` is read.
        reason: as written.
        on_close: what becomes of a running job of ours when this window closes the schedule.
    """

    kind: WindowKind
    cron: str
    duration: int
    time_zone: str = "UTC"
    reason: str = ""
    on_close: OnClose = OnClose.LET_RUN

    def __post_init__(self) -> None:
        if self.duration < 1:
            raise ValueError(f"a window of {self.duration} s never opens")
