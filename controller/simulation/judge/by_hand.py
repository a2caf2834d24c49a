"""What people did beside the files, as far as it stands for or against a start."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from controller.model.asked import Asked
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.schedule import Drift, ScheduleSpec
from controller.simulation.chronicle import Chronicle, Claimed, TrueJob
from controller.simulation.judge.case import Case

AFTER_SEEN = timedelta(seconds=1)
"""A claim that begins at the instant of an answer was decided before it."""

AFTER_ASKED = timedelta(seconds=20)
"""A claim may have been decided before somebody suspended its schedule, and be written so much later."""

CONFIRMED_WITHIN = 90.0
"""Seconds that it may take to read once more what was set right, and to start what waited for it."""


def is_driven(connection: Connection) -> bool:
    """Whether the platform runs it by a schedule of its own."""
    return connection.schedule_kind is not PlatformScheduleKind.MANUAL


def is_off(connection: Connection) -> bool:
    """Whether the platform would refuse a start."""
    return connection.status is not ConnectionStatus.ACTIVE


def is_edited(connection: Connection) -> bool:
    """Either of both."""
    return is_driven(connection) or is_off(connection)


def was_shown(case: Case, since: float, until: float, what: Callable[[Connection], bool]) -> bool:
    """Whether a connection was last shown to somebody as that at some time of a stretch."""
    rows = case.evidence.chronicle.shown.get(case.record.slot.ref, ())
    for place, row in enumerate(rows):
        if what(row.connection) and row.at.timestamp() <= until:
            after = (later.at.timestamp() for later in rows[place + 1 :] if not what(later.connection))
            if next(after, until) + CONFIRMED_WITHIN >= since:
                return True
    return False


def was_refused(case: Case, since: float) -> bool:
    """Whether a POST of the slot was answered as if a job were active, because the connection was switched off."""
    posts = (each for each in case.evidence.chronicle.posts if each.is_off and each.claim is not None)
    return any(
        each.claim is not None
        and each.claim.claim.ref == case.record.slot.ref
        and each.sent_at.timestamp() >= since - 1
        for each in posts
        if each.sent_at.timestamp() <= case.decided
    )


def was_suspended(case: Case, since: float) -> bool:
    """Whether somebody had suspended the schedule before its slot was decided, and no resumption of it was done before the slot fired."""
    mine = [each for each in case.evidence.chronicle.asked if each.ref == case.record.slot.ref]
    for each in mine:
        if each.action is Asked.SUSPEND and each.at.timestamp() <= case.decided:
            ended = (
                later.done_at.timestamp()
                for later in mine
                if later.action is Asked.RESUME and later.at > each.at and later.done_at is not None
            )
            if min(ended, default=since) >= since:
                return True
    return False


def against_claim(chronicle: Chronicle, claimed: Claimed, spec: ScheduleSpec | None) -> Iterable[str]:
    """S10: nothing is claimed beside the platform's own schedule, as it was last shown, nor while somebody has it suspended."""
    ref, name = claimed.claim.ref, f"{claimed.claim.key.slot} was claimed at {claimed.began_at}"
    seen = [row for row in chronicle.shown.get(ref, ()) if row.life == claimed.life and row.at <= claimed.began_at]
    before = [row for row in seen if row.at < claimed.began_at - AFTER_SEEN]
    was_driven = bool(before) and is_driven(before[-1].connection) and is_driven(seen[-1].connection)
    if was_driven and spec is not None and spec.drift_schedule is not Drift.IGNORE:
        yield f"S10 {name}, and the platform was shown to run it by {before[-1].connection.expression}"
    if _is_suspended(chronicle, ref, claimed.began_at):
        yield f"S10 {name}, while suspended by hand"


def _is_suspended(chronicle: Chronicle, ref: ConnectionRef, at: datetime) -> bool:
    suspended = False
    for each in chronicle.asked:
        if each.ref == ref and each.action is Asked.SUSPEND and each.at < at - AFTER_ASKED:
            suspended = True
        elif each.ref == ref and each.action is Asked.RESUME and each.at <= at:
            suspended = False
    return suspended


def asked_twice(jobs: Iterable[TrueJob]) -> Iterable[str]:
    """S1a: what somebody asked for is one job, whatever its document is called later, and of the kind that was asked for."""
    made: dict[str, TrueJob] = {}
    for job in jobs:
        claim = None if job.post is None or job.post.claim is None else job.post.claim.claim
        if claim is None or not claim.request:
            continue
        if claim.request in made:
            yield f"S1a {claim.request} has two jobs: {made[claim.request].job_id} and {job.job_id}"
        if job.kind is not claim.kind:
            yield f"S6 {claim.request} asked for a {claim.kind}, and {job.job_id} is a {job.kind}"
        made[claim.request] = job
