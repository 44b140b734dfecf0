"""A term that is still bytes: the payload of a message nobody has looked at yet.

A node decodes a message's payload only once a live receiver is found, and can pass one on without
decoding it at all.  (ERTS "Distribution Protocol", where a control term is followed by a payload term.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term.decode import is_known, read_last
from pyerlnode.term.reader import Reader

if TYPE_CHECKING:
    from pyerlnode.term.atom import Atom


class RawTerm:
    """The undecoded term that ``data`` holds from ``offset`` to its end, without the leading 131.

    ``refs`` are the atoms of the distribution header that came with it: the term may refer to them.
    """

    __slots__ = ("data", "offset", "refs")

    def __init__(self, data: bytes, offset: int = 0, refs: tuple[Atom, ...] = ()) -> None:
        self.data: Final = data
        self.offset: Final = offset
        self.refs: Final = refs

    __hash__ = None  # type: ignore[assignment]  # equal terms may be different bytes

    def __len__(self) -> int:
        """Return the size of the undecoded term in bytes."""
        return len(self.data) - self.offset

    def __repr__(self) -> str:
        return f"<RawTerm of {len(self)} bytes>"

    def encoded(self) -> bytes:
        """Return the bytes of the term."""
        return self.data[self.offset :]

    def decode(self, limits: Limits = DEFAULT, text: str | None = None) -> Any:
        """Return the term.  Raises :class:`pyerlnode.errors.DecodeError`, also for bytes after it."""
        is_text = text is not None and is_known(text)
        return read_last(Reader(self.data, self.offset, self.refs, is_text, limits))
