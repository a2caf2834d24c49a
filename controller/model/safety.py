"""How much one commit, or one cycle, may do before somebody is asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """Bounds on the harm that a wrong but valid desired state can do. Shares are parts of 1.

    Attributes:
        removal_share: a revision that removes more than this part of the schedules in force, and at least ``removal_count`` of them, is
            held. A quarter: a team that leaves a shared repository is about that much, a wrong path or a bad merge is more.
        removal_count: in a small repository one schedule is a large part, and taking two out is everyday work.
        write_count: cancels, and writes to connections, that a platform gets between two full resyncs: this many, or ``write_share`` of
            its managed connections, whichever is more. Ten are as many as a person looks through.
        write_share: see ``write_count``.
        trigger_count: starts that one cycle may decide; the next cycle, at once, decides the rest. A thousand are more than any platform
            takes at a time, and few enough for one transaction.
        trigger_share: at most this part of all managed connections as well; None = no such bound, since at midnight all may be due.
    """

    removal_share: float = 0.25
    removal_count: int = 3
    write_count: int = 10
    write_share: float = 0.10
    trigger_count: int = 1000
    trigger_share: float | None = None

    def holds_removal(self, removed: int, in_force: int, *, is_empty: bool) -> bool:
        """Whether a revision that takes so many of the schedules in force away is held; an empty one that takes any always is."""
        if removed == 0:
            return False
        return is_empty or (removed >= self.removal_count and removed > in_force * self.removal_share)

    def writes_max(self, managed: int) -> int:
        """Writes other than starts that a platform with so many managed connections gets between two full resyncs."""
        return max(self.write_count, int(managed * self.write_share))

    def triggers_max(self, managed: int) -> int:
        """Starts that one cycle may decide over so many managed connections."""
        if self.trigger_share is None:
            return self.trigger_count
        return min(self.trigger_count, max(int(managed * self.trigger_share), 1))
