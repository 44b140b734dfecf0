"""The payload of a large message, as it comes: piece by piece, each in a buffer that is soon used again.

Pieces are lent until :meth:`Content.keep`.  Where all of them are there by then, they are copied once, into
the payload; and where that is a large binary with little around it, into this binary, which decoding then
only has to hand over (:mod:`pyerlnode.term.large`).
(ERTS "External Term Format", section "Distribution Header for fragmented messages".)
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from pyerlnode.term import Atom, RawTerm
from pyerlnode.term.large import BINARY_HEAD, LargeTerm, find_binary
from pyerlnode.term.primitives import read_i32_be
from pyerlnode.term.reader import unsigned

PEEK: Final = 1024
"""Bytes of a large frame that are copied to see what it is."""

_ALL: Final = 1 << 60  # more than ever comes


class Content:
    """The bytes of one payload, so far."""

    __slots__ = ("_behind", "_front", "_kept", "_missing", "lent", "size")

    def __init__(self, head: bytes, offset: int, frame: memoryview) -> None:
        """The payload begins at ``offset`` in ``frame``, whose first bytes are ``head``: bytes of our own."""
        self._front: bytes | None = None  # what is before the content of the binary, if there is one
        self._kept: BytesIO | None = None  # the binary, or all of the payload: its value is not copied
        self._behind = bytearray()  # one, since many tiny pieces would weigh many times more
        self._missing: int = _ALL  # bytes of the binary that are still to come
        self.size: int = len(frame) - offset
        """Bytes that came with the first frame."""
        place = find_binary(head, offset)
        if place >= 0:
            self._missing = unsigned(read_i32_be(head, place + 1))
            self._front = head[offset : place + BINARY_HEAD]
            offset = place + BINARY_HEAD
        self.lent: list[bytes | memoryview] = []
        """What goes behind what is kept, but still where it came from."""
        self.add(frame[offset:])

    def add(self, piece: bytes | memoryview) -> None:
        """The payload goes on with ``piece``, which stays as it is until :meth:`keep`."""
        missing = self._missing
        left = missing - len(piece)
        if left >= 0:
            self._missing = left
            self.lent.append(piece)
            return
        if missing:
            self._missing = 0
            self.lent.append(piece[:missing])
        self._behind += piece[missing:]

    def keep(self) -> None:
        """Copy what was lent."""
        if self.lent:
            if self._kept is None:
                self._kept = BytesIO()
            self._kept.writelines(self.lent)
            self.lent.clear()

    def term(self, refs: tuple[Atom, ...]) -> RawTerm:
        """The payload, which is complete."""
        if self._kept is None:
            body = b"".join(self.lent)
            self.lent.clear()
        else:
            self.keep()
            body = self._kept.getvalue()
        front = self._front
        if front is None:
            return RawTerm(body, 0, refs)
        behind = bytes(self._behind)
        if self._missing or len(behind) >= len(body):
            return RawTerm(b"".join((front, body, behind)), 0, refs)
        return LargeTerm(front + behind, refs, body, len(front))
