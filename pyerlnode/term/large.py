"""A term most of which is one large binary, kept apart from the rest while nobody has looked at it.

A message with a large binary comes in pieces, in a buffer that is soon used again.  Its bytes are copied
once, into what will be the binary: the rest of the term is short, and decoded around it.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term.decode import is_known, read_last
from pyerlnode.term.primitives import read_i32_be
from pyerlnode.term.raw import RawTerm
from pyerlnode.term.reader import Reader, unsigned
from pyerlnode.term.tags import (
    ATOM_CACHE_REF,
    BINARY,
    INTEGER,
    LIST,
    MAP,
    NEW_FLOAT,
    NEW_PID,
    NEWER_REFERENCE,
    NIL,
    SMALL_ATOM_UTF8,
    SMALL_BIG,
    SMALL_INTEGER,
    SMALL_TUPLE,
    STRING,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

    from pyerlnode.term.atom import Atom

BINARY_HEAD: Final = 5
"""Bytes of a binary before its content: the tag and the size."""

_FIXED: Final = {
    ATOM_CACHE_REF: 2,
    SMALL_TUPLE: 2,
    SMALL_INTEGER: 2,
    INTEGER: 5,
    NEW_FLOAT: 9,
    NIL: 1,
    LIST: 5,
    MAP: 5,
    NEW_PID: 1,  # and an atom, which is a term of its own here
}


class LargeTerm(RawTerm):
    """An undecoded term of which ``data`` lacks the content of a binary: it is at ``place``, as ``binary``.

    There must be less of ``data`` behind ``place`` than what is missing there.
    """

    __slots__ = ("_binary", "_place")

    def __init__(self, data: bytes, refs: tuple[Atom, ...], binary: bytes, place: int) -> None:
        super().__init__(data, 0, refs)
        self._binary: Final = binary
        self._place: Final = place

    def __len__(self) -> int:
        return len(self.data) + len(self._binary)

    def encoded(self) -> bytes:
        """Return the bytes of the term."""
        return b"".join((self.data[: self._place], self._binary, self.data[self._place :]))

    def decode(self, limits: Limits = DEFAULT, text: str | None = None) -> Any:
        """Return the term, as :meth:`RawTerm.decode` does."""
        r = _Around(self.data, 0, self.refs, text is not None and is_known(text), limits)
        r.binary = self._binary
        r.place = self._place
        try:
            return read_last(r)
        except DecodeError:
            pass
        return RawTerm(self.encoded(), 0, self.refs).decode(limits, text)  # that tells what is wrong where


class _Around(Reader):
    """Reads a term that lacks the content of a binary."""

    __slots__ = ("binary", "place")

    binary: bytes
    place: i64

    def take(self, start: int, count: int) -> bytes:
        """Return the bytes at ``start``; those that are missing, where they are."""
        if start == self.place and count == len(self.binary):
            self.pos = start
            return self.binary
        return super().take(start, count)


def find_binary(data: bytes, pos: int) -> int:
    """Return where the first binary begins that ``data``, the start of a term from ``pos`` on, does not hold.

    -1 when there is none, or when it is behind what is seldom seen before large binaries.
    """
    try:
        while True:
            tag = data[pos]
            if tag == BINARY:
                end = pos + BINARY_HEAD + unsigned(read_i32_be(data, pos + 1))
                if end > len(data):
                    return pos
                pos = end
            elif tag == SMALL_ATOM_UTF8:
                pos += 2 + data[pos + 1]
            elif tag in _FIXED:
                pos += _FIXED[tag]
                if tag == NEW_PID:
                    pos = _behind_atom(data, pos) + 12
            elif tag == NEWER_REFERENCE:
                pos = _behind_atom(data, pos + 3) + 4 + 4 * data[pos + 2]
            elif tag == STRING:
                pos += 3 + 256 * data[pos + 1] + data[pos + 2]
            elif tag == SMALL_BIG:
                pos += 3 + data[pos + 1]
            else:
                return -1
    except IndexError:
        return -1


def _behind_atom(data: bytes, pos: int) -> int:
    tag = data[pos]
    if tag == ATOM_CACHE_REF:
        return pos + 2
    if tag == SMALL_ATOM_UTF8:
        return pos + 2 + data[pos + 1]
    raise IndexError
