"""Seeds: which scenes are lived through, and those that once broke a promise, made small and kept in ``tests/seeds``."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from controller.simulation.faults import Fault, FaultKind, Severity
from controller.simulation.judge.evidence import Evidence
from controller.simulation.platforms.view import PlatformView
from controller.simulation.platforms.wire import WiredPlatform
from controller.simulation.run import Result, faults_of, simulate
from controller.simulation.scene import Scene, aligned_scene, drawn_scene
from controller.simulation.shrink import fails_alike, shorten, shrink

SAVED = Path(__file__).parent.parent / "seeds"

CI = ("tests/simulation/test_seeds.py", "test_a_saved_seed_breaks_no_promise")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A scene by what it is drawn from. ``is_wired``: the real adapter and its HTTP client are in between."""

    seed: str
    days: float
    severity: Severity = Severity.STANDARD
    is_aligned: bool = False
    connections: int = 5
    controllers: int = 1
    is_wired: bool = False

    def scene(self) -> Scene:
        """The scene, which is the same every time."""
        draw = aligned_scene if self.is_aligned else drawn_scene
        return draw(
            self.seed,
            days=self.days,
            severity=self.severity,
            connections=self.connections,
            controllers=self.controllers,
        )

    def live(self, faults: Sequence[Fault] | None = None, inspect: Callable[[Evidence], None] | None = None) -> Result:
        """Live through it, with the faults of its seed or with given ones; ``inspect`` is shown what was found."""
        return simulate(self.scene(), faults, seen=WiredPlatform if self.is_wired else PlatformView, inspect=inspect)


def numbered(family: str, number: int, days: float, severity: Severity | None = None) -> Drawn:
    """One of a family of scenes that differ: every other one with many more faults, some aligned, some with two controllers."""
    return Drawn(
        f"{family}/{number}",
        days,
        severity or (Severity.STANDARD, Severity.HEAVY)[number % 2],
        is_aligned=number % 4 >= 2,
        controllers=2 if number % 8 >= 6 else 1,
    )


def aligned(family: str, number: int, days: float) -> Drawn:
    """One of a family of scenes whose slots all come on the quarters of the hour, every other one with many more faults."""
    return Drawn(f"{family}/{number}", days, (Severity.STANDARD, Severity.HEAVY)[number % 2], is_aligned=True)


@dataclass(frozen=True, slots=True)
class SavedSeed:
    """A scene and the faults in it that broke a promise. ``found``: what was broken, or what was wrong, in words."""

    drawn: Drawn
    faults: tuple[Fault, ...]
    found: tuple[str, ...]

    def as_text(self) -> str:
        """The file's content."""
        document = {
            "found": self.found,
            "drawn": asdict(self.drawn),
            "faults": [asdict(fault) for fault in self.faults],
        }
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def of_text(cls, text: str) -> "SavedSeed":
        """Read a file's content."""
        document = json.loads(text)
        drawn = document["drawn"]
        return cls(
            Drawn(**{**drawn, "severity": Severity(drawn["severity"])}),
            tuple(Fault(**{**fault, "kind": FaultKind(fault["kind"])}) for fault in document["faults"]),
            tuple(document["found"]),
        )


def made_small(drawn: Drawn, violations: Sequence[str]) -> SavedSeed:
    """A shorter scene with few faults that breaks the same promise; ``violations`` are those of the whole one."""
    promise = violations[0].split()[0]
    seen = WiredPlatform if drawn.is_wired else PlatformView
    scene, begun = shorten(drawn.scene(), faults_of(drawn.scene()), promise, seen=seen)
    faults = shrink(begun, fails_alike(scene, promise, seen=seen))
    return SavedSeed(replace(drawn, days=scene.days), faults, tuple(violations[:5]))


def save(saved: SavedSeed, folder: Path = SAVED) -> Path:
    """Keep a seed in a file named after it."""
    path = folder / f"found-{saved.drawn.seed.replace('/', '-')}.json"
    path.write_text(saved.as_text())
    return path


def saved_seeds(folder: Path = SAVED) -> list[Path]:
    """Every file of a folder, in order."""
    return sorted(folder.glob("*.json"))


def reported(drawn: Drawn, violations: Sequence[str]) -> str:
    """Make a failing seed small, keep it, and say how to see it again."""
    saved = made_small(drawn, violations)
    path = save(saved)
    head = "".join(f"{text}\n" for text in violations[:20])
    return (
        f"{head}\nseed {drawn.seed}, {len(faults_of(drawn.scene()))} faults, made small and kept in {path}:\n{saved.as_text()}\n"
        f"See it again: python -m pytest {CI[0]} -k '{CI[1]} and {path.stem}'\n"
    )
