"""The machine's clocks in the loop: read together, compared, and what changes when they disagree or agree again."""

from datetime import timedelta

from controller.decide.clock_watch import ClockWatch, Reading, ticked
from controller.model.event import Event, EventName
from controller.ports.clock import Clock
from controller.reconcile import say
from controller.reconcile.gather import Mind
from controller.reconcile.observed import ObservedPlatform
from controller.reconcile.world import World


def read_clocks(clock: Clock, mind: Mind) -> Reading:
    """Read both clocks and compare them: whatever is decided by this wall time is decided with what is known of it."""
    reading = Reading(clock.now(), clock.boottime())
    mind.watch = ticked(mind.watch, reading)
    return reading


def _agree(before: ClockWatch, watch: ClockWatch) -> bool:
    """Whether nothing is different but the time: so it is nearly always, and this is asked several times a step."""
    return (
        watch.errors is before.errors
        and watch.freezes == before.freezes
        and watch.step == before.step
        and watch.accepted == before.accepted
    )


class Timekeeper:
    """Notices what became of the clocks, once for each change, wherever in a step they were read."""

    def __init__(self, world: World, mind: Mind) -> None:
        self._world = world
        self._mind = mind
        self._noticed = ClockWatch()
        self._skewed: dict[str, str] = {}

    def doubts(self, platform: str) -> bool:
        """Whether nothing may be done on a platform by this very moment, because the time is in doubt."""
        read_clocks(self._world.clock, self._mind)
        return self._mind.watch.is_frozen or bool(self._mind.watch.skewed(platform))

    def troubles(self) -> list[str]:
        """What is in doubt, for a person."""
        frozen = self._mind.watch.frozen
        return [frozen] if frozen else [f"{name}: {text}" for name, text in self._skewed.items()]

    @property
    def has_news(self) -> bool:
        """Whether the newest reading says anything else than what was noticed before."""
        return not _agree(self._noticed, self._mind.watch)

    async def notice(self) -> set[str]:
        """Compare the newest reading with what was noticed before and tell it; returns the platforms on which all must be judged again."""
        watch, before = self._mind.watch, self._noticed
        self._noticed = watch
        events = self._about_machine(before, watch)
        skewed = self._skewed if watch.is_frozen else self._skews()
        events += self._about_platforms(before, watch, skewed)
        stirred = watch.moved != before.moved or watch.freezes != before.freezes or watch.is_frozen != before.is_frozen
        names = set(self._mind.platforms) if stirred else set()
        names |= skewed.keys() ^ self._skewed.keys()
        self._skewed = skewed
        by = watch.moved - before.moved
        for name in names & self._mind.platforms.keys():
            self._pass_on(self._mind.platforms[name], by)
        if self._mind.began_at is not None and by < timedelta(0):
            # A schedule that came into force after the start must not look as if it had been there before.
            self._mind.began_at += by
        await say.tell(self._world, events)
        return names

    def _skews(self) -> dict[str, str]:
        return {name: text for name in self._mind.platforms if (text := self._mind.watch.skewed(name))}

    def _pass_on(self, platform: ObservedPlatform, by: timedelta) -> None:
        """Let a platform's memory know: first what is in doubt, then the wall clock's step, then that the doubt is over."""
        watch = self._mind.watch
        error = watch.errors.get(platform.name)
        if watch.is_frozen:
            platform.doubt_clock(max(-by, timedelta(0)))
        elif platform.name in self._skewed and error is not None:
            # The listing before this one was the last that is sure to have been right.
            platform.doubt_clock(abs(error.ahead) + platform.profile.quiet_poll)
        if by:
            platform.clock_set(by)
        if not watch.is_frozen and platform.name not in self._skewed:
            platform.trust_clock()

    def _about_machine(self, before: ClockWatch, watch: ClockWatch) -> list[Event]:
        now = self._world.clock.now()
        if watch.is_frozen and not before.is_frozen and watch.expected is not None and watch.last is not None:
            fields: dict[str, say.Field] = {
                "wall": say.instant(watch.last.wall),
                "expected": say.instant(watch.expected),
                "seconds": round(watch.step.total_seconds(), 1),
            }
            return [Event(EventName.CLOCK_FROZEN, now, fields)]
        if before.is_frozen and not watch.is_frozen:
            corrected = (watch.accepted - before.accepted).total_seconds()
            return [Event(EventName.CLOCK_AGREED, now, {"platform": None, "corrected_seconds": round(corrected, 1)})]
        return []

    def _about_platforms(self, before: ClockWatch, watch: ClockWatch, skewed: dict[str, str]) -> list[Event]:
        now, events = self._world.clock.now(), list[Event]()
        for name in sorted(skewed.keys() - self._skewed.keys()):
            error = watch.errors[name]
            fields: dict[str, say.Field] = {
                "platform": name,
                "seconds": round(error.ahead.total_seconds(), 1),
                "tolerance": round(error.tolerance.total_seconds(), 1),
                "message": skewed[name],
            }
            events.append(Event(EventName.CLOCK_SKEWED, now, fields))
        for name in sorted(self._skewed.keys() - skewed.keys()):
            corrected = (watch.accepted - before.accepted).total_seconds()
            fields = {"platform": name, "corrected_seconds": round(corrected, 1)}
            events.append(Event(EventName.CLOCK_AGREED, now, fields))
        return events
