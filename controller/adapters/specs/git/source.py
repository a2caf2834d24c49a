"""Specs from a Git repository: one question to the remote for each poll, and only what is new is read."""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from controller.adapters.specs.git.command import Git, GitFailed
from controller.adapters.specs.git.lineage import check_lineage, commit_of
from controller.adapters.specs.git.listing import Listed, list_tree, tree_of
from controller.adapters.specs.git.login import Login, login_of
from controller.adapters.specs.git.mirror import Mirror, mirror_of
from controller.adapters.specs.git.objects import read_blobs, resolve_commit
from controller.adapters.specs.git.place import GitOptions, place_of
from controller.adapters.specs.git.refs import Tip, find_tip
from controller.adapters.specs.git.signatures import Signers
from controller.adapters.specs.git.troubles import RemoteFailed, is_damage, told_of_remote
from controller.adapters.specs.tree import TreeReader
from controller.errors import SpecSourceUnavailable
from controller.model.profile import PlatformProfile
from controller.ports.clock import Clock
from controller.ports.spec_source import SpecTree

_USERINFO = re.compile(r"(?<=//)[^/@\s']*@")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The revision that was read last, and what it was accepted by: the keys of signers, and the revision that was in force."""

    tip: Tip
    stamp: bytes
    applied: str
    listed: Listed
    tree: SpecTree


class GitSpecSource:
    """One directory of one ref of a repository; nothing is ever checked out, and nothing in the repository is run or followed."""

    def __init__(
        self,
        options: GitOptions,
        platforms: Mapping[str, PlatformProfile] | None,
        clock: Clock,
    ) -> None:
        """Check the options.

        Raises:
            SettingsInvalid: they cannot be used.
        """
        self._place = place_of(options)
        self._options = options
        self._clock = clock
        self._reader = TreeReader(platforms)
        keys_file = options.allowed_signers_file or options.keyring_file
        self._signers = Signers(options.verify, keys_file, options.mirrors / "signers")
        self._accepted: Accepted | None = None
        self._is_untidy = True
        self._doing = ""

    async def fetch(self, applied: str = "") -> SpecTree:
        """Read the newest revision of the ref; while it stays the same, the same value.

        Raises:
            SpecSourceUnavailable: the remote cannot be asked, its revision is refused, or our mirror of it cannot be used.
        """
        login = Login()
        try:
            login = login_of(self._options, self._place)
            async with asyncio.timeout(self._options.seconds_max):
                return await self._fetch(login, applied)
        except TimeoutError:
            reason = f"no answer within {self._options.seconds_max:g} s while {self._doing}"
        except GitFailed as error:
            reason = login.blot(_USERINFO.sub("", str(error)))
        except OSError as error:
            reason = f"the mirror in {self._options.mirrors} cannot be used: {error.strerror}"
        except SpecSourceUnavailable as error:
            reason = login.blot(str(error))
        raise SpecSourceUnavailable(f"{self._place.shown}: {reason}")

    async def _fetch(self, login: Login, applied: str) -> SpecTree:
        remote = Git(
            configuration=login.configuration,
            environment=login.environment,
            transports=self._place.transport,
            seconds_max=self._options.seconds_max,
            secrets=login.secrets,
        )
        self._doing = "asking what the ref names"
        tip = await self._find_tip(remote)
        stamp = self._signers.stamp()
        mirror = mirror_of(self._place, tip, self._options.mirrors, self._clock)
        last = self._accepted
        if last is not None and self._still_holds(last, tip, stamp, applied):
            if self._is_untidy:
                await self._tidy(mirror)
            return last.tree
        self._doing = "waiting for another process that uses the mirror"
        async with mirror.locked() as ours:
            try:
                listed, tree = await self._read(ours, remote, tip, applied)
            except GitFailed as error:
                if not is_damage(error):
                    raise
                listed, tree = await self._read_anew(ours, remote, tip, applied, error)
            self._accepted = Accepted(tip, stamp, applied, listed, tree)
            self._is_untidy = not await _tidied(ours, at_once=True)
            return tree

    async def _find_tip(self, remote: Git) -> Tip:
        try:
            return await find_tip(remote, self._place.url, self._options.ref)
        except GitFailed as error:
            raise told_of_remote(error) or error from None

    def _still_holds(self, last: Accepted, tip: Tip, stamp: bytes, applied: str) -> bool:
        """Whether what was read last is the answer; all that it was accepted by must be as it was."""
        same_line = not self._options.fast_forward_only or applied == last.applied or commit_of(applied) == tip.commit
        return last.tip == tip and last.stamp == stamp and same_line

    async def _read_anew(
        self, mirror: Mirror, remote: Git, tip: Tip, applied: str, damage: GitFailed
    ) -> tuple[Listed, SpecTree]:
        """Read from a new mirror, because the old one is damaged; once, because then it is not the mirror."""
        mirror.discard()
        try:
            return await self._read(mirror, remote, tip, applied)
        except GitFailed as error:
            raise GitFailed(f"{error}; the mirror was damaged ({damage}), and a new one failed too") from None

    async def _read(self, mirror: Mirror, remote: Git, tip: Tip, applied: str) -> tuple[Listed, SpecTree]:
        await mirror.prepare(tip)
        needs_history = self._options.fast_forward_only
        if await mirror.fetched() != tip.oid or (needs_history and mirror.is_shallow):
            self._doing = "fetching"
            await mirror.download(remote, self._place, tip, history=needs_history)
        self._doing = "reading what was fetched"
        await _check_commit(mirror.git, tip)
        if needs_history:
            await check_lineage(mirror.git, applied, tip)
        await self._signers.check(mirror.git, tip)
        return await self._read_tree(mirror.git, tip)

    async def _read_tree(self, git: Git, tip: Tip) -> tuple[Listed, SpecTree]:
        oid = await tree_of(git, tip.commit, self._options.path)
        last = self._accepted
        if last is not None and last.listed.oid == oid:
            listed = replace(last.listed, since=oid, changed=())
        else:
            listed = await list_tree(git, oid, last.listed if last is not None else None)

        async def load(oids: Collection[str]) -> Mapping[str, bytes]:
            return await read_blobs(git, oids)

        tree = await self._reader.read_blobs(listed.names, load, revision=tip.revision, unreadable=listed.files.errors)
        alike = listed.collisions()
        return listed, replace(tree, warnings=tuple(sorted([*tree.warnings, *alike]))) if alike else tree

    async def _tidy(self, mirror: Mirror) -> None:
        self._doing = "tidying up the mirror"
        async with mirror.locked() as ours:
            await _tidied(ours, at_once=False)
        self._is_untidy = False


async def _check_commit(git: Git, tip: Tip) -> None:
    try:
        found = await resolve_commit(git, tip.oid)
    except GitFailed as error:
        if "expected commit type" not in error.complaint:
            raise
        found = ""
    if found != tip.commit:
        raise RemoteFailed(f"{tip.oid} is no commit, or not the one that the remote says it is")


async def _tidied(mirror: Mirror, *, at_once: bool) -> bool:
    """Tidy up; a mirror that cannot be tidied in reasonable time is thrown away, because fetching one commit again costs less."""
    try:
        return await mirror.tidy(at_once=at_once)
    except GitFailed:
        mirror.discard()
        return True
