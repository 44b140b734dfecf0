"""Processes whose body is a plain ``with`` block, on a node that is alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import pyerlnode
from pyerlnode import sync
from pyerlnode.errors import Exit, NameTaken
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.term import Atom, Pid

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["asyncio", "auto"])
def node(request: pytest.FixtureRequest) -> Iterator[sync.Node]:
    with sync.Node("py@127.0.0.1", cookie="cookie", listen=False, epmd=False, loop=request.param) as node:
        yield node


class Echo(GenServer):
    async def handle_call(self, request: Any, caller: Any) -> Any:
        return request


def test_messages_reach_a_process_and_are_received_selectively(node: sync.Node) -> None:
    with node.process("inbox") as me:
        node.send(me.pid, "one")
        node.send("inbox", (Atom("two"), 2))
        me.send((b"inbox".decode(), node.name), 3)
        node.cast("inbox", "four")
        node.abcast([node.name], "inbox", "five")
        assert me.receive(match=lambda message: message == 3) == 3
        assert me.message_queue_len == 4
        assert me.receive(timeout=5) == b"one"
        assert next(me) == (Atom("two"), 2)
        assert [me.receive(timeout=5)[1], me.receive(timeout=5)[1]] == [b"four", b"five"]
        with pytest.raises(TimeoutError):
            me.receive(timeout=0)
        assert node.whereis("inbox") == me.pid
        assert me.node is node
        assert "inbox" in repr(me)
    assert node.whereis("inbox") is None


def test_a_process_calls_and_has_aliases(node: sync.Node) -> None:
    node.start_server(Echo, name="echo")
    with node.process() as me:
        me.register("me")
        assert me.call("echo", 5) == 5
        me.cast("me", "cast")
        assert me.receive(timeout=5) == (Atom("$gen_cast"), b"cast")
        alias = me.alias()
        node.send(alias, "hello")
        assert me.receive(timeout=5) == b"hello"
        assert me.unalias(alias)
        assert not me.unalias(alias)
        assert me.group_leader is None or isinstance(me.group_leader, Pid)
        me.group_leader = me.pid
        assert me.group_leader == me.pid


def test_a_spawned_coroutine_runs_beside_the_script(node: sync.Node) -> None:
    async def doubler(me: pyerlnode.Process, factor: int) -> None:
        sender, number = await me.receive()
        await me.send(sender, number * factor)

    pid = node.spawn(doubler, 2, name="doubler")
    with node.process() as me:
        ref = me.monitor("doubler")
        me.send(pid, (me.pid, 21))
        assert me.receive(timeout=5) == 42
        assert me.receive(timeout=5) == (Atom("DOWN"), ref, "process", ("doubler", node.name), "normal")


def test_links_and_exit_signals(node: sync.Node) -> None:
    async def sleeper(me: pyerlnode.Process) -> None:
        await me.receive()

    with node.process() as me:
        me.trap_exit = True
        assert me.trap_exit
        pid, other = node.spawn(sleeper), node.spawn(sleeper)
        me.link(pid)
        me.link(other)
        me.unlink(other)
        me.exit(pid, Atom("enough"))
        assert me.receive(timeout=5) == (Atom("EXIT"), pid, Atom("enough"))
        ref = me.monitor(other)
        assert me.demonitor(ref, flush=True)
        me.exit(other, "kill")
        with pytest.raises(TimeoutError):
            me.receive(timeout=0)


def test_an_exit_signal_ends_a_block_that_waits(node: sync.Node) -> None:
    async def shooter(me: pyerlnode.Process, target: Pid) -> None:
        await me.exit(target, Atom("shot"))

    with pytest.raises(Exit) as caught, node.process() as me:
        node.spawn(shooter, me.pid)
        me.receive()
    assert caught.value.reason == "shot"


def test_an_exit_signal_that_nobody_saw_is_raised_at_the_end_of_the_block(node: sync.Node) -> None:
    with pytest.raises(Exit) as caught, node.process() as me, node.process() as other:
        other.exit(me.pid, Atom("shot"))
        ref = other.monitor(me.pid)
        assert other.receive(timeout=5)[1] == ref
    assert caught.value.reason == "shot"


def test_an_error_in_the_block_is_the_reason_that_others_see(node: sync.Node) -> None:
    with node.process() as watcher:
        with pytest.raises(Exit), node.process() as me:
            watcher.monitor(me.pid)
            raise Exit(Atom("because"))
        assert watcher.receive(timeout=5)[4] == "because"


def test_leaving_the_block_by_an_interrupt_ends_the_process(node: sync.Node) -> None:
    with suppress(KeyboardInterrupt), node.process("me"):
        raise KeyboardInterrupt
    assert node.whereis("me") is None


def test_a_taken_name_is_refused(node: sync.Node) -> None:
    with node.process("me"), pytest.raises(NameTaken), node.process("me"):
        pytest.fail("there cannot be two")
