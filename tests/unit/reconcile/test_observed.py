"""What a process remembers of a platform: jobs as last seen, how far back it saw, and when it looks again."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.decide.sight import reaches_back
from controller.model.identity import ConnectionRef
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import Listing, ListingNeed, NeedKind
from controller.model.profile import AITRONOS
from controller.ports.platform import JobListing
from controller.reconcile.observed import DURATIONS_KEPT, ObservedPlatform
from tests.fakes.platform import FakePlatform
from tests.unit.decide.given import REF, RUNNING, SUCCEEDED, at, job


class StoppedClock:
    """It is ten o'clock."""

    def now(self) -> datetime:
        """Always the same."""
        return at("10:00")

    def boottime(self) -> float:
        """Always the same."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """It takes no time."""


def observed(start: str = "") -> ObservedPlatform:
    """A platform of which nothing was seen yet."""
    return ObservedPlatform("acme", FakePlatform(StoppedClock()), AITRONOS, at(start) if start else None)


def test_the_first_look_covers_what_fell_due_since_an_earlier_process_looked() -> None:
    """A slot that was due then is started on it, without a second look that reads back further."""
    platform = ObservedPlatform.seen_through("acme", FakePlatform(StoppedClock()), AITRONOS, at("09:40"))
    covered = Listing(at("10:00"), platform.listing_since(at("10:00")))
    assert reaches_back(covered, at("09:40"))


def listing(covers: str, *jobs: Job) -> JobListing:
    """A complete listing."""
    return JobListing(jobs, at(covers))


def lasted(job_id: str, created: str, minutes: float) -> Job:
    """A job that succeeded."""
    return replace(job(job_id, created), duration=timedelta(minutes=minutes))


def test_jobs_are_remembered_newest_first() -> None:
    """By the time of their creation, then by id; each connection has its own."""
    platform = observed()
    other = Job("j9", "users", JobKind.SYNC, SUCCEEDED, at("10:09"))
    platform.remember([job("j1", "10:00"), job("j3", "10:05"), job("j2", "10:05"), other], at("10:30"))
    assert [each.job_id for each in platform.jobs_of("orders")] == ["j3", "j2", "j1"]
    assert [each.job_id for each in platform.jobs_of("users")] == ["j9"]
    assert platform.jobs_of("nobody") == ()


def test_only_what_is_new_or_different_is_a_change() -> None:
    """A job that is seen as it was is not told again."""
    platform = observed()
    running, ended = job("j1", "10:00", RUNNING), job("j1", "10:00")
    assert platform.remember([running], at("10:30")) == [(None, running)]
    assert platform.remember([running], at("10:30")) == []
    assert platform.remember([ended], at("10:30")) == [(running, ended)]


def test_a_job_that_has_only_taken_longer_is_no_change() -> None:
    """Every listing shows each active job a little older; rows that moved are a change, and what is remembered is the newest."""
    platform = observed()
    first = replace(job("j1", "10:00", RUNNING), rows=5, duration=timedelta(minutes=1))
    older, moved = replace(first, duration=timedelta(minutes=2)), replace(first, rows=6, duration=timedelta(minutes=3))
    platform.remember([first], at("10:01"))
    assert platform.remember([older], at("10:02")) == []
    assert platform.jobs_of("orders") == platform.active_jobs() == (older,)
    assert platform.remember([moved], at("10:03")) == [(older, moved)]
    platform.forget(["j1"])
    assert platform.active_jobs() == ()


def test_a_job_that_ended_does_not_become_active_again() -> None:
    """A late page of an older listing shows an older status; what has ended has ended."""
    platform = observed()
    platform.remember([job("j1", "10:00")], at("10:30"))
    assert platform.remember([job("j1", "10:00", RUNNING)], at("10:30")) == []
    assert platform.active_jobs() == ()


def test_every_job_that_is_not_over_is_active() -> None:
    """Also one of unknown status."""
    platform = observed()
    platform.remember(
        [job("j1", "10:00"), job("j2", "10:01", JobStatus.UNKNOWN), job("j3", "10:02", JobStatus.RETRYING)], at("10:30")
    )
    assert {each.job_id for each in platform.active_jobs()} == {"j2", "j3"}


def test_what_the_platform_does_not_show_any_more_is_forgotten() -> None:
    """Only what it was told to forget, and an id that is unknown is no error."""
    platform = observed()
    platform.remember([job("j1", "10:00"), job("j2", "10:01")], at("10:30"))
    platform.forget(["j1", "j7"])
    assert [each.job_id for each in platform.jobs_of("orders")] == ["j2"]


def test_old_ended_jobs_are_forgotten_but_for_the_newest() -> None:
    """Memory follows the rate of jobs: half an hour of them, whatever is active, and each connection's newest."""
    platform = observed()
    platform.remember(
        [job("j1", "07:00", RUNNING), job("j2", "08:00"), job("j3", "08:59"), job("j4", "09:31")], at("10:30")
    )
    platform.listed(listing("09:57"), at("10:00"))
    assert [each.job_id for each in platform.jobs_of("orders")] == ["j4", "j1"]
    platform.listed(listing("11:57"), at("12:00"))
    assert [each.job_id for each in platform.jobs_of("orders")] == ["j4", "j1"]


@pytest.mark.parametrize(
    ("before", "covers", "begun", "expected"),
    [
        (None, "09:00", "10:00", "09:00"),
        (("09:50", "09:40"), "09:47", "10:00", "09:40"),
        (("09:50", "09:00"), "09:47", "10:00", "09:30"),
        (("09:40", "09:00"), "09:45", "10:00", "09:45"),
        (("09:50", "09:40"), "06:00", "10:00", "06:00"),
    ],
    ids=["the first", "joined to the one before", "as far as jobs are remembered", "a hole between them", "a deep one"],
)
def test_how_far_back_the_view_reaches(before: tuple[str, str] | None, covers: str, begun: str, expected: str) -> None:
    """Listings that join are one view, but it never claims to show what was forgotten or never read."""
    platform = observed()
    if before is not None:
        platform.history = replace(platform.history, last=Listing(at(before[0]), at(before[1])))
    platform.listed(listing(covers), at(begun))
    assert platform.history.last == Listing(at(begun), at(expected))


def test_a_listing_that_failed_leaves_the_last_view() -> None:
    """It is marked as stale, failures count up, and the first of them is remembered."""
    platform = observed()
    platform.listed(listing("09:00"), at("10:00"))
    platform.failed("timeout", at("10:10"), None)
    platform.failed("http 500", at("10:11"), None)
    assert platform.history.last == Listing(at("10:00"), at("09:00"))
    assert (platform.history.failures, platform.history.failed_at) == (2, at("10:11"))
    assert (platform.trouble, platform.failing_since) == ("http 500", at("10:10"))
    assert platform.facts().trouble == "http 500"


def test_a_listing_that_succeeds_ends_the_trouble() -> None:
    """Failures start from none again."""
    platform = observed()
    platform.failed("timeout", at("10:10"), None)
    platform.listed(listing("09:00"), at("10:11"))
    assert (platform.history.failures, platform.trouble, platform.failing_since) == (0, "", None)


def test_retry_after_makes_the_platform_quiet() -> None:
    """Whether a read or a write was told so, nothing is asked before."""
    platform = observed()
    platform.failed("too many requests", at("10:00"), timedelta(minutes=2))
    assert platform.next_listing_at(at("10:00")) == platform.facts().quiet_until == at("10:02")
    platform.be_quiet(at("10:01"), timedelta(minutes=5))
    assert platform.facts().quiet_until == at("10:06")
    platform.failed("timeout", at("10:06"), None)
    assert platform.facts().quiet_until == at("10:06")


def test_permits_are_what_is_not_under_way() -> None:
    """Never fewer than none."""
    platform = observed()
    free = []
    for connection_id in ("a", "b", "c"):
        free.append(platform.facts().write_permits)
        platform.in_flight.add(connection_id)
    assert [*free, platform.facts().write_permits] == [2, 1, 0, 0]


def test_the_expected_end_of_a_job_is_the_median_of_the_last_ones() -> None:
    """Of the connection's own, and only of those that succeeded while they were watched."""
    platform = observed()
    platform.listed(listing("09:00"), at("10:00"))
    rows = [lasted(f"j{number}", "09:00", minutes) for number, minutes in enumerate([9, 9, 1.6, 1.5, 1, 1.7, 9])]
    for each in rows:
        platform.remember([each], at("10:30"))
    platform.remember(
        [replace(rows[0], job_id="j8", status=JobStatus.FAILED, duration=timedelta(minutes=1))], at("10:30")
    )
    platform.remember([replace(rows[0], rows=7)], at("10:30"))
    platform.remember([job("j9", "10:00", RUNNING)], at("10:30"))
    assert len(platform.durations["orders"]) == DURATIONS_KEPT
    assert platform.next_listing_at(at("10:00")) == at("10:00") + timedelta(minutes=1.6)


def test_every_connections_needs_count() -> None:
    """The next listing serves whoever waits for it first, and reads as far back as anybody needs."""
    platform = observed()
    platform.listed(listing("10:00"), at("10:14"))
    for number, since in enumerate(("10:16", "10:15")):
        due = ListingNeed(NeedKind.DUE, at(since), at(since), at(since) - timedelta(minutes=20))
        platform.needs[ConnectionRef("acme", f"c{number}")] = (due,)
    platform.needs[REF] = ()
    assert platform.next_listing_at(at("10:14")) == at("10:15")
    assert platform.listing_since(at("10:15")) == at("09:55")


@pytest.mark.parametrize(("start", "since"), [("", "09:00"), ("09:40", "09:40"), ("-9d 10:00", "-1d 09:50")])
def test_where_the_first_listing_begins(start: str, since: str) -> None:
    """Where the store says that it was left, or an hour ago; never further back than a day."""
    assert observed(start).listing_since(at("10:00")) == at(since)


def test_the_first_look_is_made_at_once() -> None:
    """Nothing is known before it."""
    now: datetime = at("10:00")
    assert observed().next_listing_at(now) == now


def test_a_pause_that_was_asked_for_is_neither_forgotten_nor_shortened() -> None:
    """A listing that completes, another failure, or a shorter ``Retry-After`` leaves the longest pause in force."""
    platform = observed()
    now = at("12:00:00")
    platform.be_quiet(now, timedelta(minutes=2))
    platform.listed(JobListing((), now - timedelta(hours=1)), now)
    platform.be_quiet(now, timedelta(seconds=5))
    platform.failed("busy", now, timedelta(seconds=1))
    platform.failed("away", now, None)

    assert platform.facts().quiet_until == now + timedelta(minutes=2)


def test_a_platform_whose_time_is_in_doubt_is_listed_at_every_poll() -> None:
    """Its answers may say what time it is; the first look after the doubt is made at once, from before it."""
    platform = observed()
    platform.listed(listing("09:00"), at("10:00"))
    assert platform.next_listing_at(at("10:00")) == at("10:10")
    platform.doubt_clock(timedelta(hours=1))
    assert platform.next_listing_at(at("10:00")) == at("10:00:30")
    platform.listed(listing("10:00"), at("10:00:30"))
    platform.doubt_clock(timedelta(0))
    platform.trust_clock()
    assert platform.next_listing_at(at("10:00:40")) == at("10:00:40")
    assert platform.listing_since(at("10:00:40")) == at("08:57")


def test_what_was_noted_moves_with_a_clock_that_was_set() -> None:
    """A pause that the platform asked for is no longer and no shorter, and nothing seems to have stood still for the length of the step."""
    platform = observed()
    platform.remember([job("j1", "09:00", RUNNING)], at("09:59"))
    platform.connections["orders"] = (None, at("09:58"))
    platform.connections_read_at = at("09:58")
    platform.failed("down", at("10:00"), timedelta(minutes=5))
    platform.clock_set(timedelta(hours=1))
    assert platform.history.quiet_until == at("11:05")
    assert (platform.history.failed_at, platform.failing_since) == (at("11:00"), at("11:00"))
    assert (platform.connections_read_at, platform.connections["orders"]) == (at("10:58"), (None, at("10:58")))
    assert platform.moved_at == {"j1": at("10:59")}
    assert platform.jobs_of("orders")[0].created_at == at("09:00")
