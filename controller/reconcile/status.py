"""How every schedule stands, from the store and the specs alone: no platform is asked, and nothing is written."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.decide.against import as_suspended, freeze_at, stalled_by, suspension_text
from controller.decide.conditions import whole
from controller.decide.desired import Desired
from controller.decide.drift import held_for, standing_drifts
from controller.decide.freshness import freshness_at
from controller.decide.recovery import is_haunted, phantom_text
from controller.decide.slots import calendar_in_force, fires_at, upcoming
from controller.errors import SpecSourceUnavailable
from controller.model.calendar import parse_terms
from controller.model.condition import Condition
from controller.model.identity import ConnectionRef, SlotKey
from controller.model.job import Job, JobKind, JobStatus
from controller.model.plan import Freshness
from controller.model.profile import PlatformProfile
from controller.model.record import Answer, Outcome, Reason, Standing
from controller.model.revision import held_text
from controller.model.safety import SafetyLimits
from controller.model.schedule import Mode, ScheduleSpec
from controller.model.status import Run, ScheduleStatus, State, StatusReport, Summary, run_of
from controller.ports.spec_source import SpecError, SpecSource, SpecTree
from controller.ports.store import Store
from controller.reconcile.doubts import CLOCK_EVENTS_READ, doubts_told
from controller.reconcile.history import NO_PAST, Past, read_past, read_recent
from controller.reconcile.judged import Safeguard, judge_first
from controller.reconcile.restored import Restorers, restored_desired

NEXT = 3
"""How many slots to come a status knows."""


@dataclass(frozen=True, slots=True)
class Case:
    """One connection as the specs and the store show it, before it is put in one word."""

    ref: ConnectionRef
    spec: ScheduleSpec | None
    standing: Standing
    now: datetime
    runs: tuple[Run, ...]
    profile: PlatformProfile | None
    obstacle: Reason | None = None
    is_in_specs: bool = True
    is_stale: bool = False
    stale_because: str = ""
    clock: tuple[Reason, str] | None = None
    kept: tuple[Condition, ...] = ()
    corrected_today: int | None = None
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a report is read from.

    Attributes:
        restorers: read back what the store kept.
        trouble: why the store is an empty stand-in, if it is.
        only: the one schedule whose history is wanted; of the others only their names are then to be relied on.
        limits: by what a revision is held.
        brief: only what a table of all schedules shows is wanted: state, newest slot, newest success and next slot.
    """

    store: Store
    spec_source: SpecSource
    restorers: Restorers
    profiles: Mapping[str, PlatformProfile]
    now: datetime
    trouble: tuple[str, ...] = ()
    only: str | None = None
    limits: SafetyLimits = field(default_factory=SafetyLimits)
    brief: bool = False

    @property
    def guard(self) -> Safeguard:
        """By what a revision is judged; without settings every platform counts."""
        return Safeguard(self.now, self.limits, platforms=self.profiles.keys() or None)


async def read_statuses(reading: Reading, tree: SpecTree, desired: Desired) -> tuple[ScheduleStatus, ...]:
    """Read the status of every schedule that the specs ask for or the store still knows, by name.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    store = reading.store
    refs = sorted(desired.specs.keys() | desired.obstacles.keys() | set(await store.known_refs()))
    standings = await store.standings(dict.fromkeys(refs, ()))
    written: dict[ConnectionRef, list[ScheduleSpec | None]] = defaultdict(list)
    for spec in tree.specs:
        written[spec.ref].append(desired.specs.get(spec.ref, spec))
    because = place_of(tree.errors[0]) if tree.errors else ""
    doubts = doubts_told(stored.event for stored in await store.clock_events(CLOCK_EVENTS_READ))
    kept: dict[ConnectionRef, tuple[Condition, ...]] = {}
    for platform in sorted({ref.platform for ref in refs}) if reading.only is None and not reading.brief else ():
        kept |= await store.conditions(platform)
    recent = await read_recent(store, refs) if reading.brief else {}
    found: list[ScheduleStatus] = []
    for ref in refs:
        standing, claimants = standings[ref], written.get(ref)
        if claimants is None:
            claimants = [desired.specs.get(ref) or reading.restorers.resolved(standing.content, desired.policies)]
        names = {standing.schedule, *(spec.name for spec in claimants if spec is not None)}
        is_wanted = reading.only is None or reading.only in names
        is_whole = is_wanted and not reading.brief
        past = await read_past(store, ref, reading.now) if is_whole else recent.get(ref, NO_PAST)
        if is_wanted and reading.only is not None:
            kept |= await store.conditions(ref.platform, ref.connection_id)
        is_absent = ref not in written and ref not in desired.obstacles
        said = Case(
            ref,
            as_suspended(claimants[0], standing.suspended),
            standing,
            reading.now,
            tuple(_run(ref, *row, reading.now) for row in past.jobs),
            reading.profiles.get(ref.platform),
            obstacle=desired.obstacles.get(ref),
            is_in_specs=not is_absent or not desired.absence_believed,
            is_stale=is_absent and not desired.absence_believed,
            stale_because=because,
            clock=doubts.about(ref.platform),
            kept=kept.get(ref, ()),
            corrected_today=past.corrected_today,
            brief=reading.brief,
        )
        found.append(_status(said, past))
        # Every file that claims the connection is a schedule that somebody looks for.
        others = (as_suspended(spec, standing.suspended) for spec in claimants[1:])
        found.extend(_status(replace(said, spec=spec), past) for spec in others)
    return tuple(sorted(found, key=lambda status: (status.name, status.ref)))


def _run(ref: ConnectionRef, job: Job, claimed_at: datetime | None, now: datetime) -> Run:
    """How long an active job has taken is a matter of now: while nothing else about it changes, it is not stored anew."""
    shown = replace(job, duration=max(now - job.created_at, timedelta())) if job.is_active else job
    return run_of(shown, None if claimed_at is None else SlotKey(ref, claimed_at))


def place_of(error: SpecError) -> str:
    """Where a file is rejected and for what, without the whole sentence: ``validate`` has that."""
    return f"{error.origin.path}:{error.origin.line}:{error.origin.column}: {error.code}"


def _status(case: Case, past: Past) -> ScheduleStatus:
    spec, standing, slots = case.spec, case.standing, past.slots
    key = standing.calendar_key or (spec.calendar_key if spec is not None else None)
    profile = case.profile or PlatformProfile()
    # Until an edit is taken in, the calendar in force counts.
    counting = spec if standing.calendar_key is None else None
    slots_to_come = (
        upcoming(counting, standing, profile, case.now, 1 if case.brief else NEXT) if case.is_in_specs else ()
    )
    is_new = spec is not None and (standing.calendar_key is None or not _is_taken_in(spec, standing))
    min_gap = case.profile.min_gap if case.profile is not None else None
    return ScheduleStatus(
        ref=case.ref,
        name=spec.name if spec is not None else standing.schedule,
        spec=spec,
        entries=parse_terms(key).entries if key is not None and not case.brief else (),
        condition=condition_of(case),
        generation=standing.generation + is_new,
        observed_generation=standing.generation,
        effective_since=standing.effective_since,
        watermark=standing.watermark,
        min_gap=spec.min_gap if spec is not None and spec.min_gap is not None else min_gap,
        next_slots=slots_to_come,
        next_fires_at=_fires_at(case, profile, slots_to_come[0]) if slots_to_come and not case.brief else None,
        last_triggered_at=standing.last_triggered_at,
        missed_count=sum(record.count for record in slots if record.outcome is Outcome.MISSED),
        slots=tuple(slots),
        runs=case.runs,
        failures=standing.failures,
        drifts=standing_drifts(standing),
        corrected_today=case.corrected_today,
        freshness=freshness_at(spec, standing, case.now) if spec is not None else None,
        conditions=() if case.brief else _conditions(case),
        revision=standing.revision,
        requests=past.requests,
    )


def _conditions(case: Case) -> tuple[Condition, ...]:
    """What the controller judged last; nothing is judged here, where no platform was seen."""
    if case.profile is None:
        return whole(
            case.kept, (), f"the settings know no platform called {case.ref.platform}", Reason.UNKNOWN_PLATFORM
        )
    never = case.standing.calendar_key is None
    return whole(case.kept, (), f"no controller has {'taken it in' if never else 'judged it'} yet")


def _fires_at(case: Case, profile: PlatformProfile, scheduled_at: datetime) -> datetime:
    """When the next slot may start, by the calendar that is or will be in force."""
    spec, standing = case.spec, case.standing
    key = standing.calendar_key or (spec.calendar_key if spec is not None else None)
    in_force = replace(standing, calendar_key=key, effective_since=standing.effective_since or case.now)
    return fires_at(spec, calendar_in_force(in_force, profile), case.ref, scheduled_at)


def _is_taken_in(spec: ScheduleSpec, standing: Standing) -> bool:
    return standing.content == spec.content and standing.schedule == spec.name


def condition_of(case: Case) -> Summary:
    """Put a schedule in one word: what needs a person most first."""
    found = (
        _in_the_specs(case),
        _clock(case),
        _asked_for(case),
        _under_way(case),
        _phantom(case),
        _drift(case),
        _waiting(case),
        _health(case),
    )
    return next((condition for condition in found if condition is not None), Summary(State.READY))


def _in_the_specs(case: Case) -> Summary | None:
    """What the tree says, before anything that the schedule itself says."""
    if not case.is_in_specs:
        return Summary(
            State.REMOVED, None, "no spec names its connection any more; the controller takes it out of force"
        )
    if case.obstacle is Reason.DUPLICATE_NAME:
        return Summary(State.HELD, case.obstacle, "another file has the same name; none of them is in force")
    if case.obstacle is not None:
        return Summary(State.HELD, case.obstacle, "another file claims the same connection; none of them is in force")
    if case.is_stale:
        because = f": {case.stale_because}" if case.stale_because else ""
        return Summary(State.STALE, None, f"its last good version stays in force{because}")
    return None


def _clock(case: Case) -> Summary | None:
    """Nothing is judged while the time is in doubt, an edit neither."""
    return Summary(State.HELD, *case.clock) if case.clock is not None else None


def _phantom(case: Case) -> Summary | None:
    """The platform refuses one start after the other; what its last jobs came to says nothing of that."""
    phantoms = case.standing.phantoms
    if not is_haunted(phantoms):
        return None
    return Summary(State.HELD, Reason.PHANTOM_ACTIVE, f"{phantom_text(phantoms)}; look at the connection there")


def _drift(case: Case) -> Summary | None:
    """The platform drives the connection as well, or somebody sets it back each time; one that only observes goes on observing."""
    if case.spec is None or case.spec.mode is Mode.OBSERVE:
        return None
    against = held_for(case.spec, case.standing, case.now)
    return None if against is None else Summary(State.HELD, *against)


def _asked_for(case: Case) -> Summary | None:
    """What the spec itself says stands against it."""
    spec = case.spec
    if spec is None:
        return None
    if case.standing.calendar_key is None:
        return Summary(State.RECONCILING, None, "not in force yet: no controller has taken it in")
    if not _is_taken_in(spec, case.standing):
        return Summary(State.RECONCILING, None, "edited; the controller has not taken the edit in yet")
    if spec.unsupported:
        return Summary(State.HELD, Reason.NOT_YET_SUPPORTED, f"not supported yet: {', '.join(spec.unsupported)}")
    if spec.conflicts:
        return Summary(State.HELD, Reason.POLICY_CONFLICT, f"policies set {', '.join(spec.conflicts)} differently")
    for suspension in (spec.suspend, spec.by_hand):
        if suspension is not None and suspension.covers(case.now):
            by_hand = ", by hand" if suspension is spec.by_hand else ""
            return Summary(State.SUSPENDED, Reason.SUSPENDED, f"{suspension_text(suspension)}{by_hand}")
    if (freeze := freeze_at(spec, case.now)) is not None:
        return Summary(State.FROZEN, Reason.FROZEN, suspension_text(freeze))
    return None


def _under_way(case: Case) -> Summary | None:
    claim = case.standing.claim
    if claim is not None:
        profile = case.profile or PlatformProfile()
        if claim.answer is Answer.NONE and case.now - claim.written_at <= profile.send_within + profile.write_timeout:
            return Summary(State.RUNNING, Reason.TRIGGER_IN_FLIGHT, "its request is under way")
        message = f"whether the request of {claim.written_at:%H:%M:%SZ} made a job is not known yet"
        return Summary(State.IN_DOUBT, Reason.IN_DOUBT, message)
    active = next((run for run in case.runs if run.job.is_active), None)
    if active is None:
        return None
    whose = "" if active.is_ours else ", started elsewhere"
    rows = f", {active.job.rows:,} rows" if active.job.rows is not None else ""
    message = f"{active.job.job_id} is {active.job.status} since {active.job.created_at:%H:%M:%SZ}{rows}{whose}"
    return Summary(State.RUNNING, Reason.ACTIVE, message)


def _waiting(case: Case) -> Summary | None:
    if case.spec is not None and case.spec.mode is Mode.OBSERVE:
        return Summary(State.OBSERVING, Reason.OBSERVE, "only observed; nothing is triggered")
    held = next((record for record in reversed(case.standing.pending) if record.outcome is Outcome.HELD), None)
    return None if held is None else Summary(State.HELD, held.reason, held.message)


def _health(case: Case) -> Summary | None:
    """Too many failures, data that is too old, then the result of the last sync, whoever started it."""
    if case.spec is not None:
        if (stall := stalled_by(case.spec, case.standing.failures)) is not None:
            return Summary(State.STALLED, *stall)
        freshness = freshness_at(case.spec, case.standing, case.now)
        if freshness not in (None, Freshness.FRESH):
            success = case.standing.last_success
            since = f"since {success.finished_at:%Y-%m-%d %H:%M:%SZ}" if success is not None else "yet"
            return Summary(State.OUTDATED, None, f"no sync has succeeded {since} ({freshness})")
    ended = next((r.job for r in case.runs if r.job.kind is JobKind.SYNC and r.job.status.is_terminal), None)
    if ended is not None and ended.status is not JobStatus.SUCCEEDED:
        rows = f" after {ended.rows:,} rows" if ended.rows is not None else ""
        word = "was cancelled" if ended.status is JobStatus.CANCELLED else str(ended.status)
        return Summary(State.FAILING, None, f"{ended.job_id} {word}{rows}")
    return None


async def read_report(reading: Reading) -> StatusReport:
    """Read the status of everything; what only one of specs and store can tell is told without the other.

    Raises:
        SpecSourceUnavailable: the specs cannot be read, and there is no store either.
        StoreUnavailable: the store could not be read.
    """
    trouble = list(reading.trouble)
    store, held = reading.store, None
    known = await store.revisions()
    try:
        tree = await reading.spec_source.fetch("" if known.applied is None else known.applied.name)
        judged = await judge_first(store, tree, reading.restorers, reading.guard)
        desired, held = judged.desired, judged.held
    except SpecSourceUnavailable as error:
        if trouble:
            raise
        trouble.append(f"{error}; this is what the store holds")
        tree, desired = SpecTree(revision="", specs=()), await restored_desired(store, reading.restorers)
        held = known.held[-1] if known.held else None
    if held is not None:
        trouble.append(held_text(held))
        # What it says of schedules is not what is in force.
        tree = SpecTree(desired.revision, (), tree.errors)
    schedules = await read_statuses(reading, tree, desired)
    observed = {name: await reading.store.observed_through(name) for name in reading.profiles}
    rejected = tuple(place_of(error) for error in tree.errors)
    return StatusReport(reading.now, tree.revision, schedules, tuple(trouble), rejected, observed)
