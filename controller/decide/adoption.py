"""What an import writes for the connections that no spec drives yet: nothing that it writes may make anything happen."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from controller.decide.platform_schedule import canonical, entry_of
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef

NAME_LENGTH_MAX = 63
SUFFIX_LENGTH = 8

SUSPENDED: Mapping[ConnectionStatus, str] = {
    ConnectionStatus.INACTIVE: "inactive on the platform when it was imported",
    ConnectionStatus.LOCKED: "locked on the platform when it was imported",
}
"""Why a spec suspends its schedule from the beginning."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A spec to be written.

    Attributes:
        name: of the schedule, and of its file; unique over the tree and this import.
        entry: the connection's own schedule as an entry, ``manual`` where there is none that can be used.
        observes: whether it only observes, because the platform drives the connection, or may.
        note: why the entry is not what the platform does; empty where it is.
    """

    ref: ConnectionRef
    name: str
    connection: Connection
    entry: CalendarEntry
    observes: bool
    note: str = ""

    @property
    def suspension(self) -> str:
        """Why it is suspended; empty where it is not."""
        return SUSPENDED.get(self.connection.status, "")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A connection for which nothing is written, and why."""

    ref: ConnectionRef
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an import comes to, by platform and then in the platform's order."""

    drafts: tuple[Draft, ...]
    left_out: tuple[LeftOut, ...]


def adopt(
    found: Iterable[tuple[ConnectionRef, Connection]], managed: Collection[ConnectionRef], taken: Iterable[str]
) -> Adoption:
    """Draft a spec for each connection that no spec names; ``taken`` are the names that there are already."""
    names = set(taken)
    drafts: list[Draft] = []
    left_out: list[LeftOut] = []
    for ref, connection in found:
        if ref in managed:
            continue
        if connection.status is ConnectionStatus.DELETED:
            left_out.append(LeftOut(ref, connection.name, "it is deleted on the platform"))
            continue
        name = free_name(connection, ref, names)
        names.add(name)
        drafts.append(draft_of(ref, name, connection))
    return Adoption(tuple(drafts), tuple(left_out))


def draft_of(ref: ConnectionRef, name: str, connection: Connection) -> Draft:
    """The spec of one connection. Only what certainly starts nothing by itself may be driven from the beginning."""
    is_manual = connection.schedule_kind is PlatformScheduleKind.MANUAL
    observes = not is_manual or connection.status is ConnectionStatus.UNKNOWN
    timing = canonical(connection.schedule_kind, connection.expression)
    if timing is not None:
        return Draft(ref, name, connection, entry_of(timing), observes)
    note = "" if is_manual else "it cannot be expressed here, so no slots are written"
    return Draft(ref, name, connection, CalendarEntry(EntryKind.MANUAL), observes, note)


def free_name(connection: Connection, ref: ConnectionRef, taken: Collection[str]) -> str:
    """A label (RFC 1123) that nothing else has: from the connection's name, with a part of its id where that is taken."""
    base = label(connection.name) or label(ref.connection_id) or "connection"
    digest = hashlib.sha256(str(ref).encode("utf-8", "replace")).hexdigest()
    for suffix in ("", label(ref.connection_id[-SUFFIX_LENGTH:]), digest[:SUFFIX_LENGTH], digest[: 2 * SUFFIX_LENGTH]):
        name = f"{base[: NAME_LENGTH_MAX - 1 - len(suffix)].rstrip('-')}-{suffix}" if suffix else base
        if name not in taken:
            return name
    raise ValueError(f"no name is left for {ref}")


def label(text: str) -> str:
    """The letters and digits of a text as a label; empty where it has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:NAME_LENGTH_MAX].rstrip("-")
