"""Which fault can meet which state of the journal, and one scene in which all of them do."""

from collections.abc import Iterator

from controller.model.profile import AITRONOS
from controller.simulation.chronicle import Journal
from controller.simulation.faults import ON_POST, Fault, FaultKind, Severity
from controller.simulation.platforms.platform import Temper
from controller.simulation.scene import Scene

K, J = FaultKind, Journal

Meeting = tuple[FaultKind, Journal]

IMPOSSIBLE: frozenset[Meeting] = frozenset(
    {
        # What becomes of a POST happens to one that is under way.
        *((kind, state) for kind in (*ON_POST, K.CRASH_AFTER_POST) for state in J if state is not J.SENT),
        # Just before a POST its slot is claimed.
        *((K.CRASH_BEFORE_POST, state) for state in J if state is not J.CLAIMED),
        # Only a claim is slow to be written, and none is written beside an open one.
        *((K.STORE_SLOW, state) for state in J if state is not J.IDLE),
    }
)

QUARTER = 900.0

CALENDARS = {"a": "0 0", "b": "20 0", "c": "10 1", "d": "0 7", "e": "35 14", "f": "10 6"}
"""Second and first minute of the slots of each connection, once in a quarter of an hour.

``a`` is brought into a state at its slot. It is that of the whole journal, and the controller does something while it lasts: at the
slot of ``b`` 20 s later, of ``c`` after 70 s, and of ``d`` after seven minutes, when the journal is idle. The jobs of ``e``, ``b`` and
``f`` end shortly before these, so that there is something to write.
"""

HEAD = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {{name: {0}}}\nspec:\n  connectionId: conn_{0}\n"
CALENDAR = '  schedules:\n    - quartz: "{}/15 * * * ?"\n'

POSES: dict[Journal, tuple[Fault | None, float]] = {
    J.IDLE: (None, 419.0),
    J.CLAIMED: (Fault(-0.2, K.CRASH_BEFORE_POST, 2.0), 69.0),
    J.SENT: (Fault(-0.2, K.LOST_REQUEST), 19.0),
    J.UNKNOWN: (Fault(-0.2, K.ERROR_WITHOUT_EFFECT), 69.0),
    J.BUSY: (Fault(-0.2, K.BUSY), 69.0),
}
"""What brings ``a`` into each state, and when the fault that is to meet it begins; seconds count from the slot of ``a``."""

ON_WRITE = (K.CRASH_BEFORE_WRITE, K.CRASH_AFTER_WRITE, K.STORE_FAILS, K.STORE_ANSWER_LOST)
EARLIER = 19.0
"""So much before the others, each waits for the next write: that ``b`` has ended, which is of no one claim."""

LASTS = 9.0


def meetings() -> Iterator[Meeting]:
    """Every pair that can meet."""
    yield from ((kind, state) for kind in FaultKind for state in J if (kind, state) not in IMPOSSIBLE)


def faults() -> Iterator[Fault]:
    """One meeting in each quarter of an hour."""
    for number, (kind, state) in enumerate(meetings(), 1):
        slot = QUARTER * number - 1
        before, moment = POSES[state]
        if before is not None and kind not in (*ON_POST, K.CRASH_AFTER_POST, K.CRASH_BEFORE_POST):
            yield Fault(slot + before.at, before.kind, before.seconds)
        if kind in ON_WRITE and state in (J.CLAIMED, J.UNKNOWN, J.BUSY):
            moment -= EARLIER
        yield Fault(slot + moment, kind, LASTS, 0.99)
        if kind in (K.SOURCE_FAILS, K.FETCH_HANGS):
            # A controller that begins reads the specs.
            yield Fault(slot + moment + 1, K.CRASH, 1.0)


def scene() -> Scene:
    """As long as it takes until all have met; the last connection has no schedule, and is for what people start."""
    files = {f"{name}.yaml": (HEAD.format(name) + CALENDAR.format(at)).encode() for name, at in CALENDARS.items()}
    edited = {
        K.SPEC_EDITED: files["f.yaml"].replace(b"10 6", b"30 6"),
        K.SPEC_SUSPENDED: files["f.yaml"] + b"  suspend: {reason: a rest}\n",
        K.SPEC_DELETED: None,
    }
    temper = Temper(36.0, 44.0, long_share=0.0, failed_share=0.0)
    tempers = {"default": {f"conn_{name}": temper for name in (*CALENDARS, "z")}}
    days = QUARTER * (len(list(meetings())) + 1) / 86400
    return Scene(
        "meetings",
        files,
        {"default": AITRONOS},
        tempers,
        days,
        Severity.NONE,
        edits={"f.yaml": edited},
        longest_nap=600.0,
    )
