"""A node under test in this process, with an eye on all that it keeps."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pyerlnode import Node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pyerlnode.net.listen import Listener
    from pyerlnode.net.session import Session
    from pyerlnode.runtime.peers import Peers
    from pyerlnode.runtime.router import Router
    from pyerlnode.wire.handshake import Hello, Status

PATIENCE = 30.0


class Contender:
    """A node, what its process ``inbox`` received, and the nodes that it saw come and go."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.received: list[Any] = []
        self.events: list[str] = []
        self.verdicts: Counter[str] = Counter()
        """What was told to diallers."""
        self._decide = node._peers.decide
        node._peers.decide = self._note  # type: ignore[method-assign]  # it listens in

    def _note(self, hello: Hello) -> Status:
        verdict = self._decide(hello)
        self.verdicts[verdict] += 1
        return verdict

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def peers(self) -> Peers:
        return self.node._peers

    @property
    def router(self) -> Router:
        return self.node._router

    @property
    def sessions(self) -> dict[str, Session]:
        return self.peers.sessions

    @property
    def listener(self) -> Listener:
        assert self.node._presence is not None
        return self.node._presence._listener

    @property
    def is_settled(self) -> bool:
        """No attempt is under way, by either side."""
        return not (self.peers._attempts or self.peers._incoming or self.listener._tasks)

    def address(self, peer: str) -> tuple[Any, Any]:
        """Our end and the other end of the connection to `peer`."""
        stream = self.sessions[peer]._stream
        return tuple(stream.sockname), tuple(stream.peername)

    async def _collect(self, me: Any) -> None:
        async for message in me:
            self.received.append(message)

    async def _watch(self) -> None:
        async for event in self.node.monitor_nodes():
            self.events.append(f"{type(event).__name__} {event.name}")


@asynccontextmanager
async def contender(name: str, **options: Any) -> AsyncIterator[Contender]:
    """A running node; ``epmd=False`` unless told otherwise."""
    settings: dict[str, Any] = {"cookie": "cookie", "epmd": False} | options
    async with Node(name, **settings) as node:
        it = Contender(node)
        await node.spawn(it._collect, name="inbox")
        watching = asyncio.create_task(it._watch())
        await asyncio.sleep(0)
        try:
            yield it
        finally:
            watching.cancel()


async def until(condition: Callable[[], object]) -> None:
    """Give the event loop turns until `condition` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


def open_sockets() -> int:
    """How many sockets this process holds."""
    held = 0
    for entry in os.scandir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # it is closed by now
            held += os.readlink(entry.path).startswith("socket:")
    return held
