"""The node as users hold it: two or more in this process, over loopback, without a port mapper."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.names import NO_NAME
from pyerlnode.errors import (
    ConfigError,
    ConnectFailed,
    EncodeError,
    Exit,
    NameTaken,
    NodeDown,
    NodeNotRunning,
    NoProc,
)
from pyerlnode.node import Node
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.runtime.events import NodeUp
from pyerlnode.runtime.exits import NOCONNECTION, NORMAL, SHUTDOWN
from pyerlnode.term import Atom
from tests.support.nodes import COOKIE, Ports, event, nodes, until
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Pid, Term

BOOM = Atom("boom")


@pytest.fixture
async def pair() -> AsyncIterator[list[Node]]:
    async with nodes("a", "b") as pair:
        yield pair


async def echo(me: Process) -> None:
    async for sender, message in me:
        await me.send(sender, message)


@asynccontextmanager
async def _both(one: Node, two: Node) -> AsyncIterator[tuple[Node, Node]]:
    async with one, two:
        yield one, two


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A node that accepts and says nothing."""
    await reader.read()
    writer.close()


class TestLife:
    async def test_two_starts_at_once_are_one(self) -> None:
        node = Ports().node("a")
        assert await asyncio.gather(node.start(), node.start()) == [node, node]
        port = node.port
        await node.stop()
        with pytest.raises(ConnectionRefusedError):  # nothing of a second one still listens
            await asyncio.open_connection("127.0.0.1", port)

    async def test_start_and_stop_twice_and_again(self) -> None:
        node = Ports().node("a")
        assert await node.start() is node
        assert await node.start() is node
        first = node.creation
        await node.stop()
        await node.stop()
        await node.wait_closed()
        await node.start()
        assert node.creation != first
        assert await node.ping(node.name)
        await node.stop()

    async def test_stop_before_start_is_nothing(self) -> None:
        node = Ports().node("a")
        await node.stop()
        await node.wait_closed()

    async def test_a_start_that_fails_leaves_nothing(self) -> None:
        ports = Ports()
        async with ports.node("a"):
            second = ports.node("b", port=ports.of["a@127.0.0.1"])
            with pytest.raises(OSError):
                await second.start()
            await second.stop()
            await second.wait_closed()
            with pytest.raises(NodeNotRunning):
                second.list()

    @pytest.mark.parametrize(
        "verb",
        [
            lambda node: node.connect("x@127.0.0.1"),
            lambda node: node.ping("x@127.0.0.1"),
            lambda node: node.disconnect("x@127.0.0.1"),
            lambda node: node.send("x", 1),
            lambda node: node.call("x", 1),
            lambda node: node.cast("x", 1),
            lambda node: node.multi_call(["x@127.0.0.1"], "x", 1),
            lambda node: node.abcast(["x@127.0.0.1"], "x", 1),
            lambda node: node.rpc("x@127.0.0.1", "m", "f"),
            lambda node: node.spawn(echo),
            lambda node: node.start_server(GenServer),
            lambda node: node.process().__aenter__(),
        ],
    )
    @pytest.mark.parametrize("stopped", [True, False])
    async def test_verbs_need_a_running_node(self, verb: Any, stopped: bool) -> None:
        node = Ports().node("a")
        if stopped:
            await node.start()
            await node.stop()
        with pytest.raises(NodeNotRunning, match=r"a@127\.0\.0\.1 is not running: use `async with"):
            await verb(node)

    async def test_plain_verbs_do_too(self) -> None:
        node = Ports().node("a")
        for verb in (
            node.list,
            node.registered,
            node.monitor_nodes,
            lambda: node.whereis("x"),
            lambda: node.unregister("x"),
            lambda: node.register("x", None),  # type: ignore[arg-type]
            lambda: node.cookie,
            lambda: node.creation,
            lambda: node.port,
        ):
            with pytest.raises(NodeNotRunning):
                verb()
        assert node.name == "a@127.0.0.1"

    async def test_who_it_is(self) -> None:
        ports = Ports()
        async with ports.node("a") as node:
            assert (node.name, node.cookie, node.port) == ("a@127.0.0.1", COOKIE, ports.of["a@127.0.0.1"])
            assert node.creation >= 4
            assert node.list("this") == [node.name]

    @pytest.mark.parametrize("options", [{"net_ticktime": 0}, {"text": "latin1"}])
    def test_settings_that_cannot_work(self, options: Any) -> None:
        with pytest.raises(ConfigError):
            Ports().node("a", **options)

    async def test_one_without_a_name_is_part_of_no_network(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.delenv("ERLANG_COOKIE", raising=False)
        async with Node("nonode@nohost") as node:
            assert (node.is_alive, node.name, node.cookie, node.port) == (False, NO_NAME, "nocookie", None)
            assert not await node.ping("a@127.0.0.1")
            with pytest.raises(ConnectFailed, match="not part of a network: give it one"):
                await node.connect("a@127.0.0.1")
        assert list(tmp_path.iterdir()) == []

    async def test_one_as_the_environment_has_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"NAME": "env@127.0.0.1", "COOKIE": "secret", "STRATEGY": "epmd"}.items():
            monkeypatch.setenv(f"PYERLNODE_{name}", value)
        node = Node.from_environment(epmd=False, hidden=True)
        assert (node.name, node.hidden, list(node.topologies)) == ("env@127.0.0.1", True, ["cluster"])
        async with node:
            assert node.cookie == "secret"

    async def test_one_that_does_not_listen_dials_all_the_same(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b", listen=False) as b:
            assert b.port is None
            assert await b.connect(a.name)
            await until(lambda: a.list() == [b.name])


class TestStopping:
    async def test_peers_see_it_at_once(self, pair: list[Node]) -> None:
        a, b = pair
        await a.connect(b.name)
        events = a.monitor_nodes()
        await b.stop()
        assert await event(events) == NodeDown(b.name, "connection_closed")
        assert a.list() == []

    async def test_what_was_sent_arrives_before(self, pair: list[Node]) -> None:
        a, b = pair
        async with b.process("inbox") as inbox:
            for number in range(2_000):
                await a.send(("inbox", b.name), (number, bytes(1_000)))
            await a.stop()
            assert [(await inbox.receive(30))[0] for _ in range(2_000)] == list(range(2_000))

    async def test_processes_end_with_shutdown(self, pair: list[Node]) -> None:
        a, b = pair
        pid = await a.spawn(echo)
        async with b.process() as me:
            ref = await me.monitor(pid)
            await until(lambda: a._router._watched)
            await a.stop()
            assert await me.receive(30) == ("DOWN", ref, "process", pid, SHUTDOWN)

    async def test_nobody_who_waits_hangs(self, pair: list[Node]) -> None:
        a, b = pair
        silent = await b.spawn(lambda me: asyncio.Event().wait())
        mute = await a.spawn(lambda me: asyncio.Event().wait())

        async def block() -> None:
            async with a.process() as me:
                await me.receive()

        async def block_that_calls() -> None:
            async with a.process() as me:
                await me.call(silent, 1, timeout=None)

        waiting = [
            asyncio.ensure_future(work)
            for work in (
                a.call(silent, 1, timeout=None),
                a.call(mute, 1, timeout=None),
                a.call("user", 1, timeout=None),  # a service that never answers that
                block(),
                block_that_calls(),
                anext(a.monitor_nodes(), None),
                a.wait_closed(),
            )
        ]
        await until(lambda: len(a._client.requests) == 3 and a.list())
        await a.stop()
        async with asyncio.timeout(30):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results[3:5]] == [Exit, Exit]
        assert all(isinstance(result, Exception) for result in results[:3])

    async def test_a_dial_under_way_is_given_up(self) -> None:
        ports = Ports()
        accepted = asyncio.Event()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set()
            await mute(reader, writer)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        ports.of["mute@127.0.0.1"] = server.sockets[0].getsockname()[1]
        async with ports.node("a") as node:
            dialling = asyncio.ensure_future(node.connect("mute@127.0.0.1", timeout=60))
            begun = asyncio.ensure_future(node.connect("mute@127.0.0.1", timeout=60))
            await accepted.wait()
        for task in (dialling, begun):
            with pytest.raises(NodeNotRunning):
                await task
        server.close()

    async def test_a_dial_that_has_not_begun_is_given_up(self) -> None:
        node = await Ports().node("a").start()
        dialling = asyncio.ensure_future(node._peers.connect("b@127.0.0.1"))
        stopping = asyncio.ensure_future(node._peers.close())
        async with asyncio.timeout(30):
            with pytest.raises((NodeNotRunning, ConnectFailed)):
                await dialling
        await stopping
        assert node._peers._attempts == {}
        await node.stop()

    async def test_by_one_of_its_own_processes(self) -> None:
        node = await Ports().node("a").start()
        async with node.process() as me:
            await node.stop()
            with pytest.raises(Exit):
                await me.receive()

    async def test_by_one_of_its_own_servers(self) -> None:
        terminated = []

        class Suicidal(GenServer):
            async def handle_cast(self, request: Term) -> None:
                await self.node.stop()

            async def terminate(self, reason: Term) -> None:
                terminated.append(reason)

        node = await Ports().node("a").start()
        pid = await node.start_server(Suicidal)
        await node.cast(pid, 1)
        await node.wait_closed()
        await until(lambda: terminated)
        assert terminated == [SHUTDOWN]

    async def test_twice_at_once_both_wait_for_the_end(self) -> None:
        go = asyncio.Event()

        class Slow(GenServer):
            async def terminate(self, reason: Term) -> None:
                await go.wait()

        node = await Ports().node("a").start()
        await node.start_server(Slow)
        stops = [asyncio.ensure_future(node.stop()) for _ in range(2)]
        done, _ = await asyncio.wait(stops, timeout=0)
        assert not done
        go.set()
        await asyncio.gather(*stops, node.wait_closed())

    async def test_a_stop_goes_on_when_its_waiter_is_cancelled(self) -> None:
        go = asyncio.Event()

        class Slow(GenServer):
            async def terminate(self, reason: Term) -> None:
                await go.wait()

        node = await Ports().node("a").start()
        await node.start_server(Slow)
        stopping = asyncio.ensure_future(node.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        go.set()
        await node.wait_closed()
        await node.start()
        await node.stop()

    async def test_nothing_is_left_of_it(self) -> None:
        before = {task for task in asyncio.all_tasks() if not task.done()}
        async with nodes("a", "b") as (a, b):
            await a.spawn(echo)
            await a.start_server(GenServer)
            await a.connect(b.name)
        await asyncio.sleep(0)
        gc.collect()
        assert {task for task in asyncio.all_tasks() if not task.done()} <= before
        assert len(a._router.registry) == 0
        assert (a._router.sessions, a._router._touching, a._router._aliases) == ({}, {}, {})


class TestConnecting:
    async def test_both_see_each_other(self, pair: list[Node]) -> None:
        a, b = pair
        assert await a.connect(b.name) is True
        assert await a.connect(b.name) is True
        assert await a.connect(a.name) is True
        await until(b.list)
        assert (a.list(), b.list()) == ([b.name], [a.name])
        assert await a.ping(b.name)
        assert await b.ping(a.name)

    async def test_kinds_of_lists(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b") as b, ports.node("h", hidden=True) as h:
            await a.connect(b.name)
            await h.connect(a.name)
            await until(lambda: len(a.list("connected")) == 2)
            assert (a.list(), a.list("visible"), a.list("hidden")) == ([b.name], [b.name], [h.name])
            assert set(a.list("connected")) == {b.name, h.name}
            assert (h.list(), h.list("hidden")) == ([], [a.name])
            await a.disconnect(b.name)
            assert set(a.list("known")) == {a.name, b.name, h.name}
            assert all(type(name) is str for name in a.list("known"))
            with pytest.raises(ConfigError, match="'visible'"):
                a.list("other")

    async def test_disconnect(self, pair: list[Node]) -> None:
        a, b = pair
        assert await a.disconnect(b.name) is False
        await a.connect(b.name)
        assert await a.disconnect(b.name) is True
        assert a.list() == []
        await until(lambda: b.list() == [])
        assert await b.ping(a.name) is True  # and again

    async def test_monitor_nodes_frames_the_messages_of_a_connection(self, pair: list[Node]) -> None:
        a, b = pair
        order: list[Any] = []

        async def inbox(me: Process) -> None:
            async for message in me:
                order.append(message)  # noqa: PERF401 - as it comes

        await b.spawn(inbox, name="inbox")
        b._events.listen(order.append)
        events = b.monitor_nodes()
        await a.send(("inbox", b.name), 1)
        await a.stop()
        assert await event(events) == NodeUp(a.name)
        assert await event(events) == NodeDown(a.name, "connection_closed")
        await until(lambda: len(order) == 3)
        assert order[0] == NodeUp(a.name)
        assert 1 in order

    @pytest.mark.parametrize(
        ("peer", "stage", "text"),
        [
            ("nohost", "name", "nohost"),
            ("b@short", "name", "long name"),
            ("b@does-not-exist.invalid", "dns", "does not resolve"),
            ("b@127.0.0.1", "port", "port"),
        ],
    )
    async def test_each_failure_says_its_stage(self, peer: str, stage: str, text: str) -> None:
        async with Ports().node("a") as node:
            with pytest.raises(ConnectFailed, match=text) as caught:
                await node.connect(peer)
            assert (caught.value.stage, caught.value.peer) == (stage, peer)
            assert await node.ping(peer) is False

    async def test_a_port_where_nobody_listens(self) -> None:
        async with Ports().node("a", peer_ports=free_port()) as node:
            with pytest.raises(ConnectFailed) as caught:
                await node.connect("b@127.0.0.1")
            assert caught.value.stage == "port"

    async def test_a_wrong_cookie(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b", cookie="other") as b:
            for one, two in ((a, b), (b, a)):
                with pytest.raises(ConnectFailed, match="cookie") as caught:
                    await one.connect(two.name, timeout=30)
                assert caught.value.stage == "cookie"
            assert (a.list(), b.list()) == ([], [])
            assert (a._peers._incoming, a._peers._attempts) == ({}, {})

    async def test_a_cookie_for_one_peer(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b", cookie="other") as b:
            a.set_cookie(b.name, "other")
            assert await a.connect(b.name)
            await a.disconnect(b.name)
            await until(lambda: b.list() == [])
            assert await b.ping(a.name)

    async def test_another_node_on_that_port(self) -> None:
        ports = Ports()
        ports.of["c@127.0.0.1"] = ports.of["b@127.0.0.1"]
        async with ports.node("a") as a, ports.node("b") as b:
            with pytest.raises(ConnectFailed) as caught:
                await a.connect("c@127.0.0.1")
            assert caught.value.stage == "name"
            assert (a.list(), b.list()) == ([], [])

    async def test_too_late(self) -> None:
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Ports().node("a", peer_ports=port) as node:
            with pytest.raises(ConnectFailed, match="no connection within 0 s") as caught:
                await node.connect("mute@127.0.0.1", timeout=0)
            assert caught.value.stage == "timeout"
            assert await node.ping("mute@127.0.0.1", timeout=0) is False
        server.close()

    async def test_a_third_node_is_not_disturbed_by_the_stop_of_one(self) -> None:
        async with nodes("a", "b", "c") as (a, b, c):
            await a.connect(b.name)
            await b.connect(c.name)
            for node in (a, b, c):
                await until(lambda node=node: len(node.list()) == 2)
            await b.stop()
            await until(lambda: (a.list(), c.list()) == ([c.name], [a.name]))
            assert await a.ping(c.name)
            assert (a.list(), c.list()) == ([c.name], [a.name])


class TestDynamicNames:
    async def test_the_first_peer_names_it(self) -> None:
        ports = Ports()
        async with (
            ports.node("a") as a,
            Node(None, cookie=COOKIE, epmd=False, peer_ports=ports.of) as node,
        ):
            assert (node.name, node.hidden, node.creation, node.port) == (NO_NAME, True, 0, None)
            await node.connect(a.name)
            assert node.name.count("@") == 1
            assert node.name != NO_NAME
            await until(lambda: a.list("hidden") == [node.name])
            assert await node.ping(a.name)
            await node.disconnect(a.name)
            name = node.name
            assert await node.ping(a.name)
            assert node.name == name

    async def test_two_peers_at_once_give_one_name(self) -> None:
        async with (
            nodes("a", "b") as (a, b),
            Node(None, cookie=COOKIE, epmd=False, peer_ports=a._peer_ports) as node,
        ):
            await asyncio.gather(node.connect(a.name), node.connect(b.name))
            await until(lambda: a.list("hidden") and b.list("hidden"))
            assert a.list("hidden") == b.list("hidden") == [node.name]

    async def test_relations_made_before_the_name_hold_after_it(self) -> None:
        ports = Ports()
        async with (
            ports.node("a") as a,
            Node(None, cookie=COOKIE, epmd=False, peer_ports=ports.of) as node,
            node.process("me") as me,
        ):
            early = await node.spawn(echo)
            linked = await node.spawn(lambda me: asyncio.Event().wait())
            me.trap_exit = True
            ref = await me.monitor(early)
            await me.link(linked)
            alias, old = me.alias(), me.pid
            await node.connect(a.name)
            assert me.pid != old
            for dest in (old, alias, me.pid):
                await me.send(dest, 1)
                assert await me.receive(30) == 1
            await me.exit(early, BOOM)
            word, got, kind, pid, reason = await me.receive(30)
            assert (word, got, kind, reason) == ("DOWN", ref, "process", BOOM)
            assert pid.node == node.name
            await me.exit(linked, BOOM)
            word, pid, reason = await me.receive(30)
            assert (word, pid.node, reason) == ("EXIT", node.name, BOOM)


class TestMessages:
    async def test_to_pids_names_and_aliases_of_another_node(self, pair: list[Node]) -> None:
        a, b = pair
        async with b.process("inbox") as me:
            for number, dest in enumerate((me.pid, ("inbox", b.name), me.alias())):
                await a.send(dest, number)
            assert [await me.receive(30) for _ in range(3)] == [0, 1, 2]
            await a.send("nobody", 1)
            await b.send("inbox", 3)
            assert await me.receive(30) == 3
            with pytest.raises(EncodeError):
                await a.send(me.pid, object())
            with pytest.raises(ConnectFailed):
                await a.send(("x", "far@127.0.0.1"), 1)

    async def test_calls_and_casts(self, pair: list[Node]) -> None:
        a, b = pair
        log: list[Term] = []

        class Server(GenServer):
            async def handle_call(self, request: Term, caller: Any) -> Term:
                return (request, *log)

            async def handle_cast(self, request: Term) -> None:
                log.append(request)

        await b.start_server(Server, name="server")
        await a.cast(("server", b.name), 1)
        await a.abcast([b.name, "far@127.0.0.1"], "server", 2)
        assert await a.call(("server", b.name), Atom("x")) == ("x", 1, 2)
        assert await a.multi_call([b.name], "server", Atom("x")) == ({b.name: ("x", 1, 2)}, {})
        with pytest.raises(NoProc):
            await a.call(("nobody", b.name), 1, timeout=None)
        assert a._client.requests == {}

    async def test_the_loss_of_a_node_is_noticed_by_everybody(self, pair: list[Node]) -> None:
        a, b = pair
        pid = await b.spawn(lambda me: asyncio.Event().wait())
        async with a.process() as me:
            me.trap_exit = True
            ref = await me.monitor(pid)
            await me.link(pid)
            await a.disconnect(b.name)
            assert await me.receive(30) == ("EXIT", pid, NOCONNECTION)
            assert await me.receive(30) == ("DOWN", ref, "process", pid, NOCONNECTION)

    async def test_text(self) -> None:
        async with Ports().node("a", text="utf8") as node, node.process() as me:
            await node.send(me.pid, ["café", b"\xff"])
            assert await me.receive(30) == ["café", b"\xff"]


class TestProcesses:
    async def test_spawn_with_name_link_and_monitor(self, pair: list[Node]) -> None:
        a, _ = pair
        async with a.process() as me:
            me.trap_exit = True

            async def body(new: Process, reason: Term) -> None:
                raise Exit(reason)

            pid = await a.spawn(body, BOOM, name="new", link=me.pid, monitor=me.pid)
            assert a.whereis("new") == pid
            assert await me.receive(30) == ("EXIT", pid, BOOM)
            assert (await me.receive(30))[3:] == (pid, BOOM)

    async def test_spawn_tied_to_a_stranger_starts_nothing(self, pair: list[Node]) -> None:
        a, b = pair
        stranger = await b.spawn(echo)
        for ties in ({"link": stranger}, {"monitor": stranger}):
            with pytest.raises(ConfigError, match="not a living process of this node"):
                await a.spawn(echo, name="x", **ties)
        assert a.whereis("x") is None

    async def test_names(self, pair: list[Node]) -> None:
        a, _ = pair
        pid = await a.spawn(echo)
        a.register("echo", pid)
        assert a.whereis("echo") == pid
        assert "echo" in a.registered()
        with pytest.raises(NameTaken):
            a.register("echo", pid)
        for taken in (a.spawn(echo, name="echo"), a.process("echo").__aenter__()):
            before = len(a._router.registry)
            with pytest.raises(NameTaken):
                await taken
            assert len(a._router.registry) == before
        assert a.unregister("echo") is True
        assert a.unregister("echo") is False
        assert a.whereis("echo") is None

    async def test_services_are_registered(self, pair: list[Node]) -> None:
        assert {"net_kernel", "rex", "global_name_server", "user"} <= set(pair[0].registered())

    async def test_a_block_has_its_node(self, pair: list[Node]) -> None:
        async with pair[0].process() as me:
            assert me.node is pair[0]
            pid: Pid = me.pid
        async with pair[0].process() as me:
            ref = await me.monitor(pid)
            assert (await me.receive(30))[:2] == ("DOWN", ref)
        assert me.exit_reason == NORMAL


class TestExports:
    async def test_as_a_call_and_as_a_decorator(self, pair: list[Node]) -> None:
        a, b = pair

        def mean(values: list[int]) -> float:
            return sum(values) / len(values)

        assert b.export("py.stats", "mean", mean) is mean

        @b.export("py.stats")
        async def total(values: list[int]) -> int:
            return sum(values)

        @b.export("py.stats", "sum")
        def other(values: list[int]) -> int:
            return sum(values)

        assert await a.rpc(b.name, "py.stats", "mean", [[1, 2]]) == 1.5
        assert await a.rpc(b.name, "py.stats", "total", [[1, 2]]) == 3
        assert await a.rpc(b.name, "py.stats", "sum", [[1, 2]]) == 3

    async def test_streams_too(self, pair: list[Node]) -> None:
        a, b = pair

        async def count(top: int) -> AsyncIterator[int]:
            for number in range(top):
                yield number

        assert b.export_stream("py.stats", "count", count) is count
        assert b.export_stream("py.stats", target=count) is count
        assert b.export_stream("py.stats", "one_by_one", window=1)(count) is count
        async with a.process() as me:
            for name in ("count", "one_by_one"):
                pid, ref = await me.spawn_monitor(b.name, "py.stats", name, [1])
                assert await me.receive(30) == (pid, ("data", 0))
                assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)


class TestHostilePeers:
    async def test_a_message_that_does_not_decode_ends_that_connection_alone(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with nodes("a", "b", "c") as (a, b, c):
            await b.connect(a.name)
            await c.connect(a.name)
            await until(lambda: len(a.list()) == 2)
            async with a.process("inbox") as me:
                with caplog.at_level(logging.WARNING):
                    session = b._router.sessions[a.name]
                    from pyerlnode.wire.control import SendSender

                    session.send(SendSender(b._client.pid, me.pid), b"\xff")
                    await until(lambda: a.list() == [c.name])
                await c.send(("inbox", a.name), 1)
                assert await me.receive(30) == 1
                with suppress(ConnectFailed):
                    await b.send(me.pid, 2)
                assert await me.receive(30) == 2
