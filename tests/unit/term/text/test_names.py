from __future__ import annotations

import pytest

from pyerlnode.term.text.names import (
    elixir_atom,
    elixir_function,
    elixir_quoted,
    elixir_word,
    erlang_atom,
    erlang_quoted,
    is_alias,
    is_elixir_word,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ok", ":ok"),
        ("nil", "nil"),
        ("true", "true"),
        ("a?", ":a?"),
        ("a!", ":a!"),
        ("a?b", ':"a?b"'),
        ("_", ":_"),
        ("_a1", ":_a1"),
        ("Foo", ":Foo"),
        ("foo@bar", ":foo@bar"),
        ("foo@", ":foo@"),
        ("@foo", ':"@foo"'),
        ("node@10.0.0.1", ':"node@10.0.0.1"'),
        ("", ':""'),
        ("1a", ':"1a"'),
        ("a b", ':"a b"'),
        ("a.b", ':"a.b"'),
        ("a-b", ':"a-b"'),
        ("é", ":é"),
        ("Été", ":Été"),
        ("ñ?", ":ñ?"),
        ("日本", ':"日本"'),
        ("ŉa", ':"ŉa"'),
        ("œuf", ":œuf"),
        ("λ1", ":λ1"),
        ("да", ":да"),
        ("aλ", ':"aλ"'),
        ("e\u0301", ':"e\u0301"'),
        ("\u0663", ':"\u0663"'),
        ("a\u0663", ':"a\u0663"'),
        ("Elixir", "Elixir"),
        ("Elixir.Foo.Bar", "Foo.Bar"),
        ("Elixir.foo", ':"Elixir.foo"'),
        ("Elixir.Foo.", ':"Elixir.Foo."'),
        ("+", ":+"),
        ("..//", ":..//"),
        ("<<>>", ":<<>>"),
        ("%{}", ":%{}"),
        ("{}", ":{}"),
        ("->", ":->"),
        ("::", ':"::"'),
        ("[]", ':"[]"'),
        ("=>", ':"=>"'),
        ("~~~", ':"~~~"'),
        ("//", ':"//"'),
        ('a"b', ':"a\\"b"'),
        ("#{x", ':"\\#{x"'),
        ("a\nb", ':"a\\nb"'),
    ],
)
def test_an_atom_in_elixir(name: str, text: str) -> None:
    assert elixir_atom(name) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ok", "ok"),
        ("nil", "nil"),
        ("a@b", "a@b"),
        ("node@10.0.0.1", "'node@10.0.0.1'"),
        ("Foo", "'Foo'"),
        ("Elixir.Foo", "'Elixir.Foo'"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", "'it\\'s'"),
        ('a"b', "'a\"b'"),
        ("a\nb", "'a\\nb'"),
        ("a\\b", "'a\\\\b'"),
        ("\0", "'\\000'"),
        ("\ufffe", "'\\x{FFFE}'"),
        ("été", "été"),
        ("Été", "'Été'"),
        ("λ", "'λ'"),
        ("_a", "'_a'"),
        ("1a", "'1a'"),
        ("a?", "'a?'"),
        ("÷", "'÷'"),
        ("andalso", "'andalso'"),
        ("maybe", "'maybe'"),
    ],
)
def test_an_atom_in_erlang(name: str, text: str) -> None:
    assert erlang_atom(name) == text


def test_text_in_quotes() -> None:
    assert elixir_quoted('a"\\\n\t\r\a\b\v\f\x1b\x7f#{#x') == '"a\\"\\\\\\n\\t\\r\\a\\b\\v\\f\\e\\d\\#{#x"'
    assert elixir_quoted("\0\x85\ufeff") == '"\\0\\u0085\\uFEFF"'
    assert erlang_quoted("a\"\\\n\t\r\b\v\f\x1b\x7f'") == '"a\\"\\\\\\n\\t\\r\\b\\v\\f\\e\\d\'"'
    assert erlang_quoted("\a\x85") == '"\\007\\205"'


def test_words_before_a_colon() -> None:
    assert elixir_word("a b") == '"a b"'
    assert elixir_word("a?") == "a?"
    assert is_elixir_word("a")
    assert not is_elixir_word("")
    assert not is_elixir_word("é-")
    assert is_alias("Elixir.A.B")
    assert not is_alias("A.B")


@pytest.mark.parametrize(
    ("name", "text"),
    [("map", "map"), ("a?", "a?"), ("+", "+"), ("%", '"%"'), ("A", '"A"'), ("a@b", '"a@b"'), ("", '""')],
)
def test_a_function_behind_its_module(name: str, text: str) -> None:
    assert elixir_function(name) == text
