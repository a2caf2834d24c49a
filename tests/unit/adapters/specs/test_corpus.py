"""One directory with much that is broken in it: each mistake is told, and nothing valid suffers from it."""

import asyncio

from controller.adapters.specs.directory import DirectorySpecSource
from controller.ports.spec_source import SpecTree
from tests.unit.adapters.specs.corpus import CORPUS

EXPECTED = """\
bad/alias.yaml:9:11: yaml-alias
bad/anchor.yaml:9:11: yaml-anchor
bad/api-version.yaml:1:13: unknown-api-version
bad/backoff-default.yaml:9:20: bad-range
bad/connection-id.yaml:6:17: bad-connection-id
bad/cron-never.yaml:8:13: cron-never-fires
bad/cron-syntax.yaml:8:13: cron-syntax
bad/cron-unquoted.yaml:8:13: unquoted-value
bad/duplicate-key.yaml:10:3: duplicate-key
bad/duration-number.yaml:9:16: wrong-type
bad/duration-unit.yaml:9:16: bad-duration
bad/duration-zero.yaml:9:16: bad-duration
bad/end-before-start.yaml:10:12: bad-range
bad/enumeration.yaml:9:12: unknown-value
bad/excluded-always.yaml:9:3: never-fires
bad/indentation.yaml:9:4: yaml-syntax
bad/kind.yaml:2:7: unknown-value
bad/manual-and-more.yaml:8:7: manual-not-alone
bad/merge-key.yaml:10:5: yaml-merge-key
bad/missing-connection.yaml:5:3: missing-key
bad/name.yaml:4:9: bad-name
bad/not-a-mapping.yaml:1:1: wrong-type
bad/not-utf8.yaml:9:22: not-utf8
bad/nul-character.yaml:9:19: bad-character
bad/policy-platform.yaml:8:5: unknown-key
bad/quartz-never.yaml:8:15: quartz-never-fires
bad/retry-range.yaml:9:21: out-of-range
bad/schedules-empty.yaml:7:14: empty-list
bad/suspend-word.yaml:9:12: wrong-type
bad/tag.yaml:9:11: yaml-tag
bad/time-without-offset.yaml:9:15: bad-time
bad/two-kinds.yaml:8:7: not-exactly-one
bad/unknown-key.yaml:9:3: unknown-key
bad/zone.yaml:9:17: zone-unknown
""".splitlines()


def fetch() -> SpecTree:
    """Read the corpus."""
    return asyncio.run(DirectorySpecSource(CORPUS, None).fetch())


def test_each_broken_file_is_told_where_it_is_broken() -> None:
    """Every error of every file is reported in one reading, at the line and column of the mistake."""
    errors = fetch().errors
    assert [f"{e.origin.path}:{e.origin.line}:{e.origin.column}: {e.code}" for e in errors] == EXPECTED


def test_the_valid_files_beside_them_make_their_specs_and_policies() -> None:
    """A broken file harms only itself."""
    tree = fetch()
    names = ["everything", "labelled", "minimal", "observed", "office-hours", "suspended"]
    assert [spec.name for spec in tree.specs] == names
    assert [policy.name for policy in tree.policies] == ["finance"]
    assert (tree.files, tree.warnings) == (41, ())


def test_every_broken_file_is_named_so_that_nothing_in_it_counts_as_deleted() -> None:
    """The failed paths are exactly the files with an error."""
    assert fetch().failed_paths == {line.split(":")[0] for line in EXPECTED}


def test_every_message_says_what_to_write_instead() -> None:
    """A message has two parts: what is wrong, and what to do about it."""
    assert [error for error in fetch().errors if "; " not in error.message] == []
