"""The two lives of this code: interpreted as it stands, or compiled by mypyc.

Nearly everything is the same in both.  What must differ asks :data:`COMPILED`, and there are few places:
what is quick in C (arithmetic on machine words) is slow in an interpreter, and the other way round.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from types import FunctionType
from typing import Any, Final, NoReturn, TypeVar

_Kind = TypeVar("_Kind")


def ordinary(kind: type[_Kind]) -> type[_Kind]:
    """Keep mypyc from making a class of its own of this one: it leaves decorated ones be.

    Wanted by classes that derive from a class which is not mypyc's own, such as ``str`` or ``Mapping``.
    """
    return kind


COMPILED: Final = not isinstance(ordinary, FunctionType)
"""Whether this is the compiled form."""


def freeze(kind: Any) -> None:
    """Make the attributes of an interpreted class read-only, as ``Final`` ones of a compiled class are.

    ``kind`` has ``__slots__`` and an ``__init__`` that assigns them.  Its instances begin their life as those
    of a twin that can be written to: that takes half the time of ``object.__setattr__`` for each attribute.
    """
    if COMPILED:
        return
    twin = type(kind.__name__, kind.__bases__, {"__slots__": kind.__slots__, "__init__": kind.__init__})

    def new(cls: Any, *args: Any, **named: Any) -> Any:
        value = twin(*args, **named)
        value.__class__ = cls
        return value

    kind.__new__ = new
    del kind.__init__
    kind.__setattr__ = _refuse
    kind.__delattr__ = _refuse


def _refuse(value: object, name: str, *_: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r} of a {type(value).__name__}")
