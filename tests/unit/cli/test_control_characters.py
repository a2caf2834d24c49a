"""What a server, a commit or a person wrote steers no terminal and fills no comment, wherever it is shown."""

from datetime import UTC, datetime

import pytest

from controller.cli.event_lines import EventLines
from controller.cli.page import note
from controller.cli.planning.comparison.as_markdown import BYTES_MAX, comparison_markdown
from controller.cli.planning.comparison.words import Compared
from controller.cli.terminal import Paint, complain
from controller.decide.comparison.compare import compare
from controller.decide.comparison.difference import Revision
from controller.model.event import Event, EventName

NASTY = "a\x1b[2J\x07\r\n\u202eb"
AT = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("message", "path", "code", "revision", "reason", "asked_by", "job_id", "connection_id")
EVENTS = [EventName.SPEC_SOURCE_FAILED, EventName.SPECS_REJECTED, EventName.LISTING_FAILED]


@pytest.mark.parametrize("name", EVENTS, ids=str)
def test_an_event_is_one_line_for_people(name: EventName) -> None:
    """Whatever stands in its fields; JSON escapes it anyway."""
    numbers = {"line": 1, "column": 1, "schedules": 1, "files": 1, "rejected": 0}
    fields: dict[str, str | int | float | bool | None] = {
        **dict.fromkeys(FIELDS, NASTY),
        **numbers,
        "platform": "default",
    }
    line = EventLines(Paint(enabled=False))(Event(name, AT, fields))
    assert line is not None
    assert line.isprintable()
    assert "[2J" in line


def test_errors_and_notes_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """An error may have lines; nothing else that it holds does anything."""
    complain(f"{NASTY}\nsecond")
    note([NASTY])
    written = capsys.readouterr().err
    assert written.startswith("error: a [2J")
    assert written.splitlines()[2] == "second"
    assert all(each.isprintable() or each == "\n" for each in written)


def test_a_comment_keeps_to_its_length_whatever_its_notes_hold() -> None:
    """A path may be long, and each of its characters nine bytes when nothing in it is to be markup."""
    found = compare(Revision((), (), (), frozenset()), Revision((), (), (), frozenset()), AT, [])
    compared = Compared(("main", "topic"), ("a" * 40, "b" * 40), "specs", found, (), ("~" * 4096,) * 8)
    assert len(comparison_markdown(compared).encode()) < BYTES_MAX
