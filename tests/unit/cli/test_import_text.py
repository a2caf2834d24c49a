"""The text of imported specs: valid whatever a platform calls its connections, and plain to whoever takes over."""

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.cli.specs.import_text import spec_text
from controller.decide.adoption import adopt
from controller.model.calendar import EntryKind
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.schedule import Mode

CRON, BASIC = PlatformScheduleKind.CRON, PlatformScheduleKind.BASIC
FOUND = Connection("conn_1", "Orders", ConnectionStatus.INACTIVE, BASIC, "Every 6 HOURS")


def text_of(connection: Connection, platform: str = "default", schema: str = "") -> str:
    """The file of one connection."""
    (draft,) = adopt([(ConnectionRef(platform, connection.connection_id), connection)], (), ()).drafts
    return spec_text(draft, schema)


def test_a_whole_file() -> None:
    """A person sees what it is, what it was, and how to take over."""
    assert text_of(FOUND, "lake", "../mainspring.schema.json") == (
        "# yaml-language-server: $schema=../mainspring.schema.json\n"
        "# Orders: inactive on platform lake.\n"
        "# Its own schedule there when this was written: basic, Every 6 HOURS.\n"
        "# On the platform the interval counts from the connection's last job; here it counts from the anchor, in real time. Move\n"
        "# the anchor to spread schedules out.\n"
        "# The platform's own schedule drives this connection, so this one only observes. To take over, set the connection to\n"
        "# manual on the platform and remove mode; or write drift: {platformSchedule: Enforce} in its place, and it is set to\n"
        "# manual for you.\n"
        "apiVersion: mainspring.dev/v1\n"
        "kind: SyncSchedule\n"
        "metadata:\n"
        "  name: orders\n"
        "spec:\n"
        "  platform: lake\n"
        "  connectionId: conn_1\n"
        "  mode: Observe\n"
        "  schedules:\n"
        "    - every: 6h\n"
        '      anchor: "1970-01-01T00:00:00Z"\n'
        "  suspend: {reason: inactive on the platform when it was imported}\n"
    )


AWKWARD = (
    "null",
    "on",
    "2026",
    "1e5",
    "0x1F",
    "a: b # c",
    'quote " and \\',
    "line\nbreak: evil\nkind: X",
    "\x1b[31m",
    "日本",
    "",
    "y" * 500,
)


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("connection_id", ["null", "007", "1e5", "a.b:c", "-bad", "no/way", "x"])
def test_no_name_breaks_a_file(name: str, connection_id: str) -> None:
    """A name that looks like something else in YAML stays a name, and no comment ends where the platform says."""
    text = text_of(Connection(connection_id, name, ConnectionStatus.ACTIVE, CRON, "0 0 6 * * ? Asia/Tokyo"))
    tree = parse_tree({"import.yaml": text.encode()}, platforms=None)
    if connection_id in ("-bad", "no/way"):
        assert {error.code for error in tree.errors} == {"bad-connection-id"}
        return
    assert tree.errors == ()
    (spec,) = tree.specs
    assert (spec.connection_id, spec.mode) == (connection_id, Mode.OBSERVE)
    assert [(entry.kind, entry.text, entry.time_zone) for entry in spec.entries] == [
        (EntryKind.CRON, "0 6 * * *", "Asia/Tokyo")
    ]


@pytest.mark.parametrize("zone", ["Etc/GMT+5", "America/Argentina/Buenos_Aires", "EST", "America/Port-au-Prince"])
def test_zones_are_read_back(zone: str) -> None:
    """Also those with signs in their names."""
    text = text_of(Connection("c", "n", ConnectionStatus.ACTIVE, CRON, f"30 0 6 * * ? {zone}"))
    tree = parse_tree({"import.yaml": text.encode()}, platforms=None)
    assert tree.errors == ()
    assert [entry.time_zone for entry in tree.specs[0].entries] == [zone]
