"""Nodes coming and going, told to everybody who asked (``net_kernel:monitor_nodes/1`` of kernel).

``NodeUp`` comes before the first message of that connection, ``NodeDown`` after its last one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakSet

from pyerlnode.errors import NodeDown
from pyerlnode.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import TypeAlias

log = logging.getLogger("pyerlnode.node")

__all__ = ["NodeDown", "NodeEvent", "NodeEvents", "NodeUp", "Subscription"]


@frozen
class NodeUp:
    """A connection to `name` stands."""

    name: str
    visible: bool = True


NodeEvent: TypeAlias = "NodeUp | NodeDown"


class NodeEvents:
    """Hands each event to every listener and every subscription, in the order of the events."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[NodeEvent], None]] = []
        self._subscriptions: WeakSet[Subscription] = WeakSet()  # a loop that broke off drops its own

    def listen(self, listener: Callable[[NodeEvent], None]) -> None:
        """Calls `listener` with each event, at once and before anybody else hears of it."""
        self._listeners.append(listener)

    def subscribe(self) -> Subscription:
        """An iterator over the events from now on."""
        subscription = Subscription(self._subscriptions)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, event: NodeEvent) -> None:
        """Tells everybody."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a service of this node failed on %r", event)
        for subscription in list(self._subscriptions):
            subscription.put(event)

    def close(self) -> None:
        """Ends every subscription."""
        for subscription in list(self._subscriptions):
            subscription.end()


class Subscription:
    """Events since the subscription, for one ``async for``; it ends when the node stops or on ``close``."""

    def __init__(self, home: WeakSet[Subscription]) -> None:
        self._home = home
        self._events: deque[NodeEvent] = deque()
        self._ended = False
        self._wake = asyncio.Event()

    def put(self, event: NodeEvent) -> None:
        """Appends an event."""
        self._events.append(event)
        self._wake.set()

    def end(self) -> None:
        """Lets the iteration end after the events that are there."""
        self._ended = True
        self._home.discard(self)
        self._wake.set()

    close = end

    def __aiter__(self) -> AsyncIterator[NodeEvent]:
        return self

    async def __anext__(self) -> NodeEvent:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._events.popleft()
