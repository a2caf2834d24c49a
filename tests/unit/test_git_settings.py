"""Settings of the spec source: a directory or a repository, whichever was said last, and never half of each."""

import io
import json
from pathlib import Path

import pytest

from controller.adapters.specs.directory import DirectorySpecSource
from controller.adapters.specs.git.source import GitSpecSource
from controller.bootstrap.sources import source_secrets, spec_source_of
from controller.bootstrap.wiring import Output, build_world
from controller.errors import SettingsInvalid
from controller.model.event import Event, EventName
from controller.settings import GitSettings, load_settings, show

FILE = """
store = "state/state.db"
[specs]
git = "https://bob@git.example/team/syncs.git"
ref = "release"
path = "from-file"
token_file = "git-token"
fast_forward_only = true
poll = "45s"
[platforms.default]
kind = "embedded"
base_url = "http://127.0.0.1:8000/"
organization_id = "org_demo"
token_file = "token"
"""
URL = "https://git.example/other.git"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file whose specs come from Git."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mainspring.toml"
    path.write_text(FILE)
    return path


def test_a_file_names_a_repository(file: Path) -> None:
    """Every key of it arrives, and the source is a Git one."""
    settings = load_settings({}, {})
    assert settings.git == GitSettings(
        "https://bob@git.example/team/syncs.git", "release", Path("git-token"), fast_forward_only=True
    )
    assert settings.specs == Path("from-file")
    assert settings.specs_label == "https://git.example/team/syncs.git (release, from-file)"
    assert isinstance(spec_source_of(settings, None), GitSpecSource)


def test_flags_win_over_the_environment_and_that_over_the_file(file: Path) -> None:
    """Each of the three values is looked for by itself."""
    env = {"MAINSPRING_SPECS_GIT": URL, "MAINSPRING_SPECS_REF": "v1", "MAINSPRING_SPECS_PATH": "from-env"}
    by_env, by_flag = load_settings({}, env), load_settings({"ref": "v2", "path": "."}, env)
    assert (by_env.git.url if by_env.git else "", by_env.specs) == (URL, Path("from-env"))
    assert by_flag.git is not None
    assert (by_flag.git.ref, by_flag.specs, by_flag.specs_label) == ("v2", Path(), f"{URL} (v2)")


def test_a_directory_that_is_said_later_takes_the_place_of_a_repository(file: Path) -> None:
    """Nothing of the repository is left, and what is no part of it stays."""
    for flags, env in (({"specs": "here"}, {}), ({}, {"MAINSPRING_SPECS": "here"})):
        settings = load_settings(flags, env)
        assert (settings.git, settings.specs, settings.spec_poll.total_seconds()) == (None, Path("here"), 45)
        assert isinstance(spec_source_of(settings, None), DirectorySpecSource)
    assert load_settings({"specs": "here"}, {"MAINSPRING_SPECS_GIT": URL}).git is None
    flagged = load_settings({"git": URL, "path": "there"}, {"MAINSPRING_SPECS": "here"})
    assert (flagged.git, flagged.specs) == (GitSettings(URL), Path("there"))


@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        ({"specs": "here", "git": URL}, {}, "--specs is a directory"),
        ({"specs": "here", "path": "there"}, {}, "--specs is a directory"),
        ({}, {"MAINSPRING_SPECS": "here", "MAINSPRING_SPECS_GIT": URL}, "MAINSPRING_SPECS is a directory"),
        ({"git": "https://bob:canary@git.example/x"}, {}, r"specs\.git: .*token_file"),
        ({"git": "bob:canary@git.example:x"}, {}, r"specs\.git: .*token_file"),
    ],
)
def test_what_contradicts_itself_is_refused(
    file: Path, flags: dict[str, str | None], env: dict[str, str], said: str
) -> None:
    """Two sources on one level, and a password in an address, which is not repeated."""
    with pytest.raises(SettingsInvalid, match=said) as refused:
        load_settings(flags, env)
    assert "canary" not in str(refused.value)


def test_what_only_a_repository_has_needs_one(file: Path) -> None:
    """A branch of a directory is a mistake, and a wrong key has the nearest right one beside it."""
    file.write_text(FILE.replace('git = "https://bob@git.example/team/syncs.git"\n', ""))
    with pytest.raises(SettingsInvalid, match=r"specs\.ref: only specs that come from Git have it"):
        load_settings({}, {})
    file.write_text(FILE.replace("token_file", "tokenfile", 1))
    with pytest.raises(SettingsInvalid, match=r"specs\.tokenfile: there is no such setting; did you mean token_file\?"):
        load_settings({}, {})


def test_an_address_that_cannot_be_used_is_a_setting_that_cannot(file: Path) -> None:
    """The start is refused with the name of the setting."""
    for flags, said in (
        ({"git": "ext::sh"}, r"specs\.git"),
        ({"ref": "--x"}, r"specs\.ref"),
        ({"path": "../x"}, "path"),
    ):
        with pytest.raises(SettingsInvalid, match=said):
            spec_source_of(load_settings(flags, {}), None)


def test_shown_settings_hold_no_secret(file: Path) -> None:
    """``--print-settings`` shows where the token is, and plain values."""
    shown = show(load_settings({}, {}))
    assert (shown["git"]["token_file"], shown["git"]["verify"]) == ("git-token", "off")
    assert shown["git"]["url"] == "https://git.example/team/syncs.git"
    assert "bob" not in json.dumps(shown)


def test_the_tokens_of_source_and_platform_are_struck_out_of_every_event(file: Path) -> None:
    """As they are now, in every form in which they can come back."""
    settings = load_settings({}, {})
    assert source_secrets(settings) == ()
    Path("git-token").write_text("canary-4f1d8e")
    assert "canary-4f1d8e" in source_secrets(settings)
    output = io.StringIO()
    Path("token").write_text("sparrow-77a0c2")
    world = build_world(settings, Output(output), acting=False)
    fields = {"message": "the remote said canary-4f1d8e and sparrow-77a0c2", "revision": ""}
    world.telemetry.emit(Event(EventName.SPEC_SOURCE_FAILED, world.clock.now(), fields))
    assert "the remote said" in output.getvalue()
    assert "canary" not in output.getvalue()
    assert "sparrow" not in output.getvalue()
    people = io.StringIO()
    build_world(settings, Output(people, lambda event: str(event.fields["message"])), acting=False).telemetry.emit(
        Event(EventName.SPEC_SOURCE_FAILED, world.clock.now(), fields)
    )
    assert "the remote said" in people.getvalue()
    assert "canary" not in people.getvalue()
    assert "sparrow" not in people.getvalue()
    assert world.specs_label == settings.specs_label
