"""``mainspring plan``: what the next cycle would do and would not do, and why."""

import argparse
import sys

from controller.bootstrap import has_store, preview_cycle
from controller.cli.choose import add_at
from controller.cli.options import add_settings, settings_of
from controller.cli.outcome import outcome_of
from controller.cli.page import counted, moment, note, printable, write, write_json
from controller.cli.planning.plan_revisions import add_revisions, execute_revisions, is_wanted
from controller.cli.planning.plan_rows import rows_of
from controller.cli.planning.plan_text import plan_markdown, plan_text
from controller.cli.terminal import Paint, complain
from controller.model.plan import PlanningInput
from controller.reconcile.preview import Preview

EXAMPLE = """examples:
  mainspring plan
  mainspring plan -o markdown > plan.md
  mainspring plan --detailed-exitcode -o json
  mainspring plan --from-revision origin/main --to-revision HEAD -o markdown   # what a merge would change, offline

exit code: 0 planned, 1 error, 2 wrong usage; with --detailed-exitcode (as Terraform's): 0 nothing would
change on a platform (what is only written into the store is no change), 1 error, 2 changes"""

EXIT_CHANGES = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-o", "--output", choices=("text", "json", "markdown"), default="text", help="text for people, or for machines"
    )
    parser.add_argument("--detailed-exitcode", action="store_true", help="2 if something would change on a platform")
    add_at(parser)
    add_settings(parser, specs=True)
    add_revisions(parser)


def execute(parsed: argparse.Namespace) -> int:
    """Decide as the controller would, and carry nothing out."""
    if is_wanted(parsed):
        return execute_revisions(parsed)
    settings = settings_of(parsed)
    if not has_store(settings):
        note([f"{settings.store} does not exist yet: planned as for a first start"])
    found = outcome_of(preview_cycle(settings, parsed.at))
    known, plan = found.known, found.plan
    if found.trouble:
        complain(f"the specs cannot be read: {printable(known.held)}")
    elif known.held:
        note([known.held])
    if found.rejected:
        errors = f"{counted(len(found.rejected), 'error')} in {settings.specs_label}, the first at {found.rejected[0]}"
        note([f"{errors}; what the file last held in good order is planned; see mainspring validate {settings.specs}"])
    note(spent_notes(found))
    silent = unreached(known)
    for name, trouble in silent.items():
        complain(f"platform {name} cannot be read: {printable(trouble)}")
    if silent and len(silent) == len(known.platforms):
        return 1
    rows = rows_of(known, plan)
    if parsed.output == "json":
        write_json(rows.as_json)
    else:
        write(plan_markdown(rows) if parsed.output == "markdown" else plan_text(rows, Paint.for_stream(sys.stdout)))
    defects = [row for row in rows.schedules if row.defect]
    for row in defects:
        complain(f"nothing can be decided for {row.schedule}, a defect of Mainspring: {printable(row.defect)}")
    if silent or defects or found.trouble:
        return 1
    return EXIT_CHANGES if parsed.detailed_exitcode and rows.writes else 0


def spent_notes(shown: Preview) -> list[str]:
    """What a plan takes from the controller that runs, since nobody else can count it."""
    return [
        f"the controller has done to platform {name} all that it may between two full resyncs, say its conditions in the store"
        f" (BlastRadius since {moment(since, shown.known.now)}); what is left over waits for the next one"
        for name, since in shown.spent.items()
    ]


def unreached(known: PlanningInput) -> dict[str, str]:
    """Platforms that could not be listed, and why: what a plan says of them rests on nothing."""
    return {name: facts.trouble for name, facts in known.platforms.items() if facts.trouble}
