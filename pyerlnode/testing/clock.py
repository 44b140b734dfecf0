"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ManualClock", "ManualTimer"]


class ManualTimer:
    """What :meth:`ManualClock.call_later` gives."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.cancelled = False
        """Whether :meth:`cancel` was called."""
        self.call = call

    def cancel(self) -> None:
        """Let it not happen."""
        self.cancelled = True


class ManualClock:
    """Time in seconds, from 0, that only :meth:`advance` moves.  Fits wherever a ``clock`` is taken."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._due: list[tuple[float, int, ManualTimer]] = []

    def time(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> ManualTimer:
        """Call `callback` once `delay` seconds have been advanced."""
        timer = ManualTimer(lambda: callback(*args))
        heapq.heappush(self._due, (self._now + delay, next(self._order), timer))
        return timer

    async def sleep(self, delay: float) -> None:
        """Wait until `delay` seconds have been advanced."""
        woken = asyncio.Event()
        timer = self.call_later(delay, woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass: whatever falls due is called now, in order, each at its own time."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._due)
            if not timer.cancelled:
                timer.call()
        self._now = end
