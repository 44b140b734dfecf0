from __future__ import annotations

import struct
import sys
import threading
import tracemalloc
import zlib
from typing import Any

import pytest

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.limits import Limits
from pyerlnode.term import (
    Atom,
    ExportFun,
    Fun,
    ImproperList,
    Pid,
    Record,
    TermMap,
    decode,
    decode_bare,
)

A = Atom
NODE = b"w\3a@b"
PID = b"X" + NODE + struct.pack(">III", 1, 2, 3)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def fun(*, size: int = 0, arity: int = 1, free: bytes = b"", count: int = 0, pid: bytes = PID) -> bytes:
    fixed = b"p" + u32(size) + bytes((arity,)) + b"u" * 16 + u32(2) + u32(count)
    return fixed + b"w\1m" + b"a\3" + b"b" + u32(4) + pid + free


TERMS: list[tuple[bytes, Any]] = [
    (b"h\0", ()),
    (b"h\2a\1h\1a\2", (1, (2,))),
    (b"i" + u32(0), ()),
    (b"i" + u32(2) + b"a\1a\2", (1, 2)),
    (b"l" + u32(1) + b"a\1j", [1]),
    (b"l" + u32(1) + b"a\1a\2", ImproperList((1,), 2)),
    (b"l" + u32(1) + b"a\1" + b"l" + u32(1) + b"a\2j", [1, 2]),
    (b"l" + u32(1) + b"a\1" + b"l" + u32(1) + b"a\2a\3", ImproperList((1, 2), 3)),
    (b"l" + u32(1) + b"a\1" + b"k\0\2\2\3", [1, 2, 3]),
    (b"l" + u32(1) + b"j" + b"m" + u32(0), ImproperList(([],), b"")),
    (b"l" + u32(0) + b"j", []),
    (b"l" + u32(0) + b"a\1", 1),
    (b"l" + u32(0) + b"k\0\1\1", [1]),
    (b"t" + u32(0), {}),
    (b"t" + u32(2) + b"a\1a\2" + b"w\1aj", {1: 2, A("a"): []}),
    (
        b"t" + u32(2) + b"a\1w\1a" + b"F" + struct.pack(">d", 1) + b"w\1b",
        TermMap([(1, A("a")), (1.0, A("b"))]),
    ),
    (b"t" + u32(2) + b"a\1j" + b"w\4truej", TermMap([(1, []), (True, [])])),
    (b"t" + u32(1) + b"ja\1", TermMap([([], 1)])),
    (b"t" + u32(2) + b"h\1a\1j" + b"h\1w\4truej", TermMap([((1,), []), ((True,), [])])),
    (b"q" + b"w\5lists" + b"w\3map" + b"a\2", ExportFun(A("lists"), A("map"), 2)),
    (b"q" + b"w\3nil" + b"w\4true" + b"b" + u32(255), ExportFun(A("nil"), A("true"), 255)),
    (fun(), Fun(1, b"u" * 16, 2, A("m"), 3, 4, Pid(A("a@b"), 1, 2, 3), ())),
    (
        fun(size=2**32 - 1, arity=255, free=b"ja\1", count=2),
        Fun(255, b"u" * 16, 2, A("m"), 3, 4, Pid(A("a@b"), 1, 2, 3), ([], 1)),
    ),
    (b"C" + u32(0) + b"\0w\1mw\1n", Record(A("m"), A("n"), (), False)),
    (
        b"C" + u32(2) + b"\1w\1mw\1n" + b"w\1bw\4true" + b"a\1j",
        Record(A("m"), A("n"), ((A("b"), 1), (A("true"), [])), True),
    ),
]


@pytest.mark.parametrize(("data", "term"), TERMS)
def test_a_container_is_read_to_its_end(data: bytes, term: Any) -> None:
    found, end = decode_bare(b"!" + data + b"rest", 1)
    assert found == term
    assert type(found) is type(term)
    assert end == 1 + len(data)


@pytest.mark.parametrize(("data", "term"), TERMS)
def test_a_container_cut_short_is_refused(data: bytes, term: Any) -> None:
    for end in range(len(data)):
        with pytest.raises(DecodeError) as caught:
            decode_bare(data[:end])
        assert 0 <= caught.value.offset <= end


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        (b"", "ends within a term", 0),
        (b"\x00", "no term with the tag 0", 0),
        (b"h\1\xff", "no term with the tag 255", 2),
        (b"u\0\0\0\0", "tag 117.* not accepted", 0),
        (b"h\1y\0\0\0\0", "tag 121.* not accepted", 2),
        (b"P\0\0\0\0", "only allowed right after 131", 0),
        (b"h\1P\0\0\0\0", "only allowed right after 131", 2),
        (b"\x83a\1", "no term with the tag 131", 0),
        (b"D", "no term with the tag 68", 0),
        (b"h\5a\1", "5 elements cannot fit into the 2 bytes left", 0),
        (b"h\2a\1", "ends within a term", 4),
        (b"i\xff\xff\xff\xff", "at most 16777215 elements", 0),
        (b"i\0\xff\xff\xff", "16777215 elements cannot fit", 0),
        (b"l\xff\xff\xff\xffj", "4294967296 elements cannot fit", 0),
        (b"l\0\0\0\1a\1", "ends within a term", 7),
        (b"l\0\0\0\1a\1l\xff\xff\xff\xffj", "4294967296 elements cannot fit", 7),
        (b"t\xff\xff\xff\xffj", "8589934590 elements cannot fit", 0),
        (b"t" + u32(2) + b"a\1ja\1j", "a key comes twice", 0),
        (b"t" + u32(2) + b"jjjj", "a key comes twice", 0),
        (b"t" + u32(3) + b"jjjja\1j", "a key comes twice", 0),
        (b"h\1t" + u32(2) + b"t\0\0\0\0jt\0\0\0\0j", "a key comes twice", 2),
        (b"C" + u32(0) + b"\2w\1mw\1n", "unknown flags 2", 0),
        (b"C" + u32(2) + b"\0w\1mw\1n" + b"w\1aw\1a" + b"jj", "a field comes twice", 0),
        (b"C" + u32(1) + b"\0w\1mw\1n" + b"a\1j", "an atom is expected", 12),
        (b"C\xff\xff\xff\xff\0w\1mw\1nw\1a", "ends within a term", 15),
        (b"q" + b"w\1m" + b"w\1f" + b"b" + u32(2**32 - 1), "arity -1", 0),
        (b"q" + b"w\1m" + b"w\1f" + b"n\4\0" + u32(2**32 - 1), "arity 4294967295", 0),
        (b"q" + b"w\1m" + b"a\1" + b"a\1", "an atom is expected", 4),
        (b"q" + b"w\1m" + b"w\1f" + b"w\1f", "an integer is expected", 7),
        (fun(count=256), "closes over at most 255", 0),
        (fun(pid=b"a\1"), "a pid is expected", 40),
        (fun(count=3, free=b"a\1"), "3 elements cannot fit", 0),
        (b"p\0\0\0\0\1uuuu", "16 bytes are announced, 4 are left", 6),
    ],
)
def test_a_malformed_term_is_refused(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode_bare(b"...." + data, 4)
    assert caught.value.offset == 4 + offset


class TestStandAlone:
    @pytest.mark.parametrize("data", [b"", b"\x82a\1", b"a\1", b"P"])
    def test_it_begins_with_131(self, data: bytes) -> None:
        with pytest.raises(DecodeError, match="first byte is not 131"):
            decode(data)

    def test_nothing_follows_the_term(self) -> None:
        with pytest.raises(DecodeError, match="2 bytes follow the term") as caught:
            decode(b"\x83a\1..")
        assert caught.value.offset == 3

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_buffer_will_do(self, kind: Any) -> None:
        assert decode(kind(b"\x83h\1a\1")) == (1,)
        assert decode(memoryview(b"\x83xhx\1xax\1")[::2]) == (1,)
        assert decode_bare(kind(b"..a\1"), 2) == (1, 4)

    @pytest.mark.parametrize("wrong", ["text", 5, None])
    def test_what_is_no_buffer_is_a_type_error(self, wrong: Any) -> None:
        with pytest.raises(TypeError):
            decode(wrong)

    def test_text_goes_all_the_way_down(self) -> None:
        data = b"\x83h\1t" + u32(1) + b"m" + u32(1) + b"k" + b"l" + u32(1) + b"m" + u32(1) + b"vj"
        assert decode(data, text="utf8") == ({"k": ["v"]},)
        assert decode(data) == ({b"k": [b"v"]},)

    def test_text_keys_that_equal_atoms_are_not_merged(self) -> None:
        data = b"\x83t" + u32(2) + b"m" + u32(1) + b"k" + b"a\1" + b"w\1k" + b"a\2"
        made = decode(data, text="utf8")
        assert made == TermMap([("k", 1), (A("k"), 2)])
        assert (made["k"], made[A("k")]) == (1, 2)

    def test_no_other_text_is_known(self) -> None:
        with pytest.raises(ValueError, match="text='latin1'"):
            decode(b"\x83a\1", text="latin1")


def compressed(bare: bytes, *, size: int | None = None) -> bytes:
    return b"\x83P" + u32(len(bare) if size is None else size) + zlib.compress(bare)


class TestCompressed:
    def test_it_is_inflated(self) -> None:
        assert decode(compressed(b"k\x03\xe8" + b"\7" * 1000)) == [7] * 1000

    @pytest.mark.parametrize("size", [0, 1, 3, 2**20])
    def test_the_size_must_be_right(self, size: int) -> None:
        with pytest.raises(DecodeError, match=f"does not inflate to the {size} bytes") as caught:
            decode(compressed(b"a\1", size=size))
        assert caught.value.offset == 2

    def test_nothing_follows_the_stream(self) -> None:
        data = compressed(b"a\1")
        with pytest.raises(DecodeError, match="3 bytes follow") as caught:
            decode(data + b"...")
        assert caught.value.offset == len(data)

    def test_nothing_follows_the_term_inside(self) -> None:
        with pytest.raises(DecodeError, match="1 bytes follow"):
            decode(compressed(b"a\1."))

    def test_it_does_not_nest(self) -> None:
        with pytest.raises(DecodeError, match="only allowed right after 131"):
            decode(compressed(compressed(b"a\1")[1:]))

    def test_a_damaged_stream_is_refused(self) -> None:
        data = bytearray(compressed(b"k\x03\xe8" + b"\7" * 1000))
        data[-1] ^= 1
        with pytest.raises(DecodeError, match="damaged"):
            decode(data)

    def test_every_truncation_is_refused(self) -> None:
        data = compressed(bytes(range(97, 98)) + b"\1")
        for end in range(len(data)):
            with pytest.raises(DecodeError):
                decode(data[:end])

    def test_the_announced_size_is_bounded(self) -> None:
        with pytest.raises(LimitExceeded, match=r"Limits\.inflate=100"):
            decode(compressed(b"a\1", size=101), limits=Limits(inflate=100))
        assert decode(compressed(b"a\1"), limits=Limits(inflate=2)) == 1

    def test_a_bomb_is_not_inflated_beyond_what_it_announces(self) -> None:
        bomb = b"\x83P" + u32(1000) + zlib.compress(b"\0" * 50_000_000)
        assert peak_while_refused(bomb) < 1_000_000


def peak_while_refused(data: bytes) -> int:
    """Return how many bytes were allocated at most while ``data`` was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            decode(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestHostile:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x83i\0\xff\xff\xff" + b"j" * 1000,
            b"\x83l\xff\xff\xff\xff" + b"j" * 1000,
            b"\x83t\xff\xff\xff\xff" + b"j" * 1000,
            b"\x83m\xff\xff\xff\xff" + b"j" * 1000,
            b"\x83o\xff\xff\xff\xff\0" + b"j" * 1000,
            b"\x83M\xff\xff\xff\xff\1" + b"j" * 1000,
            b"\x83C\xff\xff\xff\xff\0w\1mw\1n" + b"w\1j" * 300,
            b"\x83" + b"i\0\0\1\0" * 200 + b"j" * 1000,
        ],
    )
    def test_a_lying_count_allocates_nothing(self, data: bytes) -> None:
        assert peak_while_refused(data) < 200_000

    @pytest.mark.parametrize("level", [b"h\1", b"i\0\0\0\1", b"l\0\0\0\1", b"t\0\0\0\1j", b"l\0\0\0\1j"])
    def test_a_hundred_thousand_levels_are_refused(self, level: bytes) -> None:
        end = b"jj" if level[:1] == b"l" else b"j"
        with pytest.raises(DecodeError):
            decode(b"\x83" + level * 100_000 + end * 100_000)

    @pytest.mark.parametrize("nested", [b"C\0\0\0\1\0w\1mw\1nw\1a", fun(count=1)])
    def test_records_and_funs_count_as_levels(self, nested: bytes) -> None:
        data = b"\x83" + nested * 20 + b"j"
        assert decode(data, limits=Limits(nesting=20))
        with pytest.raises(LimitExceeded, match=r"Limits\.nesting=19"):
            decode(data, limits=Limits(nesting=19))

    def test_nesting_is_allowed_up_to_the_limit(self) -> None:
        for depth in (1, 10, 500):
            data = b"\x83" + b"h\1" * depth + b"j"
            assert decode(data, limits=Limits(nesting=depth))
            if depth > 1:
                with pytest.raises(LimitExceeded, match=rf"Limits\.nesting={depth - 1}"):
                    decode(data, limits=Limits(nesting=depth - 1))

    def test_the_default_nesting_fits_into_the_default_stack(self) -> None:
        data = b"\x83" + b"l\0\0\0\1" * 500 + b"j" * 501
        result: list[Any] = []
        thread = threading.Thread(target=lambda: result.append(decode(data)))
        thread.start()
        thread.join()
        assert result

    @pytest.mark.parametrize("left", [40, 80, 200])
    def test_a_stack_that_is_nearly_used_up_is_a_limit_at_most(self, left: int) -> None:
        data = b"\x83" + b"h\1" * 400 + b"j"

        def deep(levels: int) -> Any:
            return deep(levels - 1) if levels else decode(data)

        frame, used = sys._getframe(), 0
        while frame.f_back:
            frame, used = frame.f_back, used + 1
        try:
            assert deep(sys.getrecursionlimit() - used - left)
        except LimitExceeded as error:
            assert "this thread's stack" in str(error)
            assert left < 200

    def test_nesting_has_no_bound_but_the_one_in_limits(self) -> None:
        data = b"\x83" + b"h\1" * 5_000 + b"j"
        term = decode(data, limits=Limits(nesting=5_000))
        for _ in range(5_000):
            (term,) = term
        assert term == []
        with pytest.raises(LimitExceeded, match=r"Limits\.nesting=4999"):
            decode(data, limits=Limits(nesting=4_999))

    def test_the_number_of_elements_is_bounded(self) -> None:
        limits = Limits(elements=10)
        assert decode(b"\x83h\5" + b"h\1a\1" * 5, limits=limits)
        for data in (b"h\6" + b"h\1a\1" * 6, b"k\0\x0b" + b"a" * 11, b"t\0\0\0\6" + b"a\1" * 12):
            with pytest.raises(LimitExceeded, match=r"Limits\.elements=10"):
                decode(b"\x83" + data, limits=limits)
        for data in (b"l\0\0\0\x0a" + b"j" * 11, b"i\0\0\0\x0b" + b"j" * 11):
            with pytest.raises(LimitExceeded, match=r"Limits\.elements=10"):
                decode(b"\x83" + data, limits=limits)

    def test_a_chain_of_list_tails_takes_linear_time_and_no_stack(self) -> None:
        data = b"\x83" + b"l\0\0\0\1j" * 50_000 + b"j"
        assert decode(data) == [[]] * 50_000
        assert decode(b"\x83" + b"l\0\0\0\0" * 50_000 + b"j") == []

    def test_maps_as_keys_of_maps_take_linear_time(self) -> None:
        wide = b"k\xff\xff" + b"\7" * 65_535
        term = decode(b"\x83" + b"t\0\0\0\1" * 32 + wide + b"j" * 32)
        assert type(term) is TermMap
