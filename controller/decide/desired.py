"""From a revision as read to what is in force: one bad file harms only itself, and never counts as a deletion."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from controller.decide.policies import settle, with_additions
from controller.model.identity import ConnectionRef
from controller.model.policy import Policy
from controller.model.record import Reason
from controller.model.schedule import ScheduleSpec


@dataclass(frozen=True, slots=True)
class Desired:
    """What the specs ask for.

    Attributes:
        revision: the newest revision that was read whole.
        specs: the schedule in force for each connection, under all policies.
        obstacles: connections whose files contradict each other; no new spec of theirs comes into force.
        stale: connections whose schedule in force is older than ``revision``.
        absence_believed: whether a connection or a policy without a document is really gone.
        written: the document in force for each connection, as it was written.
        policies: the policies in force, by name.
        settled: ``specs`` without what policies add, so that values in conflict can stay as they were.
        named: the connection of each schedule, by name; of those that stand in two files none.
        touched: the connections that may differ from the revision before; None = any may.
    """

    revision: str = ""
    specs: Mapping[ConnectionRef, ScheduleSpec] = field(default_factory=dict)
    obstacles: Mapping[ConnectionRef, Reason] = field(default_factory=dict)
    stale: frozenset[ConnectionRef] = frozenset()
    absence_believed: bool = True
    written: Mapping[ConnectionRef, ScheduleSpec] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    settled: Mapping[ConnectionRef, ScheduleSpec] = field(default_factory=dict)
    named: Mapping[str, ConnectionRef] = field(default_factory=dict, compare=False)
    touched: frozenset[ConnectionRef] | None = field(default=None, compare=False)

    @property
    def is_whole(self) -> bool:
        """Whether what is in force is exactly what the revision says: nothing is stale, held or of an earlier one."""
        return self.absence_believed and not self.stale and not self.obstacles


def advance(previous: Desired, revision: str, before: Iterable[ScheduleSpec], after: Iterable[ScheduleSpec]) -> Desired:
    """Put a revision in force that differs in a few schedules; the same as `merge`, at the cost of those.

    Only where both revisions hold no error and the same policies, and ``previous`` is whole (`Desired.is_whole`). ``before`` and
    ``after``: the schedules of the files that changed.
    """
    written, named = dict(previous.written), dict(previous.named)
    # Without policies the three are one, and each copy costs what all schedules cost.
    settled = written if previous.settled is previous.written else dict(previous.settled)
    specs = settled if previous.specs is previous.settled else dict(previous.specs)
    earlier, now = {spec.ref for spec in before}, {spec.ref: spec for spec in after}
    for ref in earlier:
        del named[written[ref].name]
    for ref in earlier - now.keys():
        for rows in (written, settled, specs):
            rows.pop(ref, None)
    for ref, spec in now.items():
        written[ref] = spec
        named[spec.name] = ref
        settled[ref] = settle(spec, previous.policies, previous.settled.get(ref))
        specs[ref] = with_additions(settled[ref], previous.policies)
    return replace(
        previous,
        revision=revision,
        specs=specs,
        written=written,
        settled=settled,
        named=named,
        touched=frozenset(earlier | now.keys()),
    )


def differing(before: Desired, after: Desired) -> set[ConnectionRef]:
    """The connections of which something else is desired now, or the same of another revision."""
    refs: Iterable[ConnectionRef] | None = after.touched
    if refs is None:
        refs = before.specs.keys() | after.specs.keys() | before.obstacles.keys() | after.obstacles.keys()
    changed = {
        ref
        for ref in refs
        if before.specs.get(ref) != after.specs.get(ref) or before.obstacles.get(ref) != after.obstacles.get(ref)
    }
    # Nothing is done otherwise for a file that is rejected or mended, but its conditions say so.
    return changed | (before.stale ^ after.stale)


def merge(
    previous: Desired,
    revision: str,
    specs: Iterable[ScheduleSpec],
    failed_paths: frozenset[str],
    policies: Iterable[Policy] = (),
) -> Desired:
    """Put a revision in force over the previous one.

    A file that is rejected keeps what it last held in good order. A rejected file of which nothing is known may be anybody's: while a
    revision holds one, nothing that is missing counts as gone. While two files claim a name or a connection, no new document of it comes
    into force.
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
    origins = (*(spec.origin for spec in previous.written.values()), *(policy.origin for policy in previous.policies))
    believed = failed_paths <= {origin.path for origin in origins}
    kept = failed_paths if believed else None
    written = {ref: rows[0] for ref, rows in by_ref.items() if ref not in obstacles}
    stale = set()
    for ref, spec in previous.written.items():
        if ref not in written and (ref in obstacles or kept is None or spec.origin.path in kept):
            written[ref] = spec
            stale.add(ref)
    in_force = merge_policies(previous.policies, tuple(policies), kept)
    settled, in_all = written, written
    if in_force:
        settled = {ref: settle(spec, in_force, previous.settled.get(ref)) for ref, spec in written.items()}
        in_all = {ref: with_additions(spec, in_force) for ref, spec in settled.items()}
    return Desired(
        revision=revision,
        specs=in_all,
        obstacles=obstacles,
        stale=frozenset(stale),
        absence_believed=believed,
        written=written,
        policies=in_force,
        settled=settled,
        named={spec.name: ref for ref, spec in settled.items() if ref not in obstacles},
    )


def merge_policies(
    previous: Iterable[Policy], policies: Iterable[Policy], kept: frozenset[str] | None
) -> tuple[Policy, ...]:
    """The policies in force, by name; ``kept``: paths of which nothing counts as gone, None = no path does."""
    read = tuple(policies)
    claims = Counter(policy.name for policy in read)
    in_force = {policy.name: policy for policy in read if claims[policy.name] == 1}
    for policy in previous:
        if policy.name not in in_force and (policy.name in claims or kept is None or policy.origin.path in kept):
            in_force[policy.name] = policy
    return tuple(in_force[name] for name in sorted(in_force))
