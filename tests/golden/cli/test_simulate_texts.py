"""``mainspring simulate`` on a tiny spec tree, kept whole beside this file, as text and as JSON."""

import os
import re
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.golden.cli.test_texts import HERE, shown

SPECS = """apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {name: orders}
spec:
  connectionId: conn_orders
  schedules:
    - every: 10m
---
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata: {name: clicks}
spec:
  connectionId: conn_clicks
  schedules:
    - cron: "*/5 * * * *"
  overlap: Queue
"""

ARGUMENTS = ["simulate", "--specs", "specs", "--days", "0.05", "--seed", "7", "--from", "2026-03-02T12:00:00Z"]

CASES = {
    "simulate": ["--faults", "none"],
    "simulate-json": ["--faults", "none", "-o", "json"],
}


@pytest.mark.parametrize("name", CASES)
def test_the_simulation_says_what_it_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every word and number is as it was when somebody last looked at it; only the digest of the events is left out."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "both.yaml").write_text(SPECS)
    monkeypatch.chdir(tmp_path)
    code = main([*ARGUMENTS, *CASES[name]])
    text = re.sub(r'"trace": "\w+"', '"trace": "…"', shown(code, *capsys.readouterr()))
    path = HERE / f"{name}.txt"
    if os.environ.get("MAINSPRING_GOLDEN") == "write":
        path.write_text(text)
    assert (text, code) == (path.read_text(), 0)
