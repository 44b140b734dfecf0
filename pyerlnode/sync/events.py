"""Nodes coming and going, for a ``for`` loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from pyerlnode.errors import NodeNotRunning

if TYPE_CHECKING:
    from pyerlnode.loops import LoopThread
    from pyerlnode.runtime.events import NodeEvent, Subscription


class NodeEvents:
    """What :meth:`Node.monitor_nodes` gives: an iterator over ``NodeUp`` and ``NodeDown``."""

    def __init__(self, loop: LoopThread, events: Subscription, timeout: float | None) -> None:
        self._loop = loop
        self._events = events
        self._timeout = timeout

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> NodeEvent:
        try:
            event = self._loop.run(self._next)
        except NodeNotRunning:
            event = None
        if event is None:
            raise StopIteration
        return event

    async def _next(self) -> NodeEvent | None:
        try:
            async with asyncio.timeout(self._timeout):
                return await anext(self._events, None)
        except TimeoutError:
            return None
