"""What the terms have in common that Python has no type for: they are values.

They are written out, no dataclasses: pids and references are made for each message, and a frozen dataclass
takes its time to be made, and to be defined.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Value:
    """Equal when of one class with equal parts, hashable when those are; not to be changed (``freeze``)."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of, in the order of ``__match_args__``."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value) or type(self) is not type(other):
            return NotImplemented
        return self is other or self.parts() == other.parts()

    def __hash__(self) -> int:
        return hash(self.parts())

    def __repr__(self) -> str:
        named = zip(self.__match_args__, self.parts(), strict=True)
        return f"{type(self).__name__}({', '.join([f'{name}={part!r}' for name, part in named])})"

    def __replace__(self, **changes: Any) -> Any:
        """Return one with other values for the parts that are named: ``copy.replace`` calls this."""
        named = dict(zip(self.__match_args__, self.parts(), strict=True))
        return type(self)(**{**named, **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.parts()
