"""``git`` as a child process: argument lists only, an environment of its own, bounded in time and in what it may say."""

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECONDS_MAX = 60.0
"""Longest time for one command. A fetch over a slow line takes seconds; one that hangs takes for ever."""

OUTPUT_BYTES_MAX = 512 * 1024 * 1024
"""More than any tree of specs has; what says more is not read on."""

MESSAGE_LENGTH_MAX = 500

COMPLAINT_BYTES_MAX = 64 * 1024
"""How much of the end of what git complained of is looked at; why it failed stands last, behind all that a server greets with."""

DATA_BYTES_MAX = 512 * 1024 * 1024
"""Most memory of its own that a command may take: a few hundred bytes of a repository can unfold to any size."""

END_SECONDS_MAX = 3.0
"""Longest wait for the end of what was killed."""

TRANSPORTS = "https:ssh"
"""What may be spoken with a server (``GIT_ALLOW_PROTOCOL``); ``ext::`` runs programs, ``file`` reads what the controller can read."""

# Nothing that a repository, a home directory or a machine says changes what git does here: no hooks, no helpers, no other programs.
_CONFIGURATION = (
    "core.hooksPath=/dev/null",
    # What is larger is no spec, and is passed on without being held whole.
    "core.bigFileThreshold=1m",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "credential.helper=",
    "gc.autoDetach=false",
    "http.followRedirects=false",
    # Without us, after a kill, a fetch that nothing arrives for must end by itself.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=45",
    "maintenance.autoDetach=false",
    "protocol.file.allow=never",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
)

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
    "LC_ALL": "C",
}

_KEPT = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")


class GitFailed(Exception):
    """A command failed; the text is one line, without control characters.

    ``code`` is its exit code, None if it was ended; ``complaint`` is all that it said, to be judged and never shown.
    """

    def __init__(self, message: str, code: int | None = None, complaint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.complaint = complaint


@dataclass(frozen=True, slots=True)
class Git:
    """How git is called.

    Attributes:
        directory: the repository (``--git-dir``); None = the command needs none.
        configuration: further ``name=value`` settings.
        environment: further variables; may hold secrets, and is never shown.
        transports: what may be spoken with a server, as ``GIT_ALLOW_PROTOCOL`` takes it; empty = no server at all.
        seconds_max: longest time for one command.
        secrets: texts that must not come back in a complaint.
        held: the descriptor of a lock that is to be held for as long as the command or a child of it lives, even if we do not.
    """

    directory: Path | None = None
    configuration: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    transports: str = ""
    seconds_max: float = SECONDS_MAX
    secrets: Sequence[str] = field(default=(), repr=False)
    held: int | None = None

    async def run(self, *arguments: str, given: bytes = b"", output_max: int = OUTPUT_BYTES_MAX) -> bytes:
        """Run one command; returns what it printed.

        Raises:
            GitFailed: it is missing, failed, took too long or said too much.
        """
        settings = [part for each in (*_CONFIGURATION, *self.configuration) for part in ("-c", each)]
        place = [] if self.directory is None else [f"--git-dir={self.directory}"]
        return await run_program(
            ["git", *place, *settings, *arguments],
            Limits(self.seconds_max, output_max, f"git {arguments[0]}"),
            variables=self._variables(),
            given=given,
            secrets=self.secrets,
            held=self.held,
        )

    def _variables(self) -> dict[str, str]:
        return {**kept_variables(), **_ENVIRONMENT, "GIT_ALLOW_PROTOCOL": self.transports or "none", **self.environment}


def kept_variables() -> dict[str, str]:
    """What a child process is told of our own environment."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a program may take and how much it may say, and what to call it when it does not keep to that."""

    seconds_max: float
    output_max: int
    name: str


async def run_program(
    arguments: Sequence[str],
    limits: Limits,
    *,
    variables: Mapping[str, str],
    given: bytes = b"",
    secrets: Sequence[str] = (),
    held: int | None = None,
) -> bytes:
    """Run a program with nothing but these variables; returns what it printed. It and its children end with this call.

    Raises:
        GitFailed: it is missing, failed, took too long or said too much.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(variables),
            cwd="/",
            start_new_session=True,
            pass_fds=() if held is None else (held,),
        )
    except OSError as error:
        raise GitFailed(f"{arguments[0]} cannot be run ({error.strerror}); install it") from error
    with contextlib.suppress(OSError):
        # Of a process that has just begun, and of all that it starts; it may have ended already.
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (DATA_BYTES_MAX, DATA_BYTES_MAX))
    try:
        async with asyncio.timeout(limits.seconds_max):
            output, complaint = await _exchange(process, given, limits)
            code = await process.wait()
    except TimeoutError:
        raise GitFailed(f"{limits.name} gave no answer within {limits.seconds_max:.0f} s") from None
    finally:
        await _end(process)
    if code != 0:
        # Before anything is cut off: of half a secret nobody would see that it is one.
        said = struck_out(complaint.decode("utf-8", "replace"), secrets)
        raise GitFailed(_one_line(said) or f"{limits.name} ended with {code}", code, said)
    return output


def struck_out(text: str, secrets: Sequence[str]) -> str:
    """A text without these secrets; what holds another one must stand before it."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


async def _exchange(process: asyncio.subprocess.Process, given: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """Feed and read at the same time: a command that waits for us to read must not wait for ever."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise GitFailed("git has no pipes")
    feeding = asyncio.create_task(_feed(process.stdin, given))
    complaining = asyncio.create_task(_read_end(process.stderr, COMPLAINT_BYTES_MAX))
    try:
        output = await _read(process.stdout, limits)
        return output, await complaining
    finally:
        for task in (feeding, complaining):
            task.cancel()
        await asyncio.gather(feeding, complaining, return_exceptions=True)


async def _feed(pipe: asyncio.StreamWriter, given: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        pipe.write(given)
        await pipe.drain()
        pipe.close()


async def _read(pipe: asyncio.StreamReader, limits: Limits) -> bytes:
    content = bytearray()
    while chunk := await pipe.read(1 << 16):
        content += chunk
        if len(content) > limits.output_max:
            raise GitFailed(f"{limits.name} said more than {limits.output_max >> 20} MiB")
    return bytes(content)


async def _read_end(pipe: asyncio.StreamReader, size_max: int) -> bytes:
    """Read all, and keep the lines at the end that are not longer than that in all."""
    content = bytearray()
    while chunk := await pipe.read(1 << 16):
        content += chunk
        if len(content) > size_max:
            del content[: -size_max - 1]
    return bytes(content) if len(content) <= size_max else bytes(content).partition(b"\n")[2]


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and whatever it started (ssh, a transport helper)."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        async with asyncio.timeout(END_SECONDS_MAX):
            await process.wait()
    except TimeoutError:
        # Who made a session of its own holds our pipes, and asyncio waits for those too.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001


def _one_line(complaint: str) -> str:
    """The last thing that git complained of, as text that may be shown."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    text = " ".join("".join(each if each.isprintable() else " " for each in line) for line in telling[:2])
    return text[:MESSAGE_LENGTH_MAX]
