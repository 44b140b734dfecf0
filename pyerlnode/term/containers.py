"""Containers that Python lacks: improper lists and bit strings.

An improper list ends in something that is no list; gen_server call tags (``[alias | Ref]``) are the
ones everybody meets.  A bit string is a binary whose last byte is only partly used.
(ERTS User's Guide, "External Term Format", LIST_EXT, BIT_BINARY_EXT.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from pyerlnode.term.modes import freeze
from pyerlnode.term.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable


@final
class ImproperList(Value):
    """``[a, b | tail]`` is ``ImproperList((a, b), tail)``.  Hashable when its parts are.

    ``tail`` is never a list: :meth:`of` builds whichever kind of list the parts make.  A tail that
    is improper itself is joined on, so that equal terms are equal values.
    """

    __slots__ = ("items", "tail")
    __match_args__ = ("items", "tail")

    def __init__(self, items: Iterable[Any], tail: Any) -> None:
        front = tuple(items)
        if not front:
            raise ValueError("an improper list has at least one item before its tail")
        if isinstance(tail, list):
            raise ValueError("a list as the tail makes a proper list: use ImproperList.of")  # noqa: TRY004
        if isinstance(tail, ImproperList):
            front += tail.items
            tail = tail.tail
        self.items: Final[tuple[Any, ...]] = front
        self.tail: Final[Any] = tail

    @classmethod
    def of(cls, items: Iterable[Any], tail: Any) -> Any:
        """Return ``[*items | tail]``: a ``list`` when ``tail`` is one; ``tail`` when there are no items."""
        if isinstance(tail, list):
            return [*items, *tail]
        front = tuple(items)
        return ImproperList(front, tail) if front else tail

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.items, self.tail


@final
class BitString(Value):
    """A bit string of ``8 * (len(data) - 1) + bits`` bits; ``bits`` of the last byte are used, from its top.

    ``bits`` is 1 to 7 (all 8 used would be plain ``bytes``).  The unused low bits of the last byte are
    set to zero, so that equal terms are equal values.
    """

    __slots__ = ("bits", "data")
    __match_args__ = ("data", "bits")

    def __init__(self, data: bytes, bits: int) -> None:
        if not 1 <= bits <= 7:
            raise ValueError(f"a bit string uses 1 to 7 bits of its last byte, not {bits}")
        if not data:
            raise ValueError("a bit string has at least one byte")
        used = data[-1] & (0xFF << (8 - bits)) & 0xFF
        self.data: Final = bytes(data[:-1]) + bytes((used,))
        self.bits: Final = bits

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.data, self.bits


def charlist(text: str) -> list[int]:
    """Return ``text`` as Erlang's own strings are: a list of code points."""
    return [ord(character) for character in text]


freeze(ImproperList)
freeze(BitString)
