"""Tasks that wait for a signal: woken right after the delivery, or in the next turn, and never lost."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest

from pyerlnode.runtime.waking import Arrival, Waking

if TYPE_CHECKING:
    from collections.abc import Callable

NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


async def turn() -> None:
    await asyncio.sleep(0)


def gather(waking: Waking) -> None:
    waking.gathers = True


def waiting(arrival: Arrival[str], log: list[str]) -> asyncio.Task[str]:
    async def wait() -> str:
        value = await arrival
        log.append(value)
        return value

    return asyncio.create_task(wait())


def outside(*actions: Callable[[], object]) -> asyncio.Future[None]:
    """Runs `actions` in no task at all, as the event loop calls a protocol."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def act() -> None:
        try:
            for action in actions:
                action()
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    loop.call_soon(act)
    return done


async def test_what_is_there_already_is_not_waited_for() -> None:
    arrival = Arrival[str](Waking())
    arrival.set_result("x")
    assert arrival.done()
    assert await arrival == "x"


async def test_it_wakes_in_the_next_turn() -> None:
    log: list[str] = []
    arrival = Arrival[str](Waking())
    task = waiting(arrival, log)
    await turn()
    arrival.set_result("x")
    arrival.set_result("y")  # too late
    assert log == []
    assert await task == "x"


async def test_those_gathered_go_on_within_run_in_their_order() -> None:
    waking, log = Waking(), list[str]()
    arrivals = [Arrival[str](waking) for _ in range(3)]
    tasks = [waiting(arrival, log) for arrival in arrivals]
    await turn()
    before: list[int] = []
    await outside(
        lambda: gather(waking),
        lambda: arrivals[2].set_result("c"),
        lambda: arrivals[0].set_result("a"),
        lambda: before.append(len(log)),
        waking.run,
        lambda: before.append(len(log)),
        lambda: arrivals[1].set_result("b"),  # no delivery: in the next turn
        lambda: before.append(len(log)),
    )
    await asyncio.gather(*tasks)
    assert log == ["c", "a", "b"]
    assert before == [0, 2, 2]


async def test_within_a_task_those_gathered_wait_for_the_next_turn() -> None:
    waking, log = Waking(), list[str]()
    arrival = Arrival[str](waking)
    task = waiting(arrival, log)
    await turn()
    waking.gathers = True
    arrival.set_result("x")
    waking.run()
    assert log == []
    assert await task == "x"


async def test_two_that_wake_each_other_take_turns_with_everybody_else() -> None:
    waking = Waking()
    balls = [Arrival[str](waking), Arrival[str](waking)]
    rounds = 0

    async def play(me: int) -> None:
        nonlocal rounds
        while True:
            await balls[me]
            rounds += 1
            balls[me] = Arrival[str](waking)
            balls[1 - me].set_result("ball")

    players = [asyncio.create_task(play(me)) for me in (0, 1)]
    await turn()
    await outside(lambda: gather(waking), lambda: balls[0].set_result("ball"), waking.run)
    assert rounds <= 2
    for player in players:
        player.cancel()
    await asyncio.gather(*players, return_exceptions=True)


async def test_each_goes_on_in_its_own_context() -> None:
    waking = Waking()
    arrival = Arrival[str](waking)
    seen: list[object] = []

    async def wait() -> None:
        NAME.set("waiter")
        await arrival
        seen.extend((NAME.get(), asyncio.current_task()))

    task = asyncio.create_task(wait())
    await turn()
    await outside(lambda: gather(waking), lambda: arrival.set_result("x"), waking.run)
    await task
    assert seen == ["waiter", task]
    assert NAME.get() == "nobody"


@pytest.mark.parametrize("woken", [False, True], ids=["waiting", "woken"])
async def test_a_cancelled_task_is_cancelled(woken: bool) -> None:
    waking, log = Waking(), list[str]()
    arrival = Arrival[str](waking)
    task = waiting(arrival, log)
    await turn()
    if woken:
        arrival.set_result("x")
    task.cancel("that will do")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert arrival.done()
    assert log == []


async def test_a_deadline_ends_the_wait() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await Arrival[str](Waking())


async def test_what_comes_first_counts() -> None:
    cancelled, answered = Arrival[str](Waking()), Arrival[str](Waking())
    cancelled.cancel()
    cancelled.set_exception(KeyError("too late"))
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    answered.set_result("x")
    answered.set_exception(KeyError("too late"))
    assert not answered.cancel()
    assert await answered == "x"


async def test_an_error_is_raised_in_who_waits() -> None:
    waking, log = Waking(), list[str]()
    arrival = Arrival[str](waking)
    task = waiting(arrival, log)
    await turn()
    await outside(lambda: gather(waking), lambda: arrival.set_exception(KeyError("gone")), waking.run)
    with pytest.raises(KeyError, match="gone"):
        await task


async def test_a_task_that_stops_the_program_does_not_keep_the_others() -> None:
    waking, log = Waking(), list[str]()
    first, second = Arrival[str](waking), Arrival[str](waking)

    async def stop() -> None:
        await first
        raise KeyboardInterrupt

    stopping, other = asyncio.create_task(stop()), waiting(second, log)
    await turn()
    waking.gathers = True
    first.set_result("x")
    second.set_result("y")
    loop = asyncio.get_running_loop()
    caught: list[BaseException] = []

    def act() -> None:
        try:
            waking.run()
        except KeyboardInterrupt as error:
            caught.append(error)

    loop.call_soon(act)
    assert await other == "y"
    assert len(caught) == 1
    with pytest.raises(KeyboardInterrupt):
        stopping.result()


def test_a_loop_that_stops_cancels_who_waits() -> None:
    tasks: list[asyncio.Task[str]] = []

    async def main() -> None:
        tasks.append(waiting(Arrival[str](Waking()), []))
        await turn()

    asyncio.run(main())
    assert tasks[0].cancelled()
