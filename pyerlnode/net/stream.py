"""A byte pipe: one TCP connection, first frame by frame, then in bulk.

Spec: ERTS "Distribution Protocol": messages of the handshake have a length of two bytes, everything after
it one of four.  During the handshake somebody awaits one small frame after the other
(:meth:`Stream.read_frame`); afterwards a receiver is attached and gets every read at once, synchronously.

Both phases share one receive buffer, so no byte between them is lost or overtaken.  The kernel writes
straight into it (:class:`asyncio.BufferedProtocol`: stock reads allocate 256 KiB each time, which costs
more than everything else in a short exchange).  It grows while reads fill it and at once to the size of a
large frame, so such a frame is gathered in place; when the traffic calms down it shrinks again, and a
connection that :meth:`rests <Stream.rest>` has none.
"""

from __future__ import annotations

import asyncio
import socket
from struct import Struct
from typing import TYPE_CHECKING, Protocol, cast

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.limits import DEFAULT, KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyerlnode.limits import Limits

__all__ = ["Receiver", "Stream"]

SMALL = 16 * KIB
"""The buffer of a quiet connection, in bytes."""
LARGE = 256 * KIB
"""What it grows to while reads fill it: no more, or other connections wait long for their turn."""
LARGEST = 1 * MIB + SMALL
"""... but so far for large frames: they are soon dealt with, and a peer that finds all of the kernel's buffer
empty is held up less often."""
TRUSTED = 16 * MIB
"""Buffer that a mere announcement of a frame gets us to allocate; beyond it grows with what arrives."""
CALM = 8
"""Reads in a row that would have fitted a small buffer before we go back to one."""

_TWO = Struct(">H")


class Receiver(Protocol):
    """What takes over when the handshake is done."""

    def data_received(self, data: memoryview) -> int:
        """Take what has been read; give how many of its bytes are used up.

        The rest is shown again, with more behind it.  `data` is only valid during the call.
        """

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed: by either side (None), or by an error.  Comes once, after all data."""

    def pause_writing(self) -> None:
        """Unsent bytes pile up: write no more."""

    def resume_writing(self) -> None:
        """All that was written is with the kernel: go on."""


class Stream(asyncio.BufferedProtocol):
    """One connection, as an asyncio protocol that reads into its own buffer.

    `on_connect` is called with the stream once the connection stands.
    """

    def __init__(
        self, *, limits: Limits = DEFAULT, on_connect: Callable[[Stream], None] | None = None
    ) -> None:
        self.bytes_read = 0
        """Bytes received so far."""
        self.closed = False
        """Whether the connection is gone; bytes received before may still be unread."""
        self._limits = limits
        self._on_connect = on_connect
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._expired: asyncio.TimerHandle | None = None
        self._held = False
        self._write_paused = False
        self._filled = 0  # bytes of the buffer that hold unused data, from its start
        self._need = 0  # bytes that must be there before they are worth a look
        self._size = limits.handshake_frame + _TWO.size
        self._calm = 0
        self._lent = False  # whether the transport has the buffer, to read into it
        self._buffer = bytearray()
        self._view = memoryview(self._buffer)

    # ------------------------------------------------------------------ what asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket up: small frames go out at once, dead peers are noticed."""
        self._transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(high=0)
        _tune(transport.get_extra_info("socket"))
        if self._on_connect is not None:
            self._on_connect(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next read goes: always behind what is still unused."""
        self._lent = True
        if not self._filled and self._need <= self._size <= len(self._buffer):
            return self._view
        wanted = max(self._size, min(self._need, TRUSTED))
        if self._filled == len(self._buffer):
            wanted = max(wanted, min(self._need, 2 * self._filled))
        if wanted > len(self._buffer):
            self._allocate(wanted)
        return self._view[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Hand `nbytes` more to whoever is there."""
        self._lent = False
        self._filled += nbytes
        self.bytes_read += nbytes
        if self._receiver is None:
            self._offer()
        elif self._filled >= self._need:
            filled = self._filled
            self._feed(self._receiver)
            if filled >= SMALL or len(self._buffer) > SMALL:
                self._adapt(filled)

    def eof_received(self) -> None:
        """Let the transport close itself: a node that has finished sending has finished."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the reader, the receiver; drop the rest."""
        self.closed = True
        self._error = exc
        if self._expired is not None:
            self._expired.cancel()
        if self._receiver is not None:
            self._receiver.connection_lost(exc)
        self._wake()

    def pause_writing(self) -> None:
        """The kernel takes no more."""
        self._write_paused = True
        if self._receiver is not None:
            self._receiver.pause_writing()

    def resume_writing(self) -> None:
        """The kernel has taken everything."""
        self._write_paused = False
        if self._receiver is not None:
            self._receiver.resume_writing()

    # ------------------------------------------------------------------ handshake

    async def read_frame(self) -> bytes:
        """The next frame of the handshake, without its length.

        Raises :class:`EOFError` when the connection ends first, for whatever cause (which is chained), and
        :class:`RemoteProtocolError` for a frame above ``Limits.handshake_frame``.
        """
        while (frame := self._take_frame()) is None:
            if self.closed:
                raise EOFError("the connection was closed") from self._error
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return frame

    def _take_frame(self) -> bytes | None:
        if self._filled < _TWO.size:
            return None
        length: int = _TWO.unpack_from(self._buffer)[0]
        if length > self._limits.handshake_frame:
            limit = self._limits.handshake_frame
            raise RemoteProtocolError(f"a handshake message of {length} bytes is above the limit of {limit}")
        end = _TWO.size + length
        if self._filled < end:
            return None
        frame = bytes(self._view[_TWO.size : end])
        self._drop(end)
        self._let_go()
        return frame

    def _offer(self) -> None:
        """Wake who awaits a frame; read no further than one buffer while nobody takes any."""
        if self._filled == len(self._buffer) and self._transport is not None:
            self._held = True
            self._transport.pause_reading()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _let_go(self) -> None:
        if self._held and self._transport is not None and not self._transport.is_closing():
            self._held = False
            self._transport.resume_reading()

    # ------------------------------------------------------------------ after it

    def attach(self, receiver: Receiver) -> None:
        """From now on `receiver` gets every read.  What is here already it gets at once, in this call.

        A connection that is lost already is reported in the next turn of the loop.
        """
        self._receiver = receiver
        self._size = SMALL
        if self._write_paused:
            receiver.pause_writing()
        if self._filled:
            self._feed(receiver)
        self._let_go()
        if self.closed:
            asyncio.get_running_loop().call_soon(receiver.connection_lost, self._error)

    def reserve(self, size: int) -> None:
        """The receiver needs `size` bytes in one piece: do not show it fewer."""
        self._need = size

    def rest(self) -> None:
        """Nothing comes for the time being: give the buffer back until something does."""
        if not (self._filled or self._lent or self._receiver is None):
            self._size = SMALL
            self._calm = 0
            self._buffer = bytearray()
            self._view = memoryview(self._buffer)

    def _feed(self, receiver: Receiver) -> None:
        self._need = 0
        used = receiver.data_received(self._view[: self._filled])
        if used == self._filled:
            self._filled = 0
        else:
            self._drop(used)

    # ------------------------------------------------------------------ the buffer

    def _allocate(self, size: int) -> None:
        """Replace the buffer.  (Resizing is not possible while a transport or receiver holds a view.)"""
        buffer = bytearray(size)
        if self._filled:
            buffer[: self._filled] = self._view[: self._filled]
        self._buffer = buffer
        self._view = memoryview(buffer)

    def _drop(self, used: int) -> None:
        """Move what is left behind the first `used` bytes to the start."""
        left = self._filled - used
        if used and left:
            self._view[:left] = self._view[used : self._filled]
        self._filled = left

    def _adapt(self, filled: int) -> None:
        """Follow the traffic: what `filled` the buffer doubles it, a row of small reads takes it back."""
        if filled == len(self._buffer):
            self._calm = 0
            most = LARGEST if self._need > SMALL else LARGE
            if self._size > most:
                self._allocate(max(most, self._filled))
            self._size = min(2 * self._size, most)
        elif filled > SMALL:
            self._calm = 0
        elif len(self._buffer) > SMALL:
            self._calm += 1
            if self._calm >= CALM:
                self._calm = 0
                self._size = SMALL
                self._allocate(SMALL)

    # ------------------------------------------------------------------ writing and the end

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`.  What the kernel does not take at once is kept, and the receiver asked to pause."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Read no more; close once what was written is sent, or after ``Limits.linger`` seconds."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.close()
        if self._transport.get_write_buffer_size():
            loop = asyncio.get_running_loop()
            self._expired = loop.call_later(self._limits.linger, self._transport.abort)

    def abort(self) -> None:
        """Close now, whatever is unsent."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def peername(self) -> Any:
        """The other end's socket address, or None."""
        return None if self._transport is None else self._transport.get_extra_info("peername")

    @property
    def sockname(self) -> Any:
        """Our end's socket address, or None."""
        return None if self._transport is None else self._transport.get_extra_info("sockname")


def _tune(sock: socket.socket | None) -> None:
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
