"""Options that several commands share."""

import argparse
from datetime import UTC, datetime

from controller.settings import Settings, load_settings


def add_settings(parser: argparse.ArgumentParser, *, specs: bool = False) -> None:
    """``--config`` and what overrides it."""
    parser.add_argument("--config", metavar="FILE", help="settings (TOML); default mainspring.toml, else the demo's")
    parser.add_argument("--store", metavar="PATH", help="the store (SQLite)")
    if specs:
        parser.add_argument("--specs", metavar="DIR", help="the spec tree")
        parser.add_argument("--git", metavar="URL", help="or the repository that holds it (https, ssh)")
        parser.add_argument("--ref", metavar="REF", help="its branch, tag or full commit; default what its HEAD names")
        parser.add_argument("--path", metavar="DIR", help="the directory of the specs in it (specs)")


def settings_of(parsed: argparse.Namespace) -> Settings:
    """The settings that the command line asks for.

    Raises:
        SettingsInvalid: they cannot be used.
    """
    names = ("config", "store", "specs", "git", "ref", "path", "log_format", "spec_poll")
    return load_settings({name: getattr(parsed, name, None) for name in names})


def add_output(parser: argparse.ArgumentParser) -> None:
    """``-o text|json``."""
    parser.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="text for people, or one JSON document"
    )


def instant(text: str) -> datetime:
    """An RFC 3339 time with its offset, as an argument type."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no RFC 3339 time; write it like 2026-03-29T01:00:00Z') from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f'"{text}" has no offset; end it with Z for UTC')
    return at.astimezone(UTC)


def duration(text: str) -> float:
    """A duration such as ``60s``, ``5m``, ``1h30m`` as seconds, as an argument type."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    rest, total = text, 0.0
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        if not digits or digits == len(rest) or rest[digits] not in units:
            raise argparse.ArgumentTypeError(f'"{text}" is no duration; write it like 60s, 5m or 1h30m')
        total += float(rest[:digits]) * units[rest[digits]]
        rest = rest[digits + 1 :]
    return total
