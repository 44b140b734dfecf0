"""The signals between processes, in the one form that this node uses inside.

Inside, a signal is a control message of the distribution protocol in its newest form, whether it comes
from a local process or from a peer: ``SendSender``, ``PayloadExit``, ``UnlinkId``, ``AliasSend`` and so
on.  What a peer cannot take in that form is rewritten by :func:`adapt` on its way out, by the flags
that the handshake negotiated (ERTS distribution protocol, "Protocol between Connected Nodes").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from pyerlnode.term import decode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.fragments import FRAGMENT_SIZE
from pyerlnode.wire.messages import ALIAS, EXIT_SIGNAL, PRIORITY
from pyerlnode.wire.payload import Payload

if TYPE_CHECKING:
    from pyerlnode.term import Pid, Reference, Term
    from pyerlnode.wire.control import Control

_Encoded: TypeAlias = "Payload | bytes | None"

_NEVER: Final = 1 << 64
"""A flag that no peer has."""
_ALIAS: Final = Flags.ALIAS.value
_ALTACT_SIG: Final = Flags.ALTACT_SIG.value
_NATIVE_RECORDS: Final = Flags.NATIVE_RECORDS.value

_NEEDS: Final[dict[type, int]] = {
    c.SendSender: Flags.SEND_SENDER.value,
    c.AliasSend: _NEVER,
    c.AltactSigSend: _ALTACT_SIG | _NATIVE_RECORDS,
    c.UnlinkId: Flags.UNLINK_ID.value,
    c.UnlinkIdAck: Flags.UNLINK_ID.value,
    c.PayloadExit: Flags.EXIT_PAYLOAD.value,
    c.PayloadExit2: Flags.EXIT_PAYLOAD.value,
    c.PayloadMonitorPExit: Flags.EXIT_PAYLOAD.value,
}
"""The flags of a peer that takes a signal as it is; any peer takes one that is not here."""


def adapt(flags: int, control: Control, payload: _Encoded) -> tuple[Control, _Encoded] | None:
    """`control` as a peer with `flags` understands it; None where it has no way to."""
    needed = _NEEDS.get(type(control), 0)
    if flags & needed == needed:
        return control, payload
    return _rewrite(flags, control, payload)


def _rewrite(flags: int, control: Control, payload: _Encoded) -> tuple[Control, _Encoded] | None:
    """`control` for a peer that may not take it as it is."""
    match control:
        case c.SendSender(_, target):
            return c.Send(target), payload
        case c.AliasSend(sender, alias):
            return _alias_send(flags, sender, alias, payload)
        case c.AltactSigSend(kind, sender, target):
            return _altact(flags, kind, sender, target, payload)
        case c.UnlinkId(_, sender, target):
            return c.Unlink(sender, target), None
        case c.PayloadExit(sender, target):
            return c.Exit(sender, target, _reason(payload)), None
        case c.PayloadExit2(sender, target):
            return c.Exit2(sender, target, _reason(payload)), None
        case c.PayloadMonitorPExit(target, watcher, ref):
            return c.MonitorPExit(target, watcher, ref, _reason(payload), control.origin), None
    return None  # UnlinkIdAck: who sends no UNLINK_ID waits for no answer


def _alias_send(
    flags: int, sender: Pid, alias: Reference, payload: _Encoded
) -> tuple[Control, _Encoded] | None:
    if flags & _ALTACT_SIG:
        return c.AltactSigSend(ALIAS, sender, alias), payload
    if flags & _ALIAS:
        return c.AliasSend(sender, alias), payload
    return None


def _altact(
    flags: int, kind: int, sender: Pid, target: Term, payload: _Encoded
) -> tuple[Control, _Encoded] | None:
    """A priority message; the BEAM of OTP 28 (erts 16.4) crashes on one that comes in fragments."""
    if not flags & _ALTACT_SIG:
        return None if kind & EXIT_SIGNAL else _alias_send(flags, sender, target, payload)
    if kind & PRIORITY and not kind & EXIT_SIGNAL and payload and len(payload) > FRAGMENT_SIZE:
        kind = ALIAS
    return c.AltactSigSend(kind, sender, target), payload


def _reason(payload: _Encoded) -> Term:
    if isinstance(payload, Payload):
        return payload.raw().decode()
    return decode_bare(payload or b"\x6a")[0]
