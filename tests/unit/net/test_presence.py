"""Listening and registered: where, under which port mapper, and taken back when something fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import EpmdError, NameTaken
from pyerlnode.limits import DEFAULT
from pyerlnode.net import epmd_detached
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.net.presence import Place, Presence, listen_host
from pyerlnode.testing.wire_pair import OpenGate
from tests.support.net import local
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

NAME = "left@127.0.0.1"


class Gate(OpenGate):
    def established(self, stream: Any, info: Any) -> None:
        stream.close()

    def failed(self, peer: str | None, error: Exception) -> None:
        """Nobody asks."""


def presence(**place: Any) -> Presence:
    return Presence(Place(NAME, **{"port": free_port(), **place}), local, Gate("cookie"), DEFAULT)


@pytest.fixture
async def epmd() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0, ["127.0.0.1"], relaxed=True) as server:
        yield server


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.9", "127.0.0.9"),
        ("localhost", "127.0.0.1"),
        ("::1", "::1"),
        ("192.0.2.1", "0.0.0.0"),
        ("2001:db8::1", "::"),
        ("myhost", "0.0.0.0"),
        ("py.example.com", "0.0.0.0"),
        ("fe80::1%eth0", "::"),
    ],
)
def test_loopback_names_listen_on_loopback_alone(host: str, address: str) -> None:
    assert listen_host(host) == address


async def test_without_a_port_mapper() -> None:
    port = free_port()
    one = presence(port=port)
    assert await one.open() >= 4
    assert one.port == port
    assert await listens(port)
    await one.close()
    assert not await listens(port)


async def test_registered_until_closed(epmd: EpmdServer) -> None:
    one = presence(epmd_port=epmd.port)
    creation = await one.open()
    assert creation > 0
    client = EpmdClient(port=epmd.port)
    entry = await client.lookup("left", "127.0.0.1")
    assert entry is not None
    assert entry.port == one.port
    await one.close()
    assert await client.lookup("left", "127.0.0.1") is None
    assert not await listens(one.port)


async def test_a_name_that_is_taken_leaves_no_listener(epmd: EpmdServer) -> None:
    first, second = presence(epmd_port=epmd.port), presence(epmd_port=epmd.port)
    await first.open()
    with pytest.raises(NameTaken):
        await second.open()
    assert not await listens(second.port)
    await first.close()


async def test_a_name_whose_node_was_killed_is_waited_for(epmd: EpmdServer) -> None:
    """epmd may see the new node before it sees that the old one is gone."""
    killed = await EpmdClient(port=epmd.port).register("left", free_port())
    one = presence(epmd_port=epmd.port)
    opening = asyncio.ensure_future(one.open())
    while not one.port:
        await asyncio.sleep(0)
    await killed.close()
    assert await opening > 0
    await one.close()


async def test_but_not_without_end(epmd: EpmdServer) -> None:
    killed = await EpmdClient(port=epmd.port).register("left", free_port())
    limits = replace(DEFAULT, epmd_time=1.0)
    one = Presence(Place(NAME, port=free_port(), epmd_port=epmd.port), local, Gate("cookie"), limits)
    with pytest.raises(NameTaken):
        await one.open()
    assert not await listens(one.port)
    await killed.close()


async def test_nonsense_from_a_port_mapper_starts_none() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"nonsense")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    one = presence(epmd_port=server.sockets[0].getsockname()[1])
    with pytest.raises(EpmdError):
        await one.open()
    assert not await listens(one.port)
    server.close()


@pytest.mark.parametrize("raced", [False, True])
async def test_where_no_port_mapper_runs_one_is_started(monkeypatch: pytest.MonkeyPatch, raced: bool) -> None:
    """The daemon is tested in test_epmd_detached: here the one that is started lives in this process."""
    port = free_port()
    servers: list[EpmdServer] = []
    asked: list[tuple[int, tuple[str, ...]]] = []

    async def start(port: int, addresses: Sequence[str], **options: Any) -> int | None:
        asked.append((port, tuple(addresses)))
        server = EpmdServer(port, ["127.0.0.1"], relaxed=True)
        await server.start()
        servers.append(server)
        return None if raced else 1  # another node was faster

    monkeypatch.setattr(epmd_detached, "start_detached", start)
    one = presence(epmd_port=port, epmd_addresses=("127.0.0.1",))
    await one.open()
    assert asked == [(port, ("127.0.0.1",))]
    assert await EpmdClient(port=port).lookup("left", "127.0.0.1") is not None
    await one.close()
    await servers[0].stop()


async def test_where_none_is_to_be_started_its_absence_is_an_error() -> None:
    one = presence(epmd_port=free_port(), start_epmd=False)
    with pytest.raises(EpmdError):
        await one.open()
    assert not await listens(one.port)
