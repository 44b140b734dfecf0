from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Atom
from pyerlnode.wire.atom_cache import SLOTS, AtomCache
from tests.unit.wire.headers import Writer

ENTRIES = st.lists(
    st.tuples(
        st.one_of(st.integers(0, SLOTS - 1), st.sampled_from([0, 1, 255, 256, 2047])),
        st.one_of(
            st.sampled_from(["ok", "true", "nil", "", "a@host"]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
        ),
    ),
    max_size=20,
)


def test_no_atoms() -> None:
    assert AtomCache().read_header(b"\x83D\0rest", 2) == ((), 3)


def test_the_order_of_nibbles_is_low_first() -> None:
    cache = AtomCache()
    # Two new atoms in segments 1 and 2; the flags of both in one byte, the long flag in the next.
    frame = bytes([2, 0xA9, 0x00, 7, 1]) + b"a" + bytes([7, 1]) + b"b" + b"rest"
    assert cache.read_header(frame, 0) == (("a", "b"), len(frame) - 4)
    # One reference, to slot 2*256+7: its flags in the low nibble.
    assert cache.read_header(bytes([1, 0x02, 7]), 0) == (("b",), 3)
    assert cache.read_header(bytes([1, 0x01, 7]), 0) == (("a",), 3)


def test_the_long_flag_is_the_nibble_behind_the_last() -> None:
    cache = AtomCache()
    text = "\u20ac" * 200
    raw = text.encode()
    odd = bytes([1, 0x18, 0]) + len(raw).to_bytes(2, "big") + raw
    assert cache.read_header(odd, 0) == ((text,), len(odd))
    even = bytes([2, 0x88, 0x01, 0, 0, 1, 1, 0, 2]) + b"bc"
    assert even[3:] == b"\0\0\1\1\0\2bc"
    assert cache.read_header(bytes([2, 0x88, 0x01, 0, 0, 1]) + b"a" + bytes([1, 0, 2]) + b"bc", 0) == (
        ("a", "bc"),
        12,
    )


def test_one_atom_may_be_overwritten_within_a_header() -> None:
    cache = AtomCache()
    frame = bytes([3, 0x88, 0x00, 5, 1]) + b"a" + bytes([5, 1]) + b"b" + bytes([5])
    assert cache.read_header(frame, 0)[0] == ("a", "b", "b")
    assert cache.read_header(bytes([1, 0, 5]), 0)[0] == ("b",)


def test_the_same_header_means_something_else_once_a_slot_is_filled_anew() -> None:
    cache, writer = AtomCache(), Writer()
    old = [(3, "old"), (4, "kept")]
    cache.read_header(writer.header(old), 0)
    again = writer.header(old)
    for _ in range(3):
        assert cache.read_header(again, 0) == (("old", "kept"), len(again))
    cache.read_header(writer.header([(3, "new")]), 0)
    assert cache.read_header(again, 0) == (("new", "kept"), len(again))


def test_remembered_headers_do_not_pile_up() -> None:
    cache, writer = AtomCache(), Writer()
    cache.read_header(writer.header([(slot, f"a{slot}") for slot in range(100)]), 0)
    for first in range(100):
        for second in range(100):
            entries = [(first, f"a{first}"), (second, f"a{second}")]
            assert cache.read_header(writer.header(entries), 0)[0] == (f"a{first}", f"a{second}")
    assert len(cache._headers) <= 512


def test_255_atoms() -> None:
    writer = Writer()
    entries = [(slot * 8, f"atom{slot}") for slot in range(255)]
    frame = writer.header(entries)
    refs, end = AtomCache().read_header(frame, 0)
    assert refs == tuple(text for _, text in entries)
    assert end == len(frame)


def test_constants_stay_atoms() -> None:
    refs, _ = AtomCache().read_header(Writer().header([(0, "true"), (1, "nil")]), 0)
    assert refs == ("true", "nil")
    assert {type(atom) for atom in refs} == {Atom}


@pytest.mark.parametrize("slot", [0, 255, 256, 2047])
def test_a_reference_to_an_empty_slot_is_refused(slot: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"slot {slot}"):
        AtomCache().read_header(bytes([1, slot >> 8, slot & 255]), 0)


def test_caches_are_not_shared() -> None:
    writer = Writer()
    AtomCache().read_header(writer.header([(0, "a")]), 0)
    with pytest.raises(RemoteProtocolError):
        AtomCache().read_header(writer.header([(0, "a")]), 0)


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", "\u20ac".encode() * 256])
def test_a_text_that_is_no_atom_is_refused(text: bytes) -> None:
    frame = bytes([1, 0x18, 0]) + len(text).to_bytes(2, "big") + text
    with pytest.raises(RemoteProtocolError):
        AtomCache().read_header(frame, 0)


def test_every_truncation_is_refused() -> None:
    for long in (False, True):
        frame = Writer().header([(0, "one"), (700, "two"), (2047, "three"), (5, "")], long=long)
        for end in range(len(frame)):
            with pytest.raises(RemoteProtocolError):
                AtomCache().read_header(frame[:end], 0)


@given(st.lists(ENTRIES, max_size=12))
def test_headers_of_any_sender_are_read(conversation: list[list[tuple[int, str]]]) -> None:
    cache, writer = AtomCache(), Writer()
    for entries in conversation:
        header = writer.header(entries)
        refs, end = cache.read_header(b"xx" + header + b"rest", 2)
        assert refs == tuple(text for _, text in entries)
        assert end == 2 + len(header)


@given(st.binary(max_size=80), st.integers(0, 90))
def test_any_bytes_are_read_or_refused(frame: bytes, offset: int) -> None:
    try:
        refs, end = AtomCache().read_header(frame, offset)
    except RemoteProtocolError:
        return
    assert len(refs) == frame[offset]
    assert offset < end <= len(frame)
