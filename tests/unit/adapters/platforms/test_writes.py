"""What each answer to a POST or DELETE proves about the job, and how the request is sent."""

import asyncio
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controller.adapters.platforms.credentials import TokenFile
from controller.errors import (
    Busy,
    NotCreated,
    OutcomeUnknown,
    PlatformBusyElsewhere,
    PlatformError,
    PlatformUnavailable,
    Rejected,
)
from controller.model.job import Job, JobKind, JobStatus
from tests.unit.adapters.platforms.stubs import (
    ROOT,
    T0,
    TOKEN,
    UNLIMITED,
    Answer,
    Handler,
    Stub,
    answers,
    job_row,
    reply_json,
    run,
)

HASTY = replace(UNLIMITED, write_timeout=timedelta(milliseconds=20), read_timeout=timedelta(milliseconds=20))
MINIMAL = {"job_id": "job_7", "connection_id": "c1", "status": "pending", "job_type": "sync"}
AIRBYTE_BUSY = {"title": "try-again-later", "data": {"message": "A sync is Already Running for: c1"}}


def _trigger(stub: Stub) -> Job:
    return run(stub.platform().trigger_sync("c1"))


async def _never(_request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("woken")


def test_a_new_job_is_the_answer() -> None:
    """A 2xx with a job of the connection is that job."""
    job = _trigger(Stub(answers(reply_json(201, job_row(7, status="running")))))

    assert job == Job("job_7", "c1", JobKind.SYNC, JobStatus.RUNNING, T0 + timedelta(seconds=7))


def test_an_answer_without_a_start_takes_the_platforms_clock() -> None:
    """The documented short answer is enough; its job began when the platform answered."""
    when = {"date": "Mon, 02 Mar 2026 12:00:05 GMT"}
    documented = _trigger(Stub(answers(reply_json(200, MINIMAL, **when))))
    shortest = _trigger(Stub(answers(reply_json(200, {"jobId": 7}, **when))))

    assert documented == Job("job_7", "c1", JobKind.SYNC, JobStatus.PENDING, T0 + timedelta(seconds=5))
    assert shortest == Job("7", "c1", JobKind.SYNC, JobStatus.UNKNOWN, T0 + timedelta(seconds=5))


def test_one_post_with_the_wire_names_of_the_vendors_client() -> None:
    """The body is camelCase, the token is a bearer, and the connection is closed afterwards."""
    stub = Stub(answers(reply_json(200, MINIMAL)))
    _trigger(stub)

    (request,) = stub.requests
    assert (request.method, request.url.path) == ("POST", f"{ROOT}/jobs")
    assert json.loads(request.content) == {"connectionId": "c1", "jobType": "sync"}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.ConnectError("refused"), NotCreated),
        (httpx.ConnectTimeout("slow"), NotCreated),
        (httpx.PoolTimeout("full"), NotCreated),
        (httpx.Response(401), NotCreated),
        (httpx.Response(403), NotCreated),
        (httpx.Response(429), NotCreated),
        (httpx.Response(400), Rejected),
        (httpx.Response(404), Rejected),
        (httpx.Response(422), Rejected),
        (httpx.Response(409), Busy),
        (reply_json(400, AIRBYTE_BUSY), Busy),
        (reply_json(500, AIRBYTE_BUSY), Busy),
        (reply_json(502, AIRBYTE_BUSY), OutcomeUnknown),
        (httpx.WriteError("gone"), OutcomeUnknown),
        (httpx.WriteTimeout("slow"), OutcomeUnknown),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (httpx.ReadError("gone"), OutcomeUnknown),
        (httpx.RemoteProtocolError("half"), OutcomeUnknown),
        (OSError("gone"), OutcomeUnknown),
        (RuntimeError("a defect of a library"), OutcomeUnknown),
        (httpx.Response(408), OutcomeUnknown),
        (httpx.Response(500), OutcomeUnknown),
        (httpx.Response(503, headers={"retry-after": "9"}), OutcomeUnknown),
        (httpx.Response(504), OutcomeUnknown),
        (httpx.Response(307, headers={"location": "https://evil.test/"}), OutcomeUnknown),
        (httpx.Response(308, headers={"location": "/elsewhere"}), OutcomeUnknown),
        (httpx.Response(418), OutcomeUnknown),
        (httpx.Response(204), OutcomeUnknown),
        (httpx.Response(200, content=b"<html>"), OutcomeUnknown),
        (httpx.Response(200, content=b'{"job_id": "job_7"'), OutcomeUnknown),
        (reply_json(200, {"status": "pending"}), OutcomeUnknown),
        (reply_json(200, MINIMAL | {"connection_id": "c2"}), OutcomeUnknown),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_what_an_answer_proves(answer: Answer, outcome: type[PlatformError]) -> None:
    """Every answer has one class, whatever is not known to be harmless is unknown, and nothing is sent twice."""
    stub = Stub(answers(answer))

    with pytest.raises(PlatformError) as raised:
        _trigger(stub)

    assert type(raised.value) is outcome
    assert raised.value.__cause__ is None
    assert len(stub.requests) == 1
    assert stub.clock.slept == []


def test_our_own_deadline_leaves_the_outcome_unknown() -> None:
    """No answer in time may still be a job."""
    with pytest.raises(OutcomeUnknown, match="deadline"):
        _trigger(Stub(_never, HASTY))


def test_being_cancelled_is_not_an_outcome() -> None:
    """The caller's cancellation goes through, so that a shutdown is not mistaken for an answer."""

    async def cancelled() -> None:
        reached = asyncio.Event()

        async def never(request: httpx.Request) -> httpx.Response:
            reached.set()
            return await _never(request)

        task = asyncio.create_task(Stub(never).platform().trigger_sync("c1"))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())


def test_429_on_a_post_says_when_to_come_back_and_holds_everything_until_then() -> None:
    """The limit is the key's: while the pause lasts neither reads nor writes are sent."""
    stub = Stub(answers(httpx.Response(429, headers={"retry-after": "120"}), reply_json(200, MINIMAL)))

    async def during_and_after() -> None:
        platform = stub.platform()
        with pytest.raises(NotCreated) as refused:
            await platform.trigger_sync("c1")
        assert refused.value.retry_after == timedelta(seconds=120)
        stub.clock.advance(50)
        with pytest.raises(NotCreated) as held:
            await platform.trigger_sync("c1")
        assert held.value.retry_after == timedelta(seconds=70)
        with pytest.raises(PlatformBusyElsewhere) as unread:
            await platform.get_connection("c1")
        assert unread.value.retry_after == timedelta(seconds=70)
        with pytest.raises(PlatformBusyElsewhere):
            await platform.cancel_job("job_1")
        assert len(stub.requests) == 1
        stub.clock.advance(70)
        await platform.trigger_sync("c1")
        assert len(stub.requests) == 2

    run(during_and_after())


def test_401_on_a_post_reads_the_token_again_for_the_next_one(tmp_path: Path) -> None:
    """The POST is not repeated; the next one carries the file's new content even if its stat looks the same."""
    path = tmp_path / "token"
    path.write_text("old\n")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    token = TokenFile(path)
    stub = Stub(answers(httpx.Response(401), reply_json(200, MINIMAL)), credentials=token)

    async def twice() -> None:
        platform = stub.platform()
        with pytest.raises(NotCreated, match="HTTP 401"):
            await platform.trigger_sync("c1")
        path.write_text("new\n")
        os.utime(path, ns=times)
        await platform.trigger_sync("c1")

    run(twice())

    assert [request.headers["authorization"] for request in stub.requests] == ["Bearer old", "Bearer new"]


def test_without_a_token_nothing_is_sent(tmp_path: Path) -> None:
    """A missing token file is certainly no job, and the text names the file."""
    stub = Stub(answers(httpx.Response(200)), credentials=TokenFile(tmp_path / "missing"))

    with pytest.raises(NotCreated, match="missing cannot be read: No such file"):
        _trigger(stub)

    assert stub.requests == []


def test_reads_leave_a_share_of_the_budget_to_triggers() -> None:
    """When reads have used theirs a trigger still goes out; when that is used too it says when."""
    stub = Stub(answers(httpx.Response(404)), replace(UNLIMITED, requests_per_minute=10))

    async def spend() -> None:
        platform = stub.platform()
        for _ in range(9):
            await platform.get_connection("c1")
        with pytest.raises(PlatformBusyElsewhere, match="budget") as unread:
            await platform.get_connection("c1")
        assert timedelta(0) < unread.value.retry_after <= timedelta(seconds=61)
        with pytest.raises(Rejected):
            await platform.trigger_sync("c1")
        with pytest.raises(NotCreated, match="budget") as unsent:
            await platform.trigger_sync("c1")
        assert unsent.value.retry_after is not None
        stub.clock.advance(unsent.value.retry_after.total_seconds())
        with pytest.raises(Rejected):
            await platform.trigger_sync("c1")

    run(spend())
    assert len(stub.requests) == 11


@pytest.mark.parametrize("status", [200, 202, 204, 404, 409])
def test_a_cancel_that_was_taken_or_came_too_late_is_a_success(status: int) -> None:
    """One DELETE of one job; "no such job" and "not running" mean that it is over."""
    stub = Stub(answers(httpx.Response(status)))

    run(stub.platform().cancel_job("job/7"))

    (request,) = stub.requests
    assert (request.method, request.url.raw_path.decode()) == ("DELETE", f"{ROOT}/jobs/job%2F7")
    assert request.headers["connection"] == "close"


@pytest.mark.parametrize(
    "handler",
    [
        answers(httpx.Response(500)),
        answers(httpx.Response(401)),
        answers(httpx.Response(403)),
        answers(httpx.Response(302)),
        answers(httpx.ConnectError("refused")),
        answers(httpx.ReadTimeout("slow")),
        _never,
    ],
)
def test_any_other_answer_to_a_cancel_is_unavailable(handler: Handler) -> None:
    """A DELETE is not repeated in here."""
    stub = Stub(handler, HASTY)

    with pytest.raises(PlatformUnavailable) as raised:
        run(stub.platform().cancel_job("job_7"))

    assert type(raised.value) is PlatformUnavailable
    assert len(stub.requests) == 1


def test_429_on_a_cancel_says_when_to_come_back() -> None:
    """The pause is handed on, with its default when the platform names none."""
    with pytest.raises(PlatformBusyElsewhere) as raised:
        run(Stub(answers(httpx.Response(429))).platform().cancel_job("job_7"))

    assert raised.value.retry_after == timedelta(seconds=60)


@pytest.mark.parametrize("job_id", ["", ".", "..", "x" * 300])
def test_an_id_that_is_no_segment_of_a_path_is_never_sent(job_id: str) -> None:
    """An id must not turn a DELETE of a job into one of something else."""
    stub = Stub(answers(httpx.Response(204)))

    with pytest.raises(PlatformUnavailable, match="cannot stand in an address"):
        run(stub.platform().cancel_job(job_id))

    assert stub.requests == []
