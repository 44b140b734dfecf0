from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import DecodeError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, Pid, RawTerm, Reference, encode_bare
from pyerlnode.term.large import BINARY_HEAD, LargeTerm, find_binary
from pyerlnode.term.maps import exact
from tests.support.terms import terms

REFS = (Atom("a"), Atom("b@c"))
LARGE = bytes(range(256)) * 20
HEAD = b"m" + len(LARGE).to_bytes(4, "big")


def cut(data: bytes, refs: tuple[Atom, ...] = REFS) -> LargeTerm:
    """The term without LARGE, which is in it."""
    place = data.index(LARGE)
    return LargeTerm(data[:place] + data[place + len(LARGE) :], refs, LARGE, place)


@pytest.mark.parametrize(
    ("before", "after", "term"),
    [
        (b"", b"", LARGE),
        (b"h\2R\1", b"", (Atom("b@c"), LARGE)),
        (b"l\0\0\0\3m\0\0\0\1x", b"m\0\0\0\1yj", [b"x", LARGE, b"y"]),
        (b"t\0\0\0\1R\0", b"", {Atom("a"): LARGE}),
        (b"t\0\0\0\1", b"a\1", {LARGE: 1}),
        (b"l\0\0\0\1h\1", b"k\0\2ab", None),
    ],
)
def test_a_term_is_decoded_around_its_binary(before: bytes, after: bytes, term: Any) -> None:
    data = before + HEAD + LARGE + after
    large = cut(data)
    assert large.encoded() == data
    assert len(large) == len(data)
    found = large.decode()
    if term is not None:
        assert found == term
    assert exact(found) == exact(RawTerm(data, 0, REFS).decode())


def test_the_binary_is_handed_over() -> None:
    term = cut(b"h\2a\1" + HEAD + LARGE).decode()
    assert term[1] is LARGE


def test_it_is_written_whole() -> None:
    data = b"h\2a\1" + HEAD + LARGE
    assert encode_bare([cut(data, ())]) == b"l\0\0\0\1" + data + b"j"
    assert encode_bare(cut(b"h\2R\0" + HEAD + LARGE)) == b"h\2w\1a" + HEAD + LARGE


def test_text_is_text() -> None:
    text = ("é" * 3000).encode()
    place = 4 + BINARY_HEAD
    head = b"h\2a\1m" + len(text).to_bytes(4, "big")
    assert LargeTerm(head, (), text, place).decode(text="utf8") == (1, text.decode())
    assert cut(HEAD + LARGE).decode(text="utf8") == LARGE


@pytest.mark.parametrize(
    "data", [HEAD + LARGE + b"more", b"h\3a\1" + HEAD + LARGE, b"h\1" + HEAD + LARGE[:-1]]
)
def test_what_is_wrong_is_said_as_of_the_whole(data: bytes) -> None:
    with pytest.raises(DecodeError) as plainly:
        RawTerm(data, 0, REFS).decode()
    place = data.index(HEAD) + BINARY_HEAD
    content = data[place : place + len(LARGE)]
    with pytest.raises(DecodeError) as around:
        LargeTerm(data[:place] + data[place + len(content) :], REFS, content, place).decode()
    assert str(around.value) == str(plainly.value)
    assert around.value.offset == plainly.value.offset


def test_it_obeys_limits() -> None:
    with pytest.raises(DecodeError):
        cut(b"h\1h\1h\1" + HEAD + LARGE).decode(Limits(nesting=1))
    limits = Limits(elements=3)  # now its reader is the one without recursion
    assert cut(b"h\2a\1" + HEAD + LARGE).decode(limits) == (1, LARGE)


def test_it_does_not_show_its_contents() -> None:
    assert repr(cut(HEAD + LARGE)) == f"<RawTerm of {len(HEAD) + len(LARGE)} bytes>"


PREFIXES: list[Any] = [
    1,
    -1000,
    1 << 70,
    1.5,
    [],
    [1, 2],
    "text",
    b"small",
    Atom("atom"),
    Pid(Atom("a@b"), 1, 2, 3),
    Reference(Atom("a@b"), 1, (1, 2, 3)),
    (1, (2, [3, Atom("x")])),
    {Atom("key"): [b"value"], b"k": 1},
]


@given(st.lists(st.sampled_from(PREFIXES), max_size=6), st.sampled_from([tuple, list]))
def test_the_first_binary_that_is_not_there_is_found(prefix: list[Any], kind: Any) -> None:
    for atoms in (None, dict[Atom, int]()):
        data = encode_bare(kind([*prefix, LARGE, "behind"]), atoms=atoms)
        place = data.index(HEAD)
        assert find_binary(b"any" + data[: place + BINARY_HEAD], 3) == place + 3
        assert find_binary(data[: place + BINARY_HEAD + 100], 0) == place
        assert find_binary(data[: place + 4], 0) == -1
        assert find_binary(data, 0) == -1


@given(terms(), st.integers(0, 400))
def test_what_is_found_in_any_term_is_a_binary_of_it(term: Any, end: int) -> None:
    data = encode_bare(term)
    place = find_binary(data[:end], 0)
    if place < 0:
        return
    content = place + BINARY_HEAD
    size = int.from_bytes(data[place + 1 : content], "big")
    rest = data[content + size :]
    if size > len(rest):
        large = LargeTerm(data[:content] + rest, (), data[content : content + size], content)
        assert exact(large.decode()) == exact(term)


@given(st.binary(max_size=60))
def test_any_bytes_are_harmless(data: bytes) -> None:
    assert -1 <= find_binary(data, 0) < max(len(data), 1)
