from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from pyerlnode.errors import DecodeError
from pyerlnode.limits import DEFAULT
from pyerlnode.term import Atom, BitString, Pid, Port, Reference, decode_bare
from pyerlnode.term.leaves import read_atom, read_integer, read_pid
from pyerlnode.term.reader import Reader

N = Atom("a@b")
NODE = b"w\3a@b"
OLD_NODE = b"d\0\3a@b"


def text_float(text: bytes) -> bytes:
    return b"c" + text.ljust(31, b"\0")


TERMS: list[tuple[bytes, Any]] = [
    (b"a\0", 0),
    (b"a\xff", 255),
    (b"b\0\0\0\1", 1),
    (b"b\x80\0\0\0", -(2**31)),
    (b"b\x7f\xff\xff\xff", 2**31 - 1),
    (b"n\0\0", 0),
    (b"n\1\1\0", 0),
    (b"n\2\0\1\0", 1),
    (b"n\1\7\5", -5),
    (b"n\5\1\0\0\0\0\1", -(2**32)),
    (b"o\0\0\0\2\0\0\1", 256),
    (b"o\0\0\1\0\1" + b"\xff" * 256, 1 - 2**2048),
    (b"F" + struct.pack(">d", 1.5), 1.5),
    (text_float(b"1.50000000000000000000e+00"), 1.5),
    (text_float(b"-2.25E-2"), -0.0225),
    (text_float(b"+1.5\0rubbish"), 1.5),
    (b"w\2ok", Atom("ok")),
    (b"w\4true", True),
    (b"v\0\5false", False),
    (b"s\3nil", None),
    (b"d\0\4true", True),
    (b"s\1\xe9", Atom("é")),
    (b"d\0\1\xe9", Atom("é")),
    (b"v\0\2\xc3\xa9", Atom("é")),
    (b"w\0", Atom("")),
    (b"d\0\xff" + b"\xe9" * 255, Atom("é" * 255)),
    (b"v\3\xfc" + "😀".encode() * 255, Atom("😀" * 255)),
    (b"j", []),
    (b"k\0\0", []),
    (b"k\0\3\0\1\xff", [0, 1, 255]),
    (b"m\0\0\0\0", b""),
    (b"m\0\0\0\2\xff\0", b"\xff\0"),
    (b"M\0\0\0\1\3\xff", BitString(b"\xe0", 3)),
    (b"M\0\0\0\2\x08ab", b"ab"),
    (b"X" + NODE + struct.pack(">III", 1, 2, 2**32 - 1), Pid(N, 1, 2, 2**32 - 1)),
    (b"g" + OLD_NODE + struct.pack(">IIB", 1, 2, 3), Pid(N, 1, 2, 3)),
    (b"x" + NODE + struct.pack(">QI", 2**40, 7), Port(N, 2**40, 7)),
    (b"Y" + NODE + struct.pack(">II", 5, 7), Port(N, 5, 7)),
    (b"f" + OLD_NODE + struct.pack(">IB", 5, 0), Port(N, 5, 0)),
    (b"Z\0\1" + NODE + struct.pack(">II", 7, 1), Reference(N, 7, (1,))),
    (b"Z\0\5" + NODE + struct.pack(">6I", 7, 1, 2, 3, 4, 5), Reference(N, 7, (1, 2, 3, 4, 5))),
    (b"r\0\3" + OLD_NODE + struct.pack(">BIII", 2, 1, 2, 3), Reference(N, 2, (1, 2, 3))),
    (b"e" + OLD_NODE + struct.pack(">IB", 9, 1), Reference(N, 1, (9,))),
]


@pytest.mark.parametrize(("data", "term"), TERMS)
def test_a_leaf_is_read_to_its_end(data: bytes, term: Any) -> None:
    found, end = decode_bare(b"!" + data + b"rest", 1)
    assert found == term
    assert type(found) is type(term)
    assert end == 1 + len(data)


@pytest.mark.parametrize(("data", "term"), TERMS)
def test_a_leaf_cut_short_is_refused(data: bytes, term: Any) -> None:
    for end in range(len(data)):
        with pytest.raises(DecodeError) as caught:
            decode_bare(data[:end])
        assert 0 <= caught.value.offset <= end


def test_minus_zero_stays_what_it_is() -> None:
    assert math.copysign(1, decode_bare(b"F\x80" + b"\0" * 7)[0]) == -1


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        (b"F\x7f\xf0" + b"\0" * 6, "neither infinite nor NaN", 0),
        (b"F\xff\xf0" + b"\0" * 6, "neither infinite nor NaN", 0),
        (b"F\x7f\xf8" + b"\0" * 6, "neither infinite nor NaN", 0),
        (text_float(b""), "finite decimal", 0),
        (text_float(b"nan"), "finite decimal", 0),
        (text_float(b"inf"), "finite decimal", 0),
        (text_float(b"1e5"), "finite decimal", 0),
        (text_float(b" 1.5"), "finite decimal", 0),
        (text_float(b"1_0.5"), "finite decimal", 0),
        (text_float(b"1.5x"), "finite decimal", 0),
        (text_float(b"1.5e999"), "finite decimal", 0),
        (text_float(b"\xd9\xa1.5"), "finite decimal", 0),
        (b"w\1\xe9", "not valid UTF-8", 0),
        (b"w\2\xc0\x80", "not valid UTF-8", 0),
        (b"v\0\3\xed\xa0\x80", "not valid UTF-8", 0),
        (b"v\1\0" + b"a" * 256, "255 characters", 0),
        (b"d\1\0" + b"a" * 256, "255 characters", 0),
        (b"d\1\0" + b"\xe9" * 256, "255 characters", 0),
        (b"R\0", "atom 0 of a distribution header with 0 atoms", 0),
        (b"w\3ok", "3 bytes are announced, 2 are left", 2),
        (b"w\5true", "5 bytes are announced, 4 are left", 2),
        (b"m\0\0\0\5abcd", "5 bytes are announced, 4 are left", 5),
        (b"m\xff\xff\xff\xff", "4294967295 bytes are announced", 5),
        (b"k\xff\xffa", "65535 bytes are announced", 3),
        (b"o\xff\xff\xff\xff\0", "4294967295 bytes are announced", 6),
        (b"M\0\0\0\0\0", "cannot use 0 bits", 0),
        (b"M\0\0\0\0\x08", "cannot use 8 bits", 0),
        (b"M\0\0\0\1\0a", "cannot use 0 bits", 0),
        (b"M\0\0\0\1\x09a", "cannot use 9 bits", 0),
        (b"g" + OLD_NODE + struct.pack(">IIB", 1, 2, 4), "0 to 3", 15),
        (b"f" + OLD_NODE + struct.pack(">IB", 1, 4), "0 to 3", 11),
        (b"e" + OLD_NODE + struct.pack(">IB", 1, 255), "0 to 3", 11),
        (b"r\0\1" + OLD_NODE + struct.pack(">BI", 9, 1), "0 to 3", 9),
        (b"Z\0\0" + NODE + b"\0" * 4, "1 to 5 words", 0),
        (b"Z\0\6" + NODE + b"\0" * 28, "1 to 5 words", 0),
        (b"r\xff\xff" + NODE + b"\0" * 28, "1 to 5 words", 0),
        (b"Xa\1" + b"\0" * 12, "an atom is expected", 1),
        (b"Xm\0\0\0\1a" + b"\0" * 12, "an atom is expected", 1),
    ],
)
def test_a_malformed_leaf_is_refused(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode_bare(b"...." + data, 4)
    assert caught.value.offset == 4 + offset


def test_text_gives_str_where_binaries_are_utf8() -> None:
    def read(data: bytes) -> Any:
        return decode_bare(data, text="utf8")[0]

    assert read(b"m\0\0\0\2\xc3\xa9") == "é"
    assert read(b"m\0\0\0\1\xe9") == b"\xe9"
    assert read(b"M\0\0\0\2\x08ab") == "ab"
    assert type(read(b"m\0\0\0\2ok")) is str
    assert type(read(b"w\2ok")) is Atom


def test_references_to_the_atoms_of_a_header() -> None:
    refs = (Atom("a"), Atom("true"), Atom("nil"), Atom("false"))
    assert decode_bare(b"h\4R\0R\1R\2R\3", refs=refs)[0] == (Atom("a"), True, None, False)
    assert decode_bare(b"XR\0" + b"\0" * 12, refs=refs)[0] == Pid(Atom("a"), 0, 0, 0)
    reference = b"Z\0\2R\0" + b"\xff" * 12
    assert decode_bare(reference, refs=refs)[0] == Reference(Atom("a"), 2**32 - 1, (2**32 - 1,) * 2)
    for data in (b"XR\4" + b"\0" * 12, b"Z\0\1R\4" + b"\0" * 8):
        with pytest.raises(DecodeError, match="atom 4 of a distribution header with 4 atoms"):
            decode_bare(data, refs=refs)
    for end in range(len(reference)):
        with pytest.raises(DecodeError):
            decode_bare(reference[:end], refs=refs)
    with pytest.raises(DecodeError, match="not 6"):
        decode_bare(b"Z\0\6R\0" + b"\0" * 28, refs=refs)
    with pytest.raises(DecodeError, match="atom 4 of a distribution header with 4 atoms"):
        decode_bare(b"R\4", refs=refs)
    with pytest.raises(DecodeError, match="atom 4 of a distribution header with 4"):
        decode_bare(b"h\5R\0R\1R\2R\3R\4", refs=refs)


@pytest.mark.parametrize("name", ["true", "false", "nil", "a@b"])
def test_a_part_that_must_be_an_atom_is_an_atom(name: str) -> None:
    made = decode_bare(b"X" + Atom(name).external + b"\0" * 12)[0]
    assert type(made.node) is Atom
    assert made.node == name


def reader(data: bytes) -> Reader:
    return Reader(data, 0, (), False, DEFAULT)


def test_parts_of_other_terms() -> None:
    assert read_atom(reader(b"w\1a")) == "a"
    assert read_integer(reader(b"n\5\0\0\0\0\0\1")) == 2**32
    assert read_pid(reader(b"X" + NODE + b"\0" * 12)) == Pid(N, 0, 0, 0)
    assert read_pid(reader(b"g" + NODE + b"\0" * 9)) == Pid(N, 0, 0, 0)
    with pytest.raises(DecodeError, match="an integer is expected"):
        read_integer(reader(b"o\0\0\0\0\0"))
    with pytest.raises(DecodeError, match="a pid is expected"):
        read_pid(reader(b"a\1"))
