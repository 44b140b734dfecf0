"""The control messages of the distribution protocol: one frozen value each.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes".  Most come in two
variants, one of them with a seq_trace token: they are the same message to us (``token``, ``None`` without).
``HAS_PAYLOAD`` tells whether a second term follows the control message: the message itself, an exit
reason or an argument list.  (It is inherited: mypyc takes every annotation in a dataclass for a field.)

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


class _Alone:
    """A message that is complete in itself."""

    __slots__ = ()
    HAS_PAYLOAD: ClassVar[bool] = False


class _WithPayload:
    """A message that a second term belongs to."""

    __slots__ = ()
    HAS_PAYLOAD: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Link(_Alone):
    """1: ``sender`` links itself to ``target``."""

    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 1, self.sender, self.target


@dataclass(frozen=True, slots=True)
class Send(_WithPayload):
    """2 and 12: a message to ``target``; who sends it is not told."""

    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 12, UNUSED, self.target, self.token
        return 2, UNUSED, self.target


@dataclass(frozen=True, slots=True)
class Exit(_Alone):
    """3 and 13: ``sender`` ended with ``reason`` and breaks its link to ``target``."""

    sender: Pid
    target: Pid
    reason: Term
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 13, self.sender, self.target, self.token, self.reason
        return 3, self.sender, self.target, self.reason


@dataclass(frozen=True, slots=True)
class Unlink(_Alone):
    """4: ``sender`` removes its link to ``target``; before OTP 23.3, deadly to OTP 26 and later."""

    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 4, self.sender, self.target


@dataclass(frozen=True, slots=True)
class RegSend(_WithPayload):
    """6 and 16: a message from ``sender`` to the process registered as ``name``."""

    sender: Pid
    name: Atom
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 16, self.sender, UNUSED, self.name, self.token
        return 6, self.sender, UNUSED, self.name


@dataclass(frozen=True, slots=True)
class GroupLeader(_Alone):
    """7: ``leader`` becomes the group leader of ``target``."""

    leader: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 7, self.leader, self.target


@dataclass(frozen=True, slots=True)
class Exit2(_Alone):
    """8 and 18: ``sender`` sends ``target`` an exit signal with ``reason``, linked or not."""

    sender: Pid
    target: Pid
    reason: Term
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 18, self.sender, self.target, self.token, self.reason
        return 8, self.sender, self.target, self.reason


@dataclass(frozen=True, slots=True)
class MonitorP(_Alone):
    """19: ``watcher`` wants to know when ``target``, a pid or a name, ends."""

    watcher: Pid
    target: Pid | Atom
    ref: Reference

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 19, self.watcher, self.target, self.ref


@dataclass(frozen=True, slots=True)
class DemonitorP(_Alone):
    """20: ``watcher`` does not want to know any more."""

    watcher: Pid
    target: Pid | Atom
    ref: Reference

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 20, self.watcher, self.target, self.ref


@dataclass(frozen=True, slots=True)
class MonitorPExit(_Alone):
    """21: ``target``, as the monitor named it, ended with ``reason``."""

    target: Pid | Atom
    watcher: Pid
    ref: Reference
    reason: Term

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 21, self.target, self.watcher, self.ref, self.reason


@dataclass(frozen=True, slots=True)
class SendSender(_WithPayload):
    """22 and 23: a message from ``sender`` to ``target``."""

    sender: Pid
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 23, self.sender, self.target, self.token
        return 22, self.sender, self.target


@dataclass(frozen=True, slots=True)
class PayloadExit(_WithPayload):
    """24 and 25: as :class:`Exit`, with the reason as the payload."""

    sender: Pid
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 25, self.sender, self.target, self.token
        return 24, self.sender, self.target


@dataclass(frozen=True, slots=True)
class PayloadExit2(_WithPayload):
    """26 and 27: as :class:`Exit2`, with the reason as the payload."""

    sender: Pid
    target: Pid
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 27, self.sender, self.target, self.token
        return 26, self.sender, self.target


@dataclass(frozen=True, slots=True)
class PayloadMonitorPExit(_WithPayload):
    """28: as :class:`MonitorPExit`, with the reason as the payload."""

    target: Pid | Atom
    watcher: Pid
    ref: Reference

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 28, self.target, self.watcher, self.ref


@dataclass(frozen=True, slots=True)
class SpawnRequest(_WithPayload):
    """29 and 30: ``sender`` wants a process to run a function; the payload is the argument list.

    ``leader`` is to be its group leader.  ``options`` is whatever was sent: bad ones are answered, not
    punished.
    """

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
            return 30, self.ref, self.sender, self.leader, mfa, self.options, self.token
        return 29, self.ref, self.sender, self.leader, mfa, self.options


@dataclass(frozen=True, slots=True)
class SpawnReply(_Alone):
    """31 and 32: the answer to ``ref`` of ``target``: the new process, or an atom that says why not.

    ``flags`` are :data:`LINKED` and :data:`MONITORED`.
    """

    ref: Reference
    target: Pid
    flags: int
    result: Pid | Atom
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 32, self.ref, self.target, self.flags, self.result, self.token
        return 31, self.ref, self.target, self.flags, self.result


@dataclass(frozen=True, slots=True)
class AliasSend(_WithPayload):
    """33 and 34: a message from ``sender`` to the process behind ``alias``."""

    sender: Pid
    alias: Reference
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 34, self.sender, self.alias, self.token
        return 33, self.sender, self.alias


@dataclass(frozen=True, slots=True)
class UnlinkId(_Alone):
    """35: ``sender`` removes its link to ``target``; number ``id`` (1 to 2**64 - 1) of its unlinkings."""

    id: int
    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 35, self.id, self.sender, self.target


@dataclass(frozen=True, slots=True)
class UnlinkIdAck(_Alone):
    """36: ``sender`` has seen unlinking number ``id`` of ``target``."""

    id: int
    sender: Pid
    target: Pid

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 36, self.id, self.sender, self.target


@dataclass(frozen=True, slots=True)
class AltactSigSend(_WithPayload):
    """37: a message or an exit signal with something unusual about it, as ``flags`` say.

    ``flags`` are :data:`PRIORITY`, :data:`ALIAS`, :data:`NAME` and :data:`EXIT_SIGNAL`; :data:`TOKEN` shows
    as ``token`` alone.
    """

    flags: int
    sender: Pid
    target: Pid | Reference | Atom
    token: Term = None

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 37, self.flags | TOKEN, self.sender, self.target, self.token
        return 37, self.flags, self.sender, self.target


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
