"""The controller through the real adapter and HTTP client lives through exactly what it lives through at the platform port."""

from collections import Counter

import pytest

from controller.model.job import Job
from controller.simulation.faults import ON_POST, ON_READ, Fault, FaultKind, Severity
from controller.simulation.platforms import wire
from controller.simulation.platforms.wire import WiredPlatform
from controller.simulation.platforms.wire_rows import job_row
from controller.simulation.run import Result, simulate
from controller.simulation.scene import Scene, drawn_scene

AT_THE_PLATFORM = (
    *ON_POST,
    *ON_READ,
    FaultKind.QUOTA,
    FaultKind.OUTAGE,
    FaultKind.LIST_FAILS,
    FaultKind.LIST_LAG,
    FaultKind.CLOCK_SKEW,
    FaultKind.PAGE_SHIFT,
    FaultKind.STATUS_REGRESSION,
)
"""Every kind of fault that looks different at the port and on the wire."""

HOURS = 3


def crowded(severity: Severity) -> Scene:
    """A few hours with eight connections, so that listings have several pages."""
    return drawn_scene(f"http/{severity}", days=HOURS / 24, severity=severity, connections=8)


def every_fault() -> list[Fault]:
    """Each kind that concerns the platform, one after the other, some minutes apart, in two ways."""
    rows: list[Fault] = []
    for number, kind in enumerate((*AT_THE_PLATFORM, *AT_THE_PLATFORM, *ON_POST)):
        rows.append(Fault(300.0 + number * 250.0, kind, 60.0, (0.1, 0.9, 0.5)[number // len(AT_THE_PLATFORM)]))
    return rows


def in_both(scene: Scene, faults: list[Fault] | None = None) -> tuple[Result, Result]:
    """A scene at the port, and once more through HTTP."""
    return simulate(scene, faults), simulate(scene, faults, seen=WiredPlatform)


@pytest.mark.parametrize("severity", list(Severity))
def test_the_trace_is_the_same_through_http(severity: Severity) -> None:
    """Whatever goes wrong, the adapter tells it as the fake does, at the same instant, and the controller does the same."""
    at_port, through_http = in_both(crowded(severity))
    assert through_http.trace == at_port.trace
    assert through_http.verdict == at_port.verdict
    assert through_http.verdict.violations == ()
    assert through_http.posts > HOURS * 12


def test_every_fault_is_the_same_through_http() -> None:
    """Each fault of the platform, in each of its variants, looks the same from either side of the adapter."""
    at_port, through_http = in_both(crowded(Severity.STANDARD), every_fault())
    hits = Counter(kind for kind, _ in through_http.hits)
    assert [kind for kind in AT_THE_PLATFORM if not hits[kind]] == []
    assert through_http.trace == at_port.trace


def test_another_answer_makes_another_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """One job with another id on the wire is enough: equal traces are no accident."""

    def renamed(job: Job) -> dict[str, object]:
        row = job_row(job)
        return row | {"job_id": "job_other"} if job.job_id == "job_3" else row

    scene = drawn_scene("http/renamed", days=1 / 24, severity=Severity.NONE)
    at_port = simulate(scene)
    monkeypatch.setattr(wire, "job_row", renamed)
    assert simulate(scene, seen=WiredPlatform).trace != at_port.trace
