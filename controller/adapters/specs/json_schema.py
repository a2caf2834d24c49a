"""The JSON Schema of the format, for editors: made from the tables and patterns that the readers use.

It says what can be said of a document by itself and value by value. What needs more (a cron that never fires, a zone that exists, two
values that do not fit each other, what else the tree holds) only the validator tells.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from controller.adapters.specs import behaviour, calendars, scalars
from controller.adapters.specs.documents import API_VERSION, Kind
from controller.adapters.specs.field_texts import DESCRIPTIONS, EXAMPLES
from controller.adapters.specs.fields import ITEMS_MAX, Reader
from controller.adapters.specs.policy_document import PRIORITY_MAX
from controller.adapters.specs.schedule_document import DEFAULT_PLATFORM
from controller.decide.cron.fields import EXPRESSION_CHARACTERS_MAX
from controller.decide.policies import PLACES
from controller.model.calendar import EntryKind
from controller.model.request import RequestAction
from controller.model.schedule import Drift, Origin, Retry, ScheduleSpec
from controller.model.window import OnClose, WindowKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

NOT_PRINTABLE = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
PATTERNS: Mapping[str, str] = {
    "name": rf"^{scalars.LABEL.pattern}$",
    "connectionId": rf"^{scalars.CONNECTION_ID.pattern}$",
    # Longer than nothing: one digit at least that is no zero.
    "duration": rf"^(?=.*[1-9]){scalars.DURATION.pattern}$",
    "instant": rf"^{scalars.INSTANT.pattern}$",
    "day": rf"^{scalars.DAY.pattern}$",
    "text": rf"^[^{NOT_PRINTABLE}]*$",
    "cron": r"^\s*(@\w+|\S+(\s+\S+){4})\s*$",
    "quartz": r"^\s*\S+(\s+\S+){5,6}\s*$",
}
MESSAGES: Mapping[str, str] = {"duration": scalars.DURATION_FORM, "instant": scalars.INSTANT_FORM}

DEFAULTS: Mapping[str, str] = {
    "platform": DEFAULT_PLATFORM,
    "timeZone": "UTC",
    "anchor": "1970-01-01T00:00:00Z",
    "windows.onClose": OnClose.LET_RUN.value,
    "drift.platformSchedule": Drift.WARN.value,
    "drift.connectionStatus": Drift.WARN.value,
    "retry.backoff": "1m",
    "retry.maxBackoff": "30m",
}
"""What is in force where nobody wrote anything, as people write it; of words and numbers the model's own defaults are taken."""


def spec_schema() -> Schema:
    """The schema of one document of any kind; a new value each time, always the same."""
    bodies = {
        Kind.SYNC_SCHEDULE: schedule_body(),
        Kind.SYNC_POLICY: policy_body(),
        Kind.SYNC_REQUEST: request_body(),
    }
    return {
        "$schema": DIALECT,
        "title": "Mainspring specs, version 1",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in Kind],
        "$defs": {
            **{str(kind): document(kind, body) for kind, body in bodies.items()},
            **{name: scalar(name) for name in PATTERNS},
            "suspension": suspension(),
            "window": window(),
            "exclusion": exclusion(),
            "entry": entry(),
        },
    }


def document(kind: Kind, body: Schema) -> Schema:
    """One kind of document."""
    labels = {"type": "object", "additionalProperties": of("text"), "propertyNames": of("text") | {"minLength": 1}}
    metadata = closed({"name": of("name"), "labels": labels}, ("name",), "metadata.")
    properties = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": str(kind)},
        "metadata": metadata,
        "spec": body,
    }
    return closed(properties, tuple(properties))


def schedule_body() -> Schema:
    """What stands below ``spec`` of a schedule."""
    alone = {"if": {"contains": {"type": "object", "required": ["manual"]}}, "then": {"maxItems": 1}}
    properties = {
        "platform": of("name"),
        "connectionId": of("connectionId"),
        "schedules": array(of("entry")) | alone,
    }
    return closed(properties | behaviour_fields(), ("connectionId", "schedules"))


def policy_body() -> Schema:
    """What stands below ``spec`` of a policy."""
    labels = {"type": "object", "additionalProperties": of("text"), "propertyNames": of("text") | {"minLength": 1}}
    properties = {
        "selector": closed({"labels": labels, "platforms": array(of("name"))}, (), "selector."),
        "priority": {"type": "integer", "minimum": -PRIORITY_MAX, "maximum": PRIORITY_MAX, "default": 0},
        "defaults": closed(behaviour_fields()),
        "windows": array(of("window")) | {"description": DESCRIPTIONS["policy.windows"]},
        "freeze": of("suspension"),
    }
    return closed(properties, ("selector",))


def request_body() -> Schema:
    """What stands below ``spec`` of a request; a confirmation names a revision, all else a schedule."""
    properties = {
        "action": {"enum": [str(each) for each in RequestAction]},
        "schedule": of("name"),
        "revision": of("text"),
        "reason": of("text"),
        "notBefore": of("instant"),
        "expiresAt": of("instant"),
    }
    confirms = {"properties": {"action": {"const": str(RequestAction.CONFIRM_REMOVALS)}}, "required": ["action"]}
    resets = {"properties": {"action": {"const": str(RequestAction.RESET)}}, "required": ["action"]}
    about: dict[str, Schema] = {
        subject: {"required": [subject], "properties": {other: False}}
        for subject, other in (("revision", "schedule"), ("schedule", "revision"))
    }
    rules = [{"if": confirms, "then": about["revision"], "else": about["schedule"]}]
    return closed(properties, ("action",)) | {"allOf": [*rules, {"if": resets, "then": {"required": ["expiresAt"]}}]}


def behaviour_fields() -> dict[str, Schema]:
    """The fields of a schedule that a policy may also set, from the readers' own tables.

    Raises:
        LookupError: a new field of which nothing is known here.
    """
    fields = {key: shape(read, key) for key, read in behaviour.LEAVES.items()}
    for key in behaviour.GROUPS:
        readers = GROUP_TABLES[key]
        fields[key] = closed({name: shape(read, f"{key}.{name}") for name, read in readers.items()}, (), f"{key}.")
    fields["freshnessAlert"]["minProperties"] = 1
    return {key: described(key, each) for key, each in fields.items()}


GROUP_TABLES: Mapping[str, Mapping[str, Reader[object]]] = {
    "catchUp": behaviour.CATCH_UP,
    "retry": behaviour.RETRY,
    "drift": behaviour.DRIFT,
    "freshnessAlert": behaviour.FRESHNESS_ALERT,
}

NAMES: Mapping[Callable[..., object], str] = {
    scalars.duration: "duration",
    scalars.instant: "instant",
    scalars.day: "day",
    scalars.text: "text",
    scalars.name: "name",
    behaviour.suspension: "suspension",
    calendars.window: "window",
    calendars.exclusion: "exclusion",
}
"""Readers that are one definition of the schema each."""


def shape(read: Reader[object], name: str) -> Schema:
    """What a reader takes.

    Raises:
        LookupError: it is a new one that nothing is known of.
    """
    found: Schema
    if not isinstance(read, partial):
        found = of(NAMES[read])
    elif read.func is scalars.word:
        found = {"enum": list(read.keywords["known"])}
    elif read.func is scalars.bounded:
        found = {"type": "integer", "minimum": read.keywords["low"], "maximum": read.keywords["high"]}
    elif read.func is behaviour.listed:
        found = array(shape(read.keywords["read"], name))
    else:
        raise LookupError(f"no shape is known for the reader of {name}")
    default = default_of(name)
    return found if default is None else found | {"default": default}


def default_of(name: str) -> object:
    """What is in force where a field was not written, as it would be written; None where that is nothing."""
    if name in DEFAULTS:
        return DEFAULTS[name]
    bare = ScheduleSpec("bare", DEFAULT_PLATFORM, "bare", (), Origin("", 1), "")
    attribute, part = PLACES.get(name, ("", ""))
    value = getattr(bare, attribute, None)
    value = Retry() if attribute == "retry" else value
    value = getattr(value, part, None) if part else value
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def entry() -> Schema:
    """One item of ``schedules``: exactly one kind, and beside it only what means something there."""
    properties = {
        EntryKind.CRON: of("cron"),
        EntryKind.QUARTZ: of("quartz"),
        EntryKind.EVERY: of("duration"),
        EntryKind.FRESHNESS: of("duration"),
        EntryKind.MANUAL: {"type": "object", "maxProperties": 0},
    }
    by_name = {str(kind): described(f"schedules.{kind}", each) for kind, each in properties.items()}
    beside = {"anchor": described("anchor", of("instant")), "timeZone": described("timeZone", zone())}
    means = {EntryKind.CRON: "timeZone", EntryKind.QUARTZ: "timeZone", EntryKind.EVERY: "anchor"}
    one = [
        {"required": [str(kind)], "properties": {key: False for key in beside if key != means.get(kind)}}
        for kind in EntryKind
    ]
    return {"type": "object", "properties": by_name | beside, "additionalProperties": False, "oneOf": one}


def exclusion() -> Schema:
    """One item of ``exclude``: days, or minutes."""
    properties = {"dates": array(of("day")), "cron": of("cron"), "timeZone": zone()}
    return closed(properties, (), "exclude.") | exactly_one(("dates", "cron"))


def window() -> Schema:
    """One item of ``windows``: a time in which nothing starts, or only then."""
    properties = {"cron": of("cron"), "duration": of("duration"), "reason": of("text"), "timeZone": zone()}
    opening = closed(properties, ("cron", "duration"), "windows.")
    kinds = {str(kind): opening for kind in WindowKind}
    closing = {"onClose": {"enum": [str(each) for each in OnClose]}}
    return closed(kinds | closing, (), "windows.") | exactly_one(tuple(kinds))


def suspension() -> Schema:
    """``true``, ``false``, or why, by whom and until when."""
    properties = {"reason": of("text"), "by": of("text"), "until": of("instant")}
    return {"oneOf": [{"type": "boolean"}, closed(properties, (), "suspension.")]}


def zone() -> Schema:
    """A time zone; whether it exists only the validator knows."""
    return {"type": "string", "minLength": 1, "default": DEFAULTS["timeZone"]}


def scalar(name: str) -> Schema:
    """A text of one form."""
    bounds: Schema = {"maxLength": EXPRESSION_CHARACTERS_MAX} if name in ("cron", "quartz") else {}
    how = {"description": f"{MESSAGES[name][0].upper()}{MESSAGES[name][1:]}."} if name in MESSAGES else {}
    return how | {"type": "string", "pattern": PATTERNS[name]} | bounds


def of(definition: str) -> Schema:
    """A reference."""
    return {"$ref": f"#/$defs/{definition}"}


def array(items: Schema) -> Schema:
    """A list that is not empty."""
    return {"type": "array", "items": items, "minItems": 1, "maxItems": ITEMS_MAX}


def exactly_one(keys: tuple[str, ...]) -> Schema:
    """One of several keys, and no other of them."""
    return {"oneOf": [{"required": [key]} for key in keys]}


def closed(properties: Mapping[str, Schema], required: tuple[str, ...] = (), prefix: str = "") -> Schema:
    """A mapping that has no other keys; each key is described."""
    known = {key: described(f"{prefix}{key}", each) for key, each in properties.items()}
    found: Schema = {"type": "object", "properties": known, "additionalProperties": False}
    return found | {"required": list(required)} if required else found


def described(name: str, found: Schema) -> Schema:
    """A field with what editors say about it.

    Raises:
        KeyError: nothing is written about it yet.
    """
    short = name if name in DESCRIPTIONS else name.rpartition(".")[2]
    more: Schema = {"description": DESCRIPTIONS[short]}
    if short in DEFAULTS:
        more["default"] = DEFAULTS[short]
    if short in EXAMPLES:
        more["examples"] = EXAMPLES[short]
    return more | found
