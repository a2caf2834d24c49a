"""The embedded platform when it is told to misbehave: limits, lost requests and replies, delays, a list that lags."""

import time
from typing import Any

import httpx
import pytest

from tests.e2e.embedded_process import PlatformProcess, Start, error_of, wait_for

CONNECTIONS = """
connections:
  - connectionId: quick
    source: {type: generator, rows: 3}
    destination: {path: out/quick.db, table: quick}
"""
TRIGGER = {"connection_id": "quick", "job_type": "sync"}


def test_a_rate_limit_refuses_with_retry_after(start: Start) -> None:
    """Beyond the limit every request is a 429 that says when to come back, and nothing is done."""
    platform = start(CONNECTIONS, options=["--requests-per-minute", "3"])
    remaining = [platform.call("GET", "/jobs").headers["x-ratelimit-remaining-requests"] for _ in range(3)]
    assert remaining == ["2", "1", "0"]
    answer = platform.call("POST", "/jobs", json=TRIGGER)
    assert (answer.status_code, error_of(answer)["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["x-ratelimit-limit-requests"] == "3"


@pytest.mark.parametrize(
    ("fault", "status", "is_done"),
    [
        ("lost-request@0.5", None, False),
        ("lost-reply@0.5", None, True),
        ("http-500@0.5", 500, False),
        ("http-429=120s@0.5", 429, False),
    ],
)
def test_a_fault_meets_its_share_of_requests(start: Start, fault: str, status: int | None, *, is_done: bool) -> None:
    """A client cannot tell a lost request from a lost reply, but in the job list they differ; a refused one has done nothing."""
    platform = start(CONNECTIONS, faults=[fault], options=["--fault-seed", "0"])
    succeeded = 0
    while (answer := ask(platform, "POST", "/jobs", json=TRIGGER)) is not None and answer.status_code == 200:
        succeeded += 1
        wait_for(lambda: jobs_of(platform), lambda jobs: jobs is not None and jobs[-1]["status"] == "succeeded")
    assert succeeded > 0, "the seed's first request must not be the one that meets the fault"
    assert (answer and answer.status_code) == status
    if answer is not None:
        assert error_of(answer)["status"] == status
        assert answer.headers.get("retry-after") == ("120" if status == 429 else None)
    jobs = wait_for(lambda: jobs_of(platform), lambda found: found is not None)
    assert len(jobs or []) == succeeded + is_done


def ask(platform: PlatformProcess, method: str, path: str, **rest: Any) -> httpx.Response | None:
    """Return the answer, or None when the connection broke instead."""
    try:
        return platform.call(method, path, **rest)
    except httpx.TransportError:
        return None


def jobs_of(platform: PlatformProcess) -> list[Any] | None:
    """Return all jobs, or None when this request met the fault."""
    answer = ask(platform, "GET", "/jobs", params={"limit": 100})
    return None if answer is None or answer.status_code != 200 else list(answer.json()["data"])


def test_a_delay_is_a_delay(start: Start) -> None:
    """A delayed request is answered as ever, only late."""
    platform = start(CONNECTIONS, faults=["delay=300ms"])
    began = time.perf_counter()
    assert platform.call("GET", "/jobs").status_code == 200
    assert time.perf_counter() - began >= 0.3


def test_an_answer_does_not_wait_for_the_network(start: Start) -> None:
    """Without a fault an answer takes milliseconds: header and body do not wait for an acknowledgement (40 ms) of each other."""
    platform = start(CONNECTIONS)

    def measure() -> float:
        began = time.perf_counter()
        assert platform.call("GET", "/jobs").status_code == 200
        return time.perf_counter() - began

    assert min(measure() for _ in range(20)) < 0.03


def test_a_lagging_list_hides_new_jobs_for_a_while(start: Start) -> None:
    """A new job can be read by its id at once, and appears in the list only after the lag."""
    platform = start(CONNECTIONS, faults=["list-lag=1s"])
    began = time.perf_counter()
    job_id = platform.trigger("quick")
    assert platform.call("GET", "/jobs").json() == {"data": [], "total": 0}
    assert platform.job(job_id)["job_id"] == job_id
    wait_for(lambda: platform.call("GET", "/jobs").json()["total"], lambda total: total == 1)
    assert time.perf_counter() - began >= 1.0
