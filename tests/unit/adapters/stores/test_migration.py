"""A file of an older version: what is in it is kept, and what it lacks is added."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.adapters.stores.sqlite import SqliteStore
from controller.adapters.stores.store_file import MIGRATIONS, SCHEMA_VERSION, StoreMode
from controller.model.identity import ClaimKey
from controller.model.job import JobStatus
from controller.model.plan import RearmFreshness
from controller.model.record import Outcome, Reason, Setbacks
from controller.ports.store import Decisions, StoredPolicy
from tests.unit.adapters.stores.samples import ORDERS, acting, alter, claim_of, job_of, minute, run, slot, standing

MICROS = 1_000_000
AT = 1_772_366_400 * MICROS

# Rows as version 1 wrote them: a schedule in force, a slot that was refused once and waits, one that made a job, and the job.
ROWS = f"""
    INSERT INTO schedule VALUES ('acme', 'orders', 'nightly', 'key', 'text', {AT}, {AT}, 3, {AT});
    INSERT INTO slot_record VALUES ('acme', 'orders', {AT}, 'Held', {AT}, 'nightly', 'Refused', 'said so', NULL, 0, NULL, 1, 'r');
    INSERT INTO slot_record VALUES ('acme', 'orders', {AT - MICROS}, 'Triggered', {AT}, 'nightly', NULL, '', '7', 0, NULL, 1, 'r');
    INSERT INTO claim VALUES ('acme', 'orders', {AT}, 0, 1, {AT}, '[]', 'nightly', 'r', 'Refused', 'None', NULL, {AT}, 'Refused');
    INSERT INTO attribution VALUES ('acme', '7', 'orders', {AT - MICROS}, 0);
    INSERT INTO job VALUES ('acme', '7', 'orders', 'sync', 'running', {AT}, NULL, 1500000, 10, NULL);
"""


@pytest.fixture(params=range(1, SCHEMA_VERSION))
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file of each older version, with what version 1 wrote."""
    made, version = tmp_path / "store.db", int(request.param)
    scripts = [MIGRATIONS[0], ROWS, *MIGRATIONS[1:version]]
    alter(made, "\n".join([*scripts, f"PRAGMA user_version = {version};"]))
    return made


def test_a_file_of_an_older_version_keeps_what_is_in_it(path: Path) -> None:
    """Everything that it knew is read as before; of the rest nothing is known yet, and nobody holds a platform."""
    store = SqliteStore.open(path, mode=StoreMode.ACT)
    assert run(store.epoch("acme")) is None
    now = standing(store, ORDERS, "7")
    assert (now.schedule, now.calendar_key, now.content, now.generation) == ("nightly", "key", "text", 3)
    assert (now.effective_since, now.watermark, now.last_triggered_at) == (minute(0), minute(0), minute(0))
    assert [(record.outcome, record.reason, record.wall) for record in now.pending] == [
        (Outcome.HELD, Reason.REFUSED, "")
    ]
    assert now.setbacks == {ClaimKey(slot(), 0): Setbacks(refusals=1, attempts=1, last_at=minute(0))}
    assert now.attributed == {"7": ClaimKey(slot(-1 / 60), 0)}
    assert (now.failures, now.last_success, now.fresh_since, now.walls) == (0, None, None, {})
    assert run(store.jobs(ORDERS, 5)) == ((job_of("7"), minute(-1 / 60)),)
    assert run(store.latest_jobs("acme")) == (job_of("7"),)
    assert run(store.policies()) == ()
    run(store.close())


def test_a_file_of_an_older_version_learns_what_is_new(path: Path) -> None:
    """After the migration the file holds what newer versions know, across a restart."""
    store = acting(path)
    policy = StoredPolicy("p", "p.yaml", "x")
    run(store.keep_policies([policy]))
    run(store.apply(Decisions(rearmed=[RearmFreshness(ORDERS, "nightly", minute(5))])))
    run(store.close())
    again = acting(path)
    assert run(again.epoch("acme")) == 2
    assert (standing(again).fresh_since, run(again.policies())) == (minute(5), (policy,))
    run(again.close())


@pytest.mark.parametrize("value", ["NULL", "fresh_since - 1"])
def test_freshness_moves_forward_whoever_writes(path: Path, value: str) -> None:
    """Even a statement that no code of ours contains cannot move the start of freshness back."""
    store = acting(path)
    run(store.apply(Decisions(rearmed=[RearmFreshness(ORDERS, "nightly", minute(5))])))
    run(store.close())
    with pytest.raises(sqlite3.IntegrityError, match="only moves forward"):
        alter(path, f"UPDATE schedule SET fresh_since = {value}")


def test_what_says_nothing_new_is_not_written(path: Path) -> None:
    """The same listing and the same policies a second time change no page of the file."""
    store = acting(path)
    policies = [StoredPolicy("p", "p.yaml", "x")]

    def say() -> None:
        run(store.save_jobs("acme", [job_of("7"), job_of("8", status=JobStatus.FAILED, ended=9)]))
        run(store.keep_policies(policies))

    say()
    with closing(sqlite3.connect(path)) as other:
        (before,) = other.execute("PRAGMA data_version").fetchone()
        say()
        assert other.execute("PRAGMA data_version").fetchone() == (before,)
        run(store.save_jobs("acme", [job_of("9")]))
        assert other.execute("PRAGMA data_version").fetchone() != (before,)
    run(store.close())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE epoch SET epoch = epoch WHERE platform = 'acme'",
        "UPDATE epoch SET epoch = 0 WHERE platform = 'acme'",
        "UPDATE epoch SET epoch = epoch + 1, platform = 'third' WHERE platform = 'acme'",
        "DELETE FROM epoch",
    ],
)
def test_an_epoch_only_grows_whoever_writes(path: Path, statement: str) -> None:
    """Even a statement that no code of ours contains cannot bring an old epoch back."""
    run(acting(path).close())
    with pytest.raises(sqlite3.IntegrityError, match="an epoch only grows"):
        alter(path, statement)


@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_a_claim_is_written_under_the_epoch_in_force_whoever_writes(path: Path, epoch: int) -> None:
    """What a POST rests on is refused by the schema as well, and a claim that is there keeps its epoch."""
    store = acting(path)
    run(store.take("acme", "test", minute(1)))
    run(store.claim(claim_of(5)))
    run(store.close())
    columns = "scheduled_at, run, attempt, written_at, baseline, schedule, revision, status, answer, answered_at, closed_at, close_reason"
    copied = (
        f"INSERT INTO claim (platform, connection_id, {columns}, epoch)"
        f" SELECT platform, 'users', {columns}, {epoch} FROM claim WHERE status = 'Open'"
    )
    for statement in (copied, f"UPDATE claim SET epoch = {epoch} WHERE status = 'Open'"):
        with pytest.raises(sqlite3.IntegrityError, match="under the epoch in force"):
            alter(path, statement)
