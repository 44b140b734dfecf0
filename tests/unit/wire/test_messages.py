from __future__ import annotations

from typing import Any, get_args

import pytest

from pyerlnode.term import Atom, Pid, Reference, decode, encode
from pyerlnode.wire import messages as m
from tests.unit.wire.controls import EXAMPLES, US, WITH_TOKEN, parts_of


def test_there_is_an_example_of_every_message() -> None:
    assert {type(example) for example in EXAMPLES} == set(get_args(m.Control))


def test_operations_are_told_apart() -> None:
    numbers = {(type(control), control.to_term()[0]) for control in EXAMPLES + WITH_TOKEN}
    altact = {(m.AltactSigSend, 37)}
    assert sorted(op for _, op in numbers - altact) == [1, 2, 3, 4, 6, 7, 8, 12, 13, 16, *range(18, 37)]
    assert altact <= numbers


@pytest.mark.parametrize("control", EXAMPLES + WITH_TOKEN, ids=lambda control: type(control).__name__)
def test_messages_are_values_whose_terms_can_be_encoded(control: Any) -> None:
    assert decode(encode(control.to_term())) == control.to_term()
    again = type(control)(**parts_of(control))
    assert control == again
    assert repr(control) == repr(again)


def test_the_terms_are_those_of_the_specification() -> None:
    a, b = Pid(Atom("a@h"), 1, 0, 9), US
    ref = Reference(Atom("a@h"), 9, (1, 2, 3))
    token = (1, 2, 3)
    assert m.Link(a, b).to_term() == (1, a, b)
    assert m.Send(b).to_term() == (2, "", b)
    assert m.Send(b, token).to_term() == (12, "", b, token)
    assert m.Exit(a, b, "why").to_term() == (3, a, b, "why")
    assert m.Exit(a, b, "why", token).to_term() == (13, a, b, token, "why")
    assert m.Unlink(a, b).to_term() == (4, a, b)
    assert m.RegSend(a, Atom("n")).to_term() == (6, a, "", "n")
    assert m.RegSend(a, Atom("n"), token).to_term() == (16, a, "", "n", token)
    assert m.GroupLeader(a, b).to_term() == (7, a, b)
    assert m.Exit2(a, b, "why").to_term() == (8, a, b, "why")
    assert m.Exit2(a, b, "why", token).to_term() == (18, a, b, token, "why")
    assert m.MonitorP(a, b, ref).to_term() == (19, a, b, ref)
    assert m.DemonitorP(a, Atom("n"), ref).to_term() == (20, a, "n", ref)
    assert m.MonitorPExit(a, b, ref, "why").to_term() == (21, a, b, ref, "why")
    assert m.SendSender(a, b).to_term() == (22, a, b)
    assert m.SendSender(a, b, token).to_term() == (23, a, b, token)
    assert m.PayloadExit(a, b).to_term() == (24, a, b)
    assert m.PayloadExit(a, b, token).to_term() == (25, a, b, token)
    assert m.PayloadExit2(a, b).to_term() == (26, a, b)
    assert m.PayloadExit2(a, b, token).to_term() == (27, a, b, token)
    assert m.PayloadMonitorPExit(Atom("n"), b, ref).to_term() == (28, "n", b, ref)
    request = m.SpawnRequest(ref, a, b, Atom("m"), Atom("f"), 2, [])
    assert request.to_term() == (29, ref, a, b, ("m", "f", 2), [])
    request = m.SpawnRequest(ref, a, b, Atom("m"), Atom("f"), 2, [], token)
    assert request.to_term() == (30, ref, a, b, ("m", "f", 2), [], token)
    assert m.SpawnReply(ref, b, m.LINKED | m.MONITORED, a).to_term() == (31, ref, b, 3, a)
    assert m.SpawnReply(ref, b, 0, Atom("badopt"), token).to_term() == (32, ref, b, 0, "badopt", token)
    assert m.AliasSend(a, ref).to_term() == (33, a, ref)
    assert m.AliasSend(a, ref, token).to_term() == (34, a, ref, token)
    assert m.UnlinkId(7, a, b).to_term() == (35, 7, a, b)
    assert m.UnlinkIdAck(7, a, b).to_term() == (36, 7, a, b)
    assert m.AltactSigSend(m.ALIAS, a, ref).to_term() == (37, 4, a, ref)
    assert m.AltactSigSend(m.ALIAS | m.PRIORITY, a, ref, token).to_term() == (37, 7, a, ref, token)
