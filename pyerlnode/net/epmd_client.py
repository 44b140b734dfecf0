"""The client of epmd: asks any port mapper for its names, and keeps this node registered with its own.

ERTS distribution protocol, "EPMD Protocol".  Each question is a connection of its own, bounded in time
(``Limits.epmd_time``) and in bytes.  A registration (:class:`Registration`) is a connection that stays: its
end is all that epmd needs to know of our death.  When epmd dies instead, we register again under the same
name, about every two seconds until it is back, and keep the creation we first got, as BEAM does: the node
has not changed, only its listing has.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from pyerlnode.errors import EpmdError, NameTaken, RemoteProtocolError
from pyerlnode.lazy import later
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.wire import epmd

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable
else:
    random = later("random")

log = logging.getLogger("pyerlnode.epmd")

RETRY = 2.0
"""Seconds between two attempts to register again, before jitter."""
_CHUNK = 65536


class Connection:
    """One connection to an epmd: a request goes out, a bounded reply comes in."""

    def __init__(self, where: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.where = where
        self._reader = reader
        self._writer = writer

    @staticmethod
    async def open(host: str, port: int) -> Connection:
        """Connect.  ``EpmdError``, caused by an ``OSError``, when nobody listens there."""
        where = f"{host}:{port}"
        try:
            return Connection(where, *await asyncio.open_connection(host, port))
        except (OSError, UnicodeError) as error:
            raise EpmdError(f"no epmd answers at {where} ({_why(error)})") from error

    async def exchange(self, request: bytes, size: Callable[[bytes], int]) -> bytes:
        """Send ``request`` and read until the reply is as long as ``size`` says."""
        self._writer.write(request)
        data = b""
        while len(data) < (wanted := size(data)):
            if not (chunk := await self._read(wanted - len(data))):
                raise EpmdError(f"the epmd at {self.where} closed the connection without a whole answer")
            data += chunk
        return data

    async def exchange_all(self, request: bytes, limit: int) -> bytes:
        """Send ``request`` and read until the other side closes, ``limit`` bytes at most."""
        self._writer.write(request)
        data = bytearray()
        while chunk := await self._read(_CHUNK):
            data += chunk
            if len(data) > limit:
                raise EpmdError(f"the answer of the epmd at {self.where} is longer than {limit} bytes")
        return bytes(data)

    async def closed(self) -> None:
        """Return when the other side has closed, or breaks the rules by talking."""
        with contextlib.suppress(OSError):
            await self._reader.read(1)

    def close(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    async def _read(self, size: int) -> bytes:
        try:
            return await self._reader.read(size)
        except OSError as error:
            raise EpmdError(f"the connection to the epmd at {self.where} broke ({_why(error)})") from error


class Registration:
    """This node's entry at its epmd.  Made by :meth:`EpmdClient.register`; ends with :meth:`close`."""

    def __init__(
        self, client: EpmdClient, request: epmd.Alive2Req, connection: Connection, creation: int
    ) -> None:
        self.creation = creation
        """The creation that the first registration got.  It stays, whatever later ones are given."""
        self.lost = asyncio.Event()
        """Set while epmd does not list this node."""
        self.held = asyncio.Event()
        """Set while epmd lists this node."""
        self._client = client
        self._request = request
        self._connection: Connection | None = connection
        self._task = asyncio.create_task(self._keep(connection), name=f"epmd registration of {self.name}")
        self.held.set()

    @property
    def name(self) -> str:
        """The registered name: the part of the node's name before the ``@``."""
        return self._request.name.decode()

    @property
    def port(self) -> int:
        """The port that epmd gives to those who ask for this node."""
        return self._request.port

    async def close(self) -> None:
        """End the registration: epmd forgets the name at once.  May be called twice."""
        self._task.cancel()
        try:
            await asyncio.wait([self._task])
        finally:
            self._drop()

    async def _keep(self, connection: Connection) -> None:
        while True:
            await connection.closed()
            self._drop()
            log.warning(
                "lost the connection to epmd at %s: %s stays up, new nodes cannot find it until epmd is back",
                connection.where,
                self.name,
            )
            connection = await self._return()
            log.info("registered %s again with epmd at %s", self.name, connection.where)

    async def _return(self) -> Connection:
        said = ""
        while True:
            await asyncio.sleep(self._client.retry * random.uniform(0.9, 1.1))
            try:
                connection, _ = await self._client.enter(self._request)
            except (EpmdError, NameTaken) as error:
                if type(error) is NameTaken and said != str(error):
                    said = str(error)
                    log.warning("cannot register %s again: %s", self.name, error)
                continue
            self._connection = connection
            self.lost.clear()
            self.held.set()
            return connection

    def _drop(self) -> None:
        self.held.clear()
        self.lost.set()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class EpmdClient:
    """Talks to port mappers: to this host's own to register, and to any to ask."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = epmd.EPMD_PORT,
        *,
        limits: Limits = DEFAULT,
        retry: float = RETRY,
    ) -> None:
        """``host`` is where this node registers; ``port`` is where every epmd of the cluster listens."""
        self.host = host
        self.port = port
        self.retry = retry
        self._limits = limits

    async def register(self, name: str, port: int, *, hidden: bool = False) -> Registration:
        """Register this node: ``name`` is the part before the ``@``, ``port`` where it listens.

        Raises ``NameTaken`` when a live node holds the name, ``EpmdError`` when no epmd answers (its
        ``__cause__`` is then an ``OSError``) or nonsense comes back, ``LocalProtocolError`` for a name or
        port that no epmd takes.
        """
        request = epmd.Alive2Req(name.encode(), port, epmd.HIDDEN if hidden else epmd.NORMAL)
        connection, creation = await self.enter(request)
        return Registration(self, request, connection, creation)

    async def lookup(self, name: str, host: str | None = None) -> epmd.NodeEntry | None:
        """Ask the epmd of ``host`` (its own when None) where ``name`` listens.  None: no such name there."""
        request = epmd.Port2Req(name.encode()).to_bytes()
        async with self._talk(host) as connection:
            return epmd.parse_port2(await connection.exchange(request, epmd.port2_size))

    async def names(self, host: str | None = None) -> list[tuple[str, int]]:
        """Name and port of every node that the epmd of ``host`` lists."""
        async with self._talk(host) as connection:
            reply = await connection.exchange_all(epmd.NamesReq().to_bytes(), self._limits.epmd_reply)
            answer = epmd.parse_names(reply)
            if answer.epmd_port != self.port:
                raise EpmdError(
                    f"the epmd at {connection.where} says that it listens on port {answer.epmd_port}: "
                    "the port is forwarded, or no epmd is there"
                )
            return list(answer.nodes)

    async def dump(self) -> str:
        """What this host's epmd knows, old names included, as ``epmd -dump`` prints it."""
        async with self._talk(None) as connection:
            reply = await connection.exchange_all(epmd.DumpReq().to_bytes(), self._limits.epmd_reply)
            return epmd.parse_dump(reply)

    async def kill(self) -> bool:
        """End this host's epmd.  False when it refuses, because names are registered."""
        async with self._talk(None) as connection:
            reply = await connection.exchange_all(epmd.KillReq().to_bytes(), 2)
            if reply not in {b"OK", b"NO"}:
                raise EpmdError(f"the epmd at {connection.where} gave no answer to KILL")
            return reply == b"OK"

    async def stop(self, name: str) -> bool:
        """Make this host's epmd forget ``name``.  False when it did not know it.

        ``EpmdError`` when that epmd was started without a relaxed command check: it does not answer.
        """
        async with self._talk(None) as connection:
            reply = await connection.exchange_all(epmd.StopReq(name.encode()).to_bytes(), 32)
            if not reply.endswith(b"STOPPED"):
                raise EpmdError(
                    f"the epmd at {connection.where} does not stop names: "
                    "start it with -relaxed_command_check"
                )
            return not reply.startswith(b"NOEXIST")

    async def is_running(self) -> bool:
        """Whether an epmd answers where this node would register."""
        try:
            await self.names()
        except EpmdError as error:
            if not isinstance(error.__cause__, OSError) or isinstance(error.__cause__, TimeoutError):
                raise
            return False
        return True

    async def enter(self, request: epmd.Alive2Req) -> tuple[Connection, int]:
        """Register once: the connection that holds the name, and the creation.  For :class:`Registration`."""
        data = request.to_bytes()
        async with self._talk(None, keep=True) as connection:
            reply = epmd.Alive2Resp.parse(await connection.exchange(data, epmd.Alive2Resp.size))
            if reply.result != 0:
                raise NameTaken(
                    f"the epmd at {connection.where} refuses the name {request.name.decode()!r}: "
                    "a live node holds it. Stop that one, or choose another name"
                )
            return connection, reply.creation

    @contextlib.asynccontextmanager
    async def _talk(self, host: str | None, *, keep: bool = False) -> AsyncIterator[Connection]:
        host = self.host if host is None else host
        connection: Connection | None = None
        done = False
        try:
            async with asyncio.timeout(self._limits.epmd_time):
                connection = await Connection.open(host, self.port)
                yield connection
            done = True
        except TimeoutError as error:
            raise EpmdError(
                f"the epmd at {host}:{self.port} did not answer within {self._limits.epmd_time:g} s"
            ) from error
        except RemoteProtocolError as error:
            raise EpmdError(f"what answers at {host}:{self.port} is no epmd: {error}") from error
        finally:
            if connection is not None and not (keep and done):
                connection.close()


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
