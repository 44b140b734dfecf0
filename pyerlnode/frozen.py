"""Frozen dataclasses that take next to no time to define.

``@dataclass(frozen=True)`` writes the methods of each class as text and compiles that: half a millisecond, as
long as five modules take to load.  Here all classes share theirs.  They are dataclasses all the same: to type
checkers, to ``match``, and to ``dataclasses.replace`` and ``fields``.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform

_Kind = TypeVar("_Kind")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[_Kind]) -> type[_Kind]:
    """Make `kind` a dataclass, as ``@dataclass(frozen=True)`` does.

    Of ``field`` it knows ``default`` and ``default_factory``.  Not for what is made for each message: that
    takes two or three times as long as with ``@dataclass``.
    """
    return _shared(dataclass(init=False, repr=False, eq=False)(kind))


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def frozen_options(kind: type[_Kind]) -> type[_Kind]:
    """Make `kind` a dataclass, as ``@dataclass(frozen=True, kw_only=True)`` does."""
    return _shared(dataclass(init=False, repr=False, eq=False, kw_only=True)(kind))


class _Shared:
    """The methods of all."""

    def __init__(self, *values: Any, **given: Any) -> None:
        given |= _by_name(self, values, given)
        vars(self).update({known.name: _taken(self, known, given) for known in fields(self)})  # type: ignore[arg-type]
        if given:
            raise TypeError(f"{type(self).__name__} has no {', '.join(given)}")
        if hasattr(self, "__post_init__"):
            self.__post_init__()

    def __repr__(self) -> str:
        named = [f"{name}={value!r}" for name, value in vars(self).items()]
        return f"{type(self).__qualname__}({', '.join(named)})"

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


def _shared(kind: type[_Kind]) -> type[_Kind]:
    for name in ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"):
        setattr(kind, name, vars(_Shared)[name])
    return kind


def _by_name(made: Any, values: tuple[Any, ...], given: dict[str, Any]) -> dict[str, Any]:
    names = made.__match_args__
    if len(values) > len(names):
        raise TypeError(f"{type(made).__name__} takes {len(names)} arguments by position, not {len(values)}")
    positional = dict(zip(names, values, strict=False))
    twice = positional.keys() & given
    if twice:
        raise TypeError(f"{type(made).__name__} got {', '.join(twice)} twice")
    return positional


def _taken(made: Any, known: Field[Any], given: dict[str, Any]) -> Any:
    if known.name in given:
        return given.pop(known.name)
    if known.default_factory is not MISSING:
        return known.default_factory()
    if known.default is MISSING:
        raise TypeError(f"{type(made).__name__} needs a {known.name}")
    return known.default
