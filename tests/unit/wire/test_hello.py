"""Whitebox cases of the handshake messages, good and bad."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.wire.flags import HIDDEN, VISIBLE, Flags, without
from pyerlnode.wire.hello import (
    Challenge,
    Complement,
    Hello,
    Named,
    Reply,
    Status,
    ack_to_bytes,
    parse_ack,
    parse_challenge,
    parse_complement,
    parse_hello,
    parse_reply,
    parse_status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMELESS = without(VISIBLE, Flags.PUBLISHED) | Flags.NAME_ME
DIGEST = bytes(range(16))

MESSAGES: list[tuple[Any, Callable[[bytes], Any]]] = [
    (Hello("py@host", VISIBLE, 0xFFFFFFFF), parse_hello),
    (Hello("jos\xe9@h\xf4te", HIDDEN, 0), parse_hello),
    (Hello("host", NAMELESS, 0, dynamic=True), parse_hello),
    (Hello("py@host", VISIBLE & 0xFFFFFFFF, 0, 5), parse_hello),
    (Challenge("b@host", VISIBLE, 0xFFFFFFFF, 7), parse_challenge),
    (Challenge("b@host", VISIBLE & 0xFFFFFFFF, 0, 0, 5), parse_challenge),
    (Complement(Flags.SPAWN | Flags.V4_NC, 9), parse_complement),
    (Reply(1, DIGEST), parse_reply),
    (Named("x\xe9@host", 0xFFFFFFFF), parse_status),
    *((status, parse_status) for status in Status if status is not Status.NAMED),
]


@pytest.mark.parametrize(("message", "parse"), MESSAGES, ids=str)
def test_what_is_written_is_read(message: Any, parse: Callable[[bytes], Any]) -> None:
    assert parse(message.to_bytes()) == message


def test_an_acknowledgement_is_the_digest_alone() -> None:
    assert parse_ack(ack_to_bytes(DIGEST)) == DIGEST


def test_the_bytes_are_those_of_the_specification() -> None:
    assert Hello("a@b", VISIBLE, 2).to_bytes() == b"N\0\0\0\x6d\x07\xdf\x7f\xbd\0\0\0\x02\0\x03a@b"
    assert Hello("a@b", VISIBLE, 2, 5).to_bytes() == b"n\0\x05\x07\xdf\x7f\xbda@b"
    assert (
        Challenge("a@b", VISIBLE, 3, 2).to_bytes()
        == b"N\0\0\0\x6d\x07\xdf\x7f\xbd\0\0\0\x03\0\0\0\x02\0\x03a@b"
    )
    assert Challenge("a@b", VISIBLE, 3, 2, 5).to_bytes() == b"n\0\x05\x07\xdf\x7f\xbd\0\0\0\x03a@b"
    assert Complement(VISIBLE, 2).to_bytes() == b"c\0\0\0\x6d\0\0\0\x02"
    assert Reply(3, DIGEST).to_bytes() == b"r\0\0\0\x03" + DIGEST
    assert Named("a@b", 2).to_bytes() == b"snamed:\0\x03a@b\0\0\0\x02"
    assert Status.OK_SIMULTANEOUS.to_bytes() == b"sok_simultaneous"


@pytest.mark.parametrize(
    "message", [message for message, _ in MESSAGES if message in (MESSAGES[0][0], MESSAGES[4][0])]
)
def test_what_follows_the_name_in_version_6_is_for_the_future(message: Any) -> None:
    parse = parse_hello if isinstance(message, Hello) else parse_challenge
    assert parse(message.to_bytes() + b"future") == message


def test_what_follows_a_given_name_is_ignored() -> None:
    assert parse_status(Named("a@b", 2).to_bytes() + b"future") == Named("a@b", 2)


@pytest.mark.parametrize(("message", "parse"), MESSAGES, ids=str)
def test_every_truncation_is_refused(message: Any, parse: Callable[[bytes], Any]) -> None:
    frame = message.to_bytes()
    for end in range(len(frame)):
        try:
            cut = parse(frame[:end])
        except RemoteProtocolError:
            continue
        # Where the name, or the word, runs to the end of the frame, less of it is another one.
        assert isinstance(message, Status) or (message.version == 5 and message.name.startswith(cut.name))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"N",
        b"n\0\x04\x07\xdf\x7f\xbda@b",  # version 4
        b"n\0\x06\x07\xdf\x7f\xbda@b",  # version 6 in the clothes of 5
        b"n\0\x05\x07\xdf\x7f\xbd",  # no name
        b"N" + bytes(12) + b"\0\x04a@b",  # a name longer than the frame
        b"N" + bytes(12) + b"\0\0",
        b"N" + bytes(12) + b"\0\x03a.b",
        b"N" + bytes(12) + b"\0\x03@bc",
        b"N" + bytes(12) + b"\0\x03ab@",
        b"N" + bytes(12) + b"\0\x05a@b@c",
        b"N" + bytes(12) + b"\0\x04a\n@b",
        b"N" + bytes(12) + b"\x01\x04" + b"a" * 256 + b"@bcd",
        b"N\0\0\0\x02" + bytes(8) + b"\0\x03a@b",  # asks for a name and has one
        b"N\0\0\0\x02" + bytes(8) + b"\0\0",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_bad_name_messages_are_refused(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_hello(frame)


@pytest.mark.parametrize("length", [250, 251])
def test_a_name_has_at_most_255_characters(length: int) -> None:
    frame = Hello("a" * length + "@host", VISIBLE, 1).to_bytes()
    if length == 250:
        assert len(parse_hello(frame).name) == 255
    else:
        with pytest.raises(RemoteProtocolError):
            parse_hello(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"s",
        b"ok",
        b"sOK",
        b"sok ",
        b"snamed",
        b"snamed:",
        b"snamed:\0\x03a@b",
        b"snamed:\0\x03a@b\0\0\0",
        b"snamed:\0\x03abc\0\0\0\1",
        b"snamed:\0\x04a@\xff\xfe\0\0\0\1",
        b"s\xff\xff",
    ],
)
def test_bad_statuses_are_refused(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_status(frame)


@pytest.mark.parametrize("parse", [parse_reply, parse_ack, parse_complement])
def test_messages_of_fixed_size_have_that_size(parse: Callable[[bytes], Any]) -> None:
    right = {parse_reply: Reply(1, DIGEST).to_bytes(), parse_ack: ack_to_bytes(DIGEST)}.get(
        parse, b"c" + bytes(8)
    )
    parse(right)
    for wrong in (right[:-1], right + b"\0", b"x" + right[1:]):
        with pytest.raises(RemoteProtocolError):
            parse(wrong)


def test_an_error_shows_only_the_beginning_of_what_came() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_challenge(b"\xff" * 60_000)
    assert len(str(caught.value)) < 250


PARSERS = [parse_hello, parse_status, parse_challenge, parse_complement, parse_reply, parse_ack]


@pytest.mark.parametrize("parse", PARSERS)
@given(
    tag=st.sampled_from([b"", b"N", b"n\0\x05", b"s", b"snamed:", b"c", b"r", b"a"]),
    rest=st.binary(max_size=80),
)
def test_any_bytes_are_read_or_refused(parse: Callable[[bytes], Any], tag: bytes, rest: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse(tag + rest)
