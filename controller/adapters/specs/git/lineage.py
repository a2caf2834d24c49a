"""Fast-forward-only: a revision that does not descend from the one in force is refused, be it a rewind, a rewrite or a replay."""

import re

from controller.adapters.specs.git.command import Git, GitFailed
from controller.adapters.specs.git.refs import Tip
from controller.errors import SpecSourceUnavailable

# Also of git-sync's directories: whoever changes from one to the other goes on where he was.
_COMMIT = re.compile(r"(?:.*@)?(?:sha1:([0-9a-f]{40}(?:[0-9a-f]{24})?)|(?<!dir@)sha256:([0-9a-f]{64}))")


def commit_of(revision: str) -> str:
    """The commit that a revision names; nothing if it names another thing, such as a directory's contents."""
    found = _COMMIT.fullmatch(revision)
    return "" if found is None else found[1] or found[2]


async def check_lineage(git: Git, applied: str, tip: Tip) -> None:
    """Accept a tip that descends from the revision in force; without one any.

    Raises:
        SpecSourceUnavailable: it does not.
        GitFailed: that cannot be told.
    """
    before = commit_of(applied)
    if not before or before == tip.commit or await _descends(git, before, tip.commit):
        return
    raise SpecSourceUnavailable(
        f"{tip.revision} does not descend from {before}, which is in force; it is refused because specs.fast_forward_only is set"
    )


async def _descends(git: Git, before: str, after: str) -> bool:
    try:
        await git.run("cat-file", "-e", f"{before}^{{commit}}")
    except GitFailed:
        # All of the history of the new one is here, and the old one is not in it.
        return False
    try:
        await git.run("merge-base", "--is-ancestor", before, after)
    except GitFailed as error:
        if error.code == 1:
            return False
        raise
    return True
