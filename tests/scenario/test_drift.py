"""Somebody changes a connection on the platform: what is done about it, once, and what is left alone."""

from datetime import timedelta
from itertools import pairwise

import pytest

from controller.decide.check import check_plan
from controller.model.connection import ConnectionStatus, PlatformScheduleKind
from controller.model.event import EventName
from controller.model.plan import CorrectConnection, NoteDrift
from controller.model.profile import AITRONOS
from controller.model.record import Reason
from controller.reconcile.preview import preview
from tests.fakes.platform import Behaviour, UpdateFault
from tests.scenario.stage import Stage, play

CRON, MANUAL = PlatformScheduleKind.CRON, PlatformScheduleKind.MANUAL
ACTIVE, INACTIVE = ConnectionStatus.ACTIVE, ConnectionStatus.INACTIVE
DAILY = "0 0 12 * * ? UTC"
ENFORCED = "schedules:\n  - every: 30s\ndrift: {platformSchedule: Enforce, connectionStatus: Enforce}"
WARNED = "schedules:\n  - every: 30s"
IGNORED = "schedules:\n  - every: 30s\ndrift: {platformSchedule: Ignore, connectionStatus: Ignore}"
NAME = "conn_orders"


def told(stage: Stage, *names: EventName) -> list[str]:
    """Which of these events there were, in order."""
    return [str(event.name) for event in stage.log.events if event.name in names]


DRIFT_EVENTS = (
    EventName.DRIFT_DETECTED,
    EventName.DRIFT_CORRECTED,
    EventName.DRIFT_ENDED,
    EventName.CORRECTION_FAILED,
    EventName.FIGHT_DETECTED,
)


def patches(stage: Stage) -> int:
    """Changes of connections that were asked for."""
    return len(stage.platform.calls_of("update_connection"))


@pytest.mark.parametrize("field", ["schedule", "status"])
@pytest.mark.parametrize("lag", [0, 45])
def test_drift_is_corrected_once_and_slots_go_on(field: str, lag: int) -> None:
    """One PATCH, whatever old state listings still show after it; the slot that was due meanwhile starts after it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", ENFORCED)
        stage.platform.connection_lag = timedelta(seconds=lag)
        await stage.start()
        await stage.run_for(50)
        if field == "schedule":
            stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        else:
            stage.platform.edit(NAME, status=INACTIVE)
        await stage.run_for(150)

        assert set(await stage.words(ref)) == {"Triggered"}

    stage = play(scenario)
    shown = stage.platform.settings(NAME)
    assert (shown.schedule_kind, shown.status, patches(stage)) == (MANUAL, ACTIVE, 1)
    assert told(stage, *DRIFT_EVENTS) == ["drift_detected", "drift_corrected", "drift_ended"]


def test_both_fields_are_set_with_one_request() -> None:
    """One write per connection and cycle, with all that differs."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", ENFORCED)
        stage.platform.edit(NAME, kind=CRON, expression=DAILY, status=INACTIVE)
        await stage.start()
        await stage.run_for(60)

    stage = play(scenario)
    assert (patches(stage), stage.platform.settings(NAME).status) == (1, ACTIVE)
    assert stage.platform.jobs


@pytest.mark.parametrize("fault", [UpdateFault.LOST_REPLY, UpdateFault.LOST_REQUEST])
def test_a_lost_answer_is_looked_after_before_anything_is_asked_again(fault: UpdateFault) -> None:
    """What was executed is seen, and not asked again; what was not is asked once more, after the settle time."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", ENFORCED)
        stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        stage.platform.update_faults.append(fault)
        await stage.start()
        await stage.run_for(120)

    stage = play(scenario)
    calls = stage.platform.calls_of("update_connection")
    assert stage.platform.settings(NAME).schedule_kind is MANUAL
    assert len(calls) == (1 if fault is UpdateFault.LOST_REPLY else 2)
    if len(calls) == 2:
        assert calls[1].at - calls[0].at >= stage.profile.resolve_after


@pytest.mark.parametrize("fault", [UpdateFault.REJECTED, UpdateFault.LOCKED])
def test_a_refused_correction_is_asked_again_with_longer_and_longer_pauses(fault: UpdateFault) -> None:
    """A platform that lets nobody change a connection is not asked every second, and refusals are no fight."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", ENFORCED)
        stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        stage.platform.update_faults.extend([fault] * 100)
        await stage.start()
        await stage.run_for(1_000)

        assert "Triggered" not in await stage.words(ref)
        assert stage.platform.calls_of("trigger_sync") == ()

    stage = play(scenario)
    gaps = [call.at for call in stage.platform.calls_of("update_connection")]
    minutes = [round((b - a).total_seconds() / 60) for a, b in pairwise(gaps)]
    assert minutes == [1, 2, 4, 8]
    assert EventName.FIGHT_DETECTED not in {event.name for event in stage.log.events}


def test_under_warn_nothing_is_written_and_nothing_starts_until_it_is_manual() -> None:
    """The hold is told while nothing is due; the slots end as DoubleScheduled; a person ends it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", WARNED)
        stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        await stage.start()
        await stage.run_for(20)
        assert [event.fields["reason"] for event in stage.log.of(EventName.SCHEDULE_HELD)] == [Reason.DOUBLE_SCHEDULED]
        await stage.run_for(80)
        assert set(await stage.words(ref)) == {"Skipped(DoubleScheduled)", "Held(DoubleScheduled)"}
        stage.platform.edit(NAME, kind=MANUAL)
        await stage.run_for(60)
        assert (await stage.words(ref))[-1] == "Triggered"

    stage = play(scenario)
    assert patches(stage) == 0
    assert told(stage, *DRIFT_EVENTS) == ["drift_detected", "drift_ended"]
    assert len(stage.log.of(EventName.SCHEDULE_RELEASED)) == 1


@pytest.mark.parametrize("kind", [CRON, PlatformScheduleKind.UNKNOWN])
def test_what_is_ignored_or_not_understood_is_triggered_beside(kind: PlatformScheduleKind) -> None:
    """``Ignore`` starts beside the platform's schedule; one that is not understood is no drift, under any policy."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", IGNORED if kind is CRON else ENFORCED)
        stage.platform.edit(NAME, kind=kind, expression="whatever")
        await stage.start()
        await stage.run_for(100)

        assert set(await stage.words(ref)) == {"Triggered"}

    stage = play(scenario)
    assert (patches(stage), told(stage, *DRIFT_EVENTS)) == (0, [])


def test_a_suspended_schedule_pauses_its_connection_and_resumes_it() -> None:
    """``connectionStatus: Enforce`` follows the spec's own suspension, both ways."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", f"{ENFORCED}\nsuspend: {{reason: moving}}")
        await stage.start()
        await stage.run_for(30)
        assert (stage.platform.settings(NAME).status, patches(stage)) == (INACTIVE, 1)
        stage.edit("orders", ENFORCED)
        await stage.run_for(60)
        assert (stage.platform.settings(NAME).status, patches(stage)) == (ACTIVE, 2)
        assert stage.platform.jobs

    play(scenario)


@pytest.mark.parametrize("status", [ConnectionStatus.LOCKED, ConnectionStatus.DELETED, ConnectionStatus.UNKNOWN])
def test_a_status_of_the_platforms_own_is_never_written(status: ConnectionStatus) -> None:
    """Whatever the spec says."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", ENFORCED)
        stage.platform.edit(NAME, status=status)
        await stage.start()
        await stage.run_for(100)

    assert patches(play(scenario)) == 0


async def set_back(stage: Stage, seconds: int, every: int = 5) -> None:
    """Somebody looks every few seconds, and sets the schedule back."""
    for _ in range(0, seconds, every):
        await stage.run_for(every)
        if stage.platform.settings(NAME).schedule_kind is MANUAL:
            stage.platform.edit(NAME, kind=CRON, expression=DAILY)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_fight_stops_and_stays_stopped(restarts: bool) -> None:
    """After six corrections in an hour somebody else is left to it, also by the next process, and nothing is triggered beside it."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", ENFORCED)
        await stage.start()
        await set_back(stage, 600)
        assert patches(stage) == 6
        if restarts:
            await stage.crash()
            await stage.start()
        jobs = len(stage.platform.jobs)
        await set_back(stage, 4_000)
        assert (patches(stage), len(stage.platform.jobs)) == (6, jobs)
        assert (await stage.words(ref))[-2] == "Skipped(DoubleScheduled)"
        standing = (await stage.store.standings({ref: ()}))[ref]
        assert [drift.fighting_since is not None for drift in standing.drifts.values()] == [True]

    stage = play(scenario)
    assert told(stage, EventName.FIGHT_DETECTED) == ["fight_detected"]


@pytest.mark.parametrize("way", ["calm", "edit"])
def test_a_fight_ends(way: str) -> None:
    """With an hour in which the field was as desired, or with another spec; then drift is corrected again."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", ENFORCED)
        await stage.start()
        await set_back(stage, 600)
        if way == "calm":
            stage.platform.edit(NAME, kind=MANUAL)
            await stage.run_for(3_500)
            assert (await stage.words(ref))[-2] == "Skipped(DoubleScheduled)"
            await stage.run_for(200)
            assert (await stage.words(ref))[-2] == "Triggered"
            stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        else:
            stage.edit("orders", f"{ENFORCED}\noverlap: Queue")
        await stage.run_for(60)
        assert (patches(stage), stage.platform.settings(NAME).schedule_kind) == (7, MANUAL)

    play(scenario)


@pytest.mark.parametrize("restarts", [False, True])
def test_where_looks_are_rare_four_in_a_row_are_a_fight(restarts: bool) -> None:
    """At ten minutes between looks nobody reaches six an hour: corrections at four looks in a row are the last ones."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", ENFORCED.replace("30s", "6h"), Behaviour(timedelta(seconds=20)))
        await stage.start()
        await set_back(stage, 1_500, 60)
        if restarts:
            await stage.stop()
            await stage.start()
        await set_back(stage, 9_000, 60)

    stage = play(scenario, profile=AITRONOS)
    assert patches(stage) == 4
    assert told(stage, EventName.FIGHT_DETECTED) == ["fight_detected"]


def test_drift_now_and_then_is_no_fight() -> None:
    """At every second look only, for hours: each is corrected."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", ENFORCED.replace("30s", "6h"), Behaviour(timedelta(seconds=20)))
        await stage.start()
        for _ in range(8):
            await stage.run_for(1_500)
            stage.platform.edit(NAME, kind=CRON, expression=DAILY)
            await stage.run_for(1_500)

    stage = play(scenario, profile=AITRONOS)
    assert (patches(stage), told(stage, EventName.FIGHT_DETECTED)) == (8, [])


def test_a_freeze_keeps_connections_as_they_are() -> None:
    """A frozen schedule writes nothing; what differs is told, and corrected when the freeze ends."""

    async def scenario(stage: Stage) -> None:
        stage.texts["policy.yaml"] = (
            "apiVersion: mainspring.dev/v1\nkind: SyncPolicy\nmetadata: {name: stop}\n"
            'spec:\n  selector: {}\n  freeze: {reason: incident, until: "2026-03-02T12:05:00Z"}\n'
        )
        stage.schedule("orders", ENFORCED)
        stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        await stage.start()
        await stage.run_for(280)
        assert (patches(stage), told(stage, *DRIFT_EVENTS)) == (0, ["drift_detected"])
        await stage.run_for(60)
        assert patches(stage) == 1

    play(scenario)


def test_a_preview_shows_the_correction_that_the_next_cycle_makes() -> None:
    """``plan`` reads a connection by id as the controller would, and writes nothing."""

    async def scenario(stage: Stage) -> None:
        stage.schedule("orders", ENFORCED)
        await stage.start()
        await stage.run_for(20)
        await stage.stop()
        stage.platform.edit(NAME, kind=CRON, expression=DAILY)
        shown = await preview(stage.world())
        known, plan = shown.known, shown.plan

        assert check_plan(known, plan) == {}
        assert [type(action) for action in plan.actions] == [NoteDrift, CorrectConnection]
        assert patches(stage) == 0

    play(scenario)
