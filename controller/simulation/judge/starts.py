"""Every POST and every job: was there a claim before it, was it allowed, and does it belong to exactly one run of one slot?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.record import Outcome, Reason, SlotRecord
from controller.model.schedule import ScheduleSpec, WhenInDoubt
from controller.simulation.chronicle import Chronicle, Claimed, Post, TrueJob
from controller.simulation.judge.by_hand import against_claim
from controller.simulation.judge.case import UNCERTAIN
from controller.simulation.judge.evidence import Evidence, Fetched
from controller.simulation.judge.further import against_freshness, against_further_run
from controller.simulation.lineage import descends
from controller.simulation.slots.due import DueSlots, is_among

TOLERATED = timedelta(seconds=1)


def runs_of(chronicle: Chronicle) -> dict[ClaimKey, list[TrueJob]]:
    """Our jobs by the run that their POST was sent for: the hidden truth."""
    found: dict[ClaimKey, list[TrueJob]] = defaultdict(list)
    for job in chronicle.jobs.values():
        if job.post is not None and job.post.claim is not None:
            found[job.post.claim.claim.key].append(job)
    return found


def doubled(runs: Mapping[ClaimKey, list[TrueJob]], due: Mapping[ConnectionRef, DueSlots]) -> Iterable[str]:
    """S1a, S1b: a run has one job, whether it may be sent again or not: late effects here are within what the profile promises."""
    for key, jobs in runs.items():
        if len(jobs) > 1:
            ids = ", ".join(f"{job.job_id} at {job.created_at:%d %H:%M:%S}" for job in jobs)
            name = "S1a" if key.slot.is_request or _was_once_only(due.get(key.slot.ref), jobs) else "S1b"
            yield f"{name} run {key.run} of {key.slot} has {len(jobs)} jobs: {ids}"


def _was_once_only(due: DueSlots | None, jobs: Iterable[TrueJob]) -> bool:
    """Whether a spec under which one of the jobs was made forbids another POST after a doubt."""
    specs = [due.last_spec(job.created_at.timestamp()) for job in jobs] if due is not None else []
    return any(spec is not None and spec.when_in_doubt is WhenInDoubt.SKIP for spec in specs)


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
        margin = evidence.profiles[post.ref.platform].view_age_max.total_seconds() + UNCERTAIN
        jobs = (
            [job for job in evidence.chronicle.jobs.values() if job.ref == post.ref]
            if due[post.ref].has_freshness
            else []
        )
        yield from _out_of_time(post, claimed, due[post.ref], (jobs, margin), name)


def _out_of_time(
    post: Post, claimed: Claimed, due: DueSlots, seen: tuple[list[TrueJob], float], name: str
) -> Iterable[str]:
    """``seen``: the jobs of the connection where the age of its data counts, and how old a view of them may be."""
    jobs, margin = seen
    at, key = int(claimed.claim.key.slot.scheduled_at.timestamp()), claimed.claim.key
    spec = due.spec_at(claimed.began_at.timestamp())
    if spec is None:
        yield f"S10 {name} was sent with no spec in force"
        return
    if key.slot.is_request:
        # It was asked for, and is no slot.
        return
    # Only a further run of a slot outlives an edit that takes the slot away: its outcome stands, and its job has failed.
    known = due.slots if key.run > 0 else due.calendar(spec)
    is_known = is_among(known, at)
    if not is_known and not due.has_freshness:
        yield f"S8 {name} was for {key.slot}, which is no slot"
        return
    if key.run > 0:
        return
    if not is_known:
        yield from against_freshness(claimed, spec, jobs, margin, name)
        return
    if post.sent_at.timestamp() < due.fires(spec, at) - TOLERATED.total_seconds():
        yield f"S7 {name} was before {key.slot} fires"
    if due.has_freshness:
        return
    superseded, began = due.superseded_at(spec, at), claimed.began_at.timestamp()
    if began > due.deadline(spec, at) + 1 or (superseded is not None and began > superseded + 1):
        yield f"S2 {name} was for {key.slot}, too late"


def against_claims(evidence: Evidence) -> Iterable[str]:
    """S8, S10: slots are claimed in their order, and nothing is claimed that the specs, as last seen, forbid."""
    newest: dict[ConnectionRef, SlotKey] = {}
    written: dict[int, dict[ConnectionRef, ScheduleSpec]] = {}
    for claimed in evidence.chronicle.claims:
        claim, ref = claimed.claim, claimed.claim.ref
        if claim.key.run == 0 and not claim.request:
            before = newest.setdefault(ref, claim.key.slot)
            if claim.key.slot < before:
                yield f"S8 {claim.key.slot} was claimed after {before}"
            newest[ref] = max(before, claim.key.slot)
        seen = _seen_before(evidence.fetched, claimed)
        if seen is None or any(
            life == claimed.life and seen.at <= at <= claimed.began_at for at, life in evidence.restored
        ):
            yield from _against_unread(evidence, claimed)
            continue
        specs = written.setdefault(id(seen), {})
        if not specs:
            specs.update((spec.ref, spec) for spec in reversed(seen.tree.specs))
        spec = specs.get(ref)
        yield from against_claim(evidence.chronicle, claimed, spec)
        if spec is None and not seen.tree.failed_paths:
            yield f"S10 {claim.key.slot} was claimed at {claimed.began_at}, when its spec was gone"
        if spec is not None and spec.suspend is not None and spec.suspend.covers(claimed.began_at):
            yield f"S10 {claim.key.slot} was claimed at {claimed.began_at}, while suspended"


def _against_unread(evidence: Evidence, claimed: Claimed) -> Iterable[str]:
    """S10 for a life that read no specs since it said that it does what was in force before: that it may do."""
    slot, began_at = claimed.claim.key.slot, claimed.began_at
    before = [each for each in evidence.chronicle.versions.get(slot.ref, ()) if each.since <= began_at]
    spec = before[-1].spec if before else None
    if spec is None or not any(life == claimed.life and at <= began_at for at, life in evidence.restored):
        yield f"S10 {slot} was claimed before any spec was read"
    elif spec.suspend is not None and spec.suspend.covers(began_at):
        yield f"S10 {slot} was claimed at {began_at}, while suspended"


def against_rewinds(evidence: Evidence) -> Iterable[str]:
    """S12: where only descendants come into force, nothing is done by a revision that does not descend from the one acted on before."""
    if evidence.parents is None:
        return
    newest: dict[str, str] = {}
    # A claim whose write is slow was decided before another that was written first.
    for claimed in sorted(evidence.chronicle.claims, key=lambda each: each.began_at):
        claim = claimed.claim
        before = newest.get(claim.ref.platform, claim.revision)
        if not descends(evidence.parents, claim.revision, before):
            yield f"S12 {claim.key.slot} was claimed by {claim.revision}, after something was by {before}"
        newest[claim.ref.platform] = claim.revision


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
    evidence: Evidence,
    runs: Mapping[ClaimKey, list[TrueJob]],
    records: Mapping[SlotKey, SlotRecord],
    due: Mapping[ConnectionRef, DueSlots],
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
            yield from against_further_run(key, jobs, before, due[key.slot.ref])


def _unexplained(key: ClaimKey, jobs: list[TrueJob], record: SlotRecord | None) -> Iterable[str]:
    """A job of ours for a slot that says it was not started: nobody would know of it. One that was asked for is no slot's."""
    if key.run > 0 or key.slot.is_request:
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
        Reason.DOUBLE_SCHEDULED,
        Reason.RETRY_PENDING,
    )
