"""What is wrong with where the specs lie: the running controller tells it, since nobody validates what is mounted."""

from dataclasses import dataclass, replace

from controller.model.event import EventName
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError, SpecSource, SpecTree
from tests.scenario.stage import Stage, play

EVERY_30 = "schedules:\n  - every: 30s\n"


@dataclass
class Doubtful:
    """A spec source in front of another one, with warnings that a test sets."""

    inner: SpecSource
    codes: tuple[str, ...] = ()

    async def fetch(self, applied: str = "") -> SpecTree:
        """What the other one says, and the warnings."""
        found = tuple(SpecError(Origin("a.yaml", 1), code, "look twice") for code in self.codes)
        return replace(await self.inner.fetch(applied), warnings=found)


def test_where_the_specs_lie_is_told_once() -> None:
    """Once for as long as it stands, however many commits come, and again where it comes back; what a file says is no such thing."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("shop", EVERY_30)
        source = Doubtful(stage.specs, ("case-collision", "never-updated", "empty-file"))
        await stage.start(spec_source=source)
        for text in ("jitter: 1s\n", "jitter: 2s\n"):
            await stage.run_for(10)
            stage.edit("shop", EVERY_30 + text)
        told = [(event.fields["path"], event.fields["code"]) for event in stage.log.of(EventName.SPECS_DOUBTFUL)]
        assert told == [("a.yaml", "case-collision"), ("a.yaml", "never-updated")]
        for codes, lines in (((), "jitter: 3s\n"), (("never-updated",), "jitter: 4s\n")):
            source.codes = codes
            stage.edit("shop", EVERY_30 + lines)
            await stage.run_for(10)
        assert len(stage.log.of(EventName.SPECS_DOUBTFUL)) == 3

    play(scenario)
