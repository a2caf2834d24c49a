"""``mainspring plan --from-revision A --to-revision B``: what a merge would change; no platform, store, network or settings."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from controller.bootstrap import Revisions, RevisionTree, read_revisions, system_clock
from controller.cli.outcome import outcome_of
from controller.cli.page import note, printable, width_of, write, write_json
from controller.cli.planning.comparison.as_json import comparison_json
from controller.cli.planning.comparison.as_markdown import comparison_markdown
from controller.cli.planning.comparison.as_text import comparison_text
from controller.cli.planning.comparison.words import Compared
from controller.cli.terminal import Paint, complain
from controller.decide.comparison.compare import LIMITS, compare
from controller.decide.comparison.difference import Caution, Level, Revision
from controller.model.schedule import Origin, ScheduleSpec
from controller.ports.spec_source import SpecTree
from controller.settings import Settings, load_settings

EXIT_FAILED, EXIT_USAGE, EXIT_CHANGES = 1, 2, 2

DEFAULT_PATH = "specs"


def add_revisions(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group(
        "two revisions, offline (no platform, store, network; settings only by --config; the specs are in --path)"
    )
    group.add_argument("--from-revision", metavar="A", help="a branch, tag or commit of the local repository")
    group.add_argument("--to-revision", metavar="B", help="the same: what is compared with A")
    group.add_argument("--repository", type=Path, metavar="DIR", help="default: the one around the working directory")


def is_wanted(parsed: argparse.Namespace) -> bool:
    """Whether any option of two revisions is given."""
    names = ("from_revision", "to_revision", "repository")
    return any(getattr(parsed, name) is not None for name in names)


def execute_revisions(parsed: argparse.Namespace) -> int:
    """Compare, and show what the later revision changes."""
    wrong = _misused(parsed)
    if wrong:
        complain(wrong)
        return EXIT_USAGE
    # Only a file that is named: what lies in the working directory is part of what is under review.
    settings = load_settings({"config": parsed.config}, environment={}) if parsed.config is not None else None
    path = PurePosixPath(parsed.path if parsed.path is not None else _default_path(settings))
    if path.is_absolute() or ".." in path.parts:
        complain(f'--path "{path}" leaves the repository; name a folder in it, such as {DEFAULT_PATH}')
        return EXIT_USAGE
    compared = outcome_of(_compared(parsed, settings, path))
    note(compared.notes)
    if parsed.output == "json":
        write_json(comparison_json(compared))
    elif parsed.output == "markdown":
        write(comparison_markdown(compared))
    else:
        write(comparison_text(compared, Paint.for_stream(sys.stdout), width_of()))
    if compared.errors:
        if parsed.output != "text":
            for error in compared.errors:
                complain(printable(str(error)))
        return EXIT_FAILED
    return EXIT_CHANGES if parsed.detailed_exitcode and not compared.found.is_empty else 0


def _misused(parsed: argparse.Namespace) -> str:
    """What is wrong about the options; empty = nothing."""
    if parsed.from_revision is None or parsed.to_revision is None:
        return "--from-revision and --to-revision go together; give both, or neither for a plan of the next cycle"
    for name in ("store", "specs", "git", "ref"):
        if getattr(parsed, name) is not None:
            return f"--{name} means nothing beside two revisions, which are read from the repository; leave it out"
    return ""


def _default_path(settings: Settings | None) -> str:
    if settings is None or settings.specs.is_absolute():
        return DEFAULT_PATH
    return settings.specs.as_posix()


async def _compared(parsed: argparse.Namespace, settings: Settings | None, path: PurePosixPath) -> Compared:
    at = parsed.at or system_clock().now()
    asked = (parsed.from_revision, parsed.to_revision)
    profiles = settings.profiles if settings is not None else None
    wanted = Revisions(parsed.repository or Path(), path, *asked, profiles=profiles, at=at)
    before, after = await read_revisions(wanted)
    limits = settings.safety if settings is not None else LIMITS
    found = compare(_revision(before.tree), _revision(after.tree), at, _new_warnings(before.tree, after.tree), limits)
    return Compared(
        asked, (before.commit, after.commit), str(path), found, after.tree.errors, tuple(_notes(before, after, path))
    )


def _revision(tree: SpecTree) -> Revision:
    return Revision(tree.specs, tree.policies, tree.requests, tree.failed_paths)


def _new_warnings(before: SpecTree, after: SpecTree) -> list[Caution]:
    """What ``validate`` says of the later revision and did not say of the earlier one; lines may have moved."""
    schedules = defaultdict(list)
    for spec in after.specs:
        schedules[spec.origin.path].append(spec)
    known = {(each.origin.path, each.code, each.message) for each in before.warnings}
    return [
        Caution(
            Level.WARNING, each.code, each.message, _schedule_at(each.origin, schedules[each.origin.path]), each.origin
        )
        for each in after.warnings
        if (each.origin.path, each.code, each.message) not in known
    ]


def _schedule_at(place: Origin, specs: Iterable[ScheduleSpec]) -> str:
    """The schedule of a file whose document holds a place."""
    above = [spec for spec in specs if spec.origin <= place]
    return max(above, key=lambda spec: spec.origin).name if above else ""


def _notes(before: RevisionTree, after: RevisionTree, path: PurePosixPath) -> list[str]:
    """What makes the comparison less than whole."""
    notes = [f"{each.asked} has no folder {path}: compared as empty" for each in (before, after) if not each.exists]
    if before.tree.failed_paths:
        paths = sorted(before.tree.failed_paths)
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        notes.append(f"{paths[0]}{more} is rejected in {before.asked}: what it had in force before is not known here")
    return notes
