"""A small deterministic driver around the planner: one connection, virtual time, no store and no network.

It goes from instant to instant: where the last plan wants to wake, where a listing is awaited, where a job ends that somebody waits for,
where the spec is edited, where the controller comes back. Between them nothing is planned, so a plan that wakes too late is found out.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from controller.decide.check import check_plan
from controller.decide.planner import make_plan
from controller.model.calendar import EntryKind
from controller.model.identity import ClaimKey
from controller.model.job import Job, JobStatus
from controller.model.plan import (
    AcceptSchedule,
    CancelJob,
    ConnectionFacts,
    ConnectionPlan,
    Listing,
    ListingNeed,
    PlanningInput,
    PlatformFacts,
    RearmFreshness,
    RecordSlot,
    SettleClaim,
    TriggerSync,
)
from controller.model.profile import AITRONOS
from controller.model.record import (
    CancelRequest,
    Claim,
    ClaimStatus,
    Outcome,
    Setbacks,
    SlotRecord,
    Standing,
    Success,
)
from tests.simulation.life import Life, Lived
from tests.simulation.platform import SimulatedPlatform, shown

JOBS_KNOWN = 3
WALLS_KEPT = timedelta(hours=48)
LISTED_BACK = timedelta(hours=24, minutes=10)
ROUNDS_MAX = 12
"""Plans at one instant after which it counts as going round in circles."""


class Stuck(AssertionError):
    """The planner asks for the same instant again and again."""


def live(life: Life) -> Lived:
    """Go through the year."""
    return _Connection(life).through_the_year()


class _Connection:
    def __init__(self, life: Life) -> None:
        self.life, self.platform = life, SimulatedPlatform(life)
        self.standing = Standing(life.spec.ref)
        self.lived = Lived(life, life.start, jobs=self.platform.jobs)
        self.seen: tuple[Job, ...] = ()
        self.listing: Listing | None = None
        self.last_plan = ConnectionPlan(life.spec.ref)
        self.has_freshness = any(entry.kind is EntryKind.FRESHNESS for entry in life.spec.entries)
        self.edits = [since for since, _ in life.versions[1:]]
        self.last_plan_at = life.start

    def through_the_year(self) -> Lived:
        now: datetime | None = self.life.start
        self.look(self.life.start)
        while now is not None and now < self.life.end:
            self.judge(now)
            now = self.next_instant(now)
        claim = self.standing.claim
        self.lived.open_claim = claim.key.slot if claim is not None else None
        return self.lived

    def next_instant(self, now: datetime) -> datetime | None:
        """When something happens next; what would happen without a controller happens when it is back, after a look."""
        wanted = [self.last_plan.wake_at, *(need.begun_after for need in self.last_plan.needs)]
        wanted += [edit for edit in self.edits if edit > now][:1]
        if (ending := self.awaited_end()) is not None:
            wanted.append(ending)
        coming = min((at for at in wanted if at is not None and at > now), default=None)
        for begin, end in self.life.off:
            if end > now and (coming is None or coming >= begin):
                self.look(end)
                return end
        return coming

    def awaited_end(self) -> datetime | None:
        """When the active job is seen to end, if anybody waits for it."""
        job = self.lived.jobs[-1] if self.lived.jobs else None
        if job is None or not self.seen or not self.seen[0].is_active:
            return None
        spec = self.life.spec_at(self.last_plan_at)
        is_awaited = self.has_freshness or spec.retry is not None or bool(self.last_plan.holds)
        return job.ended_at + self.life.lag if is_awaited else None

    def judge(self, now: datetime) -> None:
        """Plan until the planner has nothing more to do at this instant."""
        self.last_plan_at = now
        if (ending := self.awaited_end()) is not None and ending <= now:
            self.look(now)
        for _ in range(ROUNDS_MAX):
            plan = self.plan(now)
            self.write(plan, now)
            if any(self.is_unanswered(need, now) for need in plan.needs):
                self.look(now)
            elif (plan.wake_at is None or plan.wake_at > now) and not self.changes_what_is_awaited(plan):
                return
        raise Stuck(f"{self.life.spec.ref} at {now}: {self.last_plan}")

    def changes_what_is_awaited(self, plan: ConnectionPlan) -> bool:
        """After a DELETE, and after a POST without an answer, the controller waits for something else than before."""
        return any(
            isinstance(action, CancelJob) or (isinstance(action, TriggerSync) and self.standing.claim is not None)
            for action in plan.actions
        )

    def is_unanswered(self, need: ListingNeed, now: datetime) -> bool:
        return need.begun_after <= now and (self.listing is None or self.listing.begun_at < need.begun_after)

    def look(self, now: datetime) -> None:
        """List the platform's jobs, which takes no time and is complete."""
        before = {job.job_id for job in self.seen if not job.is_active}
        self.seen = self.platform.list_jobs(JOBS_KNOWN, now)
        self.listing = Listing(now, now - LISTED_BACK)
        for job in reversed(self.seen):
            if job.is_active or job.job_id in before or job.ended_at is None:
                continue
            if job.status is JobStatus.SUCCEEDED:
                self.standing = replace(self.standing, failures=0, last_success=Success(job.job_id, job.ended_at))
            elif job.status is JobStatus.FAILED:
                self.standing = replace(self.standing, failures=self.standing.failures + 1)

    def plan(self, now: datetime) -> ConnectionPlan:
        facts = ConnectionFacts(
            self.life.spec.ref, self.life.spec_at(now), self.standing, self.seen, moved_at=None, success_known=True
        )
        platform = PlatformFacts(AITRONOS, self.listing, write_permits=1)
        known = PlanningInput(now, "main@sha1:1", {facts.ref.platform: platform}, (facts,))
        plan = make_plan(known)
        self.lived.broken += [f"{now}: {text}" for text in check_plan(known, plan).values()]
        self.lived.plans += 1
        self.last_plan = plan.connections[0]
        return self.last_plan

    def write(self, plan: ConnectionPlan, now: datetime) -> None:
        """Do what the plan says, as the store and the platform would."""
        for action in plan.actions:
            match action:
                case AcceptSchedule():
                    self.accept(action)
                case RecordSlot(record):
                    self.record(record)
                case TriggerSync(claim):
                    self.trigger(claim, now)
                case SettleClaim(claim, status, record):
                    self.settle(claim, status, record, now)
                case CancelJob():
                    self.cancel(action, now)
                case RearmFreshness(_, _, fresh_since, withdrawn):
                    pending = tuple(each for each in self.standing.pending if each.slot not in withdrawn)
                    self.standing = replace(self.standing, fresh_since=fresh_since, pending=pending)

    def accept(self, accepted: AcceptSchedule) -> None:
        spec = accepted.spec
        assert spec is not None
        stands = self.standing
        if spec.calendar_key != stands.calendar_key:
            since = accepted.effective_since
            self.lived.effective_since = since
            stands = replace(stands, effective_since=since, watermark=since, calendar_key=spec.calendar_key)
        self.standing = replace(stands, schedule=spec.name, content=spec.content, generation=accepted.generation)

    def record(self, record: SlotRecord) -> None:
        stands = self.standing
        pending = tuple(each for each in stands.pending if each.slot != record.slot)
        if record.outcome.is_final:
            self.lived.records.append(record)
        else:
            pending = (*pending, record)
        through = record.through or record.slot.scheduled_at
        mark = through if stands.watermark is None else max(stands.watermark, through)
        walls = stands.walls
        if record.wall:
            kept = {wall: at for wall, at in walls.items() if at > record.slot.scheduled_at - WALLS_KEPT}
            walls = {**kept, **dict.fromkeys(record.wall.split("; "), record.slot.scheduled_at)}
        self.standing = replace(stands, watermark=mark, pending=pending, walls=walls)

    def trigger(self, claim: Claim, now: datetime) -> None:
        """Claim the slot, send the POST, and confirm it unless its answer is lost."""
        slot = claim.key.slot
        self.standing = replace(self.standing, last_triggered_at=now)
        job = self.platform.trigger(claim.key, now)
        if job is None:
            self.record(SlotRecord(slot, Outcome.IN_DOUBT, now, claim.schedule, wall=claim.wall))
            self.standing = replace(self.standing, claim=claim)
            return
        self.own(job.job_id, claim.key)
        self.seen = (shown(job, now), *self.seen)[:JOBS_KNOWN]
        if claim.key.run == 0:
            made = SlotRecord(slot, Outcome.TRIGGERED, now, claim.schedule, job_id=job.job_id, wall=claim.wall)
            self.record(made)

    def own(self, job_id: str, key: ClaimKey) -> None:
        recent = [job.job_id for job in self.lived.jobs[-JOBS_KNOWN:]]
        owned = {each: owner for each, owner in self.standing.attributed.items() if each in recent}
        self.standing = replace(self.standing, attributed={**owned, job_id: key})

    def settle(self, claim: Claim, status: ClaimStatus, record: SlotRecord, now: datetime) -> None:
        self.lived.doubts.append((claim.written_at, now))
        self.standing = replace(self.standing, claim=None)
        if record.job_id is not None:
            self.own(record.job_id, claim.key)
        if status is ClaimStatus.ABSENT:
            before = self.standing.setbacks.get(claim.key, Setbacks())
            more = Setbacks(before.unknown_attempts + 1, 0, 0, before.attempts + 1, now)
            self.standing = replace(self.standing, setbacks={claim.key: more})
        self.record(record)

    def cancel(self, asked: CancelJob, now: datetime) -> None:
        """Journal the cancel, and send the DELETE."""
        before, job_id = self.standing.cancel, asked.job.job_id
        requests = 1 if before is None or before.job_id != job_id else before.requests + 1
        self.standing = replace(self.standing, cancel=CancelRequest(asked.ref, job_id, asked.reason, now, requests))
        self.platform.cancel(job_id, now)
