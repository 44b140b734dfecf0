"""Ending a server in order: it has ended when ``stop_server`` returns, and every other outcome is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import CallTimeout, Exit, NodeDown, NoProc, RemoteExit
from pyerlnode.otp.child import Child
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.runtime.exits import NORMAL, SHUTDOWN
from pyerlnode.term import Atom
from tests.support.nodes import Ports

if TYPE_CHECKING:
    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Term

BOOM = Atom("boom")


class Ending(GenServer):
    """Keeps what ``terminate`` is told; raises `error` there, or waits until it may end."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.reasons: list[Term] = []

    async def terminate(self, reason: Term) -> None:
        self.reasons.append(reason)
        if self._error is not None:
            raise self._error
        await self.may_end.wait()


@pytest.mark.parametrize("reason", [NORMAL, BOOM, (SHUTDOWN, 1), "as text"])
async def test_it_has_ended_with_the_reason_asked_for(node: Node, me: Process, reason: Term) -> None:
    server = Ending()
    pid = await node.start_server(server, name="x")
    ref = await me.monitor(pid)
    await node.stop_server("x", reason)
    assert node.whereis("x") is None
    told = b"as text" if reason == "as text" else reason
    assert await me.receive(0) == ("DOWN", ref, "process", pid, told)
    assert server.reasons == [told]


async def test_normal_where_no_reason_is_given(node: Node) -> None:
    server = Ending()
    await node.stop_server(await node.start_server(server))
    assert server.reasons == [NORMAL]


async def test_a_supervisor_takes_its_children_along(node: Node) -> None:
    await node.start_supervisor([Child(Ending, name="one")], name="sup")
    await node.stop_server("sup")
    assert node.whereis("one") is None


async def test_one_that_ends_otherwise(node: Node) -> None:
    pid = await node.start_server(Ending(Exit(BOOM)))
    with pytest.raises(RemoteExit, match="asked to stop, and ended otherwise: :boom") as caught:
        await node.stop_server(pid)
    assert caught.value.reason == BOOM


async def test_one_that_does_not_end_in_time(node: Node) -> None:
    server = Ending()
    server.may_end.clear()
    pid = await node.start_server(server)
    before = len(node._client.monitors)
    with pytest.raises(CallTimeout, match=r"no end of .* within 0.01 s"):
        await node.stop_server(pid, timeout=0.01)
    assert len(node._client.monitors) == before
    server.may_end.set()


async def test_nobody(node: Node) -> None:
    with pytest.raises(NoProc):
        await node.stop_server("nobody")
    with pytest.raises(NodeDown):
        await node.stop_server(("x", "nobody@127.0.0.1"))


async def test_an_alias_is_nobody_to_stop(node: Node, me: Process) -> None:
    with pytest.raises(TypeError, match="an alias cannot be stopped"):
        await node.stop_server(me.alias())


async def test_one_of_another_node() -> None:
    ports, server = Ports(), Ending()
    async with ports.node("a") as here, ports.node("b") as there:
        await there.start_server(server, name="x")
        await here.stop_server(("x", there.name), BOOM)
        assert there.whereis("x") is None
    assert server.reasons == [BOOM]
