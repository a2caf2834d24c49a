"""What the commands that ask for something by hand share: who asks, for which schedule, and the answer."""

import argparse
import getpass
from datetime import datetime

from controller.bootstrap import Reply, ask_by_hand, is_attended, present, read_status
from controller.cli.choose import add_name, schedule_called
from controller.cli.options import add_output, add_settings, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import note, printable, write, write_json
from controller.cli.state.status_json import request_json
from controller.errors import MainspringError
from controller.model.asked import ASKED_BY_MAX, REASON_MAX, Asked, Request, RequestStatus, Source
from controller.model.record import Reason
from controller.model.status import ScheduleStatus
from controller.settings import Settings

STAYS = frozenset({Asked.SUSPEND, Asked.RESUME})
"""What is stored also where no controller runs, and carried out when one does."""

CLOCK_IN_DOUBT = frozenset({Reason.CLOCK_FROZEN, Reason.CLOCK_SKEW})

DONE = frozenset({RequestStatus.DONE, RequestStatus.ENDED})


class NobodyAnswers(MainspringError):
    """Nothing was asked for, because nobody would carry it out."""


def add_asking(parser: argparse.ArgumentParser, *, needs_reason: bool) -> None:
    """Which schedule, why, and who asks."""
    add_name(parser)
    parser.add_argument(
        "--reason", metavar="TEXT", required=needs_reason, default="", type=_reason, help="why; it is recorded"
    )
    parser.add_argument("--by", metavar="WHO", default="", type=_person, help="who asks; default: the user's name")
    add_output(parser)
    add_settings(parser, specs=True)


def _reason(text: str) -> str:
    return _short(text, REASON_MAX)


def _person(text: str) -> str:
    return _short(text, ASKED_BY_MAX)


def _short(text: str, limit: int) -> str:
    if len(text) > limit:
        raise argparse.ArgumentTypeError(f"it has {len(text)} characters, and at most {limit} are kept; shorten it")
    return text


def who(parsed: argparse.Namespace) -> str:
    """The name that is recorded."""
    if parsed.by:
        return str(parsed.by)
    try:
        return getpass.getuser()[:ASKED_BY_MAX]
    except (OSError, KeyError):
        return "unknown"


def ask(parsed: argparse.Namespace, action: Asked, until: datetime | None = None) -> int:
    """Ask, wait, and say what came of it; 0 if it was done, or stored for a controller to come.

    Raises:
        NobodyAnswers: no controller runs that could carry it out.
    """
    settings = settings_of(parsed)
    report = outcome_of(read_status(settings, None, parsed.name))
    status = schedule_called(parsed.name, report)
    if action not in STAYS:
        _expect_somebody(settings, status, action)
    request = Request(
        "",
        status.ref,
        status.name,
        action,
        Source.BY_HAND,
        present(),
        asked_by=who(parsed),
        reason=parsed.reason,
        until=until,
    )
    reply = outcome_of(ask_by_hand(settings, request, stays=action in STAYS))
    if parsed.output == "json":
        write_json({**request_json(reply.request), "controllerRunning": reply.is_attended})
    else:
        write(sentence(reply))
    if reply.request.status in DONE:
        return 0
    if reply.is_attended or action not in STAYS:
        return 1
    note([f"no controller is running on {settings.store}"])
    return 0


def _expect_somebody(settings: Settings, status: ScheduleStatus, action: Asked) -> None:
    if not is_attended(settings):
        raise NobodyAnswers(
            f"no controller is running on {settings.store}, so nothing was asked for: start one with mainspring run, or look there what"
            f" keeps it from running; a {str(action).lower()} is never carried out later"
        )
    if status.condition.reason in CLOCK_IN_DOUBT:
        raise NobodyAnswers(f"nothing was asked for: {status.condition.reason}: {status.condition.message}")


def sentence(reply: Reply) -> str:
    """What came of it, for people."""
    request = reply.request
    what, message = f"{str(request.action).lower()} of {request.schedule}", printable(request.message)
    match request.status:
        case RequestStatus.DONE | RequestStatus.ENDED:
            job = f"{request.job_id} " if request.action is Asked.TRIGGER else ""
            return f"{what}: {job}{message or 'started'}"
        case RequestStatus.WAITING if not reply.is_attended:
            return f"{what}: stored; {_meanwhile(request)}"
        case RequestStatus.WAITING:
            return f"{what}: stored, and the controller has not answered yet; {_meanwhile(request)}"
        case RequestStatus.CLAIMED:
            return f"{what}: its request is under way, and what came of it is not known yet; see mainspring get {request.schedule}"
        case status:
            return f"{what}: {status}: {message}"


def _meanwhile(request: Request) -> str:
    if request.action is Asked.SUSPEND:
        return "nothing of it starts from now on"
    return "it takes effect when a controller reads it"
