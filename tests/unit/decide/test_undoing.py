"""When a connection is read again that keeps a slot from starting: soon while that is new, seldom where it has stood for long."""

from collections.abc import Mapping
from typing import Any

import pytest

from controller.model.connection import ConnectionStatus
from controller.model.drift import DriftField, NotedDrift
from controller.model.plan import NeedKind
from controller.model.schedule import Drift
from tests.unit.decide.given import REF, Given, at, clock, connection, decide, spec, standing

STATUS = DriftField.STATUS


def off(policy: Drift = Drift.WARN, since: str = "10:10", fighting: str = "", **said: Any) -> Given:
    """A connection that was switched off, and a slot of 10:15 that waits for it."""
    wanted = spec(drift_status=policy)
    fought = at(fighting) if fighting else None
    row = NotedDrift(REF, STATUS, policy, "active", "inactive", at(since), 1, None, fought) if since else None
    drifts: Mapping[DriftField, NotedDrift] = {} if row is None else {STATUS: row}
    last = said.pop("last", "")
    stands = standing(wanted, drifts=drifts, last_triggered_at=at(last) if last else None)
    known = {"now": "10:15", "connection_read": "10:14:50"} | said
    return Given(spec=wanted, standing=stands, connection=connection(ConnectionStatus.INACTIVE), **known)


CASES: dict[str, tuple[Given, str]] = {
    "when the slot falls due": (off(listing="10:14"), "10:15"),
    "not with a look that began before": (off(listing="10:14:59", connection_read="10:05"), "10:15"),
    "a full minute after it was read": (off(now="10:15:02", connection_read="10:15:01", listing="10:15:01"), "10:16"),
    "a minute after a look that had no room for it": (off(now="10:18", listing="10:17:30"), "10:18"),
    "every other minute once it has stood for two hours": (
        off(since="08:10", now="10:15:01", connection_read="10:15", listing="10:15"),
        "10:17",
    ),
    "every ten minutes once it has stood for days": (
        off(since="-3d 08:10", now="10:15:01", connection_read="10:15", listing="10:15"),
        "10:25",
    ),
    "soon where it is seen for the first time": (off(since="", listing="10:15"), "10:16"),
    "by the last start where nobody takes note of it": (
        off(Drift.IGNORE, since="", last="05:00", connection_read="10:15", listing="10:15"),
        "10:20",
    ),
    "not at all where it never started": (off(Drift.IGNORE, since=""), ""),
    "not at all in a fight": (off(fighting="10:12"), ""),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_it_is_read_again(case: Given, expected: str) -> None:
    """Every row of the table."""
    found = [need for need in decide(case).needs if need.kind is NeedKind.SETTINGS]
    assert [clock(need.begun_after) for need in found] == ([expected] if expected else [])
    assert all(need.read_connection for need in found)
