"""What control messages have in common, and those shapes that several of them have.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes".  They are written out, no
dataclasses: a node makes one message for each signal, and frozen dataclasses take their time to be made,
and to be defined.  Not to change them is mypy's affair; compiled, they refuse it themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from pyerlnode.term import Atom, Pid, Reference, Term


class Message:
    """What all messages can do.  Two are equal when they are of one class and say the same."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    HAS_PAYLOAD: ClassVar[bool] = False
    OP: ClassVar[int] = 0
    """The operation, of the variant without a token."""

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Message):
            return False
        return self is other or self.to_term() == other.to_term()

    def __hash__(self) -> int:
        return hash(self.to_term())

    def __repr__(self) -> str:
        parts = [f"{name}={getattr(self, name)!r}" for name in self.__match_args__]
        return f"{type(self).__name__}({', '.join(parts)})"


class Relation(Message):
    """Something between two processes."""

    __slots__ = ("sender", "target")
    __match_args__ = ("sender", "target")

    def __init__(self, sender: Pid, target: Pid) -> None:
        self.sender: Final = sender
        self.target: Final = target

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.sender, self.target


class Carrier(Message):
    """Something from one process to another, with a payload."""

    __slots__ = ("sender", "target", "token")
    __match_args__ = ("sender", "target", "token")
    HAS_PAYLOAD = True

    def __init__(self, sender: Pid, target: Pid, token: Term = None) -> None:
        self.sender: Final = sender
        self.target: Final = target
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP + 1, self.sender, self.target, self.token
        return self.OP, self.sender, self.target


class ExitSignal(Message):
    """An exit signal with its reason."""

    __slots__ = ("reason", "sender", "target", "token")
    __match_args__ = ("sender", "target", "reason", "token")

    def __init__(self, sender: Pid, target: Pid, reason: Term, token: Term = None) -> None:
        self.sender: Final = sender
        self.target: Final = target
        self.reason: Final = reason
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP + 10, self.sender, self.target, self.token, self.reason
        return self.OP, self.sender, self.target, self.reason


class Monitoring(Message):
    """Something that the watcher wants."""

    __slots__ = ("ref", "target", "watcher")
    __match_args__ = ("watcher", "target", "ref")

    def __init__(self, watcher: Pid, target: Pid | Atom, ref: Reference) -> None:
        self.watcher: Final = watcher
        self.target: Final = target
        self.ref: Final = ref

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.watcher, self.target, self.ref


class Unlinking(Message):
    """A numbered unlinking."""

    __slots__ = ("id", "sender", "target")
    __match_args__ = ("id", "sender", "target")

    def __init__(self, id: int, sender: Pid, target: Pid) -> None:  # noqa: A002  # named as its attribute
        self.id: Final = id
        self.sender: Final = sender
        self.target: Final = target

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.id, self.sender, self.target
