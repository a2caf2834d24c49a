"""A newer commit takes the place of the older one, and a rejected file keeps what it last said, whatever lies between."""

from datetime import timedelta

import pytest

from controller.model.event import EventName
from controller.model.job import JobStatus
from tests.fakes.platform import Behaviour, TriggerFault
from tests.fakes.spec_source import policy_text
from tests.scenario.stage import START, Stage, play

EVERY_2_H = "schedules:\n  - every: 2h\n"
REFUSALS = 8


def test_an_edit_starts_the_back_off_anew() -> None:
    """A slot that the platform refused again and again is tried at once when its schedule was mended, and keeps its place."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("shop", EVERY_2_H)
        await stage.start()
        for _ in range(REFUSALS):
            stage.platform.script(TriggerFault.NOT_CREATED)
        while len(stage.log.of(EventName.TRIGGER_REFUSED)) < REFUSALS:
            await stage.run_for(1)
        refused = [event.at for event in stage.log.of(EventName.TRIGGER_REFUSED)]
        assert refused[-1] - refused[-2] >= timedelta(seconds=30)
        stage.edit("shop", EVERY_2_H + "maxDuration: 1h\n")
        await stage.run_for(4)
        assert await stage.words(ref) == ["Triggered"]

    stage = play(scenario, start=START + timedelta(minutes=119))
    assert len(stage.platform.jobs) == 1


@pytest.mark.parametrize("is_readable", [True, False], ids=["rejected", "unreadable"])
def test_a_restart_keeps_schedule_and_policy_in_force(*, is_readable: bool) -> None:
    """What stands in no readable file keeps its times and its limits, and a freeze still stands: one bad file, or none that can be had."""

    async def scenario(stage: Stage) -> None:
        limited = stage.schedule("limited", "schedules:\n  - every: 60s\n", Behaviour(None))
        frozen = stage.schedule("frozen", "schedules:\n  - every: 60s\n")
        free = stage.schedule("free", "schedules:\n  - every: 60s\n", Behaviour(timedelta(seconds=2)))
        limit = policy_text("limit", "  defaults: {maxDuration: 20s}\n").replace(
            "selector: {}", "selector: {labels: {a: b}}"
        )
        ice = policy_text("ice", "  freeze: {reason: incident}\n").replace("selector: {}", "selector: {labels: {c: d}}")
        stage.texts |= {"limit.yaml": limit, "ice.yaml": ice}
        for name, labels in (("limited", "{a: b}"), ("frozen", "{c: d}")):
            text = str(stage.texts[f"{name}.yaml"])
            stage.texts[f"{name}.yaml"] = text.replace(f"name: {name}", f"name: {name}, labels: {labels}")
        stage.specs.set_texts(stage.texts)
        await stage.start()
        await stage.run_for(10)
        await stage.stop()
        if is_readable:
            for path in ("limited.yaml", "frozen.yaml", "limit.yaml", "ice.yaml"):
                stage.texts[path] = str(stage.texts[path]) + "  surprise: 1\n"
            stage.specs.set_texts(stage.texts)
        else:
            stage.specs.fail_next(times=1000)
        await stage.start()
        await stage.run_for(175)

        assert stage.log.of(EventName.SCHEDULE_REMOVED) == []
        assert stage.log.of(EventName.SCHEDULE_CHANGED) == []
        assert await stage.words(limited) == ["Triggered"] * 3
        assert await stage.words(frozen) == ["Skipped(Frozen)"] * 3
        assert await stage.words(free) == ["Triggered"] * 3
        first, *_ = sorted(stage.platform.jobs_of(limited.connection_id), key=lambda job: job.created_at)
        assert first.status is JobStatus.CANCELLED
        assert first.ended_at is not None
        assert first.ended_at - first.created_at < timedelta(seconds=25)

    play(scenario)
