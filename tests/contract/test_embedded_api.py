"""The embedded platform's HTTP API, asked as any client would ask it: paths, shapes, errors, order, and a description that is true."""

import math
import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.e2e.embedded_process import PlatformProcess, Start, assert_fits, error_of, start_platform

CONNECTIONS = """
connections:
  - connectionId: quick
    name: Quick one
    source: {type: generator, rows: 3}
    destination: {path: out/all.db, table: quick}
  - connectionId: hangs
    source: {type: generator, rows: 3, hangAtRow: 2}
    destination: {path: out/all.db, table: hangs}
  - connectionId: fails
    source: {type: generator, rows: 3, failAtRow: 2}
    destination: {path: out/all.db, table: fails}
  - connectionId: paused
    status: inactive
    source: {type: generator, rows: 3}
    destination: {path: out/all.db, table: paused}
  - connectionId: command
    command: {sync: ["true"], environment: {PASSWORD: "not for clients"}}
"""
MOVEMENT = {"source": {"type": "generator", "rows": 2}, "destination": {"path": "made.db", "table": "made"}}
P = "/v1/organizations/{organization_id}/knowledge/connectors"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One platform for all tests here that do not need their own."""
    started = start_platform(tmp_path_factory.mktemp("platform"), CONNECTIONS, workers=8)
    yield started
    assert started.stop() == 0
    assert started.log == ""


@pytest.fixture
def hanging(platform: PlatformProcess) -> Iterator[str]:
    """A job that runs as long as the test."""
    job_id = platform.trigger("hangs")
    platform.job_when(job_id, lambda job: job["status"] == "running")
    yield job_id
    platform.call("DELETE", f"/jobs/{job_id}")
    platform.ended(job_id)


def test_every_endpoint_answers_what_the_description_says(platform: PlatformProcess) -> None:
    """Each operation of /openapi.json is called, and its answer has a declared status and exactly the declared keys."""
    document = platform.client.get("/openapi.json").json()
    failed = platform.sync("fails")["job_id"]
    hanging = platform.trigger("hangs")
    made = platform.call("POST", "/connections", json={"source_id": "s", "configurations": MOVEMENT}).json()
    trigger = {"connection_id": "quick", "job_type": "sync"}
    body = {"source_id": "s", "configurations": {**MOVEMENT, "destination": {"path": "b.db", "table": "b"}}}
    calls: list[tuple[str, str, dict[str, str], Any, int]] = [
        ("GET", "/v1/knowledge/connectors/health", {}, None, 200),
        ("GET", P + "/health", {}, None, 200),
        ("POST", P + "/jobs", {}, trigger, 200),
        ("GET", P + "/jobs", {}, None, 200),
        ("GET", P + "/jobs/{job_id}", {"job_id": failed}, None, 200),
        ("GET", P + "/jobs/{job_id}", {"job_id": "none"}, None, 404),
        ("GET", P + "/jobs/{job_id}/logs", {"job_id": failed}, None, 200),
        ("POST", P + "/jobs/{job_id}/retry", {"job_id": failed}, None, 200),
        ("DELETE", P + "/jobs/{job_id}", {"job_id": hanging}, None, 204),
        ("POST", P + "/connections", {}, body, 200),
        ("GET", P + "/connections", {}, None, 200),
        ("GET", P + "/connections/{connection_id}", {"connection_id": "quick"}, None, 200),
        ("PATCH", P + "/connections/{connection_id}", {"connection_id": made["connection_id"]}, {"name": "n"}, 200),
        ("POST", P + "/connections/{connection_id}/pause", {"connection_id": made["connection_id"]}, None, 200),
        ("GET", P + "/connections/{connection_id}/sync-status", {"connection_id": "fails"}, None, 200),
        ("GET", P + "/connections/{connection_id}/timeline", {"connection_id": "fails"}, None, 200),
        ("DELETE", P + "/connections/{connection_id}", {"connection_id": made["connection_id"]}, None, 204),
    ]
    for method, template, names, json, status in calls:
        path = template.format(organization_id=platform.organization_id, **names)
        answer = platform.client.request(method, path, json=json)
        assert answer.status_code == status, answer.text
        declared = document["paths"][template][method.lower()]["responses"][str(status)]
        if status == 204:
            assert answer.content == b""
            assert "content" not in declared
        else:
            assert_fits(answer.json(), declared["content"]["application/json"]["schema"], document)
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(method, template) for method, template, *_ in calls}
    platform.ended(hanging)


@pytest.mark.parametrize(
    ("method", "path", "rest", "status", "code"),
    [
        ("GET", "/nothing/here", {}, 404, "NOT_FOUND"),
        ("GET", "/jobs/", {}, 404, "NOT_FOUND"),
        ("PUT", "/jobs", {}, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/jobs/none", {}, 404, "CONNECTOR_JOB_NOT_FOUND"),
        ("GET", "/jobs/none/logs", {}, 404, "CONNECTOR_JOB_NOT_FOUND"),
        ("DELETE", "/jobs/none", {}, 404, "CONNECTOR_JOB_NOT_FOUND"),
        ("POST", "/jobs/none/retry", {}, 404, "CONNECTOR_JOB_NOT_FOUND"),
        ("GET", "/connections/none", {}, 404, "CONNECTOR_CONNECTION_NOT_FOUND"),
        ("PATCH", "/connections/none", {"json": {}}, 404, "CONNECTOR_CONNECTION_NOT_FOUND"),
        ("DELETE", "/connections/none", {}, 404, "CONNECTOR_CONNECTION_NOT_FOUND"),
        ("GET", "/connections/none/timeline", {}, 404, "CONNECTOR_CONNECTION_NOT_FOUND"),
        (
            "POST",
            "/jobs",
            {"json": {"connection_id": "none", "job_type": "sync"}},
            404,
            "CONNECTOR_CONNECTION_NOT_FOUND",
        ),
        (
            "POST",
            "/jobs",
            {"json": {"connection_id": "paused", "job_type": "sync"}},
            409,
            "CONNECTOR_CONNECTION_INACTIVE",
        ),
        (
            "POST",
            "/jobs",
            {"json": {"connection_id": "command", "job_type": "reset"}},
            422,
            "CONNECTOR_RESET_NOT_SUPPORTED",
        ),
        ("POST", "/jobs", {"json": {"connection_id": "quick", "job_type": "clear"}}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"json": {"connection_id": "quick"}}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"json": {"connection_id": "quick", "job_type": "sync", "x": 1}}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"json": {"connection_id": "quick", "connectionId": "quick"}}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"content": b"{"}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"content": b"x" * 2_000_000}, 413, "REQUEST_TOO_LARGE"),
        ("GET", "/jobs?limit=0", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?limit=101", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?offset=-1", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?status=done", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?created_at_start=yesterday", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?created_at_start=2026-01-01T00:00:00", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?order_by=updatedAt|ASC", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?order_by=createdAt|desc", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?order_by=createdAt", {}, 422, "VALIDATION_ERROR"),
        ("POST", "/connections", {"json": {"source_id": "s"}}, 422, "CONNECTOR_INVALID_CONFIG"),
        ("PATCH", "/connections/quick", {"json": {"configurations": MOVEMENT}}, 422, "CONNECTOR_INVALID_CONFIG"),
        ("PATCH", "/connections/quick", {"json": {"status": "gone"}}, 422, "VALIDATION_ERROR"),
    ],
)
def test_every_error_has_the_envelope_and_its_code(
    platform: PlatformProcess, method: str, path: str, rest: dict[str, Any], status: int, code: str
) -> None:
    """Whatever is wrong, the framework's own errors included, the body is the envelope with a code for machines."""
    answer = platform.call(method, path, **rest)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    document = platform.client.get("/openapi.json").json()
    pattern = re.compile(r"\{(job|connection)_id\}")
    for template, operations in document["paths"].items():
        shape = pattern.sub("[^/]+", template.removeprefix(P))
        if re.fullmatch(shape, path.partition("?")[0]) and method.lower() in operations:
            declared = operations[method.lower()]["responses"][str(status)]
            assert_fits(answer.json(), declared["content"]["application/json"]["schema"], document)


@pytest.mark.parametrize(
    ("headers", "organization_id", "status", "code"),
    [
        ({}, "org_demo", 401, "AUTHENTICATION_REQUIRED"),
        ({"Authorization": "Bearer wrong"}, "org_demo", 401, "INVALID_CREDENTIALS"),
        ({"X-API-Key": "wr\u00f6ng".encode()}, "org_demo", 401, "INVALID_CREDENTIALS"),
        ({"Authorization": "Basic TOKEN"}, "org_demo", 401, "AUTHENTICATION_REQUIRED"),
        ({"Authorization": "Bearer TOKEN"}, "org_other", 403, "ORGANIZATION_ACCESS_DENIED"),
        ({"Authorization": "Bearer TOKEN"}, "org_demo", 200, ""),
        ({"X-API-Key": "TOKEN"}, "org_demo", 200, ""),
    ],
)
def test_only_the_token_for_the_organization_opens(
    platform: PlatformProcess, headers: dict[str, Any], organization_id: str, status: int, code: str
) -> None:
    """A bearer token and an API key open the same; no token and a wrong one are 401, another organization is 403."""
    sent = {
        name: value.replace("TOKEN", platform.token) if isinstance(value, str) else value
        for name, value in headers.items()
    }
    for path in ("/jobs", "/connections", "/health", "/jobs/none/logs"):
        url = f"{platform.base_url}/v1/organizations/{organization_id}/knowledge/connectors{path}"
        answer = httpx.get(url, headers=sent, trust_env=False)
        if path.endswith("logs") and status == 200:
            assert answer.status_code == 404
            continue
        assert answer.status_code == status
        assert not code or error_of(answer)["code"] == code
    assert httpx.get(f"{platform.base_url}/v1/knowledge/connectors/health", trust_env=False).status_code == 200


def test_every_answer_carries_its_id_and_the_rate_limit(platform: PlatformProcess) -> None:
    """Good answers, errors and unknown paths have an id of their own, a date and the three rate-limit headers."""
    answers = [
        platform.client.get(path) for path in ("/openapi.json", "/none", P.format(organization_id="org_demo") + "/jobs")
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    for answer in answers:
        assert parsedate_to_datetime(answer.headers["date"])
        limits = [int(answer.headers[f"x-ratelimit-{name}-requests"]) for name in ("limit", "remaining", "reset")]
        assert limits[0] >= limits[1] > 0


def test_both_key_styles_are_understood(platform: PlatformProcess) -> None:
    """camelCase, as the vendor's client sends it, and snake_case, as its pages say, do the same; answers are snake_case."""
    for body in ({"connectionId": "quick", "jobType": "sync"}, {"connection_id": "quick", "job_type": "sync"}):
        answer = platform.call("POST", "/jobs", json=body)
        assert answer.status_code == 200
        assert answer.json()["connection_id"] == "quick"
        platform.ended(answer.json()["job_id"])


def test_a_new_job_is_pending_and_a_finished_one_has_an_end(platform: PlatformProcess) -> None:
    """The answer to a trigger is a pending job without a duration; at the end start plus duration is the end."""
    new = platform.call("POST", "/jobs", json={"connection_id": "quick", "job_type": "sync"}).json()
    assert (new["status"], new["duration"], new["last_updated_at"], new["rows_synced"]) == ("pending", None, None, 0)
    done = platform.ended(new["job_id"])
    assert done["duration"].startswith("PT")
    seconds = float(done["duration"].removeprefix("PT").removesuffix("S"))
    took = datetime.fromisoformat(done["last_updated_at"]) - datetime.fromisoformat(done["start_time"])
    assert math.isclose(took.total_seconds(), seconds, abs_tol=0.001)


def test_a_connection_has_at_most_one_active_job(platform: PlatformProcess, hanging: str) -> None:
    """A second start is a 409 while a job is active, of any kind; another connection is not held up."""
    for job_type in ("sync", "reset"):
        answer = platform.call("POST", "/jobs", json={"connection_id": "hangs", "job_type": job_type})
        assert (answer.status_code, error_of(answer)["code"]) == (409, "CONNECTOR_JOB_ALREADY_RUNNING")
    assert platform.sync("quick")["status"] == "succeeded"
    status = platform.call("GET", "/connections/hangs/sync-status").json()
    assert (status["is_running"], status["last_job"]["job_id"]) == (True, hanging)


def test_only_an_active_job_can_be_cancelled(platform: PlatformProcess, hanging: str) -> None:
    """A running job's cancel is a 204 without a body; a job that is over answers 409 and stays what it was."""
    answer = platform.call("DELETE", f"/jobs/{hanging}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert platform.ended(hanging)["status"] == "cancelled"
    answer = platform.call("DELETE", f"/jobs/{hanging}")
    assert (answer.status_code, error_of(answer)["code"]) == (409, "CONNECTOR_JOB_NOT_RUNNING")


def test_only_a_failed_or_cancelled_job_can_be_retried(platform: PlatformProcess) -> None:
    """A retry is a new pending job of the same kind; of a succeeded or running one, or beside an active one, it is a 400."""
    failed = platform.sync("fails")
    retried = platform.call("POST", f"/jobs/{failed['job_id']}/retry").json()
    assert retried["job_id"] != failed["job_id"]
    assert (retried["status"], retried["job_type"], retried["connection_id"]) == ("pending", "sync", "fails")
    platform.ended(retried["job_id"])
    first = platform.trigger("hangs")
    platform.call("DELETE", f"/jobs/{first}")
    platform.ended(first)
    second = platform.trigger("hangs")
    for job_id in (platform.sync("quick")["job_id"], first, second):
        answer = platform.call("POST", f"/jobs/{job_id}/retry")
        assert (answer.status_code, error_of(answer)["code"]) == (400, "CONNECTOR_JOB_RETRY_FAILED")
    platform.call("DELETE", f"/jobs/{second}")
    platform.ended(second)


def test_jobs_are_listed_in_order_page_by_page(start: Start) -> None:
    """Oldest first unless told otherwise; pages of any size join to the whole; filters and inclusive bounds narrow it."""
    platform = start(CONNECTIONS)
    ids = [platform.sync("quick")["job_id"] for _ in range(22)] + [platform.sync("fails")["job_id"]]
    ids.append(platform.sync("quick", "reset")["job_id"])

    def listed(**query: object) -> list[str]:
        answer = platform.call("GET", "/jobs", params=query).json()
        return [job["job_id"] for job in answer["data"]]

    assert listed() == ids[:20]
    assert platform.call("GET", "/jobs").json()["total"] == 24
    for order_by in ("createdAt|DESC", "created_at|DESC"):
        assert listed(order_by=order_by, limit=100) == ids[::-1]
    for order_by in ("createdAt|ASC", "created_at|ASC"):
        assert listed(order_by=order_by, limit=100) == ids
    assert [job_id for offset in range(0, 25, 5) for job_id in listed(limit=5, offset=offset)] == ids
    assert listed(offset=24) == []
    assert listed(status="failed") == [ids[22]]
    assert listed(job_type="reset") == [ids[23]]
    assert listed(connection_id="fails") == [ids[22]]
    assert listed(connection_id="none") == []
    starts = [platform.job(job_id)["start_time"] for job_id in ids]
    assert all(earlier < later for earlier, later in pairwise(starts))
    assert listed(created_at_start=starts[3], created_at_end=starts[5]) == ids[3:6]
    zoned = datetime.fromisoformat(starts[22]).astimezone().isoformat()
    assert listed(created_at_start=zoned) == ids[22:]


def test_a_connection_of_the_file_shows_what_it_does_but_no_secret(platform: PlatformProcess) -> None:
    """A connection has the documented keys; a command's environment stays hidden, for it may hold a password."""
    quick = platform.call("GET", "/connections/quick").json()
    assert (quick["name"], quick["status"], quick["schedule"]) == ("Quick one", "active", {"schedule_type": "manual"})
    assert quick["configurations"]["source"] == {"type": "generator", "rows": 3}
    assert "not for clients" not in platform.call("GET", "/connections").text
    page = platform.call("GET", "/connections", params={"limit": 2, "offset": 1}).json()
    assert [one["connection_id"] for one in page["data"]] == ["hangs", "fails"]
    assert page["total"] >= 5


def test_a_connection_lives_and_ends_over_the_api(start: Start) -> None:
    """Made, changed, paused, resumed and deleted, with both key styles; its timeline tells it, newest first."""
    platform = start(CONNECTIONS)
    body = {"sourceId": "s", "name": "mine", "configurations": MOVEMENT, "schedule": {"scheduleType": "manual"}}
    made = platform.call("POST", "/connections", json=body).json()
    path = f"/connections/{made['connection_id']}"
    assert (made["name"], made["source_id"], made["schedule"]) == ("mine", "s", {"schedule_type": "manual"})
    assert platform.sync(made["connection_id"])["rows_synced"] == 2
    assert platform.call("POST", path + "/pause").json()["status"] == "inactive"
    changed = platform.call("PATCH", path, json={"status": "active", "namespaceFormat": "x"}).json()
    assert (changed["status"], changed["name"], changed["namespace_format"]) == ("active", "mine", "x")
    events = platform.call("GET", path + "/timeline").json()
    assert [event["event_type"] for event in events["data"]] == [
        "connection_updated",
        "connection_updated",
        "sync_completed",
        "connection_created",
    ]
    assert events["data"][2]["summary"]["rows_synced"] == 2
    only = platform.call("GET", path + "/timeline", params={"event_type": "sync_completed", "limit": 1}).json()
    assert (only["total"], len(only["data"])) == (1, 1)
    assert platform.call("DELETE", path).status_code == 204
    assert platform.call("GET", path).status_code == 404


def test_deleting_a_connection_cancels_its_job(start: Start) -> None:
    """The active job of a deleted connection ends as cancelled; a connection of the file stays deleted over a restart."""
    platform = start(CONNECTIONS)
    job_id = platform.trigger("hangs")
    assert platform.call("DELETE", "/connections/hangs").status_code == 204
    assert platform.ended(job_id)["status"] == "cancelled"
    platform.stop()
    platform = start(CONNECTIONS)
    assert platform.call("GET", "/connections/hangs").status_code == 404


@pytest.mark.parametrize(
    ("configurations", "word"),
    [
        ({"command": {"sync": ["true"]}}, "command"),
        ({**MOVEMENT, "command": {"sync": ["true"]}}, "command"),
        ({**MOVEMENT, "destination": {"path": "/tmp/x.db", "table": "t"}}, "under the data directory"),
        ({**MOVEMENT, "destination": {"path": "a/../../x.db", "table": "t"}}, "under the data directory"),
        ({**MOVEMENT, "destination": {"path": "a/../x.db", "table": "t"}}, "under the data directory"),
        ({**MOVEMENT, "destination": {"path": "platform/platform.db", "table": "t"}}, "under the data directory"),
        ({**MOVEMENT, "source": {"type": "csv", "path": "/etc/passwd"}}, "under the data directory"),
        ({**MOVEMENT, "source": {"type": "postgres"}}, "configurations.source"),
        ({**MOVEMENT, "source": {"type": "generator", "rows": 0}}, "configurations.source.rows"),
        ({**MOVEMENT, "destination": {"path": "x.db", "table": "sqlite_x"}}, "configurations.destination.table"),
    ],
)
def test_the_api_defines_no_program_and_no_foreign_path(
    platform: PlatformProcess, configurations: dict[str, Any], word: str
) -> None:
    """Over the API a connection can only move rows between files under the data directory; anything else is a 422 that says why."""
    answer = platform.call("POST", "/connections", json={"source_id": "s", "configurations": configurations})
    assert (answer.status_code, error_of(answer)["code"]) == (422, "CONNECTOR_INVALID_CONFIG")
    assert word in error_of(answer)["message"]
