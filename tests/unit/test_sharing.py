"""Which tests one process runs together."""

import pytest

from tests.sharing import share_of


@pytest.mark.parametrize(
    ("nodeid", "share"),
    [
        ("tests/e2e/test_demo.py::test_one", "e2e"),
        ("tests/e2e/test_drift.py::test_two[a::b]", "e2e"),
        ("tests/contract/test_platform.py::test_three[embedded]", "tests/contract/test_platform.py"),
        ("tests/unit/test_settings.py::test_four[a@b]", "tests/unit/test_settings.py::test_four[a@b]"),
    ],
)
def test_only_what_would_disturb_or_cost_more_stays_together(nodeid: str, share: str) -> None:
    """All with real processes in one share, a costly file in one of its own, every other test alone."""
    assert share_of(nodeid) == share
