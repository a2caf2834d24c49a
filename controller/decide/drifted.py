"""Whether a connection's own settings on its platform are other than its schedule needs."""

from datetime import datetime

from controller.decide.against import Against
from controller.decide.rules import inactivity
from controller.model.connection import PlatformScheduleKind
from controller.model.plan import ConnectionFacts
from controller.model.record import Reason
from controller.model.schedule import Mode

DRIVING = (PlatformScheduleKind.CRON, PlatformScheduleKind.BASIC)
"""Kinds of a platform's own schedule that start jobs."""


def drift_of(facts: ConnectionFacts, now: datetime) -> Against | None:
    """What of a connection that was read differs from what is desired; a schedule that only observes leaves the driving to the platform."""
    spec, connection = facts.spec, facts.connection
    if (
        connection is not None
        and connection.schedule_kind in DRIVING
        and spec is not None
        and spec.mode is Mode.ENFORCE
    ):
        shown = f": {connection.expression}" if connection.expression else ""
        message = f"the platform's own schedule drives the connection as well ({connection.schedule_kind}{shown})"
        return Reason.DOUBLE_SCHEDULED, message
    # A suspended schedule needs no active connection.
    is_suspended = spec is not None and spec.suspend is not None and spec.suspend.covers(now)
    return None if is_suspended else inactivity(facts)
