"""Both ways of reading containers, by recursion and without, give the same; see also test_decode."""

from __future__ import annotations

from itertools import product
from struct import pack
from typing import Any

import pytest

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, TermMap, decode, encode
from pyerlnode.term.quick import LEVELS, read_term
from pyerlnode.term.reader import Reader

LEAVES: list[Any] = [
    0,
    255,
    -1,
    2**31,
    -(2**63),
    2**63 - 1,
    2**64 - 1,
    2**64,
    -(2**200),
    0.5,
    -0.0,
    b"",
    b"ab",
]
LEAVES += [Atom("ok"), True, False, None, [], [1, 2], Atom("é" * 200), b"x" * 70_000, Atom("")]


def read(data: bytes, depth: int = LEVELS) -> Any:
    r = Reader(data, 0, (), False, DEFAULT)
    term = read_term(r, depth)
    assert r.pos == r.end
    return term


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 255, 256, 300])
def test_sequences_of_every_size(size: int) -> None:
    terms = [LEAVES[place % len(LEAVES)] for place in range(size)]
    assert repr(read(encode(tuple(terms))[1:])) == repr(tuple(terms))
    assert repr(read(encode([*terms, "."])[1:])) == repr([*terms, b"."])


@pytest.mark.parametrize(("first", "second"), list(product(LEAVES, repeat=2)))
def test_whatever_follows_whatever(first: Any, second: Any) -> None:
    for term in ([first, second, 1.5], (first, second), (first, second, 1, 2, 3)):
        found = read(encode(term)[1:])
        assert repr(found) == repr(term)


@pytest.mark.parametrize("level", [b"h\1", b"h\2a\1", b"l\0\0\0\1", b"t\0\0\0\1a\1"])
@pytest.mark.parametrize("depth", [0, 1, 2, 5, LEVELS])
def test_how_much_is_read_by_recursion_makes_no_difference(level: bytes, depth: int) -> None:
    for levels in (1, 2, 5, LEVELS, LEVELS + 1, 400):
        data = level * levels + b"a\7" + (b"j" * levels if level[:1] == b"l" else b"")
        assert read(data, depth) == read(data)


@pytest.mark.parametrize("nesting", [1, 2, LEVELS - 1, LEVELS, LEVELS + 1, 300])
@pytest.mark.parametrize("level", [b"h\1", b"i\0\0\0\1", b"l\0\0\0\1", b"t\0\0\0\1a\1"])
def test_nesting_is_counted_in_both(nesting: int, level: bytes) -> None:
    limits = Limits(nesting=nesting)
    tail = b"j" if level[:1] == b"l" else b""
    assert decode(b"\x83" + level * nesting + b"a\1" + tail * nesting, limits=limits)
    with pytest.raises(LimitExceeded, match=rf"Limits\.nesting={nesting}"):
        decode(b"\x83" + level * (nesting + 1) + b"a\1" + tail * (nesting + 1), limits=limits)


KEYS = [
    b"m\0\0\0\1k",
    b"w\1k",
    b"a\1",
    b"F" + pack(">d", 1),
    b"j",
    b"w\4true",
    b"h\1a\1",
    b"m" + pack(">I", 40) + b"k" * 40,
]


@pytest.mark.parametrize(("one", "other"), list(product(KEYS, repeat=2)))
@pytest.mark.parametrize("text", [None, "utf8"])
def test_maps_with_keys_of_all_kinds(one: bytes, other: bytes, text: str | None) -> None:
    data = b"\x83t\0\0\0\2" + one + b"a\1" + other + b"a\2"
    if one == other:
        with pytest.raises(DecodeError, match="a key comes twice"):
            decode(data, text=text)
        with pytest.raises(DecodeError, match="a key comes twice"):
            decode(b"\x83t\0\0\0\3" + data[6:] + b"a\3a\3", text=text)
        return
    made = decode(data, text=text)
    assert sorted(dict(made.items()).values() if type(made) is dict else [v for _k, v in made.pairs()]) == [
        1,
        2,
    ]
    assert repr(made) == repr(decode(data, text=text, limits=Limits(elements=len(data) - 2)))


def test_a_key_is_the_same_object_or_an_equal_one() -> None:
    data = b"\x83l\0\0\0\2" + b"t\0\0\0\1m\0\0\0\3keya\1" * 2 + b"j"
    first, second = decode(data)
    assert first == second == {b"key": 1}
    assert [type(key) for key in first] == [bytes]


def test_maps_in_maps() -> None:
    term = {b"a": {Atom("b"): {1: {b"c": {1.5: [], (1,): {}}}}}}
    assert decode(encode(term)) == term
    made = decode(encode({b"a": TermMap([(1, 2), (1.0, 3)])}))
    assert made[b"a"] == TermMap([(1, 2), (1.0, 3)])
