"""Text of a spec inside a comment: rendered, it is the text that somebody wrote and nothing else."""

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from controller.cli.planning.comparison.escaping import code, cut, details, fitting, html_code, plain, table

HOSTILE = [
    "a|b",
    "a\\|b",
    "tail\\",
    "`x`",
    "``",
    "<script>alert(1)</script>",
    "</details></summary><img src=x onerror=alert(1)>",
    "**bold** _it_ ~~no~~",
    "[link](http://evil.test)",
    "![image](http://evil.test)",
    "http://evil.test www.evil.test",
    "&lt;b&gt; &#64;all",
    "<!-- hidden",
    "line\nbreak\r| next |",
    "```\n# heading",
    "right\u202eleft",
    " spaced ",
    "$x$",
]
FORMS = {"plain": plain, "code": code}


class _Text(HTMLParser):
    """The text of a page, and the elements in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's own
        """Note an element."""
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def rendered(markdown: str) -> _Text:
    """The page that a reader sees; HTML in Markdown is HTML."""
    page = _Text()
    page.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
    return page


def said(text: str) -> str:
    """What a reader must see of a text: all of it, but for what cannot be shown, and blanks at its ends."""
    return "".join(each if each.isprintable() else " " for each in text).strip()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spec_says_stays_text(text: str, form: str) -> None:
    """In a paragraph: no element but the one around it."""
    page = rendered(f"before {FORMS[form](text)} after")
    assert page.text.replace("\u200b", "").strip() == re.sub("^ | $", "", f"before {printable_of(text, form)} after")
    assert set(page.tags) <= {"p", "code"}


def printable_of(text: str, form: str) -> str:
    """Blanks at the ends belong to the text."""
    return "".join(each if each.isprintable() else " " for each in text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_a_cell(text: str, form: str) -> None:
    """A row has as many cells as its head, and the cell says what was written."""
    page = rendered("\n".join(table(("One", "Two"), [(FORMS[form](text), "end")])))
    assert page.tags.count("td") == 2
    assert said(text) in page.text.replace("\u200b", "")
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_a_summary(text: str) -> None:
    """There Markdown is not read, and HTML is."""
    page = rendered(details(html_code(text), ["body"]))
    assert page.tags == ["details", "summary", "code", "p"]
    assert said(text) in page.text


@pytest.mark.parametrize("text", ["@ana", "fixes #12", "!7", "~label", "http://evil.test", "www.evil.test"])
def test_nobody_is_mentioned_and_nothing_is_linked(text: str) -> None:
    """A sign that begins a reference is parted from its name, for the eye invisibly."""
    seen = rendered(plain(text)).text.strip()
    assert re.search(r"[@#!~]\w|://|www\.", seen) is None
    assert seen.replace("\u200b", "") == text


def test_plain_values_stay_readable_before_they_are_rendered() -> None:
    """The common case is an ordinary span of code."""
    assert code('cron "*/15 8-18 * * MON-FRI" Europe/Zurich') == '`cron "*/15 8-18 * * MON-FRI" Europe/Zurich`'


def test_what_is_too_long_is_cut() -> None:
    """Visibly."""
    assert (cut("abcdef", 4), cut("abcd", 4)) == ("abc…", "abcd")


def test_parts_fit_by_bytes() -> None:
    """As many from the beginning as there is room for, and none is drawn in vain."""
    drawn: list[str] = []

    def draw(text: str) -> str:
        drawn.append(text)
        return text

    assert fitting(["ä", "bb", "c", "d"], draw, 7) == (["ä", "bb"], 2)
    assert drawn == ["ä", "bb", "c"]
