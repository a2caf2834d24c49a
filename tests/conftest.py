"""What all suites share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.e2e.embedded_process import Start, platforms_in
from tests.sharing import Sharing


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How tests are shared out, whatever ``--dist`` says."""
    return Sharing(config, log)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start platforms in this test's folder; whatever still runs at its end is stopped."""
    with platforms_in(tmp_path) as start_one:
        yield start_one
