"""Streams, handshakes and sessions against real BEAMs, without any node of ours above them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import CookieMismatch, Refused
from pyerlnode.net.dial import Address, dial
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.listen import Listener
from pyerlnode.net.session import CLOSED, SILENT, Session
from pyerlnode.term import Atom, Pid, decode, encode_bare
from pyerlnode.testing import OpenGate
from pyerlnode.wire.control import RegSend, SendSender
from pyerlnode.wire.flags import HIDDEN
from pyerlnode.wire.handshake import LocalNode
from tests.support.net import Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.net.stream import Stream
    from pyerlnode.term import Term
    from pyerlnode.wire.handshake import PeerInfo
    from tests.interop.conftest import Starter
    from tests.support.beam import Beam

ME = LocalNode("raw@127.0.0.1", HIDDEN, 77)
BLOB = bytes(range(256)) * 40_960
"""10 MiB."""

ECHO = (
    "register(echo, spawn(fun Loop() -> receive {From, Message} -> From ! {echo, Message}, Loop() end end))"
)


def me(number: int) -> Pid:
    return Pid(Atom(ME.name), number, 0, ME.creation)


class Peer:
    """A session to a BEAM, and what it got."""

    def __init__(self, stream: Stream, info: PeerInfo, ticktime: float = 60.0) -> None:
        self.sink = Recorder()
        self.stream = stream
        self.session = Session(stream, info, self.sink, ticktime=ticktime)
        self.session.start()

    def ask(self, sender: int, message: Term) -> None:
        """Send `message` to the process that echoes."""
        self.session.send(RegSend(me(sender), Atom("echo")), encode_bare((me(sender), message)))

    async def echoes(self, number: int) -> list[tuple[int, Term]]:
        """The first `number` echoes: to whom, and what."""
        await self.sink.until(lambda: len(self._echoes()) >= number)
        return self._echoes()

    def _echoes(self) -> list[tuple[int, Term]]:
        return [
            (control.target.id, term[1])
            for control, term in self.sink.messages
            if isinstance(control, SendSender) and type(term) is tuple and term[0] == "echo"
        ]


async def address_of(beam: Beam) -> Address:
    alive = beam.name.partition("@")[0]
    port = await beam.eval(f'element(2, erl_epmd:port_please("{alive}", {{127,0,0,1}}))')
    return Address("127.0.0.1", int(port))


@asynccontextmanager
async def dialled(beam: Beam, ticktime: float = 60.0) -> AsyncIterator[Peer]:
    stream, info = await dial(await address_of(beam), ME, beam.name, beam.cookie)
    assert info.name == beam.name
    peer = Peer(stream, info, ticktime)
    try:
        yield peer
    finally:
        peer.session.close("test over")
        while not stream.closed:
            await asyncio.sleep(0)


class Gate(OpenGate):
    """A gate for one BEAM."""

    def __init__(self, cookie: str) -> None:
        super().__init__(cookie)
        self.peer: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        self.failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def established(self, stream: Stream, info: PeerInfo) -> None:
        self.peer.set_result(Peer(stream, info))

    def failed(self, peer: str | None, error: Exception) -> None:
        self.failure.set_result(error)


@asynccontextmanager
async def listening(gate: Gate, epmd_port: int) -> AsyncIterator[None]:
    listener = Listener(lambda: ME, gate)
    port = await listener.start("127.0.0.1")
    registration = await EpmdClient("127.0.0.1", epmd_port).register("raw", port, hidden=True)
    try:
        yield
    finally:
        await registration.close()
        await listener.stop()


async def test_dialled_beam_sees_us_and_echoes_ten_megabytes_beside_small_messages(beam: Beam) -> None:
    await beam.eval(ECHO)
    async with dialled(beam) as peer:
        assert ME.name in await beam.eval("nodes(hidden)")
        peer.ask(1, BLOB)
        peer.ask(1, Atom("after"))
        for number in range(20):
            peer.ask(2, number)
        echoes = await peer.echoes(22)
        assert [term for sender, term in echoes if sender == 2] == list(range(20))
        assert [term for sender, term in echoes if sender == 1] == [BLOB, Atom("after")]
        assert echoes.index((1, BLOB)) >= 20


async def test_accepted_beam_talks_to_us_at_once(beam: Beam, epmd_port: int) -> None:
    await beam.eval(ECHO)
    gate = Gate(beam.cookie)
    async with listening(gate, epmd_port):
        assert await beam.eval(f"{{box, '{ME.name}'}} ! {{first, self() > 0}}") == "{first,true}"
        peer = await gate.peer
        assert await peer.sink.count(1) == [(Atom("first"), True)]
        control, _ = peer.sink.messages[0]
        assert isinstance(control, RegSend)
        assert control.name == "box"
        peer.ask(3, [BLOB, 1.5])
        assert await peer.echoes(1) == [(3, [BLOB, 1.5])]
        await beam.eval(f"erlang:disconnect_node('{ME.name}')")
        assert await peer.sink.reason() == CLOSED


async def test_a_beam_that_was_killed_is_lost_at_once(beam: Beam) -> None:
    async with dialled(beam) as peer:
        beam.kill()
        assert await peer.sink.reason() == CLOSED


async def test_cookies_must_be_the_same_both_ways(shared_beam: Beam, epmd_port: int) -> None:
    with pytest.raises(CookieMismatch):
        await dial(await address_of(shared_beam), ME, shared_beam.name, "another")
    gate = Gate("another")
    async with listening(gate, epmd_port):
        assert await shared_beam.eval(f"net_kernel:connect_node('{ME.name}')") == "false"
        assert isinstance(await gate.failure, CookieMismatch)


@pytest.mark.beam(since=25)  # OTP 23 acks only when the old connection has ended by itself
async def test_a_second_connection_replaces_the_first(shared_beam: Beam) -> None:
    async with dialled(shared_beam) as first:
        with pytest.raises(Refused):
            await dial(
                await address_of(shared_beam), ME, shared_beam.name, shared_beam.cookie, insist=lambda: False
            )
        async with dialled(shared_beam) as second:
            assert await first.sink.reason() == CLOSED
            assert second.session.is_open
            assert await shared_beam.eval("nodes(hidden)") == f"['{ME.name}']"


async def test_terms_of_the_beam_come_as_it_printed_them(shared_beam: Beam) -> None:
    async with dialled(shared_beam) as peer:
        sent = await shared_beam.eval_bytes(
            "T = {echo, {node(), self(), make_ref(), fun lists:map/2, #{a => [1,2]}, <<5:3>>}},"
            "P = binary_to_term(B), P ! T, T",
            B=b"\x83" + encode_bare(me(9)),
        )
        assert await peer.echoes(1) == [(9, decode(sent)[1])]


@pytest.mark.beam(needs=(25,))
async def test_an_idle_connection_ticks_both_ways_and_stays(beams: Starter) -> None:
    beam = await beams(25, flags=["-kernel", "net_ticktime", "4"])
    async with dialled(beam, ticktime=4.0) as peer:
        before = peer.stream.bytes_read
        while peer.stream.bytes_read < before + 7 * 4:  # seven ticks: nearly twice the ticktime
            assert peer.session.is_open
            await asyncio.sleep(0.1)
        assert await beam.eval("nodes(hidden)") == f"['{ME.name}']"
        assert peer.session._written >= 5 * 4


@pytest.mark.beam(needs=(25,))
async def test_a_frozen_beam_is_noticed(beams: Starter) -> None:
    beam = await beams(25, flags=["-kernel", "net_ticktime", "4"])
    async with dialled(beam, ticktime=4.0) as peer:
        beam.pause()
        assert await peer.sink.reason() == SILENT
        beam.resume()
