"""Processes of other nodes, started from here: links, monitors, refusals, and waiters that give up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConfigError, Exit, NodeDown, RemoteError
from pyerlnode.otp import remote_spawn
from pyerlnode.otp.gen import Process
from pyerlnode.runtime.exits import NORMAL
from pyerlnode.term import Atom
from pyerlnode.wire import control as c
from tests.support.nodes import PEER, FakePeer, mailbox, make_router, nodes, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.node import Node

BOOM = Atom("boom")
MFA = ("m", "f", [1])


@pytest.fixture
async def pair() -> AsyncIterator[list[Node]]:
    async with nodes("a", "b") as pair:
        yield pair


async def test_a_function_of_another_node_runs_there(pair: list[Node]) -> None:
    a, b = pair
    ran: list[Any] = []
    b.export("m", "f", ran.append)
    pid = await a.spawn_remote(b.name, "m", "f", ["x"])
    assert pid.node == b.name
    await until(lambda: ran == ["x"] or ran == [b"x"])


async def test_a_process_watches_what_it_started(pair: list[Node]) -> None:
    a, b = pair

    async def fail() -> None:
        raise ValueError("no")

    b.export("m", "ok", lambda: None)
    b.export("m", "fail", fail)
    async with a.process() as me:
        pid, ref = await me.spawn_monitor(b.name, "m", "ok")
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)
        pid, ref = await me.spawn_monitor(b.name, "m", "fail")
        match await me.receive(30):
            case ("DOWN", where, "process", who, _):
                assert (where, who) == (ref, pid)
        pid, ref = await me.spawn_monitor(b.name, "m", "nothing")
        match await me.receive(30):
            case ("DOWN", _, "process", _, ("undef", _)):
                pass
            case other:
                pytest.fail(f"{other}")


async def test_a_process_is_linked_to_what_it_started(pair: list[Node]) -> None:
    a, b = pair
    b.export("m", "fail", int)
    async with a.process() as me:
        me.trap_exit = True
        pid = await me.spawn_remote(b.name, "m", "fail", ["x"], link=True)
        match await me.receive(30):
            case ("EXIT", who, _):
                assert who == pid


async def test_another_process_may_be_linked_and_watch(pair: list[Node]) -> None:
    a, b = pair
    b.export("m", "ok", lambda: None)
    async with a.process() as me:
        me.trap_exit = True
        pid = await a.spawn_remote(b.name, "m", "ok", monitor=me.pid, link=me.pid)
        got = [await me.receive(30), await me.receive(30)]
        assert ("EXIT", pid, NORMAL) in got
        assert {message[0] for message in got} == {"EXIT", "DOWN"}
        async with a.process() as other:
            with pytest.raises(ConfigError, match="one process links to and watches it"):
                await a.spawn_remote(b.name, "m", "ok", monitor=me.pid, link=other.pid)


async def test_on_this_node_it_is_the_same(pair: list[Node]) -> None:
    a, _ = pair
    a.export("m", "ok", lambda: None)
    async with a.process() as me:
        pid, ref = await me.spawn_monitor(a.name, "m", "ok")
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)


async def test_a_node_that_cannot_be_reached(pair: list[Node]) -> None:
    a, _ = pair
    with pytest.raises(NodeDown):
        await a.spawn_remote("c@127.0.0.1", "m", "f")


class Starting:
    """A spawn of ours on a node that the test plays."""

    def __init__(self, **options: bool) -> None:
        self.router = make_router()
        self.peer = FakePeer(self.router)
        self.me = Process(self.router, None)
        self.task = asyncio.ensure_future(remote_spawn.start(self.me, PEER, MFA, **options))

    async def asked(self) -> c.SpawnRequest:
        await until(lambda: self.peer.sent)
        ((control, args),) = self.peer.take()
        assert isinstance(control, c.SpawnRequest)
        assert args == [1]
        return control

    def answer(self, request: c.SpawnRequest, flags: int, result: Any) -> None:
        self.peer.says(c.SpawnReply(request.ref, self.me.pid, flags, result))


async def test_a_node_that_refuses() -> None:
    starting = Starting()
    starting.answer(await starting.asked(), 0, Atom("system_limit"))
    with pytest.raises(RemoteError, match="could not be started: system_limit"):
        await starting.task


async def test_a_connection_lost_before_the_answer() -> None:
    starting = Starting(link=True, monitor=True)
    await starting.asked()
    starting.peer.goes()
    with pytest.raises(NodeDown):
        await starting.task
    assert not (starting.me.spawning or starting.me.links or starting.me.monitors or mailbox(starting.me))


async def test_one_that_ends_while_it_waits() -> None:
    starting = Starting(link=True, monitor=True)
    await starting.asked()
    starting.me.end(BOOM)
    with pytest.raises(Exit, match="boom"):
        await starting.task
    assert not starting.me.requests


async def test_one_that_gives_up_waiting_is_bothered_no_more() -> None:
    starting = Starting(link=True, monitor=True)
    request = await starting.asked()
    starting.task.cancel()
    await asyncio.wait([starting.task])
    starting.answer(request, 3, starting.peer.pid(9))
    sent = [type(control) for control, _ in starting.peer.take()]
    assert sent == [c.DemonitorP, c.UnlinkId]
    assert not starting.me.monitors
    starting.peer.says(c.PayloadExit(starting.peer.pid(9), starting.me.pid), BOOM)
    assert starting.me.alive
    assert not mailbox(starting.me)


async def test_what_it_prints_comes_to_its_starter_or_to_the_node() -> None:
    starting = Starting()
    assert (await starting.asked()).leader == starting.me.pid  # this router has no `user`
    starting.task.cancel()
    starting.me.group_leader = starting.peer.pid(5)
    assert remote_spawn.leader_of(starting.me) == starting.peer.pid(5)
