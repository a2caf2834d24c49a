"""When a platform is listed next, and how far back: the rhythms second by second, and what a day costs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.observation import ListingHistory, expected_end, listing_since, next_listing_at
from controller.decide.planner import make_plan
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import ConnectionFacts, Listing, ListingNeed, NeedKind
from controller.model.profile import AITRONOS, EMBEDDED, PlatformProfile
from tests.unit.decide.given import RUNNING, Given, at, cancelled, clock, cron, job, spec, standing

DAY = timedelta(days=1)


def seconds(count: float) -> timedelta:
    """A length of time."""
    return timedelta(seconds=count)


def seen(begun: str, covers: str = "", **history: Any) -> ListingHistory:
    """The last listing, and what happened since."""
    last = Listing(at(begun), at(covers) if covers else at(begun) - timedelta(hours=1))
    return replace(ListingHistory(last), **history)


def need(kind: NeedKind, since: str, begun_after: str = "", covers: str = "") -> ListingNeed:
    """Somebody waits."""
    return ListingNeed(kind, at(since), at(begun_after or since), at(covers) if covers else None)


Under = tuple[datetime, timedelta | None]


def active(created: str, usual: float | None = None) -> Under:
    """When a job under way was created, and how long such jobs usually take."""
    return at(created), None if usual is None else seconds(usual)


def first_end(jobs: Sequence[Under], profile: PlatformProfile = AITRONOS) -> datetime | None:
    """When the first of jobs, each of a connection of its own, is expected to end."""
    names = [f"connection-{number}" for number in range(len(jobs))]
    running = [
        Job(f"job of {name}", name, JobKind.SYNC, JobStatus.RUNNING, created)
        for name, (created, _) in zip(names, jobs, strict=True)
    ]
    usual = {name: long for name, (_, long) in zip(names, jobs, strict=True) if long is not None}
    return expected_end(profile, running, usual)


def at_next(
    history: ListingHistory,
    *needs: ListingNeed,
    jobs: Sequence[Under] = (),
    profile: PlatformProfile = AITRONOS,
    now: str = "10:00",
) -> str:
    """When the next listing should begin."""
    return clock(next_listing_at(profile, history, needs, first_end(jobs, profile), at(now)))


IN_DOUBT = need(NeedKind.IN_DOUBT, "10:15", "10:17:05")
CASES: dict[str, tuple[str, str]] = {
    "the first listing is made at once": (at_next(ListingHistory()), "10:00"),
    "nobody waits and nothing is active": (at_next(seen("10:00")), "10:10"),
    "the embedded platform is quiet for five seconds": (at_next(seen("10:00"), profile=EMBEDDED), "10:00:05"),
    "a due slot waits for a listing begun after it": (at_next(seen("10:14"), need(NeedKind.DUE, "10:15")), "10:15"),
    "one that has begun since serves it": (at_next(seen("10:15"), need(NeedKind.DUE, "10:15")), "10:25"),
    "one that is too old by now does not": (at_next(seen("10:15"), need(NeedKind.DUE, "10:15", "10:20")), "10:20"),
    "one that did not reach back is made again at once": (
        at_next(seen("10:16", "10:10"), need(NeedKind.DUE, "10:15", covers="10:05")),
        "10:15",
    ),
    "one that reached back is not": (
        at_next(seen("10:16", "10:05"), need(NeedKind.DUE, "10:15", covers="10:05")),
        "10:26",
    ),
    "one that read back as far as they go is not, though it did not reach": (
        at_next(seen("10:16", "-1d 10:06"), need(NeedKind.DUE, "-2d 10:15", covers="-2d 10:05")),
        "10:26",
    ),
    "the earliest of several needs decides": (
        at_next(seen("10:14"), need(NeedKind.DUE, "10:16"), need(NeedKind.DUE, "10:15")),
        "10:15",
    ),
    "the end of an observed window": (at_next(seen("10:14"), need(NeedKind.ABSENCE, "10:14:30.001")), "10:14:30.001"),
    "a reached maxDuration": (at_next(seen("10:14"), need(NeedKind.LIMIT, "10:14:30")), "10:14:30"),
    "doubt ends at T_resolve exactly": (at_next(seen("10:16:45"), IN_DOUBT), "10:17"),
    "and not a beat later": (at_next(seen("10:17"), IN_DOUBT), "10:17:05"),
    # failures
    "after a failure it is begun again after a second": (
        at_next(seen("10:00", failures=1, failed_at=at("10:10:03"))),
        "10:10:04",
    ),
    "after a fifth failure after sixteen": (
        at_next(seen("10:00", failures=5, failed_at=at("10:10:03"))),
        "10:10:19",
    ),
    "never after more than thirty": (
        at_next(seen("10:00", failures=99, failed_at=at("10:10:03"))),
        "10:10:33",
    ),
    "a failure of the very first": (at_next(ListingHistory(None, 2, at("10:00"))), "10:00:02"),
    "a failure makes nothing earlier": (at_next(seen("10:00", failures=1, failed_at=at("10:01"))), "10:10"),
    "who waits is not waited for faster than that": (
        at_next(seen("10:00", failures=3, failed_at=at("10:15:01")), need(NeedKind.DUE, "10:15")),
        "10:15:05",
    ),
    # quiet
    "Retry-After is obeyed whoever waits": (
        at_next(seen("10:00", quiet_until=at("10:17")), need(NeedKind.DUE, "10:15")),
        "10:17",
    ),
    "and also by the first listing": (at_next(ListingHistory(quiet_until=at("10:02"))), "10:02"),
    "one that is over changes nothing": (at_next(seen("10:00", quiet_until=at("10:02"))), "10:10"),
    # active jobs
    "an active job is looked for at its usual end": (
        at_next(seen("10:00:01"), jobs=[active("10:00:02", 90)]),
        "10:01:32",
    ),
    "one of unknown length one poll after its start": (
        at_next(seen("10:00:01"), jobs=[active("10:00:10")]),
        "10:00:40",
    ),
    "one that takes longer than usual at every poll": (
        at_next(seen("10:05"), jobs=[active("10:00", 60)]),
        "10:05:30",
    ),
    "a long one at least every two minutes": (at_next(seen("10:05"), jobs=[active("10:00", 7200)]), "10:07"),
    "the earliest usual end of several": (
        at_next(seen("10:00"), jobs=[active("10:00", 110), active("10:00", 70)]),
        "10:01:10",
    ),
    "the embedded platform is looked at every two seconds": (
        at_next(seen("10:00"), jobs=[active("10:00", 60)], profile=EMBEDDED),
        "10:00:02",
    ),
    "who waits does not wait for a poll": (
        at_next(seen("10:14:59"), need(NeedKind.DUE, "10:15"), jobs=[active("10:14", 600)]),
        "10:15",
    ),
}


@pytest.mark.parametrize(("found", "expected"), CASES.values(), ids=CASES)
def test_the_next_listing(found: str, expected: str) -> None:
    """Every row of the table: as soon as somebody waits for it, and otherwise as rarely as it may be."""
    assert found == expected


def beats(waiting: ListingNeed, until: float) -> list[float]:
    """Listings that a need causes, in seconds after the waiting began, when each is made at once."""
    found: list[float] = []
    last = Listing(waiting.waiting_since, waiting.waiting_since - DAY)
    profile = replace(AITRONOS, quiet_poll=DAY)
    while True:
        last = Listing(
            next_listing_at(profile, ListingHistory(last), [waiting], None, last.begun_at), last.covers_since
        )
        elapsed = (last.begun_at - waiting.waiting_since).total_seconds()
        if elapsed > until:
            return found
        found.append(elapsed)


def test_the_rhythm_of_doubt() -> None:
    """After 2, 4, 8 and every 30 s, and at T_resolve exactly."""
    assert beats(IN_DOUBT, 190) == [2, 4, 8, 30, 60, 90, 120, 125, 150, 180]


def test_the_rhythm_of_a_cancel() -> None:
    """After 2, 5, 10, 20 and every 30 s."""
    assert beats(need(NeedKind.CANCELLING, "10:15"), 130) == [2, 5, 10, 20, 30, 60, 90, 120]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(NeedKind), st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 400))
def test_a_need_never_causes_a_listing_right_after_the_one_that_answered_it(
    kind: NeedKind, since: int, begun: int, later: int
) -> None:
    """No need makes a platform be listed without pause: the next listing comes later than the one before."""
    waiting_since = at("10:00") + seconds(since)
    waiting = ListingNeed(kind, waiting_since, waiting_since + seconds(later), waiting_since - seconds(600))
    last = Listing(max(at("10:00") + seconds(begun), waiting.begun_after), waiting_since - DAY)
    assert next_listing_at(AITRONOS, ListingHistory(last), [waiting], None, last.begun_at) > last.begun_at


SINCE: dict[str, tuple[str, str]] = {
    "an overlap before the last listing": (
        clock(listing_since(AITRONOS, seen("10:00").last, [], at("00:00"), at("10:10"))),
        "09:57",
    ),
    "where it was told to start, when there was none": (
        clock(listing_since(AITRONOS, None, [], at("08:00"), at("10:10"))),
        "08:00",
    ),
    "further for a slot of then": (
        clock(listing_since(AITRONOS, None, [need(NeedKind.DUE, "07:00", covers="06:50")], at("08:00"), at("10:10"))),
        "06:50",
    ),
    "as far back as a doubt": (
        clock(
            listing_since(
                AITRONOS,
                seen("10:15", "06:00").last,
                [need(NeedKind.IN_DOUBT, "09:15", covers="09:05")],
                at("00:00"),
                at("10:16"),
            )
        ),
        "09:05",
    ),
    "not further for a slot that the last one covers": (
        clock(
            listing_since(
                AITRONOS,
                seen("10:15", "06:00").last,
                [need(NeedKind.DUE, "09:15", covers="09:05")],
                at("00:00"),
                at("10:16"),
            )
        ),
        "10:12",
    ),
    "further for a slot that the last one did not cover": (
        clock(
            listing_since(
                AITRONOS,
                seen("10:15", "09:10").last,
                [need(NeedKind.DUE, "09:15", covers="09:05")],
                at("00:00"),
                at("10:16"),
            )
        ),
        "09:05",
    ),
    "never further than a day and what clocks may differ": (
        clock(listing_since(AITRONOS, None, [], at("-9d 08:00"), at("10:10"))),
        "-1d 10:00",
    ),
}


@pytest.mark.parametrize(("found", "expected"), SINCE.values(), ids=SINCE)
def test_how_far_back_a_listing_reads(found: str, expected: str) -> None:
    """Every row of the table: an overlap, more only for what somebody must see, and never without bound."""
    assert found == expected


def length(connection: int, number: int) -> timedelta:
    """How long a sync of these sample connections takes: from one to three minutes, each time different."""
    return seconds(60 + (number * 7 + connection * 13) % 121)


def listings_of_a_day(connections: int) -> int:
    """Step through a day: every quarter of an hour a sync of each connection, started on the listing that serves the slot."""
    history, count, slot = seen("00:00"), 0, at("00:15")
    running: list[tuple[datetime, datetime, int]] = []  # created, ends, connection
    usual: dict[int, timedelta] = {}
    while True:
        begun_before = history.last.begun_at if history.last else at("00:00")
        waiting = [ListingNeed(NeedKind.DUE, slot, slot)] if begun_before < slot else []
        expected = first_end([(created, usual.get(connection)) for created, _, connection in running])
        begun = next_listing_at(AITRONOS, history, waiting, expected, begun_before)
        if begun >= at("+1d 00:00"):
            return count
        count += 1
        history = ListingHistory(Listing(begun, begun - timedelta(hours=1)))
        for ended in [each for each in running if each[1] <= begun]:
            running.remove(ended)
            usual[ended[2]] = ended[1] - ended[0]
        if begun >= slot:
            number = int((slot - at("00:00")).total_seconds()) // 900
            running += [(begun + seconds(1), begun + seconds(1) + length(c, number), c) for c in range(connections)]
            slot += timedelta(minutes=15)


def test_five_connections_with_a_sync_every_quarter_of_an_hour_need_560_listings_a_day() -> None:
    """The figure of ``docs/architecture.md``, "Observing cheaply"; a poll of 10 s would make 8,640."""
    assert listings_of_a_day(5) == pytest.approx(560, rel=0.15)


def test_many_connections_cost_no_more_listings_than_polls() -> None:
    """One listing serves every connection of a platform: a hundred that are always busy cost a poll and their slots, no more."""
    assert listings_of_a_day(100) <= DAY / AITRONOS.poll + 96


def test_schedules_with_nothing_due_cost_no_listing() -> None:
    """A thousand idle schedules need as many listings an hour as one: those of the quiet poll."""
    daily = spec(cron("0 8 * * *"))

    def listings_of_an_hour(schedules: int) -> int:
        refs = [ConnectionRef("acme", f"c{number}") for number in range(schedules)]
        rows = tuple(
            ConnectionFacts(ref, replace(daily, connection_id=ref.connection_id), replace(standing(daily), ref=ref))
            for ref in refs
        )
        known = replace(Given(now="10:00").known(), connections=rows)
        needs = [each for decided in make_plan(known).connections for each in decided.needs]
        history, count = seen("10:00"), 0
        while history.last is not None and (
            begun := next_listing_at(AITRONOS, history, needs, None, history.last.begun_at)
        ) <= at("11:00"):
            history, count = ListingHistory(Listing(begun, begun - DAY)), count + 1
        return count

    assert listings_of_an_hour(1) == listings_of_an_hour(1000) == 6


def test_a_cancel_that_is_waited_for_is_not_listed_without_pause() -> None:
    """Each listing is followed by a new plan; together they keep to the rhythm of the cancel."""
    limited = spec(cron("0 8 * * *"), max_duration=timedelta(hours=1))
    stuck = Given(
        now="10:00:00.100",
        spec=limited,
        jobs=(job("j1", "09:00", RUNNING),),
        standing=standing(limited, cancel=cancelled("j1", "10:00")),
        listing="09:59:59",
    )
    last, now, count = Listing(at("09:59:59"), at("09:00")), at(stuck.now), 0
    while now < at("10:00:30"):
        plan = make_plan(replace(stuck, now=clock(now), listing=clock(last.begun_at)).known()).connections[0]
        begun = max(now, next_listing_at(AITRONOS, ListingHistory(last), plan.needs, None, now))
        last, now, count = Listing(begun, at("09:00")), begun + seconds(0.3), count + 1
    assert count == 5
