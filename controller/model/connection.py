"""A connection's own settings on its platform, as last observed."""

from dataclasses import dataclass
from enum import StrEnum


class ConnectionStatus(StrEnum):
    """Whether the platform would accept a sync."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"
    LOCKED = "locked"
    UNKNOWN = "unknown"


class PlatformScheduleKind(StrEnum):
    """What the platform's own scheduler does with the connection."""

    MANUAL = "manual"
    CRON = "cron"
    BASIC = "basic"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Connection:
    """The part of a connection that a schedule cares about.

    ``expression``: what its own schedule says, as the platform shows it: a Quartz expression with or without a zone behind it, or
    ``Every 24 HOURS``; empty where it has none or does not show it.
    """

    connection_id: str
    name: str
    status: ConnectionStatus
    schedule_kind: PlatformScheduleKind
    expression: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """What is to be set on a connection: its own schedule to manual, its status, or both; the rest stays as it is."""

    manual: bool = False
    status: ConnectionStatus | None = None
