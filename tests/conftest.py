"""What all suites share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.embedded_process import Start, platforms_in


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start platforms in this test's folder; whatever still runs at its end is stopped."""
    with platforms_in(tmp_path) as start_one:
        yield start_one
