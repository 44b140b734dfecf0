"""Reads terms in Erlang's syntax: literals only, nothing is evaluated.

Read are numbers (``16#ff``, ``$a``), atoms, strings, tuples, lists, maps, binaries and bit strings,
``fun M:F/A``, comments and a full stop at the end.  (Erlang Reference Manual, "Data Types".)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pyerlnode.errors import TextError
from pyerlnode.term.atom import Atom, as_atom
from pyerlnode.term.containers import ImproperList, charlist
from pyerlnode.term.fun import ExportFun
from pyerlnode.term.text.scanner import Bits, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term.containers import BitString

_WORD: Final = re.compile("[a-z\xdf-\xf6\xf8-\xff][A-Za-z0-9_@\xc0-\xd6\xd8-\xf6\xf8-\xff]*")
_BASED: Final = re.compile("([0-9]{1,2})#")
_OCTAL: Final = re.compile("[0-7]{1,3}")
_END: Final = re.compile(r"\.\s*$")
_ESCAPES: Final = {"b": 8, "d": 127, "e": 27, "f": 12, "n": 10, "r": 13, "s": 32, "t": 9, "v": 11}


class ErlangReader(Scanner):
    """Reads Erlang's syntax."""

    space = re.compile(r"(?:\s+|%[^\n]*)+")

    def term(self) -> Any:
        """Read the next term, whatever it is."""
        self.skip()
        at = self.pos
        first = self.text[at : at + 1]
        if first.isascii() and first.isdigit():
            return self._number()
        reader = self._BY_FIRST.get(first)
        if reader is not None:
            self.pos += 1
            return reader(self)
        word = self.match(_WORD)
        if word is None:
            raise self.unexpected("a term is expected")
        return self._fun() if word[0] == "fun" else self.atom(word[0], at)

    def whole(self) -> Any:
        """Read the one term that is the whole text, with a full stop after it perhaps."""
        end = _END.search(self.text)
        self.text = self.text[: end.start()] if end else self.text
        return super().whole()

    def _number(self, sign: int = 1) -> int | float:
        at = self.pos
        based = self.match(_BASED)
        if based is None:
            return sign * self.number()
        base = int(based[1])
        if not 2 <= base <= 36:
            raise TextError("a base is 2 to 36", at)
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
            raise TextError("a character is expected after the $", at)
        return self._escape() if self.text[at] == "\\" else ord(self.text[at])

    def _quoted_atom(self) -> Any:
        at = self.pos - 1
        return self.atom(self._characters("'"), at)

    def _characters(self, closing: str) -> str:
        """Read up to ``closing``."""
        at = self.pos - 1
        parts: list[str] = []
        plain = _PLAIN_TEXT[closing]
        while not self.text.startswith(closing, self.pos):
            found = self.match(plain)
            if found:
                parts.append(found[0])
            elif self.pos >= len(self.text):
                raise TextError(f"the text that begins here has no closing {closing}", at)
            else:
                self.pos += 1
                parts.append(chr(self._escape()))
        self.pos += 1
        return "".join(parts)

    def _escape(self) -> int:
        """Read what follows a backslash; return its code point."""
        at = self.pos - 1
        octal = self.match(_OCTAL)
        if octal:
            return int(octal[0], 8)
        letter = self.text[self.pos : self.pos + 1]
        self.pos += 1
        if letter == "x":
            return self.braced_hex(at) if self.text.startswith("{", self.pos) else self.fixed_hex(2, at)
        if letter == "^":
            self.pos += 1
            letter = self.text[self.pos - 1 : self.pos]
            return ord(letter) & 31 if "@" <= letter <= "z" else self._nothing(at)
        return _ESCAPES.get(letter) or (ord(letter) if letter else self._nothing(at))

    def _nothing(self, at: int) -> int:
        raise TextError("something is expected after the backslash", at)

    def _string(self) -> list[int]:
        text = self._characters('"')
        while self.take('"'):  # strings side by side are one
            text += self._characters('"')
        return charlist(text)

    def _tuple(self) -> tuple[Any, ...]:
        return tuple(self.until("}", self.term))

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
            items.append(self.term())
        self.nesting += 1
        return items

    def _map(self) -> Any:
        if not self.take("{"):
            raise TextError("of what begins with #, only maps can be read", self.pos - 1)
        return self.map(self.until("}", self._pair))

    def _pair(self) -> tuple[Any, Any]:
        key = self.term()
        self.expect("=>")
        return key, self.term()

    def _binary(self) -> bytes | BitString:
        if not self.text.startswith("<", self.pos):
            raise self.unexpected("<< is expected")
        self.pos += 1
        bits = Bits(self.limits)
        self.until(">>", lambda: self._segment(bits))
        return bits.value()

    def _segment(self, bits: Bits) -> None:
        self.skip()
        at = self.pos
        if self.take('"'):
            self._text_segment(bits, self._characters('"'), at)
            return
        value = self.term()
        if type(value) is not int:
            raise TextError("a binary is made of integers, with a size perhaps, and strings", at)
        bits.add(value, self.digits(10) if self.take(":") else 8, at)

    def _text_segment(self, bits: Bits, text: str, at: int) -> None:
        encoding = "utf-8" if self.take("/utf8") else "latin-1"
        try:
            bits.extend(text.encode(encoding), at)
        except UnicodeEncodeError:
            raise TextError('characters above 255 in a binary need /utf8: <<"..."/utf8>>', at) from None

    def _fun(self) -> ExportFun:
        at = self.pos - 3
        module = self._name()
        self.expect(":")
        function = self._name()
        self.expect("/")
        self.skip()
        if module is None or function is None:
            raise TextError("of funs, only fun module:name/arity can be read", at)
        return ExportFun(module, function, self.digits(10))

    def _name(self) -> Atom | None:
        self.skip()
        at = self.pos
        if self.take("'"):
            return as_atom(self._quoted_atom())
        word = self.match(_WORD)
        return as_atom(self.atom(word[0], at)) if word else None

    _BY_FIRST: ClassVar[dict[str, Callable[[ErlangReader], Any]]] = {
        "'": _quoted_atom,
        '"': _string,
        "$": _character,
        "-": _minus,
        "+": _plus,
        "{": _tuple,
        "[": _list,
        "#": _map,
        "<": _binary,
    }


_PLAIN_TEXT: Final = {'"': re.compile(r'[^\\"]+'), "'": re.compile(r"[^\\']+")}
