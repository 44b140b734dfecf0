from __future__ import annotations

from dataclasses import replace

import pytest

from pyerlnode.errors import EncodeError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, Pid, encode_bare
from pyerlnode.wire import messages as m
from pyerlnode.wire import shorthand
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import HIDDEN
from pyerlnode.wire.framing import Framer
from pyerlnode.wire.payload import encode_payload
from pyerlnode.wire.shorthand import write_control
from tests.unit.wire.controls import LONG_REF, NAME, REF, THEM, US

IS_COMPILED = not (shorthand.__file__ or "").endswith(".py")
HELLO = encode_bare(Atom("hello"))


def frames(packets: list[bytes]) -> list[bytes]:
    return Framer(1 << 30).receive(b"".join(packets))


SHORTHAND: list[m.Control] = [
    m.SendSender(THEM, US),
    m.RegSend(THEM, NAME),
    m.RegSend(THEM, m.UNUSED),
    m.AliasSend(THEM, REF),
    m.AliasSend(THEM, LONG_REF),
    m.AltactSigSend(m.ALIAS, THEM, REF),
    m.AltactSigSend(m.ALIAS | m.EXIT_SIGNAL | m.PRIORITY, THEM, LONG_REF),
]


@pytest.mark.parametrize("control", SHORTHAND, ids=lambda control: type(control).__name__)
@pytest.mark.parametrize("known", [(), ("beam@host",), ("other", "py@host", ""), ("some_name", "py@host")])
def test_what_is_made_by_hand_is_what_the_long_way_makes(control: m.Control, known: tuple[str, ...]) -> None:
    payload = encode_payload([Atom(name) for name in known] or [1, 2])
    refs, term = write_control(control, payload, Limits())
    table = dict(payload.table)
    encode_bare(control.to_term(), atoms=table)
    assert set(refs) == set(table)
    assert len(refs) == len(table)
    assert term == encode_bare(control.to_term(), atoms={atom: place for place, atom in enumerate(refs)})


@pytest.mark.parametrize("count", [250, 251, 252, 253, 254, 255, 256, 1000])
@pytest.mark.parametrize("control", SHORTHAND, ids=lambda control: type(control).__name__)
def test_atoms_that_do_not_fit_the_header_are_written_in_full(control: m.Control, count: int) -> None:
    term = [Atom(f"atom{number}") for number in range(count)]
    sender, receiver = Channel(HIDDEN), Channel(HIDDEN)
    for _ in range(2):
        [frame] = frames(sender.encode(control, encode_payload(term)))
        assert frame[2] == min(count + len(write_control(control, encode_payload([]), Limits())[0]), 255)
        message = receiver.receive(frame)
        assert message is not None
        assert message[0] == control
        assert message[1] is not None
        assert message[1].decode() == term


@pytest.mark.parametrize(
    "control",
    [
        m.SendSender(replace(THEM, id=1 << 32), US),
        m.RegSend(replace(THEM, serial=-1), NAME),
        m.AliasSend(THEM, replace(REF, words=())),
        m.AliasSend(THEM, replace(REF, words=(1,) * 6)),
        m.AltactSigSend(m.ALIAS, THEM, replace(REF, words=(1 << 32,))),
        m.MonitorP(THEM, US, replace(REF, creation=-1)),
    ],
    ids=repr,
)
def test_numbers_without_their_place_are_refused(control: m.Control) -> None:
    with pytest.raises(EncodeError):
        Channel(HIDDEN).encode(control, HELLO if control.HAS_PAYLOAD else None)


@pytest.mark.skipif(IS_COMPILED, reason="compiled, an identifier refuses plain text itself")
def test_node_names_may_be_plain_text() -> None:
    sender, receiver = Channel(HIDDEN), Channel(HIDDEN)
    plain = Pid("py@host", 9, 1, 77)  # type: ignore[arg-type]
    for control in (m.SendSender(plain, THEM), m.RegSend(plain, NAME), m.AliasSend(plain, REF)):
        [frame] = frames(sender.encode(control, HELLO))
        message = receiver.receive(frame)
        assert message is not None
        assert message[0] == control
        assert type(message[0].sender.node) is Atom
