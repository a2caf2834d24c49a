"""The table of all schedules reads little, and says the same as if all had been read."""

import asyncio
from collections.abc import Callable

import pytest

from controller.cli.state.status_text import overview
from controller.cli.terminal import Paint
from controller.model.job import JobKind, JobStatus
from controller.model.profile import EMBEDDED
from controller.model.record import Answer, Outcome, Reason
from controller.reconcile.history import RECENT
from controller.reconcile.restored import Restorers
from controller.reconcile.status import Reading, read_report
from tests.unit.reconcile.test_status import NOW, ORDERS, Bench, Files, restore


def failed_for_long(bench: Bench) -> None:
    """The newest success lies behind many failures."""
    bench.see("won", JobStatus.SUCCEEDED, -300)
    for number in range(3 * RECENT):
        bench.see(f"lost-{number}", JobStatus.FAILED, -200 + number)


def reset_often(bench: Bench) -> None:
    """Jobs that are no syncs say nothing of the data."""
    bench.see("won", JobStatus.SUCCEEDED, -300)
    for number in range(3 * RECENT):
        bench.see(f"reset-{number}", JobStatus.SUCCEEDED, -200 + number, JobKind.RESET)


def runs(bench: Bench) -> None:
    """One job is active."""
    bench.see("won", JobStatus.SUCCEEDED, -300)
    bench.see("now", JobStatus.RUNNING, -2)


def missed(bench: Bench) -> None:
    """Slots were missed, and one waits."""
    bench.record(-30, Outcome.MISSED, Reason.DEADLINE)
    bench.record(-20, Outcome.SKIPPED, Reason.ACTIVE)
    bench.claim(-1, Answer.UNKNOWN)


def nothing(_: Bench) -> None:
    """No job was seen, and no slot decided."""


@pytest.mark.parametrize("past", [failed_for_long, reset_often, runs, missed, nothing])
def test_the_table_of_a_brief_reading_is_the_table(past: Callable[[Bench], None]) -> None:
    """State, newest slot, newest success, next slot and why are the same; what the table does not show is not read."""
    bench = Bench()
    bench.take_in()
    past(bench)

    def report(*, brief: bool) -> str:
        files = Files({"orders.yaml": ORDERS})
        reading = Reading(bench.store, files, Restorers(restore), {"default": EMBEDDED}, NOW, brief=brief)
        found = asyncio.run(read_report(reading))
        assert bool(found.schedules[0].conditions) is not brief
        return overview(found, Paint(False))

    assert report(brief=True) == report(brief=False)
