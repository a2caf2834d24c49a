"""What only a file can do: outlive a process, be locked, be read meanwhile, refuse and fail."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.adapters.stores.store_file import StoreFile
from controller.errors import StoreInUse, StoreUnavailable
from controller.model.job import JobKind, JobStatus
from controller.model.record import Answer, ClaimStatus, Outcome, Reason
from controller.ports.store import Decisions
from tests.unit.adapters.stores.samples import (
    NOON,
    ORDERS,
    USERS,
    accept,
    acting,
    alter,
    cancel_of,
    claim_of,
    event_of,
    job_of,
    minute,
    reading,
    record_of,
    run,
    settle,
    slot,
    spec_of,
    standing,
    take_all,
)

HOLDER = """
import asyncio, sys
from pathlib import Path
from tests.unit.adapters.stores.samples import acting, claim_of
store = acting(Path(sys.argv[1]))
asyncio.run(store.claim(claim_of()))
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store.db"


def test_everything_outlives_a_restart(path: Path) -> None:
    """What was written before a close is read after the next open, to the microsecond."""
    store = acting(path)
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    claim = replace(claim_of(15), written_at=minute(15).replace(microsecond=123_457))
    run(store.claim(claim))
    run(store.answered(claim, Answer.UNKNOWN, minute(16)))
    run(store.request_cancel(cancel_of("1")))
    run(store.append_events([event_of()]))
    before = standing(store), run(store.events())
    run(store.close())
    again = acting(path)
    assert (standing(again), run(again.events())) == before
    held = before[0].claim
    assert held is not None
    assert held.written_at == claim.written_at
    run(again.close())


def test_a_claim_survives_kill_9_and_the_lock_does_not(path: Path) -> None:
    """A killed holder leaves its claim and no lock: while it lives a second controller is refused, afterwards it may act."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"
        with pytest.raises(StoreInUse, match=f"{path} is in use: another controller is running"):
            acting(path)
        holder.kill()
    store = acting(path)
    assert standing(store).claim == claim_of()
    run(store.close())


def test_a_killed_controllers_claim_can_be_read(path: Path) -> None:
    """A reader needs no controller: it sees what a killed one had committed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    reader = reading(path)
    assert standing(reader).claim == claim_of()
    run(reader.close())


def test_one_controller_per_file_whatever_its_name(path: Path) -> None:
    """A link to the store is the same store; after a close, also after a second one, the next controller may act."""
    store = acting(path)
    link = path.with_name("link.db")
    link.symlink_to(path)
    with pytest.raises(StoreInUse):
        acting(link)
    run(store.close())
    run(store.close())
    run(acting(link).close())


def test_a_store_that_could_not_be_opened_keeps_no_lock(path: Path) -> None:
    """A failed open gives the lock back, so that mending the file is enough."""
    path.write_text("something else entirely, and long enough to be looked at" * 20)
    with pytest.raises(StoreUnavailable):
        acting(path)
    path.unlink()
    run(acting(path).close())


def test_a_reader_sees_commits_as_they_happen(path: Path) -> None:
    """A reader opened before a commit sees it afterwards, and neither keeps the other waiting."""
    store, reader = acting(path), reading(path)
    assert standing(reader).claim is None
    run(store.claim(claim_of()))
    assert standing(reader).claim == claim_of()
    run(reader.close())
    run(store.close())


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.apply(Decisions()),
        lambda store: store.claim(claim_of()),
        lambda store: store.confirm(claim_of(), job_of("1"), record_of(Outcome.TRIGGERED)),
        lambda store: store.answered(claim_of(), Answer.BUSY, NOON),
        lambda store: store.close_claim(claim_of(), ClaimStatus.REFUSED, NOON, record_of(Outcome.HELD)),
        lambda store: store.request_cancel(cancel_of("1")),
        lambda store: store.save_jobs("acme", []),
        lambda store: store.keep_policies([]),
        lambda store: store.save_jobs("acme", [], through=NOON),
        lambda store: store.append_events([]),
        lambda store: store.prune(NOON),
    ],
    ids=[
        "apply",
        "claim",
        "confirm",
        "answered",
        "close",
        "cancel",
        "save_jobs",
        "policies",
        "observed",
        "events",
        "prune",
    ],
)
def test_a_reader_writes_nothing(path: Path, write: Callable[[SqliteStore], object]) -> None:
    """Every method that writes is refused on a store that was opened for reading, in words."""
    run(acting(path).close())
    reader = reading(path)
    with pytest.raises(StoreUnavailable, match="open for reading only"):
        run(write(reader))  # type: ignore[arg-type]
    run(reader.close())


def test_a_closed_store_says_so(path: Path) -> None:
    """Using a store after its close is ``StoreUnavailable``."""
    store = acting(path)
    run(store.close())
    with pytest.raises(StoreUnavailable, match="closed"):
        standing(store)


def test_a_locked_file_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program's open transaction becomes ``StoreUnavailable`` after the time-out, and nothing is half written."""
    monkeypatch.setattr("controller.adapters.stores.store_file._BUSY_TIMEOUT_SECONDS", 0.01)
    store = acting(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="was locked by another program"):
            run(store.claim(claim_of()))
    run(store.claim(claim_of()))
    run(store.close())


def test_a_full_disk_undoes_the_whole_batch(path: Path) -> None:
    """A write that does not fit is ``StoreUnavailable`` with advice, none of it is kept, and the store goes on afterwards."""
    file = StoreFile.open(path, StoreMode.ACT)
    store = take_all(SqliteStore(file))
    with file.reading() as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")
    long = replace(record_of(Outcome.HELD, 15), message="long " * 20_000)
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        run(store.apply(Decisions(records=[record_of(Outcome.HELD), long])))
    assert run(store.slots(ORDERS, 5)) == ()
    run(store.apply(Decisions(records=[record_of(Outcome.HELD)])))
    run(store.close())


def test_a_transaction_that_undid_itself_is_not_undone_again(path: Path) -> None:
    """SQLite rolls back by itself after some failures: what is told is that failure, and the next write works."""
    store = acting(path)
    alter(path, "CREATE TRIGGER undo BEFORE INSERT ON event BEGIN SELECT RAISE(ROLLBACK, 'undone'); END")
    with pytest.raises(StoreUnavailable, match="undone"):
        run(store.append_events([event_of()]))
    run(store.save_jobs("acme", [], through=NOON))
    run(store.close())


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE slot_record SET outcome = 'Held'", "a final record is never overwritten"),
        ("UPDATE schedule SET watermark = watermark - 1", "a watermark only moves forward"),
        ("UPDATE schedule SET watermark = NULL", "a watermark only moves forward"),
        ("UPDATE claim SET status = 'Open', closed_at = NULL", "a closed claim never changes"),
        ("UPDATE attribution SET scheduled_at = 0", "a job belongs to one slot for ever"),
        ("DELETE FROM attribution", "a job belongs to one slot for ever"),
        ("UPDATE observed SET platform = NULL", "NOT NULL"),
    ],
)
def test_the_rules_live_in_the_schema(path: Path, statement: str, rule: str) -> None:
    """Even a statement that no code of ours contains cannot break a rule."""
    store = acting(path)
    run(store.claim(claim_of()))
    triggered = record_of(Outcome.TRIGGERED, job_id="7")
    run(store.apply(Decisions(settled=[settle(claim_of(), ClaimStatus.ADOPTED, triggered, job_of("7"))])))
    run(store.save_jobs("acme", [], through=NOON))
    run(store.close())
    with pytest.raises(sqlite3.IntegrityError, match=rule):
        alter(path, statement)


def test_every_word_of_the_model_fits_the_schema(path: Path) -> None:
    """Each outcome, reason, status, answer and kind of job can be stored and read back."""
    store = acting(path)
    records = [record_of(outcome, n) for n, outcome in enumerate(Outcome)]
    records += [record_of(Outcome.HELD, 100 + n, reason=reason) for n, reason in enumerate(Reason)]
    jobs = [replace(job_of(f"{k}{s}"), kind=k, status=s) for k in JobKind for s in JobStatus]
    run(store.apply(Decisions(records=records)))
    run(store.save_jobs("acme", jobs))
    for n, status in enumerate(s for s in ClaimStatus if s is not ClaimStatus.OPEN):
        claim = claim_of(200 + n)
        run(store.claim(claim))
        for answer in Answer:
            run(store.answered(claim, answer, NOON))
        run(store.close_claim(claim, status, NOON, record_of(Outcome.HELD, 200 + n)))
    kept = {record.slot: record for record in run(store.slots(ORDERS, 1_000))}
    assert [kept[record.slot] for record in records] == records
    assert {job.job_id: job for job, _ in run(store.jobs(ORDERS, 100))} == {job.job_id: job for job in jobs}
    run(store.close())


def test_a_word_of_a_newer_version_is_named(path: Path) -> None:
    """A reason that this version does not know is ``StoreUnavailable``, saying which."""
    store = acting(path)
    run(store.apply(Decisions(records=[record_of(Outcome.HELD)])))
    alter(path, "UPDATE slot_record SET reason = 'Eclipse'")
    with pytest.raises(StoreUnavailable, match="'Eclipse' is not a valid Reason"):
        standing(store)
    run(store.close())


def test_half_a_character_in_a_message_does_no_harm(path: Path) -> None:
    """A platform's message that is no valid UTF-8 is kept as well as it can be; in a name it is ``StoreUnavailable``."""
    store = acting(path)
    run(store.apply(Decisions(records=[replace(record_of(Outcome.HELD), message="bad \ud800 byte")])))
    assert run(store.slots(ORDERS, 1))[0].message == "bad ? byte"
    with pytest.raises(StoreUnavailable, match="surrogates not allowed"):
        run(store.apply(Decisions(records=[record_of(Outcome.COUNTED, job_id="\ud800")])))
    assert run(store.slots(ORDERS, 1))[0].slot == slot()
    run(store.close())


def test_a_number_that_is_too_large_is_refused_in_words(path: Path) -> None:
    """A number beyond 64 bits is ``StoreUnavailable`` and leaves no transaction open."""
    store = acting(path)
    with pytest.raises(StoreUnavailable, match="too large"):
        run(store.save_jobs("acme", [job_of("1"), replace(job_of("2"), rows=2**63)]))
    assert run(store.jobs(ORDERS, 5)) == ()
    run(store.save_jobs("acme", [job_of("1")]))
    run(store.close())


def test_an_event_that_cannot_be_kept_undoes_what_it_tells(path: Path) -> None:
    """Where the journal refuses a row, the confirmation is not there either: the claim is still open."""
    run(acting(path).close())
    alter(path, "CREATE TRIGGER refuse BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no room'); END")
    store = acting(path)
    run(store.claim(claim_of()))
    with pytest.raises(StoreUnavailable, match="no room"):
        run(store.confirm(claim_of(), job_of("9"), record_of(Outcome.TRIGGERED, job_id="9"), events=[event_of()]))
    found = run(store.standings({ORDERS: ["9"]}))[ORDERS]
    assert (found.claim, found.attributed) == (claim_of(), {})
    run(store.close())


def test_a_connection_that_has_little_is_read_in_two_statements(path: Path) -> None:
    """What most connections have nothing of is not asked for one by one, however many connections are read."""
    store = acting(path)
    run(store.apply(Decisions(accepted=[accept(spec_of(), NOON)])))
    run(store.claim(claim_of()))
    run(store.confirm(claim_of(), job_of("9"), record_of(Outcome.TRIGGERED, job_id="9")))
    statements: list[str] = []
    with store._file.reading() as database:
        database.set_trace_callback(statements.append)
    found = run(store.standings({ORDERS: ["9"], USERS: []}))
    assert found[ORDERS].owns("9")
    assert len(statements) == 2
    run(store.close())


def test_a_slot_costs_the_same_however_long_the_history(path: Path) -> None:
    """A claim and what came of it read nothing of the slots before: after 500 of them SQLite does as much as after 5."""
    store, costs = acting(path), []
    for number, before in enumerate((5, 500)):
        run(store.apply(Decisions(records=[record_of(Outcome.SKIPPED, at) for at in range(-before, 0)])))
        claim, job_id = claim_of(number), str(number)
        steps: list[None] = []
        with store._file.reading() as database:
            database.set_progress_handler(partial(steps.append, None), 10)
        run(store.claim(claim))
        run(store.confirm(claim, job_of(job_id), record_of(Outcome.TRIGGERED, number, job_id=job_id)))
        costs.append(len(steps))
    few, many = costs
    assert many < 1.3 * few
    run(store.close())
