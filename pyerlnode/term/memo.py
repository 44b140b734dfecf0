"""Short texts that were read before, found again without making bytes of them first.

Atoms and the keys of maps come again and again.  Compiled code compares up to 32 bytes with four machine
words and returns the object made the last time: half the time of a look-up in a ``dict``, whose key would
have to be made.  Interpreted code is quicker with the ``dict``, and does not come here.

The table has a fixed number of places, and a newcomer takes the place of whatever was there: a peer cannot
fill it up, and can at most make it useless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyerlnode.term.primitives import read_i64_le

if TYPE_CHECKING:
    from mypy_extensions import i64

LONGEST: Final = 32
"""Longer texts are not remembered."""
PLACES: Final = 1024
"""Texts that a table has room for; a power of two."""
MISSING: Final = object()
"""Returned for what is not remembered: ``None`` is what the atom ``nil`` stands for."""
_MIX: Final = 0x278DDE6E5FD29F05
"""Spreads what differs over all bits."""
_SEVEN_BYTES: Final = 0xFF_FFFF_FFFF_FFFF


class Memo:
    """A text as machine words, and what was made of it."""

    __slots__ = ("first", "fourth", "last", "size", "third", "value")

    def __init__(self, size: i64, first: i64, last: i64, third: i64, fourth: i64, value: Any) -> None:
        self.size = size
        self.first = first
        self.last = last
        self.third = third
        self.fourth = fourth
        self.value = value


def table() -> list[Memo]:
    """Return a table that remembers nothing."""
    return [Memo(-1, 0, 0, 0, 0, None)] * PLACES


def recall(places: list[Memo], data: bytes, start: i64, size: i64, made: Any = MISSING) -> Any:
    """Return what was made of the ``size`` bytes at ``start``, at most :data:`LONGEST`, or :data:`MISSING`.

    With ``made``, remember it.
    """
    last: i64 = 0
    third: i64 = 0
    fourth: i64 = 0
    if size < 8:
        first = _short(data, start, size)
    else:
        first = read_i64_le(data, start)
        last = read_i64_le(data, start + size - 8)
        if size > 16:
            third = read_i64_le(data, start + 8)
            fourth = read_i64_le(data, start + size - 16)
    mixed = (first ^ (last >> 7) ^ (last << 9) ^ third ^ size) * _MIX
    place = (mixed >> 54) & (PLACES - 1)
    if made is not MISSING:
        places[place] = Memo(size, first, last, third, fourth, made)
        return made
    memo = places[place]
    if (
        memo.first == first
        and memo.size == size
        and memo.last == last
        and memo.third == third
        and memo.fourth == fourth
    ):
        return memo.value
    return MISSING


def _short(data: bytes, start: i64, size: i64) -> i64:
    """Return fewer than eight bytes as one number."""
    if start + 8 <= len(data):
        return read_i64_le(data, start) & (_SEVEN_BYTES >> (56 - 8 * size))
    word: i64 = 0
    place = start + size
    while place > start:
        place -= 1
        word = word << 8 | data[place]
    return word
