"""Settings: flags, then environment, then a TOML file, then defaults, as one frozen value."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from controller.errors import SettingsInvalid
from controller.model.profile import PROFILES, PlatformProfile
from controller.model.safety import SafetyLimits

DEFAULT_FILES = (Path("mainspring.toml"), Path(".mainspring/mainspring.toml"))
"""Read without ``--config``, the first that exists: the working directory's own, else the one that a demo left there."""

DURATION_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


PORT_MAX = 65535


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """Where one platform is and how it is spoken to."""

    name: str
    kind: str
    base_url: str
    organization_id: str
    profile: PlatformProfile
    token_file: Path | None = None
    token_env: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where webhooks are taken, and how their sender proves itself; ``header`` is for ``generic`` only, empty = its default."""

    host: str
    port: int
    kind: str
    secret_file: Path
    header: str
    path: str

    @property
    def listen(self) -> str:
        """Host and port as they are written in the settings."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class GitSettings:
    """The repository that the specs are read from; ``specs`` is the directory in it. What fits together is checked where it is used."""

    url: str
    ref: str = ""
    token_file: Path | None = None
    username: str | None = None
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    ca_file: Path | None = None
    verify: Literal["off", "ssh", "gpg"] = "off"
    allowed_signers_file: Path | None = None
    keyring_file: Path | None = None
    fast_forward_only: bool = False
    allow_local: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process. ``source`` is the file that they came from, if one did.

    ``allow_resets``: whether a ``SyncRequest`` may clear destination data.
    """

    store: Path = Path(".mainspring/state.db")
    log_format: str = "auto"
    specs: Path = Path("specs")
    spec_poll: timedelta = timedelta(seconds=30)
    platforms: Mapping[str, PlatformSettings] = field(default_factory=dict)
    webhook: WebhookSettings | None = None
    observe: bool = False
    safety: SafetyLimits = field(default_factory=SafetyLimits)
    confirmed_revision: str = ""
    allow_resets: bool = False
    source: Path | None = None
    git: GitSettings | None = None

    @property
    def specs_label(self) -> str:
        """Where the specs are read from, for people; no user of an address is shown."""
        if self.git is None:
            return str(self.specs)
        address = _without_user(self.git.url)
        ref = self.git.ref or "HEAD"
        return f"{address} ({ref})" if self.specs == Path() else f"{address} ({ref}, {self.specs})"

    @property
    def profiles(self) -> dict[str, PlatformProfile]:
        """The profile of each platform by name."""
        return {name: platform.profile for name, platform in self.platforms.items()}


def _without_user(address: str) -> str:
    """An address of a repository as people see it: what stands before the host may be a token."""
    return re.sub(r"^((?:[a-z]+://)?)[^/@]*@", r"\1", address, flags=re.IGNORECASE)


def _duration(value: object) -> object:
    """Read ``90s``, ``1h30m`` or a number of seconds."""
    if not isinstance(value, str):
        return value
    rest, total = value.strip(), 0.0
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        number, tail = rest[:digits], rest[digits:]
        unit = next((unit for unit in ("ms", *DURATION_UNITS) if tail.startswith(unit)), None)
        if not number or unit is None:
            raise ValueError(f'"{value}" is no duration; write it like "90s", "5m" or "1h30m"')
        total += float(number) * DURATION_UNITS[unit]
        rest = tail[len(unit) :]
    return timedelta(seconds=total)


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_password(value: object) -> object:
    # Here, so that no message and no --print-settings ever shows it.
    if isinstance(value, str) and re.match(r"[^/]*://[^/@]*:[^/@]*@|[^/:@]*:[^/@:]*@", value):
        raise ValueError("the address holds a password; put it into a file and name that as specs.token_file")
    return value


class _Specs(_Strict):
    path: Path = Path("specs")
    poll: Duration = timedelta(seconds=30)
    git: Annotated[str, BeforeValidator(_without_password), Field(min_length=1)] | None = None
    ref: str | None = None
    token_file: Path | None = None
    username: str | None = None
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    ca_file: Path | None = None
    verify: Literal["off", "ssh", "gpg"] | None = None
    allowed_signers_file: Path | None = None
    keyring_file: Path | None = None
    fast_forward_only: bool | None = None
    allow_local: bool | None = None


class _Webhook(_Strict):
    listen: str = Field(default="", pattern=r"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5})?$")
    kind: Literal["github", "gitlab", "generic"] | None = None
    secret_file: Path | None = None
    header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    path: str = Field(default="/hook", pattern=r"^/[A-Za-z0-9/._~-]*$")


class _Platform(_Strict):
    kind: Literal["aitronos", "embedded"]
    base_url: str = Field(pattern=r"^https?://[^@/?#]+(/[^?#]*)?$")
    organization_id: str = Field(min_length=1)
    token_file: Path | None = None
    token_env: str | None = None
    poll: Duration | None = None
    quiet_poll: Duration | None = None
    active_poll_max: Duration | None = None
    view_age_max: Duration | None = None
    settle: Duration | None = None
    request_timeout: Duration | None = None
    read_timeout: Duration | None = None
    min_interval: Duration | None = None
    min_gap: Duration | None = None
    page_size: int | None = Field(default=None, ge=1, le=1000)
    requests_per_minute: int | None = Field(default=None, ge=1)
    requests_per_day: int | None = Field(default=None, ge=1)
    write_concurrency: int | None = Field(default=None, ge=1, le=100)
    clock_tolerance: Duration | None = None


_LIMITS = SafetyLimits()


class _Safety(_Strict):
    removal_share: float = Field(default=_LIMITS.removal_share, ge=0, le=1)
    removal_count: int = Field(default=_LIMITS.removal_count, ge=1)
    write_count: int = Field(default=_LIMITS.write_count, ge=1)
    write_share: float = Field(default=_LIMITS.write_share, ge=0, le=1)
    trigger_count: int = Field(default=_LIMITS.trigger_count, ge=1)
    trigger_share: float | None = Field(default=None, gt=0, le=1)
    allow_resets: bool = False


class _File(_Strict):
    store: str = ".mainspring/state.db"
    log_format: Literal["auto", "json", "console"] = "auto"
    specs: _Specs = _Specs()
    safety: _Safety = _Safety()
    platforms: dict[str, _Platform] = Field(default_factory=dict)
    webhook: _Webhook = _Webhook()


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    ``flags`` may hold ``config``, ``store``, ``specs``, ``git``, ``ref``, ``path``, ``log_format`` and ``spec_poll``; None means not
    given.

    Raises:
        SettingsInvalid: a file, variable or flag cannot be used; the text names it.
    """
    env = os.environ if environment is None else environment
    path = _config_path(flags.get("config") or env.get("MAINSPRING_CONFIG"))
    raw = _read(path) if path is not None else {}
    for name in ("store", "log_format"):
        value = flags.get(name) or env.get(f"MAINSPRING_{name.upper()}")
        if value:
            raw[name] = value
    _take_specs(raw, flags, env)
    try:
        parsed = _File.model_validate(raw)
    except ValidationError as error:
        raise SettingsInvalid(f"{path or 'settings'}: {_first_problem(error)}") from error
    return Settings(
        store=_store_path(parsed.store),
        log_format=parsed.log_format,
        specs=parsed.specs.path,
        spec_poll=parsed.specs.poll,
        platforms={name: _platform(name, row) for name, row in parsed.platforms.items()},
        safety=SafetyLimits(**parsed.safety.model_dump(exclude={"allow_resets"})),
        webhook=_webhook(parsed.webhook),
        source=path,
        git=_git(parsed.specs),
        allow_resets=parsed.safety.allow_resets,
    )


def _take_specs(raw: dict[str, Any], flags: Mapping[str, str | None], env: Mapping[str, str]) -> None:
    """Where specs come from: what says it last, of the file, the environment and the flags, says whether that is a directory or Git."""
    named = ("git", "ref", "path")
    from_env = {name: env.get(f"MAINSPRING_SPECS_{name.upper()}") for name in named}
    levels = (
        ("MAINSPRING_SPECS", env.get("MAINSPRING_SPECS"), {**from_env, "poll": env.get("MAINSPRING_SPEC_POLL")}),
        ("--specs", flags.get("specs"), {**{n: flags.get(n) for n in named}, "poll": flags.get("spec_poll")}),
    )
    table = raw.setdefault("specs", {})
    for name, directory, given in levels:
        if directory and (given["git"] or given["path"]):
            raise SettingsInvalid(
                f"{name} is a directory on this machine; give that, or a Git repository and a path in it"
            )
        if isinstance(table, dict):
            table.update({key: value for key, value in given.items() if value})
            if directory:
                for key in _Specs.model_fields.keys() - {"path", "poll"}:
                    table.pop(key, None)
                table["path"] = directory


def _git(row: _Specs) -> GitSettings | None:
    given = row.model_dump(exclude_none=True, exclude={"path", "poll", "git"})
    if row.git is not None:
        return GitSettings(row.git, **given)
    if given:
        raise SettingsInvalid(
            f"specs.{next(iter(given))}: only specs that come from Git have it; name the repository as specs.git"
        )
    return None


def _first_problem(error: ValidationError) -> str:
    """The first thing wrong, with the nearest known key for one that is not known."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] != "extra_forbidden":
        return f"{'.'.join(where)}: {first['msg']}"
    models: dict[str, type[_Strict]] = {
        "specs": _Specs,
        "platforms": _Platform,
        "safety": _Safety,
        "webhook": _Webhook,
    }
    model = models.get(where[0], _File) if len(where) > 1 else _File
    near = get_close_matches(where[-1], model.model_fields, n=1)
    return f"{'.'.join(where)}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _config_path(given: str | None) -> Path | None:
    if given is not None:
        return Path(given)
    return next((path for path in DEFAULT_FILES if path.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{path}: {error.strerror}; name an existing file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: {error}") from error


def _store_path(url: str) -> Path:
    prefix = "sqlite://"
    if url.startswith(prefix + "/"):
        return Path("/" + url[len(prefix) :].lstrip("/"))
    if "://" in url:
        raise SettingsInvalid(f"store: {url.split('://', maxsplit=1)[0]}:// is not supported; write sqlite:///PATH")
    return Path(url)


def _platform(name: str, row: _Platform) -> PlatformSettings:
    if row.token_file is not None and row.token_env is not None:
        raise SettingsInvalid(f"platforms.{name}: give token_file or token_env, not both")
    known = {f.name for f in fields(PlatformProfile)}
    given = {key: value for key, value in row.model_dump(exclude_none=True).items() if key in known}
    if row.request_timeout is not None:
        given["write_timeout"] = row.request_timeout
    profile = replace(PROFILES[row.kind], **given)
    return PlatformSettings(
        name, row.kind, row.base_url.rstrip("/"), row.organization_id, profile, row.token_file, row.token_env
    )


def _webhook(row: _Webhook) -> WebhookSettings | None:
    """None where nothing listens; a listener without a secret would let anybody ask for fetches."""
    if not row.listen:
        return None
    if row.kind is None:
        raise SettingsInvalid("webhook.kind: say who sends: github, gitlab or generic")
    if row.secret_file is None:
        raise SettingsInvalid(
            "webhook.secret_file: a listener needs a secret; make one with `openssl rand -hex 32`, give it to the sender, and name its file"
        )
    if row.header and row.kind != "generic":
        raise SettingsInvalid(f"webhook.header: {row.kind} has a header of its own; only generic takes another")
    host, _, port = row.listen.rpartition(":")
    if int(port) > PORT_MAX:
        raise SettingsInvalid(f"webhook.listen: {port} is no port")
    return WebhookSettings(host.strip("[]"), int(port), row.kind, row.secret_file, row.header, row.path)


def show(settings: Settings) -> dict[str, Any]:
    """The settings as plain values for ``--print-settings``; they hold names of secrets, never secrets."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, timedelta):
            return f"{value.total_seconds():g}s"
        return str(value) if isinstance(value, Path) else value

    rows = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name not in ("platforms", "safety")}
    rows["safety"] = asdict(settings.safety)
    rows["webhook"] = asdict(settings.webhook) if settings.webhook is not None else None
    git = settings.git
    rows["git"] = None if git is None else {**asdict(git), "url": _without_user(git.url)}
    rows["platforms"] = {name: asdict(platform) for name, platform in settings.platforms.items()}
    return {key: plain(value) for key, value in rows.items()}
