"""``mainspring next`` in two dialects: what it prints is what the evaluators say, and an expression of the other dialect is told so."""

import json

import pytest

from controller.cli.main import main
from controller.cli.terminal import rfc3339
from controller.decide.calendar import compile_quartz
from controller.decide.slots import from_epoch

AFTER, AT = "2026-10-24T22:00:00Z", 1_792_879_200


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that fails says."""
    assert main(["next", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_quartz_slots_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Second by second, in Quartz' rule: the repeated hour is shown in its second copy only."""
    expression = "0/30 30 2 * * ?"
    assert (
        main(["next", expression, "--quartz", "--tz", "Europe/Zurich", "--after", AFTER, "-n", "3", "-o", "json"]) == 0
    )
    calendar, slots = compile_quartz(expression, "Europe/Zurich"), [AT]
    for _ in range(3):
        slots.append(calendar.next_after(slots[-1]) or 0)
    assert json.loads(capsys.readouterr().out) == {
        "expression": expression,
        "time_zone": "Europe/Zurich",
        "next": [rfc3339(from_epoch(slot)) for slot in slots[1:]],
    }
    assert rfc3339(from_epoch(slots[1])) == "2026-10-25T01:30:00Z"


@pytest.mark.parametrize("expression", ["0 6 * * MON-FRI", "*/5 * * * *", "@daily"])
def test_cron_with_the_option_for_quartz_is_told_to_leave_it_out(
    expression: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever compiles as cron; a zone that is wrong too does not hide it."""
    told = f"error: '{expression}' looks like cron; leave out --quartz\n"
    assert failed(capsys, expression, "--quartz") == told
    assert failed(capsys, expression, "--quartz", "--tz", "Mars/Olympus") == told


@pytest.mark.parametrize("expression", ["0 0 6 ? * MON-FRI", "0 30 6 L * ? 2027"])
def test_quartz_without_the_option_is_told_to_add_it(expression: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever compiles as Quartz."""
    assert failed(capsys, expression) == f"error: '{expression}' looks like Quartz, seconds first; add --quartz\n"


def test_what_is_neither_keeps_the_error_of_its_dialect(capsys: pytest.CaptureFixture[str]) -> None:
    """No hint at a dialect that would refuse it too."""
    assert "write five" in failed(capsys, "0 0 6 * * MON-FRI")
    assert "write ? in one of them" in failed(capsys, "0 0 6 * * MON-FRI", "--quartz")
    assert "the expression has five fields" in failed(capsys, "61 6 * * *", "--quartz")
    assert "no IANA time zone" in failed(capsys, "0 0 6 ? * 2", "--quartz", "--tz", "Europe/Zurih")
    assert "names no time that ever comes" in failed(capsys, "0 0 6 30 2 ?", "--quartz")


def test_an_interval_has_no_dialect(capsys: pytest.CaptureFixture[str]) -> None:
    """--quartz beside --every is wrong usage."""
    with pytest.raises(SystemExit) as ended:
        main(["next", "--every", "6h", "--quartz"])
    assert ended.value.code == 2
    assert "--quartz is for an expression" in capsys.readouterr().err
