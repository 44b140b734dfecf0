"""A server: one message after the other, and what becomes of callers when something goes wrong."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import node as node_module
from pyerlnode.errors import Exit, NameTaken, NoProc, RemoteExit
from pyerlnode.otp.gen_server import Caller, GenServer, Ignore, NoReply, Stop, presentable
from pyerlnode.otp.server import ask_to_stop
from pyerlnode.runtime.exits import KILL, KILLED, NORMAL, SHUTDOWN
from pyerlnode.term import Atom
from tests.support.nodes import Ports, until

if TYPE_CHECKING:
    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Pid, Term

BOOM = Atom("boom")


async def down(me: Process, pid: Pid) -> Any:
    """The reason that `pid` ends with."""
    ref = await me.monitor(pid)
    async with asyncio.timeout(30):
        message = await me.receive(match=lambda m: type(m) is tuple and m[:2] == ("DOWN", ref))
    return message[4]


class Recorder(GenServer):
    """Keeps what comes, and does what it is told."""

    def __init__(self) -> None:
        self.log: list[Term] = []
        self.waiting: list[Caller] = []

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        self.log.append(("call", request))
        match request:
            case "later":
                self.waiting.append(caller)
                return NoReply
            case "crash":
                raise ValueError("so wrong")
            case "unencodable":
                return object()
            case ("stop", reason):
                raise Stop(reason)
            case ("stop", reason, reply):
                raise Stop(reason, reply=reply)
        return ("echo", request)

    async def handle_cast(self, request: Term) -> None:
        self.log.append(("cast", request))
        if request == "answer":
            for caller in self.waiting:
                await caller.reply("at last")

    async def handle_info(self, message: Term) -> None:
        self.log.append(("info", message))

    async def terminate(self, reason: Term) -> None:
        self.log.append(("terminate", reason))


class TestStarting:
    async def test_init_gets_the_arguments_before_anybody_is_served(self, node: Node) -> None:
        class Slow(Recorder):
            async def init(self, *args: Any) -> None:
                calling.append(asyncio.ensure_future(node.call("slow", 1)))
                await until(lambda: self.me.message_queue_len)
                self.log.append(args)

        calling: list[asyncio.Task[Term]] = []
        server = Slow()
        pid = await node.start_server(server, 1, 2, name="slow")
        assert pid == node.whereis("slow") == server.me.pid
        assert server.node is node
        assert await calling[0] == (b"echo", 1)
        assert server.log == [(1, 2), ("call", 1)]

    @pytest.mark.parametrize("plain", [True, False])
    async def test_what_init_raises_start_server_raises(self, node: Node, plain: bool) -> None:
        class Failing(GenServer):
            async def init(self) -> None:
                raise ValueError("no model")

        class PlainFailing(GenServer):
            def init(self) -> None:  # type: ignore[override] # it may be a plain function
                raise ValueError("no model")

        with pytest.raises(ValueError, match="no model"):
            await node.start_server(PlainFailing if plain else Failing, name="x")
        await until(lambda: node.whereis("x") is None)

    async def test_stop_in_init_is_an_exit(self, node: Node) -> None:
        class Unwilling(GenServer):
            async def init(self) -> None:
                raise Stop(BOOM)

        with pytest.raises(Exit) as caught:
            await node.start_server(Unwilling)
        assert caught.value.reason == BOOM

    async def test_a_server_that_is_not_wanted(self, node: Node, caplog: pytest.LogCaptureFixture) -> None:
        class Unwanted(GenServer):
            async def init(self) -> None:
                raise Ignore

        with pytest.raises(Ignore):
            await node.start_server(Unwanted, name="x")
        assert node.whereis("x") is None
        assert not caplog.records

    async def test_killed_in_init_is_an_exit(self, node: Node) -> None:
        class Killed(GenServer):
            async def init(self) -> None:
                self.me.end(BOOM)
                await asyncio.Event().wait()

        with pytest.raises(Exit) as caught:
            await node.start_server(Killed)
        assert caught.value.reason == BOOM

    async def test_killed_before_it_began_is_an_exit(self, node: Node) -> None:
        starting = asyncio.ensure_future(node.start_server(Recorder, name="early"))
        actor: Any = None
        while actor is None:
            await asyncio.sleep(0)
            actor = node._router.registry.whereis("early")
        actor.end(BOOM)
        with pytest.raises(Exit):
            await starting

    async def test_a_name_in_use(self, node: Node) -> None:
        await node.start_server(Recorder, name="x")
        before = len(node._router.registry)
        with pytest.raises(NameTaken):
            await node.start_server(Recorder, name="x")
        assert len(node._router.registry) == before

    async def test_whoever_stops_waiting_for_init_leaves_no_server(self, node: Node) -> None:
        class Endless(GenServer):
            async def init(self) -> None:
                await asyncio.Event().wait()

        starting = asyncio.ensure_future(node.start_server(Endless, name="x"))
        await until(lambda: node.whereis("x"))
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await until(lambda: node.whereis("x") is None)


class TestServing:
    async def test_messages_in_the_order_of_arrival(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        await me.cast(pid, 1)
        await me.send(pid, 2)
        assert await me.call(pid, 3) == (b"echo", 3)
        assert server.log == [("cast", 1), ("info", 2), ("call", 3)]

    async def test_a_reply_may_come_later(self, node: Node, me: Process) -> None:
        pid = await node.start_server(Recorder)
        calling = asyncio.ensure_future(me.call(pid, Atom("later")))
        assert await node.call(pid, 1) == (b"echo", 1)
        await node.cast(pid, Atom("answer"))
        assert await calling == b"at last"

    async def test_down_exit_and_all_else_are_infos(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        server.me.trap_exit = True
        other = await node.spawn(_wait)
        ref = await server.me.monitor(other)
        await server.me.link(other)
        await me.exit(other, BOOM)
        await me.send(pid, [Atom("$gen_cast"), 1])  # a list is no cast
        await me.send(pid, (Atom("$gen_call"), 1, 2))
        await me.call(pid, 0)
        assert server.log[:-1] == [
            ("info", ("EXIT", other, BOOM)),
            ("info", ("DOWN", ref, "process", other, BOOM)),
            ("info", ["$gen_cast", 1]),
            ("info", ("$gen_call", 1, 2)),
        ]

    async def test_plain_functions_run_in_threads_and_hold_nobody_up(self, node: Node) -> None:
        go = threading.Event()

        class Blocking(GenServer):
            def handle_call(self, request: Term, caller: Caller) -> Term:
                return go.wait(30)

        pid = await node.start_server(Blocking)
        calling = asyncio.ensure_future(node.call(pid, 1, timeout=None))
        assert await node.ping(node.name)
        go.set()
        assert await calling is True

    async def test_a_plain_function_that_raises_stop_iteration(self, node: Node) -> None:
        class Exhausted(GenServer):
            def handle_call(self, request: Term, caller: Caller) -> Term:
                return next(iter([]))

        pid = await node.start_server(Exhausted)
        with pytest.raises(RemoteExit, match="StopIteration"):
            await node.call(pid, 1, timeout=None)

    async def test_defaults_say_what_is_missing(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        pid = await node.start_server(GenServer, name="plain")
        await me.send(pid, 1)
        with pytest.raises(RemoteExit, match="GenServer :plain was called, and has no handle_call for :x"):
            await me.call(pid, Atom("x"), timeout=None)
        assert "GenServer :plain received unexpected message in handle_info: 1" in caplog.text
        pid = await node.start_server(GenServer)
        ref = await me.monitor(pid)
        await me.cast(pid, Atom("x"))
        down = await me.receive(30)
        assert down[1] == ref
        assert "has no handle_cast for :x" in str(down[4])


class TestWhatFollows:
    async def test_continue_comes_after_the_answer_and_before_any_message(
        self, node: Node, me: Process
    ) -> None:
        class Continuing(Recorder):
            async def init(self, *args: Any) -> None:
                self.continue_with("init")

            async def handle_call(self, request: Term, caller: Caller) -> Term:
                await self.me.cast(self.me.pid, "waits")
                self.continue_with(("again", 2))
                return await super().handle_call(request, caller)

            async def handle_continue(self, work: Term) -> None:
                self.log.append(("continue", work))
                if type(work) is tuple and work[1]:
                    self.continue_with(("again", work[1] - 1))

        server = Continuing()
        pid = await node.start_server(server)
        assert await me.call(pid, 1) == (b"echo", 1)
        await until(lambda: server.log[-1] == ("cast", b"waits"))
        assert server.log == [
            ("continue", "init"),
            ("call", 1),
            *[("continue", ("again", count)) for count in (2, 1, 0)],
            ("cast", b"waits"),
        ]

    async def test_plain_functions_may_ask_for_it(self, node: Node, me: Process) -> None:
        class Plain(Recorder):
            def handle_call(self, request: Term, caller: Caller) -> Term:
                self.continue_with(request)

            def handle_continue(self, work: Term) -> None:  # type: ignore[override]
                self.log.append(work)

        server = Plain()
        pid = await node.start_server(server)
        assert await me.call(pid, 7) is None
        await until(lambda: server.log == [7])

    async def test_continue_without_a_callback(self, node: Node, me: Process) -> None:
        class Forgetful(GenServer):
            async def handle_cast(self, request: Term) -> None:
                self.continue_with(request)

        pid = await node.start_server(Forgetful)
        ref = await me.monitor(pid)
        await me.cast(pid, 1)
        down = await me.receive(30)
        assert down[1] == ref
        assert "has no handle_continue" in str(down[4])

    async def test_a_timeout_comes_once(self, node: Node, me: Process) -> None:
        class Waking(Recorder):
            async def handle_call(self, request: Term, caller: Caller) -> Term:
                self.set_timeout(request)

        server = Waking()
        pid = await node.start_server(server)
        await me.call(pid, 0)
        await until(lambda: server.log == [("info", "timeout")])
        await me.send(pid, 1)
        await until(lambda: len(server.log) == 2)
        assert server.log == [("info", "timeout"), ("info", 1)]

    async def test_any_message_ends_the_wait(self, node: Node, me: Process) -> None:
        class Waking(Recorder):
            async def init(self, *args: Any) -> None:
                self.set_timeout(60)

        server = Waking()
        pid = await node.start_server(server)
        await me.call(pid, 1)
        assert server.log == [("call", 1)]

    async def test_a_system_message_does_not_end_the_wait(self, node: Node, me: Process) -> None:
        class Waking(Recorder):
            async def handle_call(self, request: Term, caller: Caller) -> Term:
                self.set_timeout(0.05)

        server = Waking()
        pid, tag = await node.start_server(server), me.alias()
        await me.call(pid, 1)
        await me.send(pid, (Atom("system"), (me.pid, tag), Atom("get_state")))
        assert (await me.receive(30))[0] == tag
        await until(lambda: server.log == [("info", "timeout")])

    async def test_the_last_wish_of_a_callback_counts(self, node: Node, me: Process) -> None:
        class Undecided(Recorder):
            async def handle_cast(self, request: Term) -> None:
                self.set_timeout(0)
                self.continue_with(1)
                self.set_timeout(60)

            async def handle_continue(self, work: Term) -> None:
                self.log.append(("continue", work))

        server = Undecided()
        pid = await node.start_server(server)
        await me.cast(pid, 1)
        await me.call(pid, 1)
        assert server.log == [("call", 1)]

    async def test_no_timeout_in_the_past(self) -> None:
        with pytest.raises(ValueError, match="0 or more"):
            GenServer().set_timeout(-1)


class TestEnding:
    async def test_a_crash_tells_the_caller_at_once_and_terminates(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        with pytest.raises(RemoteExit, match="ValueError: so wrong") as caught:
            await me.call(pid, Atom("crash"), timeout=None)
        struct, stack = caught.value.reason  # type: ignore[misc]
        assert struct["__struct__"] == "Elixir.RuntimeError"
        assert stack[0][1] == "handle_call"
        (_, (reason, _)) = server.log[-1]
        assert reason["message"] == b"ValueError: so wrong"

    async def test_a_reply_without_a_term_is_a_crash(self, node: Node, me: Process) -> None:
        pid = await node.start_server(Recorder)
        with pytest.raises(RemoteExit, match="EncodeError"):
            await me.call(pid, Atom("unencodable"), timeout=None)

    async def test_stop_without_reply(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        with pytest.raises(RemoteExit) as caught:
            await me.call(pid, (Atom("stop"), BOOM), timeout=None)
        assert caught.value.reason == BOOM
        assert server.log[-1] == ("terminate", BOOM)

    async def test_stop_with_reply(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        ref = await me.monitor(pid)
        assert await me.call(pid, (Atom("stop"), NORMAL, None)) is None
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)
        assert server.log[-1] == ("terminate", NORMAL)
        with pytest.raises(NoProc):
            await me.call(pid, 1)

    async def test_an_error_in_terminate_is_the_reason(self, node: Node, me: Process) -> None:
        class Careless(Recorder):
            async def terminate(self, reason: Term) -> None:
                raise KeyError("in terminate")

        pid = await node.start_server(Careless)
        with pytest.raises(RemoteExit, match="in terminate"):
            await me.call(pid, (Atom("stop"), NORMAL), timeout=None)

    async def test_sys_terminate(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        ref, tag = await me.monitor(pid), me.alias()
        await me.send(pid, (Atom("system"), (me.pid, tag), (Atom("terminate"), SHUTDOWN)))
        assert await me.receive(30) == (tag, "ok")
        assert await me.receive(30) == ("DOWN", ref, "process", pid, SHUTDOWN)
        assert server.log == [("terminate", SHUTDOWN)]

    async def test_an_exit_signal_ends_it_without_terminate(self, node: Node, me: Process) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        ref = await me.monitor(pid)
        await me.exit(pid, KILL)
        assert await me.receive(30) == ("DOWN", ref, "process", pid, KILLED)
        assert server.log == []

    async def test_being_asked_to_stop_comes_after_what_is_there_already(
        self, node: Node, me: Process
    ) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        ref = await me.monitor(pid)
        await me.cast(pid, 1)
        ask_to_stop(server.me)
        await me.cast(pid, 2)
        assert await me.receive(30) == ("DOWN", ref, "process", pid, SHUTDOWN)
        assert server.log == [("cast", 1), ("terminate", SHUTDOWN)]

    async def test_a_caller_that_is_gone_is_no_error(self, node: Node) -> None:
        server = Recorder()
        pid = await node.start_server(server)
        async with node.process() as short:
            await short.send(pid, (Atom("$gen_call"), (short.pid, short.alias()), Atom("later")))
        await node.cast(pid, Atom("answer"))
        assert await node.call(pid, 1) == (b"echo", 1)


class TestStoppingTheNode:
    async def test_every_server_terminates(self) -> None:
        servers = [Recorder(), Recorder()]
        async with Ports().node("a") as node:
            for server in servers:
                await node.start_server(server)
        assert [server.log for server in servers] == [[("terminate", SHUTDOWN)]] * 2

    async def test_a_server_that_blocks_is_not_waited_for_without_end(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(node_module, "STOP_GRACE", 0.05)
        go, entered = threading.Event(), threading.Event()

        class Blocking(GenServer):
            def handle_call(self, request: Term, caller: Caller) -> Term:
                entered.set()
                return go.wait(30)

        try:
            async with Ports().node("a") as node:
                pid = await node.start_server(Blocking)
                calling = asyncio.ensure_future(node.call(pid, 1, timeout=None))
                await until(entered.is_set)
            with pytest.raises(RemoteExit):
                await calling
        finally:
            go.set()

    async def test_start_server_does_not_outwait_its_node(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Endless(GenServer):
            async def init(self) -> None:
                await asyncio.Event().wait()

        monkeypatch.setattr(node_module, "STOP_GRACE", 0.05)
        async with Ports().node("a") as node:
            starting = asyncio.ensure_future(node.start_server(Endless, name="x"))
            await until(lambda: node.whereis("x"))
        with pytest.raises(Exit) as caught:
            await starting
        assert caught.value.reason == SHUTDOWN


async def _wait(me: Process) -> None:
    await asyncio.Event().wait()


def test_what_has_no_term_is_shown_as_text() -> None:
    assert presentable([1, Atom("a")]) == [1, "a"]
    assert presentable([object]) == b"[<class 'object'>]"
