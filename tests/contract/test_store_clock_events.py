"""What every store finds again of what was told about clocks."""

from controller.model.event import Event, EventName
from controller.ports.store import CLOCK_EVENTS, Store
from tests.unit.adapters.stores.samples import minute, run


def test_of_all_events_those_about_clocks_and_lives_are_found(store: Store) -> None:
    """Every name of the list and no other; the newest ones, oldest first."""
    for at, name in enumerate(EventName):
        run(store.append_events([Event(name, minute(at), {"schedule": "orders"})]))
    found = [stored.event.name for stored in run(store.clock_events(100))]
    assert found == [name for name in EventName if name in CLOCK_EVENTS]
    assert [stored.event.name for stored in run(store.clock_events(2))] == found[-2:]
