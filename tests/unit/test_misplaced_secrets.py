"""A secret that somebody wrote where its file should be named: the start is refused, and the secret not repeated."""

from pathlib import Path

import pytest

from controller.bootstrap.wiring import open_platform
from controller.errors import SettingsInvalid
from controller.settings import load_settings

CANARY = "canary-2f60b1"
PLATFORM = '[platforms.default]\nkind = "embedded"\nbase_url = "http://127.0.0.1:9"\norganization_id = "o"\n'


@pytest.mark.parametrize(
    "text",
    [
        f'[specs]\ngit = "https://git.example/x"\ntoken = "{CANARY}"\n',
        f'[specs]\ngit = "https://bob:{CANARY}@git.example/x"\n',
        f'[specs]\ngit = "https://:{CANARY}@git.example/x"\n',
        f'{PLATFORM}token = "{CANARY}"\n',
        f'{PLATFORM}token_env = ["{CANARY}"]\n',
        PLATFORM.replace("127.0.0.1:9", f"bob:{CANARY}@127.0.0.1:9"),
        f'[webhook]\nlisten = "127.0.0.1:0"\nkind = "github"\nsecret = "{CANARY}"\n',
        f'[webhook]\nlisten = "{CANARY}"\n',
        f'[webhook]\nlisten = "127.0.0.1:0"\nkind = "{CANARY}"\n',
        f"[webhook]\nsecret_file = {CANARY}\n",
        f'[specs]\nverify = "{CANARY}"\n',
    ],
)
def test_a_setting_that_is_refused_is_not_quoted(tmp_path: Path, text: str) -> None:
    """The error says which one it is; it is written to logs and to the pod's termination message."""
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"config": str(path)}, {})
    assert CANARY not in str(refused.value)
    assert any(word in str(refused.value) for word in ("specs", "platforms", "webhook", "line"))


def test_a_token_in_the_place_of_a_variable_is_not_quoted(tmp_path: Path) -> None:
    """A name that can be one is told, because it is most likely only missing."""
    path = tmp_path / "settings.toml"
    for written, shown in ((CANARY, "that token_env names"), ("MAINSPRING_TEST_NONE", "MAINSPRING_TEST_NONE")):
        path.write_text(f'{PLATFORM}token_env = "{written}"\n')
        with pytest.raises(SettingsInvalid, match=f"the environment variable {shown} is not set") as refused:
            open_platform(load_settings({"config": str(path)}, {}).platforms["default"])
        assert CANARY not in str(refused.value)
