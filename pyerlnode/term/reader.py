"""The bytes of a term that is being decoded, and what may still be spent on them.

(ERTS User's Guide, "External Term Format".  A count is never believed further than bytes are left for it.)
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import DecodeError, LimitExceeded

if TYPE_CHECKING:
    from pyerlnode.limits import Limits
    from pyerlnode.term.atom import Atom

_u32 = Struct(">I").unpack_from
_MAX_TINY_CREATION: Final = 3


class Reader:
    """The bytes, how far they are read, and what may still be spent on them."""

    __slots__ = ("data", "elements", "end", "limits", "nesting", "pos", "refs", "text")

    def __init__(self, data: bytes, pos: int, refs: tuple[Atom, ...], text: bool, limits: Limits) -> None:
        self.data = data
        self.end = len(data)
        self.pos = pos
        self.refs = refs
        self.text = text
        self.limits = limits
        self.nesting = limits.nesting
        self.elements = limits.elements

    def refusal(self, count: int, at: int) -> DecodeError:
        """Return why a container of ``count`` sub-terms, whose tag is at ``at``, is not read."""
        if count > self.end - self.pos:
            return DecodeError(f"{count} elements cannot fit into the {self.end - self.pos} bytes left", at)
        if self.elements < 0:
            return LimitExceeded(
                f"the term has more than Limits.elements={self.limits.elements} elements", at
            )
        return LimitExceeded(f"the term nests deeper than Limits.nesting={self.limits.nesting}", at)

    def take(self, start: int, count: int) -> bytes:
        """Return the ``count`` bytes at ``start`` and move behind them."""
        end = start + count
        if end > self.end:
            left = max(self.end - start, 0)
            raise DecodeError(f"{count} bytes are announced, {left} are left", min(start, self.end))
        self.pos = end
        return self.data[start:end]

    def word(self) -> int:
        """Return the next 32 bits, unsigned."""
        pos = self.pos
        self.pos = pos + 4
        value: int = _u32(self.data, pos)[0]
        return value

    def tiny_creation(self) -> int:
        """Return the next byte, a creation in an old form of an identifier."""
        pos = self.pos
        self.pos = pos + 1
        if self.data[pos] > _MAX_TINY_CREATION:
            raise DecodeError("a one-byte creation is 0 to 3", pos)
        return self.data[pos]
