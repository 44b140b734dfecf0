"""The socket of the Gossip strategy: one UDP port that all nodes of a host share, and a multicast group.

Like libcluster's, it sends and hears on the same port, and hears itself.  Unlike that one it is to join its
group anew with each heartbeat (:meth:`GossipSocket.join`): an interface that came later, or was taken away
and put back, is no reason to stay deaf.  What the kernel refuses is a :class:`DiscoveryFailed` that says what
to do.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pyerlnode.cluster.gossip_packets import LONGEST
from pyerlnode.errors import DiscoveryFailed

if TYPE_CHECKING:
    from types import TracebackType

    from pyerlnode.cluster.gossip import Gossip

ANY = "0.0.0.0"  # noqa: S104  heartbeats come from every network that this machine is on
"""Every address of this machine, or the one that the routes choose."""
AT_ONCE = 64
"""Datagrams that are read in a row."""


class GossipSocket:
    """A socket bound as `place`, the options, has it; in no group yet.  Raises :class:`DiscoveryFailed`."""

    def __init__(self, place: Gossip) -> None:
        self._place = place
        try:
            self._socket = _bound(place)
        except OSError as error:
            raise DiscoveryFailed(_why_not_bound(error, place)) from error

    def join(self) -> None:
        """Become, or stay, a member of the group.  Raises :class:`DiscoveryFailed`."""
        place = self._place
        if place.broadcast_only:
            return
        outgoing = socket.inet_aton(place.multicast_if or ANY)
        try:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, outgoing)
            membership = socket.inet_aton(place.multicast_addr) + outgoing
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # that is: we are in it
                raise DiscoveryFailed(_why_not_joined(error, place)) from error

    def send(self, datagram: bytes) -> None:
        """Send it to all.  Raises :class:`DiscoveryFailed`; with no room in the buffer it is lost."""
        target = self._place.multicast_addr, self._place.port
        try:
            with suppress(BlockingIOError):
                self._socket.sendto(datagram, target)
        except OSError as error:
            why = f"no heartbeat can be sent to {target[0]}: {error.strerror}"
            raise DiscoveryFailed(why) from error

    async def receive(self) -> list[tuple[bytes, str]]:
        """Wait for datagrams; give up to `AT_ONCE` of them, each with the address that it came from.

        Of one that is too long, there is one byte more than :data:`LONGEST`.
        """
        await self._readable()
        found: list[tuple[bytes, str]] = []
        with suppress(BlockingIOError):
            while len(found) < AT_ONCE:
                datagram, (address, _) = self._socket.recvfrom(LONGEST + 1)
                found.append((datagram, address))
        return found

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.add_reader(self._socket, woken.set)
        try:
            await woken.wait()
        finally:
            loop.remove_reader(self._socket)

    def close(self) -> None:
        """Leave the group and give the port back."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bound(place: Gossip) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT, socket.SO_BROADCAST):
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, place.multicast_ttl)
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        bound.bind((place.if_addr, place.port))
    except BaseException:
        bound.close()
        raise
    return bound


def _why_not_bound(error: OSError, place: Gossip) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"UDP port {place.port} belongs to a program that does not share it: end that one, "
                f"or give all nodes another port="
            )
        case errno.EADDRNOTAVAIL:
            return f"if_addr={place.if_addr} is no address of this machine: leave it at {ANY}"
        case errno.EACCES:
            return f"UDP port {place.port} is not for this user: give all nodes a port= from 1024 on"
    return f"UDP port {place.port} cannot be opened at {place.if_addr}: {error.strerror}"


def _why_not_joined(error: OSError, place: Gossip) -> str:
    if error.errno not in (errno.ENODEV, errno.EADDRNOTAVAIL, errno.EINVAL):
        return f"the group {place.multicast_addr} cannot be joined: {error.strerror}"
    if place.multicast_if:
        return f"multicast_if={place.multicast_if} is no address of this machine: give one, or leave it out"
    return (
        f"no network here leads to the group {place.multicast_addr} yet: give the address of an interface "
        f"as multicast_if=, or broadcast_only=True with a broadcast address as multicast_addr="
    )
