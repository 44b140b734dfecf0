"""Two streams connected in memory.

They are the real :class:`pyerlnode.net.stream.Stream` on a transport without a socket, so everything above
them runs unchanged; but what arrives in which pieces, and when a writer has to wait, is for the test to say.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyerlnode.limits import DEFAULT, KIB
from pyerlnode.net.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pyerlnode.limits import Limits

__all__ = ["MemoryTransport", "memory_streams"]


def memory_streams(
    *, limits: Limits = DEFAULT, chunk: int = 64 * KIB, capacity: int = 64 * KIB
) -> tuple[Stream, Stream]:
    """Two connected streams.

    Each read gets `chunk` bytes at most (1: byte by byte), one read per turn of the event loop.  `capacity`
    plays the kernel's buffers: unread bytes beyond it make the writer pause.
    """
    left, right = Stream(limits=limits), Stream(limits=limits)
    one, two = MemoryTransport(left, chunk, capacity), MemoryTransport(right, chunk, capacity)
    one.peer, two.peer = two, one
    left.connection_made(one)
    right.connection_made(two)
    return left, right


class MemoryTransport(asyncio.Transport):
    """One end of a connection in memory."""

    peer: MemoryTransport

    def __init__(self, protocol: Stream, chunk: int, capacity: int) -> None:
        super().__init__()
        self._protocol = protocol
        self._chunk = chunk
        self._capacity = capacity
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()  # written here, not yet read by the peer
        self._high = self._low = 0
        self._reading = True
        self._writer_paused = False
        self._carrying = False
        self._closing = False
        self._aborted = False
        self._lost = False

    # ------------------------------------------------------------------ writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take `data`; the peer reads it in later turns."""
        if self._closing:
            return
        self._unread += data
        self._carry_soon()
        self._follow()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Take several pieces at once."""
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        """Bytes that would be waiting in front of the kernel."""
        return max(0, len(self._unread) - self._capacity)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high mark."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when the writer is paused and resumed."""
        self._high = 64 * KIB if high is None else high
        self._low = self._high // 4 if low is None else low
        self._follow()

    def _follow(self) -> None:
        """Pause or resume the writer."""
        size = self.get_write_buffer_size()
        if size > self._high and not self._writer_paused:
            self._writer_paused = True
            self._protocol.pause_writing()
        elif size <= self._low and self._writer_paused:
            self._writer_paused = False
            self._protocol.resume_writing()

    # ------------------------------------------------------------------ reading

    def is_reading(self) -> bool:
        """Whether the peer's bytes come in."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Let the peer's bytes wait."""
        self._reading = False

    def resume_reading(self) -> None:
        """Take the peer's bytes again."""
        self._reading = True
        self.peer._carry_soon()  # noqa: SLF001 - the other half of ourselves

    def _carry_soon(self) -> None:
        if not self._carrying:
            self._carrying = True
            self._loop.call_soon(self._carry)

    def _carry(self) -> None:
        """Bring one read to the peer."""
        self._carrying = False
        if self._unread and self.peer.is_reading():
            space = self.peer._protocol.get_buffer(-1)  # noqa: SLF001
            size = min(len(space), len(self._unread), self._chunk)
            space[:size] = self._unread[:size]
            del self._unread[:size]
            self.peer._protocol.buffer_updated(size)  # noqa: SLF001
            self._follow()
            self._carry_soon()
        elif self._closing and not self._unread and not self._aborted:
            self._lose(None)
            self.peer._hang_up()  # noqa: SLF001

    # ------------------------------------------------------------------ the end

    def is_closing(self) -> bool:
        """Whether :meth:`close` or :meth:`abort` was called."""
        return self._closing

    def close(self) -> None:
        """Read no more; the peer sees the end behind what was written."""
        self._closing = True
        self._carry_soon()

    def abort(self) -> None:
        """Drop what is unread; the peer sees a reset."""
        self._closing = self._aborted = True
        self._unread.clear()
        self._loop.call_soon(self._lose, None)
        self._loop.call_soon(self.peer._lose, ConnectionResetError("the peer aborted"))  # noqa: SLF001

    def _hang_up(self) -> None:
        """The peer has closed."""
        if not self._lost:
            self._protocol.eof_received()
            self._unread.clear()
            self._closing = True
            self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._closing = self._lost = True
            self._unread.clear()
            self._protocol.connection_lost(error)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Nothing: there is no socket."""
        return default
