"""Where desired schedules come from."""

from dataclasses import dataclass, field
from typing import Protocol

from controller.model.policy import Policy
from controller.model.request import DeclaredRequest
from controller.model.schedule import Origin, ScheduleSpec


@dataclass(frozen=True, slots=True, order=True)
class SpecError:
    """One thing wrong in one file: ``path:line:column: code: message``; ``code`` is stable."""

    origin: Origin
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.origin.path}:{self.origin.line}:{self.origin.column}: {self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class TreeDelta:
    """What differs between two revisions that hold no error and the same policies: the schedules of the files that changed.

    Attributes:
        since: the name of the earlier revision.
        before: their schedules in it.
        after: their schedules now.
    """

    since: str
    before: tuple[ScheduleSpec, ...] = ()
    after: tuple[ScheduleSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecTree:
    """One revision, read whole.

    Attributes:
        revision: its name, such as ``dir@sha256:…``.
        specs: every valid schedule as written, duplicates included, ordered by path and line.
        policies: every valid policy as written, duplicates included, ordered by path and line.
        errors: every error of every file.
        warnings: what is valid and worth a second look.
        files: how many files were read.
        requests: every valid request, ordered by path and line.
        failed_paths: files of which at least one document is rejected; nothing that they used to hold counts as deleted.
        delta: what differs from the revision that was read before it, where the source knows and that is all: so that a commit that
            changes ten of many files costs what ten cost.
    """

    revision: str
    specs: tuple[ScheduleSpec, ...]
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()
    files: int = 0
    failed_paths: frozenset[str] = frozenset()
    policies: tuple[Policy, ...] = ()
    requests: tuple[DeclaredRequest, ...] = ()
    delta: TreeDelta | None = field(default=None, compare=False)


class SpecSource(Protocol):
    """A tree of spec files at its newest revision."""

    async def fetch(self, applied: str = "") -> SpecTree:
        """Read the newest revision.

        ``applied``: the revision in force; a source that only moves forward refuses one that does not descend from it.

        Raises:
            SpecSourceUnavailable: it could not be read whole; nothing may be concluded from that.
        """
        ...
