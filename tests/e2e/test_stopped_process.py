"""The controller's process stopped and continued, as by a hypervisor or by `docker pause`."""

import random
import signal
from pathlib import Path

from tests.e2e.accounting import problems, tally
from tests.e2e.busy_pair import RHYTHMS, busy_pair, let_run_into_a_slot, now, show
from tests.e2e.controller_process import let_run, stop

SEED = 20261126

STOPPED_SECONDS = (5.2, 5.4, 5.6, 12.5, 5.2)
"""Each longer than the send deadline of the embedded profile, 5 s; one longer than T_resolve, 12 s."""

AFTERWARDS_SECONDS = 11.0
"""A POST that was under way at the last stop is as old as T_resolve then."""


def test_a_process_that_was_stopped_sends_nothing_that_is_too_old(tmp_path: Path) -> None:
    """SIGSTOP around slots for longer than the send deadline, once for longer than T_resolve: nothing doubled, nothing missing."""
    chance = random.Random(SEED)
    with busy_pair(tmp_path, ("delay=200ms@0.5",)) as pair:
        process = pair.controller.start()
        try:
            pair.controller.event_when("sync_triggered")
            for seconds in STOPPED_SECONDS:
                let_run_into_a_slot(chance, within=0.3)
                process.send_signal(signal.SIGSTOP)
                let_run(seconds)
                process.send_signal(signal.SIGCONT)
            let_run(AFTERWARDS_SECONDS)
            ended_at = now()
        finally:
            process.send_signal(signal.SIGCONT)
            code = stop(process)
        jobs = pair.jobs()

    show(stops=len(STOPPED_SECONDS), jobs=len(jobs))
    print(tally(pair.controller.store))
    assert code == 0
    assert len(pair.life(1)) == len(pair.controller.events()), "the process must live through it"
    assert problems(RHYTHMS, pair.controller.store, jobs, ended_at, open_for=round(AFTERWARDS_SECONDS)) == []
