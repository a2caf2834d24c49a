"""The agenda: at most one instant per connection, and asking for what is due costs what is due."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.model.identity import ConnectionRef
from controller.reconcile.agenda import STALE_FACTOR, Agenda
from tests.unit.decide.given import at

A, B, C = (ConnectionRef("acme", name) for name in "abc")


def test_an_empty_agenda_has_nothing_due() -> None:
    """Nothing is asked for, so nothing comes."""
    agenda = Agenda()
    assert (agenda.next_at(), agenda.pop_due(at("10:00"))) == (None, set())


def test_what_is_due_is_taken_off() -> None:
    """The instant itself is due; later ones stay."""
    agenda = Agenda()
    for ref, wake_at in ((A, "10:00"), (B, "10:01"), (C, "10:02")):
        agenda.put(ref, at(wake_at))
    assert agenda.pop_due(at("10:01")) == {A, B}
    assert (agenda.next_at(), agenda.wake_at(A), agenda.wake_at(C)) == (at("10:02"), None, at("10:02"))
    assert agenda.pop_due(at("10:01")) == set()


def test_a_connection_may_be_wanted_by_an_instant() -> None:
    """An earlier instant stays, a later one or none gives way."""
    agenda = Agenda()
    agenda.put(A, at("10:00"))
    agenda.put(B, at("11:00"))
    for ref in (A, B, C):
        agenda.put_by(ref, at("10:30"))
    assert (agenda.wake_at(A), agenda.wake_at(B), agenda.wake_at(C)) == (at("10:00"), at("10:30"), at("10:30"))


def test_a_connection_has_one_instant() -> None:
    """The newest one holds, whether it is earlier or later."""
    agenda = Agenda()
    agenda.put(A, at("10:00"))
    agenda.put(A, at("11:00"))
    assert agenda.pop_due(at("10:30")) == set()
    agenda.put(A, at("10:45"))
    assert agenda.next_at() == at("10:45")
    assert agenda.pop_due(at("12:00")) == {A}


def test_none_takes_it_off() -> None:
    """Who wants nothing is not asked, and one that was never there may be taken off too."""
    agenda = Agenda()
    agenda.put(A, at("10:00"))
    agenda.put(A, None)
    agenda.put(B, None)
    assert (agenda.next_at(), agenda.pop_due(at("11:00"))) == (None, set())


def test_an_instant_that_was_given_up_and_asked_for_again_comes_once() -> None:
    """An outdated entry never wakes anybody a second time."""
    agenda = Agenda()
    for wake_at in ("10:00", "11:00", "10:00"):
        agenda.put(A, at(wake_at))
    assert agenda.pop_due(at("10:30")) == {A}
    assert agenda.pop_due(at("12:00")) == set()


def test_memory_follows_the_number_of_connections() -> None:
    """However often one connection changes its mind, outdated entries are swept out."""
    agenda = Agenda()
    for number in range(10_000):
        agenda.put(A, at("10:00") + timedelta(seconds=number))
    assert len(agenda._heap) <= STALE_FACTOR + 17
    assert agenda.next_at() == at("10:00") + timedelta(seconds=9_999)


STEPS = st.lists(
    st.tuples(st.sampled_from([A, B, C]), st.one_of(st.none(), st.integers(0, 50)), st.booleans()), max_size=60
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(STEPS)
def test_it_behaves_like_a_dictionary(steps: list[tuple[ConnectionRef, int | None, bool]]) -> None:
    """Whatever is put and taken, the agenda says what a plain dictionary of instants says."""
    agenda, model = Agenda(), dict[ConnectionRef, datetime]()
    for ref, seconds, takes in steps:
        instant = None if seconds is None else at("10:00") + timedelta(seconds=seconds)
        if takes and instant is not None:
            due = {each for each, wake_at in model.items() if wake_at <= instant}
            assert agenda.pop_due(instant) == due
            for each in due:
                del model[each]
        else:
            agenda.put(ref, instant)
            model.pop(ref, None)
            model |= {} if instant is None else {ref: instant}
        assert agenda.next_at() == min(model.values(), default=None)
        assert {each: agenda.wake_at(each) for each in (A, B, C)} == {each: model.get(each) for each in (A, B, C)}
