"""What comes: whitebox cases, our sending half against the receiving one, captures of BEAMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyerlnode.errors import DecodeError, RemoteProtocolError
from pyerlnode.term import Atom, Pid, RawTerm, Reference, decode, encode_bare
from pyerlnode.wire import messages as m
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.framing import frame4
from pyerlnode.wire.payload import encode_payload
from pyerlnode.wire.receiving import BULKY
from tests.unit.wire.captures import Section, sections
from tests.unit.wire.channels import (
    FORMS,
    HELLO,
    LINK,
    SEND,
    WITH_HEADERS,
    channel,
    first,
    following,
    packets_to_frames,
    refused,
)
from tests.unit.wire.controls import EXAMPLES, NAME, THEM, US
from tests.unit.wire.headers import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.wire.control import Control

    Message = tuple[Control, RawTerm | None]
    Receive = Callable[[Channel, bytes], Message | None]


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
    for size, taken in ((BULKY - 1, True), (BULKY, False)):
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
