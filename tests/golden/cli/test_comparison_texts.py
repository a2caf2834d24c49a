"""What two revisions look like side by side. ``MAINSPRING_GOLDEN=write`` writes the texts anew: read the difference."""

from pathlib import Path

import pytest

from controller.cli.main import main
from tests.golden.cli.test_plan_texts import is_golden
from tests.golden.cli.two_revisions import two_revisions

AT = "2026-03-02T05:00:00Z"
FORMS = {"text": "comparison.txt", "markdown": "comparison.md", "json": "comparison.json"}


@pytest.mark.parametrize("form", FORMS)
def test_a_pull_request_is_told_as_it_was(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every word, in all three forms; broken files make it fail and are all printed."""
    repository, _, _ = two_revisions(tmp_path / "repo")
    monkeypatch.chdir(repository.folder / "specs")
    code = main(["plan", "--from-revision", "main", "--to-revision", "more-orders", "--at", AT, "-o", form])
    out, err = capsys.readouterr()
    assert is_golden(FORMS[form], out.removesuffix("\n"))
    assert code == 1
    assert ("spec needs schedules" in err) is (form != "text")
