"""What a forecast says is what a controller then does, where syncs last as long as assumed."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.decide.foresight.forecast import Outlook, forecast, taken_in
from controller.decide.slots import from_epoch
from controller.model.profile import EMBEDDED
from controller.model.record import Standing
from tests.fakes.platform import Behaviour
from tests.scenario.stage import START, Stage, play

SECONDS = 600
LATEST = timedelta(seconds=2)
"""How much later than forecast a start may be: a listing and a cycle lie before it."""


def lines_of(chance: random.Random) -> str:
    """A schedule of any kind whose outcomes rest on time alone: nothing waits for the end of a job."""
    entry = chance.choice([f"every: {chance.choice([7, 10, 20, 45])}s", 'cron: "* * * * *"', "every: 90s"])
    lines = [f"schedules:\n  - {entry}"]
    if chance.random() < 0.5:
        lines.append(
            'windows:\n  - {}: {{cron: "{} * * * *", duration: {}s}}'.format(
                chance.choice(["allow", "deny"]), chance.choice(["*/2", "*/3", "*"]), chance.choice([25, 40, 70])
            )
        )
    if chance.random() < 0.4:
        lines.append(f"jitter: {chance.choice([3, 9, 30])}s")
    if chance.random() < 0.4:
        lines.append(f"minGap: {chance.choice([5, 13, 30])}s")
    if chance.random() < 0.4:
        lines.append(f"catchUp: {{window: {chance.choice([4, 15, 40])}s}}")
    if chance.random() < 0.3:
        lines.append('exclude:\n  - cron: "3-4 * * * *"')
    if chance.random() < 0.3:
        lines.append('suspend: {until: "2026-03-02T12:04:00Z"}')
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(60))
def test_a_forecast_comes_true(seed: int) -> None:
    """Slot by slot: the same outcome for the same reason, and a start within two seconds of the one that was said."""
    chance = random.Random(seed)
    text, lasts = lines_of(chance), chance.choice([1, 6, 17, 33])
    told: list[tuple[datetime, str, datetime | None]] = []

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shown", text, Behaviour(timedelta(seconds=lasts - 0.5)))
        await stage.start()
        await stage.run_for(SECONDS)
        started = {job.job_id: job.created_at for job in stage.platform.jobs_of(ref.connection_id)}
        records = [record for record in await stage.slots(ref) if record.outcome.is_final]
        told.extend((record.slot.scheduled_at, record.word, started.get(record.job_id or "")) for record in records)

    play(scenario)
    head = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: shown}\nspec:\n  connectionId: conn_shown\n"
    body = "".join(f"  {line}\n" for line in text.splitlines())
    (spec,) = parse_tree({"a.yaml": (head + body).encode()}, platforms={"default": EMBEDDED}).specs
    outlook = Outlook(spec, taken_in(spec, Standing(spec.ref), START), EMBEDDED, timedelta(seconds=lasts))
    until = datetime(2026, 3, 2, 12, 7, tzinfo=UTC)
    said = [slot for slot in forecast(outlook, START, until) if slot.word != "Excluded"]
    assert [(from_epoch(slot.scheduled), slot.word) for slot in said] == [row[:2] for row in told][: len(said)]
    for slot, (_, _, started_at) in zip(said, told, strict=False):
        if slot.starts is not None:
            assert started_at is not None
            assert timedelta() <= started_at - from_epoch(slot.starts) <= LATEST
