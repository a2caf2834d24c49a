"""The numbers that depend on the platform, one frozen profile per kind, each overridable in settings."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class PlatformProfile:
    """Bounds of one platform.

    Attributes:
        write_timeout: longest wait for the answer to a POST or DELETE.
        read_timeout: longest wait for a GET.
        settle: how long after a request's end a job of it may still appear in a list.
        send_within: longest time between the start of a claim's transaction and its POST.
        min_interval: smallest accepted distance between two slots of one entry.
        min_gap: default smallest gap between two starts of one connection.
        page_size: jobs per page of a listing.
        pages_max: pages of one listing after which it counts as failed.
        requests_per_minute: request budget; None = none.
        requests_per_day: request budget; None = none.
        write_concurrency: POSTs and DELETEs under way at once.
        poll: distance of two listings while jobs are active and nobody waits.
        active_poll_max: longest distance of two listings while a job is active.
        quiet_poll: distance of two listings while nothing is active.
        view_age_max: age limit of a listing that is acted on.
        overlap: how far before the last listing the next one reads again.
        attempts_max: POSTs with an unknown outcome that one claim may have.
        clock_tolerance: how far the platform's clock may be from ours.
    """

    write_timeout: timedelta = timedelta(seconds=30)
    read_timeout: timedelta = timedelta(seconds=10)
    settle: timedelta = timedelta(seconds=90)
    send_within: timedelta = timedelta(seconds=5)
    min_interval: timedelta = timedelta(seconds=300)
    min_gap: timedelta = timedelta(seconds=60)
    page_size: int = 100
    pages_max: int = 100
    requests_per_minute: int | None = 100
    requests_per_day: int | None = 10_000
    write_concurrency: int = 2
    poll: timedelta = timedelta(seconds=30)
    active_poll_max: timedelta = timedelta(seconds=120)
    quiet_poll: timedelta = timedelta(seconds=600)
    view_age_max: timedelta = timedelta(seconds=90)
    overlap: timedelta = timedelta(seconds=180)
    attempts_max: int = 3
    clock_tolerance: timedelta = timedelta(seconds=30)

    @property
    def resolve_after(self) -> timedelta:
        """T_resolve: from then on absence from a complete listing proves that a claim made no job."""
        return self.send_within + self.write_timeout + self.settle


AITRONOS = PlatformProfile()

EMBEDDED = PlatformProfile(
    write_timeout=timedelta(seconds=5),
    read_timeout=timedelta(seconds=5),
    settle=timedelta(seconds=2),
    min_interval=timedelta(seconds=5),
    min_gap=timedelta(seconds=0),
    requests_per_minute=None,
    requests_per_day=None,
    poll=timedelta(seconds=1),
    active_poll_max=timedelta(seconds=2),
    quiet_poll=timedelta(seconds=5),
    view_age_max=timedelta(seconds=15),
    overlap=timedelta(seconds=30),
)

PROFILES = {"aitronos": AITRONOS, "embedded": EMBEDDED}
