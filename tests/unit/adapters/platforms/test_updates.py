"""What a change of a connection looks like on the wire, and what each answer to it proves."""

import json
from typing import Any

import httpx
import pytest

from controller.errors import ConnectionLocked, NotCreated, OutcomeUnknown, PlatformError, Rejected
from controller.model.connection import Connection, ConnectionChange, ConnectionStatus, PlatformScheduleKind
from tests.unit.adapters.platforms.stubs import ROOT, Stub, answers, reply_json, run

MANUAL = ConnectionChange(manual=True)


def row(schedule: Any, **more: Any) -> dict[str, Any]:
    """A connection on the wire."""
    return {"connection_id": "c1", "name": "Orders", "status": "active", "schedule": schedule} | more


@pytest.mark.parametrize("key", ["schedule_type", "scheduleType"])
@pytest.mark.parametrize("is_listed", [False, True])
def test_a_schedule_is_written_as_the_platform_spells_it(key: str, *, is_listed: bool) -> None:
    """One PATCH with the one key that changes, in the spelling that the connection showed when it was read."""
    shown = row({key: "cron", "cronExpression": "0 0 12 * * ? UTC"})
    first = reply_json(200, {"data": [shown], "total": 1} if is_listed else shown)
    stub = Stub(answers(first, reply_json(200, row({key: "manual"}))))
    platform = stub.platform()

    async def change() -> Connection:
        if is_listed:
            await platform.list_connections(0, 10)
        else:
            await platform.get_connection("c1")
        return await platform.update_connection("c1", MANUAL)

    assert run(change()).schedule_kind is PlatformScheduleKind.MANUAL
    _, request = stub.requests
    assert (request.method, request.url.path) == ("PATCH", f"{ROOT}/connections/c1")
    assert json.loads(request.content) == {"schedule": {key: "manual"}}
    assert request.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("change", "body"),
    [
        (ConnectionChange(status=ConnectionStatus.ACTIVE), {"status": "active"}),
        (ConnectionChange(status=ConnectionStatus.INACTIVE), {"status": "inactive"}),
        (MANUAL, {"schedule": {"scheduleType": "manual"}}),
        (ConnectionChange(True, ConnectionStatus.ACTIVE), {"schedule": {"scheduleType": "manual"}, "status": "active"}),
    ],
)
def test_only_what_changes_is_written(change: ConnectionChange, body: dict[str, Any]) -> None:
    """Nothing else of the connection is touched; without a known spelling it is the vendor's client's."""
    stub = Stub(answers(reply_json(200, row({"scheduleType": "manual"}))))
    run(stub.platform().update_connection("c1", change))
    assert json.loads(stub.requests[0].content) == body


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, NotCreated),
        (403, NotCreated),
        (404, Rejected),
        (408, OutcomeUnknown),
        (409, ConnectionLocked),
        (422, Rejected),
        (429, NotCreated),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
def test_an_answer_says_whether_anything_was_changed(status: int, error: type[PlatformError]) -> None:
    """Sent once, whatever the answer; what is not known to have changed nothing is unknown."""
    stub = Stub(answers(reply_json(status, {"error": {"code": "NO"}})))
    with pytest.raises(error):
        run(stub.platform().update_connection("c1", MANUAL))
    assert len(stub.requests) == 1


@pytest.mark.parametrize("answer", [{}, row({}, connection_id="c2"), [], row({}, connection_id=None)])
def test_an_answer_about_something_else_proves_nothing(answer: Any) -> None:
    """It may have been changed all the same."""
    stub = Stub(answers(reply_json(200, answer)))
    with pytest.raises(OutcomeUnknown):
        run(stub.platform().update_connection("c1", MANUAL))


def test_no_connection_is_nothing_sent() -> None:
    """The request certainly did not arrive."""
    stub = Stub(answers(httpx.ConnectError("refused")))
    with pytest.raises(NotCreated):
        run(stub.platform().update_connection("c1", MANUAL))
