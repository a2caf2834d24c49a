"""``mainspring import``: spec files for the connections that no spec drives yet."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from controller.bootstrap import read_connections, read_trees, spec_judge
from controller.cli.options import add_settings, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import counted, printable, write, write_json
from controller.cli.specs.import_report import Report, Written, as_json, as_text
from controller.cli.specs.import_text import spec_text
from controller.cli.specs.schema import SCHEMA_FILE
from controller.cli.terminal import Paint
from controller.decide.adoption import Adoption, Draft, LeftOut, adopt
from controller.errors import MainspringError
from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.connection import Connection
from controller.model.identity import ConnectionRef
from controller.settings import Settings

EXAMPLE = """examples:
  mainspring import --dry-run
  mainspring import --output specs
  mainspring import --platform default --only conn_orders conn_invoices
  mainspring import --git https://git.example/specs --output specs
  mainspring import -o json

No file is ever overwritten, and nothing is started or changed on the platform: a plan right after it has nothing to do.
exit code: 0 done (also when there was nothing to write), 1 error, 2 wrong usage"""


class ImportRefused(MainspringError):
    """Nothing can be imported; the text says what to do first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--platform", metavar="NAME", help="only this platform of the settings")
    parser.add_argument(
        "--output",
        dest="directory",
        type=Path,
        metavar="DIR",
        help="where to write; default the spec tree, needed where that is in Git",
    )
    parser.add_argument("--only", nargs="+", metavar="ID", help="only these connections")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    parser.add_argument(
        "-o", dest="output", choices=("text", "json"), default="text", help="text for people, or one JSON document"
    )
    add_settings(parser, specs=True)


def execute(parsed: argparse.Namespace) -> int:
    """Read everything, then write."""
    settings = settings_of(parsed)
    report = outcome_of(run_import(settings, parsed))
    if parsed.output == "json":
        write_json(as_json(report))
    else:
        write(as_text(report, Paint.for_stream(sys.stdout)))
    return 0


async def run_import(settings: Settings, parsed: argparse.Namespace) -> Report:
    """Draft a spec for each connection that no spec drives, and write it unless that was not wanted.

    Raises:
        ImportRefused: what the tree drives is not known, a connection that was named does not exist, or nobody said where to write.
        PlatformUnavailable, SettingsInvalid, SpecSourceUnavailable: not everything could be read.
    """
    directory = target_of(settings, parsed.directory)
    trees = await read_trees(settings, trees_of(settings, directory))
    errors = [error for tree in trees for error in tree.errors]
    if errors:
        raise ImportRefused(
            f"{errors[0].origin}: {errors[0].message} ({counted(len(errors), 'error')}); mend the specs first: which connections a"
            " rejected file drives is not known"
        )
    specs = [spec for tree in trees for spec in tree.specs]
    found = chosen(await read_connections(settings, parsed.platform), parsed.only)
    folders = {name: directory / name if len(settings.platforms) > 1 else directory for name in settings.platforms}
    taken = {spec.name for spec in specs} | {
        path.stem for each in set(folders.values()) for path in each.glob("*.y*ml")
    }
    managed = {spec.ref for spec in specs}
    adoption = judged(adopt(found, managed, taken), settings)
    written = [
        put(draft, folders[draft.ref.platform] / f"{draft.name}.yaml", directory, dry_run=parsed.dry_run)
        for draft in adoption.drafts
    ]
    count = sum(ref in managed for ref, _ in found)
    return Report(tuple(written), adoption.left_out, count, parsed.dry_run)


def target_of(settings: Settings, wanted: Path | None) -> Path:
    """The directory to write to."""
    if wanted is None and settings.git is not None:
        raise ImportRefused(
            f"the specs come from {settings.specs_label}, and nothing is written there; write --output DIR, such as the specs in a"
            " working copy of it, and commit what you find there"
        )
    return wanted or settings.specs


def trees_of(settings: Settings, directory: Path) -> list[Path]:
    """The directories whose specs count: the tree of the settings, and where files are written if that is not in it."""
    if settings.git is not None:
        return [directory]
    inside = directory.resolve().is_relative_to(settings.specs.resolve())
    return [settings.specs] if inside else [settings.specs, directory]


def chosen(
    found: list[tuple[ConnectionRef, Connection]], only: list[str] | None
) -> list[tuple[ConnectionRef, Connection]]:
    """The connections that were asked for."""
    if only is None:
        return found
    unknown = set(only) - {ref.connection_id for ref, _ in found}
    if unknown:
        raise ImportRefused(
            f"no platform shows {', '.join(sorted(map(printable, unknown)))}; leave --only out to see what there is"
        )
    return [(ref, connection) for ref, connection in found if ref.connection_id in only]


def judged(adoption: Adoption, settings: Settings) -> Adoption:
    """The drafts that the validator takes: without slots if it refuses those, and not at all if it refuses the rest as well."""
    judge = spec_judge(settings)
    drafts: list[Draft] = []
    left_out = list(adoption.left_out)
    for draft in adoption.drafts:
        errors = judge("import", spec_text(draft))
        bare = replace(draft, entry=CalendarEntry(EntryKind.MANUAL))
        if not errors:
            drafts.append(draft)
        elif not (still := judge("import", spec_text(bare))):
            reason = next(iter(errors)).message.partition(";")[0]
            drafts.append(replace(bare, note=f"it cannot be kept here, {reason}, so no slots are written"))
        else:
            left_out.append(LeftOut(draft.ref, draft.connection.name, next(iter(still)).message))
    return Adoption(tuple(drafts), tuple(left_out))


def put(draft: Draft, path: Path, directory: Path, *, dry_run: bool) -> Written:
    """Write one file, if there is none of that name."""
    if dry_run:
        return Written(draft, path, was_there=path.exists())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    text = spec_text(draft, schema_beside(path, directory))
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return Written(draft, path, was_there=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with file:
            file.write(text)
    except OSError as error:
        # Half a file would be a rejected one.
        path.unlink(missing_ok=True)
        raise _unwritable(path, error) from error
    return Written(draft, path)


def _unwritable(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused(f"{path}: {error.strerror}; what was written before it stays")


def schema_beside(path: Path, directory: Path) -> str:
    """The way from a spec file to the schema of the format, if `mainspring schema` has written one where it is looked for."""
    for place in (path.parent, directory, Path()):
        if (place / SCHEMA_FILE).is_file():
            return Path(os.path.relpath(place / SCHEMA_FILE, path.parent)).as_posix()
    return ""
