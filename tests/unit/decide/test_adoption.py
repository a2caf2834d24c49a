"""What an import drafts for connections: names that fit, and nothing that could make anything happen."""

import pytest

from controller.decide.adoption import adopt, label
from controller.model.calendar import EntryKind
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef

MANUAL, CRON = PlatformScheduleKind.MANUAL, PlatformScheduleKind.CRON


def found(*connections: Connection) -> list[tuple[ConnectionRef, Connection]]:
    """Connections of one platform."""
    return [(ConnectionRef("default", each.connection_id), each) for each in connections]


def connection(
    connection_id: str = "conn_1",
    name: str = "orders",
    status: ConnectionStatus = ConnectionStatus.ACTIVE,
    kind: PlatformScheduleKind = MANUAL,
    expression: str = "",
) -> Connection:
    """A manual, active one unless told otherwise."""
    return Connection(connection_id, name, status, kind, expression)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Orders → Warehouse", "orders-warehouse"),
        ("Größe & Maß", "groe-ma"),
        ("--a__b--", "a-b"),
        ("日本", ""),
        ("x" * 70, "x" * 63),
        ("x" * 62 + " y", "x" * 62),
    ],
)
def test_a_label_of_a_name(text: str, expected: str) -> None:
    """Letters and digits stay, the rest is one hyphen, none at the ends."""
    assert label(text) == expected


def test_names_are_unique_over_tree_and_import() -> None:
    """A name that is taken gets a part of the id; one that still is, a part of a hash; the same every time."""
    same = found(*(connection(f"conn_{each}_abcdefgh") for each in range(4)))
    names = [draft.name for draft in adopt(same, (), {"orders"}).drafts]
    assert names[0] == "orders-abcdefgh"
    assert len(set(names)) == 4
    assert all(name.startswith("orders-") and label(name) == name for name in names)
    assert names == [draft.name for draft in adopt(same, (), {"orders"}).drafts]


def test_a_long_name_with_a_suffix_is_still_a_label() -> None:
    """At most 63 characters, whatever is added."""
    long = found(connection("a" * 20, "x" * 80), connection("b" * 20, "x" * 80))
    names = [draft.name for draft in adopt(long, (), ()).drafts]
    assert [len(name) for name in names] == [63, 63]
    assert names[1] == "x" * 54 + "-" + "b" * 8


def test_a_name_without_letters_comes_from_the_id() -> None:
    """There is always one."""
    nameless = found(connection("conn_1", "日本"), connection("___", ""))
    assert [draft.name for draft in adopt(nameless, (), ()).drafts] == ["conn-1", "connection"]


def test_what_a_spec_drives_and_what_is_deleted_is_left_out() -> None:
    """The one silently, the other with the reason."""
    both = found(connection("mine"), connection("gone", status=ConnectionStatus.DELETED), connection("new"))
    adoption = adopt(both, {ConnectionRef("default", "mine")}, ())
    assert [draft.ref.connection_id for draft in adoption.drafts] == ["new"]
    assert [(each.ref.connection_id, each.reason) for each in adoption.left_out] == [
        ("gone", "it is deleted on the platform")
    ]


@pytest.mark.parametrize(
    ("given", "entry", "observes", "suspended"),
    [
        (connection(), EntryKind.MANUAL, False, False),
        (connection(status=ConnectionStatus.INACTIVE), EntryKind.MANUAL, False, True),
        (connection(status=ConnectionStatus.LOCKED), EntryKind.MANUAL, False, True),
        (connection(status=ConnectionStatus.UNKNOWN), EntryKind.MANUAL, True, False),
        (connection(kind=CRON, expression="0 0 6 * * ?"), EntryKind.CRON, True, False),
        (connection(kind=CRON, expression="0 6 * * *"), EntryKind.MANUAL, True, False),
        (connection(kind=PlatformScheduleKind.BASIC, expression="Every 6 HOURS"), EntryKind.EVERY, True, False),
        (connection(kind=PlatformScheduleKind.UNKNOWN), EntryKind.MANUAL, True, False),
    ],
)
def test_only_what_nobody_else_drives_is_driven(
    given: Connection, entry: EntryKind, *, observes: bool, suspended: bool
) -> None:
    """A connection with a schedule of its own, or of which nobody knows, is only observed."""
    (draft,) = adopt(found(given), (), ()).drafts
    assert (draft.entry.kind, draft.observes, bool(draft.suspension)) == (entry, observes, suspended)
