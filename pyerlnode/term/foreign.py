"""Python values that are of no type of ours: instances of subclasses, and what has no term.

An ``IntEnum``, a named tuple or an ``OrderedDict`` is written as what it is a kind of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def advice(term: Any) -> str:
    """Return what to do instead with a value that has no term."""
    if isinstance(term, set | frozenset):
        return ": use a list, or a dict with the members as keys"
    if isinstance(term, complex):
        return ": use a tuple of two floats"
    if hasattr(term, "__dataclass_fields__"):
        return ": use dataclasses.asdict(value), or a tuple"
    if callable(term):
        return ": export a function under a name, and send the name"
    return ": use a dict, list, tuple, str, bytes, int, float, bool, None or a class of pyerlnode.term"


def _plain_bytes(term: bytes) -> bytes:
    return bytes(memoryview(term))


def _plain_dict(term: dict[Any, Any]) -> dict[Any, Any]:
    return dict(term.items())


PLAIN: Final[dict[type, Callable[[Any], Any]]] = {
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: _plain_bytes,
    tuple: tuple,
    list: list,
    dict: _plain_dict,
}
"""How to make an instance of a subclass one of the class that it is a subclass of."""
