"""Starting processes with a parent, and what ``start_link`` gives to whoever called it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConfigError, Exit, NodeDown
from pyerlnode.otp.exports import CALLER
from pyerlnode.otp.gen_server import GenServer, Ignore, Stop
from pyerlnode.otp.starting import StartLink
from pyerlnode.runtime.exits import NORMAL
from pyerlnode.term import Atom, Pid
from tests.support.nodes import Ports, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process

BOOM = Atom("boom")


class Worker(GenServer):
    """Ends as it is told."""

    async def init(self, what: Any = None) -> None:
        if what is not None:
            raise what


@pytest.fixture
def me(me: Process) -> Iterator[Process]:
    """A process that traps exits, and is the caller of what is exported."""
    me.trap_exit = True
    told = CALLER.set(me.pid)
    yield me
    CALLER.reset(told)


class TestStartLink:
    async def test_the_server_is_linked_to_its_caller(self, node: Node, me: Process) -> None:
        status, pid = await StartLink(node._starter, Worker, "worker").start_link()
        assert (status, pid) == ("ok", node.whereis("worker"))
        assert pid in me.links
        await me.exit(pid, BOOM)
        assert await me.receive(30) == ("EXIT", pid, BOOM)

    async def test_it_ends_with_its_caller(self, node: Node, me: Process) -> None:
        async def caller(own: Process) -> None:
            CALLER.set(own.pid)
            started.set_result((await StartLink(node._starter, Worker).start_link())[1])
            raise Exit(BOOM)

        started: asyncio.Future[Pid] = asyncio.get_running_loop().create_future()
        await node.spawn(caller)
        await me.monitor(await started)
        assert (await me.receive(30))[4] in (BOOM, "noproc")

    @pytest.mark.parametrize(
        ("what", "answer"),
        [(Ignore(), "ignore"), (Stop(BOOM), ("error", BOOM)), (Exit((1, 2)), ("error", (1, 2)))],
    )
    async def test_servers_that_do_not_start(self, node: Node, me: Process, what: Any, answer: Any) -> None:
        start = StartLink(node._starter, Worker, "worker")
        assert await start.start_link(what) == answer
        assert node.whereis("worker") is None

    async def test_an_exception_is_a_reason_for_elixir(self, node: Node, me: Process) -> None:
        status, (struct, stack) = await StartLink(node._starter, Worker).start_link(ValueError("no"))
        assert (status, struct["message"]) == ("error", b"ValueError: no")
        assert stack[0][1] == "init"

    async def test_a_name_in_use(self, node: Node, me: Process) -> None:
        holder = await node.start_server(Worker, name="worker")
        answer = await StartLink(node._starter, Worker, "worker").start_link()
        assert answer == ("error", ("already_started", holder))
        status, (struct, _) = await StartLink(node._starter, Worker, "undefined").start_link()
        assert (status, b"cannot be a registered name" in struct["message"]) == ("error", True)

    async def test_a_caller_that_is_gone(self, node: Node, me: Process) -> None:
        async with node.process() as short:
            told = CALLER.set(short.pid)
        assert await StartLink(node._starter, Worker).start_link() == ("error", "noproc")
        CALLER.reset(told)

    async def test_a_node_that_is_stopping_lets_its_caller_wait_for_its_end(self) -> None:
        class Slow(GenServer):
            async def terminate(self, reason: Any) -> None:
                ending.set()
                await may_end.wait()

        async def later() -> int:
            return 1

        ports, ending, may_end = Ports(), asyncio.Event(), asyncio.Event()
        async with ports.node("b") as b, ports.node("a") as a:
            a.export_server("py.worker", Worker)
            a.export("py", "later", later)
            await a.start_server(Slow)
            await b.connect(a.name)
            stopping = asyncio.ensure_future(a.stop())
            await ending.wait()
            start = b.rpc(a.name, "py.worker", "start_link", [], timeout=None)
            starting = asyncio.ensure_future(start)
            assert await b.rpc(a.name, "py", "later", [], timeout=None) == 1
            assert not starting.done()
            may_end.set()
            with pytest.raises(NodeDown):
                await starting
            await stopping

    async def test_without_a_caller(self, node: Node) -> None:
        with pytest.raises(RuntimeError, match="links to its caller"):
            await StartLink(node._starter, Worker).start_link()

    @pytest.mark.parametrize("wrong", [Worker(), int, 1, None])
    async def test_what_is_no_class_of_servers(self, node: Node, wrong: Any) -> None:
        with pytest.raises(ConfigError, match="GenServer"):
            node.export_server("py.worker", wrong)


class TestWhoCalled:
    @pytest.mark.parametrize("plain", [True, False])
    async def test_an_exported_function_may_know(self, plain: bool) -> None:
        def function() -> Pid:
            return CALLER.get()

        async def coroutine() -> Pid:
            return CALLER.get()

        ports = Ports()
        async with ports.node("a") as a, ports.node("b") as b:
            b.export("py", "who", function if plain else coroutine)
            caller = await a.rpc(b.name, "py", "who", [])
            assert caller.node == a.name
            assert CALLER.get(None) is None


class TestParents:
    async def test_the_end_of_a_parent_is_the_end_of_one_that_traps_exits(
        self, node: Node, me: Process
    ) -> None:
        reasons = []

        class Trapping(GenServer):
            async def init(self) -> None:
                self.me.trap_exit = True

            async def terminate(self, reason: Any) -> None:
                reasons.append(reason)

        async with node.process() as parent:
            pid = await node.start_server(Trapping, link=parent.pid)
            ref = await me.monitor(pid)
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)
        assert reasons == [NORMAL]

    async def test_a_parent_that_is_gone(self, node: Node) -> None:
        async with node.process() as short:
            gone = short.pid
        with pytest.raises(Exit) as caught:
            await node.start_server(Worker, link=gone)
        assert caught.value.reason == "noproc"

    async def test_a_remote_one(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b") as b, a.process() as parent:
            pid = await b.start_server(Worker, link=parent.pid)
            await until(lambda: pid in parent.links)
            parent.trap_exit = True
            await parent.exit(pid, BOOM)
            assert await parent.receive(30) == ("EXIT", pid, BOOM)

    async def test_the_exported_class_of_another_node(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b") as b:
            b.export_server("py.worker", Worker)
            status, pid = await a.rpc(b.name, "py.worker", "start_link", [])
            assert (status, pid.node) == ("ok", b.name)
