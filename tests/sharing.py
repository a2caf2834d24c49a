"""How tests are shared out among the processes of ``pytest -n``: singly, but for those that would disturb each other or cost more apart."""

from xdist.scheduler import LoadScopeScheduling

SHARES = {
    "tests/e2e/": "e2e",
    "tests/simulation/test_seeds.py": "seeds",
    "tests/simulation/test_coverage.py": "seeds",
    "tests/simulation/test_simulated_year.py": "year",
}
"""Tests with real processes and real time are one share, so that none takes another's time, which it measures; the others of a share
use what takes long to make, and is made once in a process."""

BY_FILE = "tests/contract/"
"""Each file of this folder is a share: its tests have a platform in common."""


def share_of(nodeid: str) -> str:
    """The name of the share that a test is in; tests of one share are run by one process."""
    path = nodeid.partition("::")[0]
    for prefix, share in SHARES.items():
        if path.startswith(prefix):
            return share
    return path if path.startswith(BY_FILE) else nodeid


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Shares, the largest first.

    It stands in for ``--dist loadgroup``, whose groups are written into an attribute that pytest 9.2 does not read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
