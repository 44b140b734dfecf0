"""Packets both ways, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.errors import DecodeError, EncodeError, LocalProtocolError
from pyerlnode.term import Atom, Pid, RawTerm, Record, Reference, encode_bare
from pyerlnode.wire import messages as m
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.fragments import FRAGMENT_SIZE, WHOLE_SIZE
from pyerlnode.wire.payload import Payload, encode_payload
from tests.unit.wire.channels import FORMS, HELLO, IS_COMPILED, LINK, SEND, channel, packets_to_frames
from tests.unit.wire.controls import EXAMPLES, THEM, US, WITH_TOKEN

# ------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("control", EXAMPLES + WITH_TOKEN, ids=lambda control: type(control).__name__)
def test_what_one_end_encodes_the_other_receives(form: str, control: Any) -> None:
    payload = encode_bare([1, Atom("x"), b"abc"]) if control.HAS_PAYLOAD else None
    [frame] = packets_to_frames(channel(form).encode(control, payload))
    message = channel(form).receive(frame)
    assert message is not None
    assert message[0] == control
    if payload is None:
        assert message[1] is None
    else:
        assert message[1] is not None
        assert message[1].decode() == [1, "x", b"abc"]


def test_the_bytes_are_those_of_the_specification() -> None:
    control = m.SendSender(THEM, US)
    fragments, plain = channel("fragments"), channel("pass-through")
    assert packets_to_frames(fragments.encode(control, HELLO)) == [b"\x83D\0" + SEND + HELLO]
    assert packets_to_frames(fragments.encode(m.Link(THEM, US))) == [b"\x83D\0" + LINK]
    assert packets_to_frames(plain.encode(control, HELLO)) == [b"p\x83" + SEND + b"\x83" + HELLO]
    assert packets_to_frames(plain.encode(m.Link(THEM, US))) == [b"p\x83" + LINK]


@pytest.mark.parametrize("form", ["both", "atom cache"])
def test_the_bytes_of_packets_with_an_atom_cache(form: str) -> None:
    target = channel(form)
    them, us = THEM.node.encode(), US.node.encode()
    numbers = [(100).to_bytes(4, "big") + bytes(4) + bytes([0, 0, 0, 5]), b"\0\0\0\x09\0\0\0\1\0\0\0M"]
    pids = [b"X\x52\0" + numbers[0], b"X\x52\1" + numbers[1]]
    send = b"h\3a\x16" + pids[0] + pids[1]
    first_header = bytes([2, 0x88, 0, 0, len(them)]) + them + bytes([1, len(us)]) + us
    header = bytes([2, 0, 0, 0, 1])
    control = m.SendSender(THEM, US)
    assert packets_to_frames(target.encode(control, HELLO)) == [b"\x83D" + first_header + send + HELLO]
    assert packets_to_frames(target.encode(control, HELLO)) == [b"\x83D" + header + send + HELLO]
    link = b"h\3a\1" + pids[0] + pids[1]
    assert packets_to_frames(target.encode(m.Link(THEM, US))) == [b"\x83D" + header + link]
    # the atoms of a payload come first in the header
    hello = encode_payload((Atom("hello"), US))
    assert hello.data == b"h\2\x52\0X\x52\1" + numbers[1]
    send = b"h\3a\x16X\x52\2" + numbers[0] + pids[1]
    assert packets_to_frames(target.encode(control, hello)) == [
        b"\x83D" + bytes([3, 0x08, 0, 2, 5]) + b"hello" + bytes([1, 0]) + send + hello.data
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [0, 70_000, 200_000])
def test_a_payload_with_a_table_goes_to_any_peer(form: str, size: int) -> None:
    term = {Atom("key"): (True, None, US, [Atom("key")], bytes(size))}
    payload = encode_payload(term)
    sender, receiver = channel(form), channel(form)
    control = m.SendSender(THEM, US)
    if sender.needs_fragments(payload):
        packets = list(sender.fragments(control, payload))
    else:
        packets = [list(sender.encode(control, payload))]
    messages = [receiver.receive(frame) for parts in packets for frame in packets_to_frames(parts)]
    assert messages[-1] is not None
    assert messages[-1][0] == control
    assert messages[-1][1] is not None
    assert messages[-1][1].decode() == payload.raw().decode() == term


def test_packets_get_their_headers_when_they_leave() -> None:
    sender, receiver = channel(), channel()
    control = m.SendSender(THEM, US)
    ready = [sender.prepare(control, encode_payload(Atom(f"atom{number}"))) for number in range(5)]
    large = sender.fragments(control, encode_payload((Atom("large"), bytes(100_000))))
    values = []
    for frame in packets_to_frames(
        [sender.join(ready[3:]), *next(large), sender.join(ready[:3]), *next(large)]
    ):
        message = receiver.receive(frame)
        if message is not None and message[1] is not None:
            values.append(message[1].decode())
    assert values[:5] == ["atom3", "atom4", "atom0", "atom1", "atom2"]
    assert values[5:] == [("large", bytes(100_000))]


@pytest.mark.parametrize("form", FORMS)
def test_a_large_payload_is_passed_on_uncopied(form: str) -> None:
    payload = encode_bare(bytes(100_000))
    parts = channel(form).encode(m.SendSender(THEM, US), payload)
    assert parts[-1] is payload
    [frame] = packets_to_frames(parts)
    message = channel(form).receive(frame)
    assert message is not None
    assert message[1] is not None
    assert message[1].decode() == bytes(100_000)


def test_the_payload_stays_raw() -> None:
    frame = b"\x83D\0" + SEND + b"\xff nonsense"
    message = channel().receive(frame)
    assert message is not None
    assert isinstance(message[1], RawTerm)
    with pytest.raises(DecodeError):
        message[1].decode()


def test_a_misfit_of_message_and_payload_is_our_mistake() -> None:
    for target in (channel(), channel("pass-through")):
        for control, payload in (
            (m.SendSender(THEM, US), None),
            (m.SendSender(THEM, US), b""),
            (m.Link(THEM, US), HELLO),
        ):
            with pytest.raises(LocalProtocolError):
                target.encode(control, payload)
    with pytest.raises(LocalProtocolError):
        channel().fragments(m.Link(THEM, US), HELLO)


def test_a_message_that_has_no_term_is_our_mistake() -> None:
    with pytest.raises(EncodeError):
        channel().encode(m.Exit(THEM, US, object()))


class Huge(bytes):
    def __len__(self) -> int:
        return 1 << 32


def test_a_packet_has_at_most_what_its_length_can_say() -> None:
    target, payload = channel(), Huge(b"x")
    if IS_COMPILED:  # which looks at the real size of bytes
        assert target.encode(m.SendSender(THEM, US), payload)[-1] is payload
    else:
        with pytest.raises(LocalProtocolError, match="does not fit"):
            target.encode(m.SendSender(THEM, US), payload)


# ------------------------------------------------------------------------------- many at once


# ------------------------------------------------------------------------------- the short way

ALIAS = Reference(THEM.node, 5, (1, 2, 3))
TARGETS: list[tuple[Pid | Atom | Reference, m.Control]] = [
    (THEM, m.SendSender(US, THEM)),
    (ALIAS, m.AltactSigSend(m.ALIAS, US, ALIAS)),
    (Atom("name"), m.RegSend(US, Atom("name"))),
]


def received(target: Channel, data: bytes) -> list[tuple[m.Control, Any]]:
    messages: list[tuple[m.Control, RawTerm | None]] = []
    assert target.receive_all(data, messages) == len(data)
    return [(control, raw.decode() if raw is not None else None) for control, raw in messages]


def test_what_is_posted_arrives_as_what_is_sent() -> None:
    ours, theirs = channel(), channel()
    wanted = []
    for number in range(3):
        for target, control in TARGETS:
            term = [number, Atom("x"), Atom(f"x{number}"), US.node, b"abc"]
            assert ours.post(US, target, term) is True
            ours.put(control, encode_payload((term,)))
            wanted += [(control, term), (control, (term,))]
    assert received(theirs, ours.batch.take()) == wanted


@pytest.mark.parametrize(
    ("missing", "target"),
    [(Flags.SEND_SENDER, THEM), (Flags.ALTACT_SIG | Flags.ALIAS, ALIAS)],
    ids=["pid", "alias"],
)
def test_what_a_peer_may_not_take_is_not_posted(missing: Flags, target: Pid | Reference) -> None:
    ours = Channel(VISIBLE & ~missing)
    for _ in range(2):
        rest = ours.post(US, target, (Atom("x"), 1))
        assert isinstance(rest, Payload)
        assert rest.raw().decode() == ("x", 1)
    assert ours.batch.size == 0
    assert ours.post(US, Atom("name"), 1) is True


def test_an_older_peer_gets_its_own_message_to_an_alias() -> None:
    flags = VISIBLE & ~Flags.ALTACT_SIG
    ours, theirs = Channel(flags), Channel(flags)
    assert ours.post(US, ALIAS, 1) is True
    assert received(theirs, ours.batch.take()) == [(m.AliasSend(US, ALIAS), 1)]


@pytest.mark.parametrize("why", ["no cache", "closed", "full", "large"])
def test_what_is_not_posted_is_given_back(why: str) -> None:
    ours = channel("fragments" if why == "no cache" else "both", outbox=100)
    ours.batch.is_open = why != "closed"
    term = (US, Atom("x"), bytes(100 if why != "large" else 10_000))
    if why == "full":
        assert ours.post(US, THEM, term) is False
    size = ours.batch.size
    rest = ours.post(US, THEM, term)
    assert isinstance(rest, Payload)
    assert rest.raw().decode() == term
    assert ours.batch.size == size


def test_what_is_given_back_can_be_put() -> None:
    ours, theirs = channel(outbox=1), channel()
    assert ours.post(US, THEM, 1) is False
    rest = ours.post(US, THEM, (US, Atom("x"), THEM))
    assert isinstance(rest, Payload)
    assert ours.put(m.SendSender(US, THEM), rest) is None
    assert [term for _, term in received(theirs, ours.batch.take())] == [1, (US, "x", THEM)]


def test_what_has_no_term_leaves_nothing_behind() -> None:
    ours, theirs = channel(), channel()
    for term in ((Atom("x"), object()), Record(Atom("m"), Atom("r"), (), exported=True)):
        with pytest.raises(EncodeError):
            Channel(VISIBLE & ~Flags.NATIVE_RECORDS).post(US, THEM, term)
    with pytest.raises(EncodeError):
        ours.post(US, THEM, (Atom("x"), object()))
    with pytest.raises(EncodeError):
        ours.post(US, Pid(THEM.node, 2**40, 0, 1), 1)
    assert ours.batch.size == 0
    assert ours.post(US, THEM, Atom("x")) is True
    assert received(theirs, ours.batch.take()) == [(m.SendSender(US, THEM), "x")]


@pytest.mark.parametrize("form", FORMS)
def test_small_signals_are_put_behind_each_other(form: str) -> None:
    ours, theirs = channel(form), channel(form)
    assert ours.put(m.Link(US, THEM)) is None
    assert ours.put(m.SendSender(US, THEM), HELLO) is None
    large = ours.put(m.SendSender(US, THEM), encode_bare(bytes(10_000)))
    assert large is not None
    assert received(theirs, ours.batch.take() + ours.join([large])) == [
        (m.Link(US, THEM), None),
        (m.SendSender(US, THEM), "hello"),
        (m.SendSender(US, THEM), bytes(10_000)),
    ]


# ------------------------------------------------------------------------------- fragments


@pytest.mark.parametrize("form", ["both", "fragments"])
@pytest.mark.parametrize("size", [1, FRAGMENT_SIZE - 5, WHOLE_SIZE - 4, 250_000])
def test_fragments_there_and_back(form: str, size: int) -> None:
    payload = encode_bare(bytes(size))
    receiver = channel(form)
    packets = list(channel(form).fragments(m.SendSender(THEM, US), payload))
    frames = [frame for parts in packets for frame in packets_to_frames(parts)]
    assert len(frames) == len(packets) == -(-len(payload) // FRAGMENT_SIZE)
    messages = [receiver.receive(frame) for frame in frames]
    assert messages[:-1] == [None] * (len(frames) - 1)
    assert messages[-1] is not None
    control, raw = messages[-1]
    assert control == m.SendSender(THEM, US)
    assert raw is not None
    assert raw.decode() == bytes(size)


def test_only_large_payloads_need_fragments_and_only_if_the_peer_takes_them() -> None:
    small, large = bytes(WHOLE_SIZE), bytes(WHOLE_SIZE + 1)
    for form in FORMS:
        target = channel(form)
        assert not target.needs_fragments(None)
        assert not target.needs_fragments(small)
        assert target.needs_fragments(large) == (form in ("both", "fragments"))
    with pytest.raises(LocalProtocolError):
        channel("pass-through").fragments(m.SendSender(THEM, US), large)


def test_every_fragmented_message_has_a_number_of_its_own() -> None:
    target = channel()
    numbers = set()
    for _ in range(100):
        [frame] = packets_to_frames(next(target.fragments(m.SendSender(THEM, US), HELLO)))
        numbers.add(frame[2:10])
    assert len(numbers) == 100
    assert bytes(8) not in numbers
    target._sequence = (1 << 64) - 1
    [frame] = packets_to_frames(next(target.fragments(m.SendSender(THEM, US), HELLO)))
    assert frame[2:10] == (1).to_bytes(8, "big")


def test_fragments_mix_with_each_other_and_with_whole_messages() -> None:
    sender, receiver = channel(), channel()
    large = [encode_bare(bytes([number]) * 150_000) for number in range(3)]
    streams = [iter(list(sender.fragments(m.SendSender(THEM, US), payload))) for payload in large]
    received = []
    for step in range(9):
        for packets in (next(streams[step % 3]), sender.encode(m.RegSend(THEM, Atom("n")), HELLO)):
            [frame] = packets_to_frames(packets)
            message = receiver.receive(frame)
            if message is not None:
                received.append(message)
    kinds = [type(control) for control, _ in received]
    assert kinds.count(m.RegSend) == 9
    assert [raw.decode()[:1] for control, raw in received if type(control) is m.SendSender] == [
        b"\0",
        b"\1",
        b"\2",
    ]
