"""Walking through the pages of a listing until it is known to be whole.

Pages go by offset, so what appears or vanishes meanwhile moves the rows: each page begins within the one before, and a walk whose
pages do not join, or whose first page changed meanwhile, is walked again. A part is never answered.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from controller.errors import PlatformUnavailable
from controller.model.job import Job

# A walk is disturbed by a job that appears during its second or so; three in a row are a platform that cannot be paged.
WALKS_MAX = 3


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of jobs as answered; ``total`` is how many there are in all, None if the platform did not say."""

    jobs: tuple[Job, ...]
    total: int | None
    platform_date: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """All jobs of a listing, newest first, and the platform's own clock at its end."""

    jobs: tuple[Job, ...]
    platform_date: datetime | None


@dataclass(frozen=True, slots=True)
class PageReader:
    """How to read a page from an offset, and the bounds of doing so."""

    read: Callable[[int], Awaitable[JobPage]]
    page_size: int
    pages_max: int


class _PagesMoved(Exception):
    """Rows may have slipped through between two pages."""


class _NotNewestFirst(Exception):
    """The platform does not keep the order that was asked for."""


@dataclass(slots=True)
class _Walk:
    """The jobs of one walk so far; it ends at jobs older than ``since``, or only at the last page where that is None."""

    page_size: int
    since: datetime | None
    jobs: dict[str, Job] = field(default_factory=dict)
    _overlap: int = 0
    _has_fallen: bool = False
    _total: int | None = None

    def take(self, offset: int, page: JobPage) -> int | None:
        """Add a page; the answer is the offset of the next one, or None after the last."""
        rows = page.jobs
        fresh = [job for job in rows if job.job_id not in self.jobs]
        # An honest page begins with rows of the one before; none of them, or nothing but them and more, is a page of elsewhere.
        if self._overlap and (len(fresh) == len(rows) or (not fresh and len(rows) > self._overlap)):
            raise _PagesMoved
        self._check_order(rows)
        self.jobs.update((job.job_id, job) for job in rows)
        if page.total is not None:
            # The smallest one: what appeared since the first page counts in later totals, and need not be found.
            self._total = page.total if self._total is None else min(self._total, page.total)
        if self._is_past_since(rows):
            return None
        if not fresh or self._is_last(offset, page):
            if self._total is not None and len(self.jobs) < self._total:
                raise _PagesMoved
            return None
        self._overlap = _trailing_ties(rows)
        return offset + len(rows) - self._overlap

    def take_top(self, page: JobPage, *, is_last: bool) -> bool:
        """Add the first page as it is after the walk; the answer is whether the walk stands.

        Rows that came on top move the others down, not out. So the last walk may stand with them if they join the rest, or a busy
        platform could never be listed.
        """
        fresh = [job for job in page.jobs if job.job_id not in self.jobs]
        self._check_order(page.jobs)
        self.jobs.update((job.job_id, job) for job in page.jobs)
        return not fresh or (is_last and self.since is not None and len(fresh) < len(page.jobs))

    def _check_order(self, rows: tuple[Job, ...]) -> None:
        if self.since is None:
            return
        for newer, older in pairwise(rows):
            if newer.created_at < older.created_at:
                raise _NotNewestFirst
            self._has_fallen = self._has_fallen or newer.created_at > older.created_at

    def _is_last(self, offset: int, page: JobPage) -> bool:
        # A full page whose own length is the "total" is not believed: some platforms count the page.
        if page.total is None or offset + len(page.jobs) < page.total:
            return False
        return len(page.jobs) < self.page_size or len(page.jobs) < page.total

    def _is_past_since(self, rows: tuple[Job, ...]) -> bool:
        # Rows of one second say nothing about the order: an old one ends the walk only after the order has shown itself.
        if self.since is None or not self._has_fallen:
            return False
        return any(job.created_at < self.since for job in rows)


def _trailing_ties(rows: tuple[Job, ...]) -> int:
    """How many rows the next page shares with this one.

    All rows of the last row's second: the platform breaks ties as it likes, so they are trusted only when read in one page. A
    second that fills a page cannot be, and shares one row.
    """
    ties = sum(1 for job in rows if job.created_at == rows[-1].created_at)
    return ties if ties < len(rows) else min(1, len(rows) - 1)


async def list_since(reader: PageReader, since: datetime) -> Listed:
    """Every job created at or after ``since`` (aware UTC), newest first.

    A platform that ignores the order that was asked for costs every page, and is sorted here.

    Raises:
        PlatformUnavailable: a page failed, there are too many, or they do not add up.
    """
    try:
        listed = await _list(reader, since)
    except _NotNewestFirst:
        listed = await _list(reader, None)
    return Listed(tuple(job for job in listed.jobs if job.created_at >= since), listed.platform_date)


async def list_whole(reader: PageReader) -> Listed:
    """Every job of a listing that has no end in time, newest first.

    Raises:
        PlatformUnavailable: as above.
    """
    return await _list(reader, None)


async def _list(reader: PageReader, since: datetime | None) -> Listed:
    for walks in range(1, WALKS_MAX + 1):
        walk = _Walk(reader.page_size, since)
        try:
            platform_date, is_whole = await _walk(reader, walk, is_last=walks == WALKS_MAX)
        except _PagesMoved:
            continue
        if is_whole:
            jobs = sorted(walk.jobs.values(), key=lambda job: job.created_at, reverse=True)
            return Listed(tuple(jobs), platform_date)
    raise PlatformUnavailable(f"list jobs: the pages did not add up in {WALKS_MAX} walks")


async def _walk(reader: PageReader, walk: _Walk, *, is_last: bool) -> tuple[datetime | None, bool]:
    """Read pages until the last; the answer is the platform's clock, and whether nothing moved meanwhile."""
    offset: int | None = 0
    pages = 0
    while offset is not None:
        if pages == reader.pages_max:
            raise PlatformUnavailable(f"list jobs: more than {reader.pages_max} pages")
        page = await reader.read(offset)
        offset = walk.take(offset, page)
        pages += 1
    if pages == 1:
        return page.platform_date, True
    top = await reader.read(0)
    return top.platform_date, walk.take_top(top, is_last=is_last)
