"""From one file's content to the documents in it: which kind each is, whether it is valid, and the spec it makes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from controller.adapters.specs import calendars, scalars
from controller.adapters.specs.behaviour import Behaviour, behaviour, suspension
from controller.adapters.specs.calendars import IntervalLimit
from controller.adapters.specs.fields import Field, Fields, Hints, Rejected, Report, read_items, text_of
from controller.adapters.specs.yaml_tree import Node, YamlRejected, compose, plain, quoted
from controller.model.identity import ConnectionRef
from controller.model.profile import PlatformProfile
from controller.model.schedule import CalendarEntry, Origin, ScheduleSpec
from controller.ports.spec_source import SpecError

DEFAULT_PLATFORM = "default"
API_VERSION = "mainspring.dev/v1"
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
PRIORITY_MAX = 1_000_000


class Kind(StrEnum):
    """What a document may be."""

    SYNC_SCHEDULE = "SyncSchedule"
    SYNC_POLICY = "SyncPolicy"
    SYNC_REQUEST = "SyncRequest"


class RequestAction(StrEnum):
    """What a ``SyncRequest`` may ask for."""

    SYNC = "Sync"
    RESET = "Reset"
    CONFIRM_REMOVALS = "ConfirmRemovals"


@dataclass(frozen=True, slots=True)
class Context:
    """What a document is judged by beside itself; ``platforms`` None = which platforms there are is not known."""

    platforms: Mapping[str, PlatformProfile] | None
    year_start: int


@dataclass(frozen=True, slots=True)
class Document:
    """One valid document and where it says what must be unique in the tree; ``spec`` None = it makes no spec yet."""

    kind: Kind
    name: str
    name_origin: Origin
    connection_origin: Origin
    spec: ScheduleSpec | None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What names a document."""

    name: str
    labels: tuple[tuple[str, str], ...]
    name_origin: Origin


@dataclass(frozen=True, slots=True)
class ScheduleBody:
    """What stands below ``spec`` of a schedule."""

    ref: ConnectionRef
    connection_origin: Origin
    entries: tuple[CalendarEntry, ...]
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class SpecFile:
    """What one file holds."""

    documents: tuple[Document, ...] = ()
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()


def read_file(path: str, content: bytes, context: Context) -> SpecFile:
    """Read a file; broken YAML costs the whole file, anything else one document. Never raises."""
    try:
        roots = compose(content)
    except YamlRejected as error:
        return SpecFile(errors=(SpecError(_origin(path, error), error.code, error.message),))
    if not roots:
        message = "the file holds no document; write one, or delete the file"
        return SpecFile(warnings=(SpecError(Origin(path, 1), "empty-file", message),))
    hints = Hints()
    documents: list[Document] = []
    errors: list[SpecError] = []
    warnings: list[SpecError] = []
    for root in roots:
        report = Report(path, hints)
        try:
            document = read_document(root, report, context)
        except (ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            # A defect of ours; it must not cost the other documents their reading.
            document = None
            report.error(root.mark, "unreadable", f"this document could not be read: {error}; please report that")
        if report.errors:
            errors += report.errors
        elif document is not None:
            documents.append(document)
            warnings += report.warnings
    return SpecFile(tuple(documents), tuple(sorted(errors)), tuple(sorted(warnings)))


def _origin(path: str, error: YamlRejected) -> Origin:
    return Origin(path, error.mark.line + 1, error.mark.column + 1)


def read_document(root: Node, report: Report, context: Context) -> Document | None:
    """Read one document; what is wrong stands in the report."""
    try:
        with Fields(Field("the document", "", root, report), prefix="") as keys:
            keys.require("apiVersion", api_version)
            kind = keys.require("kind", scalars.one_of(Kind))
            read_spec = partial(READERS[kind], context=context) if kind is not None else _anything
            metadata = keys.require("metadata", read_metadata)
            body = keys.require("spec", read_spec)
    except Rejected as error:
        report.error(error.mark, error.code, error.message)
        return None
    if report.errors or kind is None or metadata is None:
        return None
    if body is None:
        report.warnings.clear()
        report.warn(
            keys.value_mark("kind"), "not-yet-supported", f"a {kind} is valid and not supported yet; it does nothing"
        )
        return Document(kind, metadata.name, metadata.name_origin, metadata.name_origin, None)
    spec = make_spec(metadata, body, report, root)
    return Document(kind, metadata.name, metadata.name_origin, body.connection_origin, spec)


def make_spec(metadata: Metadata, body: ScheduleBody, report: Report, root: Node) -> ScheduleSpec:
    """Put a valid schedule together."""
    told = body.behaviour
    return ScheduleSpec(
        name=metadata.name,
        platform=body.ref.platform,
        connection_id=body.ref.connection_id,
        entries=body.entries,
        origin=report.origin(root.mark),
        content=CANONICAL.encode(plain(root)),
        mode=told.mode,
        catch_up=told.catch_up,
        when_in_doubt=told.when_in_doubt,
        min_gap=told.min_gap,
        overlap=told.overlap,
        max_duration=told.max_duration,
        suspend=told.suspend,
        foreign_jobs=told.foreign_jobs,
        on_delete=told.on_delete,
        labels=metadata.labels,
        unsupported=tuple(report.unsupported),
    )


def api_version(field: Field) -> str:
    """The one version of the format."""
    value = text_of(field, "a version", f"write {API_VERSION}")
    if value != API_VERSION:
        raise field.rejected("unknown-api-version", f"there is no format {quoted(value)}; write {API_VERSION}")
    return value


def read_metadata(field: Field) -> Metadata | None:
    """The name of a document and its labels."""
    with Fields(field) as keys:
        name = keys.require("name", scalars.name)
        labels = keys.take("labels", scalars.labels, ())
        origin = field.report.origin(keys.value_mark("name"))
    return None if name is None else Metadata(name, labels, origin)


def read_schedule(field: Field, context: Context) -> ScheduleBody | None:
    """The body of a ``SyncSchedule``."""
    with Fields(field, prefix="") as keys:
        platform = keys.take("platform", partial(read_platform, context=context), DEFAULT_PLATFORM)
        if not keys.has("platform") and context.platforms is not None and platform not in context.platforms:
            advice = f"add platform: and one of {', '.join(sorted(context.platforms))}"
            field.report.error(
                field.node.mark, "unknown-platform", f"the settings name no platform {platform}; {advice}"
            )
        profile = (context.platforms or {}).get(platform)
        limit = IntervalLimit(profile.min_interval if profile else None, context.year_start)
        connection_id = keys.require("connectionId", scalars.connection_id)
        connection_origin = field.report.origin(keys.value_mark("connectionId"))
        entries = keys.require("schedules", partial(calendars.schedules, limit=limit))
        told = behaviour(keys)
    if connection_id is None or entries is None:
        return None
    return ScheduleBody(ConnectionRef(platform, connection_id), connection_origin, entries, told)


def read_platform(field: Field, context: Context) -> str:
    """The name of a platform; where platforms are known, of one of them."""
    value = scalars.name(field)
    if context.platforms is not None and value not in context.platforms:
        advice = field.report.hints.instead_of(value, sorted(context.platforms))
        raise field.rejected("unknown-platform", f"the settings name no platform {quoted(value)}; {advice}")
    return value


def read_policy(field: Field, context: Context) -> None:
    """The body of a ``SyncPolicy``."""
    with Fields(field, prefix="") as keys:
        keys.require("selector", partial(selector, context=context))
        keys.take("priority", scalars.whole_number(-PRIORITY_MAX, PRIORITY_MAX), None)
        keys.take("defaults", defaults, None)
        keys.take("windows", partial(read_items, read=calendars.window), None)
        keys.take("freeze", suspension, None)


def selector(field: Field, context: Context) -> None:
    """Which schedules a policy is for; ``{}`` is all of them."""
    with Fields(field) as keys:
        keys.take("labels", scalars.labels, None)
        keys.take("platforms", partial(read_items, read=partial(read_platform, context=context)), None)


def defaults(field: Field) -> None:
    """What a policy says for many schedules."""
    with Fields(field) as keys:
        behaviour(keys)


def read_request(field: Field, context: Context) -> None:  # noqa: ARG001 - one shape for all kinds
    """The body of a ``SyncRequest``."""
    with Fields(field, prefix="") as keys:
        action = keys.require("action", scalars.one_of(RequestAction))
        subject, other = (
            ("revision", "schedule") if action is RequestAction.CONFIRM_REMOVALS else ("schedule", "revision")
        )
        readers = {"schedule": scalars.name, "revision": scalars.text}
        keys.take(other, readers[other], None)
        keys.require(subject, readers[subject])
        if action is not None and keys.has(other):
            message = f"{other} means nothing beside {action}; remove it"
            field.report.error(keys.mark(other), "misplaced-key", message)
        keys.take("reason", scalars.text, None)
        keys.take("notBefore", scalars.instant, None)
        if action is RequestAction.RESET:
            # Without it a lost store would run the reset again.
            keys.require("expiresAt", scalars.instant)
        else:
            keys.take("expiresAt", scalars.instant, None)


def _anything(field: Field) -> None:  # noqa: ARG001 - without a kind nothing is known about the body
    return None


READERS: dict[Kind, Callable[..., ScheduleBody | None]] = {
    Kind.SYNC_SCHEDULE: read_schedule,
    Kind.SYNC_POLICY: read_policy,
    Kind.SYNC_REQUEST: read_request,
}
