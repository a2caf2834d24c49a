"""Running what a command waits for costs what it costs, and no more."""

import pytest

from controller.cli.outcome import outcome_of


class Large:
    """A result that notices who writes it out."""

    def __init__(self) -> None:
        self.written_out = 0

    def __repr__(self) -> str:
        self.written_out += 1
        return "large"


def test_a_result_is_given_and_never_written_out() -> None:
    """The text of ten thousand schedules takes longer than to read them."""
    found = Large()

    async def work() -> Large:
        return found

    assert outcome_of(work()) is found
    assert found.written_out == 0


def test_an_error_comes_through() -> None:
    """As it was raised."""

    async def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        outcome_of(work())
