"""Tokens: read when they change, refused when they cannot be sent, never shown."""

import os
from pathlib import Path

import pytest

from controller.adapters.platforms.credentials import TOKEN_BYTES_MAX, Secret, TokenFile, TokenValue
from controller.errors import PlatformUnavailable


def test_a_secret_does_not_show_itself() -> None:
    """Neither repr nor str holds the value, and equal values are not equal secrets."""
    secret = Secret("hush")

    assert "hush" not in f"{secret!r} {secret} {[secret]}"
    assert secret.reveal() == "hush"
    assert secret != Secret("hush")
    assert secret.blot("say hush") == "say ***"


@pytest.mark.parametrize(("content", "token"), [("ak_1", "ak_1"), ("ak_1\n", "ak_1"), ("ak_1\r\n", "ak_1")])
def test_one_trailing_newline_is_not_part_of_the_token(tmp_path: Path, content: str, token: str) -> None:
    """An editor's newline does no harm."""
    path = tmp_path / "token"
    path.write_bytes(content.encode())

    assert TokenFile(path).current().reveal() == token
    assert TokenValue(content).current().reveal() == token


def test_a_swapped_file_is_read_again(tmp_path: Path) -> None:
    """A rotation by rename (a secret volume's way) needs no restart, even with the old file's time on it."""
    path = tmp_path / "token"
    path.write_text("old")
    token = TokenFile(path)
    before = token.current()
    assert token.current() is before

    (tmp_path / "next").write_text("new")
    os.utime(tmp_path / "next", ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    (tmp_path / "next").rename(path)

    assert token.current().reveal() == "new"


def test_a_rewritten_file_is_read_again(tmp_path: Path) -> None:
    """A change in place shows in the file's time."""
    path = tmp_path / "token"
    path.write_text("old")
    token = TokenFile(path)
    token.current()

    path.write_text("new")
    os.utime(path, ns=(1, 1))

    assert token.current().reveal() == "new"


def test_a_forgotten_token_is_read_again_even_if_the_file_looks_the_same(tmp_path: Path) -> None:
    """After a refusal the file is believed, not its time."""
    path = tmp_path / "token"
    path.write_text("old")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    token = TokenFile(path)
    token.current()
    path.write_text("new")
    os.utime(path, ns=times)
    assert token.current().reveal() == "old"

    token.forget()

    assert token.current().reveal() == "new"


@pytest.mark.parametrize(
    "content", ["", "\n", "two words", "line\nline", "caf\u00e9", "tab\t", "x" * (TOKEN_BYTES_MAX + 1)]
)
def test_a_token_that_no_header_carries_is_refused_without_being_quoted(tmp_path: Path, content: str) -> None:
    """The text names the file and the fault, never the content."""
    path = tmp_path / "token"
    path.write_text(content)

    with pytest.raises(PlatformUnavailable) as raised:
        TokenFile(path).current()

    assert str(path) in str(raised.value)
    assert not content.strip() or content.strip() not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The operator learns which file, and why."""
    with pytest.raises(PlatformUnavailable, match="token cannot be read: No such file or directory"):
        TokenFile(tmp_path / "token").current()
