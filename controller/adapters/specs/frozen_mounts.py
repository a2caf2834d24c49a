"""Mounts that never change again: a ``subPath`` of a ConfigMap or Secret volume, which Kubernetes does not update."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError

MOUNTS = Path("/proc/self/mountinfo")

# Such a volume is published through links to a directory that is named by its time; a subPath is bound to what is behind them.
_BEHIND_THE_LINK = re.compile(r"/\.\.\d{4}_\d\d_\d\d_[^/]+(?:/|$)")
_OCTAL = re.compile(r"\\([0-7]{3})")


def frozen_mounts(mountinfo: str, path: str) -> list[str]:
    """The mounts at a path, above it or below it, that show one past content of a volume for ever, as ``/proc/self/mountinfo`` tells."""
    found = []
    asked = PurePosixPath(path)
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) < 5:
            continue
        source, point = (_OCTAL.sub(_character, text) for text in fields[3:5])
        place = PurePosixPath(point)
        if _BEHIND_THE_LINK.search(source) and (place.is_relative_to(asked) or asked.is_relative_to(place)):
            found.append(point)
    return found


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 8))


def frozen_warnings(path: Path) -> list[SpecError]:
    """A warning, if a directory holds such mounts or is one; none where the machine does not tell its mounts."""
    try:
        mountinfo = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        place = path.resolve()
    except (OSError, RuntimeError):
        return []
    points = sorted(frozen_mounts(mountinfo, str(place)))
    return [_warning(place, points)] if points else []


def _warning(root: Path, points: Sequence[str]) -> SpecError:
    first = Path(points[0])
    below = first.relative_to(root) if first.is_relative_to(root) else Path()
    others = f" (one of {len(points)})" if len(points) > 1 else ""
    message = (
        f"{first} is a subPath mount{others}, which never changes while the pod lives; mount the whole volume instead"
    )
    return SpecError(Origin(str(below), 1), "never-updated", message)
