"""How the two languages write atoms, and text between quotes.

(Elixir "Syntax reference", Atoms, Aliases and Strings; Erlang Reference Manual, "Data Types", Atom and
Escape Sequences.)
"""

from __future__ import annotations

import re
from typing import Final

ELIXIR_OPERATORS: Final = (
    *("..//", "===", "!==", "<<<", ">>>", "<<~", "~>>", "<~>", "<|>", "&&&", "|||", "+++", "---", "..."),
    *("<<>>", "%{}", "==", "!=", "=~", "<=", ">=", "&&", "||", "++", "--", "**", "<>", "<-", "->", "|>"),
    *("<~", "~>", "..", "\\\\", "{}", "+", "-", "*", "/", "<", ">", "!", "^", "&", "|", "=", ".", "@", "%"),
)
"""Atoms that Elixir writes without quotes though they are no words; longer ones first."""

_ALIAS: Final = re.compile(r"Elixir(?:\.[A-Z][A-Za-z0-9_]*)*")
_SCRIPTS: Final = (
    "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e",
    "\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9",
    "\u0410-\u044f",
)
"""Latin, Greek and Cyrillic letters that every Elixir takes in words, though not mixed with each other."""
_ELIXIR_WORD: Final = re.compile("|".join(f"[{script}_][{script}0-9_@]*[?!]?" for script in _SCRIPTS))
_ELIXIR_FUNCTION: Final = re.compile(r"[a-z][A-Za-z0-9_]*[?!]?")
_FUNCTION_OPERATORS: Final = frozenset(["+", "-", "*", "/", "++", "--", "==", "!=", "<", ">", "<=", ">="])
_ERLANG_WORD: Final = re.compile("[a-z\xdf-\xf6\xf8-\xff][A-Za-z0-9_@\xc0-\xd6\xd8-\xf6\xf8-\xff]*")
_ERLANG_RESERVED: Final = frozenset(
    [
        *("after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch"),
        *("cond", "div", "else", "end", "fun", "if", "let", "maybe", "not", "of", "or", "orelse", "receive"),
        *("rem", "try", "when", "xor"),
    ]
)
"""Words of the language; ``maybe`` and ``else`` are only in newer releases, quotes are right for all."""

_ESCAPES: Final = {
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    "\x1b": "\\e",
    "\x7f": "\\d",
}
_ELIXIR_ESCAPES: Final = {**_ESCAPES, "\0": "\\0", '"': '\\"', "#{": "\\#{", "\a": "\\a"}
_ELIXIR_ESCAPED: Final = re.compile('["\\\\\0-\x1f\x7f-\x9f\ufeff\ufffe\uffff]|#\\{')
_ERLANG_ESCAPED: Final = re.compile("[\\\\\0-\x1f\x7f-\x9f\ufffe\uffff]")


def is_alias(name: str) -> bool:
    """Tell whether Elixir writes this atom as a module's name: ``Elixir.Foo.Bar`` is ``Foo.Bar``."""
    return _ALIAS.fullmatch(name) is not None


def is_elixir_word(name: str) -> bool:
    """Tell whether every Elixir takes this for an identifier, so that an atom of it needs no quotes.

    Elixir knows words in more scripts, but which ones depends on its release: they get quotes here.
    """
    return _ELIXIR_WORD.fullmatch(name) is not None


def elixir_word(name: str) -> str:
    """Return ``name`` as Elixir writes it after a colon or before one: with quotes where it needs them."""
    return name if is_elixir_word(name) or name in ELIXIR_OPERATORS else elixir_quoted(name)


def elixir_atom(name: str) -> str:
    """Return an atom in Elixir's syntax."""
    if name in ("true", "false", "nil"):
        return name
    return name.removeprefix("Elixir.") if is_alias(name) else f":{elixir_word(name)}"


def elixir_function(name: str) -> str:
    """Return a function's name as Elixir writes it after the dot behind its module."""
    plain = _ELIXIR_FUNCTION.fullmatch(name) is not None or name in _FUNCTION_OPERATORS
    return name if plain else elixir_quoted(name)


def elixir_quoted(text: str) -> str:
    """Return ``text`` between double quotes, with Elixir's escapes."""
    return f'"{_ELIXIR_ESCAPED.sub(_elixir_escape, text)}"'


def _elixir_escape(match: re.Match[str]) -> str:
    found = match[0]
    return _ELIXIR_ESCAPES.get(found) or f"\\u{ord(found):04X}"


def erlang_atom(name: str) -> str:
    """Return an atom in Erlang's syntax."""
    plain = _ERLANG_WORD.fullmatch(name) is not None and name not in _ERLANG_RESERVED
    return name if plain else erlang_quoted(name, "'")


def erlang_quoted(text: str, quote: str = '"') -> str:
    """Return ``text`` between quotes, with Erlang's escapes."""
    return f"{quote}{_ERLANG_ESCAPED.sub(_erlang_escape, text).replace(quote, chr(92) + quote)}{quote}"


def _erlang_escape(match: re.Match[str]) -> str:
    found = match[0]
    code = ord(found)
    return _ESCAPES.get(found) or (f"\\{code:03o}" if code < 256 else f"\\x{{{code:X}}}")
