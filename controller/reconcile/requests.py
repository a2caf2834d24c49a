"""What people ask for, on its way in: from the specs into the store, and from the store to the loop."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from controller.decide.desired import Desired
from controller.model.asked import Asked, Request, Source
from controller.model.event import Event
from controller.model.identity import ConnectionRef
from controller.model.request import DeclaredRequest, RequestAction
from controller.ports.spec_source import SpecTree
from controller.reconcile import say, say_requests
from controller.reconcile.gather import Mind
from controller.reconcile.world import World

ACTIONS: Mapping[RequestAction, Asked] = {RequestAction.SYNC: Asked.SYNC, RequestAction.RESET: Asked.RESET}
"""What is carried out for one schedule; ``ConfirmRemovals`` is about a revision and is answered where revisions are judged."""


class Asking:
    """Looks for new requests in the store from time to time; whoever leaves one there cannot wake the loop.

    ``is_due``: it is time to look.
    """

    def __init__(self, world: World, mind: Mind, wake: Callable[[], None]) -> None:
        self._world = world
        self._mind = mind
        self._wake = wake
        self.is_due = True
        self._seen: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Look from now on."""
        self._world.cadence.every(self._world.request_poll, "look for requests", self._soon)

    def _soon(self) -> None:
        self.is_due = True
        self._wake()

    async def look(self) -> set[ConnectionRef]:
        """The connections for which there are new requests, if it is time to look; nothing before the specs are known.

        Raises:
            StoreUnavailable: it is looked for again at the next time.
        """
        if not self.is_due or not self._mind.loaded:
            return set()
        self.is_due = False
        waiting = await self._world.store.waiting_requests()
        new = [request for request in waiting if request.key not in self._seen]
        self._seen = frozenset(request.key for request in waiting)
        by_hand = [request for request in new if request.source is Source.BY_HAND]
        await say.tell(
            self._world, [say_requests.about_asking(request, self._world.clock.now()) for request in by_hand]
        )
        return {request.ref for request in new}


async def take_requests(world: World, mind: Mind, tree: SpecTree, desired: Desired) -> set[ConnectionRef]:
    """Keep what a revision asks for, each key once and for ever; returns whom it may concern.

    A document that is gone withdraws its request only where every file of the revision could be read.

    Raises:
        StoreUnavailable: nothing of it was kept; the revision must be read again.
    """
    declared = tuple(_declared_once(tree.requests))
    mind.declared = None if tree.failed_paths else frozenset(each.key for each in declared)
    by_name, now = desired.named, world.clock.now()
    placed = [
        Request(
            each.key,
            by_name[each.schedule],
            each.schedule,
            ACTIONS[each.action],
            Source.SPEC,
            now,
            asked_by=f"{each.name} in {each.origin}",
            reason=each.reason,
            not_before=each.not_before,
            expires_at=each.expires_at,
        )
        for each in declared
        if each.schedule in by_name
    ]
    # A tree without any costs no write, and one look where something still waits.
    new = await world.store.ask(placed) if placed else ()
    events: list[Event] = [say_requests.about_asking(request, now) for request in new]
    # One that was answered before its schedule left waits for nothing.
    events += [
        say_requests.about_nobody(each, now)
        for each in declared
        if _is_news(mind, each, by_name) and await world.store.request(each.key) is None
    ]
    if events:
        await say.tell(world, events)
    return {request.ref for request in await world.store.waiting_requests() if request.source is Source.SPEC}


def _declared_once(requests: Iterable[DeclaredRequest]) -> Iterable[DeclaredRequest]:
    """Requests for schedules, without those whose name stands twice: nobody can tell which of them is meant."""
    rows = [each for each in requests if each.action in ACTIONS]
    names = Counter(each.name for each in rows)
    return (each for each in rows if names[each.name] == 1)


def _is_news(mind: Mind, declared: DeclaredRequest, known: Mapping[str, ConnectionRef]) -> bool:
    """Whether a request names no schedule in force, and that was not told yet."""
    if declared.schedule in known:
        mind.unplaced.discard(declared.key)
        return False
    is_new = declared.key not in mind.unplaced
    mind.unplaced.add(declared.key)
    return is_new
