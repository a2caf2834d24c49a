"""Some hours of trouble of one sort each, so that a defect which only shows in it shows soon."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from controller.simulation.faults import Fault, FaultKind, Severity
from controller.simulation.platforms.platform import Temper
from controller.simulation.platforms.view import PlatformView
from controller.simulation.platforms.wire import WiredPlatform
from controller.simulation.run import Result, simulate
from controller.simulation.scene import Scene, aligned_scene, drawn_scene

K = FaultKind

GOLDEN = 0.618034
"""Steps of this fill the unit interval evenly, however many they are."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seeds of one sort of trouble.

    Attributes:
        kinds: what goes wrong, in turn.
        every: seconds from one fault to the next.
        lasts: seconds that each lasts.
        seeds: how many scenes there are; a defect must show in one of them.
        through_http: whether the real adapter and its HTTP client are in between.
        is_brief: jobs are over within a second.
        forward_only: what a force-push puts back is refused.
        plan: the faults, one by one, instead of the other five; then all connections have their slots on the quarters of the hour.
    """

    kinds: tuple[FaultKind, ...] = ()
    every: float = 400.0
    lasts: float = 60.0
    hours: float = 2.0
    seeds: int = 3
    controllers: int = 1
    through_http: bool = False
    is_brief: bool = False
    forward_only: bool = False
    plan: tuple[Fault, ...] = ()

    def scenes(self, name: str) -> Iterator[tuple[Scene, tuple[Fault, ...]]]:
        """Each scene with its faults, which are the same every time."""
        for number in range(self.seeds):
            draw = aligned_scene if self.plan else drawn_scene
            days = self.hours / 24
            scene = draw(f"{name}/{number}", days=days, severity=Severity.NONE, controllers=self.controllers)
            if self.is_brief:
                tempers = {each: dict.fromkeys(rows, BRIEF) for each, rows in scene.tempers.items()}
                scene = replace(scene, tempers=tempers)
            scene = replace(scene, forward_only=self.forward_only)
            if self.controllers > 1:
                scene = replace(scene, lease=15.0, longest_nap=5.0)
            yield scene, self.plan or tuple(self._faults(scene.seconds))

    def _faults(self, until: float) -> Iterator[Fault]:
        number = 0
        while self.kinds and (at := self.every * (number + 0.5)) < until:
            kind = self.kinds[number % len(self.kinds)]
            yield Fault(at, kind, self.lasts, round(0.05 + number * GOLDEN % 0.9, 6))
            number += 1


BRIEF = Temper(0.3, 0.9, 0.9, long_share=0.0, failed_share=0.0)


def caught_up_late() -> tuple[Fault, ...]:
    """An outage that ends shortly before the next slot, so that every connection is still in doubt about the last one then."""
    quarter = 900.0
    ends = [quarter * number - 110.0 for number in (2, 4, 6)]
    return tuple(
        fault
        for end in ends
        for fault in (
            Fault(end - 810.0, K.OUTAGE, 810.0),
            *(Fault(end + number, K.LOST_REQUEST) for number in range(5)),
        )
    )


STRETCHES: Mapping[str, Stretch] = {
    "calm": Stretch(),
    "slow store": Stretch((K.STORE_SLOW,), lasts=12.0),
    "late effects": Stretch((K.LATE_EFFECT,), every=200.0),
    "skewed doubts": Stretch((K.CLOCK_SKEW, K.LOST_REPLY, K.LOST_REPLY), every=150.0, lasts=500.0),
    "foreign runs in doubts": Stretch((K.FOREIGN_RUN, K.LOST_REQUEST), every=60.0),
    "deaths": Stretch((K.CRASH_AFTER_WRITE, K.CRASH_AFTER_POST, K.CRASH_BEFORE_POST), every=300.0, lasts=5.0),
    "clock steps": Stretch((K.CLOCK_STEP,), every=1500.0, lasts=900.0, hours=3.0),
    "edits": Stretch((K.SPEC_EDITED,), every=700.0, lasts=1800.0),
    "caught up late": Stretch(plan=caught_up_late()),
    "errors and brief jobs": Stretch((K.ERROR_WITH_EFFECT,), every=120.0, through_http=True, is_brief=True),
    "no answers": Stretch((K.SLOW_REPLY, K.GARBLED_REPLY), every=120.0, through_http=True),
    "busy": Stretch((K.BUSY,), every=30.0, through_http=True),
    "rewinds": Stretch(
        (K.SPEC_EDITED, K.FORCE_PUSH, K.CRASH), every=300.0, lasts=900.0, forward_only=True, controllers=2
    ),
    "lost in a doubt": Stretch((K.SLOW_REPLY, K.ELECTION_LOST), every=25.0, lasts=20.0),
}


def lived(name: str) -> Iterator[Result]:
    """Live through the scenes of a stretch, one after the other."""
    stretch = STRETCHES[name]
    for scene, faults in stretch.scenes(name):
        yield simulate(scene, faults, seen=WiredPlatform if stretch.through_http else PlatformView)
