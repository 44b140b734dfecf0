"""Whole packets that are ready to be written, one behind the other.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes": each packet begins with its
length.  Small messages are copied in here as they are sent, headers and all, so that nothing has to be kept
and done for each of them later.  They leave in this order: the headers of a connection are only right in the
order in which they were made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlnode.limits import KIB
from pyerlnode.term.primitives import BytesWriter, write_i32_be

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK: Final = 128 * KIB
"""Bytes that one :meth:`Batch.take` gives, about: always whole packets."""

_WHOLE: Final = b"\x83D"


class Batch:
    """Packets in the order in which they leave."""

    __slots__ = ("_full", "_out", "is_open", "room", "size", "wake")

    def __init__(self, room: int) -> None:
        self.room: int = room
        """Bytes above which senders should wait."""
        self.wake: Callable[[], object] | None = None
        """Called when the first of the packets is added, for whoever is to take them."""
        self.is_open: bool = True
        """Whether what is sent now may leave with the rest of this; else something larger is before it."""
        self.size: int = 0
        """Bytes that are in here."""
        self._full: list[bytes] = []
        self._out: BytesWriter | None = None  # none while it is empty: many connections only wait

    def add(self, header: bytes, control: bytes, data: bytes) -> None:
        """Append a whole message with a distribution header: ``header`` is the part about atoms."""
        out = self._out
        if out is None:
            out = self._begin()
        length = 2 + len(header) + len(control) + len(data)
        write_i32_be(out, length)
        out.write(_WHOLE)
        out.write(header)
        out.write(control)
        out.write(data)
        self.size += 4 + length
        if len(out) >= CHUNK:
            self._seal(out)

    def add_plain(self, start: bytes, data: bytes) -> None:
        """Append a packet that needs nothing but its length."""
        out = self._out
        if out is None:
            out = self._begin()
        length = len(start) + len(data)
        write_i32_be(out, length)
        out.write(start)
        out.write(data)
        self.size += 4 + length
        if len(out) >= CHUNK:
            self._seal(out)

    def _begin(self) -> BytesWriter:
        out = self._out = BytesWriter()
        if not self.size and self.wake is not None:
            self.wake()
        return out

    def _seal(self, out: BytesWriter) -> None:
        self._full.append(out.getvalue())
        self._out = None

    def take(self) -> bytes:
        """The first bytes; empty when there are none."""
        if self._full:
            data = self._full.pop(0)
        elif self._out is None:
            return b""
        else:
            data = self._out.getvalue()
            self._out = None
        self.size -= len(data)
        return data

    def clear(self) -> None:
        """Forget everything, and take nothing more."""
        self.is_open = False
        self.wake = None
        self.size = 0
        self._full.clear()
        self._out = None
