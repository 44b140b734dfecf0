"""The shared UDP port: who hears whom, and what is said when the kernel refuses.  Over 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster import gossip_socket
from pyerlnode.cluster.gossip import Gossip
from pyerlnode.cluster.gossip_packets import LONGEST
from pyerlnode.cluster.gossip_socket import AT_ONCE, GossipSocket
from pyerlnode.errors import DiscoveryFailed
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK: dict[str, Any] = {"multicast_if": "127.0.0.1", "multicast_ttl": 0}
NOT_OURS = "192.0.2.77"
"""An address kept for documentation."""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def loopback(port: int) -> Iterator[GossipSocket]:
    with GossipSocket(Gossip(port=port, **LOOPBACK)) as opened:
        opened.join()
        yield opened


async def heard(at: GossipSocket) -> list[bytes]:
    return [datagram for datagram, _ in await at.receive()]


class TestMulticast:
    async def test_all_on_the_host_hear_what_one_says_and_so_does_it(
        self, loopback: GossipSocket, port: int
    ) -> None:
        with GossipSocket(Gossip(port=port, **LOOPBACK)) as other:
            other.join()
            loopback.send(b"hello")
            assert await other.receive() == [(b"hello", "127.0.0.1")]
            assert await loopback.receive() == [(b"hello", "127.0.0.1")]

    async def test_joining_again_changes_nothing(self, loopback: GossipSocket) -> None:
        for _ in range(50):
            loopback.join()
        loopback.send(b"hello")
        assert await heard(loopback) == [b"hello"]

    async def test_another_group_is_not_joined(self, loopback: GossipSocket, port: int) -> None:
        with GossipSocket(Gossip(port=port, multicast_addr="233.252.1.33", **LOOPBACK)) as other:
            other.send(b"to nobody")
            loopback.send(b"hello")
        assert await heard(loopback) == [b"hello"]

    async def test_it_waits_for_what_comes_later(self, loopback: GossipSocket) -> None:
        waiting = asyncio.create_task(heard(loopback))
        await asyncio.sleep(0)
        loopback.send(b"later")
        assert await waiting == [b"later"]

    async def test_what_waits_is_read_in_portions(self, loopback: GossipSocket) -> None:
        for number in range(AT_ONCE + 3):
            loopback.send(b"%d" % number)
        first, rest = await heard(loopback), await heard(loopback)
        assert len(first) == AT_ONCE
        assert first + rest == [b"%d" % number for number in range(AT_ONCE + 3)]

    async def test_a_long_datagram_is_cut(self, loopback: GossipSocket) -> None:
        loopback.send(bytes(LONGEST))
        loopback.send(bytes(9000))
        assert [len(datagram) for datagram in await heard(loopback)] == [LONGEST, LONGEST + 1]

    def test_the_options_reach_the_kernel(self, port: int) -> None:
        with GossipSocket(Gossip(port=port, multicast_if="127.0.0.1", multicast_ttl=7)) as opened:
            kernel = opened._socket.getsockopt
            assert kernel(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == 7
            assert kernel(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) == 1
            assert kernel(socket.SOL_SOCKET, socket.SO_BROADCAST)
            assert opened._socket.getsockname() == ("0.0.0.0", port)

    def test_the_port_is_free_afterwards(self, loopback: GossipSocket, port: int) -> None:
        loopback.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
            alone.bind(("0.0.0.0", port))


class TestBroadcast:
    async def test_all_on_the_host_hear_what_one_says(self, port: int) -> None:
        place = Gossip(port=port, multicast_addr="127.255.255.255", broadcast_only=True)
        with GossipSocket(place) as one, GossipSocket(place) as other:
            one.join()
            one.send(b"hello")
            assert await heard(one) == [b"hello"]
            assert await heard(other) == [b"hello"]

    async def test_no_group_is_joined(self, port: int) -> None:
        place = Gossip(port=port, multicast_addr="127.255.255.255", broadcast_only=True)
        with GossipSocket(place) as alone, GossipSocket(Gossip(port=port, **LOOPBACK)) as other:
            alone.join()
            other.send(b"to the group")
            alone.send(b"to all")
            assert await heard(alone) == [b"to all"]


class TestRefusals:
    def test_a_port_that_another_keeps_for_itself(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greedy:
            greedy.bind(("0.0.0.0", port))
            with pytest.raises(DiscoveryFailed, match=f"UDP port {port} belongs to a program that does not"):
                GossipSocket(Gossip(port=port))

    def test_an_address_that_is_not_ours(self, port: int) -> None:
        with pytest.raises(DiscoveryFailed, match=r"if_addr=192\.0\.2\.77 is no address of this machine"):
            GossipSocket(Gossip(port=port, if_addr=NOT_OURS))

    def test_a_network_that_is_not_ours(self, port: int) -> None:
        with (
            GossipSocket(Gossip(port=port, multicast_if=NOT_OURS)) as opened,
            pytest.raises(DiscoveryFailed, match=r"multicast_if=192\.0\.2\.77 is no address of this machine"),
        ):
            opened.join()

    @pytest.mark.parametrize(
        ("number", "text"),
        [(errno.EACCES, "is not for this user"), (errno.EMFILE, f"0.0.0.0: {os.strerror(errno.EMFILE)}")],
    )
    def test_other_trouble_with_the_port(self, number: int, text: str) -> None:
        error = OSError(number, os.strerror(number))
        assert text in gossip_socket._why_not_bound(error, Gossip(port=99))

    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (errno.ENODEV, "give the address of an interface as multicast_if="),
            (errno.ENOBUFS, "cannot be joined"),
        ],
    )
    def test_other_trouble_with_the_group(self, number: int, text: str) -> None:
        error = OSError(number, os.strerror(number))
        assert text in gossip_socket._why_not_joined(error, Gossip())

    def test_sending_what_no_network_takes(self, loopback: GossipSocket) -> None:
        with pytest.raises(
            DiscoveryFailed, match=r"no heartbeat can be sent to 233\.252\.1\.32: Message too long"
        ):
            loopback.send(bytes(70_000))
