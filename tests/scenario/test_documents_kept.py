"""Documents whose key must not be used up, or that have long been answered."""

from datetime import timedelta

from controller.model.asked import RequestStatus
from controller.model.event import EventName
from tests.fakes.platform import Behaviour
from tests.scenario.stage import Stage, play

RARELY = 'schedules:\n  - every: 2h\n    anchor: "2026-01-01T00:00:00Z"\n'
RESET = 'Reset, expiresAt: "2026-03-02T23:00:00Z"'
SHORT = Behaviour(timedelta(seconds=4))


def declare(stage: Stage, name: str, schedule: str, action: str = "Sync") -> None:
    """Write the document of a request; ``action`` may be followed by further fields."""
    head = f"apiVersion: mainspring.dev/v1\nkind: SyncRequest\nmetadata: {{name: {name}}}\n"
    stage.texts[f"{name}.yaml"] = f"{head}spec: {{schedule: {schedule}, action: {action}}}\n"
    stage.specs.set_texts(stage.texts)


def test_a_document_that_was_answered_waits_for_no_schedule() -> None:
    """Its schedule may leave before it: it is not told to wait then."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", RARELY, SHORT)
        declare(stage, "once", "orders")
        await stage.start()
        await stage.run_for(20)
        stage.edit("orders", None)
        declare(stage, "other", "unknown")
        for name in ("a", "b"):
            stage.schedule(name, RARELY)
        await stage.run_for(20)
        told = [event.fields["schedule"] for event in stage.log.of(EventName.REQUEST_REFUSED)]
        assert told == ["unknown"]

    play(scenario)


def test_a_trial_run_uses_up_no_document() -> None:
    """What waits while a run only observes is carried out by the next one that may write, once."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        declare(stage, "reset", "orders", RESET)
        await stage.start(allow_resets=True, observe=True)
        await stage.run_for(20)
        (request,) = await stage.store.requests(ref, 10)
        assert request.status is RequestStatus.WAITING
        assert not stage.platform.calls_of("trigger_reset")
        await stage.stop()
        await stage.start(allow_resets=True)
        await stage.run_for(20)
        (request,) = await stage.store.requests(ref, 10)
        assert request.status is RequestStatus.DONE

    assert len(play(scenario).platform.calls_of("trigger_reset")) == 1
