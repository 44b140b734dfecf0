from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.limits import MIB, Limits
from pyerlnode.net.stream import CALM, LARGE, LARGEST, SMALL, TRUSTED, Stream
from pyerlnode.testing import memory_streams
from tests.support.net import PIPES, connected


class Collector:
    """A receiver that takes everything, or whole pieces of `size` bytes."""

    def __init__(self, stream: Stream, size: int = 0) -> None:
        self.stream = stream
        self.size = size
        self.shown: list[bytes] = []
        self.lost: list[Exception | None] = []
        self.paused: list[bool] = []
        self.changed = asyncio.Event()

    @property
    def data(self) -> bytes:
        return b"".join(self.shown)

    def data_received(self, data: memoryview) -> int:
        self.changed.set()
        end = len(data) // self.size * self.size if self.size else len(data)
        if end < len(data):
            self.stream.reserve(self.size)
        if end:
            self.shown.append(bytes(data[:end]))
        return end

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)
        self.changed.set()

    def pause_writing(self) -> None:
        self.paused.append(True)
        self.changed.set()

    def resume_writing(self) -> None:
        self.paused.append(False)
        self.changed.set()

    async def until(self, condition: object) -> None:
        async with asyncio.timeout(30):
            while not condition():  # type: ignore[operator]
                self.changed.clear()
                await self.changed.wait()


@pytest.mark.parametrize("kind", PIPES)
async def test_handshake_frames_come_one_by_one_however_they_arrive(kind: str) -> None:
    async with connected(kind) as (left, right):
        left.write(b"\0\3one\0\0\0\5three\0")
        assert await right.read_frame() == b"one"
        assert await right.read_frame() == b""
        assert await right.read_frame() == b"three"
        left.write(b"\4four")
        assert await right.read_frame() == b"four"


async def test_a_handshake_frame_above_the_limit_is_the_peers_fault() -> None:
    async with connected("memory", limits=Limits(handshake_frame=10)) as (left, right):
        left.write(b"\0\x0a0123456789\0\x0b")
        assert await right.read_frame() == b"0123456789"
        with pytest.raises(RemoteProtocolError, match="11 bytes is above the limit of 10"):
            await right.read_frame()


@pytest.mark.parametrize("kind", PIPES)
async def test_a_close_ends_reading_after_the_frames_before_it(kind: str) -> None:
    async with connected(kind) as (left, right):
        left.write(b"\0\2ok\0\7cut of")
        left.close()
        assert await right.read_frame() == b"ok"
        with pytest.raises(EOFError):
            await right.read_frame()
        with pytest.raises(EOFError):
            await right.read_frame()


@pytest.mark.parametrize("kind", ["memory", "tcp"])
async def test_a_reset_ends_reading_with_its_cause(kind: str) -> None:
    async with connected(kind) as (left, right):
        reading = asyncio.create_task(right.read_frame())
        await asyncio.sleep(0)
        if kind == "tcp":
            sock = left._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        left.abort()
        with pytest.raises(EOFError) as caught:
            await reading
        assert isinstance(caught.value.__cause__, ConnectionResetError)


@pytest.mark.parametrize("kind", PIPES)
async def test_what_follows_the_handshake_goes_to_the_receiver_at_once(kind: str) -> None:
    async with connected(kind) as (left, right):
        left.write(b"\0\3ackfirst bytes")
        assert await right.read_frame() == b"ack"
        while right.bytes_read < 16:
            await asyncio.sleep(0)
        collector = Collector(right)
        right.attach(collector)
        assert collector.data == b"first bytes"
        left.write(b" and more")
        await collector.until(lambda: collector.data == b"first bytes and more")


@pytest.mark.parametrize("kind", PIPES)
async def test_what_arrived_before_a_close_is_seen_before_the_loss(kind: str) -> None:
    async with connected(kind) as (left, right):
        left.write(b"\0\3acklast words")
        left.close()
        assert await right.read_frame() == b"ack"
        while not right.closed:
            await asyncio.sleep(0)
        collector = Collector(right)
        right.attach(collector)
        assert collector.data == b"last words"
        assert collector.lost == []
        await collector.until(lambda: collector.lost)
        assert len(collector.lost) == 1


@pytest.mark.parametrize("kind", ["memory", "tcp"])
async def test_a_peer_cannot_fill_memory_before_the_receiver_is_there(kind: str) -> None:
    flood = bytes(range(256)) * 8192
    async with connected(kind) as (left, right):
        left.write(b"\0\1a" + flood)
        assert await right.read_frame() == b"a"
        for _ in range(200):
            await asyncio.sleep(0)
        assert right.bytes_read <= len(right._buffer) + 3
        assert len(right._buffer) <= SMALL
        collector = Collector(right)
        right.attach(collector)
        await collector.until(lambda: len(collector.data) == len(flood))
        assert collector.data == flood


async def test_a_large_piece_is_gathered_in_place_and_shown_once() -> None:
    left, right = memory_streams()
    piece = bytes(range(256)) * 40_000
    collector = Collector(right, len(piece))
    right.attach(collector)
    left.write(piece[:10])
    await collector.until(lambda: right._need == len(piece))
    allocations: list[int] = []
    allocate = right._allocate
    right._allocate = lambda size: (allocations.append(size), allocate(size))  # type: ignore[method-assign]
    left.write(piece[10:])
    await collector.until(lambda: collector.shown)
    assert collector.shown == [piece]
    assert allocations == [len(piece)]


async def test_the_buffer_shrinks_when_traffic_calms_down() -> None:
    left, right = memory_streams()
    collector = Collector(right)
    right.attach(collector)
    left.write(bytes(4 * MIB))
    await collector.until(lambda: len(collector.data) == 4 * MIB)
    assert SMALL < len(right._buffer) <= LARGE
    for number in range(CALM + 1):
        left.write(b"tick")
        await collector.until(lambda count=number: len(collector.data) == 4 * MIB + 4 * (count + 1))
    assert len(right._buffer) == SMALL


async def test_the_buffer_is_largest_while_large_pieces_flow() -> None:
    left, right = memory_streams(chunk=4 * MIB, capacity=64 * MIB)
    size = LARGE // 2 + 1
    collector = Collector(right, size)
    right.attach(collector)
    left.write(bytes(100 * size))
    await collector.until(lambda: len(collector.data) == 100 * size)
    assert len(right._buffer) == LARGEST
    collector.size = 1
    left.write(bytes(100 * size))
    await collector.until(lambda: len(collector.data) == 200 * size)
    assert len(right._buffer) == LARGE


@pytest.mark.parametrize("kind", PIPES)
async def test_a_connection_that_rests_has_no_buffer(kind: str) -> None:
    async with connected(kind) as (left, right):
        assert len(right._buffer) == 0
        collector = Collector(right)
        right.attach(collector)
        for count in range(1, 4):
            left.write(b"abc")
            await collector.until(lambda so_far=count: collector.data == b"abc" * so_far)
            assert len(right._buffer) == SMALL
            right.rest()
            assert len(right._buffer) == 0


async def test_what_is_unused_or_being_read_keeps_its_buffer() -> None:
    left, right = memory_streams()
    left.write(b"x")
    while not right.bytes_read:
        await asyncio.sleep(0)
    right.rest()  # nobody has seen it yet
    collector = Collector(right, 2)
    right.attach(collector)
    right.rest()  # the receiver waits for the second byte
    assert len(right._buffer) > 0
    left.write(b"y")
    await collector.until(lambda: collector.shown)
    assert collector.shown == [b"xy"]
    lent = right.get_buffer(-1)
    right.rest()  # a transport may hold it for long (Windows)
    lent[:2] = b"ab"
    right.buffer_updated(2)
    assert collector.shown == [b"xy", b"ab"]


async def test_an_announcement_alone_costs_little_memory() -> None:
    left, right = memory_streams()
    collector = Collector(right, 1024 * MIB)
    right.attach(collector)
    left.write(b"x")
    await collector.until(lambda: right._need)
    left.write(bytes(MIB))
    while right.bytes_read < MIB + 1:
        await asyncio.sleep(0)
    assert len(right._buffer) == TRUSTED
    right._filled = TRUSTED  # as if that much had come
    assert len(right.get_buffer(-1)) == TRUSTED


@pytest.mark.parametrize("kind", ["memory", "tcp"])
async def test_writing_pauses_while_the_peer_does_not_read(kind: str) -> None:
    async with connected(kind) as (left, right):
        collector = Collector(left)
        left.attach(collector)
        sent = 0
        while not collector.paused:
            left.write(bytes(MIB))
            sent += MIB
        assert collector.paused == [True]
        reader = Collector(right)
        right.attach(reader)
        await collector.until(lambda: collector.paused == [True, False])
        await reader.until(lambda: right.bytes_read == sent)


async def test_a_receiver_that_comes_late_hears_that_writing_is_paused() -> None:
    async with connected("memory") as (left, _right):
        left.write(bytes(MIB))
        collector = Collector(left)
        left.attach(collector)
        assert collector.paused == [True]


async def test_a_closed_stream_lingers_no_longer_than_the_limit() -> None:
    async with connected("tcp", limits=Limits(linger=0.05)) as (left, _right):
        collector = Collector(left)
        left.attach(collector)
        while not collector.paused:
            left.write(bytes(MIB))
        left.close()
        left.write(b"goes nowhere")
        await collector.until(lambda: collector.lost)
        left.close()
        left.abort()


async def test_sockets_send_small_frames_at_once_and_notice_dead_peers() -> None:
    async with connected("tcp") as (left, right):
        for stream in (left, right):
            sock = stream._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert left.peername == right.sockname
        assert left.sockname == right.peername


async def test_a_stream_without_a_connection_is_harmless() -> None:
    stream = Stream()
    stream.write(b"x")
    stream.close()
    stream.abort()
    assert stream.peername is None
    assert stream.sockname is None


async def test_a_cancelled_read_loses_nothing() -> None:
    async with connected("memory") as (left, right):
        reading = asyncio.create_task(right.read_frame())
        await asyncio.sleep(0)
        left.write(b"\0\2ok")
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        assert await right.read_frame() == b"ok"
