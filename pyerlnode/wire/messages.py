"""The control messages of the distribution protocol: one frozen value each.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes".  Each class carries its
operation number, and that of its variant with a seq_trace token where there is one (``token``, ``None``
without): both variants are the same message to us.  ``HAS_PAYLOAD`` tells whether a second term follows
the control message: the message itself, an exit reason or an argument list.

:mod:`pyerlnode.wire.control` reads them; this module is their shapes and how they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from pyerlnode.term import Atom, Pid, Reference, Term

UNUSED: Final = Atom("")
"""What stands where a cookie once stood."""

PRIORITY: Final = 1
"""Flag of :class:`AltactSigSend`: a priority message."""
TOKEN: Final = 2
"""... a seq_trace token follows."""
ALIAS: Final = 4
"""... the target is an alias."""
NAME: Final = 8
"""... the target is a registered name."""
EXIT_SIGNAL: Final = 16
"""... an exit signal: the payload is its reason."""

LINKED: Final = 1
"""Flag of :class:`SpawnReply`: the new process is linked to its parent."""
MONITORED: Final = 2
"""... and: it is monitored by its parent."""


@dataclass(frozen=True, slots=True)
class Link:
    """1: ``sender`` links itself to ``target``."""

    OP: ClassVar[int] = 1
    HAS_PAYLOAD: ClassVar[bool] = False
    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.sender, self.target


@dataclass(frozen=True, slots=True)
class Send:
    """2 and 12: a message to ``target``; who sends it is not told."""

    OP: ClassVar[int] = 2
    OP_TT: ClassVar[int] = 12
    HAS_PAYLOAD: ClassVar[bool] = True
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, UNUSED, self.target, self.token
        return self.OP, UNUSED, self.target


@dataclass(frozen=True, slots=True)
class Exit:
    """3 and 13: ``sender`` ended with ``reason`` and breaks its link to ``target``."""

    OP: ClassVar[int] = 3
    OP_TT: ClassVar[int] = 13
    HAS_PAYLOAD: ClassVar[bool] = False
    sender: Pid
    target: Pid
    reason: Term
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, self.target, self.token, self.reason
        return self.OP, self.sender, self.target, self.reason


@dataclass(frozen=True, slots=True)
class Unlink:
    """4: ``sender`` removes its link to ``target``; before OTP 23.3, deadly to OTP 26 and later."""

    OP: ClassVar[int] = 4
    HAS_PAYLOAD: ClassVar[bool] = False
    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.sender, self.target


@dataclass(frozen=True, slots=True)
class RegSend:
    """6 and 16: a message from ``sender`` to the process registered as ``name``."""

    OP: ClassVar[int] = 6
    OP_TT: ClassVar[int] = 16
    HAS_PAYLOAD: ClassVar[bool] = True
    sender: Pid
    name: Atom
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, UNUSED, self.name, self.token
        return self.OP, self.sender, UNUSED, self.name


@dataclass(frozen=True, slots=True)
class GroupLeader:
    """7: ``leader`` becomes the group leader of ``target``."""

    OP: ClassVar[int] = 7
    HAS_PAYLOAD: ClassVar[bool] = False
    leader: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.leader, self.target


@dataclass(frozen=True, slots=True)
class Exit2:
    """8 and 18: ``sender`` sends ``target`` an exit signal with ``reason``, linked or not."""

    OP: ClassVar[int] = 8
    OP_TT: ClassVar[int] = 18
    HAS_PAYLOAD: ClassVar[bool] = False
    sender: Pid
    target: Pid
    reason: Term
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, self.target, self.token, self.reason
        return self.OP, self.sender, self.target, self.reason


@dataclass(frozen=True, slots=True)
class MonitorP:
    """19: ``watcher`` wants to know when ``target``, a pid or a name, ends."""

    OP: ClassVar[int] = 19
    HAS_PAYLOAD: ClassVar[bool] = False
    watcher: Pid
    target: Pid | Atom
    ref: Reference

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.watcher, self.target, self.ref


@dataclass(frozen=True, slots=True)
class DemonitorP:
    """20: ``watcher`` does not want to know any more."""

    OP: ClassVar[int] = 20
    HAS_PAYLOAD: ClassVar[bool] = False
    watcher: Pid
    target: Pid | Atom
    ref: Reference

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.watcher, self.target, self.ref


@dataclass(frozen=True, slots=True)
class MonitorPExit:
    """21: ``target``, as the monitor named it, ended with ``reason``."""

    OP: ClassVar[int] = 21
    HAS_PAYLOAD: ClassVar[bool] = False
    target: Pid | Atom
    watcher: Pid
    ref: Reference
    reason: Term

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.target, self.watcher, self.ref, self.reason


@dataclass(frozen=True, slots=True)
class SendSender:
    """22 and 23: a message from ``sender`` to ``target``."""

    OP: ClassVar[int] = 22
    OP_TT: ClassVar[int] = 23
    HAS_PAYLOAD: ClassVar[bool] = True
    sender: Pid
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, self.target, self.token
        return self.OP, self.sender, self.target


@dataclass(frozen=True, slots=True)
class PayloadExit:
    """24 and 25: as :class:`Exit`, with the reason as the payload."""

    OP: ClassVar[int] = 24
    OP_TT: ClassVar[int] = 25
    HAS_PAYLOAD: ClassVar[bool] = True
    sender: Pid
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, self.target, self.token
        return self.OP, self.sender, self.target


@dataclass(frozen=True, slots=True)
class PayloadExit2:
    """26 and 27: as :class:`Exit2`, with the reason as the payload."""

    OP: ClassVar[int] = 26
    OP_TT: ClassVar[int] = 27
    HAS_PAYLOAD: ClassVar[bool] = True
    sender: Pid
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, self.target, self.token
        return self.OP, self.sender, self.target


@dataclass(frozen=True, slots=True)
class PayloadMonitorPExit:
    """28: as :class:`MonitorPExit`, with the reason as the payload."""

    OP: ClassVar[int] = 28
    HAS_PAYLOAD: ClassVar[bool] = True
    target: Pid | Atom
    watcher: Pid
    ref: Reference

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.target, self.watcher, self.ref


@dataclass(frozen=True, slots=True)
class SpawnRequest:
    """29 and 30: ``sender`` wants a process to run a function; the payload is the argument list.

    ``leader`` is to be its group leader.  ``options`` is whatever was sent: bad ones are answered, not
    punished.
    """

    OP: ClassVar[int] = 29
    OP_TT: ClassVar[int] = 30
    HAS_PAYLOAD: ClassVar[bool] = True
    ref: Reference
    sender: Pid
    leader: Pid
    module: Atom
    function: Atom
    arity: int
    options: Term
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        mfa = (self.module, self.function, self.arity)
        if self.token is not None:
            return self.OP_TT, self.ref, self.sender, self.leader, mfa, self.options, self.token
        return self.OP, self.ref, self.sender, self.leader, mfa, self.options


@dataclass(frozen=True, slots=True)
class SpawnReply:
    """31 and 32: the answer to ``ref`` of ``target``: the new process, or an atom that says why not.

    ``flags`` are :data:`LINKED` and :data:`MONITORED`.
    """

    OP: ClassVar[int] = 31
    OP_TT: ClassVar[int] = 32
    HAS_PAYLOAD: ClassVar[bool] = False
    ref: Reference
    target: Pid
    flags: int
    result: Pid | Atom
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.ref, self.target, self.flags, self.result, self.token
        return self.OP, self.ref, self.target, self.flags, self.result


@dataclass(frozen=True, slots=True)
class AliasSend:
    """33 and 34: a message from ``sender`` to the process behind ``alias``."""

    OP: ClassVar[int] = 33
    OP_TT: ClassVar[int] = 34
    HAS_PAYLOAD: ClassVar[bool] = True
    sender: Pid
    alias: Reference
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP_TT, self.sender, self.alias, self.token
        return self.OP, self.sender, self.alias


@dataclass(frozen=True, slots=True)
class UnlinkId:
    """35: ``sender`` removes its link to ``target``; number ``id`` (1 to 2**64 - 1) of its unlinkings."""

    OP: ClassVar[int] = 35
    HAS_PAYLOAD: ClassVar[bool] = False
    id: int
    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.id, self.sender, self.target


@dataclass(frozen=True, slots=True)
class UnlinkIdAck:
    """36: ``sender`` has seen unlinking number ``id`` of ``target``."""

    OP: ClassVar[int] = 36
    HAS_PAYLOAD: ClassVar[bool] = False
    id: int
    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return self.OP, self.id, self.sender, self.target


@dataclass(frozen=True, slots=True)
class AltactSigSend:
    """37: a message or an exit signal with something unusual about it, as ``flags`` say.

    ``flags`` are :data:`PRIORITY`, :data:`ALIAS`, :data:`NAME` and :data:`EXIT_SIGNAL`; :data:`TOKEN` shows
    as ``token`` alone.
    """

    OP: ClassVar[int] = 37
    HAS_PAYLOAD: ClassVar[bool] = True
    flags: int
    sender: Pid
    target: Pid | Reference | Atom
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return self.OP, self.flags | TOKEN, self.sender, self.target, self.token
        return self.OP, self.flags, self.sender, self.target


Control: TypeAlias = (
    Link
    | Send
    | Exit
    | Unlink
    | RegSend
    | GroupLeader
    | Exit2
    | MonitorP
    | DemonitorP
    | MonitorPExit
    | SendSender
    | PayloadExit
    | PayloadExit2
    | PayloadMonitorPExit
    | SpawnRequest
    | SpawnReply
    | AliasSend
    | UnlinkId
    | UnlinkIdAck
    | AltactSigSend
)
"""Any control message."""
