"""How git proves who we are: a token in the command's environment, or a key for ssh; never in an argument, never in a file of ours."""

import base64
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from controller.adapters.specs.git.command import GitFailed, struck_out
from controller.adapters.specs.git.place import GitOptions, Place

TOKEN_BYTES_MAX = 8192
USERNAME = "x-access-token"
"""The name that servers which only look at the token expect, or ignore."""

CONNECT_SECONDS = 15

_SSH = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "PreferredAuthentications=publickey",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ControlPath=none",
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=2",
)


@dataclass(frozen=True, slots=True)
class Login:
    """What one command is told; ``secrets`` are the texts that must not come back in its complaints."""

    configuration: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def blot(self, text: str) -> str:
        """The text with every secret struck out."""
        return struck_out(text, self.secrets)


def login_of(options: GitOptions, place: Place) -> Login:
    """Read the token, as it is now, or name the files that ssh reads.

    Raises:
        GitFailed: the token cannot be read, or cannot be sent; the text says why, never what was found.
    """
    if place.transport == "ssh":
        return Login(("core.sshCommand=" + ssh_command(options),), {"GIT_SSH_VARIANT": "ssh"})
    configuration = () if options.ca_file is None else (f"http.sslCAInfo={options.ca_file.absolute()}",)
    if options.token_file is None:
        return Login(configuration)
    token = read_token(options.token_file)
    user = options.username or place.user or USERNAME
    encoded = base64.b64encode(f"{user}:{token}".encode()).decode("ascii")
    # Not GIT_ASKPASS: that is a program on a disk that would have to be trusted, and a second round trip for each request.
    environment = {
        "GIT_CONFIG_COUNT": "1",
        # For this origin alone: nothing that a server says carries it to another one.
        "GIT_CONFIG_KEY_0": f"http.{place.origin}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {encoded}",
    }
    secrets = {token, quote(token, safe=""), encoded, base64.b64encode(token.encode()).decode("ascii")}
    return Login(configuration, environment, tuple(sorted(secrets, key=len, reverse=True)))


def read_token(path: Path) -> str:
    """The token in a file, without the newline at its end.

    Raises:
        GitFailed: the file is missing, unreadable, empty, too long, or holds what a header cannot carry.
    """
    try:
        with path.open("rb") as file:
            content = file.read(TOKEN_BYTES_MAX + 1)
    except OSError as error:
        raise GitFailed(f"the token file {path} cannot be read: {error.strerror}") from None
    token = content.decode("latin-1").removesuffix("\n").removesuffix("\r")
    if not token or len(content) > TOKEN_BYTES_MAX or not token.isascii() or not token.isprintable() or " " in token:
        raise GitFailed(f"the token file {path} does not hold one token on one line")
    return token


def ssh_command(options: GitOptions) -> str:
    """The command line of ssh, which git hands to a shell: nobody's configuration, one key, hosts that are known."""
    files = (("IdentityFile", options.ssh_key_file), ("UserKnownHostsFile", options.known_hosts_file))
    # Within an option ssh itself splits at blanks and replaces what follows a per cent sign.
    named = tuple(f'{name}="{str(path.absolute()).replace("%", "%%")}"' for name, path in files if path is not None)
    words = ["ssh", "-F", "/dev/null", "-a", "-x", "-T"]
    for option in (*_SSH, *named):
        words += ["-o", option]
    return shlex.join(words)
