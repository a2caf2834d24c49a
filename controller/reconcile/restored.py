"""What was in force before this process began, read back from the store: a rejected file must not end what it used to say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from controller.decide.desired import Desired, merge
from controller.decide.policies import resolve, settle
from controller.model.policy import Policy
from controller.model.schedule import ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.ports.store import Store, StoredPolicy


def no_policy(stored: StoredPolicy) -> Policy | None:  # noqa: ARG001 - one shape for all readers
    """Read nothing back; for a controller whose specs hold no policies."""
    return None


@dataclass(frozen=True, slots=True)
class Restorers:
    """Readers of what the store kept; each gives None for what does not parse any more."""

    spec: Callable[[str], ScheduleSpec | None]
    policy: Callable[[StoredPolicy], Policy | None] = no_policy

    def policies(self, kept: Sequence[StoredPolicy]) -> tuple[Policy, ...]:
        """Every policy that can be read back."""
        return tuple(policy for row in kept if (policy := self.policy(row)) is not None)

    def resolved(self, content: str, policies: Sequence[Policy]) -> ScheduleSpec | None:
        """A schedule that stands in no file any more, under the policies in force."""
        spec = self.spec(content) if content else None
        return None if spec is None else resolve(spec, policies, None)


async def first_desired(store: Store, tree: SpecTree, restorers: Restorers) -> Desired:
    """The first revision after a start: what the store says was in force stays so while a rejected file may be its own.

    Where policies contradict each other, what the kept ones gave stays in force. Restored documents stand in no file of the tree, so
    nothing of them counts as gone before every file could be read.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    policies = restorers.policies(await store.policies())
    settled = {spec.ref: settle(spec, policies, None) for spec in tree.specs}
    before = Desired(policies=policies, settled=settled)
    desired = merge(before, tree.revision, tree.specs, tree.failed_paths, tree.policies)
    if desired.absence_believed:
        return desired
    missing = sorted(set(await store.known_refs()) - desired.specs.keys())
    if not missing:
        return desired
    standings = await store.standings(dict.fromkeys(missing, ()))
    contents = [content for ref in missing if (content := standings[ref].content)]
    written = {spec.ref: spec for content in contents if (spec := restorers.spec(content)) is not None}
    settled |= {ref: settle(spec, policies, None) for ref, spec in written.items()}
    before = replace(before, written=written, settled=settled)
    return merge(before, tree.revision, tree.specs, tree.failed_paths, tree.policies)


async def restored_desired(store: Store, restorers: Restorers) -> Desired:
    """All that the store says was in force, under the policies that it kept; no absence in it counts.

    What cannot be read back is not in it, and is left as it is.

    Raises:
        StoreUnavailable: the store could not be read.
    """
    policies = restorers.policies(await store.policies())
    standings = await store.standings(dict.fromkeys(await store.known_refs(), ()))
    contents = {ref: row.content for ref, row in standings.items() if row.calendar_key is not None and row.content}
    written = {ref: spec for ref, content in contents.items() if (spec := restorers.spec(content)) is not None}
    settled = {ref: settle(spec, policies, None) for ref, spec in written.items()}
    applied = (await store.revisions()).applied
    # As if every file were rejected.
    return merge(
        Desired(written=written, policies=policies, settled=settled),
        "" if applied is None else applied.name,
        (),
        frozenset({""}),
    )
