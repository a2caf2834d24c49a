"""Every POST and every job: was there a claim before it, was it allowed, and does it belong to exactly one run of one slot?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import JobStatus
from controller.model.record import Outcome, Reason, SlotRecord
from controller.simulation.chronicle import Chronicle, Claimed, Post, TrueJob
from controller.simulation.due import DueSlots
from controller.simulation.evidence import Evidence, Fetched

TOLERATED = timedelta(seconds=1)


def runs_of(chronicle: Chronicle) -> dict[ClaimKey, list[TrueJob]]:
    """Our jobs by the run that their POST was sent for: the hidden truth."""
    found: dict[ClaimKey, list[TrueJob]] = defaultdict(list)
    for job in chronicle.jobs.values():
        if job.post is not None and job.post.claim is not None:
            found[job.post.claim.claim.key].append(job)
    return found


def doubled(runs: Mapping[ClaimKey, list[TrueJob]]) -> Iterable[str]:
    """S1: a run has one job."""
    for key, jobs in runs.items():
        if len(jobs) > 1:
            ids = ", ".join(f"{job.job_id} at {job.created_at:%d %H:%M:%S}" for job in jobs)
            yield f"S1 run {key.run} of {key.slot} has {len(jobs)} jobs: {ids}"


def against_posts(evidence: Evidence, due: Mapping[ConnectionRef, DueSlots]) -> Iterable[str]:
    """S3, S4, S7, S9: what is wrong with what was sent."""
    for post in evidence.chronicle.posts:
        claimed, name = post.claim, f"the POST of {post.ref} at {post.sent_at:%d %H:%M:%S}"
        if claimed is None:
            yield f"S3 {name} has no claim"
            continue
        if claimed.life != post.life or claimed.posts != 1:
            yield f"S3 {name} is one of {claimed.posts} for {claimed.claim.key.slot}, claimed in life {claimed.life}"
        limit = evidence.profiles[post.ref.platform].send_within
        if post.sent_at - claimed.began_at > limit + TOLERATED:
            yield f"S4 {name} was sent {post.sent_at - claimed.began_at} after its claim began"
        if post.against:
            yield f"S9 {name} was sent while {post.against} was shown as active"
        yield from _out_of_time(post, claimed, due[post.ref], name)


def _out_of_time(post: Post, claimed: Claimed, due: DueSlots, name: str) -> Iterable[str]:
    at, key = int(claimed.claim.key.slot.scheduled_at.timestamp()), claimed.claim.key
    spec = due.spec_at(claimed.began_at.timestamp())
    if spec is None:
        yield f"S10 {name} was sent with no spec in force"
        return
    # What was claimed before an edit of the calendar goes on: a further run, and a further POST after one that made no job.
    known = due.slots if key.run > 0 or claimed.claim.attempt > 1 else due.calendar(spec)
    if at not in known and not due.has_freshness:
        yield f"S8 {name} was for {key.slot}, which is no slot"
        return
    if key.run > 0 or due.has_freshness:
        return
    if post.sent_at.timestamp() < due.fires(spec, at) - TOLERATED.total_seconds():
        yield f"S7 {name} was before {key.slot} fires"
    superseded, began = due.superseded_at(spec, at), claimed.began_at.timestamp()
    if began > due.deadline(spec, at) + 1 or (superseded is not None and began > superseded + 1):
        yield f"S2 {name} was for {key.slot}, too late"


def against_claims(evidence: Evidence) -> Iterable[str]:
    """S8, S10: slots are claimed in their order, and nothing is claimed that the specs, as last seen, forbid."""
    newest: dict[ConnectionRef, SlotKey] = {}
    for claimed in evidence.chronicle.claims:
        claim = claimed.claim
        if claim.key.run == 0:
            before = newest.setdefault(claim.ref, claim.key.slot)
            if claim.key.slot < before:
                yield f"S8 {claim.key.slot} was claimed after {before}"
            newest[claim.ref] = max(before, claim.key.slot)
        seen = _seen_before(evidence.fetched, claimed)
        if seen is None:
            yield f"S10 {claim.key.slot} was claimed before any spec was read"
            continue
        spec = next((spec for spec in seen.tree.specs if spec.ref == claim.ref), None)
        if spec is None and not seen.tree.failed_paths:
            yield f"S10 {claim.key.slot} was claimed at {claimed.began_at}, when its spec was gone"
        if spec is not None and spec.suspend is not None and spec.suspend.covers(claimed.began_at):
            yield f"S10 {claim.key.slot} was claimed at {claimed.began_at}, while suspended"


def against_removals(evidence: Evidence) -> Iterable[str]:
    """S2: no schedule goes out of force while the revision that was read last still holds it."""
    for ref, versions in evidence.chronicle.versions.items():
        for version in versions:
            seen = [each for each in evidence.fetched if each.at <= version.since]
            if version.spec is None and (not seen or any(spec.ref == ref for spec in seen[-1].tree.specs)):
                yield f"S2 {ref} was retired at {version.since:%d %H:%M:%S}, and no revision had dropped it"


def _seen_before(fetched: Iterable[Fetched], claimed: Claimed) -> Fetched | None:
    found = None
    for each in fetched:
        if each.at > claimed.began_at:
            break
        if each.life == claimed.life:
            found = each
    return found


def against_jobs(
    evidence: Evidence, runs: Mapping[ClaimKey, list[TrueJob]], records: Mapping[SlotKey, SlotRecord]
) -> Iterable[str]:
    """S6 and soundness: each job of ours is explained by one run, each further run by one that failed."""
    chronicle = evidence.chronicle
    owned: dict[ClaimKey, list[TrueJob]] = defaultdict(list)
    for (platform, job_id), keys in chronicle.owners.items():
        if len(keys) > 1:
            yield f"S6 {job_id} belongs to {len(keys)} runs: {', '.join(map(str, keys))}"
        if (job := chronicle.jobs.get(f"{platform}/{job_id}")) is not None:
            owned[keys[0]].append(job)
    for key, jobs in runs.items():
        yield from _unexplained(key, jobs, records.get(key.slot))
        if key.run > 0:
            before = [*owned.get(ClaimKey(key.slot, key.run - 1), []), *runs.get(ClaimKey(key.slot, key.run - 1), [])]
            began = min(job.created_at for job in jobs)
            if not any(job.result is JobStatus.FAILED and job.ended_at <= began for job in before):
                yield f"S1 run {key.run} of {key.slot} began, and no job of the run before it had failed"


def _unexplained(key: ClaimKey, jobs: list[TrueJob], record: SlotRecord | None) -> Iterable[str]:
    """A job of ours for a slot that says it was not started: nobody would know of it."""
    if key.run > 0:
        return
    if record is None or record.outcome not in (Outcome.TRIGGERED, Outcome.IN_DOUBT):
        word = "no record" if record is None else record.word
        yield f"S2 {jobs[0].job_id} began at {jobs[0].created_at:%d %H:%M:%S} for {key.slot}, which has {word}"


def is_open_end(record: SlotRecord) -> bool:
    """Whether a record that is not final says what it waits for, by the wish of its spec."""
    return record.outcome is Outcome.HELD and record.reason in (
        Reason.ACTIVE,
        Reason.WINDOW_CLOSED,
        Reason.MIN_GAP,
        Reason.OBSERVE,
        Reason.NOT_YET_SUPPORTED,
        Reason.POLICY_CONFLICT,
        Reason.CONNECTION_INACTIVE,
        Reason.RETRY_PENDING,
    )
