"""What people ask for: carried out once, refused loudly, and never twice."""

from datetime import timedelta

import pytest

from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from controller.model.job import JobStatus
from tests.fakes.platform import Behaviour, TriggerFault
from tests.scenario.stage import Stage, play

RARELY = 'schedules:\n  - every: 2h\n    anchor: "2026-01-01T00:00:00Z"\n'
SHORT = Behaviour(timedelta(seconds=4))
LONG = Behaviour(timedelta(minutes=5))


async def ask(stage: Stage, ref: ConnectionRef, action: Asked, key: str = "", seconds: float = 60) -> str:
    """Ask for something by hand, as a command does; returns its key."""
    now = stage.clock.now()
    stays = action in (Asked.SUSPEND, Asked.RESUME)
    key = key or f"{action} {now}"
    name = ref.connection_id.removeprefix("conn_")
    expires_at = None if stays else now + timedelta(seconds=seconds)
    asked = Request(key, ref, name, action, Source.BY_HAND, now, "ana", "a reason", expires_at=expires_at)
    await stage.store.ask([asked])
    return key


async def answer(stage: Stage, key: str) -> tuple[str, str]:
    """Where a request stands, and why."""
    request = await stage.store.request(key)
    assert request is not None
    return str(request.status), request.message


def declare(stage: Stage, name: str, action: str = "Sync", schedule: str = "orders", more: str = "") -> None:
    """Write the document of a request."""
    head = f"apiVersion: mainspring.dev/v1\nkind: SyncRequest\nmetadata: {{name: {name}}}\n"
    stage.texts[f"{name}.yaml"] = f"{head}spec: {{schedule: {schedule}, action: {action}{more}}}\n"
    stage.specs.set_texts(stage.texts)


def posts(stage: Stage) -> int:
    """How many POSTs left."""
    return len(stage.platform.calls_of("trigger_sync")) + len(stage.platform.calls_of("trigger_reset"))


def test_a_person_suspends_is_refused_resumes_triggers_and_cancels() -> None:
    """Each step is answered with who and why, a slot that is due in between is skipped, and the triggered job is no slot's."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", "schedules:\n  - every: 10m\n", LONG)
        await stage.start()
        await stage.run_for(5)
        before = (await stage.store.standings({ref: ()}))[ref].watermark
        await ask(stage, ref, Asked.SUSPEND, "suspend")
        await stage.run_for(3)
        await ask(stage, ref, Asked.TRIGGER, "refused")
        await stage.run_for(3)
        assert await answer(stage, "refused") == ("Refused", "Suspended: a reason (by ana)")
        await stage.run_for(600)
        assert await stage.words(ref) == ["Skipped(Suspended)"]
        await ask(stage, ref, Asked.RESUME, "resume")
        await stage.run_for(3)
        assert await answer(stage, "resume") == ("Done", "no longer suspended: a reason (by ana)")
        assert (await answer(stage, "suspend"))[0] == "Ended"
        decided = (await stage.store.standings({ref: ()}))[ref].watermark
        await ask(stage, ref, Asked.TRIGGER, "trigger")
        await stage.run_for(4)
        (job,) = stage.platform.jobs
        standing = (await stage.store.standings({ref: [job.job_id]}))[ref]
        assert standing.owns(job.job_id)
        assert standing.attributed[job.job_id].slot.is_request
        assert before is not None
        assert standing.watermark == decided
        assert await stage.words(ref) == ["Skipped(Suspended)"]
        await ask(stage, ref, Asked.TRIGGER, "second")
        await stage.run_for(4)
        assert await answer(stage, "second") == (
            "Refused",
            f"Active: {job.job_id} is still running",
        )
        await ask(stage, ref, Asked.CANCEL, "cancel")
        await stage.run_for(6)
        assert await answer(stage, "cancel") == ("Done", f"{job.job_id} is cancelled")

    stage = play(scenario)
    assert posts(stage) == 1
    (cancelled,) = stage.log.of(EventName.CANCEL_REQUESTED)
    assert (cancelled.fields["reason"], cancelled.fields["message"]) == ("Requested", "ana asked for it: a reason")
    (suspended,) = stage.log.of(EventName.SCHEDULE_SUSPENDED)
    assert (suspended.fields["asked_by"], suspended.fields["asked_because"]) == ("ana", "a reason")
    assert stage.log.of(EventName.SCHEDULE_RESUMED)
    assert not stage.log.of(EventName.PLAN_REFUSED)


def test_two_people_at_once_start_one_job() -> None:
    """The second meets the job of the first."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, LONG)
        await stage.start()
        await stage.run_for(5)
        await ask(stage, ref, Asked.TRIGGER, "one")
        await ask(stage, ref, Asked.TRIGGER, "two")
        await stage.run_for(6)
        assert {(await answer(stage, key))[0] for key in ("one", "two")} == {"Done", "Refused"}

    assert posts(play(scenario)) == 1


@pytest.mark.parametrize("fault", [TriggerFault.LOST_REPLY, TriggerFault.LOST_REQUEST])
def test_an_unknown_outcome_is_never_sent_again(fault: TriggerFault) -> None:
    """The job is adopted where there is one; else the request failed, although the spec would let a slot try again."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        await stage.start()
        await stage.run_for(5)
        stage.platform.script(fault)
        await ask(stage, ref, Asked.TRIGGER, "doubt")
        await stage.run_for(120)
        status, message = await answer(stage, "doubt")
        assert status == ("Done" if fault is TriggerFault.LOST_REPLY else "Failed"), message
        assert await stage.words(ref) == []

    assert posts(play(scenario)) == 1


def test_a_request_that_was_refused_by_the_platform_is_tried_until_it_expires() -> None:
    """A certain refusal makes no doubt; what expires is not carried out when the platform is well again."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        await stage.start()
        await stage.run_for(5)
        stage.platform.script(TriggerFault.NOT_CREATED)
        await ask(stage, ref, Asked.TRIGGER, "again")
        await stage.run_for(10)
        assert (await answer(stage, "again"))[0] == "Done"
        await stage.run_for(60)
        stage.platform.is_available = False
        await ask(stage, ref, Asked.TRIGGER, "late")
        await stage.run_for(70)
        stage.platform.is_available = True
        await stage.run_for(70)
        assert (await answer(stage, "late"))[0] == "Expired"

    assert len(play(scenario).platform.jobs) == 1


def test_a_document_is_carried_out_once_ever() -> None:
    """Not again after a crash, after it was deleted and restored, in another revision, or with a mended reason."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        declare(stage, "backfill", more=", reason: teh report")
        await stage.start()
        await stage.run_for(20)
        assert len(stage.platform.jobs) == 1
        await stage.crash()
        await stage.start()
        await stage.run_for(20)
        declare(stage, "backfill", more=", reason: the report")
        await stage.run_for(20)
        del stage.texts["backfill.yaml"]
        stage.specs.set_texts(stage.texts)
        await stage.run_for(20)
        declare(stage, "backfill", more=", reason: the report")
        await stage.run_for(20)
        (request,) = await stage.store.requests(ref, 10)
        assert (request.status, request.job_id) == (RequestStatus.DONE, stage.platform.jobs[0].job_id)
        declare(stage, "backfill-again")
        await stage.run_for(20)
        await stage.store.prune(stage.clock.now() + timedelta(days=400))
        declare(stage, "backfill", more=", reason: after the history was pruned")
        await stage.run_for(20)

    assert posts(play(scenario)) == 2


def test_a_document_waits_for_the_end_of_a_job_and_for_a_window() -> None:
    """A sync that a reviewed file asks for starts when nothing stands against it any more."""

    async def scenario(stage: Stage) -> None:
        window = "windows:\n  - deny: {cron: '0 12 * * *', duration: 10m}\n"
        ref = stage.schedule("orders", RARELY + window, SHORT)
        declare(stage, "backfill")
        await stage.start()
        await stage.run_for(500)
        assert posts(stage) == 0
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(130)
        assert posts(stage) == 1
        stage.edit("orders", RARELY)
        stage.platform.add_connection(ref.connection_id, LONG)
        stage.platform.start_foreign_job(ref.connection_id)
        await stage.run_for(10)
        declare(stage, "another")
        await stage.run_for(100)
        assert posts(stage) == 1
        await stage.run_for(300)

    assert posts(play(scenario)) == 2


def test_a_document_that_is_gone_withdraws_what_waits() -> None:
    """What nobody asks for any more is not done, and stays so when the file comes back."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        declare(stage, "later", more=', notBefore: "2026-03-02T12:05:00Z"')
        await stage.start()
        await stage.run_for(20)
        del stage.texts["later.yaml"]
        stage.specs.set_texts(stage.texts)
        await stage.run_for(20)
        declare(stage, "later", more=', notBefore: "2026-03-02T12:05:00Z"')
        await stage.run_for(400)
        (request,) = await stage.store.requests(ref, 10)
        assert request.status is RequestStatus.WITHDRAWN

    assert posts(play(scenario)) == 0


def test_two_documents_of_one_name_ask_for_nothing() -> None:
    """Nobody can tell which of them is meant, and what waits is not withdrawn for a file that cannot be read."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        declare(stage, "twice")
        stage.texts["again.yaml"] = str(stage.texts["twice.yaml"]).replace(
            "Sync}", 'Sync, notBefore: "2026-03-02T12:00:00Z"}'
        )
        declare(stage, "later", more=', notBefore: "2026-03-02T12:02:00Z"')
        await stage.start()
        await stage.run_for(20)
        assert [each.key.partition(":")[0] for each in await stage.store.requests(ref, 10)] == ["later"]
        del stage.texts["later.yaml"]
        stage.specs.set_texts(stage.texts | {"bad.yaml": "kind: {"})
        await stage.run_for(20)
        assert posts(stage) == 0
        await stage.run_for(120)

    assert posts(play(scenario)) == 1


EXPIRES = ', expiresAt: "2026-03-02T23:00:00Z"'


@pytest.mark.parametrize(
    ("allowed", "lines", "status", "why"),
    [
        (True, "", "Done", ""),
        (False, "", "Refused", "NotAllowed"),
        (True, "windows:\n  - deny: {cron: '0 12 * * *', duration: 10m}\n", "Refused", "WindowClosed"),
        (True, "suspend: true\n", "Refused", "Suspended"),
        (True, "mode: Observe\n", "Refused", "Observe"),
    ],
)
def test_a_reset_is_final_at_once(allowed: bool, lines: str, status: str, why: str) -> None:
    """It starts now where settings, window and schedule let it, and never later."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY + lines, SHORT)
        declare(stage, "reset", "Reset", more=EXPIRES)
        await stage.start(allow_resets=allowed)
        await stage.run_for(20)
        (request,) = await stage.store.requests(ref, 10)
        assert (str(request.status), request.message[: len(why)]) == (status, why)
        stage.edit("orders", RARELY)
        await stage.run_for(1200)

    stage = play(scenario)
    assert len(stage.platform.calls_of("trigger_reset")) == (1 if status == "Done" else 0)
    assert not stage.platform.calls_of("trigger_sync")


def test_no_sync_starts_beside_a_reset_and_its_doubt_is_about_resets() -> None:
    """A slot that falls due meanwhile meets the reset, and a reset whose reply was lost adopts no sync."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", "schedules:\n  - every: 1m\n", Behaviour(timedelta(seconds=90)))
        declare(stage, "reset", "Reset", more=EXPIRES)
        stage.platform.script(TriggerFault.LOST_REPLY)
        await stage.start(allow_resets=True)
        await stage.run_for(80)
        (request,) = await stage.store.requests(ref, 10)
        (job,) = stage.platform.jobs
        assert (request.status, request.job_id, str(job.kind)) == (RequestStatus.DONE, job.job_id, "reset")
        assert await stage.words(ref) == ["Skipped(Active)"]

    play(scenario)


def test_a_suspension_outlives_restart_and_edit_and_ends_by_itself() -> None:
    """It belongs to the connection, not to a version of the file."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", "schedules:\n  - every: 1m\n", SHORT)
        until = stage.clock.now() + timedelta(minutes=5)
        now = stage.clock.now()
        await stage.store.ask(
            [Request("s", ref, "orders", Asked.SUSPEND, Source.BY_HAND, now, "ana", "x", until=until)]
        )
        await stage.start()
        await stage.run_for(70)
        await stage.crash()
        stage.edit("orders", "schedules:\n  - every: 30s\n")
        await stage.start()
        await stage.run_for(220)
        assert set(await stage.words(ref)) == {"Skipped(Suspended)"}
        assert posts(stage) == 0
        await stage.run_for(60)

    assert posts(play(scenario)) >= 1


def test_what_stands_in_a_file_only_a_file_ends() -> None:
    """``resume`` names the place; and it lets a stalled schedule start again."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY + "suspend: {reason: moving}\n", SHORT)
        await stage.start()
        await stage.run_for(5)
        await ask(stage, ref, Asked.RESUME, "git")
        await stage.run_for(3)
        status, message = await answer(stage, "git")
        assert status == "Refused"
        assert "orders.yaml:" in message

    play(scenario)


def test_a_resume_ends_the_row_of_failures() -> None:
    """A trigger of a stalled schedule is refused before, and starts after."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule(
            "orders", "schedules:\n  - every: 1h\nfailureBudget: 1\n", Behaviour(timedelta(seconds=4), JobStatus.FAILED)
        )
        await stage.start()
        await stage.run_for(5)
        await ask(stage, ref, Asked.TRIGGER, "one")
        await stage.run_for(120)
        await ask(stage, ref, Asked.TRIGGER, "two")
        await stage.run_for(5)
        assert (await answer(stage, "two"))[1].startswith("Stalled")
        await ask(stage, ref, Asked.RESUME, "resume")
        await stage.run_for(5)
        await ask(stage, ref, Asked.TRIGGER, "three")
        await stage.run_for(5)
        assert (await answer(stage, "three"))[0] == "Done"

    assert posts(play(scenario)) == 2


def test_a_request_for_a_schedule_that_drives_another_connection_is_refused() -> None:
    """What is asked for by name must not hit what has another name now."""

    async def scenario(stage: Stage) -> None:
        ref = stage.schedule("orders", RARELY, SHORT)
        await stage.start()
        await stage.run_for(5)
        now = stage.clock.now()
        asked = Request("k", ref, "invoices", Asked.TRIGGER, Source.BY_HAND, now, expires_at=now + timedelta(minutes=1))
        await stage.store.ask([asked])
        await stage.run_for(5)
        assert (await answer(stage, "k"))[0] == "Refused"

    assert posts(play(scenario)) == 0
