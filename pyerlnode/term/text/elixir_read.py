"""Reads terms in Elixir's syntax: literals only, nothing is evaluated.

Read are numbers (``0x`` ``0o`` ``0b``, ``?a``), atoms, aliases, strings and charlists with escapes, the
sigils ``~s`` ``~c`` and ``~w``, tuples, lists, keyword lists, maps, structs (without checking their fields),
binaries and bit strings, and ``&Mod.fun/1``.  (Elixir "Syntax reference".)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pyerlnode.errors import TextError
from pyerlnode.term.atom import Atom, as_atom
from pyerlnode.term.containers import BitString, ImproperList, charlist
from pyerlnode.term.fun import ExportFun
from pyerlnode.term.text.names import ELIXIR_OPERATORS
from pyerlnode.term.text.scanner import Bits, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATOR: Final = re.compile("|".join(map(re.escape, ELIXIR_OPERATORS)))
_WORD: Final = re.compile(r"[^\W\d][\w@]*[?!]?")
_KEY: Final = re.compile(rf"({_WORD.pattern}|{_OPERATOR.pattern}):(?=\s)")
_COLON: Final = re.compile(r":(?=\s)")
_ALIAS: Final = re.compile(r"[A-Z][A-Za-z0-9_]*(?:\.[A-Z][A-Za-z0-9_]*)*")
_MODIFIER: Final = re.compile("[asc]")
_NEWLINE: Final = re.compile("\n")
_BASES: Final = {"0x": 16, "0o": 8, "0b": 2}
_ESCAPES: Final = {
    "a": 7,
    "b": 8,
    "d": 127,
    "e": 27,
    "f": 12,
    "n": 10,
    "r": 13,
    "s": 32,
    "t": 9,
    "v": 11,
    "0": 0,
}
_SIGIL_DELIMITERS: Final = "([{<\"'/|"
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "<": ">"}
_BYTE_MARK: Final = 0xDC00
"""What Python's ``surrogateescape`` adds to a byte among characters; no text that is read has surrogates."""
_MARKED: Final = re.compile("[\udc80-\udcff]")


class ElixirReader(Scanner):
    """Reads Elixir's syntax."""

    space = re.compile(r"\s+")

    def term(self) -> Any:
        """Read the next term, whatever it is."""
        self.skip()
        at = self.pos
        first = self.text[at : at + 1]
        if first.isdigit() and first.isascii():
            return self._number()
        if "A" <= first <= "Z":
            return self._alias()
        reader = self._BY_FIRST.get(first)
        if reader is not None:
            self.pos += 1
            return reader(self)
        return self._bare_word()

    def _bare_word(self) -> Any:
        at = self.pos
        word = self.match(_WORD)
        if word is None:
            raise self.unexpected("a term is expected")
        if word[0] not in ("true", "false", "nil"):
            raise TextError(f"{word[0]} is a variable or a call; the atom is :{word[0]}", at)
        return self.atom(word[0], at)

    # ------------------------------------------------------------------ numbers

    def _number(self, sign: int = 1) -> int | float:
        base = _BASES.get(self.text[self.pos : self.pos + 2])
        if base is None:
            return sign * self.number()
        self.pos += 2
        return sign * self.digits(base)

    def _minus(self) -> int | float:
        self.skip()
        return self._number(-1)

    def _plus(self) -> int | float:
        self.skip()
        return self._number()

    def _character(self) -> int:
        at = self.pos
        self.pos += 1
        if at >= len(self.text):
            raise TextError("a character is expected after the ?", at)
        code = self._escape() if self.text[at] == "\\" else ord(self.text[at])
        return code - _BYTE_MARK if 0xDC80 <= code <= 0xDCFF else code

    # ------------------------------------------------------------------ atoms

    def _atom(self) -> Any:
        at = self.pos - 1
        for quote in "\"'":
            if self.text.startswith(quote, self.pos):
                self.pos += 1
                return self.atom(_code_points(self._characters(quote)), at)
        name = self._word()
        if not name:
            raise TextError('an atom\'s name is expected after the colon; quote it as :"..." if need be', at)
        return self.atom(name, at)

    def _word(self) -> str:
        """Read a word or an operator, as an atom may be called without quotes; return "" for neither."""
        found = self.match(_WORD) or self.match(_OPERATOR)
        return found[0] if found else ""

    def _alias(self) -> Any:
        at = self.pos
        found = self.match(_ALIAS)
        name = found[0] if found else ""
        return self.atom(name if f"{name}.".startswith("Elixir.") else f"Elixir.{name}", at)

    def _capture(self) -> ExportFun:
        at = self.pos - 1
        module = as_atom(self.term())
        self.expect(".")
        name = _code_points(self._characters('"')) if self.take('"') else self._word()
        function = as_atom(self.atom(name, at))
        self.expect("/")
        if module is None or function is None or not name:
            raise TextError("a function is written as &Module.name/1", at)
        return ExportFun(module, function, self.digits(10))

    # ------------------------------------------------------------------ text

    def _characters(self, closing: str, escapes: bool = True) -> str:
        """Read up to ``closing``; bytes given by number are marked as in Python's ``surrogateescape``."""
        at = self.pos - 1
        parts: list[str] = []
        plain = re.compile(rf"[^\\#{re.escape(closing)}]+" if escapes else rf"[^{re.escape(closing)}]+")
        while not self.text.startswith(closing, self.pos):
            found = self.match(plain)
            if found:
                parts.append(found[0])
            elif self.pos >= len(self.text):
                raise TextError(f"the text that begins here has no closing {closing}", at)
            else:
                parts.append(self._special())
        self.pos += 1
        return "".join(parts)

    def _special(self) -> str:
        """Read a backslash with what it escapes, or a # that is not the start of an interpolation."""
        at = self.pos
        self.pos += 1
        if self.text[at] == "\\":
            return "" if self.match(_NEWLINE) else chr(self._escape())
        if self.text.startswith("{", self.pos):
            raise TextError("an interpolation cannot be read, nothing is evaluated; write \\#{", at)
        return "#"

    def _escape(self) -> int:
        """Read what follows a backslash; return its code point, or a marked byte."""
        at = self.pos - 1
        letter = self.text[self.pos : self.pos + 1]
        self.pos += 1
        braced = self.text.startswith("{", self.pos)
        if letter in ("x", "u") and braced:
            return self.braced_hex(at)
        if letter == "u":
            return self.fixed_hex(4, at)
        if letter == "x":
            code = self.fixed_hex(2, at)
            return code if code < 0x80 else _BYTE_MARK + code
        if not letter:
            raise TextError("something is expected after the backslash", at)
        return _ESCAPES.get(letter, ord(letter))

    def _string(self) -> Any:
        return self._characters('"').encode("utf-8", "surrogateescape")

    def _charlist(self) -> list[int]:
        return charlist(_code_points(self._characters("'")))

    def _sigil(self) -> Any:
        at = self.pos - 1
        kind = self.text[self.pos : self.pos + 1]
        opening = self.text[self.pos + 1 : self.pos + 2]
        if kind not in ("s", "S", "c", "C", "w", "W") or not opening or opening not in _SIGIL_DELIMITERS:
            raise TextError("of the sigils, only ~s, ~c and ~w are read", at)
        self.pos += 2
        text = self._characters(_CLOSING.get(opening, opening), kind.islower())
        if kind in "cC":
            return charlist(_code_points(text))
        if kind in "sS":
            return text.encode("utf-8", "surrogateescape")
        return self._words(text, at)

    def _words(self, text: str, at: int) -> list[Any]:
        modifier = self.match(_MODIFIER)
        words = [_code_points(word) for word in text.split()]
        if modifier and modifier[0] == "a":
            return [self.atom(word, at) for word in words]
        return [charlist(word) if modifier and modifier[0] == "c" else word.encode() for word in words]

    # ------------------------------------------------------------------ containers

    def _item(self) -> tuple[bool, Any]:
        """Read an element: whether it is a pair written as ``key: value``, and the element."""
        self.skip()
        at = self.pos
        found = self.match(_KEY)
        if found:
            return True, (self.atom(found[1], at), self.term())
        if self.take('"'):
            name = self._characters('"')
            if self.match(_COLON):
                return True, (self.atom(_code_points(name), at), self.term())
            self.pos = at
        return False, self.term()

    def _items(self, closing: str) -> tuple[list[Any], list[tuple[Any, Any]]]:
        """Read elements up to ``closing``: those without a key, then those written as ``key: value``."""
        items: list[Any] = []
        pairs: list[tuple[Any, Any]] = []
        for is_pair, item in self.until(closing, self._item):
            if is_pair:
                pairs.append(item)
            elif pairs:
                raise TextError("elements written as `key: value` come last", self.pos)
            else:
                items.append(item)
        return items, pairs

    def _tuple(self) -> tuple[Any, ...]:
        items, pairs = self._items("}")
        return (*items, pairs) if pairs else tuple(items)

    def _list(self) -> Any:
        items: list[Any] = []
        self.enter()
        while not self.take("]"):
            if items and self.take("|"):
                tail = self.term()
                self.expect("]")
                self.nesting += 1
                return ImproperList.of(items, tail)
            if items:
                self.expect(",")
            items.append(self._item()[1])
        self.nesting += 1
        return items

    def _map(self) -> Any:
        pairs: list[tuple[Any, Any]] = []
        if not self.text.startswith("{", self.pos):
            pairs.append((Atom("__struct__"), self._alias()))
        self.expect("{")
        pairs += self.until("}", self._pair)
        return self.map(pairs)

    def _pair(self) -> tuple[Any, Any]:
        is_pair, key = self._item()
        if is_pair:
            pair: tuple[Any, Any] = key
            return pair
        self.expect("=>")
        return key, self.term()

    def _binary(self) -> bytes | BitString:
        if not self.take("<"):
            raise self.unexpected("<< is expected")
        bits = Bits(self.limits)
        self.until(">>", lambda: self._segment(bits))
        return bits.value()

    def _segment(self, bits: Bits) -> None:
        self.skip()
        at = self.pos
        value = self.term()
        size = self._size() if self.take("::") else None
        if isinstance(value, bytes) and size is None:
            bits.extend(value, at)
        elif isinstance(value, int) and not isinstance(value, bool):
            bits.add(value, 8 if size is None else size, at)
        else:
            raise TextError("a binary is made of integers, with a size perhaps, and strings", at)

    def _size(self) -> int | None:
        """Read a segment's type: a size in bits, or ``None`` for a string's."""
        if self.take("size("):
            size = self.digits(10)
            self.expect(")")
            return size
        if self.take("binary") or self.take("utf8"):
            return None
        self.skip()
        return self.digits(10)

    _BY_FIRST: ClassVar[dict[str, Callable[[ElixirReader], Any]]] = {
        ":": _atom,
        '"': _string,
        "'": _charlist,
        "~": _sigil,
        "?": _character,
        "-": _minus,
        "+": _plus,
        "&": _capture,
        "{": _tuple,
        "[": _list,
        "%": _map,
        "<": _binary,
    }


def _code_points(characters: str) -> str:
    """Return ``characters`` with each marked byte as the code point of the same number."""
    return _MARKED.sub(lambda found: chr(ord(found[0]) - _BYTE_MARK), characters)
