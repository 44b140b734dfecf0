"""One of each control message, and with a token where they can have one."""

from __future__ import annotations

from typing import Any

from pyerlnode.term import Atom, Pid, Reference
from pyerlnode.wire import messages as m

US = Pid(Atom("py@host"), 9, 1, 77)
THEM = Pid(Atom("beam@host"), 100, 0, 5)
REF = Reference(Atom("beam@host"), 5, (1, 2, 3))
LONG_REF = Reference(Atom("py@host"), 77, (1, 2, 3, 4, 5))
NAME = Atom("some_name")
TOKEN = (0, Atom("label"), 3, THEM, 2)

EXAMPLES: list[m.Control] = [
    m.Link(THEM, US),
    m.Send(US),
    m.Exit(THEM, US, Atom("bye")),
    m.Unlink(THEM, US),
    m.RegSend(THEM, NAME),
    m.GroupLeader(THEM, US),
    m.Exit2(THEM, US, (Atom("because"), [1, 2.5, b"x"])),
    m.MonitorP(THEM, US, REF),
    m.MonitorP(THEM, NAME, REF),
    m.DemonitorP(THEM, US, REF),
    m.DemonitorP(THEM, NAME, REF),
    m.MonitorPExit(THEM, US, REF, None),
    m.MonitorPExit(NAME, US, REF, Atom("noproc")),
    m.SendSender(THEM, US),
    m.PayloadExit(THEM, US),
    m.PayloadExit2(THEM, US),
    m.PayloadMonitorPExit(THEM, US, REF),
    m.PayloadMonitorPExit(NAME, US, REF),
    m.SpawnRequest(REF, THEM, THEM, Atom("m"), Atom("f"), 2, [Atom("link")]),
    m.SpawnReply(REF, US, m.LINKED, THEM),
    m.SpawnReply(REF, US, 0, Atom("badopt")),
    m.AliasSend(THEM, REF),
    m.UnlinkId(1, THEM, US),
    m.UnlinkId((1 << 64) - 1, THEM, US),
    m.UnlinkIdAck(1, THEM, US),
    m.AltactSigSend(0, THEM, US),
    m.AltactSigSend(m.PRIORITY, THEM, US),
    m.AltactSigSend(m.ALIAS, THEM, LONG_REF),
    m.AltactSigSend(m.NAME | m.PRIORITY, THEM, NAME),
    m.AltactSigSend(m.ALIAS | m.EXIT_SIGNAL, THEM, LONG_REF),
]


def parts_of(control: m.Control) -> dict[str, Any]:
    """The attributes of a message, in the order in which its constructor takes them."""
    return {name: getattr(control, name) for name in control.__match_args__}


WITH_TOKEN: list[m.Control] = [
    type(control)(**parts_of(control) | {"token": TOKEN}) for control in EXAMPLES if hasattr(control, "token")
]
