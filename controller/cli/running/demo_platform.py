"""The demo's platform: a child process on a free port, its connections, its data, and settings that name it."""

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from controller.errors import MainspringError

START_SECONDS = 20
"""The platform answers within one second on an idle machine; a slow disk or a cold cache may take several."""

STOP_SECONDS = 5
"""It ends its jobs within three; after this it is killed, so that Ctrl-C never takes longer than people wait."""

SETTINGS = """\
# Written by `mainspring demo`, anew at every start: the port changes. The other commands read it from here.
store = {store}
log_format = "auto"

[specs]
path = {specs}
poll = "2s"

[platforms.default]
kind = "embedded"
base_url = {base_url}
organization_id = {organization_id}
token_file = {token_file}
"""


class DemoFailed(MainspringError):
    """The demo's platform did not start."""


@dataclass(frozen=True, slots=True)
class DemoPlatform:
    """A running platform and where to find it."""

    process: asyncio.subprocess.Process
    base_url: str
    organization_id: str
    token: str
    state: Path
    specs: Path
    settings_file: Path

    def announcement(self) -> dict[str, str | None]:
        """What a script needs to know; there is no page yet."""
        return {
            "page": None,
            "platform": self.base_url,
            "organization_id": self.organization_id,
            "token": self.token,
            "state": str(self.state),
        }

    async def stop(self) -> None:
        """End it and its jobs."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        await self.process.wait()


async def start_platform(state: Path, sample: Path, specs: Path) -> DemoPlatform:
    """Lay out the state directory where it is new, start the platform, and write settings that name it.

    Raises:
        DemoFailed: it did not start; the text is what it said.
    """
    _lay_out(state, sample)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller.embedded", "--until-stdin-closes"),
        *("--data", str(state), "--config", str(state / "connections.yaml"), "--token-file", str(state / "token")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C goes to the whole foreground group; the platform must outlive the controller's last requests.
        start_new_session=True,
    )
    announced = await _first_line(process)
    platform = DemoPlatform(
        process,
        announced["platform"],
        announced["organization_id"],
        (state / "token").read_text(encoding="utf-8").strip(),
        state,
        specs,
        state / "mainspring.toml",
    )
    _write_settings(platform)
    return platform


def _lay_out(state: Path, sample: Path) -> None:
    """Copy the sample connections and their data; what is there already, perhaps edited, stays."""
    state.mkdir(parents=True, exist_ok=True)
    (state / "data").mkdir(exist_ok=True)
    names = ["connections.yaml", *(f"data/{path.name}" for path in sorted((sample / "data").iterdir()))]
    for name in names:
        if not (state / name).exists():
            shutil.copyfile(sample / name, state / name)


async def _first_line(process: asyncio.subprocess.Process) -> dict[str, str]:
    assert process.stdout is not None  # noqa: S101  asked for above
    assert process.stderr is not None  # noqa: S101
    line = b""
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        process.kill()
    if not line:
        said = (await process.stderr.read()).decode(errors="replace").strip()
        raise DemoFailed(f"the embedded platform did not start: {said or 'it said nothing'}")
    found: dict[str, str] = json.loads(line)
    return found


def _write_settings(platform: DemoPlatform) -> None:
    values = {
        "store": platform.state / "state.db",
        "specs": platform.specs,
        "base_url": platform.base_url,
        "organization_id": platform.organization_id,
        "token_file": platform.state / "token",
    }
    # A JSON string is a TOML string.
    text = SETTINGS.format(**{name: json.dumps(str(value)) for name, value in values.items()})
    platform.settings_file.write_text(text, encoding="utf-8")
