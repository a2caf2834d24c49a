"""The mirror on our disk: private, shared by processes one at a time, mended when it is damaged, and bounded."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.specs.git import mirror as module
from controller.adapters.specs.git.mirror import Mirror
from controller.adapters.specs.git.source import GitSpecSource
from controller.errors import SpecSourceUnavailable
from tests.fakes.spec_source import schedule_text
from tests.unit.adapters.specs.git.repositories import Repository, fetch, options_for, repository, source_of


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A repository with some specs on its main branch, enough of them to come as a pack."""
    made = repository(tmp_path / "origin")
    made.publish({f"{n}.yaml": schedule_text(f"s{n}") for n in range(120)})
    return made


def mirror_of(origin: Repository) -> Path:
    """Where the one mirror is."""
    (found,) = [path for path in (origin.path.parent / "mirrors").iterdir() if path.is_dir()]
    return found


def packs(mirror: Path) -> list[Path]:
    """The packs of a mirror."""
    return sorted(mirror.glob("objects/pack/*.pack"))


def test_the_mirror_is_bare_and_ours_alone(origin: Repository) -> None:
    """Nobody else of this machine reads it, and no file of the repository ever stands anywhere."""
    fetch(source_of(origin))
    folder = origin.path.parent / "mirrors"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, mirror_of(origin))] == [0o700, 0o700]
    assert list(folder.rglob("*.yaml")) == []
    assert not (mirror_of(origin) / "hooks").exists()


def truncate_pack(mirror: Path) -> None:
    """Lose the second half of the pack."""
    for pack in packs(mirror):
        pack.chmod(0o600)
        os.truncate(pack, pack.stat().st_size // 2)


def break_pack(mirror: Path) -> None:
    """Overwrite the middle of the pack."""
    for pack in packs(mirror):
        pack.chmod(0o600)
        with pack.open("r+b") as file:
            file.seek(pack.stat().st_size // 3)
            file.write(b"\xff" * (pack.stat().st_size // 2))


def lose_packs(mirror: Path) -> None:
    """Lose every pack."""
    for pack in packs(mirror):
        pack.unlink()


def empty_objects(mirror: Path) -> None:
    """Unpack everything, and then lose what every object holds, as a power cut can."""
    (pack,) = packs(mirror)
    moved = pack.rename(mirror / "moved.pack")
    shutil.rmtree(pack.parent)
    with moved.open("rb") as file:
        subprocess.run(["git", f"--git-dir={mirror}", "unpack-objects", "-q"], stdin=file, check=True)
    for path in mirror.glob("objects/??/*"):
        path.chmod(0o600)
        path.write_bytes(b"")


def replace_by_file(mirror: Path) -> None:
    """Put a file where the mirror was."""
    shutil.rmtree(mirror)
    mirror.write_text("x")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated pack": truncate_pack,
    "broken pack": break_pack,
    "no packs": lose_packs,
    "empty objects": empty_objects,
    "no HEAD": lambda mirror: (mirror / "HEAD").unlink(),
    "empty HEAD": lambda mirror: (mirror / "HEAD").write_bytes(b""),
    "no config": lambda mirror: (mirror / "config").write_text("[core\n"),
    "no objects": lambda mirror: shutil.rmtree(mirror / "objects"),
    "empty ref": lambda mirror: (mirror / "refs/mainspring/head").write_bytes(b""),
    "wrong ref": lambda mirror: (mirror / "refs/mainspring/head").write_text("1" * 40 + "\n"),
    "broken shallow": lambda mirror: (mirror / "shallow").write_text("nonsense\n"),
    "a file": replace_by_file,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_mirror_is_cloned_anew(origin: Repository, damage: str) -> None:
    """Whatever is broken, the next new revision is read whole, by a running source and by a new one."""
    reader = source_of(origin)
    fetch(reader)
    DAMAGES[damage](mirror_of(origin))
    origin.change({"new.yaml": schedule_text("new")})
    expected = f"main@sha1:{origin.head()}"
    for each in (source_of(origin), reader):
        tree = fetch(each)
        assert (tree.revision, len(tree.specs), tree.errors) == (expected, 121, ())


def test_damage_behind_an_unchanged_ref_is_seen_by_who_reads_it(origin: Repository) -> None:
    """A new process finds the mirror at the right commit and its contents gone."""
    first = fetch(source_of(origin))
    truncate_pack(mirror_of(origin))
    assert fetch(source_of(origin)) == first


def test_locks_that_a_killed_git_left_are_in_nobodys_way(origin: Repository) -> None:
    """We hold a lock of our own, so no other command can be at work; what it left is swept out, unfinished packs too."""
    fetch(source_of(origin))
    mirror = mirror_of(origin)
    left = [mirror / name for name in ("shallow.lock", "index.lock", "packed-refs.lock", "HEAD.lock", "config.lock")]
    left += [mirror / "refs/mainspring/head.lock", mirror / "objects/pack/tmp_pack_x", mirror / "objects/info/x.lock"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (mirror / "kept").touch()
    origin.change({"new.yaml": schedule_text("new")})
    assert len(fetch(source_of(origin)).specs) == 121
    assert [path for path in left if path.exists()] == []
    assert (mirror / "kept").exists()


def test_a_mirror_that_cannot_be_mended_is_told(origin: Repository, tmp_path: Path) -> None:
    """Where nothing can be written the failure says where."""
    (tmp_path / "mirrors").write_text("a file")
    with pytest.raises(SpecSourceUnavailable, match=r"the mirror in .*mirrors cannot be used"):
        fetch(source_of(origin))


def test_who_waits_for_the_mirror_says_so(origin: Repository) -> None:
    """Two processes take turns; who waits too long tells what for, and is served when the other one is done."""
    reader = source_of(origin, seconds_max=0.5)
    fetch(reader)
    origin.change({"new.yaml": schedule_text("new")})

    async def main() -> None:
        async with Mirror(mirror_of(origin), SystemClock()).locked():
            with pytest.raises(SpecSourceUnavailable, match="while waiting for another process"):
                await reader.fetch()
        assert len((await GitSpecSource(options_for(origin), None, SystemClock()).fetch()).specs) == 121

    asyncio.run(main())


READER = """
import sys
from pathlib import Path
from tests.unit.adapters.specs.git.repositories import Repository, fetch, source_of
print(len(fetch(source_of(Repository(Path(sys.argv[1])))).specs))
"""


def test_processes_share_one_mirror(origin: Repository) -> None:
    """Several that begin at once all read the whole revision, on a mirror that none of them had."""
    command = [sys.executable, "-c", READER, str(origin.path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in started] == ["120"] * 3


def test_a_kill_in_mid_fetch_costs_one_fetch(origin: Repository) -> None:
    """Git is killed at a chance moment of each of several fetches; the next whole fetch finds nothing in its way."""
    reader = source_of(origin)
    fetch(reader)
    for n in range(6):
        origin.change({f"{each}.yaml": schedule_text(f"s{each}", every=f"{n + 7}h") for each in range(110)})
        with_limit = source_of(origin, seconds_max=0.01 + 0.015 * n)
        try:
            fetch(with_limit)
        except SpecSourceUnavailable as error:
            assert "no answer within" in str(error)  # noqa: PT017  it may also have been fast enough
    tree = fetch(reader)
    assert (tree.revision, len(tree.specs)) == (f"main@sha1:{origin.head()}", 120)
    assert {spec.entries[0].text for spec in tree.specs} == {"6h", "12h"}
    assert list(mirror_of(origin).rglob("tmp_*")) == []


def test_the_lock_lives_as_long_as_the_command_it_protects(origin: Repository, tmp_path: Path) -> None:
    """When we are killed and git is not, nobody else takes the mirror from under it."""
    fetch(source_of(origin))
    place = Mirror(mirror_of(origin), SystemClock())
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from controller.adapters.clock import SystemClock\n"
        "from controller.adapters.specs.git.mirror import Mirror\n"
        "async def main():\n"
        "    async with Mirror(Path(sys.argv[1]), SystemClock()).locked() as ours:\n"
        "        asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGKILL)\n"
        "        await ours.git.run('hash-object', '--', sys.argv[2])\n"
        "asyncio.run(main())\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(place.directory), str(pipe)], check=False)
    assert killed.returncode == -signal.SIGKILL
    handle = os.open(place.directory.with_suffix(".lock"), os.O_RDWR)
    assert not module._lock(handle)
    # Git ends when its input does; then the lock is free.
    with pipe.open("wb"):
        pass

    async def taken() -> bool:
        async with asyncio.timeout(20), replace(place).locked():
            return True

    assert asyncio.run(taken())
    os.close(handle)


def test_the_mirror_does_not_grow_for_ever(origin: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once there is much that no revision needs, a poll that finds nothing new throws it away; a busy branch does not wait for one."""
    monkeypatch.setattr(module, "PACKS_MAX", 2)
    reader = source_of(origin)
    counts = []
    for n in range(12):
        origin.change({"0.yaml": schedule_text("s0", every=f"{n + 7}h")})
        fetch(reader)
        counts.append(len(packs(mirror_of(origin))))
    assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]
    last = fetch(reader)
    assert len(packs(mirror_of(origin))) == 1
    assert fetch(source_of(origin)) == last
