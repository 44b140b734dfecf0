from __future__ import annotations

import pytest

from pyerlnode.errors import CookieMismatch, Refused, WrongPeer
from pyerlnode.term import encode_bare
from pyerlnode.testing import OpenGate, WirePair
from pyerlnode.wire.control import Link, SendSender
from pyerlnode.wire.handshake import Status, accept
from tests.support.net import LEFT, RIGHT, local, pid


def test_two_nodes_agree_and_talk() -> None:
    gate = OpenGate("cookie")
    pair = WirePair(local(LEFT, 5), local(RIGHT, 6), gate=gate)
    left, right = pair.shake_hands()
    assert (left.name, left.creation, right.name, right.creation) == (RIGHT, 6, LEFT, 5)
    assert [hello.name for hello in gate.asked] == [LEFT]
    assert gate.admitted == [right]
    assert [mark for mark, _ in pair.transcript] == [">", "<", "<", ">", "<"]
    link = Link(pid(1), pid(2, RIGHT))
    assert pair.send(link) == [(link, None)]
    send = SendSender(pid(2, RIGHT), pid(1))
    ((control, payload),) = pair.answer(send, encode_bare(bytes(200_000)))
    assert control == send
    assert payload is not None
    assert payload.decode() == bytes(200_000)


def test_versions_5_and_dynamic_names() -> None:
    WirePair(local(LEFT), local(RIGHT), version=5).shake_hands()
    left, right = WirePair(local("host", dynamic=True), local(RIGHT)).shake_hands()
    assert right.name == left.local_name == "guest1@host"


def test_what_fails_is_raised() -> None:
    with pytest.raises(CookieMismatch):
        WirePair(local(LEFT), local(RIGHT), gate=OpenGate("another")).shake_hands()
    with pytest.raises(Refused):
        WirePair(local(LEFT), local(RIGHT), gate=OpenGate("cookie", Status.NOK)).shake_hands()
    pair = WirePair(local(LEFT), local(RIGHT))
    pair._left = WirePair(local(LEFT), local("other@h"))._left
    with pytest.raises(WrongPeer):
        pair.shake_hands()


def test_a_conversation_that_cannot_go_on_is_an_error() -> None:
    pair = WirePair(local(LEFT), local(RIGHT))
    pair._left = accept(local(LEFT), 1, OpenGate("cookie"))  # both wait to be dialled
    with pytest.raises(RuntimeError, match="wait for the other"):
        pair.shake_hands()
