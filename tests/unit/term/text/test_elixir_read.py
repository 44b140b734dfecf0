from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.errors import TextError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, BitString, ExportFun, ImproperList, TermMap, charlist
from pyerlnode.term.text import parse_elixir

A = Atom

TERMS: list[tuple[str, Any]] = [
    ("1", 1),
    ("  1_000\n", 1000),
    ("-5", -5),
    ("- 5", -5),
    ("+5", 5),
    ("0xFf", 255),
    ("0o17", 15),
    ("-0b1_01", -5),
    ("1.5", 1.5),
    ("-1_0.2_5e-3", -10.25e-3),
    ("1.0E10", 1.0e10),
    ("?a", 97),
    ("?\\n", 10),
    ("?\\\\", 92),
    ("? ", 32),
    ("?é", 233),
    ("?\\xff", 255),
    ("?\\u{1F600}", 0x1F600),
    ("true", True),
    ("nil", None),
    (":true", True),
    (":nil", None),
    (":ok", A("ok")),
    (":a?", A("a?")),
    (":foo@bar", A("foo@bar")),
    (":Foo", A("Foo")),
    (":été", A("été")),
    (":日本", A("日本")),
    (':"a b"', A("a b")),
    (":'a b'", A("a b")),
    (':""', A("")),
    (':"\\u00e9\\x41\\xe9"', A("éAé")),
    (":+", A("+")),
    (":..//", A("..//")),
    ("[:{}, :%{}, :<<>>]", [A("{}"), A("%{}"), A("<<>>")]),
    ("Foo", A("Elixir.Foo")),
    ("Foo.Bar1", A("Elixir.Foo.Bar1")),
    ("Elixir", A("Elixir")),
    ("Elixir.Foo", A("Elixir.Foo")),
    ("ElixirLS", A("Elixir.ElixirLS")),
    ('""', b""),
    ('"text"', b"text"),
    ('"é😀"', "é😀".encode()),
    ('"\\n\\t\\r\\e\\a\\b\\d\\v\\f\\s\\0"', b"\n\t\r\x1b\a\b\x7f\v\f \0"),
    ('"\\"\\\\\\#{\\q"', b'"\\#{q'),
    ('"\\x41\\xff\\x{e9}\\u00e9\\u{1F600}"', b"A\xff" + "éé😀".encode()),
    ('"a # b"', b"a # b"),
    ('"a\\\nb"', b"ab"),
    ('"a\nb"', b"a\nb"),
    ("'abc'", charlist("abc")),
    ('~c"a\\n\\xff"', [97, 10, 255]),
    ("~c(a)", [97]),
    ("~C|a\\n|", charlist("a\\n")),
    ("~s(a \\x41)", b"a A"),
    ("~S[a\\n#{x}]", b"a\\n#{x}"),
    ("~s{x}", b"x"),
    ("~s<x>", b"x"),
    ("~s'x'", b"x"),
    ("~s/x/", b"x"),
    ("~w(a b)", [b"a", b"b"]),
    ("~w(a b)a", [A("a"), A("b")]),
    ("~w(a b)s", [b"a", b"b"]),
    ("~W(a \\n)c", [[97], charlist("\\n")]),
    ("~w()", []),
    ("{}", ()),
    ("{1,{2}}", (1, (2,))),
    ("{1, a: 2, b: 3}", (1, [(A("a"), 2), (A("b"), 3)])),
    ("{a: 1}", ([(A("a"), 1)],)),
    ("[]", []),
    ("[ ]", []),
    ("[1, [2]]", [1, [2]]),
    ("[1 | 2]", ImproperList((1,), 2)),
    ("[1, 2 | [3]]", [1, 2, 3]),
    ("[1 | [2 | 3]]", ImproperList((1, 2), 3)),
    (
        '[a: 1, "b c": 2, nil: 3, +: 4, {}: 5]',
        [(A("a"), 1), (A("b c"), 2), (None, 3), (A("+"), 4), (A("{}"), 5)],
    ),
    ("[1, a: 2]", [1, (A("a"), 2)]),
    ('["a", "b"]', [b"a", b"b"]),
    ("%{}", {}),
    ("%{a: 1}", {A("a"): 1}),
    ('%{"k" => 1, 2 => 3, a: 4, "b c": 5}', {b"k": 1, 2: 3, A("a"): 4, A("b c"): 5}),
    ("%{1 => 2, 1.0 => 3}", TermMap([(1, 2), (1.0, 3)])),
    ("%{[1] => %{}}", TermMap([([1], {})])),
    ("%{a: 1, a: 2}", {A("a"): 2}),
    ("%Foo.Bar{a: 1}", {A("__struct__"): A("Elixir.Foo.Bar"), A("a"): 1}),
    ("%Foo{}", {A("__struct__"): A("Elixir.Foo")}),
    ("<<>>", b""),
    ("<<1, 255>>", b"\1\xff"),
    ("<<-1>>", b"\xff"),
    ("<<1::3>>", BitString(b"\x20", 3)),
    ("<<1, 2 :: size(4)>>", BitString(b"\1\x20", 4)),
    ("<<258::16, ?a>>", b"\1\2a"),
    ('<<"ab", 0, "é"::utf8, "x"::binary>>', b"ab\0" + "éx".encode()),
    ("&String.upcase/1", ExportFun(A("Elixir.String"), A("upcase"), 1)),
    ("&:erlang.abs/1", ExportFun(A("erlang"), A("abs"), 1)),
    ("&:erlang.+/2", ExportFun(A("erlang"), A("+"), 2)),
    ("&:erlang.//2", ExportFun(A("erlang"), A("/"), 2)),
    ('&:"foo bar"."A b"/0', ExportFun(A("foo bar"), A("A b"), 0)),
    ("&true.nil/0", ExportFun(A("true"), A("nil"), 0)),
]


@pytest.mark.parametrize(("text", "term"), TERMS)
def test_a_literal_is_read(text: str, term: Any) -> None:
    found = parse_elixir(text)
    assert found == term
    assert type(found) is type(term)


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("", "a term is expected, found the end", 0),
        ("  ", "a term is expected, found the end", 2),
        ("ok", "variable or a call; the atom is :ok", 0),
        ("foo()", "variable or a call", 0),
        ("1 2", "goes on after the term, found '2'", 2),
        ("1 + 2", "goes on after the term", 2),
        (")", "a term is expected, found", 0),
        ("#PID<0.1.2>", "a term is expected, found '#'", 0),
        ("@x", "a term is expected", 0),
        ("-", "a number is expected", 1),
        ("-:a", "a number is expected", 1),
        ("0x", "a number is expected", 2),
        ("0xg", "no integer in base 16", 2),
        ("0b2", "no integer in base 2", 2),
        ("1.0e999", "too large", 0),
        ("9" * 10_000, "write a number this long in base 16", 0),
        (":", "an atom's name is expected", 0),
        (":1", "an atom's name is expected", 0),
        (":)", "an atom's name is expected", 0),
        (':"a', "no closing", 1),
        (":" + "a" * 256, "255 characters", 0),
        ("?", "a character is expected", 1),
        ("?\\", "something is expected after the backslash", 1),
        ('"a', 'no closing "', 0),
        ('"a\\', "something is expected after the backslash", 2),
        ('"#{x}"', "interpolation", 1),
        ('"\\xg1"', "takes 2 hexadecimal digits", 1),
        ('"\\u12"', "takes 4 hexadecimal digits", 1),
        ('"\\ud800"', "no such character", 1),
        ('"\\u{110000}"', "no such character", 1),
        ('"\\u{}"', "no such character", 1),
        ('"\\u{41"', "closed by one", 1),
        ("~x(a)", "only ~s, ~c and ~w", 0),
        ("~s", "only ~s, ~c and ~w", 0),
        ("~sa", "only ~s, ~c and ~w", 0),
        ("~", "only ~s, ~c and ~w", 0),
        ("~s(a", "no closing", 2),
        ("~w(" + "a" * 256 + ")a", "255 characters", 0),
        ("{1", ", is expected, found the end", 2),
        ("{1,}", "a term is expected", 3),
        ("{a: 1, 2}", "come last", 9),
        ("[1", ", is expected", 2),
        ("[| 1]", "a term is expected", 1),
        ("[1 | 2", "] is expected", 6),
        ("[1 2]", ", is expected, found '2'", 3),
        ("[a:1]", "variable or a call", 1),
        ("%", "{ is expected, found the end", 1),
        ("%foo{}", "{ is expected", 1),
        ("%{1}", "=> is expected", 3),
        ("%{1 => }", "a term is expected", 7),
        ("<1>", "<< is expected", 1),
        ("<<a>>", "variable or a call", 2),
        ("<<1.5>>", "made of integers", 2),
        ("<<true>>", "made of integers", 2),
        ("<<{}>>", "made of integers", 2),
        ('<<"a"::8>>', "made of integers", 2),
        ("<<1::size(x)>>", "a number is expected", 10),
        ("<<1::float>>", "a number is expected", 5),
        ("<<0::99999999999999>>", "larger than", 2),
        ("&foo/1", "variable or a call", 1),
        ("&1.foo/1", "written as &Module.name/1", 0),
        ("&1 .foo/1", "written as &Module.name/1", 0),
        ("&Foo./1", "/ is expected", 6),
        ("&Foo", ". is expected", 4),
        ("&Foo.bar", "/ is expected", 8),
        ('&Foo.""/1', "written as &Module.name/1", 0),
        ("<<" + "1," * 3 + ">>", "a term is expected", 8),
    ],
)
def test_what_is_no_literal_is_refused(text: str, message: str, offset: int) -> None:
    with pytest.raises(TextError) as caught:
        parse_elixir(text)
    assert message in str(caught.value)
    assert caught.value.offset == offset


def test_long_integers_are_read_in_base_16() -> None:
    assert parse_elixir("0x" + "f" * 10_000) == 16**10_000 - 1


@pytest.mark.parametrize("opening", ["[", "{", "%{1 => ", "[a: "])
def test_nesting_is_bounded(opening: str) -> None:
    with pytest.raises(TextError, match=r"nests deeper"):
        parse_elixir(opening * 10_000)
    with pytest.raises(TextError, match=r"Limits\.nesting=3"):
        parse_elixir(opening * 4, Limits(nesting=3))
    with pytest.raises(TextError, match="this thread's stack"):
        parse_elixir(opening * 10_000, Limits(nesting=10**9))


def test_siblings_do_not_count_as_nesting() -> None:
    limits = Limits(nesting=2)
    text = "[[1], {2}, %{3 => 4}, [5 | 6], <<7>>]"
    assert parse_elixir(text, limits)[0] == [1]
