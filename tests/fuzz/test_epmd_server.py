"""Our port mapper against clients that send anything: it keeps its names, its memory and its calm.

Each input is random bytes or a mutated
request, sent whole or in pieces, over a connection that then closes, half closes, resets or just stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import socket
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.limits import DEFAULT
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.wire import epmd
from pyerlnode.wire.epmd_registry import Conversation, Registry
from tests.support.scale import fuzz_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = int(os.environ.get("PYERLNODE_SEED", "4369"))
CLIENTS = 16
GROWTH = 500_000
"""Bytes that may stay behind: the memory of old names is full after the first round."""
LINGER_RESET = b"\1\0\0\0\0\0\0\0"

SAMPLES = [
    epmd.Alive2Req(b"victim", 7).to_bytes(),
    epmd.Alive2Req(b"other", 7, epmd.HIDDEN, extra=b"extra").to_bytes(),
    epmd.Alive2Req("på".encode() * 200, 7, highest=5, extra=b"\0" * 1020).to_bytes(),
    epmd.Port2Req(b"victim").to_bytes(),
    epmd.Port2Req(b"nobody\0").to_bytes(),
    epmd.NamesReq().to_bytes(),
    epmd.DumpReq().to_bytes(),
    epmd.KillReq().to_bytes(),
    epmd.StopReq(b"victim").to_bytes(),
]


def hostile(dice: random.Random) -> bytes:
    """One input."""
    if dice.random() < 0.2:
        return dice.randbytes(dice.randrange(1, 200))
    data = bytearray(dice.choice(SAMPLES))
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(data)) if data else 0
        match dice.randrange(5):
            case 0:
                del data[at:]
            case 1:
                data[at:at] = dice.randbytes(dice.randrange(1, 9))
            case 2 if data:
                data[at] ^= 1 << dice.randrange(8)
            case 3 if data:
                data[at] = dice.choice(b"\0\1\x7f\xffnzxdsk")
            case _:
                data += dice.choice(SAMPLES)
    if len(data) > 2 and dice.random() < 0.6:
        data[:2] = min(len(data) - 2, 0xFFFF).to_bytes(2, "big")
    return bytes(data)


async def attack(port: int, dice: random.Random) -> None:
    """One client: what it sends, and how it leaves."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = hostile(dice)
    cut = dice.randrange(len(data) + 1) if dice.random() < 0.3 else 0
    try:
        writer.write(data[:cut])
        await asyncio.sleep(0)
        writer.write(data[cut:])
        match dice.randrange(4):
            case 0:
                writer.write_eof()
                await reader.read()
            case 1:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
            case 2:
                await reader.read(1 + dice.randrange(100)) if b"n" in data[:3] else None
            case _:
                pass
    except (ConnectionError, OSError):
        pass  # it hung up first
    finally:
        writer.transport.abort()


async def storm(port: int, count: int, seed: int) -> None:
    async def one(number: int) -> None:
        dice = random.Random(f"{seed}/{number}")
        for _ in range(count // CLIENTS):
            await attack(port, dice)

    await asyncio.gather(*(one(number) for number in range(CLIENTS)))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("inputs", fuzz_inputs(5_000))
async def test_hostile_clients_change_nothing(inputs: int) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with EpmdServer(0, ["127.0.0.1"], limits=replace(DEFAULT, epmd_packet_time=2.0)) as server:
        client = EpmdClient(port=server.port)
        live = await client.register("live", 4711)
        await storm(server.port, 1_000, SEED)  # fills what is bounded: old names, pools, caches
        await until(lambda: server.connections == 1)
        before = memory()
        await storm(server.port, inputs, SEED + 1)
        await until(lambda: server.connections == 1)
        grown = memory() - before
        assert live.held.is_set()
        assert await client.lookup("live") == epmd.NodeEntry("live", 4711)
        assert await client.names() == [("live", 4711)]
        assert grown < GROWTH
        assert len(list(server.registry.old())) <= 1001
        await live.close()
        await until(lambda: server.connections == 0)
        assert await client.kill()
    assert faults == []


@pytest.fixture
def traced() -> Iterator[None]:
    yield
    tracemalloc.stop()


def memory() -> int:
    """Bytes that Python holds after a collection, of those allocated since this was first called."""
    if not tracemalloc.is_tracing():
        tracemalloc.start()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def test_connections_that_stay_are_bounded_and_end() -> None:
    """Slow clients: more of them than there is room for, each sending a byte now and then."""
    limits = replace(DEFAULT, epmd_packet_time=1.0, epmd_clients=50)
    async with EpmdServer(0, ["127.0.0.1"], limits=limits) as server:
        client = EpmdClient(port=server.port)
        live = await client.register("live", 4711)
        writers = []
        for number in range(200):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writers.append(writer)
            writer.write(b"\x0b")
            assert server.connections <= 50
            if number % 20 == 0:
                assert await client.lookup("live") is not None
        trickle = asyncio.create_task(_trickle(writers))
        await until(lambda: server.connections == 1)
        trickle.cancel()
        assert live.held.is_set()
        await live.close()
        for writer in writers:
            writer.transport.abort()


async def _trickle(writers: list[asyncio.StreamWriter]) -> None:
    while True:
        for writer in writers:
            if not writer.is_closing():
                writer.write(b"n")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("inputs", fuzz_inputs(20_000))
def test_no_input_breaks_the_parsers(inputs: int) -> None:
    """Without sockets there is time for more: nothing but their own error comes out."""
    dice = random.Random(SEED)
    registry = Registry(4369)
    for number in range(inputs):
        data = hostile(dice)
        with contextlib.suppress(RemoteProtocolError):
            epmd.parse_request(data[2:])
        for parse in (epmd.Alive2Resp.parse, epmd.parse_port2, epmd.parse_names, epmd.parse_dump):
            try:
                parse(dice.choice((b"v", b"y", b"w\0", b"")) + data)
            except RemoteProtocolError:
                continue
        conversation = Conversation(registry, number, local=dice.random() < 0.8)
        for at in range(0, len(data), step := 1 + dice.randrange(len(data) + 1)):
            if conversation.receive(data[at : at + step], number).close:
                break
        conversation.lost()
    assert len(registry) == 0
    assert len(list(registry.old())) <= 1001
