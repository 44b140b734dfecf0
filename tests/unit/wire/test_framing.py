from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import LocalProtocolError, RemoteProtocolError
from pyerlnode.wire import framing
from pyerlnode.wire.framing import TICK, Framer, frame2, frame4

IS_COMPILED = not (framing.__file__ or "").endswith(".py")
BODIES = st.lists(st.binary(max_size=300), max_size=12)
FRAME = {2: frame2, 4: frame4}


def test_frames_have_their_length_before_them() -> None:
    assert frame2(b"abc") == b"\0\x03abc"
    assert frame4(b"abc") == b"\0\0\0\x03abc"
    assert frame4(b"") == TICK


def test_a_handshake_message_must_fit_two_bytes() -> None:
    assert len(frame2(bytes(65535))) == 65537
    with pytest.raises(LocalProtocolError):
        frame2(bytes(65536))


class Huge(bytes):
    def __len__(self) -> int:
        return 1 << 32


def test_a_packet_must_fit_four_bytes() -> None:
    if IS_COMPILED:  # which looks at the real size of bytes
        assert frame4(Huge(b"x")) == frame4(b"x")
    else:
        with pytest.raises(LocalProtocolError):
            frame4(Huge())


def test_only_2_and_4_are_lengths() -> None:
    with pytest.raises(LocalProtocolError):
        Framer(10, prefix=3)


@pytest.mark.parametrize("prefix", [2, 4])
@given(bodies=BODIES)
def test_one_piece_or_single_bytes_give_the_same_frames(prefix: int, bodies: list[bytes]) -> None:
    stream = b"".join(FRAME[prefix](body) for body in bodies)
    whole, single = Framer(300, prefix), Framer(300, prefix)
    assert whole.receive(stream) == bodies
    assert [frame for byte in stream for frame in single.receive(bytes([byte]))] == bodies
    assert whole.pending == single.pending == 0


@given(bodies=BODIES, data=st.data(), kind=st.sampled_from([bytes, bytearray, memoryview]))
def test_any_cutting_gives_the_same_frames(bodies: list[bytes], data: st.DataObject, kind: type) -> None:
    stream = b"".join(map(frame4, bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer, frames = Framer(300), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames += framer.receive(kind(stream[start:end]))
    assert frames == bodies
    assert all(type(frame) is bytes for frame in frames)


def test_what_is_incomplete_waits() -> None:
    framer = Framer(100)
    assert framer.receive(b"\0\0\0\x05ab") == []
    assert framer.pending == 6
    assert framer.receive(b"cde\0\0") == [b"abcde"]
    assert framer.pending == 2


def test_received_buffers_may_be_reused_at_once() -> None:
    buffer = bytearray(frame4(b"kept") + b"\0\0\0\x04pa")
    framer = Framer(100)
    frames = framer.receive(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    assert frames == [b"kept"]
    assert framer.receive(b"rt") == [b"part"]


@pytest.mark.parametrize("pieces", [[b"\0\0\0\x65"], [b"\0\0\0", b"\x65"], [b"\0\0\0\x01a\0\0\0\x65"]])
def test_a_frame_above_the_limit_is_refused_at_its_length(pieces: list[bytes]) -> None:
    framer = Framer(100)
    with pytest.raises(RemoteProtocolError, match="101 bytes is above the limit of 100"):
        for piece in pieces:
            framer.receive(piece)
    assert framer.pending < 5


@given(st.binary(max_size=400))
def test_any_bytes_give_frames_or_a_protocol_error(data: bytes) -> None:
    try:
        frames = Framer(60_000, 2).receive(data)
    except RemoteProtocolError:
        return
    assert sum(len(frame) + 2 for frame in frames) <= len(data)
