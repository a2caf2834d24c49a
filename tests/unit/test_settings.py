"""Settings: what wins over what, and what is said about what cannot be used."""

from datetime import timedelta
from pathlib import Path

import pytest

from controller.errors import SettingsInvalid
from controller.settings import load_settings, show

TEXT = """
store = "sqlite:///var/lib/mainspring/state.db"
[specs]
path = "from-file"
poll = "1m30s"
[platforms.default]
kind = "embedded"
base_url = "http://127.0.0.1:8000/"
organization_id = "org_demo"
token_file = "token"
settle = "3s"
request_timeout = "9s"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file with everything in it."""
    path = tmp_path / "mainspring.toml"
    path.write_text(TEXT)
    return path


def test_a_file_is_read_whole(file: Path) -> None:
    """Durations, paths and the platform's own numbers come from the file; what it leaves out is the profile's."""
    settings = load_settings({"config": str(file)}, {})
    profile = settings.profiles["default"]

    assert settings.store == Path("/var/lib/mainspring/state.db")
    assert settings.spec_poll == timedelta(seconds=90)
    assert settings.platforms["default"].base_url == "http://127.0.0.1:8000"
    assert (profile.settle, profile.write_timeout, profile.poll) == tuple(timedelta(seconds=n) for n in (3, 9, 1))


def test_flags_win_over_the_environment_and_that_over_the_file(file: Path) -> None:
    """Each is looked for in turn: flag, ``MAINSPRING_…``, file, default."""
    env = {"MAINSPRING_CONFIG": str(file), "MAINSPRING_SPECS": "from-environment", "MAINSPRING_LOG_FORMAT": "json"}

    assert load_settings({}, env).specs == Path("from-environment")
    assert load_settings({"specs": "from-flag"}, env).specs == Path("from-flag")
    assert load_settings({}, env).log_format == "json"
    assert load_settings({}, {"MAINSPRING_CONFIG": str(file)}).specs == Path("from-file")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("settle", "setle", "platforms.default.setle: there is no such setting; did you mean settle?"),
        ("[specs]", "[spec]", "spec: there is no such setting; did you mean specs?"),
        ('"3s"', '"3 parsecs"', "is no duration"),
        ("embedded", "airbite", "platforms.default.kind"),
        ("http://", "ftp://", "platforms.default.base_url"),
        ("http://127", "http://user:secret@127", "platforms.default.base_url"),
        ("sqlite://", "postgresql://", "is not supported"),
        ("[specs]", "[specs", "mainspring.toml"),
        ('token_file = "token"', 'token_file = "t"\ntoken_env = "T"', "not both"),
    ],
)
def test_what_cannot_be_used_is_named(file: Path, before: str, after: str, said: str) -> None:
    """A wrong setting is refused with its file, its name, and the nearest right one; secrets are never quoted."""
    file.write_text(TEXT.replace(before, after, 1))

    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"config": str(file)}, {})

    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_missing_file_is_an_error_only_if_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--config`` must exist; without it the working directory's file is read if it is there, else the demo's, else none."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsInvalid, match=r"nowhere\.toml"):
        load_settings({"config": "nowhere.toml"}, {})

    assert load_settings({}, {}).source is None
    (tmp_path / ".mainspring").mkdir()
    (tmp_path / ".mainspring" / "mainspring.toml").write_text(TEXT)
    assert load_settings({}, {}).source == Path(".mainspring/mainspring.toml")


def test_shown_settings_name_secrets_and_hold_none(file: Path) -> None:
    """``--print-settings`` shows where a token is read from, and plain values for everything else."""
    shown = show(load_settings({"config": str(file)}, {}))

    assert shown["platforms"]["default"]["token_file"] == "token"
    assert shown["platforms"]["default"]["profile"]["settle"] == "3s"
    assert shown["spec_poll"] == "90s"


def test_the_bounds_on_harm_are_settings(tmp_path: Path) -> None:
    """What is left out has its default; a share that is none, or a misspelt key, is refused by name."""
    path = tmp_path / "mainspring.toml"
    path.write_text("[safety]\nremoval_share = 0.5\nwrite_count = 40\n")
    limits = load_settings({"config": str(path)}, {}).safety
    assert (limits.removal_share, limits.removal_count, limits.write_count) == (0.5, 3, 40)
    assert limits.trigger_share is None
    path.write_text("[safety]\nremoval_share = 25\n")
    with pytest.raises(SettingsInvalid, match=r"safety\.removal_share: Input should be less than or equal to 1"):
        load_settings({"config": str(path)}, {})
    path.write_text("[safety]\nremoval_cuont = 5\n")
    with pytest.raises(SettingsInvalid, match=r"safety\.removal_cuont: .* did you mean removal_count"):
        load_settings({"config": str(path)}, {})
