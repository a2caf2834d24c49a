"""Volumes that Kubernetes never updates are told from those that it does."""

import asyncio
from pathlib import Path

import pytest

from controller.adapters.specs import frozen_mounts as module
from controller.adapters.specs.directory import DirectorySpecSource
from controller.adapters.specs.frozen_mounts import frozen_mounts
from tests.fakes.spec_source import schedule_text

VOLUME = "/var/lib/kubelet/pods/0b1c/volumes/kubernetes.io~configmap/specs"
LINE = "{n} 1 8:1 {source} {point} ro,relatime - ext4 /dev/sda1 rw\n"


def mounts(*pairs: tuple[str, str]) -> str:
    """A mount table with a root and these mounts, each from a source at a point."""
    rows = (("/", "/"), ("/", "/proc"), *pairs)
    return "".join(LINE.format(n=n, source=source, point=point) for n, (source, point) in enumerate(rows))


@pytest.mark.parametrize(
    ("source", "point", "asked", "is_frozen"),
    [
        (VOLUME, "/specs", "/specs", False),
        (f"{VOLUME}/..2026_01_02_03_04_05.123456", "/specs", "/specs", True),
        (f"{VOLUME}/..2026_01_02_03_04_05.123456/team", "/specs", "/specs", True),
        (f"{VOLUME}/..2026_01_02_03_04_05.123456/a.yaml", "/specs/a.yaml", "/specs", True),
        ("/..2026_01_02_03_04_05.123456/a.yaml", "/specs/a.yaml", "/specs", True),
        (f"{VOLUME}/..2026_01_02_03_04_05.123456", "/specs", "/specs/team", True),
        (f"{VOLUME}/..2026_01_02_03_04_05.123456", "/specs", "/specs-of-others", False),
        (f"{VOLUME}/..2026_01_02_03_04_05.123456", "/etc/other", "/specs", False),
        ("/home/..2026/specs", "/specs", "/specs", False),
        (f"{VOLUME}/..2026_01_02_03_04_05.1/a.yaml", r"/my\040specs/a.yaml", "/my specs", True),
    ],
)
def test_only_what_lies_behind_the_link_of_a_volume_is_frozen(
    source: str, point: str, asked: str, *, is_frozen: bool
) -> None:
    """A whole volume follows its link; a subPath was bound to what the link led to at the start."""
    assert frozen_mounts(mounts((source, point)), asked) == ([point.replace(r"\040", " ")] if is_frozen else [])


def test_a_frozen_mount_is_a_warning_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files are mounted so, there is one warning, at the first of them."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text(schedule_text("a"))
    source = DirectorySpecSource(tmp_path / "specs", None)
    table = tmp_path / "mountinfo"
    monkeypatch.setattr(module, "MOUNTS", table)
    assert asyncio.run(source.fetch()).warnings == ()
    behind = f"{VOLUME}/..2026_01_02_03_04_05.1"
    table.write_text(mounts(*((f"{behind}/{name}", f"{tmp_path}/specs/{name}") for name in ("b.yaml", "a.yaml"))))
    (warning,) = asyncio.run(source.fetch()).warnings
    assert (warning.origin.path, warning.code) == ("a.yaml", "never-updated")
    assert "(one of 2), which never changes" in warning.message
