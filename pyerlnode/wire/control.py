"""Reading control messages: from a decoded term to one of the values of :mod:`pyerlnode.wire.messages`.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes".  The operation number
picks arity, reader and class from a table; the reader checks the type of every part, since nobody
behind it does.  What does not fit ends the connection, as it does between BEAMs.

Registered names may be ``true``, ``false`` or ``nil``: they come decoded as Python's constants and are
turned back into atoms here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Atom, Pid, Reference, Term, brief
from pyerlnode.term.atom import as_atom
from pyerlnode.wire import messages
from pyerlnode.wire.messages import (
    AliasSend,
    AltactSigSend,
    Control,
    DemonitorP,
    Exit,
    Exit2,
    GroupLeader,
    Link,
    MonitorP,
    MonitorPExit,
    PayloadExit,
    PayloadExit2,
    PayloadMonitorPExit,
    RegSend,
    Send,
    SendSender,
    SpawnReply,
    SpawnRequest,
    Unlink,
    UnlinkId,
    UnlinkIdAck,
)

__all__ = [
    "AliasSend",
    "AltactSigSend",
    "Control",
    "DemonitorP",
    "Exit",
    "Exit2",
    "GroupLeader",
    "Link",
    "MonitorP",
    "MonitorPExit",
    "PayloadExit",
    "PayloadExit2",
    "PayloadMonitorPExit",
    "RegSend",
    "Send",
    "SendSender",
    "SpawnReply",
    "SpawnRequest",
    "Unlink",
    "UnlinkId",
    "UnlinkIdAck",
    "parse_control",
]

_Term: TypeAlias = tuple[Any, ...]
_Reader: TypeAlias = Callable[[Any, _Term], Control | None]

_ALTACT_FLAGS = messages.PRIORITY | messages.ALIAS | messages.NAME | messages.EXIT_SIGNAL
_MAX_UNLINK_ID = (1 << 64) - 1
_MAX_FLAGS = (1 << 27) - 1


def parse_control(term: Term) -> Control:
    """Read one control message.

    Raises :class:`RemoteProtocolError` for anything that is none.
    """
    if type(term) is tuple and term and type(term[0]) is int:
        row = _TABLE.get(term[0])
        if row is not None:
            arity, reader, make = row
            if arity == len(term) or arity == _ANY:
                control = reader(make, term)
                if control is not None:
                    return control
    raise RemoteProtocolError(f"unknown or malformed control message {brief(term)}")


def _pids(make: Any, term: _Term) -> Control | None:
    """{Op, Pid, Pid}, and a token in some."""
    if type(term[1]) is Pid and type(term[2]) is Pid:
        control: Control = make(*term[1:])
        return control
    return None


def _send(make: Any, term: _Term) -> Control | None:
    """{Op, '', To}, and a token in 12."""
    if type(term[2]) is Pid:
        return Send(*term[2:])
    return None


def _exit(make: Any, term: _Term) -> Control | None:
    """{Op, From, To, Reason}, and a token before the reason in 13 and 18."""
    if type(term[1]) is Pid and type(term[2]) is Pid:
        token = term[3] if len(term) > 4 else None
        control: Control = make(term[1], term[2], term[-1], token)
        return control
    return None


def _reg_send(make: Any, term: _Term) -> Control | None:
    """{Op, From, '', Name}, and a token in 16."""
    name = as_atom(term[3])
    if type(term[1]) is Pid and name is not None:
        return RegSend(term[1], name, *term[4:])
    return None


def _monitor(make: Any, term: _Term) -> Control | None:
    """{Op, Watcher, PidOrName, Ref}."""
    target = _pid_or_name(term[2])
    if type(term[1]) is Pid and target is not None and type(term[3]) is Reference:
        control: Control = make(term[1], target, term[3])
        return control
    return None


def _monitor_exit(make: Any, term: _Term) -> Control | None:
    """{Op, PidOrName, Watcher, Ref}, and the reason in 21."""
    target = _pid_or_name(term[1])
    if target is not None and type(term[2]) is Pid and type(term[3]) is Reference:
        control: Control = make(target, *term[2:])
        return control
    return None


def _spawn_request(make: Any, term: _Term) -> Control | None:
    """{Op, Ref, From, Leader, {Module, Function, Arity}, Options}, and a token in 30."""
    _, ref, sender, leader, mfa, *rest = term
    if type(ref) is not Reference or type(sender) is not Pid or type(leader) is not Pid:
        return None
    if type(mfa) is not tuple or len(mfa) != 3:
        return None
    module, function, arity = as_atom(mfa[0]), as_atom(mfa[1]), mfa[2]
    if module is None or function is None or type(arity) is not int or arity < 0:
        return None
    return SpawnRequest(ref, sender, leader, module, function, arity, *rest)


def _spawn_reply(make: Any, term: _Term) -> Control | None:
    """{Op, Ref, To, Flags, PidOrAtom}, and a token in 32."""
    _, ref, target, flags, result, *token = term
    result = _pid_or_name(result)
    if type(ref) is not Reference or type(target) is not Pid or result is None:
        return None
    if type(flags) is not int or not 0 <= flags <= _MAX_FLAGS:
        return None
    return SpawnReply(ref, target, flags, result, *token)


def _alias_send(make: Any, term: _Term) -> Control | None:
    """{Op, From, Alias}, and a token in 34."""
    if type(term[1]) is Pid and type(term[2]) is Reference:
        return AliasSend(*term[1:])
    return None


def _unlink(make: Any, term: _Term) -> Control | None:
    """{Op, Id, From, To}."""
    number = term[1]
    if type(number) is not int or not 0 < number <= _MAX_UNLINK_ID:
        return None
    if type(term[2]) is Pid and type(term[3]) is Pid:
        control: Control = make(number, term[2], term[3])
        return control
    return None


def _altact(make: Any, term: _Term) -> Control | None:
    """{37, Flags, From, To}, a token when the flags say so; flags and elements unknown to us are let be."""
    if len(term) < 4 or type(term[1]) is not int or term[1] < 0 or type(term[2]) is not Pid:
        return None
    flags = term[1]
    has_token = bool(flags & messages.TOKEN)
    target = _altact_target(flags, term[3])
    if target is None or len(term) < 4 + has_token:
        return None
    return AltactSigSend(flags & _ALTACT_FLAGS, term[2], target, term[4] if has_token else None)


def _altact_target(flags: int, target: Term) -> Pid | Reference | Atom | None:
    """The target of 37 when it is of the type that its flags announce."""
    match flags & (messages.ALIAS | messages.NAME):
        case messages.ALIAS:
            return target if type(target) is Reference else None
        case messages.NAME:
            return as_atom(target)
        case 0:
            return target if type(target) is Pid else None
    return None


def _pid_or_name(value: Term) -> Pid | Atom | None:
    return value if type(value) is Pid else as_atom(value)


_ANY = 0  # any number of elements: the reader looks itself

_TABLE: dict[int, tuple[int, _Reader, Any]] = {
    1: (3, _pids, Link),
    2: (3, _send, Send),
    3: (4, _exit, Exit),
    4: (3, _pids, Unlink),
    6: (4, _reg_send, RegSend),
    7: (3, _pids, GroupLeader),
    8: (4, _exit, Exit2),
    12: (4, _send, Send),
    13: (5, _exit, Exit),
    16: (5, _reg_send, RegSend),
    18: (5, _exit, Exit2),
    19: (4, _monitor, MonitorP),
    20: (4, _monitor, DemonitorP),
    21: (5, _monitor_exit, MonitorPExit),
    22: (3, _pids, SendSender),
    23: (4, _pids, SendSender),
    24: (3, _pids, PayloadExit),
    25: (4, _pids, PayloadExit),
    26: (3, _pids, PayloadExit2),
    27: (4, _pids, PayloadExit2),
    28: (4, _monitor_exit, PayloadMonitorPExit),
    29: (6, _spawn_request, SpawnRequest),
    30: (7, _spawn_request, SpawnRequest),
    31: (5, _spawn_reply, SpawnReply),
    32: (6, _spawn_reply, SpawnReply),
    33: (3, _alias_send, AliasSend),
    34: (4, _alias_send, AliasSend),
    35: (4, _unlink, UnlinkId),
    36: (4, _unlink, UnlinkIdAck),
    37: (_ANY, _altact, AltactSigSend),
}
"""Operation: elements of its tuple, reader, class."""
