"""The control messages of the distribution protocol: one frozen value each.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes".  Most come in two
variants, one of them with a seq_trace token: they are the same message to us (``token``, ``None`` without).
``HAS_PAYLOAD`` tells whether a second term follows the control message: the message itself, an exit
reason or an argument list.

:mod:`pyerlnode.wire.control` reads them; this module is their shapes and how they are written.  What
several of them share is in :mod:`pyerlnode.wire.shapes`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from pyerlnode.term import Atom, Pid, Reference, Term
from pyerlnode.wire.shapes import Carrier, ExitSignal, Message, Monitoring, Relation, Unlinking

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


NOBODY: Final = Atom("")
"""The origin of a signal that no process sends."""


class Link(Relation):
    """1: ``sender`` links itself to ``target``."""

    __slots__ = ()
    OP = 1


class Send(Message):
    """2 and 12: a message to ``target``; who sends it is not told."""

    __slots__ = ("target", "token")
    __match_args__ = ("target", "token")
    HAS_PAYLOAD = True

    def __init__(self, target: Pid, token: Term = None) -> None:
        self.target: Final = target
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 12, UNUSED, self.target, self.token
        return 2, UNUSED, self.target


class Exit(ExitSignal):
    """3 and 13: ``sender`` ended with ``reason`` and breaks its link to ``target``."""

    __slots__ = ()
    OP = 3


class Unlink(Relation):
    """4: ``sender`` removes its link to ``target``; before OTP 23.3, deadly to OTP 26 and later."""

    __slots__ = ()
    OP = 4


class RegSend(Message):
    """6 and 16: a message from ``sender`` to the process registered as ``name``."""

    __slots__ = ("name", "sender", "token")
    __match_args__ = ("sender", "name", "token")
    HAS_PAYLOAD = True

    def __init__(self, sender: Pid, name: Atom, token: Term = None) -> None:
        self.sender: Final = sender
        self.name: Final = name
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 16, self.sender, UNUSED, self.name, self.token
        return 6, self.sender, UNUSED, self.name


class GroupLeader(Message):
    """7: ``leader`` becomes the group leader of ``target``."""

    __slots__ = ("leader", "target")
    __match_args__ = ("leader", "target")

    def __init__(self, leader: Pid, target: Pid) -> None:
        self.leader: Final = leader
        self.target: Final = target

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 7, self.leader, self.target


class Exit2(ExitSignal):
    """8 and 18: ``sender`` sends ``target`` an exit signal with ``reason``, linked or not."""

    __slots__ = ()
    OP = 8


class MonitorP(Monitoring):
    """19: ``watcher`` wants to know when ``target``, a pid or a name, ends."""

    __slots__ = ()
    OP = 19


class DemonitorP(Monitoring):
    """20: ``watcher`` does not want to know any more."""

    __slots__ = ()
    OP = 20


class MonitorPExit(Message):
    """21: ``target``, as the monitor named it, ended with ``reason``.

    ``origin`` stays here: the process that ended, or :data:`NOBODY` where the name was nobody's; None where
    that is not known.
    """

    __slots__ = ("origin", "reason", "ref", "target", "watcher")
    __match_args__ = ("target", "watcher", "ref", "reason")

    def __init__(
        self,
        target: Pid | Atom,
        watcher: Pid,
        ref: Reference,
        reason: Term,
        origin: Pid | Atom | None = None,
    ) -> None:
        self.target: Final = target
        self.watcher: Final = watcher
        self.ref: Final = ref
        self.reason: Final = reason
        self.origin: Final = origin

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 21, self.target, self.watcher, self.ref, self.reason


class SendSender(Carrier):
    """22 and 23: a message from ``sender`` to ``target``."""

    __slots__ = ()
    OP = 22


class PayloadExit(Carrier):
    """24 and 25: as :class:`Exit`, with the reason as the payload."""

    __slots__ = ()
    OP = 24


class PayloadExit2(Carrier):
    """26 and 27: as :class:`Exit2`, with the reason as the payload."""

    __slots__ = ()
    OP = 26


class PayloadMonitorPExit(Message):
    """28: as :class:`MonitorPExit`, with the reason as the payload."""

    __slots__ = ("origin", "ref", "target", "watcher")
    __match_args__ = ("target", "watcher", "ref")
    HAS_PAYLOAD = True

    def __init__(
        self, target: Pid | Atom, watcher: Pid, ref: Reference, origin: Pid | Atom | None = None
    ) -> None:
        self.target: Final = target
        self.watcher: Final = watcher
        self.ref: Final = ref
        self.origin: Final = origin

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        return 28, self.target, self.watcher, self.ref


class SpawnRequest(Message):
    """29 and 30: ``sender`` wants a process to run a function; the payload is the argument list.

    ``leader`` is to be its group leader.  ``options`` is whatever was sent: bad ones are answered, not
    punished.
    """

    __slots__ = ("arity", "function", "leader", "module", "options", "ref", "sender", "token")
    __match_args__ = ("ref", "sender", "leader", "module", "function", "arity", "options", "token")
    HAS_PAYLOAD = True

    def __init__(
        self,
        ref: Reference,
        sender: Pid,
        leader: Pid,
        module: Atom,
        function: Atom,
        arity: int,
        options: Term,
        token: Term = None,
    ) -> None:
        self.ref: Final = ref
        self.sender: Final = sender
        self.leader: Final = leader
        self.module: Final = module
        self.function: Final = function
        self.arity: Final = arity
        self.options: Final = options
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        mfa = (self.module, self.function, self.arity)
        if self.token is not None:
            return 30, self.ref, self.sender, self.leader, mfa, self.options, self.token
        return 29, self.ref, self.sender, self.leader, mfa, self.options


class SpawnReply(Message):
    """31 and 32: the answer to ``ref`` of ``target``: the new process, or an atom that says why not.

    ``flags`` are :data:`LINKED` and :data:`MONITORED`.
    """

    __slots__ = ("flags", "ref", "result", "target", "token")
    __match_args__ = ("ref", "target", "flags", "result", "token")

    def __init__(
        self,
        ref: Reference,
        target: Pid,
        flags: int,
        result: Pid | Atom,
        token: Term = None,
    ) -> None:
        self.ref: Final = ref
        self.target: Final = target
        self.flags: Final = flags
        self.result: Final = result
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 32, self.ref, self.target, self.flags, self.result, self.token
        return 31, self.ref, self.target, self.flags, self.result


class AliasSend(Message):
    """33 and 34: a message from ``sender`` to the process behind ``alias``."""

    __slots__ = ("alias", "sender", "token")
    __match_args__ = ("sender", "alias", "token")
    HAS_PAYLOAD = True

    def __init__(self, sender: Pid, alias: Reference, token: Term = None) -> None:
        self.sender: Final = sender
        self.alias: Final = alias
        self.token: Final = token

    def to_term(self) -> tuple[Term, ...]:
        """The control message as a term."""
        if self.token is not None:
            return 34, self.sender, self.alias, self.token
        return 33, self.sender, self.alias


class UnlinkId(Unlinking):
    """35: ``sender`` removes its link to ``target``; number ``id`` (1 to 2**64 - 1) of its unlinkings."""

    __slots__ = ()
    OP = 35


class UnlinkIdAck(Unlinking):
    """36: ``sender`` has seen unlinking number ``id`` of ``target``."""

    __slots__ = ()
    OP = 36


class AltactSigSend(Message):
    """37: a message or an exit signal with something unusual about it, as ``flags`` say.

    ``flags`` are :data:`PRIORITY`, :data:`ALIAS`, :data:`NAME` and :data:`EXIT_SIGNAL`; :data:`TOKEN` shows
    as ``token`` alone.
    """

    __slots__ = ("flags", "sender", "target", "token")
    __match_args__ = ("flags", "sender", "target", "token")
    HAS_PAYLOAD = True

    def __init__(self, flags: int, sender: Pid, target: Pid | Reference | Atom, token: Term = None) -> None:
        self.flags: Final = flags
        self.sender: Final = sender
        self.target: Final = target
        self.token: Final = token

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
