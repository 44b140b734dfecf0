"""From names to addresses, and the errors on the way: each says at which stage, and what to do."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import ConnectFailed, EpmdError
from pyerlnode.limits import DEFAULT
from pyerlnode.net.dial import Address
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.net.locate import Locator, resolve
from pyerlnode.wire import epmd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from pyerlnode.net.locate import Resolver

NODE = "py@peer.example"


@pytest.fixture
async def server() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0) as server:
        yield server


@pytest.fixture
def client(server: EpmdServer) -> EpmdClient:
    return EpmdClient(port=server.port)


def enter(server: EpmdServer, name: str, port: int = 4711, *, lowest: int = 5, highest: int = 6) -> None:
    alive = epmd.Alive2Req(name.encode(), port, lowest=lowest, highest=highest)
    assert server.registry.register(alive, -1, 0)


def to(*addresses: str) -> Resolver:
    async def known(host: str, family: int) -> Sequence[str]:
        return addresses

    return known


def failing(error: Exception) -> Resolver:
    async def unknown(host: str, family: int) -> Sequence[str]:
        raise error

    return unknown


async def failure(locator: Locator, node: str = NODE) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as failed:
        await locator.locate(node)
    assert failed.value.peer == node
    return failed.value


class TestFound:
    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.0.0.2"])
    async def test_at_an_address(self, server: EpmdServer, client: EpmdClient, host: str) -> None:
        enter(server, "py")
        no_dns = Locator(client, resolver=failing(AssertionError("an address needs no DNS")))
        assert await no_dns.locate(f"py@{host}") == Address(host, 4711, 6)

    async def test_at_localhost_over_ipv4(self, server: EpmdServer, client: EpmdClient) -> None:
        enter(server, "py")
        assert await Locator(client).locate("py@localhost") == Address("127.0.0.1", 4711, 6)

    async def test_by_dns(self, server: EpmdServer, client: EpmdClient) -> None:
        enter(server, "py")
        locator = Locator(client, resolver=to("127.0.0.5"), long_names=True)
        assert await locator.locate(NODE) == Address("127.0.0.5", 4711, 6)

    async def test_with_the_version_it_speaks(self, server: EpmdServer, client: EpmdClient) -> None:
        enter(server, "py", highest=5)
        assert (await Locator(client, resolver=to("127.0.0.1")).locate(NODE)).version == 5

    async def test_at_the_second_address_when_no_epmd_is_at_the_first(self) -> None:
        async with EpmdServer(0, ["127.0.0.1"]) as server:
            enter(server, "py")
            locator = Locator(EpmdClient(port=server.port), resolver=to("127.0.0.9", "127.0.0.1"))
            assert (await locator.locate(NODE)).host == "127.0.0.1"


class TestFixedPorts:
    async def test_no_epmd_is_asked_where_the_port_is_known(self) -> None:
        locator = Locator(None, ports={NODE: 5001}, resolver=to("127.0.0.1"))
        assert await locator.locate(NODE) == Address("127.0.0.1", 5001, 6)

    async def test_one_port_for_all(self) -> None:
        locator = Locator(None, ports={"a@::1": 5001}, same_port=5000)
        assert await locator.locate("a@::1") == Address("::1", 5001, 6)
        assert await locator.locate("b@::1") == Address("::1", 5000, 6)

    async def test_the_others_are_asked_for(self, server: EpmdServer, client: EpmdClient) -> None:
        enter(server, "b")
        locator = Locator(client, ports={"a@127.0.0.1": 5001})
        assert (await locator.locate("a@127.0.0.1")).port == 5001
        assert (await locator.locate("b@127.0.0.1")).port == 4711

    async def test_without_a_port_and_without_epmd(self) -> None:
        error = await failure(Locator(None, ports={"a@h.example": 1}, resolver=to("127.0.0.1")))
        assert error.stage == "port"
        assert "add it to ports={'py@peer.example': ...}" in str(error)


class TestNames:
    @pytest.mark.parametrize("node", ["py", "@host", "py@", "a@b@c", "", "x" * 300 + "@h"])
    async def test_what_is_no_node_name(self, client: EpmdClient, node: str) -> None:
        assert (await failure(Locator(client), node)).stage == "name"

    async def test_a_short_name_seen_from_a_long_one(self, client: EpmdClient) -> None:
        error = await failure(Locator(client, long_names=True), "py@peer")
        assert error.stage == "name"
        assert "this node has a long name" in str(error)
        assert "'peer' has none" in str(error)

    @pytest.mark.parametrize("host", ["peer.example", "127.0.0.1", "::1"])
    async def test_a_long_name_seen_from_a_short_one(self, client: EpmdClient, host: str) -> None:
        error = await failure(Locator(client, long_names=False), f"py@{host}")
        assert error.stage == "name"
        assert "this node has a short name" in str(error)


class TestDns:
    @pytest.mark.parametrize(
        "error",
        [
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            OSError("no"),
            UnicodeError("label too long"),
        ],
    )
    async def test_a_host_that_does_not_resolve(self, client: EpmdClient, error: Exception) -> None:
        failed = await failure(Locator(client, resolver=failing(error)))
        assert failed.stage == "dns"
        assert "host 'peer.example' does not resolve" in str(failed)
        assert failed.__cause__ is error

    async def test_a_host_without_addresses(self, client: EpmdClient) -> None:
        assert (await failure(Locator(client, resolver=to()))).stage == "dns"

    async def test_the_system_is_asked(self, client: EpmdClient) -> None:
        for host in ("nowhere.invalid", "x" * 64 + ".invalid"):
            assert (await failure(Locator(client), f"py@{host}")).stage == "dns"

    async def test_a_resolver_that_hangs(self, client: EpmdClient) -> None:
        async def hang(host: str, family: int) -> Sequence[str]:
            await asyncio.Event().wait()
            return []

        limits = replace(DEFAULT, epmd_time=0.05)
        failed = await failure(Locator(client, resolver=hang, limits=limits))
        assert failed.stage == "dns"
        assert "was not resolved within 0.05 s" in str(failed)

    async def test_a_family_can_be_chosen(self) -> None:
        assert await resolve("127.0.0.1") == ["127.0.0.1"]
        assert await resolve("::1", socket.AF_INET6) == ["::1"]
        with pytest.raises(OSError, match=r"."):
            await resolve("::1", socket.AF_INET)

    async def test_the_family_is_passed_on(self, server: EpmdServer, client: EpmdClient) -> None:
        enter(server, "py")
        asked: list[int] = []

        async def noting(host: str, family: int) -> Sequence[str]:
            asked.append(family)
            return ["::1"]

        await Locator(client, resolver=noting, family=socket.AF_INET6).locate(NODE)
        assert asked == [socket.AF_INET6]


class TestEpmd:
    async def test_nobody_answers(self, server: EpmdServer, client: EpmdClient) -> None:
        await server.stop()
        failed = await failure(Locator(client, resolver=to("127.0.0.1", "127.0.0.2")))
        assert failed.stage == "epmd"
        assert f"no epmd answers at 127.0.0.1:{server.port} (connection refused)" in str(failed)
        assert "is a node running on peer.example" in str(failed)
        assert isinstance(failed.__cause__, EpmdError)

    async def test_it_knows_nobody(self, client: EpmdClient) -> None:
        failed = await failure(Locator(client, resolver=to("127.0.0.1")))
        assert failed.stage == "epmd"
        assert "the epmd on peer.example knows no node 'py', nor any other: is it started?" in str(failed)

    async def test_it_knows_others(self, server: EpmdServer, client: EpmdClient) -> None:
        for name in ("zoe", "adam"):
            enter(server, name)
        failed = await failure(Locator(client, resolver=to("127.0.0.1")))
        assert str(failed).endswith("is it started? The nodes there are adam, zoe")

    async def test_it_knows_many_others(self, server: EpmdServer, client: EpmdClient) -> None:
        for number in range(30):
            enter(server, f"n{number:02}")
        failed = await failure(Locator(client, resolver=to("127.0.0.1")))
        assert str(failed).endswith("n08, n09 and 20 more")

    async def test_it_does_not_tell_the_others(
        self, client: EpmdClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def gone(host: str | None = None) -> list[tuple[str, int]]:
            raise EpmdError("gone meanwhile")

        monkeypatch.setattr(client, "names", gone)
        failed = await failure(Locator(client, resolver=to("127.0.0.1")))
        assert str(failed).endswith("knows no node 'py': is it started?")

    async def test_it_knows_a_node_of_another_age(self, server: EpmdServer, client: EpmdClient) -> None:
        enter(server, "py", lowest=7, highest=8)
        failed = await failure(Locator(client, resolver=to("127.0.0.1")))
        assert failed.stage == "epmd"
        assert "handshake versions 7 to 8, this node 5 to 6" in str(failed)
