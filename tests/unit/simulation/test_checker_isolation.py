"""Other connections and bad files change nothing for a schedule: two simulations are equal but for what only one of them has."""

from dataclasses import replace

from controller.model.event import Event
from controller.simulation.faults import Severity
from controller.simulation.run import simulate
from controller.simulation.scene import Scene, drawn_scene

LEFT_OUT = "s2"
BROKEN = b"kind: SyncSchedule\nmetadata: {name: broken\n"


def told_of(scene: Scene) -> dict[str, set[tuple[str, str, str]]]:
    """What was told about each slot of each schedule: the event, the slot, the reason."""
    told: dict[str, set[tuple[str, str, str]]] = {}

    def watch(event: Event) -> None:
        slot = event.fields.get("scheduled_at")
        if event.schedule and slot is not None:
            row = (str(event.name), str(slot), str(event.fields.get("reason", "")))
            told.setdefault(event.schedule, set()).add(row)

    assert simulate(scene, [], watch).verdict.violations == ()
    return told


def scene() -> Scene:
    """Three hours of five connections, without faults."""
    return drawn_scene("isolation", days=0.125, severity=Severity.NONE)


def test_a_connection_changes_nothing_for_the_others() -> None:
    """S11: without one connection the other four have the same slots, starts and outcomes."""
    whole = scene()
    tempers = {"default": {name: each for name, each in whole.tempers["default"].items() if LEFT_OUT not in name}}
    files = {path: content for path, content in whole.files.items() if LEFT_OUT not in path}
    told, without = told_of(whole), told_of(replace(whole, files=files, tempers=tempers))
    assert len(told.pop(LEFT_OUT)) > 10
    assert without == told


def test_a_bad_file_changes_nothing_for_the_others() -> None:
    """S11: a file that does not parse stops no schedule of another file."""
    whole = scene()
    assert told_of(replace(whole, files={**whole.files, "broken.yaml": BROKEN})) == told_of(whole)
