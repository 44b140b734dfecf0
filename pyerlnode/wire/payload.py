"""A term encoded for a distribution message: the bytes, and the atoms that they name by position.

Spec: ERTS "External Term Format", section "Distribution Header".  The caller encodes a payload before it is
known when, or even over which connection, it leaves; so it has a table of atoms of its own, which the
control message continues and the header is written from when the packet's turn comes.
"""

from __future__ import annotations

from typing import Final

from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, RawTerm, Term, encode_bare
from pyerlnode.term.encode import encode_pieces


class Payload:
    """An encoded term.  Its length is that of the bytes."""

    __slots__ = ("_data", "pieces", "refs", "table")

    def __init__(self, data: bytes | list[bytes], table: dict[Atom, int]) -> None:
        """``data`` may be in pieces, so that large binaries in it are not copied.

        ``table`` gives each atom's position.  Neither is to be changed any more.
        """
        self.pieces: Final[list[bytes]] = [data] if isinstance(data, bytes) else data
        self.table: Final = table
        self.refs: Final = tuple(table)
        self._data: bytes | None = self.pieces[0] if len(self.pieces) == 1 else None

    @property
    def data(self) -> bytes:
        """The bytes in one piece."""
        if self._data is None:
            self._data = b"".join(self.pieces)
        return self._data

    def __len__(self) -> int:
        return len(self._data) if self._data is not None else sum([len(piece) for piece in self.pieces])

    def __repr__(self) -> str:
        return f"<Payload of {len(self)} bytes and {len(self.refs)} atoms>"

    def raw(self) -> RawTerm:
        """The term as a receiver on this very node gets it."""
        return RawTerm(self.data, 0, self.refs)


def encode_payload(term: Term, limits: Limits = DEFAULT, *, records: bool = True) -> Payload:
    """``term`` with its atoms in a table; arguments and errors as those of ``encode_bare``."""
    table: dict[Atom, int] = {}
    return Payload(encode_pieces(term, limits, records=records, atoms=table), table)


def as_received(payload: Payload | bytes | None) -> RawTerm | None:
    """``payload``, with or without a table, as a receiver on this very node gets it."""
    if payload is None:
        return None
    return payload.raw() if isinstance(payload, Payload) else RawTerm(payload)


def plain(payload: Payload, limits: Limits = DEFAULT) -> bytes:
    """``payload`` for a peer that takes no headers with atoms: all atoms in full."""
    if not payload.refs:
        return payload.data
    return encode_bare(payload.raw().decode(limits), limits)
