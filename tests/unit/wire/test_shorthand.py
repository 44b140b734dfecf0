from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import DecodeError, EncodeError, RemoteProtocolError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, Pid, Reference, decode_bare, encode_bare
from pyerlnode.wire import messages as m
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.control import parse_control
from pyerlnode.wire.flags import HIDDEN
from pyerlnode.wire.framing import Framer
from pyerlnode.wire.payload import encode_payload
from pyerlnode.wire.shorthand import (
    like_last,
    read_again,
    read_control,
    span_of,
    words_size,
    write_address,
    write_control,
)
from tests.unit.wire.controls import EXAMPLES, LONG_REF, NAME, REF, THEM, US, WITH_TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    m.MonitorP(THEM, US, REF),
    m.MonitorP(THEM, NAME, REF),
    m.DemonitorP(THEM, THEM, REF),
    m.DemonitorP(THEM, Atom("beam@host"), LONG_REF),
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


@pytest.mark.parametrize(
    ("target", "control"),
    [
        (US, m.SendSender(THEM, US)),
        (THEM, m.SendSender(THEM, THEM)),
        (NAME, m.RegSend(THEM, NAME)),
        (m.UNUSED, m.RegSend(THEM, m.UNUSED)),
        (REF, m.AltactSigSend(m.ALIAS, THEM, REF)),
        (LONG_REF, m.AltactSigSend(m.ALIAS, THEM, LONG_REF)),
        (REF, m.AliasSend(THEM, REF)),
    ],
)
def test_an_address_is_the_control_message_of_a_message(
    target: Pid | Atom | Reference, control: m.Control
) -> None:
    table, term = write_address(THEM, target, Limits(), altact=not isinstance(control, m.AliasSend))
    assert list(table.values()) == list(range(len(table)))
    assert set(table) == set(write_control(control, encode_payload(1), Limits())[0])
    assert term == encode_bare(control.to_term(), atoms=dict(table))
    assert parse_control(decode_bare(term, refs=tuple(table))[0]) == control


def test_an_address_that_no_term_has_is_an_error() -> None:
    with pytest.raises(EncodeError):
        write_address(THEM, Pid(US.node, 2**40, 0, 1), Limits(), altact=True)


CARRIERS = [control for control in SHORTHAND if control.HAS_PAYLOAD]


@pytest.mark.parametrize("count", [250, 251, 252, 253, 254, 255, 256, 1000])
@pytest.mark.parametrize("control", CARRIERS, ids=lambda control: type(control).__name__)
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
        m.SendSender(THEM.__replace__(id=1 << 32), US),
        m.RegSend(THEM.__replace__(serial=-1), NAME),
        m.AliasSend(THEM, REF.__replace__(words=())),
        m.AliasSend(THEM, REF.__replace__(words=(1,) * 6)),
        m.AltactSigSend(m.ALIAS, THEM, REF.__replace__(words=(1 << 32,))),
        m.MonitorP(THEM, US, REF.__replace__(creation=-1)),
        m.DemonitorP(THEM, US.__replace__(id=1 << 40), REF),
        m.MonitorP(THEM, NAME, REF.__replace__(words=())),
    ],
    ids=repr,
)
def test_numbers_without_their_place_are_refused(control: m.Control) -> None:
    with pytest.raises(EncodeError):
        Channel(HIDDEN).encode(control, HELLO if control.HAS_PAYLOAD else None)


def test_node_names_may_be_plain_text() -> None:
    sender, receiver = Channel(HIDDEN), Channel(HIDDEN)
    plain = Pid("py@host", 9, 1, 77)
    for control in (m.SendSender(plain, THEM), m.RegSend(plain, NAME), m.AliasSend(plain, REF)):
        [frame] = frames(sender.encode(control, HELLO))
        message = receiver.receive(frame)
        assert message is not None
        assert message[0] == control
        assert type(message[0].sender.node) is Atom


# ------------------------------------------------------------------------------- reading

USUAL = {
    m.SendSender: 1,
    m.RegSend: 1,
    m.AliasSend: 1,
    m.AltactSigSend: 1,
    m.MonitorP: 2,
    m.DemonitorP: 2,
    m.PayloadMonitorPExit: 2,
}
"""Messages that are read by hand, and how many of the examples of each."""


def encoded(control: m.Control) -> tuple[bytes, tuple[Atom, ...]]:
    table: dict[Atom, int] = {Atom("first"): 0}
    return encode_bare(control.to_term(), atoms=table), tuple(table)


def the_long_way(frame: bytes, start: int, refs: tuple[Atom, ...]) -> tuple[m.Control, int] | None:
    try:
        term, end = decode_bare(frame, start, refs=refs)
        return parse_control(term), end
    except (DecodeError, RemoteProtocolError):
        return None


def test_the_usual_messages_are_read_by_hand() -> None:
    by_hand: dict[type, int] = {}
    for control in EXAMPLES + WITH_TOKEN:
        frame, refs = encoded(control)
        read = read_control(b"x" + frame + HELLO, 1, refs)
        if read is not None:
            assert read == (control, 1 + len(frame))
            by_hand[type(control)] = by_hand.get(type(control), 0) + 1
    assert by_hand == USUAL


def test_spans_are_the_sizes_of_what_comes_again() -> None:
    for control in (m.SendSender(THEM, US), m.RegSend(THEM, NAME)):
        frame, refs = encoded(control)
        assert span_of(b"xx" + frame + HELLO, 2) == len(frame)
        assert words_size(b"xx" + frame + HELLO, 2, refs) == 0
    for count, kind, target in product((1, 3, 5), (m.MonitorP, m.DemonitorP), (US, NAME)):
        control = kind(THEM, target, Reference(THEM.node, 1, (7,) * count))
        frame, refs = encoded(control)
        assert span_of(b"xx" + frame, 2) == len(frame) - 4 * count
        assert words_size(b"xx" + frame, 2, refs) == 4 * count
    frame, refs = encoded(m.AliasSend(THEM, REF))
    assert span_of(frame + HELLO, 0) == 0
    assert span_of(b"", 0) == 0


@pytest.mark.parametrize("kind", [m.MonitorP, m.DemonitorP])
def test_a_monitor_is_read_again_with_other_words(kind: type[m.MonitorP | m.DemonitorP]) -> None:
    control = kind(THEM, NAME, Reference(THEM.node, 1, (1, 2, 3)))
    words = bytes(range(12))
    expected = kind(THEM, NAME, Reference(THEM.node, 1, (0x00010203, 0x04050607, 0x08090A0B)))
    assert read_again(control, b"x" + words, 1) == expected
    assert read_again(control, b"x" + words[:-1], 1) is None
    assert read_again(control, b"xx" + words, 1) is None
    assert read_again(m.Link(THEM, US), b"x" + words, 1) is None


def test_the_address_of_a_reference_like_the_last_one() -> None:
    last = Reference(THEM.node, 1, (1, 2, 3))
    like = Reference(THEM.node, 1, (2**32 - 1, 0, 7))
    _, head = write_address(US, last, DEFAULT, altact=True)
    assert like_last(head, last, like) == write_address(US, like, DEFAULT, altact=True)[1]
    others = [
        Reference(US.node, 1, (4, 5, 6)),
        Reference(THEM.node, 2, (4, 5, 6)),
        Reference(THEM.node, 1, (4, 5)),
        Reference(THEM.node, 1, (4, 5, 2**32)),
        THEM,
        NAME,
    ]
    assert [like_last(head, last, other) for other in others] == [None] * len(others)
    assert like_last(head, None, like) is None


@pytest.mark.parametrize("control", EXAMPLES + WITH_TOKEN, ids=lambda control: type(control).__name__)
def test_what_is_read_by_hand_is_what_the_long_way_reads(control: m.Control) -> None:
    """Whatever is wrong with it: every cut, every byte changed, too few atoms in the header."""
    frame, refs = encoded(control)
    for end in range(len(frame)):
        assert read_control(frame[:end], 0, refs) is None
    for place in range(len(frame)):
        for flip in (1, 2, 0x0F, 0x80, 0xFF):
            changed = bytearray(frame + HELLO)
            changed[place] ^= flip
            _same(bytes(changed), refs)
    for count in range(len(refs)):
        _same(frame, refs[:count])


def _same(frame: bytes, refs: tuple[Atom, ...]) -> None:
    read = read_control(frame, 0, refs)
    if read is not None:
        assert read == the_long_way(frame, 0, refs)


PIECES: Sequence[Any] = (
    [bytes((104, arity, 97, op)) for arity in (3, 4) for op in (6, 19, 20, 22, 28, 33, 37)]
    + [b"X\x52\0" + bytes(12), b"X\x52\3" + bytes(12), b"\x52\1", b"\x52\3", b"a\4", b"a\1", b"X", HELLO]
    + [b"Z\0\3\x52\0" + bytes(16), b"Z\0\0\x52\0" + bytes(4), b"Z\0\6\x52\0" + bytes(28)]
)


@given(st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join), st.integers(0, 3))
def test_any_pieces_are_read_as_the_long_way_reads_them(frame: bytes, count: int) -> None:
    _same(frame, (Atom("a"), Atom("true"), Atom("c"))[:count])
