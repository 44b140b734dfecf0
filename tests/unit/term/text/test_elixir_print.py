from __future__ import annotations

import enum
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
from pyerlnode.term.text import to_elixir

A = Atom
N = A("node1@127.0.0.1")
PID = Pid(N, 12, 3, 77)


class Number(enum.IntEnum):
    ONE = 1


TERMS: list[tuple[Any, str]] = [
    (1, "1"),
    (Number.ONE, "1"),
    (-5, "-5"),
    (1.0e5, "100000.0"),
    (True, "true"),
    (None, "nil"),
    (A("ok"), ":ok"),
    ("text", '"text"'),
    (b"text", '"text"'),
    (bytearray(b"text"), '"text"'),
    ("é😀".encode(), '"é😀"'),
    (b"\n\t\r\x1b\a\b\x7f\v\f", '"\\n\\t\\r\\e\\a\\b\\d\\v\\f"'),
    (b"\0", "<<0>>"),
    (b"\xe9", "<<233>>"),
    (b"a\xff", "<<97, 255>>"),
    ("\u0085", "<<194, 133>>"),
    ("\ufffe", "<<239, 191, 190>>"),
    ("\ud800", "<<237, 160, 128>>"),
    (b"a#{b}", '"a\\#{b}"'),
    (b"", '""'),
    (BitString(b"\x20", 3), "<<1::size(3)>>"),
    (BitString(b"\x01\x02\x30", 4), "<<1, 2, 3::size(4)>>"),
    ((), "{}"),
    ((1, (2,)), "{1, {2}}"),
    ((A("a"), [(A("b"), 1)]), "{:a, [b: 1]}"),
    ([], "[]"),
    ([[], [[]]], "[[], [[]]]"),
    (charlist("abc"), '~c"abc"'),
    ([7, 8, 9, 10, 11, 12, 13, 27, 32, 34, 39, 92, 126], '~c"\\a\\b\\t\\n\\v\\f\\r\\e \\"\'\\\\~"'),
    ([127], "[127]"),
    ([233], "[233]"),
    ([97, True], "[97, true]"),
    (charlist("#{a}"), '~c"\\#{a}"'),
    ([(A("a"), 1), (None, 2), (A("a b"), 3), (A("{}"), 4)], '[a: 1, nil: 2, "a b": 3, {}: 4]'),
    ([(A("a"), 1, 2)], "[{:a, 1, 2}]"),
    ([(A("a"), 1), (b"b", 1)], '[{:a, 1}, {"b", 1}]'),
    ([(A("Elixir.Foo"), 1)], "[{Foo, 1}]"),
    (ImproperList((1, 2), 3), "[1, 2 | 3]"),
    (ImproperList(((A("a"), 1),), A("b")), "[{:a, 1} | :b]"),
    ({}, "%{}"),
    ({A("a"): 1, None: 2}, "%{a: 1, nil: 2}"),
    ({A("a"): 1, b"k": 2}, '%{:a => 1, "k" => 2}'),
    ({A("Elixir.Foo"): 1}, "%{Foo => 1}"),
    (TermMap([(1, 2), (1.0, [])]), "%{1 => 2, 1.0 => []}"),
    ({A("__struct__"): A("Elixir.My.User"), A("name"): b"Joe"}, '%My.User{name: "Joe"}'),
    ({A("__struct__"): A("Elixir.Empty")}, "%Empty{}"),
    ({A("__struct__"): A("foo"), A("a"): 1}, "%{__struct__: :foo, a: 1}"),
    ({A("__struct__"): A("Elixir.Foo"), b"a": 1}, '%{:__struct__ => Foo, "a" => 1}'),
    (ExportFun(A("Elixir.String"), A("upcase"), 1), "&String.upcase/1"),
    (ExportFun(A("erlang"), A("abs"), 1), "&:erlang.abs/1"),
    (ExportFun(A("erlang"), A("+"), 2), "&:erlang.+/2"),
    (ExportFun(A("foo bar"), A("baz"), 1), '&:"foo bar".baz/1'),
    (ExportFun(A("lists"), A("a b"), 1), '&:lists."a b"/1'),
    (ExportFun(A("Elixir.Foo"), A("B"), 1), '&Foo."B"/1'),
    (PID, "#PID<node1@127.0.0.1.12.3>"),
    (Port(N, 5, 1), "#Port<node1@127.0.0.1.5>"),
    (Reference(N, 1, (1, 2, 3)), "#Reference<node1@127.0.0.1.3.2.1>"),
    (Fun(1, b"u" * 16, 2, A("m"), 3, 42, PID, ()), "#Function<2.42/1 in :m>"),
    (Record(A("m"), A("point"), ((A("x"), 1), (A("Y"), b"a")), True), "#m:point{x = 1, 'Y' = \"a\"}"),
    (RawTerm(b"..xyz", 2), "#Raw<3 bytes>"),
]


@pytest.mark.parametrize(("term", "text"), TERMS)
def test_a_term_is_printed_as_inspect_does(term: Any, text: str) -> None:
    assert to_elixir(term) == text
