"""The demo's one edit: a connection gets a schedule of its own on the platform, as a person might give it one there."""

import asyncio
import json
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from controller.bootstrap import system_clock
from controller.cli.running.demo_platform import DemoPlatform
from controller.model.schedule import Drift, ScheduleSpec

CONNECTION = "conn_invoices"

AFTER_SECONDS = 20.0
"""Late enough that the first syncs were seen, and early enough that nobody has left."""

TIMEOUT_SECONDS = 5.0

EDIT = {"schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}}

MARK = "edited"
"""The file in the demo's directory that says that the edit was made."""

TOLD = (
    "the demo itself plays a person who gives the connection an hourly schedule on the platform; see what comes of it"
)


def edited_schedule(specs: Iterable[ScheduleSpec]) -> str:
    """The name of the schedule that would set the edit right; empty where none would, and then none is made."""
    found = (spec.name for spec in specs if spec.connection_id == CONNECTION and spec.drift_schedule is Drift.ENFORCE)
    return next(found, "")


async def edit_later(platform: DemoPlatform) -> bool:
    """Wait, then make the edit, the first time that a demo runs in its directory; whether the platform took it."""
    mark = platform.state / MARK
    if mark.exists():
        # Somebody who starts a demo often would see a fight, which it is not.
        return False
    await system_clock().sleep(AFTER_SECONDS)
    is_taken = await asyncio.to_thread(_edit, platform)
    if is_taken:
        mark.touch()
    return is_taken


def _edit(platform: DemoPlatform) -> bool:
    address = urlsplit(platform.base_url)
    path = f"/v1/organizations/{platform.organization_id}/knowledge/connectors/connections/{CONNECTION}"
    headers = {"Authorization": f"Bearer {platform.token}", "Content-Type": "application/json"}
    client = HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_SECONDS)
    try:
        client.request("PATCH", path, json.dumps(EDIT), headers)
        return client.getresponse().status == 200
    except (OSError, HTTPException):
        # It is only a show: a platform that is ending, or has no such connection, has nothing to show.
        return False
    finally:
        client.close()
