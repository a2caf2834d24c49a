"""What the end-to-end tests share."""

import fcntl
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests with real processes run one after the other, in one worker: two at once would take each other's time."""
    if not hasattr(request.config, "workerinput"):
        yield
        return
    with (tmp_path_factory.getbasetemp().parent / "e2e.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail("another worker runs tests with real processes; tests/sharing.py gives them all to one")
        yield
