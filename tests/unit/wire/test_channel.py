"""Packets both ways: whitebox cases, our sending half against the receiving one, captures of BEAMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyerlnode.errors import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, Pid, RawTerm, Record, Reference, decode, encode_bare
from pyerlnode.wire import channel as channel_module
from pyerlnode.wire import messages as m
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import HIDDEN, VISIBLE, Flags, without
from pyerlnode.wire.fragments import FRAGMENT_SIZE, WHOLE_SIZE
from pyerlnode.wire.framing import Framer, frame4
from pyerlnode.wire.payload import Payload, encode_payload
from pyerlnode.wire.receiving import BULKY
from tests.unit.wire.captures import Section, sections
from tests.unit.wire.controls import EXAMPLES, NAME, THEM, US, WITH_TOKEN
from tests.unit.wire.headers import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyerlnode.wire.control import Control

    Message = tuple[Control, RawTerm | None]
    Receive = Callable[[Channel, bytes], Message | None]

IS_COMPILED = not (channel_module.__file__ or "").endswith(".py")
HEADERS = Flags.DIST_HDR_ATOM_CACHE | Flags.FRAGMENTS
FORMS = {
    "both": HIDDEN,
    "atom cache": without(HIDDEN, Flags.FRAGMENTS),
    "fragments": without(HIDDEN, Flags.DIST_HDR_ATOM_CACHE),
    "pass-through": without(HIDDEN, HEADERS),
}
WITH_HEADERS = [name for name in FORMS if name != "pass-through"]

SEND = encode_bare((22, THEM, US))
LINK = encode_bare((1, THEM, US))
HELLO = encode_bare(Atom("hello"))


def channel(form: str = "both", **limits: int) -> Channel:
    return Channel(FORMS[form], limits=Limits(**limits))


def first(seq: int, number: int, rest: bytes) -> bytes:
    return b"\x83E" + seq.to_bytes(8, "big") + number.to_bytes(8, "big") + rest


def following(seq: int, number: int, rest: bytes) -> bytes:
    return b"\x83F" + seq.to_bytes(8, "big") + number.to_bytes(8, "big") + rest


def refused(target: Channel, frame: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        target.receive(frame)
    return str(caught.value)


def packets_to_frames(packets: Iterable[bytes | memoryview]) -> list[bytes]:
    return Framer(1 << 30).receive(b"".join(packets))


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


def packet(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame


def test_all_frames_of_a_read_are_taken_at_once() -> None:
    target, messages = channel(), list[Any]()
    frames = [
        b"\x83D\0" + SEND + HELLO,
        b"",
        b"\x83D\0" + LINK,
        first(1, 2, b"\0" + SEND),
        following(1, 1, HELLO),
    ]
    data = b"".join(map(packet, frames))
    assert target.receive_all(data, messages) == len(data)
    assert [type(control) for control, _ in messages] == [m.SendSender, m.Link, m.SendSender]
    assert [raw and raw.decode() for _, raw in messages] == ["hello", None, "hello"]
    assert target.receive_all(b"", messages) == 0
    assert len(messages) == 3


def test_a_frame_that_is_not_complete_waits() -> None:
    whole = packet(b"\x83D\0" + LINK)
    for end in range(len(whole)):
        target, messages = channel(), list[Any]()
        assert target.receive_all(whole + whole[:end], messages) == len(whole)
        assert len(messages) == 1


def test_a_bulky_frame_is_left_to_be_cut_out() -> None:
    target, messages = channel(), list[Any]()
    small, head = packet(b"\x83D\0" + LINK), b"\x83D\0" + SEND
    for size, taken in ((BULKY - 1, True), (channel_module.BULKY, False)):
        large = packet(head + encode_bare(bytes(size - len(head) - 5)))
        assert len(large) == size + 4
        messages.clear()
        got = target.receive_all(small + large + small, messages)
        assert got == (len(small + large + small) if taken else len(small))
        assert len(messages) == (3 if taken else 1)


def test_what_was_right_is_there_when_what_follows_is_wrong() -> None:
    small = packet(b"\x83D\0" + LINK)
    for wrong in (packet(b"\x83D\0" + LINK + b"x"), packet(bytes(101)), b"\x80\0\0\0", b"\xff\xff\xff\xff"):
        target, messages = channel(frame=100), list[Any]()
        with pytest.raises(RemoteProtocolError):
            target.receive_all(small + small + wrong + small, messages)
        assert messages == [(m.Link(THEM, US), None)] * 2
    with pytest.raises(RemoteProtocolError, match="packet of 4294967295 bytes is above the limit of 100"):
        channel(frame=100).receive_all(b"\xff\xff\xff\xff", [])


@pytest.mark.parametrize("form", FORMS)
@given(
    sizes=st.lists(st.sampled_from([0, 5, 300, 40_000]), max_size=12), cuts=st.lists(st.integers(0, 50_000))
)
@settings(max_examples=25, deadline=None)
def test_reads_of_any_size_give_the_same_messages(form: str, sizes: list[int], cuts: list[int]) -> None:
    sender, receiver = channel(form), channel(form)
    control = m.SendSender(THEM, US)
    data = b"".join(b"".join(sender.encode(control, encode_payload((size, bytes(size))))) for size in sizes)
    messages, position, done = list[Any](), 0, 0
    for stop in [*sorted(cut for cut in cuts if cut < len(data)), len(data)]:
        while (position := done + receiver.receive_all(data[done:stop], messages)) < stop - 4:
            size = int.from_bytes(data[position : position + 4], "big")
            done = position + 4 + size
            if size < BULKY or done > stop:
                done = position
                break
            messages.append(receiver.receive(data[position + 4 : done]))
        else:
            done = position
    assert done == len(data)
    assert [raw.decode() for _, raw in messages] == [(size, bytes(size)) for size in sizes]


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


@pytest.mark.parametrize("form", ["both", "fragments"])
def test_frames_in_a_buffer_that_is_used_again(form: str) -> None:
    sender, receiver = channel(form), channel(form)
    packets = [*sender.fragments(m.SendSender(THEM, US), encode_bare(bytes(250_000)))]
    packets.append(sender.encode(m.SendSender(THEM, US), HELLO))
    received = []
    for frame in packets_to_frames([part for packet in packets for part in packet]):
        buffer = bytearray(frame)
        received.append(receiver.receive_bulky(memoryview(buffer)))
        receiver.keep()
        buffer[:] = bytes(len(buffer))
    assert received[:3] == [None] * 3
    terms = [message[1].decode() for message in received[3:] if message and message[1]]
    assert terms == [bytes(250_000), RawTerm(HELLO).decode()]


@pytest.mark.parametrize(
    "frame", [b"", b"\x83", b"\x83F", b"\x83F" + bytes(16), b"\x83F" + bytes(7) + b"\1" * 9]
)
def test_what_is_wrong_with_a_frame_is_wrong_in_a_buffer(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as plainly:
        channel().receive(frame)
    with pytest.raises(RemoteProtocolError) as in_buffer:
        channel().receive_bulky(memoryview(frame))
    assert str(in_buffer.value) == str(plainly.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [10, 2_000, 100_000, 300_000])
def test_a_large_message_is_taken_out_of_a_buffer(form: str, size: int) -> None:
    sender, receiver = channel(form), channel(form)
    control, term = m.SendSender(THEM, US), (Atom("new"), [US, bytes(size)], "behind")
    payload = encode_payload(term)
    cut = sender.fragments(control, payload) if form in ("both", "fragments") else []
    for packets in ([sender.encode(control, payload)], cut):
        messages = []
        for frame in packets_to_frames([part for packet in packets for part in packet]):
            buffer = bytearray(frame)
            messages.append(receiver.receive_bulky(memoryview(buffer)))
            receiver.keep()
            buffer[:] = b"\xff" * len(buffer)
        assert messages[:-1] == [None] * (len(messages) - 1)
        if messages:
            assert messages[-1] is not None
            received, raw = messages[-1]
            assert received == control
            assert raw is not None
            assert raw.decode() == (Atom("new"), [US, bytes(size)], b"behind")


def test_a_large_frame_that_begins_unusually_is_taken_as_any() -> None:
    atoms = [Atom(f"{number:0>200}") for number in range(10)]  # more than is looked at
    sender, receiver = channel("both"), channel("both")
    payload = encode_payload([*atoms, bytes(50_000)])
    frame = packets_to_frames(sender.encode(m.SendSender(THEM, US), payload))[0]
    message = receiver.receive_bulky(memoryview(frame))
    assert message is not None
    assert message[1] is not None
    assert message[1].decode() == [*atoms, bytes(50_000)]


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


@pytest.mark.parametrize("number", [1, 2, 1 << 63])
def test_sequence_0_in_a_first_fragment_means_not_fragmented(number: int) -> None:
    target = channel()
    for _ in range(2):
        message = target.receive(first(0, number, b"\0" + SEND + HELLO))
        assert message is not None
        assert message[1] is not None
        assert message[1].decode() == "hello"


def test_a_first_fragment_numbered_1_is_a_whole_message() -> None:
    for _ in range(2):
        message = channel().receive(first(7, 1, b"\0" + LINK))
        assert message == (m.Link(THEM, US), None)


def test_tiny_and_empty_fragments_are_fine() -> None:
    target = channel()
    assert target.receive(first(7, len(HELLO) + 2, b"\0" + SEND)) is None
    assert target.receive(following(7, len(HELLO) + 1, b"")) is None
    for index, byte in enumerate(HELLO[:-1]):
        assert target.receive(following(7, len(HELLO) - index, bytes([byte]))) is None
    message = target.receive(following(7, 1, HELLO[-1:]))
    assert message is not None
    assert message[1] is not None
    assert message[1].decode() == "hello"


def test_the_header_of_the_first_fragment_serves_all() -> None:
    target, writer = channel(), Writer()
    header = writer.header([(5, "beam@host"), (2047, "py@host"), (9, "one"), (10, "two")])
    pid = b"X\x52%c" + bytes(11) + b"\1"
    control = b"h\3a\x16" + pid % 0 + pid % 1
    payload = b"h\2\x52\2\x52\3"
    assert target.receive(first(3, 3, header + control + payload[:3])) is None
    # the cache moves on meanwhile
    target.receive(b"\x83D" + writer.header([(9, "else"), (10, "where")]) + SEND + b"\x52\0")
    assert target.receive(following(3, 2, payload[3:5])) is None
    message = target.receive(following(3, 1, payload[5:]))
    assert message is not None
    assert message[0].sender.node == "beam@host"
    assert message[1].decode() == ("one", "two")


@pytest.mark.parametrize(
    "frames",
    [
        [following(1, 1, HELLO)],
        [first(1, 2, b"\0" + SEND), following(2, 1, HELLO)],
        [first(1, 2, b"\0" + SEND), following(1, 2, HELLO)],
        [first(1, 3, b"\0" + SEND), following(1, 1, HELLO)],
        [first(1, 3, b"\0" + SEND), following(1, 3, HELLO)],
        [first(1, 2, b"\0" + SEND), first(1, 2, b"\0" + SEND)],
        [first(1, 2, b"\0" + SEND), following(1, 1, b"")],
        [first(1, 2, b"\0" + SEND), following(1, 0, b"")],
        [first(1, 0, b"\0" + SEND + HELLO)],
        [first(1, 2, b"\0" + SEND[:-1])],
        [first(1, 2, b"\0")],
        [first(1, 2, b"")],
        [first(1, 2, b"\0" + LINK)],
        [first(1, 1, b"\0" + SEND)],
        [first(1, 1, b"\0" + LINK + HELLO)],
        [first(1, 2, b"\1\0\0" + SEND)],
    ],
)
def test_fragments_that_do_not_fit_are_refused(frames: list[bytes]) -> None:
    target = channel()
    for frame in frames[:-1]:
        assert target.receive(frame) is None
    refused(target, frames[-1])


def test_fragments_are_bounded() -> None:
    assert "more than 1 fragmented" in _last_of(
        channel(fragmented=1), first(1, 2, b"\0" + SEND), first(2, 2, b"\0" + SEND)
    )
    many = [first(1, 3, b"\0" + SEND + bytes(8)), following(1, 2, bytes(8))]
    assert "more than 10 bytes" in _last_of(channel(message=10), *many)
    assert "over 10 bytes" in _last_of(channel(fragmented_bytes=10), *many)


def _last_of(target: Channel, *frames: bytes) -> str:
    for frame in frames[:-1]:
        target.receive(frame)
    return refused(target, frames[-1])


# ------------------------------------------------------------------------------- what comes again


def one_by_one(target: Channel, frame: bytes) -> Message | None:
    return target.receive(frame)


def in_a_read(target: Channel, frame: bytes) -> Message | None:
    messages: list[Message] = []
    data = frame4(frame)
    assert target.receive_all(data, messages) == len(data)
    return messages[0] if messages else None


both_ways = pytest.mark.parametrize("receive", [one_by_one, in_a_read])


@both_ways
def test_a_message_that_begins_as_an_earlier_one_is_that_one(receive: Receive) -> None:
    sender, receiver = channel(), channel()
    for control in (m.SendSender(THEM, US), m.RegSend(THEM, NAME)):
        received = []
        for number in range(4):
            [frame] = packets_to_frames(sender.encode(control, encode_payload((Atom("x"), number))))
            message = receive(receiver, frame)
            assert message is not None
            assert message[0] == control
            assert message[1] is not None
            assert message[1].decode() == ("x", number)
            received.append(message[0])
        assert received[1] is received[2] is received[3]


@both_ways
@pytest.mark.parametrize("target", [US, NAME])
def test_monitors_of_one_process_are_told_apart_by_their_references(receive: Receive, target: Any) -> None:
    sender, receiver = channel(), channel()
    for number in range(6):
        ref = Reference(THEM.node, 1, (number, 2**32 - number - 1, 7))
        for control in (m.MonitorP(THEM, target, ref), m.DemonitorP(THEM, target, ref)):
            [frame] = packets_to_frames(sender.encode(control))
            assert receive(receiver, frame) == (control, None)
    assert receiver._cache.known
    for end in range(1, len(frame)):
        with pytest.raises(RemoteProtocolError):
            receive(receiver, frame[:end])
    with pytest.raises(RemoteProtocolError, match="1 bytes behind it"):
        receive(receiver, frame + b"x")


def test_answers_of_one_process_go_to_the_right_references() -> None:
    sender, receiver = channel(), channel()
    refs = [Reference(THEM.node, 1, (number, 5, 2**32 - 1)) for number in range(4)]
    refs += [Reference(THEM.node, 2, (1, 2)), Reference(THEM.node, 2, (1, 3)), Reference(US.node, 2, (1, 3))]
    for ref in refs * 2:
        assert sender.post(US, ref, (ref, 1)) is True
    messages: list[Message] = []
    receiver.receive_all(sender.batch.take(), messages)
    assert [getattr(control, "target", None) for control, _ in messages] == refs * 2
    assert [payload.decode() for _, payload in messages if payload is not None] == [
        (ref, 1) for ref in refs * 2
    ]


@both_ways
def test_it_is_refused_without_its_payload_all_the_same(receive: Receive) -> None:
    sender, receiver = channel(), channel()
    for _ in range(4):
        [frame] = packets_to_frames(sender.encode(m.SendSender(THEM, US), HELLO))
        receive(receiver, frame)
    with pytest.raises(RemoteProtocolError, match="without the payload"):
        receive(receiver, frame[: -len(HELLO)])
    for end in range(1, len(frame) - len(HELLO)):
        with pytest.raises(RemoteProtocolError):
            receive(receiver, frame[:end])


def test_those_of_several_senders_are_told_apart() -> None:
    sender, receiver = channel(), channel()
    senders = [Pid(THEM.node, number, 0, 1) for number in (1, 1, 1, 2, 2, 1, 2, 1)]
    packets = [part for pid in senders for part in sender.encode(m.SendSender(pid, US), HELLO)]
    messages: list[Message] = []
    receiver.receive_all(b"".join(packets), messages)
    assert [control for control, _ in messages] == [m.SendSender(pid, US) for pid in senders]
    assert [payload.decode() for _, payload in messages if payload is not None] == ["hello"] * 8


@both_ways
def test_it_means_something_else_once_a_slot_is_filled_anew(receive: Receive) -> None:
    target, writer = channel(), Writer()
    send = b"h\4a\6X\x52\0" + bytes(12) + b"\x52\1\x52\1" + HELLO
    names = []
    for name in ("one", "one", "one", "two", "two", "two"):
        message = receive(target, b"\x83D" + writer.header([(3, "beam@host"), (4, name)]) + send)
        assert message is not None
        names.append(message[0].name)
    assert names == ["one", "one", "one", "two", "two", "two"]


def test_what_may_come_again_does_not_pile_up() -> None:
    sender, receiver = channel(), channel()
    for number in range(2_000):
        control = m.SendSender(Pid(THEM.node, number, 0, 1), US)
        [frame] = packets_to_frames(sender.encode(control, HELLO))
        assert receiver.receive(frame)[0] == control  # type: ignore[index]
    assert 0 < len(receiver._cache.known) <= 512


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("form", WITH_HEADERS)
@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x83",
        b"p",
        b"p\x83" + SEND + b"\x83" + HELLO,
        b"\x82D\0" + SEND + HELLO,
        b"\x83C\0" + SEND + HELLO,
        b"\x83G\0" + SEND + HELLO,
        b"\x83" + SEND + HELLO,
        b"\x83D",
        b"\x83D\0",
        b"\x83D\0" + SEND,
        b"\x83D\0" + LINK + HELLO,
        b"\x83D\0" + LINK + b"\0",
        b"\x83D\0" + LINK[:-1],
        b"\x83D\0\x83" + LINK,
        b"\x83D\0" + encode_bare((5, THEM, US)),
        b"\x83D\0" + encode_bare([1, THEM, US]),
        b"\x83D\0" + encode_bare(Atom("link")),
        b"\x83D\1\0\0" + LINK,
        b"\x83D\1\x08\0\5ab",
        b"\x83D\0" + b"\x52\0",
        b"\x83D\0" + b"h\3a\1\x52\0\x52\0",
        b"\x83D\0\xff",
    ],
)
def test_bad_packets_are_refused(form: str, frame: bytes) -> None:
    refused(channel(form), frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"p",
        b"p\x83",
        b"\x83D\0" + SEND + HELLO,
        b"p" + SEND + HELLO,
        b"p\x82" + LINK,
        b"p\x83" + SEND,
        b"p\x83" + SEND + HELLO,
        b"p\x83" + SEND + b"\x83",
        b"p\x83" + LINK + b"\x83" + HELLO,
        b"p\x83" + LINK[:-1],
        b"p\x83\x52\0",
        b"p\x83" + encode_bare((99,)),
    ],
)
def test_bad_packets_without_a_header_are_refused(frame: bytes) -> None:
    refused(channel("pass-through"), frame)


@pytest.mark.parametrize("tag", [b"E", b"F"])
def test_fragments_that_were_not_agreed_on_are_refused(tag: bytes) -> None:
    refused(channel("atom cache"), b"\x83" + tag + bytes(7) + b"\1" + bytes(7) + b"\1\0" + SEND + HELLO)


def test_a_control_message_that_does_not_decode_says_why() -> None:
    target = channel()
    with pytest.raises(RemoteProtocolError, match="does not decode") as caught:
        target.receive(b"\x83D\0h\2a\1")
    assert isinstance(caught.value.__cause__ or caught.value.__context__, DecodeError)


def test_the_limits_hold_for_control_messages() -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    frame = b"\x83D\0" + encode_bare((3, THEM, US, deep))
    assert channel().receive(frame) is not None
    refused(channel(nesting=50), frame)


@pytest.mark.parametrize("form", FORMS)
def test_every_truncation_of_a_control_message_is_refused(form: str) -> None:
    for control in EXAMPLES:
        [frame] = packets_to_frames(channel(form).encode(control, HELLO if control.HAS_PAYLOAD else None))
        behind = len(HELLO) + (form == "pass-through")
        for end in range(len(frame) - (behind if control.HAS_PAYLOAD else 0) + 1):
            if end < len(frame):
                refused(channel(form), frame[:end])


FRAMES = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda head, rest: head + rest,
        st.sampled_from(
            [b"\x83D\0", b"\x83D\1\x08\0\1a", b"\x83D", b"p\x83", first(1, 2, b"\0"), following(1, 1, b"")]
        ),
        st.one_of(st.binary(max_size=40), st.sampled_from([SEND + HELLO, LINK, SEND, HELLO, b"\x52\0"])),
    ),
)


@given(form=st.sampled_from(sorted(FORMS)), frames=st.lists(FRAMES, max_size=6))
def test_any_frames_are_received_or_refused(form: str, frames: list[bytes]) -> None:
    target = channel(form)
    for frame in frames:
        try:
            message = target.receive(frame)
        except RemoteProtocolError:
            continue
        assert message is None or (message[1] is not None) == message[0].HAS_PAYLOAD


# ------------------------------------------------------------------------------- real nodes, as captured

SESSIONS = sections("frames")


def channel_of(section: Section) -> Channel:
    """The receiving end of a captured session: flags of both, as the challenge told them."""
    from pyerlnode.wire.hello import parse_challenge

    challenge = section.frames("<")[1]
    return Channel(section.flags & parse_challenge(challenge).flags)


def events_of(section: Section) -> list[tuple[str, bytes | str]]:
    """What happened after the handshake."""
    return section.events[len(section.handshake()) :]


@pytest.mark.parametrize("section", SESSIONS, ids=str)
def test_what_a_real_node_sends_is_received_as_it_meant_it(section: Section) -> None:
    target = channel_of(section)
    values: list[Any] = []
    seen: set[type] = set()
    for mark, data in events_of(section):
        if mark == "<":
            assert isinstance(data, bytes)
            message = target.receive(data)
            if message is not None:
                control, raw = message
                seen.add(type(control))
                values.append(raw.decode() if raw is not None else getattr(control, "reason", None))
        elif mark == "=":
            assert decode(data) in values
        elif mark == "%":
            values.clear()
    assert m.RegSend in seen
    assert target._assembler.held == 0
    if section.title in ("everything", "old forms", "pass-through"):
        assert _expected(section) <= seen


def _expected(section: Section) -> set[type]:
    """The control messages that the orders of capture.py draw out of a node of that release."""
    old = section.title == "old forms"
    kinds: set[type] = {m.Link, m.GroupLeader, m.MonitorP, m.DemonitorP, m.SpawnRequest, m.SpawnReply}
    kinds |= (
        {m.Exit, m.Exit2, m.MonitorPExit} if old else {m.PayloadExit, m.PayloadExit2, m.PayloadMonitorPExit}
    )
    kinds |= {m.Send if old else m.SendSender}
    kinds |= {m.UnlinkId} if section.release >= 27 or (section.release == 25 and not old) else {m.Unlink}
    if section.release >= 28 and not old:
        kinds |= {m.AltactSigSend}
    elif section.release >= 25:
        kinds |= {m.AliasSend}
    return kinds


@pytest.mark.parametrize("section", SESSIONS, ids=str)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_captures_with_a_flipped_byte_are_received_or_refused(section: Section, data: st.DataObject) -> None:
    frames = [frame for mark, frame in events_of(section) if mark == "<" and isinstance(frame, bytes)]
    index = data.draw(st.integers(0, len(frames) - 1))
    frame = bytearray(frames[index])
    frame[data.draw(st.integers(0, min(len(frame), 200) - 1))] ^= data.draw(st.integers(1, 255))
    target = channel_of(section)
    try:
        for number, original in enumerate(frames):
            target.receive(bytes(frame) if number == index else original)
    except RemoteProtocolError:
        return
