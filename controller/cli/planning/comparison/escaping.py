"""Text that somebody else wrote, inside Markdown: it stays text, whatever it holds, on GitHub and GitLab alike."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TypeVar

from controller.cli.page import printable

MARKUP = frozenset("&<>`*_[]\\|~$")
"""What would begin markup, or end a cell; written as a character reference."""

REFERENCES = frozenset("@#!%~&$")
"""What makes a name or a number behind it a reference to a person, an issue or a label."""

ZERO_WIDTH = "\u200b"

CUT = "…"

T = TypeVar("T")


def plain(text: str) -> str:
    """A sentence; nobody is mentioned by it, and nothing in it is a link."""
    safe = "".join(_safe(each) for each in printable(text))
    return safe.replace("://", f":{ZERO_WIDTH}//").replace("www.", f"www{ZERO_WIDTH}.")


def _safe(character: str) -> str:
    shown = f"&#{ord(character)};" if character in MARKUP else character
    return shown + ZERO_WIDTH if character in REFERENCES else shown


def code(text: str) -> str:
    """A value or a name, letter by letter, also in a cell of a table."""
    shown = printable(text)
    if shown and shown == shown.strip() and not set(shown) & set("`|\\"):
        return f"`{shown}`"
    return f"<code>{_references(shown)}</code>"


def html_code(text: str) -> str:
    """The same where no Markdown is read, as in a ``<summary>``."""
    return f"<code>{escape(printable(text))}</code>"


def _references(text: str) -> str:
    return "".join(each if each.isalnum() or each == " " else f"&#{ord(each)};" for each in text)


def cut(text: str, most: int) -> str:
    """At most so many characters of a text."""
    return text if len(text) <= most else text[: most - 1].rstrip() + CUT


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; cells are Markdown already."""
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]


def details(title: str, body: Sequence[str]) -> str:
    """A part that is folded; the title is HTML, the body Markdown."""
    return "\n".join(["<details>", f"<summary>{title}</summary>", "", "\n".join(body).rstrip(), "", "</details>"])


def fitting(parts: Sequence[T], draw: Callable[[T], str], room: int) -> tuple[list[str], int]:
    """As many parts from the beginning as fit into so many bytes once they are drawn, and how many are left out."""
    found: list[str] = []
    for each in parts:
        part = draw(each)
        room -= len(part.encode()) + 1
        if room < 0:
            break
        found.append(part)
    return found, len(parts) - len(found)
