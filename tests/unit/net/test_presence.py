"""A node's place: the address that follows from its name, its port, and its entry at the port mapper."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import EpmdError, NameTaken
from pyerlnode.limits import DEFAULT
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.net.presence import Place, Presence, listen_host, new_creation
from pyerlnode.testing import OpenGate
from tests.support.net import local
from tests.support.nodes import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

QUICK = replace(DEFAULT, epmd_time=0.2)


@pytest.fixture
async def epmd() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0, ["127.0.0.1"]) as server:
        yield server


def presence(epmd: EpmdServer | None, name: str = "py@127.0.0.1", **options: Any) -> Presence:
    place = Place(name, epmd_port=None if epmd is None else epmd.port, **options)
    return Presence(place, local, OpenGate("cookie"), QUICK)


class TestHost:
    @pytest.mark.parametrize(
        ("host", "address"),
        [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.2", "127.0.0.2"),
            ("localhost", "127.0.0.1"),
            ("::1", "::1"),
            ("10.0.0.5", "0.0.0.0"),
            ("fd00::5", "::"),
            ("node1", "0.0.0.0"),
            ("node1.example.org", "0.0.0.0"),
        ],
    )
    def test_it_follows_from_the_name(self, host: str, address: str) -> None:
        assert listen_host(host) == address

    async def test_it_can_be_given(self, epmd: EpmdServer) -> None:
        place = presence(epmd, host="127.0.0.3")
        await place.open()
        _, writer = await asyncio.open_connection("127.0.0.3", place.port)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", place.port)
        await place.close()


class TestEpmd:
    async def test_it_is_listed_until_it_closes(self, epmd: EpmdServer) -> None:
        place = presence(epmd)
        creation = await place.open()
        client = EpmdClient(port=epmd.port)
        entry = await client.lookup("py")
        assert entry is not None
        assert (entry.port, entry.hidden) == (place.port, False)
        assert creation > 3
        await place.close()
        assert await client.lookup("py") is None

    async def test_a_hidden_node_says_so(self, epmd: EpmdServer) -> None:
        place = presence(epmd, hidden=True)
        await place.open()
        entry = await EpmdClient(port=epmd.port).lookup("py")
        assert entry is not None
        assert entry.hidden
        await place.close()

    async def test_a_living_holder_keeps_its_name(self, epmd: EpmdServer) -> None:
        first, second = presence(epmd), presence(epmd)
        await first.open()
        with pytest.raises(NameTaken, match="a live node holds it"):
            await second.open()
        assert second.port == 0 or not await _listens(second.port)
        await first.close()

    async def test_a_dead_holder_s_name_is_taken_over(self, epmd: EpmdServer) -> None:
        """The port mapper needs a moment to see a death: the name is asked for until it has."""
        client = EpmdClient(port=epmd.port)
        dead = await client.register("py", free_port())
        place = presence(epmd)
        opening = asyncio.ensure_future(place.open())
        while not epmd.connections > 1 and not opening.done():
            await asyncio.sleep(0)
        await dead.close()
        assert await opening > 3
        entry = await client.lookup("py")
        assert entry is not None
        assert entry.port == place.port
        await place.close()

    async def test_a_name_that_never_comes_free_is_taken(self, epmd: EpmdServer) -> None:
        dead = await EpmdClient(port=epmd.port).register("py", free_port())
        with pytest.raises(NameTaken):
            await presence(epmd).open()
        await dead.close()

    async def test_where_none_runs_and_none_is_to_be_started_it_says_so(self) -> None:
        place = Presence(
            Place("py@127.0.0.1", epmd_port=free_port(), start_epmd=False), local, OpenGate("cookie"), QUICK
        )
        with pytest.raises(EpmdError, match="no epmd answers"):
            await place.open()
        assert not await _listens(place.port)


class TestWithoutEpmd:
    async def test_a_fixed_port_and_a_creation_of_its_own(self) -> None:
        port = free_port()
        place = presence(None, port=port)
        creation = await place.open()
        assert place.port == port
        assert creation >= 4
        assert await _listens(port)
        await place.close()
        assert not await _listens(port)

    async def test_a_port_in_use_is_an_error(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
            await presence(None, port=taken.getsockname()[1]).open()

    def test_creations_are_in_range_and_differ(self) -> None:
        made = {new_creation() for _ in range(100)}
        assert all(4 <= creation < 2**32 for creation in made)
        assert len(made) > 90


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
