"""The option ``--fault`` as the command line takes it."""

import argparse

import pytest

from controller.cli.running.platform import add_arguments
from controller.embedded.faults import Fault, FaultKind

WRITTEN = {
    "lost-request": Fault(FaultKind.LOST_REQUEST),
    "lost-reply": Fault(FaultKind.LOST_REPLY),
    "http-500": Fault(FaultKind.HTTP_500),
    "http-429=120s": Fault(FaultKind.HTTP_429, 120),
    "delay=5s": Fault(FaultKind.DELAY, 5),
    "list-lag=10s": Fault(FaultKind.LIST_LAG, 10),
}


def faults(*options: str) -> list[Fault]:
    """What the command would run with."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    found: list[Fault] = parser.parse_args(["--data", "d", "--token-file", "t", *options]).fault
    return found


@pytest.mark.parametrize(("text", "fault"), WRITTEN.items(), ids=WRITTEN)
def test_each_kind_can_be_asked_for_and_each_for_a_share(text: str, fault: Fault) -> None:
    """Every kind is taken as documented, for all requests or for a share of them, once or several times."""
    for_some = Fault(fault.kind, fault.seconds, 0.25)

    assert faults("--fault", text, f"--fault={text}@0.25") == [fault, for_some]


def test_no_kind_is_left_out() -> None:
    """A new kind of fault needs a row above."""
    assert {fault.kind for fault in WRITTEN.values()} == set(FaultKind)
