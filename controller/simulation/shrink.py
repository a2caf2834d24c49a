"""Makes a failing plan of faults small: by leaving faults out as long as it still fails."""

from collections.abc import Callable, Sequence

from controller.simulation.faults import Fault
from controller.simulation.run import simulate
from controller.simulation.scene import Scene

Fails = Callable[[Sequence[Fault]], bool]


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


def fails_alike(scene: Scene, invariant: str) -> Fails:
    """Whether a plan of faults breaks an invariant in a scene."""
    return lambda faults: any(text.startswith(invariant) for text in simulate(scene, faults).verdict.violations)


def reproduction(scene: Scene, faults: Sequence[Fault], violations: Sequence[str]) -> str:
    """What to paste into a test."""
    rows = "".join(f"    {fault},\n" for fault in faults)
    head = "".join(f"# {text}\n" for text in violations)
    drawn = f"drawn_scene({scene.seed!r}, days={scene.days}, severity=Severity.{scene.severity.name})"
    return f"{head}scene = {drawn}\nsimulate(scene, [\n{rows}])\n"
