"""What every golden text of the command line rests on: one scene, one time zone, no terminal."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden.cli.scene import Scene, make_scene


@pytest.fixture
def zurich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine stands in Zurich, so that local time and UTC differ."""
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zurich: None) -> Scene:
    """The scene, with its folder as the working directory."""
    for name in ("MAINSPRING_CONFIG", "MAINSPRING_STORE", "MAINSPRING_SPECS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return make_scene(tmp_path)
