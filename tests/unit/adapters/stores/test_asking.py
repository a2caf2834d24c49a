"""A store that is opened beside a controller to leave a request in it."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.stores.sqlite import SqliteStore, StoreMode
from controller.adapters.stores.store_file import MIGRATIONS, is_acted_on
from controller.bootstrap import asking
from controller.errors import Fenced, StoreInUse, StoreUnavailable
from controller.model.asked import Asked, RequestStatus
from controller.settings import Settings
from tests.unit.adapters.stores.samples import ORDERS, acting, alter, claim_of, request_of, run


def beside(path: Path) -> SqliteStore:
    """Open it as a command does."""
    return SqliteStore.open(path, mode=StoreMode.ASK)


def test_a_command_and_a_controller_share_a_store(tmp_path: Path) -> None:
    """What one leaves the other reads, and the one that asks can write nothing else."""
    controller = acting(tmp_path / "store.db")
    command = beside(tmp_path / "store.db")
    (kept,) = run(command.ask([request_of("k")]))
    assert run(controller.waiting_requests()) == (kept,)
    with pytest.raises(Fenced):
        run(command.claim(claim_of()))
    assert run(controller.take_back("k", "enough", kept.made_at))
    found = run(command.request("k"))
    assert found is not None
    assert found.status is RequestStatus.WITHDRAWN
    run(command.close())
    run(controller.close())


def test_whether_a_controller_runs_is_what_its_lock_says(tmp_path: Path) -> None:
    """Nobody has to beat a heart, asking keeps nobody out, and a second controller is refused all the same."""
    path = tmp_path / "store.db"
    assert not is_acted_on(path)
    controller = acting(path)
    assert is_acted_on(path)
    with pytest.raises(StoreInUse):
        acting(path)
    run(controller.close())
    assert not is_acted_on(path)
    run(acting(path).close())


def test_an_older_file_is_not_brought_up_to_date_by_a_command(tmp_path: Path) -> None:
    """The controller that may be running on it knows nothing of requests."""
    alter(tmp_path / "old.db", "".join(MIGRATIONS[:4]) + "PRAGMA user_version = 4;")
    with pytest.raises(StoreUnavailable, match=r"has version 4, .* Start the controller once"):
        beside(tmp_path / "old.db")
    with pytest.raises(StoreUnavailable, match="no controller has run with this store"):
        beside(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("action", "status"), [(Asked.TRIGGER, RequestStatus.WITHDRAWN), (Asked.SUSPEND, RequestStatus.WAITING)]
)
def test_what_got_no_answer_starts_nothing_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: Asked, status: RequestStatus
) -> None:
    """A command that gave up takes its request back, unless it is one that may wait."""
    monkeypatch.setattr(asking, "WAIT", timedelta(0))
    controller = acting(tmp_path / "store.db")
    settings, stays = Settings(store=tmp_path / "store.db"), action is Asked.SUSPEND
    reply = asyncio.run(asking.ask_by_hand(settings, request_of("", action), stays=stays))
    assert (reply.is_attended, reply.request.status) == (True, status)
    (kept,) = run(controller.requests(ORDERS, 9))
    assert (kept.expires_at is None) == stays
    run(controller.close())
    alone = asyncio.run(asking.ask_by_hand(settings, request_of("", action), stays=stays))
    assert (alone.is_attended, alone.request.status) == (False, status)
