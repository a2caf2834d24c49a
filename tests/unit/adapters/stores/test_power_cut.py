"""The store when the power goes: whatever was acknowledged is there afterwards, and the file is never damaged."""

import random
from dataclasses import dataclass, field

from controller.model.identity import ConnectionRef
from controller.model.record import Outcome
from tests.unit.adapters.stores.power_cut import Disk, Files, store_on
from tests.unit.adapters.stores.samples import claim_of, event_of, job_of, record_of, run

CLAIMS = 500
LOG_PAGES = 60
"""Small, so that the log is emptied into the file often: that is where order matters."""


@dataclass
class Book:
    """What the store has acknowledged, and what was missing after which cut."""

    chance: random.Random = field(default_factory=lambda: random.Random(20261124))
    claimed: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    cuts: int = 0
    lost: list[str] = field(default_factory=list)
    halved: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def cut(self, disk: Disk) -> None:
        """The power goes here: look at both kinds of what it may leave."""
        self.cuts += 1
        self._look("nothing of it", disk.certain())
        self._look("some of it", disk.torn(self.chance))

    def _look(self, kind: str, files: Files) -> None:
        with store_on(Disk(files)) as (_, database):
            found = dict(database.execute("SELECT connection_id, status <> 'Open' FROM claim").fetchall())
            events = database.execute("SELECT count(*) FROM event").fetchone()
            (health,) = database.execute("PRAGMA integrity_check").fetchone()
        if health != "ok":
            self.damaged.append(f"cut {self.cuts}, {kind} written: {health}")
        if events != (sum(found.values()),):
            self.halved.append(f"cut {self.cuts}, {kind} written: {events[0]} events")
        gone = (self.claimed - found.keys()) | {name for name in self.confirmed if not found.get(name)}
        if gone:
            self.lost.append(f"cut {self.cuts}, {kind} written: {len(gone)} of {len(self.claimed)}")


def live(synchronous: str, claims: int) -> Book:
    """Claim and confirm on a disk that is cut at every sync."""
    book = Book()
    disk = Disk(before_sync=book.cut)
    with store_on(disk, synchronous=synchronous, log_pages=LOG_PAGES) as (store, _):
        for number in range(claims):
            ref = ConnectionRef("acme", f"c{number}")
            claim = claim_of(number, ref=ref)
            run(store.claim(claim))
            book.claimed.add(ref.connection_id)
            job = job_of(f"job_{number}", number, ref=ref)
            record = record_of(Outcome.TRIGGERED, number, ref=ref, job_id=job.job_id)
            assert run(store.confirm(claim, job, record, events=[event_of(number)]))
            book.confirmed.add(ref.connection_id)
        book.cut(disk)
    return book


def test_no_acknowledged_claim_is_lost_in_a_power_cut() -> None:
    """Cut at every sync of five hundred claims: each claim and each confirmation that was acknowledged is there, and the file is whole.

    Each confirmation is there with the event that tells it, or neither is.
    """
    book = live("FULL", CLAIMS)

    print(f"{book.cuts} cuts, {len(book.claimed)} claims")
    assert book.cuts > 2 * CLAIMS
    assert book.lost == []
    assert book.halved == []
    assert book.damaged == []


def test_the_power_cut_shows_what_weaker_syncing_loses() -> None:
    """With ``synchronous = NORMAL`` the same disk loses acknowledged claims, so the test above can fail."""
    book = live("NORMAL", 60)

    print(f"{len(book.lost)} losses in {book.cuts} cuts")
    assert book.lost
