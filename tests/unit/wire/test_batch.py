"""What is copied behind what is to be written: whole packets, in order, and all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.wire.batch import CHUNK, Batch
from pyerlnode.wire.framing import Framer


def test_the_bytes_are_lengths_and_packets() -> None:
    batch = Batch(100)
    batch.add(b"\0", b"control", b"data")
    batch.add_plain(b"p\x83start", b"more")
    data = b"\0\0\0\x0e\x83D\0controldata" + b"\0\0\0\x0bp\x83startmore"
    assert batch.size == len(data)
    assert batch.take() == data
    assert (batch.size, batch.take()) == (0, b"")


def test_the_first_packet_wakes_whoever_takes_them() -> None:
    woken: list[int] = []
    batch = Batch(100)
    batch.wake = lambda: woken.append(batch.size)
    for _ in range(3):
        batch.add(b"\0", b"control", b"")
    assert woken == [0]
    batch.take()
    batch.add_plain(b"again", b"")
    assert woken == [0, 0]


def test_what_is_taken_at_once_is_bounded() -> None:
    batch = Batch(100)
    woken: list[None] = []
    batch.wake = lambda: woken.append(None)
    for _ in range(400):
        batch.add(b"\0", b"", bytes(1000))
    taken = []
    while batch.size:
        taken.append(len(batch.take()))
    assert sum(taken) == 400 * 1007
    assert max(taken) < CHUNK + 1007
    assert len(woken) == 1


def test_a_cleared_one_is_empty_and_closed() -> None:
    batch = Batch(100)
    batch.wake = lambda: None
    for _ in range(200):
        batch.add_plain(b"start", bytes(1000))
    batch.clear()
    assert (batch.size, batch.take(), batch.is_open, batch.wake) == (0, b"", False, None)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=50), st.sampled_from([5000, CHUNK]))))
def test_packets_come_out_as_they_went_in(steps: list[bytes | int | None]) -> None:
    batch, framer = Batch(100), Framer(1 << 30)
    packets: list[bytes] = []
    arrived: list[bytes] = []
    for step in steps:
        if step is None:
            arrived += framer.receive(batch.take())
            assert framer.pending == 0
        elif isinstance(step, bytes):
            packets.append(b"\x83D\0head" + step)
            batch.add(b"\0", b"head", step)
        else:
            packets.append(b"head" + bytes(step))
            batch.add_plain(b"head", bytes(step))
        assert batch.size == sum(4 + len(packet) for packet in packets[len(arrived) :])
    while batch.size:
        arrived += framer.receive(batch.take())
    assert arrived == packets
