"""The parts of the documentation that are made from the code. ``python -m tests.unit.docs_tables`` writes them anew."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from controller.model.event import CATALOGUE, EventName
from controller.model.profile import PROFILES, PlatformProfile

ROOT = Path(__file__).parent.parent.parent

EVENTS_INTRODUCTION = """\
# Events

Every event that the controller tells, made from the catalogue in `controller/model/event.py`. An event is a fact about something that
has happened; its name and its fields are the same in the log, in the store and in `mainspring events`. One that tells of a write (an
outcome, a job that ended) is in the store exactly where that write is. `cycle_finished` is in the log alone.

On standard error each event is one line: a JSON object, or a sentence for people on a terminal. A JSON line holds `event` (the name),
`at` (RFC 3339, UTC), `level` (the severity; `debug` is written as `info`), and the fields below. `cycle_finished` is left out of the
lines where nothing was done. Of a slot or a schedule, `reason` is a word of [Reasons](operating.md#reasons), and `Due` where nothing stood
against a start (`Retry` for a further run); outcomes and other words are in the [glossary](glossary.md).
"""


def cell(text: str) -> str:
    """Text that keeps to its cell."""
    return text.replace("|", "\\|")


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cell(each) for each in cells)} |"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A whole table."""
    return "\n".join([row(*head), row(*("---" for _ in head)), *(row(*each) for each in rows)])


def code(*words: str) -> str:
    """Words as code, separated by commas."""
    return ", ".join(f"`{word}`" for word in words)


def events_page() -> str:
    """``docs/events.md``: every event with its severity, its meaning and its fields."""
    rows: list[tuple[str, ...]] = [
        (code(name), str(CATALOGUE[name].severity), CATALOGUE[name].meaning, code(*CATALOGUE[name].fields) or "none")
        for name in EventName
    ]
    return f"{EVENTS_INTRODUCTION}\n{table(('Event', 'Severity', 'Meaning', 'Fields'), rows)}\n"


SETTINGS_OF_PROFILE: Mapping[str, tuple[str, str]] = {
    # the field of the profile, the key that sets it, and what it means
    "write_timeout": ("request_timeout", "longest wait for the answer to a POST or DELETE"),
    "read_timeout": ("read_timeout", "longest wait for the answer to a GET"),
    "settle": ("settle", "how long after the end of a request a job of it may still appear in a listing"),
    "min_interval": ("min_interval", "shortest accepted distance of two slots of one entry"),
    "min_gap": ("min_gap", "shortest distance of two starts of a connection whose spec has no `minGap`"),
    "page_size": ("page_size", "jobs or connections a page, 1 to 1000"),
    "requests_per_minute": ("requests_per_minute", "request budget; reads leave a tenth of it to writes"),
    "requests_per_day": ("requests_per_day", "the same for any 24 hours"),
    "write_concurrency": ("write_concurrency", "POSTs and DELETEs under way at once, 1 to 100"),
    "poll": ("poll", "distance of two listings while a job is active and nobody waits for one"),
    "active_poll_max": ("active_poll_max", "longest distance of two listings while a job is active"),
    "quiet_poll": ("quiet_poll", "distance of two listings while nothing is active"),
    "view_age_max": ("view_age_max", "nothing starts or is cancelled on a listing older than this"),
    "clock_tolerance": (
        "clock_tolerance",
        "how far the platform's clock may be from ours; nothing is done there while it is further away",
    ),
}

FIXED_IN_PROFILE = {"send_within", "pages_max", "overlap", "attempts_max"}
"""Numbers of a profile that no setting changes."""


def duration(value: object) -> str:
    """A profile's value as one writes it in settings."""
    if value is None:
        return "none"
    if not isinstance(value, timedelta):
        return f"`{value}`"
    seconds = int(value.total_seconds())
    return f'`"{seconds // 60}m"`' if seconds and seconds % 60 == 0 else f'`"{seconds}s"`'


def profile_table() -> str:
    """Every number of a platform that settings may change, with its default for each kind."""
    keys = [each.name for each in fields(PlatformProfile) if each.name not in FIXED_IN_PROFILE]
    rows: list[tuple[str, ...]] = [
        (
            code(SETTINGS_OF_PROFILE[key][0]),
            SETTINGS_OF_PROFILE[key][1],
            *(duration(getattr(profile, key)) for profile in PROFILES.values()),
        )
        for key in keys
    ]
    return table(("Key", "Meaning", *(f"`{kind}`" for kind in PROFILES)), rows)


PAGES: Mapping[str, Callable[[], str]] = {"docs/events.md": events_page}
"""Pages that are made whole."""

SECTIONS: Mapping[tuple[str, str], Callable[[], str]] = {("docs/operating.md", "platform numbers"): profile_table}
"""Parts of pages, between ``<!-- NAME -->`` and ``<!-- end of NAME -->``."""


def with_section(page: str, name: str, text: str) -> str:
    """The page with one made part replaced; ValueError where it has no such part."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"there is no part {name!r}")
    return f"{before}{begin}{text}{end}{after}"


def made() -> dict[str, str]:
    """Every page that holds something made, as it should be."""
    pages = {path: make() for path, make in PAGES.items()}
    for (path, name), make in SECTIONS.items():
        pages[path] = with_section(pages.get(path) or (ROOT / path).read_text(encoding="utf-8"), name, make())
    return pages


if __name__ == "__main__":
    for path, text in made().items():
        (ROOT / path).write_text(text, encoding="utf-8")
