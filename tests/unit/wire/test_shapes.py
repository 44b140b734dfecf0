from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.term import Atom, Pid, Reference
from pyerlnode.wire import messages as m
from pyerlnode.wire import shapes
from tests.unit.wire.controls import EXAMPLES, THEM, US, WITH_TOKEN, parts_of

IS_COMPILED = not (shapes.__file__ or "").endswith(".py")
OTHERS = {
    Pid: Pid(Atom("other@host"), 1, 2, 3),
    Reference: Reference(Atom("other@host"), 1, (2,)),
    Atom: Atom("other"),
    int: 1 << 40,
}


def test_messages_differ_by_class_and_by_every_part() -> None:
    everything: list[Any] = EXAMPLES + WITH_TOKEN
    for position, control in enumerate(everything):
        assert control != control.to_term()
        assert control not in everything[position + 1 :]
        for name, value in parts_of(control).items():
            assert control != type(control)(**parts_of(control) | {name: OTHERS.get(type(value), 7)})


def test_equal_messages_have_one_hash() -> None:
    assert {m.SendSender(THEM, US): 1, m.PayloadExit(THEM, US): 2}[m.SendSender(THEM, US)] == 1


def test_what_a_message_shows() -> None:
    control = m.AltactSigSend(m.PRIORITY, THEM, Atom("x"))
    assert repr(control) == f"AltactSigSend(flags=1, sender={THEM!r}, target=Atom('x'), token=None)"


@pytest.mark.parametrize("control", EXAMPLES, ids=lambda control: type(control).__name__)
def test_messages_have_no_other_parts_and_compiled_ones_cannot_be_changed(control: Any) -> None:
    with pytest.raises(AttributeError):
        control.other = 1
    for name, value in parts_of(control).items():
        if IS_COMPILED:
            with pytest.raises(AttributeError):
                setattr(control, name, value)
        else:  # not to do so is mypy's affair
            assert getattr(control, name) is value
