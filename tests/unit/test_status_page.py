"""The page about status names what there is, and nothing else."""

import json
import re
from pathlib import Path

from controller.cli.state.condition_text import GOOD
from controller.decide.conditions import AGAINST_READY, NEEDS_A_PERSON, KStatus
from controller.model.condition import ConditionReason, ConditionStatus, ConditionType

PAGE = (Path(__file__).parent.parent.parent / "docs" / "status.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """The words of the first column of a section's table."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", section, re.MULTILINE)


def test_every_condition_and_reason_is_described() -> None:
    """In the order of the lists."""
    assert first_cells("Conditions") == list(ConditionType)
    assert first_cells("Reasons of conditions") == list(ConditionReason)


def test_the_words_of_the_json_exist() -> None:
    """The example is valid, and its words are of the closed lists."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    shown = json.loads(block)
    assert KStatus(shown["kstatus"])
    for condition in shown["conditions"]:
        assert ConditionType(condition["type"])
        assert ConditionStatus(condition["status"])
    assert [f"`{word}`" in PAGE for word in KStatus] == [True] * len(KStatus)


def test_what_needs_a_person_stands_against_the_schedule_as_well() -> None:
    """Nothing is stalled and ready for the same hold, and every condition has a status that is good."""
    assert NEEDS_A_PERSON <= AGAINST_READY
    assert list(GOOD) == list(ConditionType)
