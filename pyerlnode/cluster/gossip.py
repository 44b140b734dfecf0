"""Gossip: every node says from time to time, to all at once, that it lives; whoever hears it connects.

As ``Cluster.Strategy.Gossip`` of libcluster, and together with it: same packets, same options.  See
:mod:`pyerlnode.cluster.gossip_packets` for the bytes.

Better than there: bytes that are no heartbeat are ignored instead of ending the strategy, and a flood of
made-up names does not make us dial them all; nodes are dialled side by side; a node without a name does not
gossip; networks that come later are joined when they do.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.backoff import Backoff
from pyerlnode.cluster.gossip_heard import Heard
from pyerlnode.cluster.gossip_packets import BLOCK, Plain, Sealed
from pyerlnode.cluster.gossip_socket import ANY, GossipSocket
from pyerlnode.cluster.strategy import Strategy
from pyerlnode.errors import ConfigError, DiscoveryFailed

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.gossip_packets import Packets

LONGEST_PAUSE = 5000
"""Milliseconds between two heartbeats, at most; libcluster's."""
BREATH = 0.05
"""Seconds between two looks at what has arrived: bounds the work that a flood makes."""
FIRST_RETRY, SLOWEST_RETRY = 1.0, 30.0
"""Seconds between two attempts to open a port that cannot be opened."""


@dataclass(frozen=True, kw_only=True)
class Gossip(Strategy):
    """Nodes on one network find each other without being told anything, as libcluster's Gossip.

    `port`
        UDP port, the same for all nodes.
    `if_addr`
        local address to listen at.  Leave it: a socket bound to one address hears no multicast on Linux.
    `multicast_addr`
        group that heartbeats are sent to, or with `broadcast_only` a broadcast address.
    `multicast_if`
        local address whose network is used for multicast; without it, the one that the routes lead to.
    `multicast_ttl`
        how many routers a heartbeat may pass, plus one.
    `secret`
        shared secret, text or bytes, that heartbeats are encrypted with: nodes with another one, or none, do
        not find each other.  Needs ``pip install "pyerlnode[gossip]"``.  It is no proof of who sent them: the
        cookie is.
    `broadcast_only`
        send to the broadcast address `multicast_addr` instead of a group.

    Addresses are IPv4, ``"10.0.0.5"`` or ``(10, 0, 0, 5)``.  A heartbeat goes out at once, then after 1 to
    5000 ms each time.  Nodes are never disconnected for being silent.
    """

    port: Any = 45892
    if_addr: Any = ANY
    multicast_if: Any = None
    multicast_addr: Any = "233.252.1.32"
    multicast_ttl: Any = 1
    secret: Any = field(default=None, repr=False)
    broadcast_only: Any = False

    def check(self) -> None:
        """Check the options and bring them into their form; raises :class:`ConfigError`."""
        self.keep("port", partial(_number, least=1, most=65535))
        self.keep("multicast_ttl", partial(_number, least=0, most=255))
        self.keep("broadcast_only", options.flag)
        self.keep("if_addr", _address)
        self.keep("multicast_addr", _address)
        if self.multicast_if is not None:
            self.keep("multicast_if", _address)
        self._check_target()
        self.packets()

    def _check_target(self) -> None:
        is_group = IPv4Address(self.multicast_addr).is_multicast
        if self.broadcast_only and is_group:
            cure = "with broadcast_only it is a broadcast address, as 255.255.255.255 or 10.0.0.255"
        elif not self.broadcast_only and not is_group:
            cure = "it is from 224.0.0.0 to 239.255.255.255; for broadcasts add broadcast_only=True"
        else:
            return
        raise ConfigError("multicast_addr", self.multicast_addr, cure)

    def packets(self) -> Packets:
        """What makes datagrams of heartbeats and reads them."""
        if self.secret is None:
            return Plain()
        if not isinstance(self.secret, (str, bytes)) or not self.secret:
            raise ConfigError("secret", "***", "it is text or bytes, and not empty; without it, leave it out")
        return Sealed(self.secret, partial(secrets.token_bytes, BLOCK))

    async def run(self, cluster: Convergence) -> None:
        """Gossip until cancelled."""
        if self.if_addr != ANY:
            warning = f"if_addr={self.if_addr}: some systems hear no multicast at a single address"
            cluster.report.say(logging.WARNING, f"{warning}; multicast_if= chooses the network")
        with await self._open(cluster) as socket:
            async with asyncio.TaskGroup() as tasks:
                gossiper = Gossiper(cluster, self.packets(), socket, tasks)
                tasks.create_task(gossiper.listen(), name=f"{cluster.topology.name} listens")
                await gossiper.talk()

    async def _open(self, cluster: Convergence) -> GossipSocket:
        pauses = Backoff(FIRST_RETRY, SLOWEST_RETRY, cluster.world.random)
        while True:
            try:
                return GossipSocket(self)
            except DiscoveryFailed as error:
                cluster.report.lookup_failed(f"{error}", 0.0)
            await cluster.world.clock.sleep(pauses.delay())


class Gossiper:
    """One node gossiping: talks and listens at `socket`, and dials in `tasks`."""

    def __init__(
        self, cluster: Convergence, packets: Packets, socket: GossipSocket, tasks: asyncio.TaskGroup
    ) -> None:
        self._cluster = cluster
        self._packets = packets
        self._socket = socket
        self._tasks = tasks
        self._heard = Heard(cluster.world.clock.time, cluster.world.random)
        self._ignored = 0

    async def talk(self) -> None:
        """Send a heartbeat now, and again and again."""
        world = self._cluster.world
        while True:
            self._beat()
            await world.clock.sleep((1 + int(world.random() * LONGEST_PAUSE)) / 1000)

    def _beat(self) -> None:
        cluster = self._cluster
        try:
            self._socket.join()
            if cluster.world.home.is_alive:
                self._socket.send(self._packets.pack(cluster.own))
        except DiscoveryFailed as error:
            cluster.report.lookup_failed(f"{error}", 0.0)
        else:
            cluster.expect(self._heard.recent())
            cluster.report.found(cluster.wanted, complete=False, duration=0.0)

    async def listen(self) -> None:
        """Dial whoever is heard and not connected."""
        while True:
            datagrams = await self._socket.receive()
            listed = await self._cluster.listed()
            for datagram, address in datagrams:
                self._heed(datagram, address, listed)
            await self._cluster.world.clock.sleep(BREATH)

    def _heed(self, datagram: bytes, address: str, listed: frozenset[str]) -> None:
        name = self._packets.unpack(datagram)
        if name is None:
            self._ignore()
        elif name == self._cluster.own:
            return
        elif name in listed:
            self._heard.connected(name)
            self._cluster.report.present([name])
        elif self._heard.may_dial(name, address):
            self._tasks.create_task(self._dial(name), name=f"{self._cluster.topology.name} heard {name}")

    async def _dial(self, name: str) -> None:
        self._cluster.expect(self._heard.recent())
        await self._cluster.connect([name])
        if name in await self._cluster.listed():
            self._heard.connected(name)
        else:
            self._cluster.report.forget(self._heard.failed(name))

    def _ignore(self) -> None:
        """Tell whoever debugs, ever less often."""
        self._ignored += 1
        if self._ignored.bit_count() == 1:
            text = f"ignored {self._ignored} datagrams that are no heartbeats, or made with another secret"
            self._cluster.report.say(logging.DEBUG, text)


def _number(key: str, value: Any, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(key, value, f"it is a whole number from {least} to {most}")
    return value


def _address(key: str, value: Any) -> str:
    text = ".".join(map(str, value)) if isinstance(value, (tuple, list)) else value
    try:
        return str(IPv4Address(options.text(key, text)))
    except ValueError as error:
        raise ConfigError(key, value, "it is an IPv4 address, as '10.0.0.5' or (10, 0, 0, 5)") from error
