"""The signals between processes, in the one form that this node uses inside.

Inside, a signal is a control message of the distribution protocol in its newest form, whether it comes
from a local process or from a peer: ``SendSender``, ``PayloadExit``, ``UnlinkId``, ``AliasSend`` and so
on.  What a peer cannot take in that form is rewritten by :func:`adapt` on its way out, by the flags
that the handshake negotiated (ERTS distribution protocol, "Protocol between Connected Nodes").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.term import decode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.fragments import FRAGMENT_SIZE
from pyerlnode.wire.messages import ALIAS, EXIT_SIGNAL, PRIORITY

if TYPE_CHECKING:
    from pyerlnode.term import Term
    from pyerlnode.wire.control import Control


def adapt(flags: Flags, control: Control, payload: bytes | None) -> tuple[Control, bytes | None] | None:
    """`control` as a peer with `flags` understands it; None where it has no way to."""
    match control:
        case c.SendSender(_, target) if not flags & Flags.SEND_SENDER:
            return c.Send(target), payload
        case c.AliasSend(sender, alias):
            return _alias_send(flags, sender, alias, payload)
        case c.AltactSigSend(kind, sender, alias) if not flags & Flags.ALTACT_SIG:
            return None if kind & EXIT_SIGNAL else _alias_send(flags, sender, alias, payload)
        case c.AltactSigSend(kind, sender, alias) if _kills_otp_28(flags, kind, payload):
            return c.AltactSigSend(ALIAS, sender, alias), payload
        case c.UnlinkId(_, sender, target) if not flags & Flags.UNLINK_ID:
            return c.Unlink(sender, target), None
        case c.UnlinkIdAck() if not flags & Flags.UNLINK_ID:
            return None
        case c.PayloadExit(sender, target) if not flags & Flags.EXIT_PAYLOAD:
            return c.Exit(sender, target, _reason(payload)), None
        case c.PayloadExit2(sender, target) if not flags & Flags.EXIT_PAYLOAD:
            return c.Exit2(sender, target, _reason(payload)), None
        case c.PayloadMonitorPExit(target, watcher, ref) if not flags & Flags.EXIT_PAYLOAD:
            return c.MonitorPExit(target, watcher, ref, _reason(payload)), None
    return control, payload


def _alias_send(
    flags: Flags, sender: Term, alias: Term, payload: bytes | None
) -> tuple[Control, bytes | None] | None:
    if flags & Flags.ALTACT_SIG:
        return c.AltactSigSend(ALIAS, sender, alias), payload
    if flags & Flags.ALIAS:
        return c.AliasSend(sender, alias), payload
    return None


def _kills_otp_28(flags: Flags, kind: int, payload: bytes | None) -> bool:
    """Whether this is a priority message that comes in fragments: the BEAM of OTP 28 (erts 16.4) crashes."""
    is_message = kind & PRIORITY and not kind & EXIT_SIGNAL
    return bool(is_message and payload and len(payload) > FRAGMENT_SIZE and not flags & Flags.NATIVE_RECORDS)


def _reason(payload: bytes | None) -> Term:
    return decode_bare(payload or b"\x6a")[0]
