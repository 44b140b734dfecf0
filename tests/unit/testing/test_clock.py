from __future__ import annotations

import asyncio

from pyerlnode.testing import ManualClock


def test_calls_come_in_order_each_at_its_time() -> None:
    clock = ManualClock()
    calls: list[tuple[str, float]] = []
    clock.call_later(2, lambda: calls.append(("two", clock.time())))
    clock.call_later(1, calls.append, ("one", 1.0))
    clock.call_later(2, lambda: calls.append(("also two", clock.time())))
    clock.call_later(9, calls.append, ("never", 9.0))
    clock.advance(0.5)
    assert calls == []
    clock.advance(4.5)
    assert calls == [("one", 1.0), ("two", 2.0), ("also two", 2.0)]
    assert clock.time() == 5.0


def test_a_call_may_ask_for_another_one() -> None:
    clock = ManualClock()
    times: list[float] = []

    def tick() -> None:
        times.append(clock.time())
        clock.call_later(1, tick)

    clock.call_later(1, tick)
    clock.advance(3.5)
    assert times == [1, 2, 3]


def test_a_cancelled_call_does_not_come() -> None:
    clock = ManualClock()
    calls: list[int] = []
    clock.call_later(1, calls.append, 1).cancel()
    clock.advance(2)
    assert calls == []


async def test_sleepers_wake_when_their_time_has_come() -> None:
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep(2))
    await asyncio.sleep(0)
    clock.advance(1.9)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(0.1)
    await sleeper
