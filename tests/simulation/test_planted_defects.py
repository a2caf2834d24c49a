"""The simulation finds defects that are planted, and makes what it found small."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from controller.decide import planner, recovery
from controller.model.plan import PlatformFacts
from controller.model.record import Claim
from controller.reconcile.nap import Nap
from controller.simulation.faults import Severity
from controller.simulation.run import Result, simulate
from controller.simulation.scene import drawn_scene
from tests.simulation.seeds import Drawn, SavedSeed, made_small, save, saved_seeds

SEEDS = 12


def impatient(platform: PlatformFacts, claim: Claim) -> bool:
    """Absence is believed at once, and not after T_resolve."""
    return platform.listing is not None and platform.listing.begun_at >= claim.written_at


SOON = 34
"""From here on, in aligned scenes of three hours, a late effect is soon not hidden by anything, which is quickly made small."""


def first_failing(
    invariant: str, begin: int = 0, days: float = 0.25, *, is_aligned: bool = False
) -> tuple[Drawn, Result]:
    """The first seed that breaks an invariant."""
    for number in range(begin, begin + SEEDS):
        drawn = Drawn(f"planted/{number}", days=days, severity=Severity.HEAVY, is_aligned=is_aligned)
        result = drawn.live()
        if any(text.startswith(invariant) for text in result.verdict.violations):
            return drawn, result
    raise AssertionError(f"{SEEDS} seeds broke no {invariant}")


def without(name: str) -> tuple[Callable[..., object], ...]:
    """The planner's rules without one of them."""
    return tuple(rule for rule in planner.RULES if rule.__name__ != name)


def test_impatience_doubles_and_is_made_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without T_resolve a late effect is a second job; of dozens of faults few are left, in a file that shows it again."""
    monkeypatch.setattr(recovery, "proves_absence", impatient)
    drawn, found = first_failing("S1", SOON, 0.12, is_aligned=True)
    doubles = [text for text in found.verdict.violations if text.startswith("S1")]
    path = save(made_small(drawn, doubles), tmp_path)
    assert saved_seeds(tmp_path) == [path]
    few = SavedSeed.of_text(path.read_text())
    assert 1 <= len(few.faults) <= len(found.faults) // 4
    assert few.drawn.days <= drawn.days
    assert any(text.startswith("S1") for text in few.drawn.live(few.faults).verdict.violations)
    assert all(f'"kind": "{fault.kind}"' in path.read_text() for fault in few.faults)
    monkeypatch.undo()
    assert few.drawn.live(few.faults).verdict.violations == ()


@pytest.mark.parametrize("rule", ["overlapping", "halted", "expired"])
def test_a_missing_rule_is_found(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule of the planner that is taken away breaks a promise within a few seeds."""
    monkeypatch.setattr(planner, "RULES", without(rule))
    _, result = first_failing("")
    assert result.verdict.violations


def test_a_controller_that_spins_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that is always ready ends the simulation instead of going on for ever."""

    async def restless(self: Nap, longest: timedelta) -> None:
        del longest
        await self._clock.sleep(0)

    monkeypatch.setattr(Nap, "take", restless)
    with pytest.raises(RuntimeError, match="no time has passed"):
        simulate(drawn_scene("hour", days=1 / 24), [])
