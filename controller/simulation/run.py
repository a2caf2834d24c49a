"""Lives through a scene: the whole controller in virtual time, with everything that goes wrong, up to the verdict."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from controller.model.event import Event
from controller.simulation.chronicle import Journal
from controller.simulation.faults import BY_HAND, ON_SPECS, Fault, FaultKind, draw_faults
from controller.simulation.judge.checker import Verdict, judge
from controller.simulation.judge.evidence import Evidence
from controller.simulation.platforms.view import PlatformView
from controller.simulation.scene import Scene
from controller.simulation.stage import Seen, Stage
from controller.simulation.virtual_time import VirtualTimeLoop, run_virtual


@dataclass(frozen=True, slots=True)
class Result:
    """What a simulation came to; ``trace`` is equal for equal runs."""

    scene: Scene
    faults: tuple[Fault, ...]
    trace: str
    verdict: Verdict
    hits: Counter[tuple[FaultKind, Journal]]
    lives: int
    posts: int


def faults_of(scene: Scene) -> tuple[Fault, ...]:
    """The plan of faults that the scene's seed makes."""
    kinds = [kind for kind in FaultKind if kind not in (*ON_SPECS, *BY_HAND) or scene.edits]
    posts_per_day = 100.0 * sum(map(len, scene.tempers.values()))
    return draw_faults(Random(f"{scene.seed}/faults"), scene.severity, scene.seconds, posts_per_day, kinds)


def simulate(
    scene: Scene,
    faults: Sequence[Fault] | None = None,
    watch: Callable[[Event], None] | None = None,
    *,
    seen: Seen = PlatformView,
    inspect: Callable[[Evidence], None] | None = None,
) -> Result:
    """Live through a scene, with the faults of its seed or with given ones.

    ``seen``: `PlatformView` puts the simulation at the platform port, `WiredPlatform` the adapter and its HTTP client in between.
    ``inspect`` is shown what was found.
    """
    plan = faults_of(scene) if faults is None else tuple(faults)

    async def main(loop: VirtualTimeLoop) -> Stage:
        stage = Stage(scene, loop, watch, seen)
        await stage.through(plan)
        return stage

    stage = run_virtual(scene.start, main)
    verdict = judge(stage.evidence)
    if inspect is not None:
        inspect(stage.evidence)
    for job in stage.chronicle.jobs.values():
        stage.digest.update(f"{job.ref} {job.job_id} {job.created_at} {job.ended_at} {job.result}\n".encode())
    return Result(
        scene,
        plan,
        stage.digest.hexdigest(),
        verdict,
        stage.chronicle.hits,
        stage.lives,
        len(stage.chronicle.posts),
    )
