"""Listings: complete or refused, whatever the platform does with pages and order."""

from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from controller.errors import PlatformUnavailable
from controller.model.profile import PlatformProfile
from tests.unit.adapters.platforms.stubs import T0, UNLIMITED, JobServer, Stub, answers, job_row, reply_json, run

PAGES_OF_5 = replace(UNLIMITED, page_size=5)
EARLY = T0 - timedelta(days=1)


def _ids(server: JobServer | Stub, since: datetime = EARLY, profile: PlatformProfile = PAGES_OF_5) -> list[str]:
    stub = server if isinstance(server, Stub) else Stub(server, profile)
    return [job.job_id for job in run(stub.platform().list_jobs(since)).jobs]


def _newest_first(*numbers: int) -> list[str]:
    return [f"job_{number}" for number in sorted(numbers, reverse=True)]


def test_a_listing_asks_for_newest_first_from_since_in_its_own_words() -> None:
    """Limit, offset, order and start are always sent: the platform's defaults are twenty rows, oldest first."""
    stub = Stub(JobServer([job_row(1)]))

    listing = run(stub.platform().list_jobs(T0.replace(microsecond=999)))

    assert dict(stub.requests[0].url.params) == {
        "created_at_start": "2026-03-02T12:00:00Z",
        "order_by": "createdAt|DESC",
        "limit": "100",
        "offset": "0",
    }
    assert listing.covers_since == T0
    assert [job.job_id for job in listing.jobs] == ["job_1"]


def test_a_listing_carries_the_platforms_own_clock() -> None:
    """The Date header is handed on, so that the clocks can be compared."""
    listing = run(Stub(JobServer([job_row(1)])).platform().list_jobs(EARLY))

    assert listing.platform_date == T0 + timedelta(seconds=7)


def test_one_short_page_is_one_request() -> None:
    """A short page with a total that agrees needs no second look."""
    server = JobServer([job_row(n) for n in range(4)])

    assert _ids(server) == _newest_first(*range(4))
    assert server.offsets == [0]


def test_pages_overlap_and_each_id_comes_once() -> None:
    """Every page begins within the one before, and the first is read again at the end."""
    server = JobServer([job_row(n) for n in range(12)])

    assert _ids(server) == _newest_first(*range(12))
    assert server.offsets == [0, 4, 8, 0]


def test_the_answers_next_link_is_never_followed() -> None:
    """All requests go to the configured host, whatever the answer links to."""
    stub = Stub(JobServer([job_row(n) for n in range(12)]), PAGES_OF_5)

    _ids(stub)

    assert {request.url.host for request in stub.requests} == {"api.test"}


def test_jobs_of_one_second_share_a_page() -> None:
    """A page that ends within a second is followed by one that begins with all rows of that second."""
    rows = [job_row(n, T0) for n in range(3)] + [job_row(n) for n in range(10, 13)] + [job_row(20, EARLY)]
    server = JobServer(rows)

    ids = _ids(server)

    assert server.offsets == [0, 3, 0]
    assert len(ids) == len(set(ids)) == 7


def test_a_listing_stops_at_an_older_job_even_if_the_platform_does_not_filter() -> None:
    """Ten thousand old jobs cost one page when the order shows where they begin."""
    old = [job_row(n, EARLY - timedelta(seconds=n)) for n in range(100, 150)]
    server = JobServer([job_row(1), job_row(2), *old], ignores_since=True)

    assert _ids(server, T0) == ["job_2", "job_1"]
    assert server.offsets == [0]


def test_old_jobs_of_one_second_do_not_prove_the_order() -> None:
    """An oldest-first platform that ignores both wishes may show a page of one old second first; the new job behind it is found."""
    server = JobServer([job_row(n, EARLY) for n in range(5)] + [job_row(9)], ignores_order=True, ignores_since=True)

    assert _ids(server, T0) == ["job_9"]


def test_oldest_first_is_read_to_the_end_and_sorted() -> None:
    """A platform that ignores the order costs every page, and loses nothing."""
    server = JobServer([job_row(n) for n in range(23)], ignores_order=True)

    assert _ids(server) == _newest_first(*range(23))


def test_an_old_job_in_a_jumble_is_not_the_end() -> None:
    """Once the order is broken an old job proves nothing: the new one behind it is found."""
    jumble = [job_row(5), job_row(100, EARLY), job_row(7), *(job_row(n, EARLY) for n in range(101, 110)), job_row(6)]
    server = JobServer(jumble, ignores_order=True, ignores_since=True)

    assert _ids(server, T0) == _newest_first(5, 6, 7)


def test_a_smaller_page_size_of_the_platform_is_not_an_end() -> None:
    """A page shorter than asked for is the last only if the total says so."""
    server = JobServer([job_row(n) for n in range(8)], page_cap=3)

    assert _ids(server) == _newest_first(*range(8))


def test_without_a_total_a_short_page_is_confirmed() -> None:
    """A platform that caps its pages and names no total is asked until a page brings nothing new."""
    server = JobServer([job_row(n) for n in range(8)], page_cap=3, says_total=False)

    assert _ids(server) == _newest_first(*range(8))


@pytest.mark.parametrize("count", [4, 5, 6, 9, 10, 11])
def test_every_length_around_a_page_is_whole(count: int) -> None:
    """Counts that fill a page exactly end as cleanly as others."""
    assert _ids(JobServer([job_row(n) for n in range(count)])) == _newest_first(*range(count))


def test_no_jobs_are_a_complete_answer() -> None:
    """An empty page of an empty list is believed."""
    assert _ids(JobServer([])) == []


def test_a_job_that_appears_during_the_walk_is_found_by_one_more() -> None:
    """When the first page changed meanwhile the listing is walked once more."""
    server = JobServer([job_row(n) for n in range(12)])

    def insert(page: int) -> None:
        if page == 1:
            server.rows.append(job_row(99))

    server.before_page = insert

    assert _ids(server) == _newest_first(*range(12), 99)
    # Two walks of two readings of the first page each.
    assert server.offsets.count(0) == 4


def test_a_listing_on_a_busy_platform_still_ends() -> None:
    """Jobs that come on top during each walk move the others down, not out: the third walk stands with them."""
    server = JobServer([job_row(n) for n in range(12)])

    def insert(page: int) -> None:
        if page % 2:
            server.rows.append(job_row(100 + page))

    server.before_page = insert

    ids = _ids(server)

    assert ids == sorted(ids, key=lambda job_id: int(job_id[4:]), reverse=True)
    assert set(_newest_first(*range(12))) <= set(ids)
    assert server.offsets.count(0) == 6


def test_rows_that_vanish_between_pages_are_walked_again() -> None:
    """When a page does not join the one before, rows may have slipped up past it."""
    server = JobServer([job_row(n) for n in range(12)])

    def delete(page: int) -> None:
        if page == 1:
            server.rows = [row for row in server.rows if row["job_id"] not in ("job_11", "job_10")]

    server.before_page = delete

    assert _ids(server) == _newest_first(*range(10))


def test_rows_that_keep_vanishing_refuse_the_listing() -> None:
    """After three walks that do not add up there is no answer, not a part of one."""
    server = JobServer([job_row(n) for n in range(60)])
    server.before_page = lambda _page: server.rows.__delitem__(slice(-2, None))

    with pytest.raises(PlatformUnavailable, match="3 walks"):
        _ids(server)


def test_a_total_that_is_never_reached_refuses_the_listing() -> None:
    """The platform promises six jobs and shows two: that is not a listing of two."""
    stub = Stub(answers(reply_json(200, {"data": [job_row(2), job_row(1)], "total": 6})), PAGES_OF_5)

    with pytest.raises(PlatformUnavailable, match="add up"):
        _ids(stub)


def test_a_total_beyond_the_last_row_refuses_the_listing() -> None:
    """Pages that join and end are not whole while the platform says that there are more."""
    server = JobServer([job_row(n) for n in range(8)], total=lambda in_all, _on_page: in_all + 1)

    with pytest.raises(PlatformUnavailable, match="add up"):
        _ids(server)


def test_a_total_that_counts_the_page_does_not_end_the_walk() -> None:
    """A full page is the last only if the total is about more than that page."""
    server = JobServer([job_row(n) for n in range(12)], total=lambda _in_all, on_page: on_page)

    assert _ids(server) == _newest_first(*range(12))


@pytest.mark.parametrize("arriving", [4, 5])
def test_a_flood_of_jobs_refuses_the_listing(arriving: int) -> None:
    """When every second page only repeats the first, what lies behind was never seen."""
    server = JobServer([job_row(n) for n in range(12)], says_total=False)

    def flood(page: int) -> None:
        if page % 2:
            server.rows += [job_row(100 + 10 * page + n) for n in range(arriving)]

    server.before_page = flood

    with pytest.raises(PlatformUnavailable, match="3 walks"):
        _ids(server)


def test_a_first_page_that_is_all_new_does_not_join() -> None:
    """Jobs between it and the walk may have been missed, so even the last walk does not stand."""
    server = JobServer([job_row(n) for n in range(7)])

    def flood_before_the_last_look(request: httpx.Request) -> httpx.Response:
        if request.url.params["offset"] == "0" and server.offsets and server.offsets[-1] != 0:
            server.rows += [job_row(100 + 10 * len(server.offsets) + n) for n in range(6)]
        return server(request)

    with pytest.raises(PlatformUnavailable, match="3 walks"):
        _ids(Stub(flood_before_the_last_look, PAGES_OF_5))


def test_too_many_pages_refuse_the_listing() -> None:
    """The bound on pages ends a listing with an error."""
    server = JobServer([job_row(n) for n in range(12)])

    with pytest.raises(PlatformUnavailable, match="2 pages"):
        _ids(server, profile=replace(PAGES_OF_5, pages_max=2))


def test_a_failed_page_refuses_the_whole_listing() -> None:
    """What was read before the failure is not handed out."""
    server = JobServer([job_row(n) for n in range(12)])

    def fail_later(request: httpx.Request) -> httpx.Response:
        return server(request) if request.url.params["offset"] == "0" else httpx.Response(500)

    with pytest.raises(PlatformUnavailable, match="HTTP 500"):
        _ids(Stub(fail_later, PAGES_OF_5))


def test_one_unreadable_row_refuses_the_listing_and_names_the_field() -> None:
    """A row is never dropped silently, and its content is not quoted."""
    stub = Stub(answers(reply_json(200, {"data": [job_row(1), job_row(2, start_time="hush")], "total": 2})))

    with pytest.raises(PlatformUnavailable) as raised:
        _ids(stub)

    assert "data.1.start_time" in str(raised.value)
    assert "hush" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_active_jobs_are_asked_for_by_each_active_status() -> None:
    """Four listings, each id once, the finished ones left out."""
    statuses = ["pending", "queued", "running", "incomplete", "succeeded"]
    stub = Stub(JobServer([job_row(n, status=status) for n, status in enumerate(statuses)]))

    jobs = run(stub.platform().list_active_jobs())

    assert [request.url.params["status"] for request in stub.requests] == statuses[:4]
    assert {job.job_id for job in jobs} == {"job_0", "job_1", "job_2", "job_3"}


def test_finished_jobs_are_left_out_if_the_status_is_not_looked_at() -> None:
    """A platform that ignores the filter costs more, and nothing else."""
    rows = [job_row(n, status=status) for n, status in enumerate(["running", "succeeded", "hibernating"])]

    jobs = run(Stub(JobServer(rows, ignores_status=True)).platform().list_active_jobs())

    assert {job.job_id for job in jobs} == {"job_0", "job_2"}


@pytest.mark.parametrize("refusal", [400, 422])
def test_a_status_that_the_platform_does_not_know_has_no_jobs(refusal: int) -> None:
    """Older platforms refuse ``queued``; the other statuses are listed all the same."""
    server = JobServer([job_row(1, status="running")])

    def refuse_queued(request: httpx.Request) -> httpx.Response:
        return httpx.Response(refusal) if request.url.params["status"] == "queued" else server(request)

    assert [job.job_id for job in run(Stub(refuse_queued).platform().list_active_jobs())] == ["job_1"]


def test_a_platform_that_refuses_even_running_has_not_answered() -> None:
    """A refusal of the request as such never looks like "nothing is active"."""
    with pytest.raises(PlatformUnavailable, match="HTTP 422"):
        run(Stub(answers(httpx.Response(422))).platform().list_active_jobs())


def test_a_refusal_in_the_middle_of_a_status_is_a_failure() -> None:
    """Only the first page may say that the status is unknown."""
    server = JobServer([job_row(n, status="queued") for n in range(12)])

    def refuse_later(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400) if request.url.params["offset"] == "4" else server(request)

    with pytest.raises(PlatformUnavailable, match="HTTP 400"):
        run(Stub(refuse_later, PAGES_OF_5).platform().list_active_jobs())
