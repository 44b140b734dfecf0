"""Python nodes and BEAMs find each other by gossip, in the bytes of libcluster."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Node
from pyerlnode.cluster.gossip import Gossip
from pyerlnode.cluster.gossip_packets import MARK, Plain
from pyerlnode.cluster.gossip_socket import GossipSocket
from pyerlnode.cluster.topology import Topology
from pyerlnode.term import decode
from tests.support.gossip import Gossiper
from tests.support.nodes import until
from tests.support.ports import free_port
from tests.support.world import lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.hosts import Host, Network

PY = "py@127.0.0.1"
SECRET = "a shared secret"
SECRETS = pytest.mark.parametrize("secret", ["", SECRET], ids=["plain", "sealed"])


@pytest.fixture
def port() -> int:
    """A port that only one test gossips on."""
    return free_port()


def strategy(port: int, secret: str = "") -> Gossip:
    return Gossip(port=port, multicast_if="127.0.0.1", secret=secret or None)


@asynccontextmanager
async def python(port: int, secret: str = "", name: str = PY, **options: Any) -> AsyncIterator[Node]:
    """A node of ours that gossips; epmd is that of the test run."""
    topology = Topology("example", strategy(port, secret))
    async with Node(name, cookie="cookie", topologies=[topology], **options) as node:
        yield node


async def seen_by(beam: Beam, *names: str) -> None:
    """Wait until `beam` is connected to just these."""
    async with asyncio.timeout(30):
        while set(await connected(beam)) != set(names):
            await asyncio.sleep(0.02)


async def connected(beam: Beam) -> list[str]:
    nodes: list[str] = decode(await beam.eval_bytes("nodes()"))
    return nodes


class TestEachRelease:
    @SECRETS
    async def test_we_dial_whom_we_hear(
        self, release: Release, beams: Starter, port: int, secret: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        beam = await beams(release, name="node1@127.0.0.1")
        await Gossiper(beam, port=port, secret=secret).start(listens=False)
        async with python(port, secret) as node:
            assert await node.topologies.ready(1) == ["node1@127.0.0.1"]
            await seen_by(beam, PY)
        assert '[pyerlnode:example] connected to :"node1@127.0.0.1"' in lines(caplog.records)

    @SECRETS
    async def test_whoever_hears_us_dials_us(
        self, release: Release, beams: Starter, port: int, secret: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with python(port, secret) as node:
            beam = await beams(release, name="node1@127.0.0.1")
            gossiper = Gossiper(beam, port=port, secret=secret)
            await gossiper.start(talks=False)
            assert await node.topologies.ready(1) == ["node1@127.0.0.1"]
            assert await gossiper.heard() == f"['{PY}']"
        assert lines(caplog.records) == []


@pytest.mark.beam(needs=(25,))
class TestOneHost:
    @SECRETS
    async def test_in_any_order_all_see_all(self, beams: Starter, port: int, secret: str) -> None:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(python(port, secret, "py1@127.0.0.1"))
            beam = await beams(25, name="node1@127.0.0.1")
            await Gossiper(beam, port=port, secret=secret).start()
            second = await stack.enter_async_context(python(port, secret, "py2@127.0.0.1"))
            for node, other in ((first, "py2@127.0.0.1"), (second, "py1@127.0.0.1")):
                assert sorted(await node.topologies.ready(2)) == ["node1@127.0.0.1", other]
            await seen_by(beam, "py1@127.0.0.1", "py2@127.0.0.1")

    async def test_a_node_that_died_is_found_when_it_is_back(self, beams: Starter, port: int) -> None:
        async with python(port) as node:
            for _ in range(3):
                beam = await beams(25, name="node1@127.0.0.1")
                await Gossiper(beam, port=port).start(listens=False)
                await node.topologies.ready(1)
                beam.kill()
                await until(lambda: not node.list())

    async def test_we_are_found_when_we_are_back(self, beams: Starter, port: int) -> None:
        beam = await beams(25, name="node1@127.0.0.1")
        await Gossiper(beam, port=port).start(talks=False)
        for _ in range(3):
            async with python(port) as node:
                await node.topologies.ready(1)
            await seen_by(beam)

    @pytest.mark.parametrize(("ours", "theirs"), [("one", "other"), ("one", ""), ("", "other")])
    async def test_another_secret_keeps_apart(
        self, beams: Starter, port: int, ours: str, theirs: str
    ) -> None:
        beam, friend = await beams(25, name="node1@127.0.0.1"), await beams(25, name="node2@127.0.0.1")
        gossiper = Gossiper(beam, port=port, secret=theirs)
        await gossiper.start()
        async with python(port, ours) as node:
            await Gossiper(friend, port=port, secret=ours).start()
            assert await node.topologies.ready(1) == ["node2@127.0.0.1"]
            async with asyncio.timeout(20):
                while "none" not in await gossiper.heard():  # it heard us, and did not understand
                    await asyncio.sleep(0.02)
            assert node.list() == ["node2@127.0.0.1"]
            assert await connected(beam) == []

    async def test_another_cookie_keeps_apart_and_says_so_once(
        self, beams: Starter, port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        stranger = await beams(25, name="node1@127.0.0.1", cookie="other")
        await Gossiper(stranger, port=port).start(listens=False)
        async with python(port) as node:
            await until(lambda: lines(caplog.records, logging.WARNING))
            friend = await beams(25, name="node2@127.0.0.1")
            await Gossiper(friend, port=port).start(listens=False)
            assert await node.topologies.ready(1) == ["node2@127.0.0.1"]
        (line,) = lines(caplog.records, logging.WARNING)
        assert line.startswith('[pyerlnode:example] unable to connect to :"node1@127.0.0.1": ')
        assert "cookie" in line

    async def test_bytes_that_end_libcluster_do_nothing_to_us(self, beams: Starter, port: int) -> None:
        beam = await beams(25, name="node1@127.0.0.1")
        gossiper = Gossiper(beam, port=port)
        await gossiper.start(talks=False, listens=False)
        async with python(port) as node:
            for datagram in (
                MARK,
                MARK + b"garbage",
                MARK + b"\x83",
                MARK + b"\x83t\0\0\0\1",
                b"",
                b"\0" * 9000,
            ):
                await gossiper.say(datagram)
            await gossiper.say(Plain().pack("node1@127.0.0.1"))
            assert await node.topologies.ready(1) == ["node1@127.0.0.1"]

    async def test_a_name_of_the_wrong_form_is_told_with_the_cure(
        self, port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with python(port):
            with GossipSocket(strategy(port)) as mouth:
                mouth.join()
                heartbeat = Plain().pack("node1@web1")
                await until(lambda: mouth.send(heartbeat) or lines(caplog.records, logging.WARNING))
                for _ in range(100):
                    mouth.send(heartbeat)
        (line,) = lines(caplog.records, logging.WARNING)
        assert line.startswith("[pyerlnode:example] unable to connect to :node1@web1: ")
        assert "Erlang does not mix the two" in line

    async def test_a_node_without_a_name_is_silent_and_says_why(
        self, beams: Starter, port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        beam = await beams(25, name="node1@127.0.0.1")
        gossiper = Gossiper(beam, port=port)
        await gossiper.start()
        async with python(port, name="nonode@nohost"):
            await until(lambda: lines(caplog.records, logging.WARNING))
            assert await gossiper.heard() == "['node1@127.0.0.1']"
        assert lines(caplog.records, logging.WARNING) == [
            '[pyerlnode:example] unable to connect to :"node1@127.0.0.1": not part of network'
        ]


@pytest.mark.timeout(120)
@pytest.mark.beam(needs=(25,))
class TestSeveralHosts:
    """With libcluster's defaults, on a network that knows nobody's name."""

    async def start_beam(self, host: Host, beams: Starter) -> Beam:
        beam = await beams(25, name=f"node@{host.address}", wrapper=host.enter, epmd_port=None)
        await Gossiper(beam, port=45892, interface=host.address).start()
        return beam

    def start_python(self, host: Host, secret: str = "") -> Any:
        options = {"secret": secret} if secret else {}
        topologies = {"example": {"strategy": "gossip", **options}}
        return host.python_node(f"py@{host.address}", topologies=topologies, net_ticktime=8)

    async def test_nodes_meet_die_and_meet_again(self, network: Network, beams: Starter) -> None:
        one, two, three = (network.host(name) for name in ("web1", "web2", "web3"))
        async with self.start_python(one) as py1:
            beam = await self.start_beam(two, beams)
            async with self.start_python(three) as py3:
                assert await py1.eval("len(await node.topologies.ready(2))") == 2
                assert await py3.eval("len(await node.topologies.ready(2))") == 2
                await seen_by(beam, f"py@{one.address}", f"py@{three.address}")
                three.power_off()
            await py1.eval("await until(lambda: len(node.list()) == 1)")
            three.power_on()
            async with self.start_python(three) as py3:
                assert await py3.eval("len(await node.topologies.ready(2))") == 2
                assert await py1.eval("len(await node.topologies.ready(2))") == 2

    async def test_a_network_that_comes_later(self, network: Network, beams: Starter) -> None:
        one, two = network.host("web1"), network.host("web2")
        one.run("ip", "link", "set", "eth0", "down")  # its routes go with it
        async with self.start_python(one) as py:
            await py.wait_log("no network here leads to the group")
            beam = await self.start_beam(two, beams)
            one.run("ip", "link", "set", "eth0", "up")
            one.run("ip", "route", "add", "default", "via", network.address)
            await py.wait_log("the look-up works again")
            await py.eval("await node.topologies.ready(1)")
            await seen_by(beam, f"py@{one.address}")

    async def test_an_interface_that_is_taken_away_and_put_back(
        self, network: Network, beams: Starter
    ) -> None:
        one, two = network.host("web1"), network.host("web2")
        async with self.start_python(one) as py:
            one.run("ip", "link", "del", "eth0")
            await py.wait_log("no network here leads to the group")
            one._plug_in(one.space)
            beam = await beams(25, name=f"node@{two.address}", wrapper=two.enter, epmd_port=None)
            await Gossiper(beam, port=45892, interface=two.address).start(listens=False)
            await py.eval("await node.topologies.ready(1)")
            await seen_by(beam, f"py@{one.address}")
