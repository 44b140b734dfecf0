"""Identifiers of processes, references and ports: names for things that live on some node.

All three carry their node's name and its *creation*, a number that a node takes anew at each start, so
that an identifier of a former life is not mistaken for one of today.
(ERTS User's Guide, "External Term Format", NEW_PID_EXT, NEWER_REFERENCE_EXT, V4_PORT_EXT.)
"""

from __future__ import annotations

from typing import Any, Final, final

from pyerlnode.term.atom import Atom, same_text
from pyerlnode.term.modes import freeze
from pyerlnode.term.values import Value


@final
class Pid(Value):
    """A process identifier.  ``id`` and ``serial`` are the two numbers that a BEAM prints last."""

    __slots__ = ("creation", "id", "node", "serial")
    __match_args__ = ("node", "id", "serial", "creation")

    def __init__(self, node: str, id: int, serial: int, creation: int) -> None:  # noqa: A002
        self.node: Final[Atom] = node if isinstance(node, Atom) else Atom(node)
        self.id: Final = id
        self.serial: Final = serial
        self.creation: Final = creation

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.node, self.id, self.serial, self.creation

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Pid):
            return NotImplemented
        return (
            self.id == other.id
            and self.serial == other.serial
            and self.creation == other.creation
            and same_text(self.node, other.node)
        )

    def __hash__(self) -> int:
        return hash((self.node, self.id, self.serial, self.creation))


@final
class Reference(Value):
    """A unique reference of one to five 32-bit words; process aliases are references too."""

    __slots__ = ("creation", "node", "words")
    __match_args__ = ("node", "creation", "words")

    def __init__(self, node: str, creation: int, words: tuple[int, ...]) -> None:
        self.node: Final[Atom] = node if isinstance(node, Atom) else Atom(node)
        self.creation: Final = creation
        self.words: Final = words

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.node, self.creation, self.words

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Reference):
            return NotImplemented
        if self.words != other.words or self.creation != other.creation:
            return False
        return same_text(self.node, other.node)

    def __hash__(self) -> int:
        return hash((self.node, self.creation, self.words))


@final
class Port(Value):
    """A port identifier."""

    __slots__ = ("creation", "id", "node")
    __match_args__ = ("node", "id", "creation")

    def __init__(self, node: str, id: int, creation: int) -> None:  # noqa: A002
        self.node: Final[Atom] = node if isinstance(node, Atom) else Atom(node)
        self.id: Final = id
        self.creation: Final = creation

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.node, self.id, self.creation


freeze(Pid)
freeze(Reference)
freeze(Port)
