"""All topologies of one node, each kept running (libcluster's ``Cluster.Supervisor``).

A strategy that fails is started again, later each time; it never takes the node or another topology with it.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from pyerlnode.cluster.backoff import Backoff
from pyerlnode.errors import ConfigError, NodeNotRunning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.events import TopologyEvent
    from pyerlnode.cluster.ports import World
    from pyerlnode.cluster.topology import Topology

log = logging.getLogger("pyerlnode.cluster")

FIRST_RESTART = 1.0
SLOWEST_RESTART = 30.0
"""Seconds between two runs of a strategy that fails."""


class Topologies:
    """The topologies of a node, by name: ``node.topologies``.

    They start and stop with the node::

        async with Node(name, topologies=[Topology("example", Epmd(hosts=hosts))]) as node:
            names = await node.topologies.ready(2, timeout=30)      # two other nodes are connected
            node.topologies.wanted("example")                       # whom it found when it last looked
            node.topologies.listen(count)                           # calls count(event) from now on
    """

    def __init__(self, topologies: Iterable[Topology] = ()) -> None:
        self._topologies: dict[str, Topology] = {}
        for topology in topologies:
            if topology.name in self._topologies:
                raise ConfigError("topologies", topology.name, "two of them have this name")
            self._topologies[topology.name] = topology
        self._listeners: list[Callable[[TopologyEvent], object]] = []
        self._running: dict[str, Convergence] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._world: World | None = None
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._topologies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._topologies)

    def __getitem__(self, name: str) -> Topology:
        return self._topologies[name]

    def check(self, name: str) -> None:
        """Raises :class:`ConfigError` when a node of this `name` can never connect to what one would find."""
        for topology in self._topologies.values():
            topology.strategy.check_home(name)

    def listen(self, listener: Callable[[TopologyEvent], object]) -> None:
        """Calls `listener` with every event of every topology (:mod:`pyerlnode.cluster.events`)."""
        self._listeners.append(listener)

    def wanted(self, name: str) -> frozenset[str]:
        """The nodes that the topology `name` found when it last looked, without this one."""
        if name not in self._topologies:
            raise ConfigError("name", name, f"the topologies are {', '.join(self) or 'none'}")
        running = self._running.get(name)
        return frozenset() if running is None else running.wanted

    async def ready(self, n: int | None = None, timeout: float = 30.0) -> list[str]:
        """Waits until `n` other nodes are connected, hidden ones too; returns their names.

        Without `n`: until every topology has found somebody, and all that were found are connected.
        Raises TimeoutError after `timeout` seconds; its text tells who is missing.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._ready(n)
        except TimeoutError:
            raise TimeoutError(self._unready(n, timeout)) from None

    async def _ready(self, n: int | None) -> list[str]:
        home = self._check_running().home
        while not self._is_ready(n):
            await self._changed.wait()
        return home.list("connected")

    def _is_ready(self, n: int | None) -> bool:
        connected = set(self._check_running().home.list("connected"))
        if n is not None:
            return len(connected) >= n
        wanted = [self.wanted(name) for name in self]
        return all(nodes and nodes <= connected for nodes in wanted)

    def _unready(self, n: int | None, timeout: float) -> str:
        connected = set(self._check_running().home.list("connected"))
        missing = sorted({node for name in self for node in self.wanted(name)} - connected)
        found = f"found and not connected: {', '.join(missing)}" if missing else "no further node was found"
        goal = "all that are found" if n is None else f"{n}"
        return f"{len(connected)} of {goal} nodes are connected after {timeout:g} s; {found}"

    # life ----------------------------------------------------------------------------

    def start(self, world: World) -> None:
        """Starts all of them for the node of `world`; they begin to look at once, in the background."""
        self._world = world
        for topology in self._topologies.values():
            convergence = topology.convergence(world, partial(self._publish, topology))
            self._running[topology.name] = convergence
            work = _keep_running(convergence)
            self._tasks.append(asyncio.create_task(work, name=f"topology {topology.name}"))
        world.listen(lambda _: self._wake())

    def _wake(self) -> None:
        """Lets all who wait for a change look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def stop(self) -> None:
        """Ends all of them; connections stay."""
        self._world = None
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()
        self._wake()

    def _publish(self, topology: Topology, event: TopologyEvent) -> None:
        self._wake()
        own = () if topology.on_event is None else (topology.on_event,)
        for listener in (*own, *self._listeners):
            try:
                listener(event)
            except Exception:
                log.exception("[pyerlnode:%s] a listener failed on %s", topology.name, type(event).__name__)

    def _check_running(self) -> World:
        if self._world is None:
            raise NodeNotRunning("the topologies run while their node does: start it first")
        return self._world


async def _keep_running(convergence: Convergence) -> None:
    topology, world = convergence.topology, convergence.world
    pauses = Backoff(FIRST_RESTART, SLOWEST_RESTART, world.random)
    while True:
        begun = world.clock.time()
        try:
            await topology.strategy.run(convergence)
        except Exception:
            if world.clock.time() - begun > SLOWEST_RESTART:
                pauses.reset()
            pause = pauses.delay()
            log.exception("[pyerlnode:%s] the strategy failed; again in %.1f s", topology.name, pause)
            await world.clock.sleep(pause)
        else:
            return
