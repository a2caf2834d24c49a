"""Looks that are begun when a slot falls due: who is judged at once, who with the look, and in which order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.decide.clock_watch import ClockError
from controller.model.identity import ConnectionRef
from controller.model.plan import ConnectionPlan, Listing, ListingNeed, NeedKind
from controller.model.profile import AITRONOS
from controller.ports.platform import JobListing
from controller.reconcile.agenda import Agenda
from controller.reconcile.foresight import JUDGED_WITHIN, Foresight
from controller.reconcile.gather import Mind
from controller.reconcile.observed import ObservedPlatform
from tests.fakes.platform import FakePlatform
from tests.unit.decide.given import at
from tests.unit.reconcile.test_observed import StoppedClock

A, B, C = (ConnectionRef("acme", name) for name in "abc")
DUE = at("10:15")


def need(due: str = "10:15") -> ListingNeed:
    """The look that a slot will wait for."""
    return ListingNeed(NeedKind.DUE, at(due), at(due), at(due) - timedelta(minutes=10))


class Bench:
    """A platform that was listed at ten past ten, and three connections whose plans foresee their slots."""

    def __init__(self) -> None:
        self.platform = ObservedPlatform("acme", FakePlatform(StoppedClock()), AITRONOS, None)
        self.platform.listed(JobListing((), at("09:00")), at("10:10"))
        self.mind = Mind(platforms={"acme": self.platform})
        self.agenda = Agenda()
        self.foresight = Foresight(self.mind, self.agenda)

    def plan(self, ref: ConnectionRef, due: str = "10:15") -> None:
        """A plan that wakes at the next slot, and foresees what it will wait for."""
        self.agenda.put(ref, at(due))
        self.foresight.note(ConnectionPlan(ref, wake_at=at(due), foreseen=need(due)))

    def list(self, begun: str = "10:15") -> set[ConnectionRef]:
        """A look that went well."""
        self.platform.listed(JobListing((), at("09:00")), at(begun))
        return self.foresight.looked(self.platform)


def test_a_slot_that_is_due_is_judged_with_its_look() -> None:
    """It is not judged before; the look is wanted at once, and the agenda remembers it in case that never ends."""
    bench = Bench()
    bench.plan(A)
    assert bench.foresight.take_due(DUE) == set()
    assert bench.platform.needs == {A: (need(),)}
    assert bench.platform.next_listing_at(DUE) == DUE
    assert bench.agenda.wake_at(A) == DUE + JUDGED_WITHIN
    assert bench.list() == {A}
    assert bench.platform.needs == {}


def test_a_look_that_does_not_end_keeps_nothing_from_being_judged() -> None:
    """After a few seconds the slot is judged on what is known, as one that nothing was foreseen of."""
    bench = Bench()
    bench.plan(A)
    bench.foresight.take_due(DUE)
    assert bench.foresight.take_due(DUE + JUDGED_WITHIN) == {A}


def test_what_is_due_for_another_reason_is_judged_at_once() -> None:
    """Nothing was foreseen, or only for a later instant than the one that has come."""
    bench = Bench()
    bench.agenda.put(A, DUE)
    bench.plan(B, "10:30")
    bench.agenda.put(B, DUE)
    assert bench.foresight.take_due(DUE) == {A, B}
    assert bench.platform.needs == {}


def in_trouble(bench: Bench) -> None:
    """Its last listing failed."""
    bench.platform.failed("timeout", at("10:14"), None)


def quiet(bench: Bench) -> None:
    """It wants no request now."""
    bench.platform.be_quiet(at("10:14"), timedelta(minutes=5))


def never_listed(bench: Bench) -> None:
    """Nothing of it was seen since it is held."""
    bench.platform.history = replace(bench.platform.history, last=None)


def just_listed(bench: Bench) -> None:
    """A look that began after the slot was due is over already."""
    bench.platform.history = replace(bench.platform.history, last=Listing(DUE, at("09:00")))


def in_doubt(bench: Bench) -> None:
    """Its memory of the time is doubted."""
    bench.platform.clock_in_doubt = True


def skewed(bench: Bench) -> None:
    """Its clock and ours cannot both be right."""
    error = ClockError(timedelta(hours=1), timedelta(minutes=5))
    bench.mind.watch = replace(bench.mind.watch, errors={"acme": error})


def frozen(bench: Bench) -> None:
    """Nobody knows what time it is."""
    bench.mind.watch = replace(bench.mind.watch, step=timedelta(hours=1))


def waiting(bench: Bench) -> None:
    """It waits to see something else already."""
    bench.platform.needs[A] = (ListingNeed(NeedKind.IN_DOUBT, at("10:00"), at("10:20")),)


def unknown(bench: Bench) -> None:
    """No setting knows its platform."""
    bench.mind.platforms.clear()


def planned_again(bench: Bench) -> None:
    """A newer plan foresees nothing."""
    bench.foresight.note(ConnectionPlan(A, wake_at=DUE))


@pytest.mark.parametrize(
    "change",
    [in_trouble, quiet, never_listed, just_listed, in_doubt, skewed, frozen, waiting, unknown, planned_again],
)
def test_where_no_look_can_begin_at_once_a_slot_is_judged_as_things_stand(change: Callable[[Bench], None]) -> None:
    """Trouble, pauses and doubts are said at once; none of them holds up the judgement."""
    bench = Bench()
    bench.plan(A)
    change(bench)
    assert bench.foresight.take_due(DUE) == {A}


def test_after_a_look_as_many_are_judged_as_there_are_permits() -> None:
    """The longest due first, then by name; the others wait for their turn as if they had been judged."""
    bench = Bench()
    for ref, due in ((B, "10:15"), (C, "10:14"), (A, "10:15")):
        bench.plan(ref, due)
    assert bench.foresight.take_due(DUE) == set()
    assert bench.list() == {C, A}
    assert list(bench.platform.waiting_turn) == [C, A, B]


def test_who_waits_for_a_turn_longer_goes_first() -> None:
    """Slots that were just seen line up behind; with every permit in use none is judged."""
    bench = Bench()
    bench.platform.waiting_turn[C] = None
    bench.platform.in_flight |= {"x"}
    bench.plan(A)
    bench.foresight.take_due(DUE)
    assert bench.list() == {C}
    bench.platform.in_flight |= {"y"}
    bench.plan(B)
    bench.foresight.take_due(DUE)
    assert bench.list("10:15:01") == set()


def test_a_look_that_failed_is_everybodys_news() -> None:
    """Whoever waited for it is judged on what is known, permits or not."""
    bench = Bench()
    for ref in (A, B, C):
        bench.plan(ref)
    bench.foresight.take_due(DUE)
    bench.platform.failed("timeout", DUE, None)
    assert bench.foresight.looked(bench.platform) == {A, B, C}


def test_a_look_that_began_too_early_is_no_slots_own() -> None:
    """It was under way already when the slot fell due: whoever waits is judged, and says what it still waits for."""
    bench = Bench()
    bench.plan(A)
    bench.foresight.take_due(DUE)
    assert bench.list("10:14:59") == {A}
    assert bench.platform.needs == {A: (need(),)}


def test_who_was_judged_meanwhile_is_not_in_line() -> None:
    """What a newer plan waits to see is judged with every look, as ever."""
    bench = Bench()
    bench.plan(A)
    bench.foresight.take_due(DUE)
    bench.foresight.note(ConnectionPlan(A, needs=(need(),)))
    assert bench.list() == {A}
    assert list(bench.platform.waiting_turn) == []


def test_settings_that_are_read_later_are_judged_later() -> None:
    """A look that comes before its time has nothing to say of a connection that keeps its slot waiting; one of its time has."""
    bench = Bench()
    bench.platform.needs[A] = (ListingNeed(NeedKind.SETTINGS, DUE, at("10:16"), read_connection=True),)
    bench.platform.needs[B] = (need("10:16"),)
    assert bench.list("10:15:30") == {B}
    assert bench.list("10:16") == {A, B}
