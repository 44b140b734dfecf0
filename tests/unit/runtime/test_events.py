"""Node events: in order, to everybody, until the end."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING

from pyerlnode.errors import NodeDown
from pyerlnode.runtime.events import NodeEvent, NodeEvents, NodeUp

if TYPE_CHECKING:
    import pytest


async def test_each_subscription_gets_every_event_from_then_on_in_order() -> None:
    events = NodeEvents()
    events.publish(NodeUp("before"))
    one, two = events.subscribe(), events.subscribe()
    told = [NodeUp("a"), NodeDown("a", "gone"), NodeUp("b", visible=False)]
    for event in told:
        events.publish(event)
    events.close()
    assert [event async for event in one] == told
    assert [event async for event in two] == told


async def test_iterating_waits_for_events() -> None:
    events = NodeEvents()
    subscription = events.subscribe()
    waiting = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    events.publish(NodeUp("a"))
    assert await waiting == NodeUp("a")


async def test_the_end_wakes_who_waits() -> None:
    events = NodeEvents()
    waiting = asyncio.ensure_future(anext(events.subscribe(), None))
    await asyncio.sleep(0)
    events.close()
    assert await waiting is None


async def test_a_closed_subscription_gets_nothing_more() -> None:
    events = NodeEvents()
    subscription = events.subscribe()
    subscription.close()
    events.publish(NodeUp("a"))
    assert [event async for event in subscription] == []


async def test_a_subscription_that_nobody_holds_is_forgotten() -> None:
    events = NodeEvents()

    async def first_event() -> NodeEvent:
        subscription = events.subscribe()
        events.publish(NodeUp("a"))
        return await anext(subscription)

    assert await first_event() == NodeUp("a")
    gc.collect()
    assert len(events._subscriptions) == 0


async def test_listeners_hear_first() -> None:
    events = NodeEvents()
    order: list[str] = []
    subscription = events.subscribe()

    def listener(event: NodeEvent) -> None:
        order.append("subscribed" if subscription._events else "first")

    events.listen(listener)
    events.publish(NodeUp("a"))
    assert order == ["first"]


async def test_a_listener_that_fails_keeps_nobody_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    events = NodeEvents()
    heard: list[NodeEvent] = []

    def broken(event: NodeEvent) -> None:
        raise ValueError("broken listener")

    events.listen(broken)
    events.listen(heard.append)
    with caplog.at_level(logging.ERROR):
        events.publish(NodeUp("a"))
    assert heard == [NodeUp("a")]
    assert "broken listener" in caplog.text
