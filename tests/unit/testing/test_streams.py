from __future__ import annotations

import asyncio

import pytest

from pyerlnode.testing import MemoryTransport, memory_streams
from tests.unit.net.test_stream import Collector


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
async def test_reads_are_no_larger_than_asked_for(chunk: int) -> None:
    left, right = memory_streams(chunk=chunk)
    collector = Collector(right)
    right.attach(collector)
    left.write(bytes(range(200)))
    await collector.until(lambda: len(collector.data) == 200)
    assert collector.data == bytes(range(200))
    assert max(map(len, collector.shown)) == min(chunk, 200)


async def test_the_writer_pauses_above_the_capacity() -> None:
    left, right = memory_streams(capacity=100, chunk=60)
    writer = Collector(left)
    left.attach(writer)
    left.write(bytes(100))
    assert writer.paused == []
    left.write(b"x")
    assert writer.paused == [True]
    right.attach(Collector(right))
    await writer.until(lambda: writer.paused == [True, False])


async def test_a_close_comes_behind_the_data_and_a_reset_at_once() -> None:
    left, right = memory_streams(chunk=1)
    collector, closer = Collector(right), Collector(left)
    right.attach(collector)
    left.attach(closer)
    left.write(b"bye")
    left.close()
    await collector.until(lambda: collector.lost)
    assert (collector.data, collector.lost, closer.lost) == (b"bye", [None], [None])
    left, right = memory_streams(chunk=1)
    collector = Collector(right)
    right.attach(collector)
    left.write(b"bye")
    left.abort()
    left.abort()
    await collector.until(lambda: collector.lost)
    assert collector.data == b""
    assert isinstance(collector.lost[0], ConnectionResetError)
    assert len(collector.lost) == 1


async def test_it_is_a_transport_like_others() -> None:
    left, _right = memory_streams()
    transport = left._transport
    assert isinstance(transport, MemoryTransport)
    transport.set_write_buffer_limits()
    assert transport.get_write_buffer_limits() == (16_384, 65_536)
    transport.writelines([b"a", b"b"])
    assert transport.get_write_buffer_size() == 0
    assert transport.get_extra_info("socket") is None
    assert transport.is_reading()
    transport.pause_reading()
    assert not transport.is_reading()
    transport.close()
    transport.write(b"too late")
    assert transport.is_closing()
    for _ in range(5):
        await asyncio.sleep(0)
    assert left.closed
