"""The end of a node: asked, ended, waited for, each within bounds; and whoever waits hears of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import Exit, NodeNotRunning
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.exits import NORMAL, SHUTDOWN
from pyerlnode.runtime.process import Process
from pyerlnode.runtime.requests import destination, request
from pyerlnode.runtime.shutdown import end_processes, end_rest
from tests.support.nodes import make_router

if TYPE_CHECKING:
    from pyerlnode.runtime.router import Router


@pytest.fixture
def router() -> Router:
    return make_router()


async def wait(me: Process) -> None:
    await asyncio.Event().wait()


def started(router: Router, body: object = wait) -> Process:
    process = Process(router)
    process.start(body, ())  # type: ignore[arg-type]
    return process


def nobody(process: Process) -> None:
    raise AssertionError("nobody is to be asked")


async def test_every_process_ends_and_its_body_is_done(router: Router) -> None:
    processes = [started(router) for _ in range(3)]
    await end_processes(router, nobody, grace=30, caller=None)
    assert [(p.exit_reason, p.task is not None and p.task.done()) for p in processes] == [
        (SHUTDOWN, True)
    ] * 3
    assert len(router.registry) == 0


async def test_servers_are_asked_first_and_waited_for(router: Router) -> None:
    async def server(me: Process) -> None:
        await me.receive()
        still_there.append(other.alive)

    still_there: list[bool] = []
    process, other = started(router, server), started(router)
    process.ends_on_request = True
    await end_processes(router, lambda asked: asked.on_message("stop"), grace=30, caller=None)
    assert process.exit_reason == NORMAL
    assert still_there == [True]


async def test_who_does_not_end_in_time_is_ended(router: Router) -> None:
    process = started(router)
    process.ends_on_request = True
    asked: list[Process] = []
    await end_processes(router, asked.append, grace=0, caller=None)
    assert asked == [process]
    assert process.exit_reason == SHUTDOWN


async def test_a_body_that_goes_on_is_not_waited_for_without_end(router: Router) -> None:
    go = asyncio.Event()

    async def stubborn(me: Process) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await go.wait()

    process = started(router, stubborn)
    await asyncio.sleep(0)
    await end_processes(router, nobody, grace=0, caller=None)
    assert process.task is not None
    assert not process.task.done()
    go.set()
    await asyncio.wait([process.task])


async def test_the_task_of_a_block_is_not_waited_for(router: Router) -> None:
    async def user() -> None:
        with suppress(Exit):
            async with Process(router).block():
                entered.set()
                await asyncio.Event().wait()
        left.set()
        await asyncio.Event().wait()

    entered, left = asyncio.Event(), asyncio.Event()
    task = asyncio.ensure_future(user())
    await entered.wait()
    await end_processes(router, nobody, grace=30, caller=None)
    await left.wait()
    task.cancel()


async def test_the_caller_is_spared_and_ends_last(router: Router) -> None:
    caller = asyncio.current_task()
    other = started(router)
    async with Process(router).block() as me:
        me.ends_on_request = True
        await end_processes(router, nobody, grace=30, caller=caller)
        assert (me.alive, other.alive) == (True, False)
        end_rest(router, caller=caller)
        assert not me.alive
        await asyncio.sleep(0)  # it was not cancelled
        with pytest.raises(Exit) as caught:
            await me.receive()
        assert caught.value.reason == SHUTDOWN
    assert caller is not None
    assert caller.cancelling() == 0


async def test_whoever_waits_in_the_name_of_a_service_hears_of_its_end(router: Router) -> None:
    me, silent = Reactor(router, lambda m: None), Reactor(router, lambda m: None)
    waiting = asyncio.ensure_future(
        request(me, destination(router, silent.pid), lambda ref: (me.pid, ref), timeout=None)
    )
    await asyncio.sleep(0)
    end_rest(router, caller=None)
    with pytest.raises(NodeNotRunning):
        await waiting
    assert len(router.registry) == 0
