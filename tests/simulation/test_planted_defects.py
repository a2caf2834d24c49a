"""The simulation finds defects that are planted, and makes what it found small."""

from collections.abc import Callable

import pytest

from controller.decide import planner, recovery
from controller.model.plan import PlatformFacts
from controller.model.record import Claim
from controller.reconcile.loop import Loop
from controller.simulation.faults import Fault, FaultKind, Severity
from controller.simulation.run import Result, simulate
from controller.simulation.scene import Scene, drawn_scene
from controller.simulation.shrink import fails_alike, reproduction, shrink

SEEDS = 12


def impatient(platform: PlatformFacts, claim: Claim) -> bool:
    """Absence is believed at once, and not after T_resolve."""
    return platform.listing is not None and platform.listing.begun_at >= claim.written_at


def first_failing(invariant: str) -> Result:
    """The first seed that breaks an invariant."""
    for number in range(SEEDS):
        result = simulate(drawn_scene(f"planted/{number}", days=0.25, severity=Severity.HEAVY))
        if any(text.startswith(invariant) for text in result.verdict.violations):
            return result
    raise AssertionError(f"{SEEDS} seeds broke no {invariant}")


def without(name: str) -> tuple[Callable[..., object], ...]:
    """The planner's rules without one of them."""
    return tuple(rule for rule in planner.RULES if rule.__name__ != name)


def test_impatience_doubles_and_shrinks_to_few_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without T_resolve a late effect is a second job; of dozens of faults few are left."""
    monkeypatch.setattr(recovery, "proves_absence", impatient)
    found = first_failing("S1")
    few = shrink(found.faults, fails_alike(found.scene, "S1"))
    assert 1 <= len(few) <= 3 < len(found.faults)
    assert "FaultKind." in reproduction(found.scene, few, found.verdict.violations)


@pytest.mark.parametrize("rule", ["overlapping", "halted", "expired"])
def test_a_missing_rule_is_found(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule of the planner that is taken away breaks a promise within a few seeds."""
    monkeypatch.setattr(planner, "RULES", without(rule))
    assert first_failing("").verdict.violations


def scene() -> Scene:
    """An hour without chance."""
    return drawn_scene("hour", days=1 / 24)


def test_a_start_without_specs_does_not_spin() -> None:
    """A controller that comes back while its specs cannot be read waits for them, is not busy meanwhile, and retires nothing."""
    faults = [Fault(60, FaultKind.SOURCE_FAILS, 900), Fault(70, FaultKind.CRASH, 10)]
    assert simulate(scene(), faults).verdict.violations == ()


def test_a_controller_that_spins_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that is always ready ends the simulation instead of going on for ever."""

    async def restless(self: Loop) -> None:
        await self._world.clock.sleep(0)

    monkeypatch.setattr(Loop, "_nap", restless)
    with pytest.raises(RuntimeError, match="no time has passed"):
        simulate(scene(), [])
