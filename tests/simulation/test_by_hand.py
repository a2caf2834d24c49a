"""People in the simulation: what they do by hand breaks no promise, and a controller that minds none of it is found."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.decide import check, planner
from controller.model.event import Event, EventName
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import JobKind, JobStatus
from controller.model.record import Claim
from controller.reconcile import gather
from controller.simulation.chronicle import Claimed, Post, TrueJob
from controller.simulation.faults import Fault, FaultKind, Severity
from controller.simulation.judge.by_hand import asked_twice
from controller.simulation.judge.evidence import Evidence
from controller.simulation.platforms.wire import WiredPlatform
from controller.simulation.run import Result, simulate
from controller.simulation.scene import Scene, aligned_scene

FIRST = 0.1
"""What a fault chooses to be about the first connection."""


def scene_with(drift: str, hours: float = 2.0) -> Scene:
    """Two calm hours in which all specs say the same of drift, and nothing else but when."""
    scene = aligned_scene("people", days=hours / 24, severity=Severity.NONE)
    files = {path: content.split(b"  overlap")[0] + drift.encode() for path, content in scene.files.items()}
    return replace(scene, files=files)


def lived(scene: Scene, faults: Sequence[Fault]) -> tuple[Result, list[Event], Evidence]:
    """What a simulation came to, what it told, and what was found."""
    events, found = list[Event](), list[Evidence]()
    result = simulate(scene, faults, events.append, inspect=found.append)
    return result, events, found[0]


def foreign(evidence: Evidence, connection_id: str = "conn_s0") -> list[TrueJob]:
    """Jobs of a connection that no controller asked for."""
    jobs = evidence.chronicle.jobs.values()
    return [job for job in jobs if job.post is None and job.ref.connection_id == connection_id]


@pytest.mark.parametrize("policy", ["Enforce", "Warn", "Ignore"])
def test_a_schedule_of_the_platforms_own_is_seen_and_treated_as_the_spec_says(policy: str) -> None:
    """Enforced, it is taken away at once; warned about, nothing starts beside it; ignored, both run."""
    scene = scene_with(f"  drift: {{platformSchedule: {policy}, foreignJobs: Ignore}}\n")
    result, events, evidence = lived(scene, [Fault(30, FaultKind.SCHEDULE_SET, 6000, FIRST)])
    names = {event.name for event in events}
    words = [str(record.word) for record in evidence.records[ConnectionRef("default", "conn_s0")]]
    assert result.verdict.violations == ()
    assert (len(foreign(evidence)) > 3) == (policy != "Enforce")
    assert (EventName.DRIFT_CORRECTED in names) == (policy == "Enforce")
    assert (words.count("Skipped(DoubleScheduled)") + words.count("Held(DoubleScheduled)") > 2) == (policy == "Warn")


def test_a_connection_that_is_switched_off_starts_nothing_until_it_is_on() -> None:
    """Somebody switches it off for more than a slot; what is due meanwhile is skipped for that, or misses its window."""
    result, _, evidence = lived(
        scene_with("  drift: {connectionStatus: Warn}\n"), [Fault(30, FaultKind.STATUS_SET, 4000, FIRST)]
    )
    assert result.verdict.violations == ()
    words = {str(record.word) for record in evidence.records[ConnectionRef("default", "conn_s0")]}
    assert words == {"Triggered", "Skipped(ConnectionInactive)"}


def test_what_people_ask_for_is_done_once_by_hand_and_by_document() -> None:
    """A trigger, a sync and a reset are one job each; a suspension stops the slots until it is lifted."""
    faults = [
        Fault(890, FaultKind.ASKED_TRIGGER, 0, FIRST),
        Fault(1000, FaultKind.REQUEST_FILED, 600, 0.2001),
        Fault(2690, FaultKind.ASKED_SUSPEND, 1700, FIRST),
        Fault(3000, FaultKind.REQUEST_FILED, 4000, 0.4113),
    ]
    result, _, evidence = lived(scene_with(""), faults)
    requested = [
        job
        for job in evidence.chronicle.jobs.values()
        if job.post is not None and job.post.claim is not None and job.post.claim.claim.request
    ]
    assert result.verdict.violations == ()
    assert sorted(str(job.kind) for job in requested) == ["reset", "sync", "sync"]
    words = [str(record.word) for record in evidence.records[ConnectionRef("default", "conn_s0")]]
    # The third one is due when the resumption is read: a simulated controller looks for requests once an hour, or with a slot.
    assert words.count("Skipped(Suspended)") == 3


def test_people_are_the_same_through_http() -> None:
    """Edits, the jobs of the platform's own schedule, and resets: the same trace from either side of the adapter."""
    kinds = (FaultKind.SCHEDULE_SET, FaultKind.STATUS_SET, FaultKind.REQUEST_FILED, FaultKind.ASKED_TRIGGER)
    faults = [Fault(100.0 + 500 * n, kinds[n % 4], 900, 0.05 + n * 0.618034 % 0.9) for n in range(14)]
    scene = aligned_scene("people/http", days=1 / 12, severity=Severity.NONE)
    at_port, through_http = simulate(scene, faults), simulate(scene, faults, seen=WiredPlatform)
    assert through_http.trace == at_port.trace
    assert through_http.verdict.violations == ()
    assert {kind for kind, _ in through_http.hits} == set(kinds)


def test_starts_beside_the_platforms_own_schedule_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner without that rule, and a check that lets it pass, break S10."""
    rules = tuple(rule for rule in planner.RULES if rule.__name__ != "double_scheduled")
    monkeypatch.setattr(planner, "RULES", rules)
    monkeypatch.setattr(planner.judge, "__defaults__", (rules,))
    monkeypatch.setattr(check, "drives_beside", lambda *_: None)
    result, _, _ = lived(scene_with(""), [Fault(30, FaultKind.SCHEDULE_SET, 6000, FIRST)])
    assert any("S10" in text and "was shown to run it" in text for text in result.verdict.violations)


def test_starts_of_what_was_suspended_by_hand_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller that does not ask the store for suspensions breaks S10."""
    monkeypatch.setattr(gather, "as_suspended", lambda spec, _: spec)
    result, _, _ = lived(scene_with(""), [Fault(30, FaultKind.ASKED_SUSPEND, 4000, FIRST)])
    assert any("S10" in text and "suspended by hand" in text for text in result.verdict.violations)


def test_a_request_that_made_two_jobs_is_found() -> None:
    """By whatever claims, and also one of another kind than was asked for."""
    at = datetime(2026, 3, 2, 12, 0, 0, 1, tzinfo=UTC)
    ref = ConnectionRef("default", "conn_a")

    def job(number: int, kind: JobKind) -> TrueJob:
        slot = SlotKey(ref, at + timedelta(seconds=number))
        claim = Claim(ClaimKey(slot, 0), 1, at, frozenset(), "a", request="again:1", kind=JobKind.SYNC)
        post = Post(ref, 1, at, Claimed(claim, 1, at, at))
        return TrueJob(f"job_{number}", ref, kind, at, at, JobStatus.SUCCEEDED, at, post)

    assert list(asked_twice([job(1, JobKind.SYNC)])) == []
    assert [text[:3] for text in asked_twice([job(1, JobKind.SYNC), job(2, JobKind.SYNC)])] == ["S1a"]
    assert [text[:2] for text in asked_twice([job(1, JobKind.RESET)])] == ["S6"]
