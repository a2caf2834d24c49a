"""The text of an imported spec file."""

import json
import re
from textwrap import wrap

from controller.cli.page import printable
from controller.decide.adoption import Draft
from controller.model.calendar import EntryKind
from controller.model.connection import PlatformScheduleKind

PLATFORM_DEFAULT = "default"
ANCHOR = "1970-01-01T00:00:00Z"
COMMENT_WIDTH = 118

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
NOT_PLAIN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader of YAML takes for something else than a text."""

OBSERVES = (
    "The platform's own schedule drives this connection, so this one only observes. To take over, set the connection to manual on the "
    "platform and remove mode; or write drift: {platformSchedule: Enforce} in its place, and it is set to manual for you."
)
UNKNOWN = (
    "Whether the platform drives this connection by itself is not known, so this schedule only observes. Remove mode once you know that it "
    "does not."
)
INTERVAL = (
    "On the platform the interval counts from the connection's last job; here it counts from the anchor, in real time. Move the anchor to "
    "spread schedules out."
)

NO_SLOTS = (
    "Write a schedule of your own in place of manual before you do: with manual alone nothing starts it any more."
)


def spec_text(draft: Draft, schema: str = "") -> str:
    """One file: a document, and what a person has to know about it. ``schema`` is where editors find the format, if anywhere."""
    body = [
        "apiVersion: mainspring.dev/v1",
        "kind: SyncSchedule",
        "metadata:",
        f"  name: {scalar(draft.name)}",
        "spec:",
    ]
    if draft.ref.platform != PLATFORM_DEFAULT:
        body.append(f"  platform: {scalar(draft.ref.platform)}")
    body.append(f"  connectionId: {scalar(draft.ref.connection_id)}")
    if draft.observes:
        body.append("  mode: Observe")
    body += ["  schedules:", *(f"    {line}" for line in entry_lines(draft))]
    if draft.suspension:
        body.append(f"  suspend: {{reason: {scalar(draft.suspension)}}}")
    modeline = [f"# yaml-language-server: $schema={schema}"] if schema else []
    return "\n".join([*modeline, *comments(draft), *body]) + "\n"


def own_schedule(draft: Draft) -> str:
    """What the platform's scheduler does with the connection, as the platform shows it."""
    connection = draft.connection
    said = printable(connection.expression)
    return f"{connection.schedule_kind}, {said}" if said else str(connection.schedule_kind)


def comments(draft: Draft) -> list[str]:
    """What the file's reader has to know, as comment lines."""
    connection = draft.connection
    said = [
        f"{printable(connection.name) or draft.ref.connection_id}: {connection.status} on platform {draft.ref.platform}."
    ]
    said.append(
        f"Its own schedule there when this was written: {own_schedule(draft)}{f'; {draft.note}' * bool(draft.note)}."
    )
    if draft.entry.kind is EntryKind.EVERY:
        said.append(INTERVAL)
    if draft.observes:
        is_driven = connection.schedule_kind in (PlatformScheduleKind.CRON, PlatformScheduleKind.BASIC)
        said.append(OBSERVES if is_driven else UNKNOWN)
    if draft.note:
        said.append(NO_SLOTS)
    return [f"# {line}" for sentence in said for line in wrap(sentence, COMMENT_WIDTH)]


def entry_lines(draft: Draft) -> list[str]:
    """The one item of ``schedules``."""
    entry = draft.entry
    if entry.kind is EntryKind.MANUAL:
        return ["- manual: {}"]
    if entry.kind is EntryKind.EVERY:
        return [f"- every: {entry.text}", f"  anchor: {json.dumps(ANCHOR)}"]
    lines = [f"- {entry.kind}: {json.dumps(entry.text)}"]
    return lines if entry.time_zone == "UTC" else [*lines, f"  timeZone: {scalar(entry.time_zone)}"]


def scalar(text: str) -> str:
    """A text as YAML reads it back; what JSON can quote, YAML reads the same."""
    if text.lower() not in NOT_PLAIN and all(map(PLAIN.fullmatch, re.split(r"[/ ]", text))):
        return text
    return json.dumps(text, ensure_ascii=False)
