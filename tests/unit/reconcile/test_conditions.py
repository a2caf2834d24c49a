"""Judging conditions where judging itself fails."""

from dataclasses import replace
from typing import Any

from controller.decide.planner import make_plan
from controller.model.condition import ConditionReason
from controller.reconcile.conditions import keep_conditions
from controller.reconcile.gather import gather
from tests.scenario.stage import Stage, play


def test_a_defect_in_judging_one_connection_harms_no_other() -> None:
    """It is told in that connection's conditions; all others are judged and written."""

    async def scenario(stage: Stage) -> None:
        refs = [stage.schedule(name, "schedules:\n  - cron: '0 0 * * *'\n") for name in ("broken", "sound")]
        await stage.start()
        await stage.run_for(5)
        assert stage.controller is not None
        world, mind = stage.controller._world, stage.controller.mind
        known = await gather(mind, stage.store, stage.clock.now(), refs, world.restorers)
        plan = make_plan(known)
        broken, sound = known.connections
        assert broken.spec is not None
        unusable: Any = (object(),)
        spec = replace(broken.spec, windows=unusable)
        known = replace(known, connections=(replace(broken, spec=spec), sound))
        mind.conditions.clear()
        assert await keep_conditions(world, mind, known, plan) == plan
        found = [(await stage.store.conditions(ref.platform, ref.connection_id))[ref][0] for ref in refs]
        assert [row.reason for row in found] == [ConditionReason.DEFECT, ConditionReason.SCHEDULED]

    play(scenario)
