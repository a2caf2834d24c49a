"""What the contract suites share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.ports.store import Store
from tests.unit.adapters.stores.samples import open_store, run


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store in turn, empty."""
    opened = open_store(request.param, tmp_path)
    yield opened
    run(opened.close())
