"""Where specs come from: a directory, or a Git repository with its mirror beside the store."""

from collections.abc import Mapping
from dataclasses import asdict

from controller.adapters.clock import SystemClock
from controller.adapters.platforms.credentials import Secret
from controller.adapters.specs.directory import DirectorySpecSource
from controller.adapters.specs.git.command import GitFailed
from controller.adapters.specs.git.login import read_token
from controller.adapters.specs.git.place import GitOptions, Verify
from controller.adapters.specs.git.source import GitSpecSource
from controller.model.profile import PlatformProfile
from controller.ports.spec_source import SpecSource
from controller.settings import Settings


def spec_source_of(settings: Settings, profiles: Mapping[str, PlatformProfile] | None) -> SpecSource:
    """The source that the settings name; without ``profiles`` the names of platforms are not checked.

    Raises:
        SettingsInvalid: what is set of a repository cannot be used, or contradicts itself.
    """
    if settings.git is None:
        return DirectorySpecSource(settings.specs, profiles)
    given = asdict(settings.git)
    verify = Verify(given.pop("verify"))
    options = GitOptions(
        mirrors=settings.store.absolute().parent / "git", path=str(settings.specs), verify=verify, **given
    )
    return GitSpecSource(options, profiles, SystemClock())


def source_secrets(settings: Settings) -> tuple[str, ...]:
    """What of the source must never be written, as it is now; a token that cannot be read cannot leak."""
    if settings.git is None or settings.git.token_file is None:
        return ()
    try:
        return Secret(read_token(settings.git.token_file)).forms()
    except GitFailed:
        return ()
