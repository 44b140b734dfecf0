"""A peer made of sockets and pyerlnode.wire alone: it says what it is told to, right or wrong.

    async with await RawPeer.dial(port, "raw@127.0.0.1", "py@127.0.0.1") as raw:      # cookie proven
        raw.send(Link(raw.pid(1), target))
        control, payload = await raw.message()
        raw.write(frame4(b"nonsense"))
        await raw.end()                             # until the other side has closed

    async with RawListener("raw@127.0.0.1") as raw: # is dialled: raw.port, await raw.accepted()

`knock` sends bytes to a port without any handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from pyerlnode.term import Atom, Pid, Reference, encode_bare
from pyerlnode.testing import OpenGate
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.framing import TICK, frame2
from pyerlnode.wire.handshake import LocalNode, PeerInfo, Status, accept, initiate

if TYPE_CHECKING:
    from types import TracebackType

    from pyerlnode.term import RawTerm, Term
    from pyerlnode.wire.control import Control
    from pyerlnode.wire.handshake import Conversation

PATIENCE = 30.0
CHALLENGE = 4711


class RawPeer:
    """One connection whose cookie is proven, or any stream of bytes before that."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str = "") -> None:
        self.name = name
        self.creation = 1
        self._reader = reader
        self._writer = writer
        self._info: PeerInfo | None = None
        self._channel: Channel | None = None

    @classmethod
    async def open(cls, port: int, name: str = "", host: str = "127.0.0.1") -> Self:
        """A connection on which nothing has been said yet."""
        return cls(*await asyncio.open_connection(host, port), name)

    @classmethod
    async def dial(
        cls, port: int, name: str, peer: str, *, cookie: str = "cookie", flags: Flags = VISIBLE
    ) -> Self:
        """A connection to the node `peer`, which takes us for the node `name`."""
        raw = await cls.open(port, name)
        try:
            await raw.converse(initiate(LocalNode(name, flags, raw.creation), peer, cookie, CHALLENGE))
        except BaseException:
            raw.abort()
            raise
        return raw

    @property
    def info(self) -> PeerInfo:
        """What was agreed in the handshake."""
        assert self._info is not None, "no handshake yet"
        return self._info

    @property
    def channel(self) -> Channel:
        """The packets of this connection."""
        assert self._channel is not None, "no handshake yet"
        return self._channel

    def pid(self, number: int, serial: int = 0) -> Pid:
        """A pid of ours."""
        return Pid(Atom(self.name), number, serial, self.creation)

    def ref(self, number: int) -> Reference:
        """A reference of ours."""
        return Reference(Atom(self.name), self.creation, (number & 0x3FFFF, number >> 18, 0))

    # the handshake

    async def converse(self, talk: Conversation) -> PeerInfo:
        """Carry out one half of a handshake."""
        try:
            turn = next(talk)
            while True:
                self.write(b"".join(map(frame2, turn.frames)))
                frame = await self._frame_or_end() if turn.listens else b""
                turn = talk.throw(EOFError()) if frame is None else talk.send(frame)
        except StopIteration as end:
            self._info = end.value
        self._channel = Channel(self.info.flags)
        return self.info

    async def _frame_or_end(self) -> bytes | None:
        try:
            return await self.handshake_frame()
        except EOFError:
            return None

    async def handshake_frame(self) -> bytes:
        """The next message of the handshake."""
        return await self._read(2)

    # after it

    def send(self, control: Control, payload: Term = None, *, encoded: bytes | None = None) -> None:
        """Send a message; `payload` is a term, unless it is given `encoded`."""
        if control.HAS_PAYLOAD and encoded is None:
            encoded = encode_bare(payload)
        self.write(b"".join(self.channel.encode(control, encoded)))

    async def frame(self) -> bytes:
        """The next frame that is no tick.  EOFError when the other side has closed."""
        while not (frame := await self._read(4)):
            pass
        return frame

    async def message(self) -> tuple[Control, RawTerm | None]:
        """The next message."""
        while (message := self.channel.receive(await self.frame())) is None:
            pass
        return message

    async def _read(self, prefix: int) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE):
                length = int.from_bytes(await self._reader.readexactly(prefix), "big")
                return await self._reader.readexactly(length)
        except ConnectionError as error:
            raise EOFError from error

    # bytes

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def tick(self) -> None:
        """Send a sign of life."""
        self.write(TICK)

    async def drain(self) -> None:
        """Wait until what was written is with the kernel, nearly; a closed connection is no error."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    def finish(self) -> None:
        """Send no more: the other side reads an end."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    async def end(self) -> bytes:
        """Wait until the other side has closed; gives what it said before."""
        parts: list[bytes] = []
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while data := await self._reader.read(65_536):
                    parts.append(data)
        return b"".join(parts)

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close, and wait until that is done."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    @property
    def sockname(self) -> tuple[str, int]:
        """Our end."""
        host, port, *_ = self._writer.get_extra_info("sockname")
        return host, port

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class RawListener:
    """Takes connections as the node `name`; who connects waits in :meth:`opened` or :meth:`accepted`."""

    def __init__(self, name: str, *, port: int = 0, cookie: str = "cookie", flags: Flags = VISIBLE) -> None:
        self.name = name
        self.port = port
        self._cookie = cookie
        self._flags = flags
        self._arrived: asyncio.Queue[RawPeer] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._all: list[RawPeer] = []

    async def opened(self) -> RawPeer:
        """The next connection, before a word is said."""
        async with asyncio.timeout(PATIENCE):
            return await self._arrived.get()

    async def accepted(self, status: Status = Status.OK) -> RawPeer:
        """The next connection, after its handshake."""
        raw = await self.opened()
        gate = OpenGate(self._cookie, status)
        await raw.converse(accept(LocalNode(self.name, self._flags, raw.creation), CHALLENGE, gate))
        return raw

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = RawPeer(reader, writer, self.name)
        self._all.append(raw)
        self._arrived.put_nowait(raw)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for raw in self._all:
            await raw.close()


async def knock(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    """Send `data` to a port, then the end of it; gives what was answered until the other side closed."""
    async with await RawPeer.open(port, host=host) as raw:
        raw.write(data)
        await raw.drain()
        raw.finish()
        return await raw.end()
