"""Makes a failing plan of faults small: by leaving faults out as long as it still fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from controller.simulation.faults import Fault
from controller.simulation.platforms.view import PlatformView
from controller.simulation.run import simulate
from controller.simulation.scene import Scene
from controller.simulation.stage import Seen

Fails = Callable[[Sequence[Fault]], bool]

PARTS = 32
"""Into how many parts a scene is divided to find the first ones that are enough: every further try costs what is lived through in it."""


def shrink(faults: Sequence[Fault], fails: Fails) -> tuple[Fault, ...]:
    """A plan of which no single fault can be left out; parts are tried first, from halves down to one fault.

    ``fails`` must be true of ``faults``.
    """
    kept = list(faults)
    size = max(len(kept) // 2, 1)
    while True:
        place = 0
        while place < len(kept):
            tried = kept[:place] + kept[place + size :]
            if fails(tried):
                kept = tried
            else:
                place += size
        if size == 1:
            return tuple(kept)
        size = max(size // 2, 1)


def fails_alike(scene: Scene, invariant: str, *, seen: Seen = PlatformView) -> Fails:
    """Whether a plan of faults breaks an invariant in a scene."""

    def fails(faults: Sequence[Fault]) -> bool:
        violations = simulate(scene, faults, seen=seen).verdict.violations
        return any(text.startswith(invariant) for text in violations)

    return fails


def shorten(
    scene: Scene, faults: Sequence[Fault], invariant: str, *, seen: Seen = PlatformView
) -> tuple[Scene, tuple[Fault, ...]]:
    """The beginning of a scene that breaks an invariant as well, with the faults in it; all of it if none is found by halving."""
    enough, begun = scene, tuple(faults)
    too_short, parts = 0, PARTS
    while parts - too_short > 1:
        tried = (too_short + parts) // 2
        shorter = replace(scene, days=scene.days * tried / PARTS)
        until = tuple(fault for fault in faults if fault.at < shorter.seconds)
        if fails_alike(shorter, invariant, seen=seen)(until):
            enough, begun, parts = shorter, until, tried
        else:
            too_short = tried
    return enough, begun
