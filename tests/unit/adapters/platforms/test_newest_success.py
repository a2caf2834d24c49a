"""The newest success of a connection: one request, and what is made of odd replies to it."""

from datetime import timedelta

import httpx
import pytest

from controller.errors import PlatformBusyElsewhere, PlatformUnavailable
from controller.model.job import Job, JobKind, JobStatus
from tests.unit.adapters.platforms.stubs import ROOT, T0, Answer, JobServer, Stub, answers, job_row, reply_json, run


def _ask(stub: Stub) -> Job | None:
    return run(stub.platform().newest_success("c1"))


def _listed(*rows: dict[str, object]) -> httpx.Response:
    return reply_json(200, {"data": list(rows), "total": len(rows)})


def test_one_request_asks_for_the_newest_success() -> None:
    """The platform is asked to filter and to sort, and for a few rows only."""
    stub = Stub(answers(_listed(job_row(1))))

    found = _ask(stub)

    (request,) = stub.requests
    assert (request.method, request.url.path) == ("GET", f"{ROOT}/jobs")
    asked = dict(request.url.params)
    assert 1 <= int(asked.pop("limit")) <= 10
    assert asked == {
        "connection_id": "c1",
        "job_type": "sync",
        "status": "succeeded",
        "order_by": "createdAt|DESC",
        "offset": "0",
    }
    assert found is not None
    assert (found.job_id, found.kind, found.status) == ("job_1", JobKind.SYNC, JobStatus.SUCCEEDED)


def test_a_connection_without_a_success_has_none() -> None:
    """An empty page is an answer, whatever it counts."""
    assert _ask(Stub(answers(_listed()))) is None


def test_the_newest_is_told_by_its_creation() -> None:
    """However the platform sorts the rows that it shows."""
    found = _ask(Stub(JobServer([job_row(2), job_row(3), job_row(1)], ignores_order=True)))

    assert found is not None
    assert (found.job_id, found.created_at) == ("job_3", T0 + timedelta(seconds=3))


def test_what_was_not_asked_for_is_left_out() -> None:
    """A newer job of another connection, of another kind or with another end is no success of this one."""
    others = [job_row(9, connection_id="c2"), job_row(8, job_type="reset"), job_row(7, status="failed")]

    found = _ask(Stub(answers(_listed(*others, job_row(1)))))

    assert found is not None
    assert found.job_id == "job_1"


@pytest.mark.parametrize(
    "row",
    [job_row(1, connection_id="c2"), job_row(1, job_type="reset"), job_row(1, status="failed"), job_row(1, status="?")],
    ids=["connection", "kind", "status", "unknown status"],
)
def test_a_platform_that_ignores_what_was_asked_says_nothing(row: dict[str, object]) -> None:
    """Rows without any that was asked for are not the same as none: a success may stand further back."""
    with pytest.raises(PlatformUnavailable, match="newest success"):
        _ask(Stub(answers(_listed(row))))


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, content=b"<html>"),
        reply_json(200, {"jobs": []}),
        reply_json(200, {"data": [{"job_id": "job_1"}]}),
        httpx.Response(400),
        httpx.Response(404),
        httpx.Response(500),
        httpx.ConnectError("refused"),
    ],
    ids=["no JSON", "no page", "half a row", "400", "404", "500", "unreachable"],
)
def test_an_unusable_reply_is_not_absence(reply: Answer) -> None:
    """Only a page that can be read says that there is none."""
    with pytest.raises(PlatformUnavailable):
        _ask(Stub(answers(reply)))


def test_a_pause_is_passed_on() -> None:
    """As with every other read."""
    with pytest.raises(PlatformBusyElsewhere) as raised:
        _ask(Stub(answers(httpx.Response(429, headers={"retry-after": "120"}))))

    assert raised.value.retry_after == timedelta(seconds=120)
