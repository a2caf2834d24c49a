"""Two minutes of the demo's schedules with the controller killed ten times: every slot accounted for, none started twice."""

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.accounting import Rhythm, problems, records, tally
from tests.e2e.controller_process import controller_folder, let_run, stop
from tests.e2e.embedded_process import ROOT, PlatformProcess, start_platform

SEED = 20261124
KILLS = 10
SECONDS_BETWEEN = (6.0, 13.0)
SECONDS_DOWN = (0.0, 3.0)

FAULTS = ("lost-reply@0.05", "lost-request@0.02", "http-500@0.02")
"""Of all requests: the hard part is not the kill but the reply that is lost around it."""

OPEN_FOR = 25
"""Seconds in which a slot at the end of the run may still be in doubt: T_resolve of the embedded profile is 12."""

RHYTHMS = (
    Rhythm("conn_shop_orders", 5),
    Rhythm("conn_warehouse", 15),
    Rhythm("conn_clickstream", 10),
    Rhythm("conn_partner", 12),
    Rhythm("conn_crm", 20),
    Rhythm("conn_ledger", 15, 1767225607),
)


def all_jobs(platform: PlatformProcess) -> list[dict[str, Any]]:
    """The platform's own job list, every page of it."""
    jobs: list[dict[str, Any]] = []
    while True:
        page = platform.call(
            "GET", "/jobs", params={"limit": 100, "offset": len(jobs), "order_by": "createdAt|ASC"}
        ).json()
        jobs.extend(page["data"])
        if len(jobs) >= page["total"]:
            return jobs


def test_ten_kills_of_the_controller_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    """Through ten kill -9 at random moments every slot has one outcome with a reason, and every job belongs to one slot."""
    chance = random.Random(SEED)
    sample = ROOT / "controller" / "sample"
    shutil.copytree(sample / "data", tmp_path / "platform" / "data")
    platform = start_platform(
        tmp_path / "platform", (sample / "connections.yaml").read_text(), workers=4, faults=FAULTS
    )
    controller = controller_folder(tmp_path / "controller", platform, ROOT / "specs")
    try:
        for _ in range(KILLS):
            process = controller.start()
            let_run(chance.uniform(*SECONDS_BETWEEN))
            process.kill()
            process.wait()
            let_run(chance.uniform(*SECONDS_DOWN))
        process = controller.start()
        let_run(20)
        ended_at = datetime.now(UTC)  # noqa: TID251  the test stands outside the product
        assert stop(process) == 0
        jobs = all_jobs(platform)
    finally:
        platform.stop()

    print(tally(controller.store))
    assert problems(RHYTHMS, controller.store, jobs, ended_at, open_for=OPEN_FOR) == []

    outcomes = {(row.connection_id, row.outcome, row.reason) for row in records(controller.store)}
    assert ("conn_shop_orders", "Triggered", None) in outcomes
    assert ("conn_clickstream", "Skipped", "Active") in outcomes
    assert ("conn_ledger", "Skipped", "Suspended") in outcomes
    assert {job["status"] for job in jobs if job["connection_id"] == "conn_crm"} >= {"cancelled"}
    assert {job["status"] for job in jobs if job["connection_id"] == "conn_partner"} == {"failed"}
