"""What stands on the wire, in either style, and what it means."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from controller.adapters.platforms.wire import JOB, parse_duration, parse_time, read_body, read_error_code
from controller.errors import PlatformUnavailable
from controller.model.job import Job, JobKind, JobStatus
from tests.unit.adapters.platforms.stubs import T0, job_row

SNAKE = {
    "job_id": "17",
    "connection_id": "c1",
    "status": "succeeded",
    "job_type": "sync",
    "start_time": "2026-03-02T12:00:00Z",
    "last_updated_at": "2026-03-02T12:02:00Z",
    "duration": "PT2M",
    "rows_synced": 5000,
    "bytes_synced": 1048576,
    "something_new": {},
}
CAMEL = {
    "jobId": 17,
    "connectionId": "c1",
    "status": "succeeded",
    "jobType": "sync",
    "startTime": "2026-03-02T12:00Z",
    "lastUpdatedAt": "2026-03-02T13:02:00+01:00",
    "duration": "PT2M",
    "rowsSynced": 5000,
    "bytesSynced": 1048576,
}


def _job(row: dict[str, object]) -> Job:
    return read_body(JOB, json.dumps(row).encode(), "get a job").to_job()


@pytest.mark.parametrize("row", [SNAKE, CAMEL], ids=["snake", "camel"])
def test_both_key_styles_are_read_alike(row: dict[str, object]) -> None:
    """Documentation, SDK and Airbyte differ in style, and in the type of an id."""
    assert _job(row) == Job(
        "17",
        "c1",
        JobKind.SYNC,
        JobStatus.SUCCEEDED,
        T0,
        T0 + timedelta(minutes=2),
        timedelta(minutes=2),
        5000,
        1048576,
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("incomplete", JobStatus.RETRYING),
        ("queued", JobStatus.QUEUED),
        ("cancelled", JobStatus.CANCELLED),
        ("Canceled", JobStatus.CANCELLED),
        ("hibernating", JobStatus.UNKNOWN),
        ("", JobStatus.UNKNOWN),
    ],
)
def test_statuses(word: str, status: JobStatus) -> None:
    """An unknown word is kept as unknown, which counts as active."""
    assert _job(job_row(1, status=word)).status is status


@pytest.mark.parametrize(("word", "kind"), [("sync", JobKind.SYNC), ("reset", JobKind.RESET), ("clear", JobKind.OTHER)])
def test_kinds(word: str, kind: JobKind) -> None:
    """Only syncs and resets have a name of their own."""
    assert _job(job_row(1, job_type=word)).kind is kind


@pytest.mark.parametrize(
    ("more", "ended_after"),
    [
        ({"last_updated_at": "2026-03-02T12:09:00Z", "duration": "PT2M"}, 540),
        ({"duration": "PT2M"}, 120),
        ({"last_updated_at": None, "duration": None}, None),
        ({"last_updated_at": "yesterday", "duration": "P999999999D"}, None),
        ({"status": "running", "last_updated_at": "2026-03-02T12:09:00Z", "duration": "PT2M"}, None),
    ],
)
def test_when_a_job_ended(more: dict[str, object], ended_after: int | None) -> None:
    """Its last update if it is terminal, else its start and duration; nothing while it is active."""
    expected = None if ended_after is None else T0 + timedelta(seconds=ended_after)

    assert _job(job_row(0, T0, **more)).ended_at == expected


@pytest.mark.parametrize("value", [None, "many", -1, 2**63, 1.5, True])
def test_an_odd_count_is_no_count(value: object) -> None:
    """Rows and bytes only inform: an unreadable one, or one that no column holds, is left out."""
    job = _job(job_row(1, rows_synced=value, bytes_synced=value))

    assert (job.rows, job.bytes) == (None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT2M30S", 150),
        ("PT30H", 108_000),
        ("PT0S", 0),
        ("PT0.034S", 0.034),
        ("PT1,5S", 1.5),
        ("P1DT1H", 90_000),
        ("P1W", 604_800),
        ("P", None),
        ("PT", None),
        ("P1Y", None),
        ("-PT5S", None),
        ("PT-5S", None),
        ("150", None),
        ("PT999999999999999S", None),
        ("P999999999W", None),
        (150, None),
        (None, None),
    ],
)
def test_durations(text: object, seconds: float | None) -> None:
    """Hours are not folded into days, fractions are kept, and what is not a length of time is none."""
    assert parse_duration(text) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2023-03-25T01:30Z", datetime(2023, 3, 25, 1, 30, tzinfo=UTC)),
        ("2023-03-25T01:30:05.123456Z", datetime(2023, 3, 25, 1, 30, 5, 123456, tzinfo=UTC)),
        ("2023-03-25T01:30:05", datetime(2023, 3, 25, 1, 30, 5, tzinfo=UTC)),
        ("2023-03-25T01:30:05+02:00", datetime(2023, 3, 24, 23, 30, 5, tzinfo=UTC)),
    ],
)
def test_times(text: str, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds may be left out, a missing zone is UTC whatever the machine's is, and the answer is in UTC."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    read = parse_time(text)
    monkeypatch.undo()
    time.tzset()

    assert (read, read.tzinfo) == (at, UTC)


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "soon", "", 1700000000, None])
def test_what_is_not_a_time_is_refused(value: object) -> None:
    """Numbers too: seconds and milliseconds cannot be told apart."""
    with pytest.raises(ValueError, match=r".+"):
        parse_time(value)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (json.dumps(SNAKE | {"job_id": ""}), "job_id"),
        (json.dumps(SNAKE | {"job_id": "x" * 300}), "job_id"),
        (json.dumps(SNAKE | {"connection_id": None}), "connection_id"),
        (json.dumps(SNAKE | {"status": None}), "status"),
        (json.dumps({key: SNAKE[key] for key in SNAKE if key != "start_time"}), "start_time"),
        ("[]", "the body"),
        ('{"job_id": "\\ud800hush"}', "the body"),
        ("<html>hush</html>", "the body"),
        ("", "the body"),
        ("[" * 100_000, "the body"),
    ],
)
def test_an_unreadable_answer_names_the_place_and_quotes_nothing(body: str, place: str) -> None:
    """The field at fault is enough to look it up."""
    with pytest.raises(PlatformUnavailable, match=place) as raised:
        read_body(JOB, body.encode(), "get a job")

    assert "hush" not in str(raised.value)
    assert "xxx" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"code": "CONNECTOR_JOB_NOT_FOUND"}}, "CONNECTOR_JOB_NOT_FOUND"),
        ({"title": "try-again-later"}, "try-again-later"),
        ({"error": {"code": "two words"}}, None),
        ({"error": {"code": 7}}, None),
        ({"error": "text"}, None),
        ([], None),
        ({"detail": [{"msg": "x"}]}, None),
    ],
)
def test_error_codes(body: object, code: str | None) -> None:
    """Aitronos' code or Airbyte's title, only if it looks like a code."""
    assert read_error_code(json.dumps(body).encode()) == code


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title": "big"}' + b" " * 70_000])
def test_a_body_that_is_no_error_envelope_has_no_code(body: bytes) -> None:
    """A proxy's page is not searched."""
    assert read_error_code(body) is None
