"""From a revision as read to what is in force: one bad file harms only itself, and never counts as a deletion."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.model.identity import ConnectionRef
from controller.model.record import Reason
from controller.model.schedule import ScheduleSpec


@dataclass(frozen=True, slots=True)
class Desired:
    """What the specs ask for.

    Attributes:
        revision: the newest revision that was read whole.
        specs: the schedule in force for each connection.
        obstacles: connections whose files contradict each other; no new spec of theirs comes into force.
        stale: connections whose schedule in force is older than ``revision``.
        absence_believed: whether a connection without a spec is really gone.
    """

    revision: str = ""
    specs: Mapping[ConnectionRef, ScheduleSpec] = field(default_factory=dict)
    obstacles: Mapping[ConnectionRef, Reason] = field(default_factory=dict)
    stale: frozenset[ConnectionRef] = frozenset()
    absence_believed: bool = True


def merge(previous: Desired, revision: str, specs: Iterable[ScheduleSpec], failed_paths: frozenset[str]) -> Desired:
    """Put a revision in force over the previous one.

    A file that is rejected keeps what it last held in good order. A rejected file of which nothing is known may be any connection's:
    while a revision holds one, nothing that is missing counts as gone. While two files claim a name or a connection, no new spec of it
    comes into force.
    """
    by_ref: dict[ConnectionRef, list[ScheduleSpec]] = defaultdict(list)
    by_name: dict[str, list[ScheduleSpec]] = defaultdict(list)
    for spec in specs:
        by_ref[spec.ref].append(spec)
        by_name[spec.name].append(spec)
    obstacles = {ref: Reason.DUPLICATE_CONNECTION for ref, rows in by_ref.items() if len(rows) > 1}
    for rows in by_name.values():
        if len(rows) > 1:
            obstacles.update({spec.ref: Reason.DUPLICATE_NAME for spec in rows if spec.ref not in obstacles})
    known_paths = {spec.origin.path for spec in previous.specs.values()}
    believed = failed_paths <= known_paths
    in_force: dict[ConnectionRef, ScheduleSpec] = {ref: rows[0] for ref, rows in by_ref.items() if ref not in obstacles}
    stale = set()
    for ref, spec in previous.specs.items():
        if ref not in in_force and (ref in obstacles or not believed or spec.origin.path in failed_paths):
            in_force[ref] = spec
            stale.add(ref)
    return Desired(revision, in_force, obstacles, frozenset(stale), believed)
