"""Containers that Python lacks: improper lists and bit strings.

An improper list ends in something that is no list; gen_server call tags (``[alias | Ref]``) are the
ones everybody meets.  A bit string is a binary whose last byte is only partly used.
(ERTS User's Guide, "External Term Format", LIST_EXT, BIT_BINARY_EXT.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class ImproperList:
    """``[a, b | tail]`` is ``ImproperList((a, b), tail)``.  Hashable when its parts are.

    ``tail`` is never a list: :meth:`of` builds whichever kind of list the parts make.  A tail that
    is improper itself is joined on, so that equal terms are equal values.
    """

    items: tuple[Any, ...]
    tail: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self.items))
        if not self.items:
            raise ValueError("an improper list has at least one item before its tail")
        if isinstance(self.tail, list):
            raise ValueError("a list as the tail makes a proper list: use ImproperList.of")  # noqa: TRY004
        if isinstance(self.tail, ImproperList):
            object.__setattr__(self, "items", self.items + self.tail.items)
            object.__setattr__(self, "tail", self.tail.tail)

    @classmethod
    def of(cls, items: Iterable[Any], tail: Any) -> Any:
        """Return ``[*items | tail]``: a ``list`` when ``tail`` is one; ``tail`` when there are no items."""
        front = tuple(items)
        if isinstance(tail, list):
            return [*front, *tail]
        return cls(front, tail) if front else tail


@dataclass(frozen=True, slots=True)
class BitString:
    """A bit string of ``8 * (len(data) - 1) + bits`` bits; ``bits`` of the last byte are used, from its top.

    ``bits`` is 1 to 7 (all 8 used would be plain ``bytes``).  The unused low bits of the last byte are
    set to zero, so that equal terms are equal values.
    """

    data: bytes
    bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 7:
            raise ValueError(f"a bit string uses 1 to 7 bits of its last byte, not {self.bits}")
        if not self.data:
            raise ValueError("a bit string has at least one byte")
        used = self.data[-1] & (0xFF << (8 - self.bits)) & 0xFF
        object.__setattr__(self, "data", bytes(self.data[:-1]) + bytes((used,)))


def charlist(text: str) -> list[int]:
    """Return ``text`` as Erlang's own strings are: a list of code points."""
    return [ord(character) for character in text]
