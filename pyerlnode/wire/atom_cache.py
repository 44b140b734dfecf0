"""The receiving half of the distribution header's atom cache.

Spec: ERTS "External Term Format", section "Distribution Header".  A header lists up to 255 atoms that the
terms behind it refer to by position.  Each is either new (it comes with its text, and a slot of the
cache to keep it in) or names a slot filled before.  A BEAM fills 2039 of the 2048 slots and overwrites
them as it likes.  We send headers without atoms, so there is no sending half.
"""

from __future__ import annotations

from typing import Final

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Atom

SLOTS: Final = 2048

_REMEMBERED: Final = 512
_NEW: Final = 8
_SEGMENT: Final = 7


class AtomCache:
    """What one peer has put into its cache on one connection."""

    __slots__ = ("_atoms", "_headers")

    def __init__(self) -> None:
        self._atoms: list[Atom | None] = [None] * SLOTS
        self._headers: dict[bytes, tuple[Atom, ...]] = {}  # those without new atoms, since the last new one

    def read_header(self, frame: bytes, offset: int) -> tuple[tuple[Atom, ...], int]:
        """Read the atom part of a header that starts at ``offset``, with the number of atoms.

        Gives the atoms in order and the offset behind the header.  Raises :class:`RemoteProtocolError`
        for a header that is cut off, has a bad text or names an empty slot.
        """
        try:
            count = frame[offset]
            if not count:
                return (), offset + 1
            texts = offset + 2 + count // 2
            shortest = frame[offset : texts + count]
            known = self._headers.get(shortest)
            if known is not None:
                return known, texts + count
            return self._read(frame, offset + 1, count, texts)
        except IndexError:
            raise RemoteProtocolError("a distribution header is cut off") from None

    def _read(self, frame: bytes, start: int, count: int, offset: int) -> tuple[tuple[Atom, ...], int]:
        """Read ``count`` references at ``offset``, whose flags are at ``start``."""
        long = _nibble(frame, start, count) & 1
        atoms: list[Atom] = []
        first = offset
        for number in range(count):
            flags = _nibble(frame, start, number)
            slot = (flags & _SEGMENT) << 8 | frame[offset]
            offset += 1
            if flags & _NEW:
                offset = self._fill(slot, frame, offset, long)
            atom = self._atoms[slot]
            if atom is None:
                raise RemoteProtocolError(f"a distribution header refers to slot {slot}, which is empty")
            atoms.append(atom)
        refs = tuple(atoms)
        if offset == first + count:
            self._remember(frame[start - 1 : offset], refs)
        return refs, offset

    def _fill(self, slot: int, frame: bytes, offset: int, long: int) -> int:
        """Put the atom whose length and text are at ``offset`` into ``slot``; gives the offset behind it."""
        length = frame[offset]
        if long:
            offset += 1
            length = length << 8 | frame[offset]
        start = offset + 1
        end = start + length
        if end > len(frame):
            raise IndexError
        try:
            self._atoms[slot] = Atom(frame[start:end].decode())
        except ValueError:
            raise RemoteProtocolError("a distribution header has an atom that is none") from None
        self._headers.clear()
        return end

    def _remember(self, header: bytes, refs: tuple[Atom, ...]) -> None:
        """A header without new atoms means the same until the cache changes."""
        if len(self._headers) >= _REMEMBERED:
            self._headers.clear()
        self._headers[header] = refs


def _nibble(frame: bytes, start: int, number: int) -> int:
    """Four bits of flags: those of reference ``number``, the lower half of a byte first."""
    return frame[start + (number >> 1)] >> ((number & 1) << 2) & 15
