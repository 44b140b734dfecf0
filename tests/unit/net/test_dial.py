from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import CookieMismatch, MissingFlags, Refused, RemoteProtocolError, WrongPeer
from pyerlnode.limits import Limits
from pyerlnode.net.dial import Address, challenge32, converse, dial
from pyerlnode.net.stream import Stream
from pyerlnode.testing import OpenGate, memory_streams
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.framing import frame2
from pyerlnode.wire.handshake import LocalNode, Status, accept, initiate
from tests.support.net import LEFT, RIGHT, local

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

SOON = Limits(handshake_time=0.05)


@asynccontextmanager
async def server(serve: Callable[[Stream], Awaitable[object]]) -> AsyncIterator[Address]:
    """A listening socket on which `serve` meets every dialler."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[object]] = []
    streams: list[Stream] = []

    def connect(stream: Stream) -> None:
        async def run() -> None:
            await serve(stream)

        streams.append(stream)
        tasks.append(loop.create_task(run()))

    listening = await loop.create_server(lambda: Stream(on_connect=connect), "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
        for stream in streams:
            stream.abort()
        await asyncio.gather(*tasks)


def acceptor(
    cookie: str = "cookie", me: LocalNode | None = None, **options: Status
) -> Callable[[Stream], Awaitable[object]]:
    async def serve(stream: Stream) -> None:
        gate = OpenGate(cookie, **options)
        try:
            await converse(stream, accept(me or local(RIGHT), 7, gate))
        except Exception:
            stream.close()

    return serve


async def quiet(stream: Stream) -> None:
    """Reads whatever comes, says nothing."""
    try:
        while True:
            await stream.read_frame()
    except EOFError:
        pass


async def test_dialling_gives_a_stream_and_what_was_agreed() -> None:
    async with server(acceptor()) as address:
        stream, info = await dial(address, local(LEFT), RIGHT, "cookie")
        assert info.name == RIGHT
        assert info.visible
        assert not stream.closed
        stream.abort()


async def test_the_name_goes_out_right_after_on_begin() -> None:
    seen: list[str] = []

    async def serve(stream: Stream) -> None:
        frame = await stream.read_frame()
        assert LEFT.encode() in frame
        seen.append("name")
        stream.close()

    async with server(serve) as address:
        with pytest.raises(Refused):
            await dial(address, local(LEFT), RIGHT, "c", on_begin=lambda: seen.append("begin"))
    assert seen == ["begin", "name"]


async def test_on_begin_is_not_called_without_a_connection() -> None:
    async with server(quiet) as address:
        pass
    with pytest.raises(OSError, match=r".+"):
        await dial(address, local(LEFT), RIGHT, "c", on_begin=pytest.fail)


async def test_another_cookie() -> None:
    async with server(acceptor("theirs")) as address:
        with pytest.raises(CookieMismatch, match=RIGHT):
            await dial(address, local(LEFT), RIGHT, "ours")


async def test_another_node() -> None:
    async with server(acceptor(me=local("other@127.0.0.1"))) as address:
        with pytest.raises(WrongPeer):
            await dial(address, local(LEFT), RIGHT, "cookie")


async def test_a_peer_without_our_flags() -> None:
    old = LocalNode(RIGHT, VISIBLE & ~(Flags.BIG_CREATION | Flags.MANDATORY_25_DIGEST), 1)
    async with server(acceptor(me=old)) as address:
        with pytest.raises(MissingFlags, match="BIG_CREATION"):
            await dial(address, local(LEFT), RIGHT, "cookie")


@pytest.mark.parametrize("status", [Status.NOK, Status.NOT_ALLOWED])
async def test_a_refusal_reaches_us(status: Status) -> None:
    async with server(acceptor(status=status)) as address:
        with pytest.raises(Refused) as caught:
            await dial(address, local(LEFT), RIGHT, "cookie")
        assert caught.value.status == status


async def test_an_older_connection_is_replaced_if_we_insist() -> None:
    async with server(acceptor(status=Status.ALIVE)) as address:
        stream, _ = await dial(address, local(LEFT), RIGHT, "cookie", insist=lambda: True)
        stream.abort()
        with pytest.raises(Refused) as caught:
            await dial(address, local(LEFT), RIGHT, "cookie", insist=lambda: False)
        assert caught.value.status == Status.ALIVE


async def test_not_a_node_at_all() -> None:
    async def http(stream: Stream) -> None:
        stream.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await quiet(stream)

    async with server(http) as address:
        with pytest.raises(RemoteProtocolError):
            await dial(address, local(LEFT), RIGHT, "cookie")


async def test_a_silent_peer_times_out_and_the_connection_is_closed() -> None:
    ended = asyncio.Event()

    async def serve(stream: Stream) -> None:
        await quiet(stream)
        ended.set()

    async with server(serve) as address:
        with pytest.raises(TimeoutError):
            await dial(address, local(LEFT), RIGHT, "cookie", limits=SOON)
        await ended.wait()


async def test_a_peer_that_drips_bytes_gets_no_longer() -> None:
    async def serve(stream: Stream) -> None:
        while not stream.closed:
            stream.write(frame2(Status.OK.to_bytes())[:1])
            await asyncio.sleep(0.001)

    async with server(serve) as address:
        with pytest.raises((TimeoutError, RemoteProtocolError)):
            await dial(address, local(LEFT), RIGHT, "cookie", limits=SOON)


async def test_a_cancelled_dial_closes_its_socket() -> None:
    named, ended = asyncio.Event(), asyncio.Event()

    async def serve(stream: Stream) -> None:
        await stream.read_frame()
        named.set()
        await quiet(stream)
        ended.set()

    async with server(serve) as address:
        dialling = asyncio.create_task(dial(address, local(LEFT), RIGHT, "cookie"))
        await named.wait()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        await ended.wait()


async def test_an_error_in_on_begin_closes_the_socket() -> None:
    ended = asyncio.Event()

    async def serve(stream: Stream) -> None:
        await quiet(stream)
        ended.set()

    def fail() -> None:
        raise ZeroDivisionError

    async with server(serve) as address:
        with pytest.raises(ZeroDivisionError):
            await dial(address, local(LEFT), RIGHT, "cookie", on_begin=fail)
        await ended.wait()


@pytest.mark.parametrize("chunk", [1, 65_536])
@pytest.mark.parametrize("version", [5, 6])
async def test_both_halves_converse_however_the_bytes_arrive(chunk: int, version: int) -> None:
    one, two = memory_streams(chunk=chunk)
    left, right = await asyncio.gather(
        converse(one, initiate(local(LEFT, 5), RIGHT, "cookie", 1, version=version)),
        converse(two, accept(local(RIGHT, 6), 2, OpenGate("cookie"))),
    )
    assert (left.name, right.name) == (RIGHT, LEFT)
    assert (left.creation, right.creation) == (6, 5)
    assert left.flags == right.flags


def test_challenges_are_32_bits_and_differ() -> None:
    challenges = {challenge32() for _ in range(50)}
    assert len(challenges) > 45
    assert all(0 <= challenge < 2**32 for challenge in challenges)
