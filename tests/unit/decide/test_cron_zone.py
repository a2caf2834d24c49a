"""Zones as runs of constant offset."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from controller.decide.cron.refusal import CalendarError
from controller.decide.cron.zone import BEGIN, END, PROBE_SECONDS, segments_of
from tests.unit.decide.brute_force import changes


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localtime",
        "Factory",
        "/etc/localtime",
        "../UTC",
        "Europe/../UTC",
        "Europe",
        "posix/UTC",
        "right/UTC",
        "zone.tab",
        "\0",
        "CEST",
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    """Only IANA names: not the machine's zone, no path, no directory, no file beside the zones."""
    with pytest.raises(CalendarError, match="is no IANA time zone; write for example") as refused:
        segments_of(name)
    assert refused.value.code == "zone-unknown"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("europe/zurich", "Europe/Zurich"),
        ("utc", "UTC"),
        ("Europe/Zürich", "Europe/Zurich"),
        ("America/NewYork", "America/New_York"),
    ],
)
def test_a_misspelt_zone_is_answered_with_the_right_one(name: str, meant: str) -> None:
    """Names are case-sensitive on every file system, and the refusal names the nearest zone."""
    with pytest.raises(CalendarError) as refused:
        segments_of(name)
    assert str(refused.value).endswith(f"write for example {meant}")


def test_utc_is_one_run() -> None:
    """A zone without changes has one run from 1970 to 2100."""
    assert segments_of("UTC").starts == (BEGIN, END)
    assert segments_of("UTC").offsets == (0,)


@pytest.mark.parametrize("name", ["Africa/Casablanca", "Africa/Cairo", "America/Recife", "Asia/Gaza", "Pacific/Apia"])
def test_every_change_is_found(name: str) -> None:
    """Also where summer time is interrupted for a month of fasting or lasted one week (Recife 2000)."""
    found = segments_of(name).starts[1:-1]
    assert [start for start in found if datetime.fromtimestamp(start, UTC).year in range(1995, 2060)] == changes(
        name, 1995, 2059
    )


def test_runs_are_long_enough_to_be_found_by_probes() -> None:
    """The shortest run known, in Recife in October 2000, is more than twice as long as the distance of two probes."""
    assert min(later - earlier for earlier, later in pairwise(segments_of("America/Recife").starts)) > 2 * PROBE_SECONDS


def test_a_run_has_the_offset_of_the_zone_to_the_second() -> None:
    """The offset changes at the first second of a run and not before."""
    segments, zone = segments_of("Europe/Zurich"), ZoneInfo("Europe/Zurich")

    def offset(at: int) -> float:
        return (datetime.fromtimestamp(at, zone).utcoffset() or timedelta()).total_seconds()

    starts = segments.starts[:-1]
    assert [offset(start) for start in starts] == list(segments.offsets)
    assert [offset(start - 1) for start in starts[1:]] == list(segments.offsets[:-1])


def test_a_zone_is_read_once() -> None:
    """All schedules of a zone share its runs."""
    assert segments_of("Europe/Zurich") is segments_of("Europe/Zurich")
