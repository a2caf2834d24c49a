"""What can go wrong, and a plan of when it does: an explicit list, drawn from a seed, that can be shortened and played again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random


class FaultKind(StrEnum):
    """Everything that the nemesis can do."""

    LOST_REQUEST = "lost_request"
    LOST_REPLY = "lost_reply"
    LATE_EFFECT = "late_effect"
    ERROR_WITH_EFFECT = "error_with_effect"
    ERROR_WITHOUT_EFFECT = "error_without_effect"
    REFUSED = "refused"
    REJECTED = "rejected"
    BUSY = "busy"
    QUOTA = "quota"
    OUTAGE = "outage"
    LIST_FAILS = "list_fails"
    LIST_LAG = "list_lag"
    CLOCK_SKEW = "clock_skew"
    FOREIGN_RUN = "foreign_run"
    HISTORY_DELETED = "history_deleted"
    CRASH = "crash"
    CRASH_BEFORE_POST = "crash_before_post"
    CRASH_AFTER_POST = "crash_after_post"
    CRASH_BEFORE_WRITE = "crash_before_write"
    CRASH_AFTER_WRITE = "crash_after_write"
    STORE_FAILS = "store_fails"
    STORE_ANSWER_LOST = "store_answer_lost"
    STORE_SLOW = "store_slow"
    SPEC_EDITED = "spec_edited"
    SPEC_SUSPENDED = "spec_suspended"
    SPEC_DELETED = "spec_deleted"
    BAD_FILE = "bad_file"
    SOURCE_FAILS = "source_fails"
    GARBLED_REPLY = "garbled_reply"
    SLOW_REPLY = "slow_reply"
    GARBLED_READ = "garbled_read"
    SLOW_READ = "slow_read"
    READ_CUT = "read_cut"
    PAGE_SHIFT = "page_shift"
    STATUS_REGRESSION = "status_regression"
    FETCH_HANGS = "fetch_hangs"
    FORCE_PUSH = "force_push"
    BIG_COMMIT = "big_commit"
    STORE_DOWN = "store_down"
    GRACEFUL_STOP = "graceful_stop"
    PAUSE = "pause"
    SUSPEND_MACHINE = "suspend_machine"
    CUT_PLATFORM = "cut_platform"
    CUT_STORE = "cut_store"
    ELECTION_LOST = "election_lost"
    CLOCK_STEP = "clock_step"
    CLOCK_NUDGE = "clock_nudge"
    CLOCK_RATE = "clock_rate"
    SCHEDULE_SET = "schedule_set"
    STATUS_SET = "status_set"
    ASKED_TRIGGER = "asked_trigger"
    ASKED_CANCEL = "asked_cancel"
    ASKED_SUSPEND = "asked_suspend"
    REQUEST_FILED = "request_filed"


K = FaultKind

ON_POST = (
    K.LOST_REQUEST,
    K.LOST_REPLY,
    K.LATE_EFFECT,
    K.ERROR_WITH_EFFECT,
    K.ERROR_WITHOUT_EFFECT,
    K.REFUSED,
    K.REJECTED,
    K.BUSY,
    K.GARBLED_REPLY,
    K.SLOW_REPLY,
)
"""Each waits for the next POST and is what becomes of it."""

ON_READ = (K.GARBLED_READ, K.SLOW_READ, K.READ_CUT)
"""Each waits for the next read and is what becomes of its answer."""

CRASHES = (K.CRASH, K.CRASH_BEFORE_POST, K.CRASH_AFTER_POST, K.CRASH_BEFORE_WRITE, K.CRASH_AFTER_WRITE)

ON_SPECS = (K.SPEC_EDITED, K.SPEC_SUSPENDED, K.SPEC_DELETED, K.FORCE_PUSH, K.BIG_COMMIT, K.REQUEST_FILED)
"""What a person writes into the specs; only where the simulation wrote them itself."""

BY_HAND = (K.SCHEDULE_SET, K.STATUS_SET, K.ASKED_TRIGGER, K.ASKED_CANCEL, K.ASKED_SUSPEND)
"""What a person does to a connection on its platform, or by a command; only where the simulation wrote the specs itself."""

ON_MACHINES = (
    K.GRACEFUL_STOP,
    K.PAUSE,
    K.SUSPEND_MACHINE,
    K.CUT_PLATFORM,
    K.CUT_STORE,
    K.ELECTION_LOST,
    K.CLOCK_STEP,
    K.CLOCK_NUDGE,
    K.CLOCK_RATE,
)
"""What happens to one controller, or to the machine that it runs on."""

UNATTENDED = frozenset({K.GRACEFUL_STOP, K.PAUSE, K.SUSPEND_MACHINE, K.CUT_PLATFORM, K.CUT_STORE, K.ELECTION_LOST})
"""While these last, no controller acts."""

NOT_DRAWN = frozenset({K.CLOCK_STEP, K.CLOCK_NUDGE, K.CLOCK_RATE})
"""Kinds that no plan draws by itself: by a wall clock that is wrong by less than is tolerated, starts are that early or late, and by one
that is an hour wrong when a controller begins, what has not come yet may be decided before a platform says what time it is."""

AFTERMATH = timedelta(seconds=60)
"""How long after its end a fault may still be the reason of something: back-off after failed listings and refused POSTs."""

LAG = timedelta(seconds=10)
"""How late listings show new jobs while they lag."""

SKEW = timedelta(seconds=25)
"""How far the platform's clock is off while it is."""

LENGTHS: Mapping[FaultKind, tuple[float, float]] = {
    K.QUOTA: (20, 180),
    K.OUTAGE: (30, 7200),
    K.LIST_FAILS: (20, 1800),
    K.LIST_LAG: (60, 3600),
    K.CLOCK_SKEW: (600, 7200),
    K.CRASH: (1, 1800),
    K.CRASH_BEFORE_POST: (1, 300),
    K.CRASH_AFTER_POST: (1, 300),
    K.CRASH_BEFORE_WRITE: (1, 300),
    K.CRASH_AFTER_WRITE: (1, 300),
    K.STORE_SLOW: (2, 12),
    K.SPEC_EDITED: (1800, 20000),
    K.SPEC_SUSPENDED: (600, 10000),
    K.SPEC_DELETED: (600, 10000),
    K.BAD_FILE: (600, 10000),
    K.SOURCE_FAILS: (60, 1800),
    K.FETCH_HANGS: (20, 1800),
    K.FORCE_PUSH: (1800, 20000),
    K.BIG_COMMIT: (1800, 20000),
    K.STORE_DOWN: (2, 900),
    K.GRACEFUL_STOP: (1, 900),
    K.PAUSE: (3, 1800),
    K.SUSPEND_MACHINE: (30, 7200),
    K.CUT_PLATFORM: (20, 3600),
    K.CUT_STORE: (5, 1800),
    K.ELECTION_LOST: (2, 120),
    K.CLOCK_STEP: (60, 7200),
    K.CLOCK_NUDGE: (60, 7200),
    K.CLOCK_RATE: (3600, 20000),
    K.SCHEDULE_SET: (600, 7200),
    K.STATUS_SET: (600, 7200),
    K.ASKED_SUSPEND: (600, 7200),
    K.REQUEST_FILED: (600, 7200),
}
"""Shortest and longest time, in seconds, for which each lasts, or until the controller is back."""

PER_DAY: Mapping[FaultKind, float] = {
    K.QUOTA: 3,
    K.OUTAGE: 1,
    K.LIST_FAILS: 3,
    K.LIST_LAG: 5,
    K.CLOCK_SKEW: 2,
    K.FOREIGN_RUN: 12,
    K.HISTORY_DELETED: 6,
    K.CRASH: 6,
    K.CRASH_BEFORE_POST: 4,
    K.CRASH_AFTER_POST: 4,
    K.CRASH_BEFORE_WRITE: 4,
    K.CRASH_AFTER_WRITE: 4,
    K.STORE_FAILS: 6,
    K.STORE_ANSWER_LOST: 4,
    K.STORE_SLOW: 6,
    K.SPEC_EDITED: 2,
    K.SPEC_SUSPENDED: 2,
    K.SPEC_DELETED: 1,
    K.BAD_FILE: 2,
    K.SOURCE_FAILS: 2,
    K.GARBLED_READ: 4,
    K.SLOW_READ: 4,
    K.READ_CUT: 4,
    K.PAGE_SHIFT: 6,
    K.STATUS_REGRESSION: 6,
    K.FETCH_HANGS: 2,
    K.FORCE_PUSH: 1,
    K.BIG_COMMIT: 1,
    K.STORE_DOWN: 2,
    K.GRACEFUL_STOP: 4,
    K.PAUSE: 4,
    K.SUSPEND_MACHINE: 1,
    K.CUT_PLATFORM: 2,
    K.CUT_STORE: 2,
    K.ELECTION_LOST: 3,
    K.CLOCK_STEP: 1,
    K.CLOCK_NUDGE: 2,
    K.CLOCK_RATE: 1,
    K.SCHEDULE_SET: 2,
    K.STATUS_SET: 2,
    K.ASKED_TRIGGER: 4,
    K.ASKED_CANCEL: 4,
    K.ASKED_SUSPEND: 1,
    K.REQUEST_FILED: 2,
}
"""How often each happens on an ordinary day; those of POSTs are a share of the POSTs instead."""

POST_SHARE = 0.012
"""How many of all POSTs meet each kind."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that goes wrong: from when on, what, and for how long. Seconds count from the start."""

    at: float
    kind: FaultKind
    seconds: float = 0.0
    choice: float = 0.0


class Severity(StrEnum):
    """How much goes wrong."""

    NONE = "none"
    STANDARD = "standard"
    HEAVY = "heavy"


_FACTOR = {Severity.NONE: 0.0, Severity.STANDARD: 1.0, Severity.HEAVY: 4.0}


def draw_faults(
    chance: Random, severity: Severity, seconds: float, posts_per_day: float, kinds: Sequence[FaultKind] = tuple(K)
) -> tuple[Fault, ...]:
    """A plan for a simulation of that length: a random half of the kinds, each as often as its rate says.

    Half of them, because many faults hide others: what never happens together with an outage is found in the seeds without one. Each
    kind has a stream of chance of its own, so that a new kind leaves the plans of the others as they were.
    """
    factor = _FACTOR[severity]
    if not factor:
        return ()
    found: list[Fault] = []
    seed = chance.random()
    for kind in kinds:
        own = Random(f"{seed}/{kind}")
        if kind in NOT_DRAWN or own.random() >= 0.5:
            continue
        rate = PER_DAY.get(kind, POST_SHARE * posts_per_day) * factor
        at = own.expovariate(rate / 86400)
        while at < seconds:
            shortest, longest = LENGTHS.get(kind, (0.0, 0.0))
            length = shortest * (longest / shortest) ** own.random() if shortest else 0.0
            found.append(Fault(round(at, 3), kind, round(length, 3), round(own.random(), 6)))
            at += own.expovariate(rate / 86400)
    return tuple(sorted(found))
