"""The body of a ``SyncSchedule``, and the spec that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from controller.adapters.specs import calendars, scalars
from controller.adapters.specs.behaviour import behaviour
from controller.adapters.specs.calendars import EntryRules
from controller.adapters.specs.context import Context, Metadata, canonical, read_platform
from controller.adapters.specs.fields import Field, Fields, Report
from controller.adapters.specs.reach import never_fires
from controller.adapters.specs.yaml_tree import Node
from controller.decide.policies import settled
from controller.model.calendar import CalendarEntry, CalendarTerms
from controller.model.identity import ConnectionRef
from controller.model.policy import Setting
from controller.model.schedule import Origin, ScheduleSpec

DEFAULT_PLATFORM = "default"


@dataclass(frozen=True, slots=True)
class ScheduleBody:
    """What stands below ``spec`` of a schedule."""

    ref: ConnectionRef
    connection_origin: Origin
    entries: tuple[CalendarEntry, ...]
    origins: Mapping[str, Origin]
    behaviour: Mapping[str, Setting]


def make_spec(metadata: Metadata, body: ScheduleBody, report: Report, root: Node) -> ScheduleSpec:
    """Put a valid schedule together."""
    bare = ScheduleSpec(
        name=metadata.name,
        platform=body.ref.platform,
        connection_id=body.ref.connection_id,
        entries=body.entries,
        origin=report.origin(root.mark),
        content=canonical(root),
        labels=metadata.labels,
        origins=body.origins,
    )
    return settled(bare, body.behaviour)


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
        rules = EntryRules(profile.min_interval if profile else None, context.year_start, context.warn_from)
        connection_id = keys.require("connectionId", scalars.connection_id)
        connection_origin = field.report.origin(keys.value_mark("connectionId"))
        entries = keys.require("schedules", partial(calendars.schedules, rules=rules))
        told = behaviour(keys)
        origins = {key: keys.origin(key) for key in ("platform", "connectionId", "schedules") if keys.has(key)}
    if connection_id is None or entries is None:
        return None
    if not field.report.errors:
        refuse_without_slots(field, keys, settled_terms(entries, told), context)
    return ScheduleBody(ConnectionRef(platform, connection_id), connection_origin, entries, origins, told)


def settled_terms(entries: tuple[CalendarEntry, ...], told: Mapping[str, Setting]) -> CalendarTerms:
    """The calendar of a schedule by itself; policies may still narrow it."""
    exclude, start, end = (told[name].value if name in told else None for name in ("exclude", "startDate", "endDate"))
    return CalendarTerms(
        entries,
        exclude if isinstance(exclude, tuple) else (),
        start if isinstance(start, datetime) else None,
        end if isinstance(end, datetime) else None,
    )


def refuse_without_slots(field: Field, keys: Fields, terms: CalendarTerms, context: Context) -> None:
    """Report a schedule to which exclusions and dates leave nothing."""
    narrowing = [key for key in ("exclude", "startDate", "endDate") if keys.has(key)]
    if narrowing and never_fires(terms, context.year_start, field.report.effort):
        since = "startDate" if keys.has("startDate") else f"{datetime.fromtimestamp(context.year_start, UTC):%Y-%m-%d}"
        leave = "leave" if len(narrowing) > 1 else "leaves"
        message = f"{' and '.join(narrowing)} {leave} no slot from {since} to 2100; exclude less, or write other dates"
        field.report.error(keys.mark(narrowing[0]), "never-fires", message)
