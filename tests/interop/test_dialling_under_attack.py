"""What somebody without the cookie, or a crowd of peers, does to our own dials: nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode import ConnectFailed, Limits
from pyerlnode.wire.flags import VISIBLE
from pyerlnode.wire.framing import frame2
from pyerlnode.wire.handshake import Hello, LocalNode, Status, initiate
from tests.support.contender import Contender, contender, until
from tests.support.ports import free_port
from tests.support.raw_peer import RawListener, RawPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ME, GREATER, OTHER = "me@127.0.0.1", "you@127.0.0.1", "other@127.0.0.1"


@pytest.fixture
async def peer() -> AsyncIterator[RawListener]:
    async with RawListener(GREATER) as peer:
        yield peer


@pytest.fixture
async def me(peer: RawListener) -> AsyncIterator[Contender]:
    async with contender(ME, port=free_port(), peer_ports=peer.port, limits=Limits(handshake_time=20)) as me:
        yield me


async def say_hello(me: Contender, name: str) -> RawPeer:
    """Somebody who claims to be `name` and has said no more than that."""
    raw = await RawPeer.open(me.node.port or 0, name)
    raw.write(frame2(Hello(name, VISIBLE, 1).to_bytes()))
    return raw


async def test_a_name_alone_does_not_stop_our_dial(me: Contender, peer: RawListener) -> None:
    connecting = asyncio.create_task(me.node.connect(GREATER))
    dialled = await peer.opened()
    await dialled.handshake_frame()
    async with await say_hello(me, GREATER) as impostor:
        assert await impostor.handshake_frame() == Status.OK_SIMULTANEOUS.to_bytes()
        assert me.peers._attempts[GREATER].dialling is not None
        await impostor.handshake_frame()
    await until(lambda: not me.listener._tasks)
    assert not connecting.done()
    assert me.peers._attempts[GREATER].begun
    dialled.abort()
    with pytest.raises(ConnectFailed):
        await connecting


async def test_we_wait_for_the_peer_that_won_however_much_goes_on_meanwhile(
    me: Contender, peer: RawListener
) -> None:
    """Other peers' attempts are none of its business."""
    connecting = asyncio.create_task(me.node.connect(GREATER))
    dialled = await peer.opened()
    await dialled.handshake_frame()
    dialled.write(frame2(Status.NOK.to_bytes()))
    await dialled.end()
    for _ in range(5):
        async with await RawPeer.dial(me.node.port or 0, OTHER, ME):
            pass
        await until(lambda: OTHER not in me.sessions)
    async with await RawPeer.dial(me.node.port or 0, GREATER, ME):
        assert await connecting
    assert peer._arrived.empty(), "we dialled again"


async def test_a_connection_that_the_peer_made_counts_when_ours_fails(
    me: Contender, peer: RawListener
) -> None:
    connecting = asyncio.create_task(me.node.connect(GREATER))
    dialled = await peer.opened()
    await dialled.handshake_frame()
    talk = initiate(LocalNode(GREATER, VISIBLE, 1), ME, "cookie", 1)
    async with await RawPeer.open(me.node.port or 0, GREATER) as won:
        won.write(frame2(next(talk).frames[0]))
        status = await won.handshake_frame()
        assert status == Status.OK_SIMULTANEOUS.to_bytes()
        dialled.abort()
        await until(lambda: me.peers._attempts[GREATER].dialling is None)
        talk.send(status)
        won.write(frame2(talk.send(await won.handshake_frame()).frames[0]))
        assert await connecting is True
        assert me.sessions[GREATER]._stream.peername == won.sockname


async def test_who_says_a_name_and_no_more_does_not_keep_us_from_dialling(peer: RawListener) -> None:
    """We wait for a peer that is about to connect to us, but not as long as an impostor may take."""
    limits = Limits(handshake_time=3)
    async with (
        contender(ME, port=free_port(), peer_ports=peer.port, limits=limits) as me,
        await say_hello(me, GREATER) as impostor,
    ):
        assert await impostor.handshake_frame() == Status.OK.to_bytes()
        connecting = asyncio.create_task(me.node.connect(GREATER))
        async with await peer.accepted():
            assert await connecting is True
            assert me.listener.pending == 1
