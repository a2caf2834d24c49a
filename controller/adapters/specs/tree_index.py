"""What the files of a tree hold, in the order of a tree, kept up to date file by file: a few changed files cost what those cost."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from controller.adapters.specs.documents import SpecFile
from controller.model.policy import Policy
from controller.model.request import DeclaredRequest
from controller.model.schedule import Origin, ScheduleSpec
from controller.ports.spec_source import SpecError

AT_ONCE = 500
"""More changed files than this are sorted in, not put in one by one."""

NO_FILE = SpecFile()


class Placed(Protocol):
    """Something that stands in a file."""

    @property
    def origin(self) -> Origin:
        """Where."""
        ...


T = TypeVar("T", bound=Placed)


class Rows(Generic[T]):
    """What stands in files, ordered by path and line."""

    def __init__(self) -> None:
        self._rows: list[T] = []
        self._whole: tuple[T, ...] | None = ()

    def whole(self) -> tuple[T, ...]:
        """All of them; the same value as long as nothing changes."""
        if self._whole is None:
            self._whole = tuple(self._rows)
        return self._whole

    def replace(self, changes: Mapping[str, tuple[tuple[T, ...], tuple[T, ...]]]) -> None:
        """Put in what files hold now for what they held: by path, what was and what is."""
        changes = {path: rows for path, rows in changes.items() if rows[0] or rows[1]}
        if not changes:
            return
        self._whole = None
        if len(changes) > AT_ONCE:
            kept = [row for row in self._rows if row.origin.path not in changes]
            kept.extend(row for _, now in changes.values() for row in now)
            self._rows = sorted(kept, key=_place)
            return
        for path, (before, now) in changes.items():
            at = bisect_left(self._rows, (path, 0, 0), key=_place)
            self._rows[at : at + len(before)] = sorted(now, key=_place)


class Claims:
    """Where each name, or each connection, is claimed: which of them stand twice only the whole tree can show.

    A key is a pair; the texts may name its halves as ``{0}`` and ``{1}``.
    """

    def __init__(self, code: str, what: str, advice: str) -> None:
        self._code, self._what, self._advice = code, what, advice
        self._places: dict[str, dict[str, Origin]] = {}
        self._crowded: dict[tuple[str, str], list[Origin]] = {}

    def add(self, group: str, key: str, place: Origin) -> None:
        """One more document claims it."""
        places = self._places.setdefault(group, {})
        if key in places:
            self._crowded.setdefault((group, key), [places[key]]).append(place)
        else:
            places[key] = place

    def remove(self, group: str, key: str, place: Origin) -> None:
        """A document claims it no more."""
        rows = self._crowded.get((group, key))
        if rows is None:
            del self._places[group][key]
            return
        rows.remove(place)
        self._places[group][key] = rows[0]
        if len(rows) == 1:
            del self._crowded[group, key]

    def errors(self) -> Iterator[SpecError]:
        """One at each place of what is claimed more than once."""
        for key, places in self._crowded.items():
            first, second = sorted(places)[:2]
            # Two places are enough to find the others; a name that stands a thousand times is told a thousand times, not a million.
            for place in places:
                other = second if place == first else first
                where = f"{other.path}:{other.line}:{other.column}"
                yield SpecError(place, self._code, f"{self._what.format(*key)} also stands at {where}; {self._advice}")


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change of files did to the schedules: those that these files held, and hold; ``is_plain``: they hold no policy."""

    before: tuple[ScheduleSpec, ...]
    after: tuple[ScheduleSpec, ...]
    is_plain: bool


class TreeIndex:
    """The documents of a tree by kind, their errors, and who claims what."""

    def __init__(self) -> None:
        self.specs: Rows[ScheduleSpec] = Rows()
        self.policies: Rows[Policy] = Rows()
        self.requests: Rows[DeclaredRequest] = Rows()
        self.errors: Rows[SpecError] = Rows()
        self.warnings: Rows[SpecError] = Rows()
        self._names = Claims("duplicate-name", "the name {1}", "give each document a name of its own")
        self._connections = Claims(
            "duplicate-connection", "the connection {1} on platform {0}", "keep one schedule for it"
        )

    def replace(self, changes: Mapping[str, tuple[SpecFile, SpecFile]]) -> Moved:
        """Take in changed files: by path, what the file held and what it holds, `NO_FILE` where there was or is none."""
        for before, _ in changes.values():
            for each in before.documents:
                self._names.remove(each.kind, each.name, each.name_origin)
                if each.spec is not None:
                    self._connections.remove(each.spec.platform, each.spec.connection_id, each.connection_origin)
        for _, now in changes.values():
            for each in now.documents:
                self._names.add(each.kind, each.name, each.name_origin)
                if each.spec is not None:
                    self._connections.add(each.spec.platform, each.spec.connection_id, each.connection_origin)
        specs = {path: (_specs(before), _specs(now)) for path, (before, now) in changes.items()}
        policies = {path: (_policies(before), _policies(now)) for path, (before, now) in changes.items()}
        self.specs.replace(specs)
        self.policies.replace(policies)
        self.requests.replace({path: (_requests(before), _requests(now)) for path, (before, now) in changes.items()})
        self.errors.replace({path: (before.errors, now.errors) for path, (before, now) in changes.items()})
        self.warnings.replace({path: (before.warnings, now.warnings) for path, (before, now) in changes.items()})
        return Moved(
            tuple(spec for rows, _ in specs.values() for spec in rows),
            tuple(spec for _, rows in specs.values() for spec in rows),
            not any(rows[0] or rows[1] for rows in policies.values()),
        )

    def duplicates(self) -> Iterable[SpecError]:
        """One error at each place of a name or a connection that stands more than once."""
        yield from self._names.errors()
        yield from self._connections.errors()


def _place(row: Placed) -> tuple[str, int, int]:
    origin = row.origin
    return origin.path, origin.line, origin.column


def _specs(file: SpecFile) -> tuple[ScheduleSpec, ...]:
    return tuple(document.spec for document in file.documents if document.spec is not None)


def _policies(file: SpecFile) -> tuple[Policy, ...]:
    return tuple(document.policy for document in file.documents if document.policy is not None)


def _requests(file: SpecFile) -> tuple[DeclaredRequest, ...]:
    return tuple(document.request for document in file.documents if document.request is not None)
