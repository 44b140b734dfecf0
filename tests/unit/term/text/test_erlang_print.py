from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.term import (
    Atom,
    BitString,
    ExportFun,
    Fun,
    ImproperList,
    Pid,
    Port,
    RawTerm,
    Record,
    Reference,
    TermMap,
    charlist,
)
from pyerlnode.term.text import to_erlang

A = Atom
N = A("node1@127.0.0.1")
PID = Pid(N, 12, 3, 77)

TERMS: list[tuple[Any, str]] = [
    (-5, "-5"),
    (1.0e5, "1.0e5"),
    (True, "true"),
    (None, "nil"),
    (A("Elixir.Foo"), "'Elixir.Foo'"),
    ("text", '<<"text">>'),
    ("é", '<<"é"/utf8>>'),
    (b'a"b\\\n', '<<"a\\"b\\\\\\n">>'),
    (b"", "<<>>"),
    (b"\xe9", "<<233>>"),
    (b"a\0", "<<97,0>>"),
    (b"\a", "<<7>>"),
    (b"\x7f", "<<127>>"),
    (b"\x1b", '<<"\\e">>'),
    (BitString(b"\x60", 3), "<<3:3>>"),
    (BitString(b"ab\x60", 3), "<<97,98,3:3>>"),
    ((), "{}"),
    ((1, (2,)), "{1,{2}}"),
    ([], "[]"),
    ([[], [1]], "[[],[1]]"),
    (charlist("abc"), '"abc"'),
    (charlist("it's é"), '"it\'s é"'),
    ([97, 0], "[97,0]"),
    ([127], "[127]"),
    ([955], "[955]"),
    ([97, True], "[97,true]"),
    (ImproperList((1, 2), 3), "[1,2|3]"),
    ({}, "#{}"),
    (TermMap(), "#{}"),
    ({A("a"): 1, b"k": charlist("v")}, '#{a => 1,<<"k">> => "v"}'),
    (TermMap([([1], {}), (1.0, 2)]), "#{[1] => #{},1.0 => 2}"),
    (ExportFun(A("lists"), A("map"), 2), "fun lists:map/2"),
    (ExportFun(A("a b"), A("C"), 1), "fun 'a b':'C'/1"),
    (PID, "<node1@127.0.0.1.12.3>"),
    (Port(N, 5, 1), "#Port<node1@127.0.0.1.5>"),
    (Reference(N, 1, (1, 2, 3)), "#Ref<node1@127.0.0.1.3.2.1>"),
    (Fun(1, b"u" * 16, 2, A("m"), 3, 42, PID, ()), "#Fun<m.2.42>"),
    (Record(A("vec"), A("pub"), ((A("x"), 5), (A("y"), A("none"))), True), "#vec:pub{x = 5,y = none}"),
    (RawTerm(b"..xyz", 2), "#Raw<3 bytes>"),
]


@pytest.mark.parametrize(("term", "text"), TERMS)
def test_a_term_is_printed_as_io_format_does(term: Any, text: str) -> None:
    assert to_erlang(term) == text
