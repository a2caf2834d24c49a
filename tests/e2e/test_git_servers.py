"""The tests' own Git servers: they let in who may come in, and refuse as real ones do."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.git_repository import Repository, make_key, public_half
from tests.e2e.git_server import HttpGitServer, SshGitServer, ask, http_server, make_certificate, ssh_server
from tests.git_repository import ENVIRONMENT, Link, Submodule, git


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpGitServer]:
    """A server over HTTP."""
    with http_server(tmp_path / "http") as server:
        yield server


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshGitServer]:
    """A server over SSH."""
    folder = tmp_path_factory.mktemp("ssh")
    with ssh_server(folder / "served", folder) as server:
        yield server


def clone(url: str, folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """The files of a clone, by path."""
    git("clone", "--quiet", "--depth=1", url, str(folder), environment=environment)
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and ".git/" not in str(path)
    }


def test_who_has_the_password_may_push_and_clone_over_http(http: HttpGitServer, tmp_path: Path) -> None:
    """What was pushed comes back, also in a body that is so long that Git sends it in chunks."""
    pushed = http.repository("specs.git", tmp_path / "author")
    pushed.push({"a.yaml": "a: 1\n", "long.bin": random.Random(1).randbytes(3_000_000)})
    assert any(asked.is_chunked for asked in http.asked)
    last = pushed.push({"a.yaml": "a: 2\n", "long.bin": None})

    assert clone(http.url("specs.git"), tmp_path / "clone", http.login()) == {"a.yaml": "a: 2\n"}
    assert ask(http.url("specs.git"), http.login()).split() == [last, "refs/heads/main"]
    assert all(asked.is_authorized for asked in http.asked)
    assert http.token not in repr(http.asked)


def test_who_has_none_is_refused_over_http(http: HttpGitServer, tmp_path: Path) -> None:
    """401 and the way to log in; the same where the right password is refused, and where it was changed."""
    http.repository("specs.git", tmp_path / "author").push({"a": "1"})
    good = http.login()
    http.asked.clear()
    with pytest.raises(AssertionError, match="could not read Username"):
        ask(http.url("specs.git"), {})
    http.refuse_auth = True
    with pytest.raises(AssertionError, match="could not read Username"):
        ask(http.url("specs.git"), good)
    http.refuse_auth, http.token = False, "another"
    with pytest.raises(AssertionError, match="could not read Username"):
        ask(http.url("specs.git"), good)
    assert "refs/heads/main" in ask(http.url("specs.git"), http.login())
    assert [asked.is_authorized for asked in http.asked] == [False, False, False, True, True]


def test_a_server_over_http_is_down_hangs_and_sends_elsewhere_when_told_to(http: HttpGitServer, tmp_path: Path) -> None:
    """Each trouble is one that Git sees as such, and each ends when it is told to end."""
    pushed = http.repository("specs.git", tmp_path / "author")
    pushed.push({"a": "1"})
    url, login = http.url("specs.git"), http.login()
    http.down()
    with pytest.raises(AssertionError, match=r"Failed to connect|Couldn't connect"):
        ask(url, login)
    http.up()
    assert http.url("specs.git") == url
    http.hang = True
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            ["git", "ls-remote", url], env={**ENVIRONMENT, **login}, timeout=0.3, capture_output=True, check=False
        )
    http.hang = False
    http.redirect_to = "http://127.0.0.1:1"
    with pytest.raises(AssertionError, match="port 1"):
        ask(url, login)
    http.redirect_to = ""
    assert "refs/heads/main" in ask(url, login)


def test_over_tls_only_who_knows_the_certificate_trusts_it(tmp_path: Path) -> None:
    """A certificate of one's own has to be named."""
    with http_server(tmp_path / "http", certificate=make_certificate(tmp_path / "server.pem")) as http:
        http.repository("specs.git", tmp_path / "author").push({"a": "1"})
        assert "refs/heads/main" in ask(http.url("specs.git"), http.login())
        with pytest.raises(AssertionError, match="certificate"):
            ask(
                http.url("specs.git"), {name: value for name, value in http.login().items() if name != "GIT_SSL_CAINFO"}
            )


def test_who_has_the_key_may_push_and_clone_over_ssh(ssh: SshGitServer, tmp_path: Path) -> None:
    """Both ways, and the server runs nothing but Git, and that only below its folder."""
    pushed = ssh.repository("specs.git", tmp_path / "author")
    pushed.push({"a.yaml": "a: 1\n"})
    last = pushed.push({"b.yaml": "x" * 1_000_000})

    assert clone(ssh.url("specs.git"), tmp_path / "clone", ssh.login()).keys() == {"a.yaml", "b.yaml"}
    assert ask(ssh.url("specs.git"), ssh.login()).split() == [last, "refs/heads/main"]
    Repository.make(tmp_path / "outside.git", tmp_path / "other")
    with pytest.raises(AssertionError, match="exec request failed"):
        ask(ssh.url(f"../../{tmp_path.name}/outside.git"), ssh.login())


def test_who_has_another_key_is_refused_over_ssh_and_so_is_a_server_with_another(
    ssh: SshGitServer, tmp_path: Path
) -> None:
    """A key proves who comes, and a known host who answers; one that is not known at all is no better."""
    ssh.repository("refused.git", tmp_path / "author")
    url, other = ssh.url("refused.git"), make_key(tmp_path / "other")
    with pytest.raises(AssertionError, match="Permission denied"):
        ask(url, ssh.login(key=other))
    unknown, wrong = tmp_path / "unknown", tmp_path / "wrong"
    unknown.write_text("")
    wrong.write_text(f"[127.0.0.1]:{ssh.port} {public_half(other)}\n")
    for known_hosts in (unknown, wrong):
        with pytest.raises(AssertionError, match="Host key verification failed"):
            ask(url, ssh.login(known_hosts=known_hosts))


def test_every_tree_that_git_can_hold_can_be_pushed(tmp_path: Path) -> None:
    """Links, submodules, names that are no UTF-8 and names that differ by their case; and a head that is signed, or set back."""
    pushed = Repository.make(tmp_path / "bare.git", tmp_path / "author")
    first = pushed.push({"a": "1"})
    pushed.push({"link": Link("../../etc"), "module": Submodule(), "A": "2"})
    pushed.push({b"\xff\xfe.yaml": "3"})
    listed = git("ls-tree", "-r", "main", at=pushed.bare)
    assert [line.split()[0] for line in listed.splitlines()] == ["100644", "100644", "120000", "160000", "100644"]
    assert '"\\377\\376.yaml"' in listed

    key = make_key(tmp_path / "key")
    signed = pushed.push({"b": "4"}, sign_with=key, anew=True)
    assert git("ls-tree", "--name-only", "main", at=pushed.bare) == "b"
    (tmp_path / "signers").write_text(f"ada@example.org {public_half(key)}\n")
    git("-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}", "verify-commit", signed, at=pushed.bare)
    with pytest.raises(AssertionError):
        git("-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}", "verify-commit", first, at=pushed.bare)

    pushed.tag("v1")
    assert pushed.force_push(first) == git("rev-parse", "main", at=pushed.bare)
    assert git("rev-parse", "v1", at=pushed.bare) == signed
    pushed.branch = "other"
    pushed.push({"c": "5"})
    pushed.delete()
    assert git("for-each-ref", "--format=%(refname)", at=pushed.bare).split() == ["refs/heads/main", "refs/tags/v1"]
