"""Being dialled: the listening sockets, and everyone who has not proven the cookie yet.

Spec: ERTS "Distribution Protocol", "Distribution Handshake".  What is said is in
:func:`pyerlnode.wire.handshake.accept`; who may come in is for a :class:`ListenGate` to say.

Whoever can reach the port may connect and say nothing, slowly.  So at most ``Limits.unauthenticated``
connections are in their handshake, the oldest making room for a newcomer; each has ``Limits.handshake_time``
for all of it and ``Limits.handshake_frame`` for each message, and a task that the listener owns.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import TYPE_CHECKING, Protocol

from pyerlnode.errors import HandshakeError, ProtocolError, Refused
from pyerlnode.limits import DEFAULT
from pyerlnode.net.dial import challenge32, converse
from pyerlnode.net.numeric import packed
from pyerlnode.net.stream import Stream
from pyerlnode.wire.handshake import Gate, accept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyerlnode.limits import Limits
    from pyerlnode.wire.handshake import Hello, LocalNode, PeerInfo, Status

__all__ = ["ListenGate", "Listener"]

log = logging.getLogger("pyerlnode.net.listen")

BACKLOG = 128
"""Connections that the kernel holds for us to accept."""
TRIES = 10
"""How often a free port is looked for that is free on every host."""


class ListenGate(Gate, Protocol):
    """A :class:`Gate` that is also told how it ended.  Nothing here may block."""

    def established(self, stream: Stream, info: PeerInfo) -> None:
        """The handshake is done, our last words are written: attach a session to `stream` now."""

    def failed(self, peer: str | None, error: Exception) -> None:
        """It came to nothing.

        `peer` is the name that :meth:`decide` was asked about; None where it never came to that.  Every
        :meth:`decide` is followed by :meth:`established` or by this, once.
        """


class Listener:
    """Takes connections from other nodes.

    `me` tells what we say about ourselves; `nonce` makes our challenges.
    """

    def __init__(
        self,
        me: Callable[[], LocalNode],
        gate: ListenGate,
        *,
        limits: Limits = DEFAULT,
        nonce: Callable[[], int] = challenge32,
    ) -> None:
        self.port = 0
        """Where we listen; 0 while we do not."""
        self._me = me
        self._gate = gate
        self._limits = limits
        self._nonce = nonce
        self._servers: list[asyncio.Server] = []
        self._pending: dict[Stream, asyncio.Task[None]] = {}  # oldest first
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """Connections whose handshake is under way."""
        return len(self._pending)

    async def start(self, host: str | Sequence[str], port: int = 0) -> int:
        """Listen on each of `host` (names or addresses); gives the port, the same on all of them.

        Port 0 takes a free one.  Raises :class:`OSError`.
        """
        addresses = await _resolve([host] if isinstance(host, str) else host, port)
        tries = TRIES
        while True:
            try:
                return await self._bind(addresses, port)
            except OSError as error:
                self._close_servers()
                tries -= 1
                if port or error.errno != errno.EADDRINUSE or not tries:
                    raise

    async def _bind(self, addresses: Sequence[str], port: int) -> int:
        loop = asyncio.get_running_loop()
        for address in addresses:
            server = await loop.create_server(
                self._make_stream, address, port, reuse_address=True, backlog=BACKLOG
            )
            self._servers.append(server)
            port = int(server.sockets[0].getsockname()[1])
        self.port = port
        return port

    async def stop(self) -> None:
        """Listen no more, and drop who has not proven the cookie.  Established connections stay."""
        self._close_servers()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        self.port = 0

    # ------------------------------------------------------------------ one connection

    def _make_stream(self) -> Stream:
        return Stream(limits=self._limits, on_connect=self._accepted)

    def _accepted(self, stream: Stream) -> None:
        if not self._servers:  # it came while we were stopping
            stream.abort()
            return
        if len(self._pending) >= self._limits.unauthenticated:
            oldest, task = next(iter(self._pending.items()))
            log.info("connection from %s dropped: too many are in their handshake", _where(oldest))
            del self._pending[oldest]
            task.cancel()
        task = asyncio.get_running_loop().create_task(self._serve(stream), name="pyerlnode handshake")
        self._pending[stream] = task
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._finished(stream, task))

    def _finished(self, stream: Stream, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._pending.pop(stream, None)
        if task.cancelled():  # perhaps before it had begun
            stream.abort()

    async def _serve(self, stream: Stream) -> None:
        witness = _Witness(self._gate)
        try:
            async with asyncio.timeout(self._limits.handshake_time):
                info = await converse(stream, accept(self._me(), self._nonce(), witness))
        except asyncio.CancelledError:
            self._failed(
                stream, witness, HandshakeError(witness.peer or "", "it took too long or we stopped")
            )
            raise
        except Exception as error:  # noqa: BLE001 - whatever a dialler can cause ends here
            self._failed(stream, witness, error)
        else:
            self._pending.pop(stream, None)
            self._established(stream, info)

    def _established(self, stream: Stream, info: PeerInfo) -> None:
        try:
            self._gate.established(stream, info)
        except Exception:
            log.exception("connection from node %s could not be taken over", info.name)
            stream.abort()

    def _failed(self, stream: Stream, witness: _Witness, error: Exception) -> None:
        self._pending.pop(stream, None)
        _log_failure(stream, witness.peer, error)
        if isinstance(error, ProtocolError):
            stream.close()  # our refusal may still be on its way
        else:
            stream.abort()
        self._gate.failed(witness.peer, error)


class _Witness:
    """A gate that remembers whom it was asked about."""

    def __init__(self, gate: ListenGate) -> None:
        self.peer: str | None = None
        self._gate = gate
        self.cookie_for = gate.cookie_for
        self.name_for = gate.name_for
        self.proven = gate.proven

    def decide(self, hello: Hello) -> Status:
        self.peer = hello.name
        return self._gate.decide(hello)


async def _resolve(hosts: Sequence[str], port: int) -> list[str]:
    """The addresses behind `hosts`, each once.  (One server for several would get a port for each.)"""
    loop = asyncio.get_running_loop()
    addresses: dict[str, None] = {}
    for host in hosts:
        if packed(host) is not None:  # to look it up would take a thread
            addresses[host] = None
            continue
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses |= {str(entry[4][0]): None for entry in found}
    return list(addresses)


def _log_failure(stream: Stream, peer: str | None, error: Exception) -> None:
    where = _where(stream)
    match error:
        case Refused(status="nok"):  # both dialled at once, and ours goes on
            log.debug("connection attempt from node %s (%s) turned away: %s", peer, where, error)
        case Refused():
            log.info("connection attempt from node %s (%s) turned away: %s", peer, where, error)
        case TimeoutError():
            log.info("connection attempt from %s ended: its handshake took too long", _who(peer, where))
        case HandshakeError() if peer is None:  # it just went: a health probe, or a dial that was given up
            log.debug("connection attempt from %s ended: %s", where, error)
        case ProtocolError() if peer is None:
            log.info("connection attempt from %s rejected: %s", where, error)
        case ProtocolError():
            log.warning("connection attempt from %s rejected: %s", _who(peer, where), error)
        case _:
            log.error("connection attempt from %s failed", _who(peer, where), exc_info=error)


def _who(peer: str | None, where: str) -> str:
    return f"node {peer} ({where})" if peer else where


def _where(stream: Stream) -> str:
    """The other end's address, for the log."""
    match stream.peername:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return "an unknown address"
