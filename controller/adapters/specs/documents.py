"""From one file's content to the documents in it: which kind each is, whether it is valid, and the spec it makes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from controller.adapters.specs import scalars
from controller.adapters.specs.context import Context, Metadata
from controller.adapters.specs.fields import Effort, Field, Fields, Hints, Rejected, Report, text_of
from controller.adapters.specs.policy_document import PolicyBody, make_policy, read_policy
from controller.adapters.specs.schedule_document import ScheduleBody, make_spec, read_schedule
from controller.adapters.specs.yaml_tree import Node, YamlRejected, compose, quoted
from controller.model.policy import Policy
from controller.model.request import DeclaredRequest, RequestAction
from controller.model.schedule import Origin, ScheduleSpec
from controller.ports.spec_source import SpecError

API_VERSION = "mainspring.dev/v1"


class Kind(StrEnum):
    """What a document may be."""

    SYNC_SCHEDULE = "SyncSchedule"
    SYNC_POLICY = "SyncPolicy"
    SYNC_REQUEST = "SyncRequest"


@dataclass(frozen=True, slots=True)
class Document:
    """One valid document, and where it says what must be unique in the tree."""

    kind: Kind
    name: str
    name_origin: Origin
    connection_origin: Origin
    spec: ScheduleSpec | None = None
    policy: Policy | None = None
    request: DeclaredRequest | None = None


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The body of a ``SyncRequest``, as it was written."""

    action: RequestAction
    schedule: str
    revision: str
    reason: str
    not_before: datetime | None
    expires_at: datetime | None


Body = ScheduleBody | PolicyBody | RequestBody


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
    except Exception as error:  # noqa: BLE001  a defect of ours, or no memory; it must not cost the other files their reading
        return SpecFile(errors=(SpecError(Origin(path, 1), "unreadable", _defect("file", error)),))
    if not roots:
        message = "the file holds no document; write one, or delete the file"
        return SpecFile(warnings=(SpecError(Origin(path, 1), "empty-file", message),))
    hints, effort = Hints(), Effort()
    documents: list[Document] = []
    errors: list[SpecError] = []
    warnings: list[SpecError] = []
    for root in roots:
        report = Report(path, hints, effort)
        try:
            document = read_document(root, report, context)
        except Exception as error:  # noqa: BLE001  a defect of ours; it must not cost the other documents their reading
            document = None
            report.error(root.mark, "unreadable", _defect("document", error))
        if report.errors:
            errors += report.errors
        elif document is not None:
            documents.append(document)
            warnings += report.warnings
    return SpecFile(tuple(documents), tuple(sorted(errors)), tuple(sorted(warnings)))


def _defect(what: str, error: Exception) -> str:
    """Its kind alone: its text may be long, and quote anything."""
    return f"this {what} could not be read ({type(error).__name__}); please report that"


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
    if report.errors or kind is None or metadata is None or body is None:
        return None
    if isinstance(body, RequestBody):
        return Document(
            kind, metadata.name, metadata.name_origin, metadata.name_origin, request=_request(metadata, body)
        )
    if isinstance(body, PolicyBody):
        policy = make_policy(metadata, body, report, root)
        return Document(kind, metadata.name, metadata.name_origin, metadata.name_origin, policy=policy)
    spec = make_spec(metadata, body, report, root)
    return Document(kind, metadata.name, metadata.name_origin, body.connection_origin, spec=spec)


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


def _request(metadata: Metadata, body: RequestBody) -> DeclaredRequest:
    return DeclaredRequest(
        metadata.name,
        body.action,
        metadata.name_origin,
        body.schedule,
        body.revision,
        body.reason,
        body.not_before,
        body.expires_at,
    )


def read_request(field: Field, context: Context) -> RequestBody | None:  # noqa: ARG001 - one shape for all kinds
    """The body of a ``SyncRequest``."""
    with Fields(field, prefix="") as keys:
        action = keys.require("action", scalars.one_of(RequestAction))
        subject, other = (
            ("revision", "schedule") if action is RequestAction.CONFIRM_REMOVALS else ("schedule", "revision")
        )
        readers = {"schedule": scalars.name, "revision": scalars.text}
        keys.take(other, readers[other], None)
        about = keys.require(subject, readers[subject])
        if action is not None and keys.has(other):
            message = f"{other} means nothing beside {action}; remove it"
            field.report.error(keys.mark(other), "misplaced-key", message)
        reason = keys.take("reason", scalars.text, "")
        not_before = keys.take("notBefore", scalars.instant, None)
        # Without it a lost store would run a reset again.
        expires_at = (
            keys.require("expiresAt", scalars.instant)
            if action is RequestAction.RESET
            else keys.take("expiresAt", scalars.instant, None)
        )
    if action is None or about is None:
        return None
    schedule, revision = ("", about) if action is RequestAction.CONFIRM_REMOVALS else (about, "")
    return RequestBody(action, schedule, revision, reason, not_before, expires_at)


def _anything(field: Field) -> None:  # noqa: ARG001 - without a kind nothing is known about the body
    return None


READERS: dict[Kind, Callable[..., Body | None]] = {
    Kind.SYNC_SCHEDULE: read_schedule,
    Kind.SYNC_POLICY: read_policy,
    Kind.SYNC_REQUEST: read_request,
}
