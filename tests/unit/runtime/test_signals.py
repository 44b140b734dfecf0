"""What a peer cannot take in the newest form, it gets in the older one."""

from __future__ import annotations

import pytest

from pyerlnode.runtime.signals import adapt
from pyerlnode.term import Atom, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.messages import ALIAS, EXIT_SIGNAL, PRIORITY
from pyerlnode.wire.payload import Payload, encode_payload
from tests.support.net import LEFT, RIGHT, pid
from tests.support.net import ref as reference

a, b, ref = pid(1, LEFT), pid(2, RIGHT), reference(3)
LARGE = encode_bare(b"x" * 70_000)
REASON = encode_bare((Atom("shutdown"), 1))


@pytest.mark.parametrize(
    ("lacking", "control", "payload", "adapted"),
    [
        (Flags.SEND_SENDER, c.SendSender(a, b), b"x", (c.Send(b), b"x")),
        (Flags.UNLINK_ID, c.UnlinkId(1, a, b), None, (c.Unlink(a, b), None)),
        (Flags.UNLINK_ID, c.UnlinkIdAck(1, a, b), None, None),
        (Flags.EXIT_PAYLOAD, c.PayloadExit(a, b), REASON, (c.Exit(a, b, ("shutdown", 1)), None)),
        (
            Flags.EXIT_PAYLOAD,
            c.PayloadExit(a, b),
            encode_payload((Atom("shutdown"), 1)),
            (c.Exit(a, b, ("shutdown", 1)), None),
        ),
        (Flags.EXIT_PAYLOAD, c.PayloadExit2(a, b), REASON, (c.Exit2(a, b, ("shutdown", 1)), None)),
        (
            Flags.EXIT_PAYLOAD,
            c.PayloadMonitorPExit(a, b, ref),
            REASON,
            (c.MonitorPExit(a, b, ref, ("shutdown", 1)), None),
        ),
        (Flags.ALTACT_SIG, c.AliasSend(a, ref), b"x", (c.AliasSend(a, ref), b"x")),
        (Flags.ALTACT_SIG | Flags.ALIAS, c.AliasSend(a, ref), b"x", None),
        (Flags.ALTACT_SIG, c.AltactSigSend(PRIORITY | ALIAS, a, ref), b"x", (c.AliasSend(a, ref), b"x")),
        (Flags.ALTACT_SIG | Flags.ALIAS, c.AltactSigSend(PRIORITY | ALIAS, a, ref), b"x", None),
        (Flags.ALTACT_SIG, c.AltactSigSend(PRIORITY | ALIAS | EXIT_SIGNAL, a, ref), REASON, None),
        (
            Flags.NATIVE_RECORDS,
            c.AltactSigSend(PRIORITY | ALIAS, a, ref),
            LARGE,
            (c.AltactSigSend(ALIAS, a, ref), LARGE),
        ),
    ],
)
def test_older_peers_get_older_forms(
    lacking: Flags, control: c.Control, payload: Payload | bytes | None, adapted: object
) -> None:
    assert adapt(VISIBLE & ~lacking, control, payload) == adapted
    assert adapt(int(VISIBLE & ~lacking), control, payload) == adapted


@pytest.mark.parametrize(
    "control",
    [
        c.SendSender(a, b),
        c.UnlinkId(1, a, b),
        c.UnlinkIdAck(1, a, b),
        c.PayloadExit(a, b),
        c.PayloadExit2(a, b),
        c.PayloadMonitorPExit(a, b, ref),
        c.RegSend(a, Atom("x")),
    ],
)
def test_newer_ones_get_them_as_they_are(control: c.Control) -> None:
    assert adapt(VISIBLE, control, REASON) == (control, REASON)


def test_the_newest_get_alias_sends_as_alternate_action_signals() -> None:
    assert adapt(VISIBLE, c.AliasSend(a, ref), b"x") == (c.AltactSigSend(4, a, ref), b"x")


def test_an_empty_reason_is_an_empty_list() -> None:
    assert adapt(Flags(0), c.PayloadExit(a, b), None) == (c.Exit(a, b, []), None)


def test_whose_end_it_was_is_not_forgotten() -> None:
    control = c.PayloadMonitorPExit(Atom("name"), b, ref, a)
    adapted = adapt(VISIBLE & ~Flags.EXIT_PAYLOAD, control, REASON)
    assert adapted is not None
    assert isinstance(adapted[0], c.MonitorPExit)
    assert adapted[0].origin == a
