"""What waits for a while in here is given: the part of an event loop that calls back later.

Ticks (kernel(6), ``net_ticktime``) come every 15 seconds: tests bring a clock of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Timer(Protocol):
    """What a :class:`Clock` gives: something that has not happened yet."""

    def cancel(self) -> None:
        """Let it not happen."""


class Clock(Protocol):
    """What ticks are timed by: an event loop, or a test's own clock."""

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> Timer:
        """Call `callback` in `delay` seconds."""
