"""Our port mapper over real sockets: what the registry answers, time-outs, and how full it may get."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import ConfigError
from pyerlnode.limits import DEFAULT
from pyerlnode.net import epmd_server
from pyerlnode.net.epmd_server import EpmdServer, bind
from pyerlnode.wire import epmd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NAMES = epmd.NamesReq().to_bytes()


@pytest.fixture
async def server() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0, ["127.0.0.1"]) as server:
        yield server


async def connect(server: EpmdServer, host: str = "127.0.0.1") -> Client:
    return await asyncio.open_connection(host, server.port)


async def ask(server: EpmdServer, request: bytes, host: str = "127.0.0.1") -> bytes:
    reader, writer = await connect(server, host)
    writer.write(request)
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


async def register(server: EpmdServer, name: bytes, host: str = "127.0.0.1") -> Client:
    reader, writer = await connect(server, host)
    writer.write(epmd.Alive2Req(name, 1).to_bytes())
    reply = epmd.Alive2Resp.parse(await reader.readexactly(6))
    assert reply.result == 0
    return reader, writer


async def names(server: EpmdServer, host: str = "127.0.0.1") -> list[str]:
    return [name for name, _ in epmd.parse_names(await ask(server, NAMES, host)).nodes]


async def hang_up(client: Client) -> None:
    client[1].close()
    await client[1].wait_closed()


async def test_a_registration_lives_as_long_as_its_connection(server: EpmdServer) -> None:
    client = await register(server, b"py")
    assert await names(server) == ["py"]
    assert (await ask(server, epmd.Port2Req(b"py").to_bytes()))[:2] == b"w\0"
    await hang_up(client)
    assert await names(server) == []


async def test_half_a_close_ends_it_too(server: EpmdServer) -> None:
    reader, writer = await register(server, b"py")
    writer.write_eof()
    assert await reader.read() == b""
    assert await names(server) == []
    await hang_up((reader, writer))


async def test_a_reset_ends_it_too(server: EpmdServer) -> None:
    _, writer = await register(server, b"py")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
    while await names(server):
        pass


async def test_one_more_byte_ends_it_too(server: EpmdServer) -> None:
    reader, writer = await register(server, b"py")
    writer.write(b"x")
    assert await reader.read() == b""
    assert await names(server) == []
    await hang_up((reader, writer))


async def test_a_client_that_closes_its_side_after_asking_is_answered(server: EpmdServer) -> None:
    reader, writer = await connect(server)
    writer.write(NAMES)
    writer.write_eof()
    assert len(await reader.read()) == 4
    await hang_up((reader, writer))


async def test_a_refused_client_stays_connected(server: EpmdServer) -> None:
    first = await register(server, b"py")
    reader, writer = await connect(server)
    writer.write(epmd.Alive2Req(b"py", 2).to_bytes())
    assert epmd.Alive2Resp.parse(await reader.readexactly(6)) == epmd.Alive2Resp(1, 99)
    await names(server)
    assert server.connections >= 2
    writer.write_eof()
    assert await reader.read() == b""
    assert await names(server) == ["py"]
    await hang_up((reader, writer))
    await hang_up(first)


async def test_stop_hangs_up_on_the_node() -> None:
    async with EpmdServer(0, ["127.0.0.1"], relaxed=True) as server:
        node, other = await register(server, b"py"), await register(server, b"other")
        assert await ask(server, epmd.StopReq(b"py").to_bytes()) == b"STOPPED"
        assert await node[0].read() == b""
        assert await names(server) == ["other"]
        await hang_up(node)
        await hang_up(other)


async def test_kill_ends_it(server: EpmdServer) -> None:
    client = await register(server, b"py")
    assert await ask(server, epmd.KillReq().to_bytes()) == b"NO"
    await hang_up(client)
    assert await ask(server, epmd.KillReq().to_bytes()) == b"OK"
    await server.wait_ended()


async def test_stopping_drops_everybody_and_frees_the_port(server: EpmdServer) -> None:
    node, idle = await register(server, b"py"), await connect(server)
    await server.stop()
    await server.stop()
    assert server.connections == 0
    assert await node[0].read() == b""
    with pytest.raises(OSError):
        await connect(server)
    async with EpmdServer(server.port, ["127.0.0.1"]) as next_one:
        assert await names(next_one) == []
    await hang_up(node)
    await hang_up(idle)


async def test_it_listens_on_both_families_and_says_which_port() -> None:
    async with EpmdServer(0) as server:
        client = await register(server, b"py", "::1")
        for host in ("127.0.0.1", "::1", "127.0.0.2"):
            assert epmd.parse_names(await ask(server, NAMES, host)) == epmd.Names(server.port, (("py", 1),))
        await hang_up(client)


async def test_loopback_is_always_among_the_addresses() -> None:
    async with EpmdServer(0, ["127.0.0.3"]) as server:
        for host in ("127.0.0.1", "::1", "127.0.0.3"):
            assert await names(server, host) == []
        with pytest.raises(OSError):
            await connect(server, "127.0.0.4")


async def test_the_port_of_another_epmd_is_taken(server: EpmdServer) -> None:
    for addresses in ([], ["127.0.0.1"], ["::1"]):
        with pytest.raises(OSError) as failure:
            await EpmdServer(server.port, addresses).start()
        assert failure.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("address", ["localhost", "1.2.3", "::x", ""])
def test_addresses_are_ip_addresses(address: str) -> None:
    with pytest.raises(ConfigError, match="IP addresses"):
        bind(0, [address])


def test_an_address_of_another_host_cannot_be_listened_on() -> None:
    with pytest.raises(OSError) as failure:
        bind(0, ["192.0.2.77"])
    assert failure.value.errno == errno.EADDRNOTAVAIL


def test_a_host_without_ipv6_is_served_over_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epmd_server, "_ANYWHERE", ("127.0.0.1", "2001:db8::1"))
    monkeypatch.setattr(epmd_server, "_LOOPBACK", ("2001:db8::1",))
    (sock,) = bind(0)
    assert sock.getsockname()[0] == "127.0.0.1"
    sock.close()
    with pytest.raises(OSError):
        epmd_server._bind_all(0, ["2001:db8::1"])


async def test_an_unfinished_request_has_a_deadline() -> None:
    limits = replace(DEFAULT, epmd_packet_time=0.2)
    async with EpmdServer(0, ["127.0.0.1"], limits=limits) as server:
        node = await register(server, b"py")
        silent, slow = await connect(server), await connect(server)
        trickle = asyncio.create_task(_trickle(slow[1]))
        for reader, _ in (slow, silent):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        trickle.cancel()
        assert await names(server) == ["py"]  # a registration has none
        for client in (node, silent, slow):
            client[1].transport.abort()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x0b\xf1")
    while True:
        writer.write(b"n")
        await asyncio.sleep(0.01)


async def test_a_reply_that_nobody_reads_has_a_deadline() -> None:
    limits = replace(DEFAULT, epmd_packet_time=0.2)
    async with EpmdServer(0, ["127.0.0.1"], limits=limits) as server:
        for number in range(12_000):  # straight into its memory: so many connections would take a while
            name = b"%d" % number + "😀".encode() * 250
            assert server.registry.register(epmd.Alive2Req(name, 1), -1, 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(NAMES)
        assert len(await reader.readexactly(4)) == 4
        assert server.connections == 1
        await asyncio.wait_for(server._empty.wait(), 30)
        writer.transport.abort()


async def test_when_full_the_longest_waiting_client_without_a_name_makes_room() -> None:
    limits = replace(DEFAULT, epmd_clients=4)
    async with EpmdServer(0, ["127.0.0.1"], limits=limits) as server:
        node = await register(server, b"py")
        waiting = [await connect(server) for _ in range(4)]
        assert await waiting[0][0].read() == b""
        assert server.connections == 4
        assert await names(server) == ["py"]
        assert await waiting[1][0].read() == b""
        for client in (node, *waiting):
            client[1].transport.abort()


async def test_when_full_of_names_a_newcomer_is_turned_away() -> None:
    limits = replace(DEFAULT, epmd_clients=2)
    async with EpmdServer(0, ["127.0.0.1"], limits=limits) as server:
        nodes = [await register(server, b"a"), await register(server, b"b")]
        reader, writer = await connect(server)
        assert await reader.read() == b""
        assert server.connections == 2
        await hang_up(nodes.pop())
        assert await names(server) == ["a"]
        for client in (*nodes, (reader, writer)):
            client[1].transport.abort()


def test_clients_cannot_use_up_the_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert epmd_server._room(7) == 7
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    assert epmd_server._room(1024) == 68
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 100))
    assert epmd_server._room(1024) == 1024


async def test_creations_come_from_the_clock_it_is_given() -> None:
    async with EpmdServer(0, ["127.0.0.1"], clock=lambda: 41.9) as server:
        reader, writer = await connect(server)
        writer.write(epmd.Alive2Req(b"py", 1).to_bytes())
        assert epmd.Alive2Resp.parse(await reader.readexactly(6)).creation == 42
        await hang_up((reader, writer))
