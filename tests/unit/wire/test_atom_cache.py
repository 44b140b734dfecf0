from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Atom
from pyerlnode.wire.atom_cache import SLOTS, AtomCache, SendingCache
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


def test_a_slot_filled_for_the_first_time_changes_no_other_header() -> None:
    cache, writer = AtomCache(), Writer()
    cache.read_header(writer.header([(3, "a")]), 0)
    again = writer.header([(3, "a")])
    cache.read_header(again, 0)
    cache.known[b"key"] = "value"
    cache.last = b"key"
    cache.read_header(writer.header([(4, "b")]), 0)
    assert cache.known
    assert cache.last
    assert again in cache._headers
    cache.read_header(writer.header([(4, "c")]), 0)
    assert not cache.known
    assert not cache.last
    assert not cache._headers


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


# ------------------------------------------------------------------------------- the sending half


def atoms(*names: str) -> tuple[Atom, ...]:
    return tuple(map(Atom, names))


def test_atoms_are_new_once_and_named_by_their_slot_afterwards() -> None:
    cache = SendingCache()
    assert cache.header(()) == b"\0"
    assert cache.header(atoms("ok")) == bytes([1, 0x08, 0, 2]) + b"ok"
    assert cache.header(atoms("ok")) == bytes([1, 0x00, 0])
    assert cache.header(atoms("error", "ok")) == bytes([2, 0x08, 0x00, 1, 5]) + b"error" + bytes([0])
    assert cache.header(atoms("", "ok", "error")) == bytes([3, 0x08, 0x00, 2, 0, 0, 1])


def test_a_long_atom_makes_all_lengths_two_bytes() -> None:
    text = "\u20ac" * 86
    raw = text.encode()
    cache = SendingCache()
    assert cache.header(atoms("a", text)) == bytes([2, 0x88, 0x01, 0, 0, 1]) + b"a" + bytes([1, 1, 2]) + raw
    assert cache.header(atoms(text, "b")) == bytes([2, 0x80, 0x00, 1, 2, 1]) + b"b"
    assert SendingCache().header(atoms(text)) == bytes([1, 0x18, 0, 1, 2]) + raw
    fits = "\u20ac" * 85
    assert SendingCache().header(atoms(fits)) == bytes([1, 0x08, 0, 255]) + fits.encode()


def test_slots_have_eleven_bits() -> None:
    cache = SendingCache()
    for slot in range(SLOTS):
        cache.header(atoms(f"a{slot}"))
    assert cache.header(atoms("a255", "a256", "a2047")) == bytes([3, 0x10, 0x07, 255, 0, 255])


def test_slots_are_filled_in_turn_and_then_anew() -> None:
    cache = SendingCache()
    for slot in range(SLOTS):
        cache.header(atoms(f"a{slot}"))
    assert cache.header(atoms("new")) == bytes([1, 0x08, 0, 3]) + b"new"
    assert cache.header(atoms("a0")) == bytes([1, 0x08, 1, 2]) + b"a0"
    assert cache.header(atoms("new", "a2")) == bytes([2, 0x00, 0x00, 0, 2])
    assert len(cache._slots) == SLOTS


def test_no_slot_has_two_atoms_in_one_header() -> None:
    cache = SendingCache()
    for slot in range(SLOTS):
        cache.header(atoms(f"a{slot}"))
    # slots 0 and 1 are due, but this header names them itself, as an atom that stays and one that moves
    assert (
        cache.header(atoms("a0", "new", "a1"))
        == bytes([3, 0x80, 0x08, 0, 1, 3]) + b"new" + bytes([2, 2]) + b"a1"
    )


def test_a_header_is_forgotten_when_its_slots_change() -> None:
    cache = SendingCache()
    for slot in range(SLOTS):
        cache.header(atoms(f"a{slot}"))
    assert cache.header(atoms("a0")) == cache.header(atoms("a0")) == bytes([1, 0, 0])
    cache.header(atoms("new"))
    assert cache.header(atoms("a0"))[1] == 0x08


def test_written_headers_do_not_pile_up() -> None:
    cache = SendingCache()
    for first in range(100):
        for second in range(100):
            cache.header(atoms(f"a{first}", f"b{second}"))
    assert len(cache._headers) <= 512


@pytest.mark.parametrize("count", [1, 2, 3, 254, 255])
def test_any_number_of_atoms(count: int) -> None:
    cache, peer = SendingCache(), AtomCache()
    names = atoms(*(f"atom{number}" for number in range(count)))
    for _ in range(3):
        header = cache.header(names)
        assert peer.read_header(header, 0) == (names, len(header))


POOL = [Atom(f"a{number}") for number in range(40)] + [Atom("\u20ac" * 255), Atom("true"), Atom("")]
CROWD = [Atom(f"crowd{number}") for number in range(3 * SLOTS)]


@given(st.lists(st.lists(st.sampled_from(POOL), unique=True, max_size=20), max_size=20), st.data())
def test_what_we_write_our_receiving_half_reads(messages: list[list[Atom]], data: st.DataObject) -> None:
    cache, peer = SendingCache(), AtomCache()
    for names in messages:
        if data.draw(st.booleans()):  # most slots change hands
            start = data.draw(st.integers(0, 2 * SLOTS))
            for first in range(start, start + SLOTS - 100, 200):
                many = tuple(CROWD[first : first + 200])
                assert peer.read_header(cache.header(many), 0)[0] == many
        header = cache.header(tuple(names))
        assert peer.read_header(b"x" + header + b"rest", 1) == (tuple(names), 1 + len(header))
