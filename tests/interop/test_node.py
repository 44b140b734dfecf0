"""One Python node and one BEAM of each release: the main job, line by line."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import (
    Atom,
    CallTimeout,
    ConnectFailed,
    GenServer,
    Limits,
    NodeDown,
    NodeUp,
    NoProc,
    Pid,
    RemoteError,
    RemoteExit,
)
from tests.interop.nodes import Echo, fresh_name, python_node, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode import Node
    from pyerlnode.term import Term
    from tests.interop.conftest import Starter
    from tests.support.beam import Beam
    from tests.support.beams import Release

ECHO = """
case whereis(echo) of
    undefined -> register(echo, spawn(fun L() -> receive {From, Term} -> From ! {echo, Term}, L() end end));
    _ -> ok
end
"""


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with python_node() as node:
        yield node


class TestConnecting:
    async def test_from_here(self, node: Node, shared_beam: Beam) -> None:
        assert await node.connect(shared_beam.name) is True

        assert node.list() == [shared_beam.name]
        assert await shared_beam.eval("nodes()") == f"['{node.name}']"

    async def test_from_there(self, node: Node, shared_beam: Beam) -> None:
        assert await shared_beam.eval(f"net_kernel:connect_node('{node.name}')") == "true"

        assert node.list() == [shared_beam.name]
        assert await shared_beam.eval("nodes()") == f"['{node.name}']"

    async def test_pings_both_ways(self, node: Node, shared_beam: Beam) -> None:
        assert await node.ping(shared_beam.name)
        assert await shared_beam.eval(f"net_adm:ping('{node.name}')") == "pong"

    async def test_connecting_twice_and_to_oneself_is_true(self, node: Node, shared_beam: Beam) -> None:
        assert await node.connect(shared_beam.name)
        assert await node.connect(shared_beam.name)
        assert await node.connect(node.name)
        assert node.list() == [shared_beam.name]

    async def test_a_hidden_node_is_seen_as_hidden(self, shared_beam: Beam) -> None:
        async with python_node(hidden=True) as node:
            await node.connect(shared_beam.name)

            assert await shared_beam.eval("{nodes(), nodes(hidden)}") == f"{{[],['{node.name}']}}"
            assert node.list() == []
            assert node.list("hidden") == [shared_beam.name]

    async def test_a_dynamic_name_is_given_by_the_peer(self, shared_beam: Beam) -> None:
        async with python_node(None) as anchor, _nameless() as node:
            assert node.name == "nonode@nohost"
            await node.connect(shared_beam.name)

            assert await shared_beam.eval("nodes(hidden)") == f"['{node.name}']"
            assert node.name.endswith("@" + node.name.partition("@")[2])
            await node.start_server(Echo, name="echo_here")
            assert await shared_beam.eval(f"gen_server:call({{echo_here, '{node.name}'}}, hello)") == "hello"
            assert anchor.name not in node.list("connected")

    @pytest.mark.beam(since=25)
    async def test_we_give_a_name_to_a_beam_that_has_none(self, release: Release, beams: Starter) -> None:
        beam = await beams(release, distributed=False, elixir=False)
        async with python_node("namer@localhost") as node:
            await beam.eval("net_kernel:start(undefined, #{name_domain => shortnames, dist_listen => false})")
            await beam.eval("erlang:set_cookie(cookie)")
            assert await beam.eval("net_kernel:connect_node(namer@localhost)") == "true"

            [name] = node.list("hidden")
            assert await beam.eval(f"node() =:= '{name}'") == "true"
            assert await node.rpc(name, "erlang", "node", []) == name
            await node.start_server(Echo, name="echo")
            assert await beam.eval("gen_server:call({echo, namer@localhost}, self()) =:= self()") == "true"

    async def test_disconnect_is_known_on_both_sides(self, node: Node, shared_beam: Beam) -> None:
        await node.connect(shared_beam.name)

        assert await node.disconnect(shared_beam.name) is True
        assert await node.disconnect(shared_beam.name) is False
        assert node.list() == []

        async def alone() -> bool:
            return await shared_beam.eval("nodes(connected)") == "[]"

        await until(alone)

    async def test_an_unknown_name_fails_at_epmd(self, node: Node, shared_beam: Beam) -> None:
        with pytest.raises(ConnectFailed, match="knows no node 'nobody'") as failed:
            await node.connect("nobody@127.0.0.1")
        assert failed.value.stage == "epmd"
        assert await node.ping("nobody@127.0.0.1") is False

    async def test_a_short_name_is_refused_before_dialling(self, node: Node, shared_beam: Beam) -> None:
        with pytest.raises(ConnectFailed, match="does not mix") as failed:
            await node.connect("node@localhost")
        assert failed.value.stage == "name"


class TestCookies:
    async def test_a_wrong_one_here_is_a_clear_error(self, shared_beam: Beam) -> None:
        async with python_node(cookie="another") as node:
            with pytest.raises(ConnectFailed, match="cookie") as failed:
                await node.connect(shared_beam.name)
            assert failed.value.stage == "cookie"
            assert "another" not in str(failed.value)
            assert not await node.ping(shared_beam.name)
            with pytest.raises(NodeDown, match="cookie"):
                await node.call(("any", shared_beam.name), 1)
            with pytest.raises(ConnectFailed, match="cookie"):
                await node.send(("any", shared_beam.name), 1)

    async def test_a_wrong_one_there_is_a_pang(
        self, shared_beam: Beam, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with python_node(cookie="another") as node:
            assert await shared_beam.eval(f"net_adm:ping('{node.name}')") == "pang"
            assert any("cookie" in record.getMessage() for record in caplog.records)
            assert "another" not in caplog.text

    async def test_one_of_its_own_for_a_peer(self, shared_beam: Beam) -> None:
        async with python_node(cookie="another") as node:
            node.set_cookie(shared_beam.name, "cookie")
            assert await node.connect(shared_beam.name)


class TestCalls:
    async def test_a_gen_server_there(self, node: Node, shared_beam: Beam) -> None:
        children = await node.call(("kernel_sup", shared_beam.name), Atom("which_children"))
        assert any(child[0] == "global_name_server" for child in children)

    async def test_a_gen_server_here(self, node: Node, shared_beam: Beam) -> None:
        await node.start_server(Echo, name="model")
        call = f"gen_server:call({{model, '{node.name}'}}, {{predict, [1, 2.0, <<\"x\">>], #{{k => v}}}})"
        assert await shared_beam.eval(call) == '{predict,[1,2.0,<<"x">>],#{k => v}}'

    async def test_an_unknown_name_there_is_noproc(self, node: Node, shared_beam: Beam) -> None:
        with pytest.raises(NoProc, match="nobody_there"):
            await node.call(("nobody_there", shared_beam.name), 1, timeout=30)

    async def test_an_unknown_name_here_is_noproc(self, node: Node, shared_beam: Beam) -> None:
        answer = await shared_beam.eval(f"catch gen_server:call({{nobody, '{node.name}'}}, hello, 30000)")
        assert answer.startswith("{'EXIT',{noproc,{gen_server,call,")

    async def test_monitors_of_nobody_here_fire_at_once(self, node: Node, shared_beam: Beam) -> None:
        watch = (
            "R = erlang:monitor(process, {}), receive {{'DOWN', R, process, Who, Why}} -> {{Who, Why}} end"
        )
        by_name = await shared_beam.eval(watch.format(f"{{nobody, '{node.name}'}}"))
        assert by_name == f"{{{{nobody,'{node.name}'}},noproc}}"
        pid = await node.spawn(_return_at_once)
        reference = await shared_beam.eval(watch.format("binary_to_term(P)"), P=_encoded(pid))
        assert reference.endswith((",noproc}", ",normal}"))

    async def test_an_exit_there_is_a_remote_exit_here(self, node: Node, shared_beam: Beam) -> None:
        await shared_beam.eval(
            "case whereis(fragile) of undefined -> register(fragile,"
            " spawn(fun() -> receive _ -> exit(broken) end end)); _ -> ok end"
        )
        with pytest.raises(RemoteExit, match="broken") as failed:
            await node.call(("fragile", shared_beam.name), 1, timeout=30)
        assert failed.value.reason == "broken"

    async def test_an_exception_here_is_an_exit_there(self, node: Node, shared_beam: Beam) -> None:
        class Fragile(GenServer):
            async def handle_call(self, request: Term, caller: Any) -> Term:
                raise ValueError("no such model")

        await node.start_server(Fragile, name="fragile")
        call = f"gen_server:call({{fragile, '{node.name}'}}, x, 30000)"
        reason = await shared_beam.eval(f"{{'EXIT', {{{{Error, _Stack}}, _}}}} = (catch {call}), Error")
        assert "ValueError: no such model" in reason

    async def test_a_reply_that_comes_too_late_vanishes(self, node: Node, shared_beam: Beam) -> None:
        await shared_beam.eval(
            "case whereis(slow) of undefined -> register(slow, spawn(fun L() ->"
            " receive {'$gen_call', From, wait} -> receive go -> gen:reply(From, late) end, L();"
            " {'$gen_call', From, X} -> gen:reply(From, X), L() end end)); _ -> ok end"
        )
        async with node.process() as me:
            with pytest.raises(CallTimeout):
                await me.call(("slow", shared_beam.name), Atom("wait"), timeout=0.1)
            await me.send(("slow", shared_beam.name), Atom("go"))

            assert await me.call(("slow", shared_beam.name), Atom("next"), timeout=30) == "next"
            assert me.message_queue_len == 0

    async def test_casts_both_ways(self, node: Node, shared_beam: Beam) -> None:
        casts: asyncio.Queue[Term] = asyncio.Queue()

        class Taker(GenServer):
            async def handle_cast(self, request: Term) -> None:
                casts.put_nowait(request)

        await node.start_server(Taker, name="taker")
        await shared_beam.eval(f"gen_server:cast({{taker, '{node.name}'}}, {{n, 1}})")
        assert await casts.get() == ("n", 1)
        async with node.process(name="listener") as me:
            await shared_beam.eval(
                "catch unregister(waiter), register(waiter, spawn(fun() ->"
                f" receive {{'$gen_cast', M}} -> {{listener, '{node.name}'}} ! M end end))"
            )
            await node.cast(("waiter", shared_beam.name), Atom("hello"))
            assert await me.receive(30) == "hello"

    async def test_rpc_there(self, node: Node, shared_beam: Beam) -> None:
        assert await node.rpc(shared_beam.name, "lists", "reverse", [[1, 2, 3]]) == [3, 2, 1]
        with pytest.raises(RemoteError, match=r"\(ArithmeticError\)") as failed:
            await node.rpc(shared_beam.name, "erlang", "+", [1, Atom("a")])
        assert failed.value.kind == "error"

    async def test_calls_here_beyond_the_limit_are_refused(self, shared_beam: Beam) -> None:
        begun, go = asyncio.Event(), asyncio.Event()

        async def wait() -> bool:
            begun.set()
            return await go.wait()

        async with python_node(limits=Limits(spawned=1)) as node:
            node.export("py", "wait", wait)
            call = f"try erpc:call('{node.name}', py, wait, []) catch C:R -> {{C, R}} end"
            first = asyncio.ensure_future(shared_beam.eval(call))
            await begun.wait()
            assert await shared_beam.eval(call) == "{error,{erpc,system_limit}}"
            go.set()
            assert await first == "true"

    async def test_casts_and_multicalls_there(self, node: Node, shared_beam: Beam) -> None:
        name = shared_beam.name
        async with node.process() as me:
            await node.rpc_cast(name, "erlang", "send", [me.pid, Atom("cast")])
            assert await me.receive(10) == "cast"
        results, errors = await node.multicall([name, "nobody@127.0.0.1"], "lists", "sum", [[1, 2]])
        assert (results, list(errors)) == ({name: 3}, ["nobody@127.0.0.1"])
        _, errors = await node.multicall([name], "erlang", "hd", [[]])
        assert isinstance(errors[name], RemoteError)

    async def test_processes_started_there(self, node: Node, shared_beam: Beam) -> None:
        name = shared_beam.name
        async with node.process() as me:
            me.trap_exit = True
            pid, ref = await me.spawn_monitor(name, "erlang", "exit", [Atom("boom")], link=True)
            got = [await me.receive(10), await me.receive(10)]
            assert got == [("EXIT", pid, "boom"), ("DOWN", ref, "process", pid, "boom")]
            pid, ref = await me.spawn_monitor(name, "nobody", "home")
            match await me.receive(10):
                case ("DOWN", where, "process", who, ("undef", _)):
                    assert (where, who) == (ref, pid)
            pid = await node.spawn_remote(name, "timer", "sleep", [60_000], link=me.pid)
            assert await node.rpc(name, "erlang", "is_process_alive", [pid]) is True
            await me.exit(pid, Atom("kill"))
            assert await me.receive(10) == ("EXIT", pid, "killed")

    async def test_rpc_here_reaches_exports_alone(self, node: Node, shared_beam: Beam) -> None:
        node.export("py.math", "mean", lambda xs: sum(xs) / len(xs))

        assert await shared_beam.eval(f"rpc:call('{node.name}', 'py.math', mean, [[1, 2, 3]])") == "2.0"
        assert await shared_beam.eval(f"erpc:call('{node.name}', 'py.math', mean, [[1, 2, 3]])") == "2.0"
        undefined = await shared_beam.eval(f"rpc:call('{node.name}', os, cmd, [\"id\"])")
        assert undefined.startswith("{badrpc,{'EXIT',{undef,")

    async def test_a_blocking_handler_delays_nobody_else(self, node: Node, shared_beam: Beam) -> None:
        done: list[float] = []

        class Blocking(GenServer):
            def handle_call(self, request: Term, caller: Any) -> Term:
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    sum(range(1000))
                done.append(time.monotonic())
                return Atom("done")

        await node.start_server(Blocking, name="blocking")
        call = asyncio.create_task(
            shared_beam.eval(f"gen_server:call({{blocking, '{node.name}'}}, go, 30000)", timeout=30)
        )
        pings = [await shared_beam.eval(f"net_adm:ping('{node.name}')") for _ in range(10)]
        assert pings == ["pong"] * 10
        assert not done, "the pings came only after the handler was done"
        assert await call == "done"


class TestMessages:
    async def test_selective_receive_of_what_a_beam_sends(self, node: Node, shared_beam: Beam) -> None:
        async with node.process(name="inbox") as me:
            await shared_beam.eval(f"[{{inbox, '{node.name}'}} ! {{n, N}} || N <- lists:seq(1, 5)]")
            assert await me.receive(30, match=lambda message: message == ("n", 4)) == ("n", 4)
            assert [await me.receive(30) for _ in range(4)] == [("n", n) for n in (1, 2, 3, 5)]

    async def test_large_and_small_ones_from_two_processes(self, node: Node, shared_beam: Beam) -> None:
        """10 MB and 200 bytes at once, both ways; each arrives whole."""
        await shared_beam.eval(ECHO)

        async def exchange(size: int) -> None:
            async with node.process() as me:
                data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
                await me.send(("echo", shared_beam.name), (me.pid, data))
                assert await me.receive(30) == ("echo", data)

        await node.connect(shared_beam.name)
        await asyncio.gather(exchange(10_000_000), *(exchange(200) for _ in range(20)))

    async def test_a_monitored_process_there_ends(self, node: Node, shared_beam: Beam) -> None:
        async with node.process() as me:
            pid = await node.rpc(shared_beam.name, "erlang", "spawn", [Atom("timer"), Atom("sleep"), [60000]])
            assert isinstance(pid, Pid)
            ref = await me.monitor(pid)
            await me.exit(pid, Atom("bye"))
            assert await me.receive(30) == ("DOWN", ref, "process", pid, "bye")

    async def test_a_process_here_ends_as_elixir_expects(self, node: Node, shared_beam: Beam) -> None:
        pid = await node.spawn(_wait_for_stop, name="worker")
        watch = (
            "P = binary_to_term(B), R = erlang:monitor(process, P), P ! stop,"
            "receive {'DOWN', R, process, P, Why} -> Why end"
        )
        assert await shared_beam.eval(watch, B=_encoded(pid)) == '{stopped,<<"ok">>}'


class TestLife:
    async def test_killed_there_is_node_down_here(self, node: Node, beam: Beam) -> None:
        events = node.monitor_nodes()
        await node.connect(beam.name)
        beam.kill()

        assert await anext(events) == NodeUp(beam.name)
        down = await anext(events)
        assert isinstance(down, NodeDown)
        assert down.name == beam.name
        assert node.list() == []

    async def test_restarted_there_the_next_send_arrives(
        self, node: Node, release: Release, beams: Starter
    ) -> None:
        name = fresh_name("again")
        first = await beams(release, name=name, elixir=False)
        await node.connect(name)
        first.kill()
        again = await beams(release, name=name, elixir=False)
        await again.eval(ECHO)

        async with node.process() as me:
            await me.send(("echo", name), (me.pid, Atom("hello")))
            assert await me.receive(30) == ("echo", "hello")

    async def test_stopped_here_is_nodedown_there(self, shared_beam: Beam) -> None:
        await shared_beam.eval(
            "catch unregister(watch), Me = self(), register(watch, spawn(fun() ->"
            " net_kernel:monitor_nodes(true), Me ! ready,"
            " receive {nodedown, N} -> receive {tell, Who} -> Who ! {down, N} end end end)),"
            " receive ready -> ok end"
        )
        async with python_node() as node:
            await node.connect(shared_beam.name)
            name = node.name
        answer = await shared_beam.eval("watch ! {tell, self()}, receive {down, N} -> N end")
        assert answer == f"'{name}'"

    async def test_calls_fail_at_once_when_the_node_dies(self, node: Node, beam: Beam) -> None:
        await beam.eval("register(silent, spawn(fun() -> receive after infinity -> ok end end))")
        await node.connect(beam.name)
        call = asyncio.create_task(node.call(("silent", beam.name), 1, timeout=None))
        async with node.process() as me:
            await me.monitor(("silent", beam.name))
            beam.kill()
            with pytest.raises(NodeDown):
                await call
            down = await me.receive(30)
            assert down[3:] == (("silent", beam.name), "noconnection")


def _encoded(term: Term) -> bytes:
    from pyerlnode.term import encode

    return encode(term)


async def _return_at_once(me: Any) -> None:
    return


async def _wait_for_stop(me: Any) -> None:
    from pyerlnode import Exit

    assert await me.receive() == "stop"
    raise Exit((Atom("stopped"), b"ok"))


def _nameless() -> Any:
    from pyerlnode import Node

    return Node(None, cookie="cookie")
