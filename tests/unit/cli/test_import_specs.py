"""What an import makes of schedules that the validator refuses, where it writes, and how it tells."""

from pathlib import Path

import pytest

from controller.cli.specs.import_report import Report, as_json, as_text
from controller.cli.specs.import_specs import ImportRefused, judged, put, schema_beside, trees_of
from controller.cli.specs.import_text import spec_text
from controller.cli.specs.schema import SCHEMA_FILE
from controller.cli.terminal import Paint
from controller.decide.adoption import Adoption, adopt
from controller.model.calendar import EntryKind
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.identity import ConnectionRef
from controller.model.profile import EMBEDDED
from controller.settings import PlatformSettings, Settings

SETTINGS = Settings(platforms={"default": PlatformSettings("default", "embedded", "http://127.0.0.1:1", "o", EMBEDDED)})
FAST = Connection("conn_fast", "Fast", ConnectionStatus.ACTIVE, PlatformScheduleKind.BASIC, "Every 2 SECONDS")
ODD = Connection("-odd", "Odd", ConnectionStatus.ACTIVE, PlatformScheduleKind.MANUAL)
PLAIN = Connection("conn_plain", "Plain", ConnectionStatus.INACTIVE, PlatformScheduleKind.MANUAL)


def adopted(*connections: Connection) -> Adoption:
    """What is drafted for connections, and passes the validator."""
    found = [(ConnectionRef("default", each.connection_id), each) for each in connections]
    return judged(adopt(found, (), ()), SETTINGS)


def test_a_schedule_that_the_platform_refuses_is_written_without_slots() -> None:
    """The file says why, and that nothing would start any more."""
    (draft,) = adopted(FAST).drafts
    assert (draft.entry.kind, draft.observes) == (EntryKind.MANUAL, True)
    assert draft.note == "it cannot be kept here, two slots are only 2 s apart, so no slots are written"
    assert "with manual alone nothing starts it" in spec_text(draft)


def test_an_id_that_no_spec_can_hold_is_left_out() -> None:
    """It is listed with the validator's reason."""
    adoption = adopted(ODD)
    assert adoption.drafts == ()
    assert "is no connection id" in adoption.left_out[0].reason


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """One that is there already stays, byte for byte, and is told as left."""
    (draft,) = adopted(PLAIN).drafts
    path = tmp_path / "below" / "plain.yaml"
    assert not put(draft, path, tmp_path, dry_run=True).was_there
    assert not path.exists()
    assert not put(draft, path, tmp_path, dry_run=False).was_there
    path.write_text("mine")
    left = put(draft, path, tmp_path, dry_run=False)
    assert left.was_there
    assert path.read_text() == "mine"
    told = as_json(Report((left,), (), 0, dry_run=False))
    assert (told["written"], [row["schedule"] for row in told["left"]]) == ([], ["plain"])


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A parent that is a file, a name that is too long: each is told, and nothing is left behind."""
    (draft,) = adopted(PLAIN).drafts
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "plain.yaml", tmp_path / ("x" * 300) / "plain.yaml", tmp_path / ("x" * 300)):
        with pytest.raises(ImportRefused, match="what was written before it stays"):
            put(draft, path, tmp_path, dry_run=False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_way_to_the_schema(tmp_path: Path) -> None:
    """From beside the file, else from the directory that is written to; none where there is none."""
    path = tmp_path / "default" / "plain.yaml"
    path.parent.mkdir()
    assert schema_beside(path, tmp_path) == ""
    (tmp_path / SCHEMA_FILE).touch()
    assert schema_beside(path, tmp_path) == f"../{SCHEMA_FILE}"
    (path.parent / SCHEMA_FILE).touch()
    assert schema_beside(path, tmp_path) == SCHEMA_FILE


def test_a_directory_outside_the_tree_is_read_too() -> None:
    """What was written there before must not be written again under another name."""
    assert trees_of(SETTINGS, Path("specs/team")) == [Path("specs")]
    assert trees_of(SETTINGS, Path("elsewhere")) == [Path("specs"), Path("elsewhere")]


def test_the_report_for_people(tmp_path: Path) -> None:
    """Files, connections, why some were left out, and a last line that counts."""
    adoption = adopted(PLAIN, FAST, ODD)
    written = [put(draft, Path(f"specs/{draft.name}.yaml"), tmp_path, dry_run=True) for draft in adoption.drafts]
    text = as_text(Report(tuple(written), adoption.left_out, 2, dry_run=True), Paint(False))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "WOULD WRITE"
    assert "specs/plain.yaml default/conn_plain manual manual, suspended" in lines
    assert "NOT MANAGED" in lines
    assert lines[-1] == "2 files would be written; 1 of them only observing, 2 managed already, 1 not managed"
