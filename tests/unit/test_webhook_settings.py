"""The settings of the webhook's receiver: off unless asked for, and never without a secret."""

from pathlib import Path

import pytest

from controller.errors import SettingsInvalid
from controller.settings import Settings, load_settings, show

TEXT = """
[webhook]
listen = "127.0.0.1:9321"
kind = "generic"
secret_file = "secret"
header = "X-Gitea-Signature"
path = "/specs/changed"
"""


def loaded(text: str, folder: Path) -> Settings:
    """The settings of a file with this text."""
    path = folder / "mainspring.toml"
    path.write_text(text)
    return load_settings({"config": str(path)}, {})


def test_nothing_listens_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Without the table, and with one that names no address."""
    assert loaded("", tmp_path).webhook is None
    assert loaded('[webhook]\nkind = "github"\nsecret_file = "secret"\n', tmp_path).webhook is None


def test_an_endpoint_is_read_whole_and_shown_without_its_secret(tmp_path: Path) -> None:
    """The settings hold the name of the secret's file, and the file is not looked at."""
    (tmp_path / "secret").write_text("not to be shown")
    settings = loaded(TEXT.replace('"secret"', f'"{tmp_path}/secret"'), tmp_path)
    webhook = settings.webhook
    assert webhook is not None
    assert (webhook.host, webhook.port, webhook.kind) == ("127.0.0.1", 9321, "generic")
    assert (webhook.header, webhook.path) == ("X-Gitea-Signature", "/specs/changed")
    assert show(settings)["webhook"]["secret_file"] == str(tmp_path / "secret")
    assert "not to be shown" not in str(show(settings))


@pytest.mark.parametrize(
    ("written", "host"), [("[::1]:0", "::1"), ("10.0.0.7:80", "10.0.0.7"), ("localhost:1", "localhost")]
)
def test_an_address_is_taken_as_it_is_written(written: str, host: str, tmp_path: Path) -> None:
    """Of both families, by number or by name; it is written back as it was."""
    webhook = loaded(TEXT.replace("127.0.0.1:9321", written), tmp_path).webhook
    assert webhook is not None
    assert (webhook.host, webhook.listen) == (host, written)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('secret_file = "secret"\n', "", "webhook.secret_file: a listener needs a secret; make one with"),
        ('kind = "generic"\n', "", "webhook.kind: say who sends"),
        ("generic", "github", "webhook.header: github has a header of its own"),
        ("generic", "bitbucket", "webhook.kind"),
        ("127.0.0.1:9321", ":9321", "webhook.listen"),
        ("127.0.0.1:9321", "9321", "webhook.listen"),
        ("127.0.0.1:9321", "::1:9321", "webhook.listen"),
        ("127.0.0.1:9321", "127.0.0.1:99999", "webhook.listen: 99999 is no port"),
        ("X-Gitea-Signature", "X: Y", "webhook.header"),
        ("/specs/changed", "specs", "webhook.path"),
        ("header", "heather", "webhook.heather: there is no such setting; did you mean header?"),
    ],
)
def test_what_cannot_be_used_is_named(before: str, after: str, said: str, tmp_path: Path) -> None:
    """The start is refused with the setting's name, and with what to do."""
    with pytest.raises(SettingsInvalid) as refused:
        loaded(TEXT.replace(before, after, 1), tmp_path)
    assert said in str(refused.value)
