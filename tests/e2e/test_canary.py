"""A token with a mark, looked for in everything that a controller and its commands leave behind."""

import base64
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.e2e.busy_pair import CONNECTION, SPEC
from tests.e2e.controller_process import controller_folder, stop
from tests.e2e.embedded_process import start_platform

OF_FILE = "canary+7f3a/9b==zz%41"
OF_ENVIRONMENT = "finch+21c8/4d==yy%42"
COMMANDS = (
    ["plan"],
    ["run", "--print-settings"],
    ["get", "-o", "json"],
    ["explain", "busy-0"],
    ["forecast"],
    ["events"],
    ["run", "--once"],
)
VARIABLE = "MAINSPRING_TEST_CANARY"


def forms(mark: str) -> list[bytes]:
    """A mark as it is, as an address carries it, and in base64 wherever it may begin in a longer text."""
    texts = [mark, quote(mark), quote(mark, safe=""), quote_plus(mark)]
    for before in range(3):
        whole = base64.b64encode(b"x" * before + mark.encode()).decode()
        texts += [whole[4:-4], whole.replace("+", "-").replace("/", "_")[4:-4]]
    return [text.encode() for text in texts]


def test_no_token_is_found_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file and of the environment, through refusals and errors: in no log, event, output, error text, and not in the store."""
    platform_folder, specs = tmp_path / "platform", tmp_path / "specs"
    platform_folder.mkdir()
    specs.mkdir()
    (platform_folder / "token").write_text(OF_FILE)
    monkeypatch.setenv(VARIABLE, OF_ENVIRONMENT)
    (specs / "busy-0.yaml").write_text(SPEC.format(n=0))
    connections = "connections:" + CONNECTION.format(n=0)
    platform = start_platform(platform_folder, connections, faults=("http-500@0.1", "lost-reply@0.1"))
    controller = controller_folder(tmp_path / "controller", platform, specs)
    settings = controller.settings.read_text()
    section = settings[settings.index("[platforms.default]") : settings.index("token_file")]
    # The platform knows one token, so this one is refused each time.
    refused = section.replace("default", "refused") + f'token_env = "{VARIABLE}"\n'
    controller.settings.write_text(settings + refused)
    outputs: list[bytes] = []
    process = controller.start()
    try:
        controller.event_when("sync_triggered")
        controller.event_when("listing_failed", platform="refused")
        for command in COMMANDS:
            done = controller.command(*command, code=None)
            outputs.append((done.stdout + done.stderr).encode())
        platform.stop()
        controller.event_when("listing_failed", platform="default")
        done = controller.command("plan", code=None)
        outputs.append((done.stdout + done.stderr).encode())
    finally:
        stop(process)
        if platform.process.returncode is None:
            platform.stop()
    outputs += [path.read_bytes() for path in controller.folder.rglob("*") if path.is_file()]

    assert len(outputs) > 10
    assert all(form not in text for mark in (OF_FILE, OF_ENVIRONMENT) for form in forms(mark) for text in outputs)
