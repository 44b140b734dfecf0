"""Watches a node while it is maltreated: nothing may crash, leak, or bother anybody else.

async with sentry(contender, innocent) as watch:
    ...                                 # maltreat
    await watch.check()                 # as often as you like
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import pyerlnode
from pyerlnode.term import atom
from tests.support.contender import Contender, open_sockets, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BLOCKS_PER_ATOM = 4
"""Atoms are kept up to ``Limits.atoms``, by design."""
PACKAGE = str(Path(pyerlnode.__file__).parent)
SLACK = 3_000
"""Memory blocks by which a node may have grown: caches of Python's own come and go."""


class Ear(logging.Handler):
    """Keeps records that tell of a crash, and counts the others by their format."""

    def __init__(self) -> None:
        super().__init__()
        self.crashes: list[str] = []
        self.counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.exc_info or record.name == "asyncio":
            self.crashes.append(text)
        self.counts[str(record.msg)] += 1

    def starting(self, words: str) -> int:
        """How many records have a format that starts so."""
        return sum(count for text, count in self.counts.items() if text.startswith(words))


class Sentry:
    """What there was before, and what must be there again."""

    def __init__(self, node: Contender, innocent: Contender | None, ear: Ear) -> None:
        self.node = node
        self.ear = ear
        self._innocent = innocent
        self._sockets = open_sockets()
        self._tables = self.tables()
        self._tasks = self.tasks()
        self._blocks: int | None = None

    def tables(self) -> dict[str, Any]:
        """The sizes of everything that a peer could fill."""
        node, router = self.node, self.node.router
        mesh = node.node._global
        return {
            "sessions": sorted(node.sessions),
            "attempts": len(node.peers._attempts),
            "incoming": len(node.peers._incoming),
            "ends": len(node.peers._ends),
            "handshakes": len(node.listener._tasks),
            "actors": len(router.registry),
            "names": sorted(router.registry.names()),
            "aliases": len(router._aliases),
            "watched": len(router._watched),
            "touching": sorted(node for node, actors in router._touching.items() if actors),
            "relations": sum(
                len(actor.links) + len(actor.watchers) + len(actor.monitors) + len(actor.spawning)
                for actor in router.registry
            ),
            "global": (len(mesh._exchanges), len(mesh._pre_connect), sorted(mesh.known), len(mesh.locks)),
            "synced": sorted(mesh.synced),
            "global names": len(mesh.table),
            "global tasks": len(mesh._tasks),
        }

    @staticmethod
    def tasks() -> Counter[str]:
        """The library's running tasks by what they run."""
        coroutines = (task.get_coro() for task in asyncio.all_tasks())
        return Counter(
            coroutine.__qualname__
            for coroutine in coroutines
            if isinstance(coroutine, CoroutineType) and PACKAGE in coroutine.cr_code.co_filename
        )

    async def check(self) -> None:
        """The node is as it was before: nothing kept, nobody disturbed."""
        assert not self.ear.crashes, self.ear.crashes[0]
        if self._innocent is not None:
            me, innocent = self.node.name, self._innocent.node
            assert await self.node.node.ping(innocent.name)
            assert await innocent.ping(me)
            assert self._innocent.events == []
            assert f"NodeDown {innocent.name}" not in self.node.events
        self.node.events.clear()
        self.node.received.clear()
        try:
            await until(lambda: not self.differences())
        except TimeoutError:
            raise AssertionError(f"not as before: {self.differences()}") from None
        assert not self.ear.crashes, self.ear.crashes[0]

    def differences(self) -> dict[str, Any]:
        """What is not as it was: now, and before."""
        now = self.tables()
        found = {key: (now[key], before) for key, before in self._tables.items() if now[key] != before}
        if (tasks := self.tasks()) != self._tasks:
            found["tasks"] = (tasks, self._tasks)
        if (sockets := open_sockets()) != self._sockets:
            found["sockets"] = (sockets, self._sockets)
        return found

    def remember_memory(self) -> None:
        """From here on memory must not grow."""
        self._blocks = _blocks()

    def check_memory(self) -> None:
        """It has not."""
        assert self._blocks is not None
        grown = _blocks() - self._blocks
        assert grown < SLACK, f"{grown} blocks of memory are not given back"


def _is_synced(it: Contender, peer: str) -> bool:
    """Whether the name servers have nothing left to say to each other."""
    mesh = it.node._global
    busy = mesh._tasks or mesh.locks or mesh._locker._meetings or it.router._aliases or it.router._watched
    return peer in mesh.synced and not busy


def _blocks() -> int:
    for _ in range(3):
        gc.collect()
    return sys.getallocatedblocks() - BLOCKS_PER_ATOM * (len(atom._by_name) + len(atom.by_utf8))


@asynccontextmanager
async def sentry(node: Contender, innocent: Contender | None = None) -> AsyncIterator[Sentry]:
    """Watch `node`, and its connection to `innocent`, for as long as the block lasts."""
    ear = Ear()
    logger, loop = logging.getLogger("pyerlnode"), asyncio.get_running_loop()
    propagate, level = logger.propagate, logger.level
    logger.addHandler(ear)
    logger.propagate = False  # pytest keeps every record, which looks like a leak
    logger.setLevel(logging.DEBUG)
    logging.getLogger("asyncio").addHandler(ear)
    loop.set_exception_handler(lambda _, context: ear.crashes.append(f"event loop: {context}"))
    if innocent is not None:
        await node.node.connect(innocent.name)
        for one, other in ((node, innocent), (innocent, node)):
            await until(lambda one=one, other=other: _is_synced(one, other.name))  # type: ignore[misc]
        innocent.events.clear()
        node.events.clear()
    try:
        yield Sentry(node, innocent, ear)
    finally:
        logger.removeHandler(ear)
        logger.propagate = propagate
        logger.setLevel(level)
        logging.getLogger("asyncio").removeHandler(ear)
        loop.set_exception_handler(None)
