"""Reads: what is repeated, what is waited for, and what absence means."""

import asyncio
import logging
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controller.adapters.platforms.aitronos import AitronosOptions, AitronosPlatform
from controller.adapters.platforms.credentials import TokenFile, TokenValue
from controller.adapters.platforms.http import RESPONSE_BYTES_MAX
from controller.errors import PlatformBusyElsewhere, PlatformUnavailable, SettingsInvalid
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from tests.unit.adapters.platforms.stubs import (
    TOKEN,
    UNLIMITED,
    Answer,
    ManualClock,
    Stub,
    answers,
    job_row,
    reply_json,
    run,
)

FOUND = reply_json(200, {"connection_id": "c1", "name": "Orders", "status": "active", "schedule": None})
HASTY = replace(UNLIMITED, read_timeout=timedelta(milliseconds=20))


def _get(stub: Stub) -> Connection | None:
    return run(stub.platform().get_connection("c1"))


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("gone"),
        httpx.RemoteProtocolError("half"),
        OSError("gone"),
        httpx.Response(408),
        httpx.Response(500),
        httpx.Response(503),
    ],
)
def test_a_read_is_tried_three_times(fault: Answer) -> None:
    """Network failures, 5xx and 408 pass often; a read may be repeated, after half a second and a second."""
    stub = Stub(answers(fault, fault, FOUND))

    assert _get(stub) is not None
    assert stub.clock.slept == [0.5, 1.0]


def test_a_read_that_fails_three_times_is_unavailable() -> None:
    """There is no fourth try."""
    stub = Stub(answers(httpx.Response(502)))

    with pytest.raises(PlatformUnavailable, match="HTTP 502"):
        _get(stub)

    assert len(stub.requests) == 3


def test_the_deadline_holds_for_each_request() -> None:
    """A platform that accepts and says nothing costs three deadlines, not forever."""

    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("woken")

    stub = Stub(never, HASTY)

    with pytest.raises(PlatformUnavailable, match="deadline"):
        _get(stub)

    assert len(stub.requests) == 3


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "120"}, 120),
        (429, {"retry-after": "1.5"}, 1.5),
        (429, {"x-ratelimit-retry-after": "7"}, 7),
        (429, {"retry-after": "Mon, 02 Mar 2026 12:02:00 GMT"}, 120),
        # Against the platform's own clock, which is 100 s ahead of ours here.
        (429, {"retry-after": "Mon, 02 Mar 2026 12:02:00 GMT", "date": "Mon, 02 Mar 2026 12:01:40 GMT"}, 20),
        (429, {}, 60),
        (429, {"retry-after": "soon"}, 60),
        (429, {"retry-after": "0"}, 1),
        (429, {"retry-after": "Mon, 02 Mar 2020 12:02:00 GMT"}, 1),
        (429, {"retry-after": "999999999"}, 86_400),
        (503, {"retry-after": "30"}, 30),
    ],
)
def test_a_platform_that_asks_for_a_pause_is_obeyed_at_once(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    """There is no retry, and nothing is sent until the time is over, within a second and a day."""
    stub = Stub(answers(httpx.Response(status, headers=headers), FOUND))

    async def pause() -> None:
        platform = stub.platform()
        for left in (seconds, 0.5):
            with pytest.raises(PlatformBusyElsewhere) as raised:
                await platform.get_connection("c1")
            assert raised.value.retry_after == timedelta(seconds=left)
            stub.clock.advance(left - 0.5)
        stub.clock.advance(0.5)
        assert await platform.get_connection("c1") is not None

    run(pause())
    assert len(stub.requests) == 2
    assert stub.clock.slept == []


def test_a_refused_token_is_read_again_once(tmp_path: Path) -> None:
    """After 401 the file is read again even if it looks unchanged, and the read is repeated with what it holds."""
    path = tmp_path / "token"
    path.write_text("old")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)

    def accept_new(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer new":
            return FOUND
        path.write_text("new")
        os.utime(path, ns=times)
        return httpx.Response(401)

    stub = Stub(accept_new, credentials=TokenFile(path))

    assert _get(stub) is not None
    assert len(stub.requests) == 2


def test_a_token_that_stays_refused_is_unavailable() -> None:
    """Two refusals are an answer."""
    stub = Stub(answers(httpx.Response(401)))

    with pytest.raises(PlatformUnavailable, match="HTTP 401"):
        _get(stub)

    assert len(stub.requests) == 2


@pytest.mark.parametrize("status", [403, 404])
def test_an_unknown_connection_is_none(status: int) -> None:
    """Not there and not shown look the same from here."""
    assert _get(Stub(answers(httpx.Response(status)))) is None


@pytest.mark.parametrize("status", [301, 400, 409, 422])
def test_other_refusals_are_not_absence(status: int) -> None:
    """Only 403 and 404 say that there is no such connection; redirects are not followed."""
    stub = Stub(answers(httpx.Response(status, headers={"location": "https://evil.test/"})))

    with pytest.raises(PlatformUnavailable):
        _get(stub)

    assert len(stub.requests) == 1


def test_an_answer_beyond_all_measure_is_unavailable() -> None:
    """Memory stays bounded, whatever is sent."""
    stub = Stub(lambda _request: httpx.Response(200, content=b" " * (RESPONSE_BYTES_MAX + 1)))

    with pytest.raises(PlatformUnavailable, match="DecodingError"):
        _get(stub)


def test_jobs_are_read_by_id_and_unknown_ones_are_absent() -> None:
    """403, 404 and 409 all mean that the platform does not show the job; each id is asked for once."""
    statuses = {"1": 200, "2": 403, "3": 404, "4": 409, "5": 200}

    def by_id(request: httpx.Request) -> httpx.Response:
        number = request.url.path.rpartition("_")[2]
        return reply_json(statuses[number], job_row(int(number)))

    stub = Stub(by_id)
    jobs = run(stub.platform().get_jobs([f"job_{n}" for n in (5, 4, 3, 2, 1, 1)]))

    assert {key: job.job_id for key, job in jobs.items()} == {"job_1": "job_1", "job_5": "job_5"}
    assert len(stub.requests) == 5


def test_at_most_two_jobs_are_read_at_once() -> None:
    """The platform serves everybody from a few threads."""
    under_way: list[int] = []
    peaks: list[int] = []

    async def slow(request: httpx.Request) -> httpx.Response:
        under_way.append(1)
        peaks.append(len(under_way))
        others_turn = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(others_turn.set_result, None)
        await others_turn
        under_way.pop()
        return reply_json(200, job_row(int(request.url.path.rpartition("_")[2])))

    run(Stub(slow).platform().get_jobs([f"job_{n}" for n in range(6)]))

    assert max(peaks) == 2


def test_one_failed_read_fails_them_all() -> None:
    """A job that could not be read is not absent; the plain error comes out, not a group of them."""
    with pytest.raises(PlatformUnavailable, match="HTTP 500"):
        run(Stub(answers(httpx.Response(500))).platform().get_jobs(["job_1", "job_2", "job_3"]))


def test_a_job_under_another_id_is_refused() -> None:
    """What is concluded about a job rests on its own record."""
    with pytest.raises(PlatformUnavailable, match="another job"):
        run(Stub(answers(reply_json(200, job_row(2)))).platform().get_jobs(["job_1"]))


def _connections(total: int, cap: int, *, pages: bool = True, says_total: bool = True) -> Stub:
    rows = [{"connectionId": f"c{n}", "name": f"n{n}", "status": "active"} for n in range(total)]

    def serve(request: httpx.Request) -> httpx.Response:
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        page = rows[offset : offset + min(limit, cap)] if pages else rows
        return reply_json(200, {"data": page} | ({"total": total} if says_total else {}))

    return Stub(serve)


@pytest.mark.parametrize(
    "stub",
    [
        _connections(25, 100),
        _connections(25, 4),
        _connections(25, 100, pages=False),
        _connections(25, 100, pages=False, says_total=False),
        _connections(25, 100, says_total=False),
    ],
    ids=["plain", "small pages", "no pages", "no pages, no total", "no total"],
)
def test_a_page_of_connections_is_full_until_the_last(stub: Stub) -> None:
    """Whatever page size the platform keeps to, and even if it knows none: a short page is the end."""

    async def pages() -> list[list[str]]:
        platform = stub.platform()
        return [[each.connection_id for each in await platform.list_connections(at, 10)] for at in (0, 10, 20)]

    expected = [f"c{n}" for n in range(25)]
    assert run(pages()) == [expected[:10], expected[10:20], expected[20:]]


def test_a_platform_without_pages_is_not_read_twice() -> None:
    """As many connections as were asked for, all of them sent whatever the offset: the second page is empty."""
    stub = _connections(10, 100, pages=False)

    assert run(stub.platform().list_connections(10, 10)) == ()


def test_a_total_of_connections_that_is_never_reached_is_unavailable() -> None:
    """A part is never answered as if it were the last page."""
    with pytest.raises(PlatformUnavailable, match="add up"):
        run(Stub(answers(reply_json(200, {"data": [], "total": 3}))).platform().list_connections(0, 10))


def test_a_connection_is_read_in_either_style() -> None:
    """Both key styles, with Airbyte's schedule recognised and its word for deleted."""
    body = {"connectionId": "c1", "name": "n", "status": "deprecated", "schedule": {"scheduleType": "cron"}}

    assert _get(Stub(answers(reply_json(200, body)))) == Connection(
        "c1", "n", ConnectionStatus.DELETED, PlatformScheduleKind.CRON
    )


def test_an_error_text_names_code_status_and_request_but_no_address_token_or_body(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The text can be shown to anybody, even if the platform echoes what it was sent."""
    body = {"error": {"code": "CONNECTOR_DOWN", "message": f"sorry {TOKEN}"}}
    stub = Stub(answers(reply_json(500, body, x_request_id=f"req-1.{TOKEN}")))
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)

    with pytest.raises(PlatformUnavailable) as raised:
        _get(stub)

    assert str(raised.value) == "get a connection: HTTP 500, code CONNECTOR_DOWN, request req-1.***"
    assert TOKEN not in caplog.text
    assert "api.test" not in caplog.text


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.test",
        "ftp://api.test",
        "https://user:hush@api.test",
        "https://api.test?key=hush",
        "https://a\x00b/hush",
    ],
)
def test_an_unusable_address_refuses_the_start_without_being_quoted(base_url: str) -> None:
    """The operator learns what to write, and a password in it stays unsaid."""
    options = AitronosOptions(base_url, "org_1", TokenValue(TOKEN), UNLIMITED, ManualClock())

    with pytest.raises(SettingsInvalid, match="base_url") as raised:
        AitronosPlatform(options)

    assert "hush" not in str(raised.value)


def test_an_unusable_organisation_refuses_the_start() -> None:
    """An empty id would address another resource."""
    with pytest.raises(SettingsInvalid, match="organization_id"):
        AitronosPlatform(AitronosOptions("https://api.test", "..", TokenValue(TOKEN), UNLIMITED, ManualClock()))
