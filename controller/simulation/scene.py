"""What is simulated: specs, platforms, how long, and how much goes wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random

from controller.bootstrap import ASKED_WITHIN_SECONDS
from controller.model.profile import AITRONOS, PlatformProfile
from controller.simulation.faults import FaultKind, Severity
from controller.simulation.platforms.platform import Temper

START = datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scene:
    """One simulation before it has happened.

    Attributes:
        edits: what a file may be changed to for a while, by path and by the fault that does it; None deletes it.
        tempers: how jobs are, by platform and connection.
        longest_nap: seconds after which the controller looks around although nothing is due; what needs it would be a defect.
        controllers: one, or two over one store, of which one acts.
        forward_only: the spec source refuses what does not descend from the revision in force.
        lease: for how many seconds a controller holds a platform after it asked for it last; with several of them.
    """

    seed: str
    files: Mapping[str, bytes]
    profiles: Mapping[str, PlatformProfile]
    tempers: Mapping[str, Mapping[str, Temper]]
    days: float = 1.0
    severity: Severity = Severity.STANDARD
    start: datetime = START
    edits: Mapping[str, Mapping[FaultKind, bytes | None]] = field(default_factory=dict)
    longest_nap: float = 5.0
    controllers: int = 1
    lease: float = 15.0
    forward_only: bool = False

    @property
    def takeover(self) -> float:
        """Seconds after which one controller acts in the place of another: once the lease has run out and it has asked for it."""
        return self.lease + ASKED_WITHIN_SECONDS + 1 if self.controllers > 1 else 0.0

    @property
    def seconds(self) -> float:
        """How long faults may happen."""
        return self.days * 86400


_HEAD = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {{name: {name}}}\nspec:\n  connectionId: conn_{name}\n"

BEHAVIOURS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("overlap", ("Skip", "Queue", "Replace")),
    ("whenInDoubt", ("Retry", "Retry", "Skip")),
    ("jitter", ("", "", "2m")),
    ("minGap", ("", "1s", "3m")),
    ("catchUp", ("", "", "{policy: None}", "{window: 5m}", "{window: 2h}")),
    ("retry", ("", "{attempts: 2, backoff: 1m}")),
    ("windows", ("", "", "", '[{deny: {cron: "0 1 * * *", duration: 2h, reason: night}}]')),
    ("drift", ("", "", "{foreignJobs: Ignore}")),
)
"""Fields below ``spec`` and what they may say; an empty text leaves the default."""


ALIGNED = '  schedules:\n    - cron: "*/15 * * * *"\n'
BRIEF = Temper(20.0, 90.0, long_share=0.0, failed_share=0.02)

LEASES = (15.0, *(300.0,) * 7)
"""How long leases last, in seconds. They are renewed three times as often, and short ones would cost more than all the rest."""


def drawn_scene(
    seed: str,
    *,
    days: float = 1.0,
    severity: Severity = Severity.STANDARD,
    connections: int = 5,
    controllers: int = 1,
) -> Scene:
    """Connections with a slot about every quarter of an hour, each with a behaviour of its own."""
    chance = Random(f"{seed}/scene")
    files: dict[str, bytes] = {}
    edits: dict[str, dict[FaultKind, bytes | None]] = {}
    for number in range(connections):
        lines = _behaviour(chance, BEHAVIOURS)
        _add(files, edits, f"s{number}", _with_drift(seed, f"s{number}", lines), _calendar(chance), _calendar(chance))
    tempers = {"default": {f"conn_s{number}": _temper(chance) for number in range(connections)}}
    nap = chance.choice((5.0, 60.0, 600.0, 600.0))
    scene = Scene(seed, files, {"default": AITRONOS}, tempers, days, severity, edits=edits, longest_nap=nap)
    return _drawn(scene, controllers)


def aligned_scene(
    seed: str,
    *,
    connections: int = 5,
    days: float = 1.0,
    severity: Severity = Severity.STANDARD,
    controllers: int = 1,
) -> Scene:
    """Connections that all have their slots on the quarters of the hour, and short jobs: one listing serves them all."""
    chance = Random(f"{seed}/aligned")
    files: dict[str, bytes] = {}
    edits: dict[str, dict[FaultKind, bytes | None]] = {}
    for number in range(connections):
        lines = _behaviour(chance, [each for each in BEHAVIOURS if each[0] != "jitter"])
        _add(files, edits, f"s{number}", _with_drift(seed, f"s{number}", lines), ALIGNED, _calendar(chance))
    tempers = {"default": dict.fromkeys((f"conn_s{number}" for number in range(connections)), BRIEF)}
    scene = Scene(seed, files, {"default": AITRONOS}, tempers, days, severity, edits=edits, longest_nap=600.0)
    return _drawn(scene, controllers)


FORWARD_ONLY_SHARE = 0.4
"""How many of the scenes that the simulation wrote itself refuse what a force-push puts back."""


DRIFTS = ("", "", "Enforce", "Warn", "Ignore")
"""What specs say of drift; an empty text leaves the default."""


def _with_drift(seed: str, name: str, lines: str) -> str:
    """The lines of a spec with what is done about drift, which has a stream of chance of its own."""
    chance = Random(f"{seed}/drift/{name}")
    drawn = {field: chance.choice(DRIFTS) for field in ("platformSchedule", "connectionStatus")}
    said = ", ".join(f"{field}: {policy}" for field, policy in drawn.items() if policy)
    if not said:
        return lines
    if "  drift: {" in lines:
        return lines.replace("  drift: {", f"  drift: {{{said}, ")
    return f"{lines}  drift: {{{said}}}\n"


def _drawn(scene: Scene, controllers: int) -> Scene:
    """A scene with what is drawn last, each by a stream of chance of its own: what was drawn before stays as it was."""
    is_forward = Random(f"{scene.seed}/forward").random() < FORWARD_ONLY_SHARE
    return _with_leases(replace(scene, forward_only=is_forward), controllers)


def _with_leases(scene: Scene, controllers: int) -> Scene:
    """A scene with that many controllers; they look around often enough to keep their leases."""
    if controllers == 1:
        return scene
    lease = Random(f"{scene.seed}/lease").choice(LEASES)
    return replace(scene, controllers=controllers, lease=lease, longest_nap=min(scene.longest_nap, lease / 3))


def _behaviour(chance: Random, behaviours: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    return "".join(f"  {field}: {text}\n" for field, texts in behaviours if (text := chance.choice(texts)) != "")


def _add(
    files: dict[str, bytes],
    edits: dict[str, dict[FaultKind, bytes | None]],
    name: str,
    lines: str,
    calendar: str,
    other: str,
) -> None:
    """Write the spec of one connection, and what it may be changed to."""
    head, path = _HEAD.format(name=name), f"{name}.yaml"
    files[path] = (head + calendar + lines).encode()
    edits[path] = {
        FaultKind.SPEC_EDITED: (head + other + lines).encode(),
        FaultKind.SPEC_SUSPENDED: (head + calendar + lines + "  suspend: {reason: a rest}\n").encode(),
        FaultKind.SPEC_DELETED: None,
    }


def _calendar(chance: Random) -> str:
    minute = chance.randrange(15)
    kinds = (
        "    - every: 15m\n",
        f'    - cron: "{minute}-59/15 * * * *"\n',
        f'    - cron: "{minute}/15 * * * *"\n      timeZone: America/New_York\n',
        f'    - quartz: "{chance.randrange(60)} {minute}/15 * * * ?"\n',
        f"    - every: 15m\n      anchor: 2026-01-01T00:{minute:02}:30Z\n",
    )
    return "  schedules:\n" + chance.choice(kinds)


def _temper(chance: Random) -> Temper:
    return Temper(
        longest=chance.choice((120.0, 300.0, 600.0)),
        long_share=chance.choice((0.0, 0.02, 0.1)),
        failed_share=chance.choice((0.0, 0.05, 0.2)),
    )


def scene_of(
    files: Mapping[str, bytes],
    profiles: Mapping[str, PlatformProfile],
    connections: Mapping[str, tuple[str, ...]],
    *,
    seed: str,
    days: float,
    severity: Severity,
    start: datetime,
    controllers: int = 1,
) -> Scene:
    """Specs that somebody else wrote; how their jobs are is drawn from the seed."""
    chance = Random(f"{seed}/tempers")
    tempers = {
        name: {each: _fitting(chance, profiles[name]) for each in rows} for name, rows in sorted(connections.items())
    }
    return _with_leases(Scene(seed, dict(files), profiles, tempers, days, severity, start), controllers)


def _fitting(chance: Random, profile: PlatformProfile) -> Temper:
    """Jobs that fit between the shortest slots that the platform allows, most of the time."""
    shortest = profile.min_interval.total_seconds()
    longest = shortest * chance.choice((0.3, 0.6, 0.9))
    return Temper(longest * 0.2, longest, longest * 6, chance.choice((0.0, 0.02)), chance.choice((0.0, 0.05)))
