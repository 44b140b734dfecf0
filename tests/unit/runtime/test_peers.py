"""Who is connected, and who wins when both dial: each row of the table, and what is left when it is over.

The table is asked by real nodes over loopback; where a node must misbehave at a given moment, the test itself
plays the gate's caller.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import (
    ConnectFailed,
    CookieMismatch,
    HandshakeError,
    MissingFlags,
    NodeDown,
    NodeNotRunning,
    Refused,
    RemoteProtocolError,
    WrongPeer,
)
from pyerlnode.limits import Limits
from pyerlnode.net.dial import Address, explained
from pyerlnode.node import Node
from pyerlnode.runtime.events import NodeEvents, NodeUp
from pyerlnode.runtime.peers import TRIES, Attempt, Peers
from pyerlnode.testing import memory_streams
from pyerlnode.wire.flags import VISIBLE
from pyerlnode.wire.handshake import Hello, LocalNode, PeerInfo, Status
from tests.support.nodes import COOKIE, Ports, event, make_router, nodes, until

if TYPE_CHECKING:
    from pyerlnode.net.stream import Stream

MIDDLE, LESSER, GREATER = "m@127.0.0.1", "a@127.0.0.1", "z@127.0.0.1"


class Local:
    """The node that a table under test serves."""

    limits = Limits(handshake_time=30)
    net_ticktime = 60.0

    def __init__(self) -> None:
        self.located: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    def introduction(self) -> LocalNode:
        return LocalNode(MIDDLE, VISIBLE, 1)

    def cookie_for(self, peer: str) -> str:
        return COOKIE

    async def locate(self, peer: str) -> Address:
        return await asyncio.shield(self.located)

    def named(self, name: str, creation: int) -> None:
        assert name == MIDDLE


class Table:
    """A table of peers, whose peers' attempts the test makes by hand."""

    def __init__(self) -> None:
        self.router = make_router(MIDDLE)
        self.events = NodeEvents()
        self.local = Local()
        self.peers = Peers(self.local, self.router, self.events)
        self.peers.open()
        self.streams: list[Stream] = []

    def says_hello(self, peer: str, *, dynamic: bool = False) -> Status:
        return self.peers.decide(Hello(peer, VISIBLE, 1, 6, dynamic=dynamic))

    def info(self, peer: str) -> PeerInfo:
        return PeerInfo(peer, VISIBLE, 1, visible=True, local_name=MIDDLE, local_creation=1)

    def gets_in(self, peer: str) -> Stream:
        """`peer` proves the cookie."""
        ours, theirs = memory_streams()
        self.streams += [ours, theirs]
        self.peers.proven(self.info(peer))
        self.peers.established(ours, self.info(peer))
        return theirs

    def is_clean(self) -> bool:
        peers = self.peers
        return not (peers._incoming or peers._attempts or peers._ends)

    async def close(self) -> None:
        await self.peers.close()
        for stream in self.streams:
            stream.abort()
        await until(lambda: all(stream.closed for stream in self.streams))


@pytest.fixture
async def table() -> Any:
    table = Table()
    yield table
    await table.close()


class Mute:
    """A port that accepts, counts, and says nothing; or says what it is told."""

    def __init__(self) -> None:
        self.accepted = 0
        self.answer = b""
        self.go = asyncio.Event()
        self.go.set()

    async def __aenter__(self) -> Mute:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = Address("127.0.0.1", self.server.sockets[0].getsockname()[1])
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)  # their name comes: the attempt has begun
        self.accepted += 1
        await self.go.wait()
        if self.answer:
            writer.write(len(self.answer).to_bytes(2, "big") + self.answer)
        else:
            await reader.read()
        writer.close()

    async def __aexit__(self, *args: object) -> None:
        self.server.close()
        await self.server.wait_closed()


class TestDecide:
    """The table of the module's docstring, row by row."""

    async def test_nothing(self, table: Table) -> None:
        assert table.says_hello(LESSER) is Status.OK
        table.peers.failed(LESSER, HandshakeError(LESSER, "gone"))
        assert table.is_clean()

    async def test_looking_up(self, table: Table) -> None:
        connecting = asyncio.ensure_future(table.peers.connect(GREATER))
        await asyncio.sleep(0)
        assert table.says_hello(GREATER) is Status.OK
        table.local.located.set_result(Address("127.0.0.1", 1))  # where nobody listens: it is not dialled
        await asyncio.sleep(0)
        table.gets_in(GREATER)
        assert (await connecting).name == GREATER
        assert table.is_clean()

    async def test_dialling_a_lesser_one_is_nok(self, table: Table) -> None:
        async with Mute() as mute:
            table.local.located.set_result(mute.address)
            connecting = asyncio.ensure_future(table.peers.connect(LESSER))
            await until(lambda: mute.accepted)
            assert table.says_hello(LESSER) is Status.NOK
            table.peers.failed(LESSER, Refused(LESSER, Status.NOK))
            assert table.peers._incoming == {}
            await table.peers.close()
            with pytest.raises(NodeNotRunning):
                await connecting
        assert table.is_clean()

    async def test_dialling_a_greater_one_steps_back_when_that_is_proven(self, table: Table) -> None:
        async with Mute() as mute:
            table.local.located.set_result(mute.address)
            connecting = asyncio.ensure_future(table.peers.connect(GREATER))
            await until(lambda: mute.accepted)
            assert table.says_hello(GREATER) is Status.OK_SIMULTANEOUS
            attempt = table.peers._attempts[GREATER]
            assert attempt.begun  # an impostor changes nothing
            table.gets_in(GREATER)
            assert (await connecting).name == GREATER
        assert mute.accepted == 1
        assert table.is_clean()

    async def test_connected_is_alive_and_replaced_once_proven(self, table: Table) -> None:
        events = table.events.subscribe()
        table.says_hello(LESSER)
        table.gets_in(LESSER)
        old = table.peers.sessions[LESSER]
        assert table.says_hello(LESSER) is Status.ALIVE
        assert table.peers.sessions[LESSER] is old  # nothing happens before the cookie is proven
        table.gets_in(LESSER)
        assert not old.is_open
        assert table.peers.sessions[LESSER] is not old
        assert [await event(events) for _ in range(3)] == [
            NodeUp(LESSER),
            NodeDown(LESSER, "connection replaced by the peer"),
            NodeUp(LESSER),
        ]
        assert table.is_clean()

    async def test_our_own_name_is_turned_away(self, table: Table) -> None:
        assert table.says_hello(MIDDLE) is Status.NOK
        table.peers.failed(MIDDLE, Refused(MIDDLE, Status.NOK))
        assert table.is_clean()

    async def test_a_nameless_one_is_let_in_and_named(self, table: Table) -> None:
        assert table.says_hello("somehost", dynamic=True) is Status.OK
        names = {table.peers.name_for("somehost") for _ in range(20)}
        assert len(names) == 20
        assert all(name.endswith("@somehost") and creation >= 4 for name, creation in names)
        table.peers.failed("somehost", HandshakeError("somehost", "gone"))
        assert table.is_clean()

    async def test_a_closed_table_lets_nobody_in(self, table: Table) -> None:
        assert table.says_hello(LESSER) is Status.OK
        await table.peers.close()
        assert table.says_hello(GREATER) is Status.NOT_ALLOWED
        table.peers.failed(GREATER, Refused(GREATER, Status.NOT_ALLOWED))
        table.gets_in(LESSER)
        assert table.peers.sessions == {}
        with pytest.raises(NodeNotRunning):
            await table.peers.connect(LESSER)
        assert table.is_clean()

    async def test_a_dialler_that_gave_no_name_is_nobody(self, table: Table) -> None:
        table.peers.failed(None, RemoteProtocolError("nonsense"))
        assert table.is_clean()


class TestAttempts:
    async def test_who_asks_for_the_same_peer_shares_one(self, table: Table) -> None:
        async with Mute() as mute:
            table.local.located.set_result(mute.address)
            connecting = [asyncio.ensure_future(table.peers.connect(GREATER)) for _ in range(5)]
            await until(lambda: mute.accepted)
            assert len(table.peers._attempts) == 1
            connecting[0].cancel()  # the others go on
            table.says_hello(GREATER)
            table.gets_in(GREATER)
            sessions = await asyncio.gather(*connecting[1:])
            assert {id(session) for session in sessions} == {id(table.peers.sessions[GREATER])}
            with pytest.raises(asyncio.CancelledError):
                await connecting[0]
            assert await table.peers.connect(GREATER) is sessions[0]
        assert mute.accepted == 1

    async def test_nok_then_their_connection_arrives(self, table: Table) -> None:
        async with Mute() as mute:
            mute.answer = b"snok"
            table.local.located.set_result(mute.address)
            connecting = asyncio.ensure_future(table.peers.connect(GREATER))
            await until(lambda: GREATER in table.peers._ends)
            other = "other@127.0.0.1"
            table.says_hello(other)
            table.gets_in(other)  # what others do is no reason to dial again
            table.says_hello(GREATER)
            table.gets_in(GREATER)
            assert (await connecting).name == GREATER
        assert mute.accepted == 1
        assert table.is_clean()

    async def test_nok_then_their_attempt_fails_and_we_dial_again(self, table: Table) -> None:
        async with Mute() as mute:
            mute.answer = b"snok"
            table.local.located.set_result(mute.address)
            connecting = asyncio.ensure_future(table.peers.connect(GREATER))
            for dials in range(1, TRIES + 1):
                await until(lambda: GREATER in table.peers._ends)
                assert mute.accepted == dials
                table.says_hello(GREATER)
                table.peers.failed(GREATER, CookieMismatch(GREATER))
            with pytest.raises(ConnectFailed, match="insists on its own attempt") as caught:
                await connecting
            assert caught.value.stage == "refused"
            assert isinstance(caught.value.__cause__, Refused)
        assert table.is_clean()

    async def test_a_peer_that_does_not_come_is_not_waited_for_without_end(self) -> None:
        table = Table()
        table.local.limits = Limits(handshake_time=0.02)
        async with Mute() as mute:
            mute.answer = b"snok"
            table.local.located.set_result(mute.address)
            with pytest.raises(ConnectFailed):
                await table.peers.connect(GREATER)
        assert table.is_clean()
        await table.close()

    async def test_a_refusal_is_one(self, table: Table) -> None:
        async with Mute() as mute:
            mute.answer = b"snot_allowed"
            table.local.located.set_result(mute.address)
            with pytest.raises(ConnectFailed, match="not_allowed") as caught:
                await table.peers.connect(GREATER)
            assert caught.value.stage == "refused"
        assert mute.accepted == 1
        assert table.is_clean()

    async def test_our_dial_fails_while_theirs_is_under_way(self, table: Table) -> None:
        async with Mute() as mute:
            mute.answer = b"snonsense"
            mute.go.clear()
            table.local.located.set_result(mute.address)
            connecting = asyncio.ensure_future(table.peers.connect(GREATER))
            await until(lambda: mute.accepted)
            table.says_hello(GREATER)
            mute.go.set()
            await until(lambda: GREATER in table.peers._ends)
            table.gets_in(GREATER)
            assert (await connecting).name == GREATER
        assert table.is_clean()

    async def test_an_error_that_nobody_foresaw_is_told(self, table: Table) -> None:
        table.local.located.set_exception(KeyError("odd"))
        with pytest.raises(ConnectFailed, match="KeyError: 'odd'"):
            await table.peers.connect(GREATER)
        assert table.is_clean()

    async def test_a_failure_nobody_waits_for_any_more_is_silent(self, table: Table) -> None:
        connecting = asyncio.ensure_future(table.peers.connect(GREATER))
        await asyncio.sleep(0)
        connecting.cancel()
        table.local.located.set_exception(ConnectFailed(GREATER, "dns", "no such host"))
        await until(table.is_clean)

    async def test_a_failure_while_they_got_in_is_none(self, table: Table) -> None:
        connecting = asyncio.ensure_future(table.peers.connect(GREATER))
        await asyncio.sleep(0)
        table.says_hello(GREATER)
        table.gets_in(GREATER)
        table.local.located.set_exception(ConnectFailed(GREATER, "dns", "no such host"))
        assert (await connecting).name == GREATER

    async def test_stepping_back_before_the_dial_is_nothing(self) -> None:
        attempt = Attempt(GREATER)
        attempt.step_back()
        assert attempt.dialling is None
        attempt.outcome.cancel()


class TestClosing:
    async def test_a_dial_that_has_not_begun(self, table: Table) -> None:
        connecting = asyncio.ensure_future(table.peers.connect(GREATER))
        closing = asyncio.ensure_future(table.peers.close())
        async with asyncio.timeout(30):
            with pytest.raises(NodeNotRunning):
                await connecting
        await closing
        assert table.is_clean()

    async def test_every_connection_is_lost_once(self, table: Table) -> None:
        events = table.events.subscribe()
        for peer in (LESSER, GREATER):
            table.says_hello(peer)
            table.gets_in(peer)
        await table.peers.close()
        assert table.peers.sessions == {}
        table.events.close()
        assert [type(told) for told in [told async for told in events]] == [
            NodeUp,
            NodeUp,
            NodeDown,
            NodeDown,
        ]

    async def test_disconnect(self, table: Table) -> None:
        assert table.peers.disconnect(LESSER) is False
        table.says_hello(LESSER)
        table.gets_in(LESSER)
        assert table.peers.disconnect(LESSER) is True
        assert table.peers.disconnect(LESSER) is False
        assert list(table.peers.known) == [LESSER]


@pytest.mark.parametrize(
    ("error", "stage"),
    [
        (CookieMismatch("x"), "cookie"),
        (MissingFlags("x", "y"), "flags"),
        (WrongPeer("x", "y"), "name"),
        (Refused("x", "nok"), "refused"),
        (HandshakeError("x", "y"), "refused"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(111, "Connection refused"), "port"),
        (RemoteProtocolError("x"), "refused"),
    ],
)
def test_each_failure_has_its_stage(error: Exception, stage: str) -> None:
    assert explained("x@h", error).stage == stage


class TestBetweenNodes:
    async def test_both_dial_at_once_again_and_again(self) -> None:
        async with nodes("a", "b") as (a, b):
            ups: list[Any] = []
            a._events.listen(ups.append)
            for race in range(20):
                ups.clear()
                await asyncio.gather(a.connect(b.name), b.connect(a.name))
                assert (a.list(), b.list()) == ([b.name], [a.name])
                async with b.process("inbox") as inbox:
                    await a.send(("inbox", b.name), race)
                    assert await inbox.receive(30) == race
                await a.disconnect(b.name)
                await until(lambda: b.list() == [])
                assert ups == [NodeUp(b.name), NodeDown(b.name, "disconnect")]
            for node in (a, b):
                assert (node._peers._incoming, node._peers._attempts, node._peers._ends) == ({}, {}, {})

    async def test_a_nameless_one_is_known_as_long_as_it_is_there(self) -> None:
        ports = Ports()
        async with ports.node("a") as a:
            guest = Node(None, cookie=COOKIE, epmd=False, peer_ports=ports.of)
            async with guest:
                await guest.connect(a.name)
                await until(lambda: a.list("hidden") == [guest.name])
                assert guest.name in a.list("known")
            await until(lambda: a.list("connected") == [])
            assert a.list("known") == [a.name]

    async def test_one_that_came_back_before_it_was_missed(self) -> None:
        ports = Ports()
        async with ports.node("a") as a:
            b: Node = ports.node("b")
            await b.start()
            await b.connect(a.name)
            await until(a.list)
            events = a.monitor_nodes()
            session = b._router.sessions[a.name]
            b._router.node_down(session)  # it forgets the connection, and does not close it
            assert await b.ping(a.name)
            assert await event(events) == NodeDown(b.name, "connection replaced by the peer")
            assert await event(events) == NodeUp(b.name)
            assert a.list() == [b.name]
            session.close("test over")
            await b.stop()
