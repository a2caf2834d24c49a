"""``mainspring schema``: the JSON Schema of the spec format, for editors."""

import argparse
import json
import sys
from pathlib import Path

from controller.bootstrap import spec_schema
from controller.errors import MainspringError

EXAMPLE = """examples:
  mainspring schema --output mainspring.schema.json
  mainspring schema | head

Specs that mainspring import writes name a mainspring.schema.json beside them, in the directory they are written to, or here."""

SCHEMA_FILE = "mainspring.schema.json"
"""Where an import looks for it."""


class SchemaNotWritten(MainspringError):
    """The file cannot be written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead of to standard output")


def execute(parsed: argparse.Namespace) -> int:
    """Write it; the same version always writes the same bytes."""
    text = json.dumps(spec_schema(), indent=2, ensure_ascii=False) + "\n"
    if parsed.output is None:
        sys.stdout.write(text)
        return 0
    try:
        parsed.output.parent.mkdir(parents=True, exist_ok=True)
        parsed.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SchemaNotWritten(f"{parsed.output}: {error.strerror}; name a file that can be written") from error
    return 0
