"""The two stores answer alike, whatever is asked of them in whatever order."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controller.errors import Fenced, SlotAlreadyClaimed
from controller.model.identity import ConnectionRef
from controller.model.job import JobStatus
from controller.model.plan import RearmFreshness
from controller.model.record import Answer, Claim, ClaimStatus, Outcome, Reason, SlotRecord
from controller.ports.store import Decisions, Store
from tests.unit.adapters.stores.samples import (
    ORDERS,
    PLATFORMS,
    USERS,
    AnyStore,
    accept,
    cancel_of,
    claim_of,
    event_of,
    job_of,
    minute,
    open_store,
    record_of,
    settle,
    slot,
    spec_of,
)

REFS = (ORDERS, USERS, ConnectionRef("other", "orders"))
JOB_IDS = ("1", "2", "3", "4")

refs = st.sampled_from(REFS)
instants = st.integers(0, 8)
job_ids = st.sampled_from(JOB_IDS)
claims = st.builds(
    claim_of, instants, ref=refs, run=st.sampled_from([0, 0, 1]), attempt=st.integers(1, 3), written=instants
)
records = st.builds(
    record_of,
    st.sampled_from(Outcome),
    instants,
    ref=refs,
    reason=st.sampled_from([None, Reason.REJECTED, Reason.REFUSED]),
    job_id=st.none() | job_ids,
    decided=instants,
).flatmap(lambda record: st.sampled_from(["", "Z 1", "Z 1; Y 2"]).map(lambda wall: replace(record, wall=wall)))
ranges = st.builds(
    lambda r, n: replace(r, through=r.slot.scheduled_at + (minute(n) - minute(0)), count=n + 1), records, instants
)
accepts = st.builds(
    lambda ref, every, at, generation: accept(
        None if every is None else spec_of(every=every, ref=ref), minute(at), generation, ref
    ),
    refs,
    st.sampled_from([None, 300, 600]),
    instants.map(lambda n: n + 0.0101),
    st.integers(1, 9),
)
jobs = st.builds(job_of, job_ids, instants, ref=refs, status=st.sampled_from(JobStatus), ended=st.none() | instants)
settles = st.builds(
    settle, claims, st.sampled_from([s for s in ClaimStatus if s is not ClaimStatus.OPEN]), records, st.none() | jobs
)
rearms = st.builds(
    lambda ref, at, gone: RearmFreshness(ref, "nightly", minute(at), tuple(slot(each, ref) for each in gone)),
    refs,
    instants,
    st.lists(instants, max_size=3),
)
events = st.builds(event_of, instants, schedule=st.sampled_from([None, "nightly", "hourly"]))
told = st.lists(events, max_size=1)


def of_slot(claim: Claim, record: SlotRecord) -> SlotRecord:
    """The record, moved to the claim's slot."""
    return replace(record, slot=claim.key.slot, through=None, count=1)


class Agreement(RuleBasedStateMachine):
    """Do the same to both, and compare every answer."""

    @initialize()
    def open_both(self) -> None:
        """Begin empty."""
        self.loop = asyncio.Runner()
        self.directory = TemporaryDirectory()
        self.memory: AnyStore = open_store("memory", Path(self.directory.name))
        self.sqlite: AnyStore = open_store("sqlite", Path(self.directory.name))
        self.aside: tuple[AnyStore, AnyStore] = self.memory.beside(), self.sqlite.beside()

    def teardown(self) -> None:
        """Give the file back."""
        self.loop.run(self.sqlite.close())
        self.loop.close()
        self.directory.cleanup()

    def both(self, ask: Callable[[Store], Coroutine[Any, Any, Any]]) -> None:
        """Ask both the same; the answer, or the refusal in its very words, is the same."""
        answers = []
        for store in (self.memory, self.sqlite):
            try:
                answers.append(self.loop.run(ask(store)))
            except (SlotAlreadyClaimed, Fenced) as refusal:
                answers.append(str(refusal))
        assert answers[0] == answers[1]

    @rule()
    def change_hands(self) -> None:
        """The other controller goes on; it holds what it took last, if nobody took it since."""
        now = self.memory, self.sqlite
        (self.memory, self.sqlite), self.aside = self.aside, now

    @rule(platform=st.sampled_from(PLATFORMS), at=instants)
    def take(self, platform: str, at: int) -> None:
        """A take."""
        self.both(lambda store: store.take(platform, "test", minute(at)))

    @rule(
        accepted=st.lists(accepts, max_size=2),
        written=st.lists(records | ranges, max_size=3),
        settled=st.lists(settles, max_size=2),
        rearmed=st.lists(rearms, max_size=1),
        told=told,
    )
    def apply(
        self, accepted: list[Any], written: list[Any], settled: list[Any], rearmed: list[Any], told: list[Any]
    ) -> None:
        """Decisions of any kind, sensible or not."""
        self.both(lambda store: store.apply(Decisions(accepted, written, settled, rearmed), events=told))

    @rule(claim=claims)
    def claim(self, claim: Claim) -> None:
        """A claim."""
        self.both(lambda store: store.claim(claim))

    def opened(self, claim: Claim) -> Claim:
        """Mostly the claim that is open, so that closing has something to close."""
        held = self.loop.run(self.memory.standings({claim.ref: ()}))[claim.ref].claim
        return claim if held is None or claim.attempt == 1 else held

    @rule(claim=claims, job=jobs, record=records, told=told)
    def confirm(self, claim: Claim, job: Any, record: SlotRecord, told: list[Any]) -> None:
        """An answer with a job."""
        claim = self.opened(claim)
        self.both(lambda store: store.confirm(claim, job, of_slot(claim, record), events=told))

    @rule(
        claim=claims,
        status=st.sampled_from([ClaimStatus.ABSENT, ClaimStatus.REFUSED, ClaimStatus.NOT_SENT]),
        at=instants,
        record=records,
        told=told,
    )
    def close_claim(self, claim: Claim, status: ClaimStatus, at: int, record: SlotRecord, told: list[Any]) -> None:
        """An answer without a job."""
        claim = self.opened(claim)
        self.both(lambda store: store.close_claim(claim, status, minute(at), of_slot(claim, record), events=told))

    @rule(claim=claims, answer=st.sampled_from(Answer), at=instants)
    def answered(self, claim: Claim, answer: Answer, at: int) -> None:
        """An answer that settles nothing."""
        claim = self.opened(claim)
        self.both(lambda store: store.answered(claim, answer, minute(at)))

    @rule(ref=refs, job_id=job_ids, at=instants)
    def cancel(self, ref: ConnectionRef, job_id: str, at: int) -> None:
        """A cancel."""
        self.both(lambda store: store.request_cancel(cancel_of(job_id, at, ref)))

    @rule(ref=refs, observed=st.lists(jobs, max_size=3), through=st.none() | instants.map(minute), told=told)
    def save_jobs(self, ref: ConnectionRef, observed: list[Any], through: Any, told: list[Any]) -> None:
        """A listing."""
        self.both(lambda store: store.save_jobs(ref.platform, observed, through=through, events=told))

    @rule(facts=st.lists(events, max_size=3))
    def append_events(self, facts: list[Any]) -> None:
        """Events."""
        self.both(lambda store: store.append_events(facts))

    @rule(
        after=instants,
        since=st.none() | instants.map(minute),
        schedule=st.sampled_from([None, "nightly"]),
        limit=st.integers(1, 3),
    )
    def ask_events(self, after: int, since: Any, schedule: str | None, limit: int) -> None:
        """Any page of events."""
        self.both(lambda store: store.events(after=after, since=since, schedule=schedule, limit=limit))

    @rule(at=instants)
    def prune(self, at: int) -> None:
        """A pruning."""
        self.both(lambda store: store.prune(minute(at)))

    @invariant()
    def they_agree(self) -> None:
        """Every standing, record and job is the same."""
        if not hasattr(self, "sqlite"):
            return
        self.both(lambda store: store.standings(dict.fromkeys(REFS, JOB_IDS)))
        self.both(lambda store: store.known_refs())
        self.both(lambda store: store.events())
        for platform in PLATFORMS:
            self.both(lambda store, platform=platform: store.epoch(platform))  # type: ignore[misc]
            self.both(lambda store, platform=platform: store.observed_through(platform))  # type: ignore[misc]
        self.both(lambda store: store.latest_jobs("acme"))
        for ref in REFS:
            self.both(lambda store, ref=ref: store.slots(ref, 20))  # type: ignore[misc]
            self.both(lambda store, ref=ref: store.jobs(ref, 3))  # type: ignore[misc]


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    stateful_step_count=25,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
