from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom
from pyerlnode.wire.content import Content
from pyerlnode.wire.fragments import (
    FRAGMENT_SIZE,
    HEAD_SIZE,
    LARGE_FRAGMENT,
    WHOLE_SIZE,
    Assembler,
    parse_head,
    split,
)
from pyerlnode.wire.messages import SendSender
from tests.unit.wire.controls import THEM, US

CONTROL = SendSender(THEM, US)
REFS = (Atom("a"),)


def begin(assembler: Assembler, seq: int = 1, count: int = 3, payload: bytes = b"abc") -> None:
    assembler.begin(seq, count, CONTROL, REFS, Content(payload, 0, memoryview(payload)))


def test_a_message_is_put_together_in_order() -> None:
    assembler = Assembler()
    begin(assembler)
    assert assembler.proceed(1, 2, b"") is None
    assert assembler.held == 3
    message = assembler.proceed(1, 1, b"def")
    assert message is not None
    control, raw = message
    assert control is CONTROL
    assert (raw.data, raw.offset, raw.refs) == (b"abcdef", 0, REFS)
    assert assembler.held == 0


def test_messages_mix() -> None:
    assembler = Assembler()
    for seq in range(1, 6):
        begin(assembler, seq, 3, bytes([seq]))
    for seq in range(1, 6):
        assert assembler.proceed(seq, 2, bytes([seq])) is None
    for seq in range(5, 0, -1):
        message = assembler.proceed(seq, 1, b"end")
        assert message is not None
        assert message[1].data == bytes([seq, seq]) + b"end"


def test_a_sequence_number_may_come_again_after_its_message() -> None:
    assembler = Assembler()
    for _ in range(3):
        begin(assembler, count=2)
        assert assembler.proceed(1, 1, b"x") is not None


def test_a_second_beginning_is_refused() -> None:
    assembler = Assembler()
    begin(assembler)
    with pytest.raises(RemoteProtocolError, match="begins twice"):
        begin(assembler)


@pytest.mark.parametrize("number", [1, 3, 4, 1 << 63])
def test_a_fragment_out_of_order_is_refused(number: int) -> None:
    assembler = Assembler()
    begin(assembler)
    with pytest.raises(RemoteProtocolError, match="where 2 was due"):
        assembler.proceed(1, number, b"x")


def test_a_fragment_of_nothing_is_refused() -> None:
    assembler = Assembler()
    begin(assembler)
    with pytest.raises(RemoteProtocolError, match="not begun"):
        assembler.proceed(2, 2, b"x")


def test_a_message_without_payload_is_refused() -> None:
    assembler = Assembler()
    begin(assembler, count=2, payload=b"")
    with pytest.raises(RemoteProtocolError, match="no payload"):
        assembler.proceed(1, 1, b"")


def test_the_number_of_messages_is_bounded() -> None:
    assembler = Assembler(Limits(fragmented=2))
    begin(assembler, 1)
    begin(assembler, 2)
    with pytest.raises(RemoteProtocolError, match="more than 2"):
        begin(assembler, 3)


def test_the_size_of_a_message_is_bounded() -> None:
    assembler = Assembler(Limits(message=10))
    begin(assembler, count=9, payload=bytes(10))
    with pytest.raises(RemoteProtocolError, match="more than 10 bytes"):
        assembler.proceed(1, 8, b"x")


def test_the_size_of_all_messages_is_bounded_and_freed_again() -> None:
    assembler = Assembler(Limits(fragmented_bytes=10))
    for _ in range(5):
        begin(assembler, 1, 2, bytes(5))
        begin(assembler, 2, 2, bytes(4))
        assert assembler.proceed(1, 1, b"x") is not None
        assert assembler.proceed(2, 1, b"x") is not None
    begin(assembler, 1, 2, bytes(5))
    with pytest.raises(RemoteProtocolError, match="over 10 bytes"):
        begin(assembler, 2, 2, bytes(6))


def test_heads_are_read() -> None:
    assert parse_head(b"\x83E" + (7).to_bytes(8, "big") + (2).to_bytes(8, "big")) == (7, 2)
    assert parse_head(b"\x83F" + b"\xff" * 16 + b"rest") == ((1 << 64) - 1, (1 << 64) - 1)


def test_heads_that_are_cut_off_or_number_nothing_are_refused() -> None:
    whole = b"\x83E" + b"\0" * 15 + b"\1"
    parse_head(whole)
    for end in range(len(whole)):
        with pytest.raises(RemoteProtocolError):
            parse_head(whole[:end])
    with pytest.raises(RemoteProtocolError, match="fragment 0"):
        parse_head(whole[:-1] + b"\0")


@pytest.mark.parametrize("size", [1, FRAGMENT_SIZE, WHOLE_SIZE + 1, 3 * FRAGMENT_SIZE])
def test_pieces_are_of_fragment_size(size: int) -> None:
    pieces = list(split(9, b"\0control", [bytes(size)]))
    assert len(pieces) == -(-size // FRAGMENT_SIZE)
    assert pieces[0][0] == b"\x83E" + (9).to_bytes(8, "big") + len(pieces).to_bytes(8, "big") + b"\0control"
    for index, (head, _) in enumerate(pieces[1:], 1):
        assert head == b"\x83F" + (9).to_bytes(8, "big") + (len(pieces) - index).to_bytes(8, "big")
    assert all(len(b"".join(parts)) == FRAGMENT_SIZE for _, parts in pieces[:-1])


def test_pieces_of_a_very_large_message_are_large() -> None:
    size = 2 * LARGE_FRAGMENT
    assert [len(b"".join(parts)) for _, parts in split(9, b"", [bytes(size - 1)])] == [FRAGMENT_SIZE] * 7 + [
        FRAGMENT_SIZE - 1
    ]
    assert [len(b"".join(parts)) for _, parts in split(9, b"", [bytes(size)])] == [LARGE_FRAGMENT] * 2


@pytest.mark.parametrize("size", [FRAGMENT_SIZE, LARGE_FRAGMENT])
def test_a_few_bytes_more_are_no_piece_of_their_own(size: int) -> None:
    few = WHOLE_SIZE - FRAGMENT_SIZE
    for parts in ([bytes(3 * size + few)], [b"head", bytes(3 * size), bytes(few - 4)]):
        assert [len(b"".join(piece)) for _, piece in split(9, b"", parts)] == [size, size, size + few]
    assert len(list(split(9, b"", [bytes(3 * size + few + 1)]))) == 4


def test_nothing_is_copied_when_it_is_cut() -> None:
    start, large = b"start", bytes(3 * FRAGMENT_SIZE)
    parts = [part for _, parts in split(1, b"", [start, large]) for part in parts]
    assert [part.obj is large for part in parts] == [False, True, True, True]


@given(
    given_in=st.lists(st.binary(max_size=100), min_size=1, max_size=4).filter(any),
    size=st.integers(1, 50),
    seq=st.integers(1, (1 << 64) - 1),
)
def test_what_is_split_is_put_together(given_in: list[bytes], size: int, seq: int) -> None:
    payload = b"".join(given_in)
    pieces = [(head, b"".join(parts)) for head, parts in split(seq, b"\0C", given_in, size)]
    assert [len(piece) for _, piece in pieces[:-1]] == [size] * (len(pieces) - 1)
    (head, first), rest = pieces[0], pieces[1:]
    assert parse_head(head) == (seq, len(pieces))
    assert head[HEAD_SIZE:] == b"\0C"
    if not rest:
        assert first == payload
        return
    assembler = Assembler()
    begin(assembler, seq, len(pieces), bytes(first))
    for head, piece in rest[:-1]:
        assert assembler.proceed(*parse_head(head), bytes(piece)) is None
    message = assembler.proceed(*parse_head(rest[-1][0]), bytes(rest[-1][1]))
    assert message is not None
    assert message[1].encoded() == payload
