"""What holds others is its head, and behind it what it holds, each as it would be alone (see test_encode)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from pyerlnode.errors import EncodeError
from pyerlnode.limits import DEFAULT
from pyerlnode.term import Atom, ImproperList, Pid, Reference, TermMap, decode, decode_bare, encode
from pyerlnode.term.walk import write_term
from pyerlnode.term.writer import Writer

NODE = Atom("a@b")
TERMS: list[Any] = [
    Atom("ok"),
    True,
    None,
    0,
    255,
    -1,
    2**31 - 1,
    -(2**31) - 1,
    2**62,
    -(2**63),
    2**64,
    2**2048,
    1.5,
    b"",
    b"x" * 5000,
    "text",
    Pid(NODE, 1, 2, 3),
    Reference(NODE, 1, (1, 2, 3)),
    (),
    (1, b"2"),
    [],
    [7],
    [7.5, 8],
    {},
    {b"a": 1, Atom("b"): [2]},
    ImproperList((1,), 2),
    TermMap([(1, 2)]),
]


def alone(term: Any) -> bytes:
    w = Writer(DEFAULT)
    write_term(w, w.out, term)
    assert w.nesting == Writer(DEFAULT).nesting
    return w.getvalue()


@pytest.mark.parametrize(("one", "other"), list(product(TERMS, repeat=2)))
def test_whatever_follows_whatever(one: Any, other: Any) -> None:
    both = alone(one) + alone(other)
    assert alone((one, other)) == b"h\2" + both
    assert alone([1.5, one, other]) == b"l\0\0\0\3" + alone(1.5) + both + b"j"
    assert alone({Atom("a"): one, b"b": other}) == b"t\0\0\0\2" + alone(Atom("a")) + alone(one) + alone(
        b"b"
    ) + alone(other)


@pytest.mark.parametrize("term", TERMS)
def test_atoms_that_have_places_are_written_as_those(term: Any) -> None:
    whole = (Atom("x"), term, Atom("x"), True, {Atom("x"): Atom("y")})
    w = Writer(DEFAULT)
    w.atoms = {}
    write_term(w, w.out, whole)
    data = w.getvalue()
    assert data.startswith(b"h\5R\0")
    assert b"w" not in data.replace(b"x" * 5000, b"").replace(b"text", b"")
    assert decode_bare(data, refs=tuple(w.atoms))[0] == decode(encode(whole))


@pytest.mark.parametrize(
    "mapping", [{"a": 1, b"a": 2}, {Atom("nil"): 1, None: 2}, {(1, "a"): 1, (1, b"a"): 2}]
)
def test_keys_that_are_one_term_are_refused(mapping: dict[Any, Any]) -> None:
    with pytest.raises(EncodeError, match="the same Erlang term"):
        encode({1: [mapping]})


@pytest.mark.parametrize("numbers", [[0], [255], [0, 255] * 400, list(range(256))])
def test_lists_of_bytes_are_strings(numbers: list[int]) -> None:
    assert alone(numbers) == b"k" + len(numbers).to_bytes(2, "big") + bytes(numbers)


@pytest.mark.parametrize("length", [32_767, 32_768, 65_535])
def test_long_ones_too(length: int) -> None:
    assert alone([7] * length) == b"k" + length.to_bytes(2, "big") + b"\7" * length


@pytest.mark.parametrize("odd", [256, -1, True, False, 1.0, None, "a", b"a", 2**70])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_is_none_makes_it_a_list(odd: Any, place: int) -> None:
    terms = [1, 2, 3]
    terms[place] = odd
    assert alone(terms) == b"l\0\0\0\3" + b"".join(map(alone, terms)) + b"j"


def test_as_does_one_more_than_fits() -> None:
    assert alone([7] * 65_536) == b"l\0\1\0\0" + b"a\7" * 65_536 + b"j"
