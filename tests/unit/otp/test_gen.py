"""Calls and casts: what a callee sees, and every error as soon as it is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import CallTimeout, ConnectFailed, EncodeError, NodeDown, NoProc, RemoteExit
from pyerlnode.otp import gen
from pyerlnode.otp.gen import Process
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, ImproperList
from pyerlnode.wire import control as c
from tests.support.nodes import ME, PEER, FakePeer, mailbox, make_router, nodes, until

if TYPE_CHECKING:
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

BOOM = Atom("boom")


@pytest.fixture
def router() -> Router:
    router = make_router()

    async def unreachable(node: str) -> None:
        raise ConnectFailed(node, "dns", "no such host")

    router.reach = unreachable
    return router


@pytest.fixture
def me(router: Router) -> Process:
    return Process(router)


def echo(router: Router, name: str = "echo") -> Reactor:
    def react(message: Term) -> None:
        _, caller, request = message
        reactor.reply(caller, request)

    reactor = Reactor(router, react, name)
    return reactor


class TestCalls:
    async def test_a_reply(self, router: Router, me: Process) -> None:
        echo(router)
        assert await me.call("echo", Atom("hi")) == "hi"

    async def test_what_the_callee_sees(self, router: Router, me: Process) -> None:
        peer = FakePeer(router)
        calling = asyncio.ensure_future(me.call(("x", PEER), [1]))
        await asyncio.sleep(0)
        (monitor, _), (to, (word, (pid, tag), request)) = peer.take()
        assert isinstance(tag, ImproperList)
        assert monitor == c.MonitorP(me.pid, Atom("x"), tag.tail)
        assert (to, word, pid, request) == (c.RegSend(me.pid, Atom("x")), "$gen_call", me.pid, [1])
        assert tag.items == ("alias",)
        peer.says(c.AltactSigSend(4, peer.pid(), tag.tail), (tag, 2))
        assert await calling == 2

    async def test_nobody_of_that_name_is_noproc_at_once(self, me: Process) -> None:
        with pytest.raises(NoProc, match=f"no process nobody at {ME}"):
            await me.call("nobody", 1, timeout=None)

    @pytest.mark.parametrize("by", ["pid", "name", "name and node"])
    async def test_a_body_that_calls_itself_learns_so_at_once(
        self, router: Router, me: Process, by: str
    ) -> None:
        dest = {"pid": me.pid, "name": "me", "name and node": ("me", ME)}[by]
        me.register("me")

        with pytest.raises(RemoteExit, match="called itself") as caught:
            async with me.block():
                await me.call(dest, 1, timeout=None)
        assert caught.value.reason == Atom("calling_self")

    async def test_another_task_may_call_the_process_that_it_works_for(
        self, router: Router, me: Process
    ) -> None:
        async with me.block():
            calling = asyncio.ensure_future(me.call(me.pid, 1, timeout=None))
            _, caller, request = await me.receive(30)
            router.reply(me, caller, request + 1)
            assert await calling == 2

    async def test_a_callee_that_ends_is_a_remote_exit_at_once(self, router: Router, me: Process) -> None:
        other = Process(router)
        calling = asyncio.ensure_future(me.call(other.pid, 1, timeout=None))
        await until(lambda: other.watchers)
        other.end((BOOM, 1))
        with pytest.raises(RemoteExit, match="boom") as caught:
            await calling
        assert caught.value.reason == (BOOM, 1)

    async def test_a_node_that_is_lost_or_cannot_be_reached_is_down(
        self, router: Router, me: Process
    ) -> None:
        peer = FakePeer(router)
        calling = asyncio.ensure_future(me.call(("x", PEER), 1, timeout=None))
        await until(lambda: me.monitors)
        peer.goes()
        with pytest.raises(NodeDown) as caught:
            await calling
        assert caught.value.name == PEER
        with pytest.raises(NodeDown, match="no such host"):
            await me.call(("x", "far@host"), 1)

    async def test_too_late_is_a_timeout_and_a_late_reply_vanishes(self, router: Router, me: Process) -> None:
        other = Process(router)
        with pytest.raises(CallTimeout):
            await me.call(other.pid, 1, timeout=0)
        ((_, caller, _),) = mailbox(other)
        router.reply(other, caller, 1)
        assert mailbox(me) == []

    async def test_a_request_without_a_term_is_the_callers_error(self, router: Router, me: Process) -> None:
        echo(router)
        with pytest.raises(EncodeError):
            await me.call("echo", object())
        assert (me.requests, me.aliases) == ({}, {})


class TestCasts:
    async def test_a_cast(self, router: Router, me: Process) -> None:
        other = Process(router)
        await me.cast(other.pid, 1)
        await me.cast("nobody", 1)
        assert mailbox(other) == [("$gen_cast", 1)]

    async def test_a_node_that_cannot_be_reached(self, me: Process) -> None:
        with pytest.raises(ConnectFailed):
            await me.cast(("x", "far@host"), 1)


class TestMany:
    async def test_multi_call_gives_replies_and_errors_by_node(self) -> None:
        async with nodes("a", "b", "c") as (a, b, c):
            for node in (a, b):
                echo(node._router)
            replies, errors = await a.multi_call([a.name, b.name, c.name, "far@127.0.0.1", a.name], "echo", 1)
            assert replies == {a.name: 1, b.name: 1}
            assert {name: type(error) for name, error in errors.items()} == {
                c.name: NoProc,
                "far@127.0.0.1": NodeDown,
            }

    async def test_multi_call_waits_for_each_no_longer_than_told(self, router: Router, me: Process) -> None:
        Process(router).register("silent")
        replies, errors = await gen.multi_call(me, [ME], "silent", 1, timeout=0)
        assert replies == {}
        assert type(errors[ME]) is CallTimeout

    async def test_abcast_passes_over_who_cannot_be_reached(self, router: Router, me: Process) -> None:
        other = Process(router)
        other.register("x")
        await gen.abcast(me, [ME, "far@host", ME], "x", 1)
        assert mailbox(other) == [("$gen_cast", 1)]
