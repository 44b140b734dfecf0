"""Both ends of a connection, for tests of ``pyerlnode.net``."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pyerlnode.limits import DEFAULT
from pyerlnode.net.session import Session
from pyerlnode.net.stream import Stream
from pyerlnode.term import Atom, Pid, Reference
from pyerlnode.testing import memory_streams
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.handshake import LocalNode, PeerInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from pyerlnode.limits import Limits
    from pyerlnode.term import RawTerm, Term
    from pyerlnode.wire.control import Control

LEFT, RIGHT = "left@127.0.0.1", "right@127.0.0.1"
PIPES = ("memory", "bytewise", "tcp")
"""Kinds of connection that :func:`connected` makes."""


def local(name: str = LEFT, creation: int = 1, **options: Any) -> LocalNode:
    return LocalNode(name, VISIBLE, creation, **options)


def info_of(peer: str, me: str, *, flags: Flags = VISIBLE, visible: bool = True) -> PeerInfo:
    return PeerInfo(peer, flags, 1, visible, me, 1)


def pid(number: int, node: str = LEFT) -> Pid:
    return Pid(Atom(node), number, 0, 1)


def ref(number: int, node: str = LEFT) -> Reference:
    return Reference(Atom(node), 1, (number, 0, 0))


class Recorder:
    """A sink that keeps what it gets, payloads decoded."""

    def __init__(self, react: Callable[[Session, Control, Term], None] | None = None) -> None:
        self.messages: list[tuple[Control, Term]] = []
        self.reasons: list[str] = []
        self.turns: list[list[str]] = []
        self._react = react
        self._changed = asyncio.Event()

    def deliver(self, session: Session, control: Control, payload: RawTerm | None) -> None:
        assert not self.reasons, "delivered after lost"
        term = None if payload is None else payload.decode()
        self.messages.append((control, term))
        self._changed.set()
        if self._react is not None:
            self._react(session, control, term)

    def delivered(self) -> None: ...

    def lost(self, session: Session, reason: str) -> None:
        self.reasons.append(reason)
        self._changed.set()

    @property
    def terms(self) -> list[Term]:
        return [term for _, term in self.messages]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def count(self, number: int) -> list[Term]:
        """The payloads of the first `number` messages, once they are there."""
        await self.until(lambda: len(self.messages) >= number)
        return self.terms

    async def reason(self) -> str:
        """Why the session was lost, once it is."""
        await self.until(lambda: self.reasons)
        return self.reasons[0]


@asynccontextmanager
async def connected(kind: str = "tcp", *, limits: Limits = DEFAULT) -> AsyncIterator[tuple[Stream, Stream]]:
    """Two connected streams."""
    if kind == "tcp":
        left, right = await _tcp_streams(limits)
    else:
        left, right = memory_streams(limits=limits, chunk=1 if kind == "bytewise" else 65_536)
    try:
        yield left, right
    finally:
        left.abort()
        right.abort()
        while not (left.closed and right.closed):
            await asyncio.sleep(0)


async def _tcp_streams(limits: Limits) -> tuple[Stream, Stream]:
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[Stream] = loop.create_future()
    server = await loop.create_server(
        lambda: Stream(limits=limits, on_connect=accepted.set_result), "127.0.0.1", 0
    )
    _, left = await loop.create_connection(
        lambda: Stream(limits=limits), *server.sockets[0].getsockname()[:2]
    )
    right = await accepted
    server.close()
    return left, right


@asynccontextmanager
async def sessions(
    kind: str = "tcp",
    *,
    limits: Limits = DEFAULT,
    left_sink: Recorder | None = None,
    right_sink: Recorder | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Session, Session, Recorder, Recorder]]:
    """Two sessions that talk, and their sinks.  `flags` and `visible` are what was negotiated."""
    agreed = {key: options.pop(key) for key in ("flags", "visible") if key in options}
    left_sink, right_sink = left_sink or Recorder(), right_sink or Recorder()
    async with connected(kind, limits=limits) as (one, two):
        left = Session(one, info_of(RIGHT, LEFT, **agreed), left_sink, limits=limits, **options)
        right = Session(two, info_of(LEFT, RIGHT, **agreed), right_sink, limits=limits, **options)
        left.start()
        right.start()
        yield left, right, left_sink, right_sink
        left.close("test over")
        right.close("test over")
