"""Hypothesis strategies for Erlang terms, and for text and bytes that nearly are some.

@given(terms())         any term with a Python value, identifiers and funs too
@given(literals())      those that can be written in source text
@given(noise())         text out of the pieces that terms are written with
"""

from __future__ import annotations

from hashlib import md5
from typing import Any

from hypothesis import strategies as st

from pyerlnode.term import (
    Atom,
    BitString,
    ExportFun,
    Fun,
    ImproperList,
    Pid,
    Port,
    Record,
    Reference,
    charlist,
)
from pyerlnode.term.maps import build

u8 = st.integers(0, 2**8 - 1)
u32 = st.integers(0, 2**32 - 1)
nodes = st.sampled_from(["a@b", "node1@127.0.0.1", "é@h"]).map(Atom)


def atoms() -> st.SearchStrategy[Atom]:
    """Atoms of all lengths, plain and odd."""
    common = st.sampled_from(
        ["ok", "true", "nil", "", "Elixir.Foo.Bar", "a b", "+", "{}", "node@10.0.0.1", "été"]
    )
    return (common | st.text(st.characters(exclude_categories=["Cs"]), max_size=255)).map(Atom)


def integers() -> st.SearchStrategy[int]:
    """Small ones, those at the edges of each encoding, and big ones."""
    edges = [
        sign * (2**power) + more
        for power in (8, 31, 32, 63, 64, 2040)
        for sign in (1, -1)
        for more in (-1, 0, 1)
    ]
    return st.integers(-300, 300) | st.sampled_from(edges) | st.integers() | st.integers(-(2**3000), 2**3000)


def floats() -> st.SearchStrategy[float]:
    """All that Erlang has."""
    return st.floats(allow_nan=False, allow_infinity=False)


def bit_strings() -> st.SearchStrategy[BitString]:
    """Bit strings that are no binaries."""
    return st.builds(BitString, st.binary(min_size=1, max_size=20), st.integers(1, 7))


def export_funs() -> st.SearchStrategy[ExportFun]:
    """``fun M:F/A`` with names that Erlang and Elixir themselves print rightly.

    Erlang garbles what is not ASCII there; Elixir has ``undefined`` as ``nil``, before 1.15 it lost escapes.
    """
    characters = st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='\\"#')
    names = st.text(characters, min_size=1, max_size=10).filter(lambda name: name != "undefined").map(Atom)
    return st.builds(ExportFun, names, names, u8)


def plain() -> st.SearchStrategy[Any]:
    """Leaves that can be written in source text."""
    numbers = integers() | floats()
    texts = st.binary(max_size=40) | st.text(max_size=20).map(str.encode) | st.text(max_size=20).map(charlist)
    return (
        st.none() | st.booleans() | atoms().map(_plain_atom) | numbers | texts | bit_strings() | export_funs()
    )


def _plain_atom(atom: Atom) -> Any:
    return {"true": True, "false": False, "nil": None}.get(atom, atom)


def pids() -> st.SearchStrategy[Pid]:
    """Pids of nodes that are not there; numbers that every release takes."""
    return st.builds(Pid, nodes, st.integers(0, 2**15 - 1), st.integers(0, 2**13 - 1), u32)


def references() -> st.SearchStrategy[Reference]:
    """References of nodes that are not there, of one to three words, as every release takes them."""
    words = st.lists(u32, min_size=1, max_size=3).map(lambda found: (found[0] & 0x3FFFF, *found[1:]))
    return st.builds(Reference, nodes, u32, words)


def identifiers() -> st.SearchStrategy[Any]:
    """Pids, references and ports."""
    return pids() | references() | st.builds(Port, nodes, st.integers(0, 2**28 - 1), u32)


def funs(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Fun]:
    """Local funs of code that is not there.

    A BEAM takes two of one module, index and uniq for the same fun, whatever else differs: so uniq tells all.
    """
    small = st.integers(0, 2**27 - 1)
    places = st.tuples(u8, small, atoms(), small, small, pids())
    return st.builds(_fun, places, st.lists(values, max_size=3).map(tuple))


def _fun(place: tuple[int, int, Atom, int, int, Pid], free: tuple[Any, ...]) -> Fun:
    arity, index, module, old_index, old_uniq, pid = place
    uniq = md5(repr((place, len(free))).encode(), usedforsecurity=False).digest()
    return Fun(arity, uniq, index, module, old_index, old_uniq, pid, free)


def records(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Record]:
    """Native records of OTP 29."""
    names = st.lists(atoms(), max_size=3, unique=True)
    fields = names.flatmap(lambda found: st.tuples(*[st.tuples(st.just(name), values) for name in found]))
    return st.builds(Record, atoms(), atoms(), fields, st.booleans())


def containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists, tuples, improper lists and maps of ``values``; maps have keys that are hard to tell apart."""
    few = st.lists(values, max_size=5)
    no_list = values.filter(lambda value: not isinstance(value, list))
    improper = st.builds(ImproperList.of, st.lists(values, min_size=1, max_size=3), no_list)
    similar = st.sampled_from(
        [0, 1, 0.0, 1.0, True, False, (1,), (1.0,), [1], [1.0], b"a", Atom("a"), {1: 2}]
    )
    maps = st.lists(st.tuples(values | similar, values), max_size=5).map(_map)
    keywords = st.lists(st.tuples(atoms().map(_plain_atom), values), max_size=4)
    return few | few.map(tuple) | improper | maps | keywords | keywords.map(_map)


def _map(pairs: list[tuple[Any, Any]]) -> Any:
    made = build([key for key, _value in pairs], [value for _key, value in pairs])
    return build(list(made), list(made.values()))


_LITERALS = st.recursive(plain(), containers, max_leaves=15)
_WITHOUT_RECORDS = st.recursive(
    plain() | identifiers(), lambda values: containers(values) | funs(values), max_leaves=15
)
_TERMS = st.recursive(
    plain() | identifiers(), lambda values: containers(values) | funs(values) | records(values), max_leaves=15
)


@st.composite
def literals(draw: st.DrawFn) -> Any:
    """Terms that can be written in source text."""
    return draw(_LITERALS)


@st.composite
def terms(draw: st.DrawFn, *, with_records: bool = True) -> Any:
    """Any term; records only where OTP 29 reads them."""
    return draw(_TERMS if with_records else _WITHOUT_RECORDS)


def noise() -> st.SearchStrategy[str]:
    """Text out of the pieces that terms are written with."""
    pieces = [
        *(
            "[",
            "]",
            "{",
            "}",
            "%{",
            "#{",
            "<<",
            ">>",
            "(",
            ")",
            "|",
            ",",
            "=>",
            ": ",
            "::",
            ":",
            ".",
            "/",
            "-",
            "+",
        ),
        *(
            '"',
            "'",
            "\\",
            "\\x",
            "\\u{",
            "?",
            "$",
            "~s(",
            "~w",
            "&",
            "fun ",
            "Foo",
            "a",
            "true",
            "0x",
            "16#",
            "1",
        ),
        *("1.5", "e9", "size(", "é", "\n", " ", "%", "#", "~c", "\0", "\u0663", "😀"),
    ]
    return st.lists(st.sampled_from(pieces) | st.text(max_size=3), max_size=20).map("".join)
