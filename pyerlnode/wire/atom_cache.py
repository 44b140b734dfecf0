"""The atom caches of the distribution header: what a peer has put into its own, and we into ours.

Spec: ERTS "External Term Format", section "Distribution Header".  A header lists up to 255 atoms that the
terms behind it refer to by position.  Each is either new (it comes with its text, and a slot of the
cache to keep it in) or names a slot filled before.  Each direction of a connection has 2048 slots, which
the sender overwrites as it likes: so headers must leave in the order in which they were written.

A BEAM picks an atom's slot by a hash (of 2039).  We fill one slot after the other, from the first again
when all are full, but for those that the same header names: atoms never fight for a slot while there are
less than 2048, and what is in constant use comes back after one message.
"""

from __future__ import annotations

from typing import Any, Final

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Atom
from pyerlnode.term.tags import ATOM_UTF8

SLOTS: Final = 2048

_REMEMBERED: Final = 512
_NEW: Final = 8
_SEGMENT: Final = 7


class AtomCache:
    """What one peer has put into its cache on one connection."""

    __slots__ = ("_atoms", "_headers", "known", "last")

    def __init__(self) -> None:
        self._atoms: dict[int, Atom] = {}
        self._headers: dict[bytes, tuple[Atom, ...]] = {}  # those without new atoms, since the last change
        self.known: dict[bytes, Any] = {}
        """For who reads what is behind headers: it is emptied whenever what they mean may have changed."""
        self.last: bytes = b""
        """... and for the beginning that came last: as empty in that case."""

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
            atom = self._atoms.get(slot)
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
            atom = Atom(frame[start:end].decode())
        except ValueError:
            raise RemoteProtocolError("a distribution header has an atom that is none") from None
        if slot in self._atoms:
            self._headers.clear()
            self.known.clear()
            self.last = b""
        self._atoms[slot] = atom
        return end

    def _remember(self, header: bytes, refs: tuple[Atom, ...]) -> None:
        """A header without new atoms means the same until a slot is overwritten."""
        if len(self._headers) >= _REMEMBERED:
            self._headers.clear()
        self._headers[header] = refs


def _nibble(frame: bytes, start: int, number: int) -> int:
    """Four bits of flags: those of reference ``number``, the lower half of a byte first."""
    return frame[start + (number >> 1)] >> ((number & 1) << 2) & 15


class SendingCache:
    """What we have put into our cache on one connection."""

    __slots__ = ("_atoms", "_headers", "_next", "_slots")

    def __init__(self) -> None:
        self._slots: dict[Atom, int] = {}
        self._atoms: list[Atom] = []  # by slot
        self._next = 0  # the slot to be filled next
        self._headers: dict[tuple[Atom, ...], bytes] = {}  # those without new atoms, since the last change

    def header(self, atoms: tuple[Atom, ...]) -> bytes:
        """The atom part of a header for a message whose terms refer to ``atoms`` (255 at most) by position.

        It must be sent, and before any header that is asked for later.
        """
        known = self._headers.get(atoms)
        return known if known is not None else self._write(atoms)

    def _write(self, atoms: tuple[Atom, ...]) -> bytes:
        count = len(atoms)
        if not count:
            return b"\0"
        named: dict[int, Atom | None] = {}  # the slots of this header, and what is new in them
        slots: list[int] = []
        for atom in atoms:
            slot = self._slots.get(atom, -1)
            if slot < 0:
                slot = self._claim(atom, named)
                named[slot] = atom
            else:
                named.setdefault(slot, None)
            slots.append(slot)
        return self._lay_out(atoms, slots, named)

    def _claim(self, atom: Atom, named: dict[int, Atom | None]) -> int:
        """Give ``atom`` the next slot that is not ``named`` already."""
        slot = self._next
        while slot in named:
            slot = (slot + 1) % SLOTS
        if slot < len(self._atoms):
            del self._slots[self._atoms[slot]]
            self._headers.clear()
            self._atoms[slot] = atom
        else:
            self._atoms.append(atom)
        self._slots[atom] = slot
        self._next = (slot + 1) % SLOTS
        return slot

    def _lay_out(self, atoms: tuple[Atom, ...], slots: list[int], named: dict[int, Atom | None]) -> bytes:
        """The bytes: the number of atoms, four bits for each and the long flag, then slots and texts."""
        new = [atom for atom in named.values() if atom is not None]
        long = any(atom.external[0] == ATOM_UTF8 for atom in new)
        nibbles = [_NEW * (named[slot] is not None) | slot >> 8 for slot in slots]
        nibbles += (int(long), 0)
        refs: list[bytes] = [bytes((len(slots),))]
        refs.append(bytes([nibbles[low] | nibbles[low + 1] << 4 for low in range(0, len(slots) + 1, 2)]))
        for slot in slots:
            refs.append(bytes((slot & 255,)))
            atom = named[slot]
            if atom is not None:
                refs.append(_text(atom, long))
        header = b"".join(refs)
        if not new:
            self._remember(atoms, header)
        return header

    def _remember(self, atoms: tuple[Atom, ...], header: bytes) -> None:
        if len(self._headers) >= _REMEMBERED:
            self._headers.clear()
        self._headers[atoms] = header


def _text(atom: Atom, long: bool) -> bytes:
    """Length and text of a new atom; ``external`` has both behind its tag, the length as short as can be."""
    if long and atom.external[0] != ATOM_UTF8:
        return b"\0" + atom.external[1:]
    return atom.external[1:]
