"""Events about what people ask for: who, why, and what came of it."""

from datetime import datetime

from controller.model.asked import Asked, Request, RequestStatus
from controller.model.event import Event, EventName
from controller.model.plan import SettleRequest
from controller.model.request import DeclaredRequest

Field = str | int | float | bool | None

_DONE = {Asked.SUSPEND: EventName.SCHEDULE_SUSPENDED, Asked.RESUME: EventName.SCHEDULE_RESUMED}


def _about(request: Request) -> dict[str, Field]:
    return {
        "schedule": request.schedule,
        "platform": request.ref.platform,
        "connection_id": request.ref.connection_id,
        "request": request.key,
        "action": str(request.action),
        "asked_by": request.asked_by,
        "asked_because": request.reason,
    }


def about_asking(request: Request, now: datetime) -> Event:
    """Somebody asked for something."""
    return Event(EventName.REQUEST_MADE, now, _about(request))


def about_nobody(declared: DeclaredRequest, now: datetime) -> Event:
    """A document asks for something about a schedule that is not in force; it may still come."""
    fields: dict[str, Field] = {
        "schedule": declared.schedule,
        "platform": "",
        "connection_id": "",
        "request": declared.key,
        "action": str(declared.action),
        "asked_by": f"{declared.name} in {declared.origin}",
        "asked_because": declared.reason,
        "status": str(RequestStatus.WAITING),
        "job_id": None,
        "message": f"no schedule called {declared.schedule} is in force; it waits for one",
    }
    return Event(EventName.REQUEST_REFUSED, now, fields)


def about_answer(settled: SettleRequest) -> Event:
    """What came of a request; the name says whether it was carried out."""
    name = EventName.REQUEST_REFUSED
    if settled.status is RequestStatus.DONE:
        name = _DONE.get(settled.request.action, EventName.REQUEST_DONE)
    fields = _about(settled.request) | {
        "status": str(settled.status),
        "job_id": settled.job_id,
        "message": settled.message,
    }
    return Event(name, settled.decided_at, fields)


def about_kept(request: Request, now: datetime) -> Event:
    """The same of a request whose claim was settled, as the store keeps it."""
    return about_answer(
        SettleRequest(request, request.status, request.message, request.decided_at or now, request.job_id)
    )
