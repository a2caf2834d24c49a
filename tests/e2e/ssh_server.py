"""An SSH server for Git as a process of its own: one user's key, and nothing but the two services of Git below one folder.

``python -m tests.e2e.ssh_server --root DIR --host-key FILE --authorized-key FILE`` prints ``{"port": N}`` and serves until SIGTERM.
"""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from twisted.conch.avatar import ConchUser
from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.interfaces import ISession, ISessionSetEnv
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.session import SSHSession
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor as installed_reactor
from zope.interface import implementer

SERVICES = ("git-upload-pack", "git-receive-pack")
USER = b"git"
reactor: Any = installed_reactor


def command_of(line: bytes, root: Path) -> list[str]:
    """The argument list for a command that a client asks for.

    Raises:
        ValueError: it is no service of Git on a repository below the root.
    """
    match shlex.split(line.decode()):
        case [service, path] if service in SERVICES:
            folder = (root / path.lstrip("/")).resolve()
            if folder.is_relative_to(root) and (folder / "HEAD").is_file():
                return [service, str(folder)]
    raise ValueError("only Git is served here, below one folder")


@implementer(ISession, ISessionSetEnv)
class GitSession:
    """One command of one client."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: Any = None
        self._protocol = ""

    def setEnv(self, name: bytes, value: bytes) -> None:  # noqa: N802  Twisted's name
        """Take the one variable that Git sends: the version of its protocol."""
        if name == b"GIT_PROTOCOL":
            self._protocol = value.decode()

    def execCommand(self, proto: Any, command: bytes) -> None:  # noqa: N802
        """Run it; what this raises is a refusal."""
        arguments = command_of(command, self._root)
        environment = {"PATH": os.environ["PATH"], "GIT_PROTOCOL": self._protocol, "GIT_CONFIG_NOSYSTEM": "1"}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}
        self._process = reactor.spawnProcess(proto, arguments[0], arguments, env=environment)

    def eofReceived(self) -> None:  # noqa: N802
        """The client has said all that it has to say."""
        if self._process is not None:
            self._process.closeStdin()

    def closed(self) -> None:
        """The client is gone."""
        if self._process is not None:
            self._process.loseConnection()

    def getPty(self, *_: Any) -> None:  # noqa: N802
        """There is no terminal."""
        raise ValueError("no terminals here")

    def openShell(self, *_: Any) -> None:  # noqa: N802
        """There is no shell."""
        raise ValueError("no shells here")

    def windowChanged(self, *_: Any) -> None:  # noqa: N802
        """Nothing has a size."""


class GitUser(ConchUser):  # type: ignore[misc]
    """Whoever has the key."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.channelLookup[b"session"] = SSHSession

    def __conform__(self, interface: Any) -> Any:
        """A session of its own for each channel."""
        return GitSession(self.root) if interface is ISession else None


@implementer(IRealm)
class Realm:
    """Gives everybody who proved to have the key the same rights."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def requestAvatar(self, _name: Any, _mind: Any, *interfaces: Any) -> Any:  # noqa: N802
        """The user."""
        return interfaces[0], GitUser(self._root), lambda: None


def factory_of(root: Path, host_key: Path, authorized_key: Path) -> SSHFactory:
    """Everything but the socket."""
    factory = SSHFactory()
    key = Key.fromFile(str(host_key))
    factory.publicKeys = {key.sshType(): key}
    factory.privateKeys = {key.sshType(): key}
    known = InMemorySSHKeyDB({USER: [Key.fromFile(str(authorized_key))]})
    factory.portal = Portal(Realm(root), [SSHPublicKeyChecker(known)])
    return factory


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser()
    for name in ("--root", "--host-key", "--authorized-key"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parsed = parser.parse_args()
    factory = factory_of(parsed.root.resolve(), parsed.host_key, parsed.authorized_key)
    port = reactor.listenTCP(parsed.port, factory, interface="127.0.0.1")
    sys.stdout.write(json.dumps({"port": port.getHost().port}) + "\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
