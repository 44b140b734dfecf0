from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.errors import TextError
from pyerlnode.limits import Limits
from pyerlnode.term import Atom, BitString, ExportFun, ImproperList, TermMap, charlist
from pyerlnode.term.text import parse_erlang

A = Atom

TERMS: list[tuple[str, Any]] = [
    ("1", 1),
    ("1.", 1),
    (" 1 . \n", 1),
    ("-1_000", -1000),
    ("- 5", -5),
    ("+5", 5),
    ("16#fF", 255),
    ("-2#101", -5),
    ("36#Z", 35),
    ("1.5", 1.5),
    ("1.5.", 1.5),
    ("-1.0E-3", -1.0e-3),
    ("$a", 97),
    ("$\\n", 10),
    ("$\\\\", 92),
    ("$\\s", 32),
    ("$ ", 32),
    ("ok", A("ok")),
    ("true", True),
    ("nil", None),
    ("'nil'", None),
    ("a@b", A("a@b")),
    ("été", A("été")),
    ("''", A("")),
    ("'a b'", A("a b")),
    ("'it\\'s'", A("it's")),
    ("'\\x{3bb}\\n'", A("λ\n")),
    ('""', []),
    ('"abc"', charlist("abc")),
    ('"a" "b"\n"c"', charlist("abc")),
    ('"\\b\\d\\e\\f\\n\\r\\s\\t\\v\\q"', [8, 127, 27, 12, 10, 13, 32, 9, 11, 113]),
    ('"\\0\\101\\x41\\x{1F600}\\^A\\^z"', [0, 65, 65, 0x1F600, 1, 26]),
    ('"a\nb"', [97, 10, 98]),
    ("{}", ()),
    ("{1,{2}}", (1, (2,))),
    ("[]", []),
    ("[1,[2]]", [1, [2]]),
    ("[1|2]", ImproperList((1,), 2)),
    ("[1,2|[3]]", [1, 2, 3]),
    ("#{}", {}),
    ("# {a=>1}", {A("a"): 1}),
    ('#{a => 1, <<"k">> => "v"}', {A("a"): 1, b"k": [118]}),
    ("#{1 => 2,1.0 => 3}", TermMap([(1, 2), (1.0, 3)])),
    ("#{1 => 2,1 => 3}", {1: 3}),
    ("<<>>", b""),
    ("<<1,255,-1>>", b"\1\xff\xff"),
    ("<<3:3>>", BitString(b"\x60", 3)),
    ("<<258:16,$a>>", b"\1\2a"),
    ('<<"ab\\xe9">>', b"ab\xe9"),
    ('<<"é"/utf8,"x">>', "éx".encode()),
    ("fun lists:map/2", ExportFun(A("lists"), A("map"), 2)),
    ("fun 'a b':'C'/1", ExportFun(A("a b"), A("C"), 1)),
    ("fun nil : true / 0", ExportFun(A("nil"), A("true"), 0)),
    ("% comment\n[1, % another\n 2].", [1, 2]),
    ("'fun'", A("fun")),
]


@pytest.mark.parametrize(("text", "term"), TERMS)
def test_a_literal_is_read(text: str, term: Any) -> None:
    found = parse_erlang(text)
    assert found == term
    assert type(found) is type(term)


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("", "a term is expected", 0),
        (".", "a term is expected", 0),
        ("Var", "a term is expected, found 'V'", 0),
        ("_", "a term is expected", 0),
        ("1 2", "goes on after the term", 2),
        ("foo()", "goes on after the term", 3),
        ("-a", "a number is expected", 1),
        ("1#1", "a base is 2 to 36", 0),
        ("37#1", "a base is 2 to 36", 0),
        ("16#", "a number is expected", 3),
        ("2#2", "no integer in base 2", 2),
        ("1.0e999", "too large", 0),
        ("$", "a character is expected", 1),
        ("$\\", "something is expected after the backslash", 1),
        ('"\\^', "something is expected after the backslash", 1),
        ('"\\^1"', "something is expected after the backslash", 1),
        ('"\\xg"', "takes 2 hexadecimal digits", 1),
        ('"\\x{}"', "no such character", 1),
        ('"a', 'no closing "', 0),
        ("'a", "no closing '", 0),
        ("'" + "a" * 256 + "'", "255 characters", 0),
        ("{1", ", is expected", 2),
        ("[1|2", "] is expected", 4),
        ("#rec{}", "only maps can be read", 0),
        ("#{1}", "=> is expected", 3),
        ("<1>", "<< is expected", 1),
        ("<0.1.2>", "<< is expected", 1),
        ("<<a>>", "made of integers", 2),
        ("<<1.5>>", "made of integers", 2),
        ('<<"λ">>', "need /utf8", 2),
        ("<<1:x>>", "a number is expected", 4),
        ("fun(X) -> X end", ": is expected", 3),
        ("fun 1:a/1", ": is expected", 4),
        ("fun :a/1", "only fun module:name/arity", 0),
        ("fun a:1/1", "/ is expected", 6),
        ("fun a:/1", "only fun module:name/arity", 0),
    ],
)
def test_what_is_no_literal_is_refused(text: str, message: str, offset: int) -> None:
    with pytest.raises(TextError) as caught:
        parse_erlang(text)
    assert message in str(caught.value)
    assert caught.value.offset == offset


@pytest.mark.parametrize("opening", ["[", "{", "#{1 => "])
def test_nesting_is_bounded(opening: str) -> None:
    with pytest.raises(TextError, match=r"nests deeper"):
        parse_erlang(opening * 10_000)
    with pytest.raises(TextError, match=r"Limits\.nesting=3"):
        parse_erlang(opening * 4, Limits(nesting=3))
    assert parse_erlang("[[1],{2},#{3 => 4},[5|6],<<7>>]", Limits(nesting=2))[0] == [1]
