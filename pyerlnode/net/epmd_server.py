"""Our own epmd: the asyncio shell around :class:`pyerlnode.wire.epmd_registry.Registry`.

ERTS distribution protocol, "EPMD Protocol"; the ``epmd`` manual page for flags and defaults.  Real ``erl``,
``iex`` and ``epmd -names`` are to find nothing missing here.

What it keeps from hostile clients: a request has ``Limits.epmd_packet_time`` seconds in all, however busily
its bytes trickle, and so has the reading of its reply; no more than ``Limits.epmd_clients`` connections are
open, and when they are used up, the one that has waited longest without a name makes room.  A registration
has no deadline: its end is the news.

:mod:`pyerlnode.net.epmd_daemon` makes a program of it.  Both import little, since that process outlives
everybody and should weigh nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
import time
from typing import TYPE_CHECKING, Final, cast

from pyerlnode.errors import ConfigError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.wire.epmd import EPMD_PORT
from pyerlnode.wire.epmd_registry import Conversation, Registry, is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

_SPARE_FILES: Final = 32
"""Descriptors that clients must not use up: listening sockets, the loop's own."""
_BACKLOG: Final = 128
_LOOPBACK: Final = ("127.0.0.1", "::1")
_ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104
_ABSENT: Final = frozenset({errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL})
"""What the system says when it has no such family, or none on loopback."""
_DRAWS: Final = 16
"""How often another free port is drawn when the first family has it and the second does not."""


class EpmdServer:
    """A port mapper.  ``async with EpmdServer() as server:``, or ``start`` and ``stop``."""

    def __init__(
        self,
        port: int = EPMD_PORT,
        addresses: Sequence[str] = (),
        *,
        relaxed: bool = False,
        limits: Limits = DEFAULT,
        clock: Callable[[], float] = time.time,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Prepare to listen.

        ``port`` 0 picks a free one.  ``addresses`` are IP addresses to listen on, beside loopback, which is
        always served; none means all of this host's.  ``relaxed`` lets local clients stop names, and end the
        server while there are any.  ``sockets`` (from :func:`bind`) are served instead when given.
        """
        self.registry = Registry(port, relaxed=relaxed)
        self._addresses = addresses
        self._limits = limits
        self._clock = clock
        self._sockets = list(sockets)
        self._listening: list[asyncio.Server] = []
        self._room = limits.epmd_clients
        self._clients: set[_Client] = set()
        self._nameless: dict[_Client, None] = {}
        self._ended = asyncio.Event()
        self._empty = asyncio.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.registry.port

    @property
    def connections(self) -> int:
        """How many clients are connected, registered nodes among them."""
        return len(self._clients)

    async def start(self) -> None:
        """Listen.  ``OSError`` with ``EADDRINUSE`` when another port mapper is there already."""
        if not self._sockets:
            self._sockets = bind(self.port, self._addresses)
        self.registry.port = self._sockets[0].getsockname()[1]
        self._room = _room(self._limits.epmd_clients)
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            self._listening.append(await loop.create_server(self._client, sock=sock, backlog=_BACKLOG))

    async def stop(self) -> None:
        """Stop listening and drop every connection.  May be called twice."""
        for server in self._listening:
            server.close()
        self._listening.clear()
        for client in self._clients:
            client.drop()
        while self._clients:
            self._empty.clear()
            await self._empty.wait()
        self._ended.set()

    async def wait_ended(self) -> None:
        """Return when the server is to end: :meth:`stop` was called, or a client said KILL."""
        await self._ended.wait()

    def end(self) -> None:
        """Make :meth:`wait_ended` return."""
        self._ended.set()

    async def __aenter__(self) -> EpmdServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def now(self) -> int:
        """The wall clock, in whole seconds: the seed of creations."""
        return int(self._clock())

    # What clients tell

    def _client(self) -> _Client:
        return _Client(self, self._limits.epmd_packet_time)

    def opened(self, client: _Client) -> None:
        """A client has connected: keep it, and the number of them within bounds."""
        self._clients.add(client)
        self._nameless[client] = None
        if len(self._clients) > self._room:
            oldest = next(iter(self._nameless))
            self.closed(oldest)
            oldest.drop()

    def named(self, client: _Client) -> None:
        """A client has become a registration."""
        self._nameless.pop(client, None)

    def closed(self, client: _Client) -> None:
        """A client is gone."""
        self._nameless.pop(client, None)
        self._clients.discard(client)
        if not self._clients:
            self._empty.set()

    def close_registration(self, descriptor: int) -> None:
        """Hang up on the node whose name was stopped."""
        for client in [client for client in self._clients if client.holds(descriptor)]:
            client.drop()


class _Client(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, server: EpmdServer, time_limit: float) -> None:
        self._server = server
        self._time_limit = time_limit
        self._transport: asyncio.Transport
        self._conversation: Conversation
        self._deadline: asyncio.TimerHandle
        self._descriptor = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._descriptor = transport.get_extra_info("socket").fileno()
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        local = bool(peer) and bool(own) and is_local(peer[0], own[0])
        self._conversation = Conversation(self._server.registry, self._descriptor, local)
        self._deadline = asyncio.get_running_loop().call_later(self._time_limit, self.drop)
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        """Answer, and hang up when that was all."""
        outcome = self._conversation.receive(data, self._server.now())
        if outcome.reply:
            self._transport.write(outcome.reply)
        if outcome.close:
            self._transport.close()
        elif self._conversation.holds_name:
            self._deadline.cancel()
            self._server.named(self)
        if outcome.stopped is not None:
            self._server.close_registration(outcome.stopped)
        if outcome.shutdown:
            self._server.end()

    def eof_received(self) -> None:
        """Its side is closed: a registration ends now, not when ours is closed, too."""
        self._conversation.lost()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free what it held."""
        self._deadline.cancel()
        self._conversation.lost()
        self._server.closed(self)

    def holds(self, descriptor: int) -> bool:
        """Whether this is the registration on that file descriptor."""
        return self._descriptor == descriptor and self._conversation.holds_name

    def drop(self) -> None:
        """Hang up at once."""
        self._conversation.lost()
        self._transport.abort()


def _room(wanted: int) -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if files == resource.RLIM_INFINITY else max(1, min(wanted, files - _SPARE_FILES))


# ---------------------------------------------------------------------------------- sockets


def bind(port: int, addresses: Sequence[str] = ()) -> list[socket.socket]:
    """Listen on ``port`` of these IP addresses and of loopback, or of all addresses when none is given.

    A family that this host lacks is passed over.  ``OSError`` when an address cannot be listened on,
    ``ConfigError`` for one that is no IP address.
    """
    wanted = (*_LOOPBACK, *(each for each in addresses if each not in _LOOPBACK)) if addresses else _ANYWHERE
    for _ in range(_DRAWS if port == 0 else 0):
        with contextlib.suppress(OSError):
            return _bind_all(port, wanted)
    return _bind_all(port, wanted)


def _bind_all(port: int, addresses: Sequence[str]) -> list[socket.socket]:
    """Listen on all of them, or on none."""
    with contextlib.ExitStack() as opened:
        sockets: list[socket.socket] = []
        missing: OSError | None = None
        for address in addresses:
            try:
                sockets.append(opened.enter_context(_listen(address, port)))
            except OSError as error:
                missing = error
                if error.errno not in _ABSENT or address not in (*_LOOPBACK, *_ANYWHERE):
                    raise
            else:
                port = sockets[0].getsockname()[1]
        if missing is not None and not sockets:
            raise missing
        opened.pop_all()
        return sockets


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
    except OSError as error:
        raise ConfigError("epmd address", address, "give IP addresses, separated by commas") from error
    with contextlib.ExitStack() as opened:
        sock = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
        opened.pop_all()
        return sock
