"""What the tests of the Git source share."""

from pathlib import Path

import pytest

from tests.fakes.spec_source import schedule_text
from tests.unit.adapters.specs.git.repositories import Repository, repository


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A repository with one spec on its main branch."""
    made = repository(tmp_path / "origin")
    made.publish({"a.yaml": schedule_text("a")})
    return made
