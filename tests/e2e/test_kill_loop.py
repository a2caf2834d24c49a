"""The controller killed forty times, each time within two seconds of a slot."""

import os
import random
from datetime import datetime
from pathlib import Path
from statistics import median

from tests.e2e.accounting import problems, tally
from tests.e2e.busy_pair import RHYTHMS, SETTLED_WITHIN, BusyPair, busy_pair, now, show
from tests.e2e.controller_process import let_run, stop

SEED = int(os.environ.get("MAINSPRING_TEST_SEED", "20261125"))
KILLS = int(os.environ.get("MAINSPRING_TEST_KILLS", "40"))

FAULTS = ("delay=300ms@0.3", "lost-reply@0.05", "lost-request@0.02")
"""A slow platform widens the moment between a POST and its answer, which is where a kill must hurt."""


def test_forty_kills_around_slots_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    """``kill -9`` 0 to 2 s after a slot, forty times: no slot is doubled or missing, and what was in flight is settled."""
    chance = random.Random(SEED)
    in_flight, ready = 0, []
    with busy_pair(tmp_path, FAULTS) as pair:
        for number in range(1, KILLS + 1):
            started_at = now()
            process = pair.controller.start()
            try:
                pair.wait_for_life(number)
                let_run(chance.uniform(0, 2))
            finally:
                process.kill()
                process.wait()
            ready.append(_ready_after(pair, number, started_at))
            in_flight += pair.open_claims()
        last_kill = now()
        process = pair.controller.start()
        try:
            pair.wait_for_life(KILLS + 1)
            let_run(SETTLED_WITHIN)
            ended_at = now()
        finally:
            code = stop(process)
        jobs = pair.jobs()
        verified = pair.controller.command("verify", "--since", "1h", code=None)

    acted = sorted(seconds for seconds in ready if seconds is not None)
    show(kills=KILLS, in_flight=in_flight, jobs=len(jobs), ready_median=median(acted), ready_max=acted[-1])
    print(tally(pair.controller.store))
    assert code == 0
    assert in_flight > 0, "no kill met a claim"
    assert problems(RHYTHMS, pair.controller.store, jobs, ended_at, open_for=round(SETTLED_WITHIN)) == []
    assert pair.unsettled(last_kill) == []
    assert verified.returncode == 0, verified.stdout


def _ready_after(pair: BusyPair, number: int, started_at: datetime) -> float | None:
    """Seconds from the start of a process to the end of its first cycle that did something; None if the kill came first."""
    done = [event for event in pair.life(number) if event["event"] == "cycle_finished"]
    return (datetime.fromisoformat(done[0]["at"]) - started_at).total_seconds() if done else None
