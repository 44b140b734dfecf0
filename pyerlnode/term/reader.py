"""The bytes of a term that is being decoded, and how far they are read.

(ERTS User's Guide, "External Term Format".  A count is never believed further than bytes are left for it.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlnode.errors import DecodeError
from pyerlnode.term.primitives import read_i32_be

if TYPE_CHECKING:
    from mypy_extensions import i64

    from pyerlnode.limits import Limits
    from pyerlnode.term.atom import Atom

_MAX_TINY_CREATION: Final = 3
_WORD: Final = 0x1_0000_0000


class Reader:
    """The bytes, how far they are read, and what is needed to understand them."""

    __slots__ = ("data", "end", "keys", "limits", "pos", "refs", "text")

    def __init__(self, data: bytes, pos: int, refs: tuple[Atom, ...], text: bool, limits: Limits) -> None:
        self.data = data
        self.pos: i64 = pos
        self.end: i64 = len(data)
        self.refs = refs
        self.text = text
        self.limits = limits
        self.keys: i64 = 0
        """Keys of maps, one within the other, that are being read."""

    def misfit(self, count: int, at: int) -> DecodeError:
        """Return why a container of ``count`` sub-terms, whose tag is at ``at``, is not read."""
        return DecodeError(f"{count} elements cannot fit into the {self.end - self.pos} bytes left", at)

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
        return unsigned(read_i32_be(self.data, pos))

    def tiny_creation(self) -> int:
        """Return the next byte, a creation in an old form of an identifier."""
        pos = self.pos
        self.pos = pos + 1
        creation = self.data[pos]
        if creation > _MAX_TINY_CREATION:
            raise DecodeError("a one-byte creation is 0 to 3", pos)
        return creation


def unsigned(value: int) -> int:
    """Return 32 bits that were read with a sign as the number without one."""
    return value if value >= 0 else value + _WORD
