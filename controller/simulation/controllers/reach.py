"""What is between one life of a controller and the world: a clock that stops with it, and a network that may be cut."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from controller.errors import NotCreated, OutcomeUnknown, PlatformUnavailable
from controller.ports.platform import Platform
from controller.simulation.controllers.life import Life
from controller.simulation.faults import FaultKind


class LifeClock:
    """The clock port of one life: its machine's clock. A sleep that ends while the life is paused ends with the pause."""

    def __init__(self, life: Life) -> None:
        self._life, self._clock = life, life.machine.clock
        # Read several times in every step of the controller.
        self.now, self.boottime = self._clock.now, self._clock.boottime

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await self._clock.sleep(seconds)
        if self._life.is_paused:
            await self._life.thaw()


class _Reach:
    """Stands between a life and a platform; it is dynamic, because it does the same about every method but one."""

    def __init__(self, platform: Platform, life: Life) -> None:
        self._platform, self._life = platform, life

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method, life, machine = getattr(self._platform, name), self._life, self._life.machine
        is_post = name in ("trigger_sync", "trigger_reset")

        async def call(*given: Any) -> Any:
            # A POST that is begun in a pause had left before it: nothing is between the last look at the clock and the POST.
            if life.is_paused and not is_post:
                await life.thaw()
            if machine.is_cut(FaultKind.CUT_PLATFORM):
                raise (NotCreated if is_post else PlatformUnavailable)("no route to the platform")
            try:
                result = await method(*given)
            finally:
                if life.is_paused and not life.is_over:
                    await life.thaw()
            if machine.is_cut(FaultKind.CUT_PLATFORM):
                raise (OutcomeUnknown if is_post else PlatformUnavailable)("the connection was cut")
            return result

        self.__dict__[name] = call
        return call


def reached(platform: Platform, life: Life) -> Platform:
    """A platform as a life reaches it."""
    return cast("Platform", _Reach(platform, life))
