"""Small pure parts of the API: texts of times and durations, progress lines, the token file, the rate limit."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.embedded.access import read_or_make_token
from controller.embedded.child import counts_of
from controller.embedded.gateway import RateLimit
from controller.embedded.wire import duration_text, time_text

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "PT0S"),
        (0.0004, "PT0S"),
        (0.034, "PT0.034S"),
        (1.5, "PT1.5S"),
        (60, "PT1M"),
        (150, "PT2M30S"),
        (10, "PT10S"),
        (3600, "PT1H"),
        (108_000.25, "PT30H0.25S"),
        (-1, "PT0S"),
    ],
)
def test_a_duration_is_iso_8601(seconds: float, text: str) -> None:
    """Hours, minutes and seconds to the millisecond; hours never become days; a clock set back makes no negative duration."""
    assert duration_text(timedelta(seconds=seconds)) == text


def test_times_sort_as_their_texts_do() -> None:
    """A time has always the same number of digits, and ends in Z."""
    assert time_text(NOON) == "2026-03-29T12:00:00.000000Z"
    assert time_text(NOON) < time_text(NOON + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (b'{"rows": 5, "bytes": 40}', (5, 40)),
        (b'{"rows": 5}', (5, 0)),
        (b'{"bytes": 1}', (0, 1)),
        (b"{}", None),
        (b"[]", None),
        (b"rows", None),
        (b'{"rows": -1}', None),
        (b'{"rows": 1.5}', None),
        (b'{"rows": true}', None),
        (b'{"rows": 1, "more": 2}', None),
        (b'{"rows": 99999999999999999999}', None),
        (b'{"rows": 1', None),
    ],
)
def test_only_a_plain_progress_line_counts(line: bytes, counts: tuple[int, int] | None) -> None:
    """Non-negative whole numbers of rows and bytes and nothing else; anything different is the program's own text."""
    assert counts_of(line) == counts


def test_a_token_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """A missing token file is made with a long random word nobody else can read; an existing one is kept; an empty one is refused."""
    path = tmp_path / "token"
    token = read_or_make_token(path)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_token(path) == token
    path.write_text(" mine\n")
    assert read_or_make_token(path) == "mine"
    path.write_text("\n")
    with pytest.raises(ValueError, match="exactly one word"):
        read_or_make_token(path)


def test_a_rate_limit_lasts_a_minute() -> None:
    """The limit holds within its minute and is fresh after it, also when the clock is set back."""
    limit = RateLimit(2)
    assert [limit.take(NOON + timedelta(seconds=second)) for second in (0, 1, 2)] == [True, True, False]
    assert limit.headers()["x-ratelimit-remaining-requests"] == "0"
    assert limit.headers()["x-ratelimit-reset-requests"] == str(int(NOON.timestamp()) + 60)
    assert limit.seconds_left(NOON + timedelta(seconds=2)) == 58
    assert limit.take(NOON + timedelta(seconds=60))
    assert limit.take(NOON - timedelta(hours=1))
    assert all(RateLimit(None).take(NOON) for _ in range(1000))
