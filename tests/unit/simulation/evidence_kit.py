"""An hour of one connection, written down by hand, in which everything is as it should be; tests spoil it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from controller.bootstrap import spec_reader
from controller.model.identity import ClaimKey, ConnectionRef, SlotKey
from controller.model.job import JobKind, JobStatus
from controller.model.profile import AITRONOS
from controller.model.record import Claim, Outcome, Reason, SlotRecord
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.simulation.chronicle import Chronicle, Claimed, Post, TrueJob, Version
from controller.simulation.judge.evidence import Evidence, Fetched

BEGAN = datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)
READ = BEGAN + timedelta(minutes=64)
REF = ConnectionRef("default", "conn_a")
SLOTS = tuple(datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(minutes=15 * number) for number in range(1, 5))

HEAD = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {name: a}
spec:
  connectionId: conn_a
"""


def seconds(number: float) -> timedelta:
    """A span."""
    return timedelta(seconds=number)


def tree_of(body: str, revision: str = "one") -> SpecTree:
    """A tree with one schedule; ``body`` stands below ``spec``."""
    files = {"a.yaml": (HEAD + body).encode()} if body else {}
    tree = spec_reader({"default": AITRONOS})(files, revision)
    assert not tree.failed_paths
    return tree


def spec_of(body: str) -> ScheduleSpec:
    """The schedule that a text makes."""
    return tree_of(body).specs[0]


@dataclass
class Story:
    """What happened, as a test tells it; `evidence` is what the checker gets."""

    chronicle: Chronicle
    records: list[SlotRecord]
    fetched: list[Fetched]
    made: int = 0

    @classmethod
    def calm(cls, body: str = "  schedules: [{every: 15m}]\n") -> "Story":
        """Four slots, four claims, four POSTs, four jobs, four records."""
        tree = tree_of(body)
        story = cls(Chronicle(versions={REF: [Version(BEGAN, tree.specs[0])]}), [], [Fetched(BEGAN, 1, tree)])
        for at in SLOTS:
            story.start(at)
        return story

    def start(
        self, at: datetime, *, run: int = 0, late: float = 1.0, result: JobStatus = JobStatus.SUCCEEDED
    ) -> TrueJob:
        """A slot, or a further run of it, that is started as it should be."""
        began = at + seconds(late)
        key = ClaimKey(SlotKey(REF, at), run)
        claim = Claim(key, 1, began, frozenset(self.chronicle.jobs[each].job_id for each in self.chronicle.jobs), "a")
        claimed = Claimed(claim, 1, began, began + seconds(0.01), 1, began + seconds(0.4))
        post = Post(REF, 1, began + seconds(0.02), claimed)
        job = self.add_job(began + seconds(0.2), post, result)
        post.made = post.answered = job.job_id
        self.chronicle.claims.append(claimed)
        self.chronicle.posts.append(post)
        self.chronicle.own("default", job.job_id, key)
        if run == 0:
            self.records.append(
                SlotRecord(SlotKey(REF, at), Outcome.TRIGGERED, began + seconds(0.4), "a", job_id=job.job_id)
            )
        self.chronicle.claims.sort(key=lambda each: each.began_at)
        self.chronicle.posts.sort(key=lambda each: each.sent_at)
        self.records.sort(key=lambda each: each.slot)
        return job

    def add_job(
        self, created: datetime, post: Post | None = None, result: JobStatus = JobStatus.SUCCEEDED, length: float = 100
    ) -> TrueJob:
        """A job of the connection."""
        self.made += 1
        name = f"job_{self.made}"
        job = TrueJob(name, REF, JobKind.SYNC, created, created + seconds(length), result, created, post)
        self.chronicle.jobs[f"default/{name}"] = job
        return job

    def forget(self, place: int) -> None:
        """Nothing happened for a slot: no claim, no POST, no job, no record."""
        at = SLOTS[place]
        chronicle = self.chronicle
        chronicle.claims = [each for each in chronicle.claims if each.claim.key.slot.scheduled_at != at]
        chronicle.posts = [each for each in chronicle.posts if each.claim in chronicle.claims]
        chronicle.jobs = {name: job for name, job in chronicle.jobs.items() if job.post in (None, *chronicle.posts)}
        chronicle.owners = {place: keys for place, keys in chronicle.owners.items() if keys[0].slot.scheduled_at != at}
        self.records = [each for each in self.records if each.slot.scheduled_at != at]

    def decide(self, place: int, outcome: Outcome, reason: Reason | None = None, late: float = 2.0) -> None:
        """A slot gets another outcome, and nothing was started for it."""
        self.forget(place)
        at = SLOTS[place]
        self.records.append(SlotRecord(SlotKey(REF, at), outcome, at + seconds(late), "a", reason))
        self.records.sort(key=lambda each: each.slot)

    def change(self, place: int, **fields: object) -> None:
        """Write a record anew."""
        self.records[place] = replace(self.records[place], **fields)  # type: ignore[arg-type]  # any field of it

    def evidence(self) -> Evidence:
        """What the checker gets."""
        return Evidence(
            profiles={"default": AITRONOS},
            chronicle=self.chronicle,
            records={REF: tuple(self.records)},
            fetched=tuple(self.fetched),
            calm_at=BEGAN + timedelta(minutes=60),
            read_at=READ,
            connections={"default": ("conn_a",)},
        )
