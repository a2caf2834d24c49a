"""Many years side by side: every life is lived and judged by itself, and only its verdict is kept."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.checker import Fault, Finding, judge_year
from tests.simulation.driver import live
from tests.simulation.life import Life


@dataclass(slots=True)
class Tally:
    """What all years came to."""

    schedules: int = 0
    zones: set[str] = field(default_factory=set)
    plans: int = 0
    slots: int = 0
    triggers: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def count(self, fault: Fault) -> int:
        """How often something went wrong in one way."""
        return sum(finding.fault is fault for finding in self.findings)


def tally(lives: Iterable[Life]) -> Tally:
    """Live through all of them."""
    found = Tally()
    for life in lives:
        lived = live(life)
        verdict = judge_year(lived)
        found.schedules += 1
        found.zones |= {entry.time_zone for entry in life.spec.entries}
        found.plans += lived.plans
        found.slots += verdict.slots
        found.triggers += verdict.triggers
        found.outcomes += verdict.outcomes
        found.findings += verdict.findings
    return found
