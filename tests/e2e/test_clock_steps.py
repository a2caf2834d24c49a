"""The wall clock of a running controller set by an hour, again and again; the platform's stays right."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.accounting import problems, tally
from tests.e2e.busy_pair import RHYTHMS, SETTLED_WITHIN, BusyPair, busy_pair, now, show
from tests.e2e.controller_process import let_run, stop
from tests.e2e.embedded_process import wait_for
from tests.e2e.preloaded import preloaded

HOUR = 3600
TOLD_WITHIN = 10.0
FROZEN_SECONDS = 3.0
"""Three slots, which must not start."""

JUMPS = (
    (0, ["clock_frozen", "clock_agreed"]),
    (HOUR, ["clock_frozen"]),
    (0, ["clock_agreed"]),
    (-HOUR, ["clock_frozen"]),
    (0, ["clock_agreed"]),
)
"""By how much the clock is off after each, and what is told of it. It is an hour behind at first; put right, it contradicts what went
before, until three answers of the platform confirm it."""


def test_an_hour_forth_and_back_freezes_all_and_starts_nothing_early_or_twice(tmp_path: Path) -> None:
    """Five jumps, each told within 10 s; no start while the clocks disagree, and once they agree every slot is accounted for."""
    machine = preloaded(tmp_path)
    machine.tell(offset=-HOUR)
    told: list[float] = []
    with busy_pair(tmp_path, ()) as pair:
        with machine.for_children():
            process = pair.controller.start()
        try:
            # A clock that is wrong from the start contradicts the platform's first answer.
            pair.controller.event_when("clock_skewed")
            assert pair.jobs() == []
            for offset, events in JUMPS:
                seen = len(told_of_clocks(pair))
                at = time.perf_counter()
                machine.tell(offset=offset)
                wait_for(lambda seen=seen: told_of_clocks(pair)[seen:], begins_with(events))  # type: ignore[misc]
                told.append(time.perf_counter() - at)
                if offset:
                    assert starts_within(pair, FROZEN_SECONDS) == 0
                    assert "ClockFrozen" in pair.controller.command("get", "-o", "json").stdout
                    assert "the wall clock was set" in pair.controller.command("get").stdout
                else:
                    before = len(pair.jobs())
                    wait_for(lambda: len(pair.jobs()), lambda count, before=before: count > before)  # type: ignore[misc]
            let_run(SETTLED_WITHIN)
            ended_at = now()
        finally:
            code = stop(process)
        jobs = pair.jobs()

    show(jumps=len(JUMPS), jobs=len(jobs), told_max=round(max(told), 2))
    print(tally(pair.controller.store))
    assert code == 0
    assert max(told) <= TOLD_WITHIN
    assert problems(RHYTHMS, pair.controller.store, jobs, ended_at, open_for=round(SETTLED_WITHIN)) == []


def told_of_clocks(pair: BusyPair) -> list[str]:
    """What was told of clocks, by name."""
    return [event["event"] for event in pair.controller.events() if event["event"].startswith("clock_")]


def begins_with(names: list[str]) -> Callable[[Any], bool]:
    """Whether these were told first."""
    return lambda seen: seen[: len(names)] == names


def starts_within(pair: BusyPair, seconds: float) -> int:
    """Jobs that begin in this time; what was sent before the jump has half a second to arrive."""
    let_run(0.5)
    before = len(pair.jobs())
    let_run(seconds)
    return len(pair.jobs()) - before
