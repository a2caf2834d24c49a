"""``mainspring``: parse, hand over, exit."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from controller.cli.terminal import complain
from controller.errors import MainspringError

COMMANDS = {
    "run": "the controller, until SIGTERM",
    "demo": "embedded platform and controller on sample specs, in one process group",
    "platform": "the embedded platform alone",
    "validate": "check spec files offline",
    "plan": "what the next cycle would do and would not do, and why",
    "forecast": "every slot to come, and what it will come to",
    "simulate": "the whole controller against a simulated platform, in simulated time",
    "next": "the next instants of one expression",
    "get": "schedules with their status",
    "events": "the recorded events",
    "explain": "why a schedule did or did not run",
    "suspend": "let nothing of a schedule start, until it is resumed or a time comes",
    "resume": "end a suspension by hand, and let a stalled schedule start again",
    "trigger": "start a sync of a schedule now, beside its slots",
    "cancel": "end the active sync of a schedule",
    "import": "spec files for the connections that no spec drives yet",
    "schema": "the JSON Schema of the spec format, for editors",
    "verify": "compare the store with the platforms' own job lists: nothing doubled, nothing missed silently",
    "version": "the version",
}
"""Each is a module of its own, imported only when it is asked for: a command starts as fast as what it needs."""

MODULES = {
    "run": "running.run",
    "demo": "running.demo",
    "platform": "running.platform",
    "validate": "specs.validate",
    "plan": "planning.plan",
    "forecast": "foresight.forecast",
    "simulate": "simulation.simulate",
    "next": "foresight.next_slots",
    "get": "state.get",
    "events": "state.events",
    "explain": "state.explain",
    "suspend": "by_hand.suspend",
    "resume": "by_hand.resume",
    "trigger": "by_hand.trigger",
    "cancel": "by_hand.cancel",
    "import": "specs.import_specs",
    "schema": "specs.schema",
    "verify": "simulation.verify",
    "version": "version",
}
"""Where each command is in this package."""

EXIT_FAILED = 1
EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed or found errors, 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        sys.stdout.write(_overview())
        return 0 if given else EXIT_USAGE
    name = "version" if given[0] == "--version" else given[0]
    if name not in COMMANDS:
        complain(f'there is no command "{name}"; mainspring --help lists them')
        return EXIT_USAGE
    module = import_module(f"controller.cli.{MODULES[name]}")
    parser = argparse.ArgumentParser(
        prog=f"mainspring {name}",
        description=f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.",
        epilog=module.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parsed = parser.parse_args(given[1:])
    try:
        code = module.execute(parsed)
    except MainspringError as error:
        complain(str(error))
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return int(code)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name.ljust(width)}  {text}" for name, text in COMMANDS.items())
    return f"usage: mainspring COMMAND [options]\n\n{rows}\n\nmainspring COMMAND --help shows its options and an example.\n"
