"""Routers with a peer that a test plays itself, and whole nodes over loopback without a port mapper."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from pyerlnode.node import Node
from pyerlnode.runtime.router import Router
from pyerlnode.term import Atom, Pid, RawTerm, Reference, encode_bare
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.handshake import PeerInfo
from pyerlnode.wire.payload import as_received, encode_payload
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from pyerlnode.otp.gen import Process
    from pyerlnode.runtime.events import NodeEvent
    from pyerlnode.term import Term
    from pyerlnode.wire.control import Control
    from pyerlnode.wire.payload import Payload

ME, PEER = "me@127.0.0.1", "peer@127.0.0.1"
COOKIE = "cookie"


def make_router(name: str = ME, creation: int = 7, **options: Any) -> Router:
    return Router(name, creation, **options)


class FakePeer:
    """A node at the other end of a router: what the router sends it is kept, what it says is delivered."""

    def __init__(self, router: Router, name: str = PEER, *, flags: Flags = VISIBLE) -> None:
        self.router = router
        self.name = name
        self.info = PeerInfo(name, flags, 1, visible=True, local_name=router.node, local_creation=7)
        self.flags = int(flags)
        self.congested = False
        self.sent: list[tuple[Control, Term]] = []
        self.drained = 0
        router.node_up(self)  # type: ignore[arg-type] # it plays the session

    def pid(self, number: int = 1) -> Pid:
        return Pid(Atom(self.name), number, 0, 1)

    def ref(self, number: int = 1) -> Reference:
        return Reference(Atom(self.name), 1, (number, 0, 0))

    def says(self, control: Control, payload: Term = ...) -> None:
        raw = None if payload is ... else RawTerm(encode_bare(payload), 0)
        try:
            self.router.deliver(self, control, raw)  # type: ignore[arg-type]
        finally:
            self.router.delivered()

    def says_nonsense(self, control: Control) -> None:
        self.router.deliver(self, control, RawTerm(b"\xff", 0))  # type: ignore[arg-type]

    def goes(self) -> bool:
        return self.router.node_down(self)  # type: ignore[arg-type]

    def take(self) -> list[tuple[Control, Term]]:
        """What was sent here since the last call, payloads decoded (None where there is none)."""
        sent, self.sent = self.sent, []
        return sent

    # what the router calls ----------------------------------------------------------

    def send(self, control: Control, payload: Payload | bytes | None = None) -> None:
        raw = as_received(payload)
        self.sent.append((control, None if raw is None else raw.decode()))

    def post(self, sender: Pid, target: Pid | Atom | Reference, message: Term) -> bool | Payload:
        return encode_payload(message, records=Flags.NATIVE_RECORDS in self.info.flags)

    async def drain(self, sender: Pid | None = None) -> None:
        self.drained += 1

    async def flush(self) -> bool:
        return True

    def close(self, reason: str) -> None:
        self.goes()


def mailbox(process: Process) -> list[Term]:
    """What waits in the mailbox."""
    return list(process._mailbox)


class Ports:
    """Fixed ports for nodes (a to e, and h) that find each other without a port mapper."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {f"{name}@127.0.0.1": free_port() for name in "abcdeh"}

    def node(self, name: str, **options: Any) -> Node:
        full = f"{name}@127.0.0.1"
        port = self.of[full]
        settings: dict[str, Any] = {"cookie": COOKIE, "epmd": False, "port": port, "peer_ports": self.of}
        return Node(full, **{**settings, **options})


@asynccontextmanager
async def nodes(*names: str, **options: Any) -> AsyncIterator[list[Node]]:
    """Started nodes of these names, that know each other's ports and are not connected."""
    ports = Ports()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(ports.node(name, **options)) for name in names]


async def until(condition: Callable[[], object]) -> None:
    """Waits for what has no event of its own to wait for."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


async def event(events: AsyncIterator[NodeEvent]) -> NodeEvent:
    """The next of `events`."""
    async with asyncio.timeout(30):
        return await anext(events)
