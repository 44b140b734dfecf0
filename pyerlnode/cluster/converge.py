"""Bringing a node's connections in line with what a strategy finds (libcluster's ``Cluster.Strategy``).

All dials of a round run side by side, each with its deadline.  What cannot be reached is dialled again, soon
at first, then at the pace of the look-ups.  A look-up that fails changes nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.backoff import Backoff, jittered
from pyerlnode.cluster.report import ALREADY_DISCONNECTED, NOT_PART_OF_NETWORK, UNREACHABLE, Report
from pyerlnode.errors import ConnectFailed, DiscoveryFailed, NodeNotRunning, PyerlnodeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pyerlnode.cluster.ports import World
    from pyerlnode.cluster.strategy import Discovery
    from pyerlnode.cluster.topology import Topology

FIRST_RETRY = 0.5
"""Seconds after which a node that could not be reached is dialled again, when it failed once."""
SLOWEST_RETRY = 6.0
"""How many intervals lie between two look-ups, at most, while they fail."""
LONGEST_PAUSE = 60.0
"""Seconds between two look-ups that fail, where there is no interval to go by."""
ABSENCES = 3
"""Complete look-ups in a row that must lack a node before it is pruned."""
UNSEEN = 12
"""Incomplete look-ups in a row that may lack a node before it is dialled no more."""
AT_ONCE = 64
"""Dials side by side."""

CURABLE = frozenset({"name", "cookie", "flags", "refused"})
"""Stages of a failed dial that waiting does not mend: the log line goes on with what to do."""
NO_NETWORK = "not part of network"


class Convergence:
    """One running topology: what its strategy speaks to."""

    def __init__(self, topology: Topology, world: World, report: Report) -> None:
        self.topology = topology
        self.world = world
        self.report = report
        self._dials = asyncio.Semaphore(AT_ONCE)
        self._dialling: set[str] = set()
        self._wanted: frozenset[str] = frozenset()
        self._absences: dict[str, int] = {}
        self._unseen: dict[str, int] = {}
        self._lookups: Backoff | None = None
        self._retries: Backoff | None = None

    @property
    def own(self) -> str:
        """The name of the node that company is found for."""
        return self.world.home.name

    @property
    def wanted(self) -> frozenset[str]:
        """The nodes that the last look-ups found, without our own."""
        return self._wanted

    def expect(self, nodes: Iterable[str]) -> None:
        """Have these be :attr:`wanted`, found as they were without a look-up.  Dials nobody."""
        self._wanted = frozenset(nodes) - {self.own}

    # look-ups --------------------------------------------------------------------------

    async def look(self, discover: Callable[[Convergence], Awaitable[Discovery]]) -> Discovery | None:
        """What `discover` finds; None when it failed, which is told."""
        begun = self.world.clock.time()
        try:
            discovery = await discover(self)
        except DiscoveryFailed as error:
            self.report.lookup_failed(str(error), self._since(begun))
            return None
        if discovery.complete:
            self.report.found(discovery.nodes, complete=True, duration=self._since(begun))
        return discovery

    async def rest(self, interval: float) -> None:
        """Waits about `interval` seconds; nodes that could not be reached are dialled again meanwhile."""
        self._lookups = None
        if self._retries is None:
            self._retries = Backoff(FIRST_RETRY, interval, self.world.random)
        await self._rest(jittered(interval, self.world.random), self._retries)

    async def rest_after_failure(self, interval: float) -> None:
        """Waits before the next look-up: shortly at first, the longer the more fail in a row.

        Whoever was found before is dialled as ever.
        """
        if self._lookups is None:
            longest = LONGEST_PAUSE if math.isinf(interval) else SLOWEST_RETRY * interval
            self._lookups = Backoff(min(interval / 4, 1.0), longest, self.world.random)
        if self._retries is None:
            self._retries = Backoff(FIRST_RETRY, min(interval, LONGEST_PAUSE), self.world.random)
        await self._rest(self._lookups.delay(), self._retries)

    async def _rest(self, pause: float, retries: Backoff) -> None:
        clock = self.world.clock
        end = clock.time() + pause
        while (left := end - clock.time()) > 0:
            if not await self._missing(self._wanted):
                await clock.sleep(left)
                return
            await clock.sleep(min(left, retries.delay()))
            if clock.time() < end:
                await self.connect(self._wanted)

    # nodes -----------------------------------------------------------------------------

    async def converge(self, discovery: Discovery) -> None:
        """Connects to all that was found, and disconnects from what is gone, where that is wanted.

        Whoever an incomplete discovery lacks is still wanted, though not for ever.
        """
        found = discovery.nodes - {self.own}
        if found - self._wanted:
            self._retries = None  # somebody new: be quick again
        if discovery.complete and found:
            gone = self._gone(found)
            self._unseen.clear()
        else:
            gone = frozenset()
            found |= self._not_seen(found)
        self.report.forget(self._wanted - found)
        self._wanted = found
        await asyncio.gather(self.connect(self._wanted), self._prune(gone))

    def _not_seen(self, found: frozenset[str]) -> frozenset[str]:
        """Those of the wanted that are not `found`, less those that were not for too long."""
        absent = self._wanted - found
        if not found:  # nobody: that says nothing of anybody
            return absent
        self._unseen = {node: self._unseen.get(node, 0) + 1 for node in absent}
        return frozenset(node for node, times in self._unseen.items() if times <= UNSEEN)

    def _gone(self, found: frozenset[str]) -> frozenset[str]:
        """The nodes that were found once and are absent from `found` for the last time that we allow."""
        if not self.topology.prune:
            return frozenset()
        absent = (self._wanted | set(self._absences)) - found
        self._absences = {node: self._absences.get(node, 0) + 1 for node in absent}
        gone = frozenset(node for node, times in self._absences.items() if times >= ABSENCES)
        for node in gone:
            del self._absences[node]
        return gone

    async def connect(self, nodes: Iterable[str]) -> None:
        """Connects to those of `nodes` that are not connected, nor this node, nor being dialled."""
        async with asyncio.TaskGroup() as dials:
            for node in await self._missing(nodes):
                if node not in self._dialling:
                    dials.create_task(self._dial(node), name=f"{self.topology.name} dials {node}")

    async def _missing(self, nodes: Iterable[str]) -> list[str]:
        wanted = set(nodes) - {self.own}
        listed = await self.listed() if wanted else frozenset()
        self.report.present(wanted & listed)
        return sorted(wanted - listed)

    async def listed(self) -> frozenset[str]:
        """The nodes that count as connected: by the topology's hook, or as our node has it."""
        if self.topology.list_nodes is not None:
            return frozenset(await _settled(self.topology.list_nodes()))
        try:
            return frozenset(self.world.home.list("connected"))
        except NodeNotRunning:
            return frozenset()

    async def _dial(self, node: str) -> None:
        self._dialling.add(node)
        try:
            async with self._dials:
                await self._dial_once(node)
        finally:
            self._dialling.discard(node)

    async def _dial_once(self, node: str) -> None:
        begun = self.world.clock.time()
        deadline = self.topology.strategy.connect_timeout / 1000
        try:
            async with asyncio.timeout(deadline):
                done = await self._connect(node, deadline)
        except TimeoutError:
            detail = f"{node}: no connection within {deadline:g} s"
            self.report.failed(node, UNREACHABLE, self._since(begun), detail=detail)
        except ConnectFailed as error:
            cure = _without_prefix(error) if error.stage in CURABLE else ""
            self.report.failed(node, UNREACHABLE, self._since(begun), cure=cure, detail=f"{error}")
        except NodeNotRunning:
            self.report.failed(node, NOT_PART_OF_NETWORK, self._since(begun), cure=NO_NETWORK)
        except PyerlnodeError as error:
            self.report.failed(node, UNREACHABLE, self._since(begun), cure=f"{error}")
        except Exception as error:  # noqa: BLE001  a hook's bug must not end the dials beside it
            cure = f"the connect hook raised {type(error).__name__}: {error}"
            self.report.failed(node, UNREACHABLE, self._since(begun), cure=cure)
        else:
            self._tell(node, done, self._since(begun))

    def _tell(self, node: str, done: object, duration: float) -> None:
        if done is True:
            self.report.connected(node, duration)
        elif done is False:
            self.report.failed(node, UNREACHABLE, duration)
        elif done is None:
            self.report.failed(node, NOT_PART_OF_NETWORK, duration, cure=NO_NETWORK)
        else:
            cure = f"the connect hook answered {done!r} instead of True, False or None"
            self.report.failed(node, UNREACHABLE, duration, cure=cure)

    async def _connect(self, node: str, deadline: float) -> object:
        if self.topology.connect is not None:
            return await _settled(self.topology.connect(node))
        if not self.world.home.is_alive:
            return None
        return await self.world.home.connect(node, deadline)

    # pruning ---------------------------------------------------------------------------

    async def _prune(self, nodes: frozenset[str]) -> None:
        listed = await self.listed() if nodes else frozenset()
        await asyncio.gather(*(self._drop(node) for node in sorted(nodes & listed)))

    async def _drop(self, node: str) -> None:
        begun = self.world.clock.time()
        if self.topology.disconnect is not None:
            done: Any = await _settled(self.topology.disconnect(node))
        else:
            done = await self.world.home.disconnect(node)
        duration = self._since(begun)
        if done is True:
            self.report.disconnected(node, duration)
        else:
            reason = ALREADY_DISCONNECTED if done is False else NOT_PART_OF_NETWORK
            self.report.not_disconnected(node, reason, duration)

    def _since(self, begun: float) -> float:
        return self.world.clock.time() - begun


async def _settled(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


def _without_prefix(error: ConnectFailed) -> str:
    """The error's text without the name of the node, which the line has already."""
    return str(error).removeprefix(f"cannot connect to {error.peer}: ")
