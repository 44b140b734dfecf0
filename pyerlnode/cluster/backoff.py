"""Waiting longer after each failure, with jitter, so that a hundred nodes do not ask in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GENTLE = 0.1
"""How far a regular interval is stretched or shortened, as a part of it."""


class Backoff:
    """Delays in seconds that double from `first` up to `most`, each shortened by up to half, at random."""

    def __init__(self, first: float, most: float, random: Callable[[], float]) -> None:
        self._first = min(first, most)
        self._most = most
        self._random = random
        self._next = self._first

    def delay(self) -> float:
        """The next delay."""
        delay = self._next
        self._next = min(delay * 2, self._most)
        return delay * (1 - self._random() / 2)

    def reset(self) -> None:
        """What was failing works: begin anew."""
        self._next = self._first


def jittered(interval: float, random: Callable[[], float]) -> float:
    """`interval`, a tenth more or less."""
    return interval * (1 + GENTLE * (2 * random() - 1))
