"""What reading Elixir's and Erlang's syntax has in common: a position, bounds, numbers and escapes.

Only literals are read: nothing is evaluated, no variables, no operators but a sign before a number.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import TextError
from pyerlnode.limits import DEFAULT
from pyerlnode.term.atom import FALSE, NIL, TRUE, Atom
from pyerlnode.term.containers import BitString
from pyerlnode.term.maps import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.limits import Limits

_FLOAT: Final = re.compile(r"[0-9](?:_?[0-9])*\.[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9]+)?")
_DIGITS: Final = (re.compile(r"[0-9](?:_?[0-9])*"), re.compile(r"[0-9A-Za-z](?:_?[0-9A-Za-z])*"))
_LONG: Final = 500
"""Digits that Python always takes; of some thousands it refuses all bases but powers of two."""
_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_PLAIN: Final[dict[Atom, bool | None]] = {TRUE: True, FALSE: False, NIL: None}


class Scanner:
    """A text, and how far it is read.  Subclasses know a language's terms."""

    space: re.Pattern[str]
    """What may stand between two tokens."""

    def __init__(self, text: str, limits: Limits = DEFAULT) -> None:
        if len(text) > limits.text_input:
            raise TextError(f"the text has more than Limits.text_input={limits.text_input} characters", 0)
        if not text.isascii():
            _refuse_surrogates(text)
        self.text = text
        self.pos = 0
        self.limits = limits
        self.nesting = limits.nesting

    def term(self) -> Any:
        """Read the next term, whatever it is."""
        raise NotImplementedError

    def enter(self) -> None:
        """Go one level deeper."""
        self.nesting -= 1
        if self.nesting < 0:
            raise TextError(f"the term nests deeper than Limits.nesting={self.limits.nesting}", self.pos)

    def skip(self) -> None:
        """Move over white space and comments."""
        match = self.space.match(self.text, self.pos)
        if match:
            self.pos = match.end()

    def looking_at(self, token: str) -> bool:
        """Tell whether ``token`` comes next, after white space."""
        self.skip()
        return self.text.startswith(token, self.pos)

    def take(self, token: str) -> bool:
        """Move over ``token`` if it comes next."""
        found = self.looking_at(token)
        if found:
            self.pos += len(token)
        return found

    def expect(self, token: str) -> None:
        """Move over ``token``, which must come next."""
        if not self.take(token):
            raise self.unexpected(f"{token} is expected")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Move over ``pattern`` if it comes right here."""
        found = pattern.match(self.text, self.pos)
        if found:
            self.pos = found.end()
        return found

    def unexpected(self, message: str) -> TextError:
        """Return the error for what stands here."""
        found = repr(self.text[self.pos]) if self.pos < len(self.text) else "the end"
        return TextError(f"{message}, found {found}", self.pos)

    def whole(self) -> Any:
        """Read the one term that is the whole text."""
        try:
            term = self.term()
        except RecursionError:
            raise TextError("the term nests deeper than this thread's stack has room for", self.pos) from None
        self.skip()
        if self.pos < len(self.text):
            raise self.unexpected("the text goes on after the term")
        return term

    def until(self, closing: str, element: Callable[[], Any]) -> list[Any]:
        """Read elements separated by commas up to ``closing``."""
        items: list[Any] = []
        self.enter()
        while not self.take(closing):
            if items:
                self.expect(",")
            items.append(element())
        self.nesting += 1
        return items

    def number(self) -> int | float:
        """Read an integer in decimal, or a float, without a sign."""
        at = self.pos
        found = self.match(_FLOAT)
        if found is None:
            return self.digits(10)
        value = float(found[0].replace("_", ""))
        if not isfinite(value):
            raise TextError("this float is too large", at)
        return value

    def digits(self, base: int) -> int:
        """Read the digits of an integer in ``base``."""
        at = self.pos
        found = self.match(_DIGITS[base > 10])
        if found is None:
            raise self.unexpected("a number is expected")
        try:
            return int(found[0], base)
        except ValueError:
            reason = (
                f"no integer in base {base}"
                if len(found[0]) < _LONG
                else "write a number this long in base 16"
            )
            raise TextError(reason, at) from None

    def code_point(self, value: str, at: int) -> int:
        """Return the code point whose hexadecimal number is ``value``."""
        code = int(value, 16) if value and len(value) <= 8 else 0x110000
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise TextError("there is no such character", at)
        return code

    def braced_hex(self, at: int) -> int:
        """Read ``{1F600}`` after an escape's letter."""
        self.pos += 1
        found = self.match(_HEX)
        code = self.code_point(found[0] if found else "", at)
        if not self.text.startswith("}", self.pos):
            raise TextError("an escape with a brace is closed by one", at)
        self.pos += 1
        return code

    def fixed_hex(self, count: int, at: int) -> int:
        """Read ``count`` hexadecimal digits after an escape's letter."""
        found = _HEX.match(self.text, self.pos, self.pos + count)
        if not found or len(found[0]) != count:
            raise TextError(f"this escape takes {count} hexadecimal digits", at)
        self.pos += count
        return self.code_point(found[0], at)

    def atom(self, name: str, at: int) -> Any:
        """Return what the atom called ``name`` is in Python."""
        try:
            found = Atom(name)
        except ValueError as error:
            raise TextError(str(error), at) from None
        return _PLAIN.get(found, found)

    def map(self, pairs: list[tuple[Any, Any]]) -> Any:
        """Return the map of ``pairs``; of equal keys the last wins."""
        keys = [key for key, _value in pairs]
        made = build(keys, [value for _key, value in pairs])
        return made if len(made) == len(keys) else build(list(made), list(made.values()))


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TextError("a lone surrogate is no character", error.start) from None


class Bits:
    """A binary or bit string that is put together from segments."""

    __slots__ = ("data", "limits", "pending", "width")

    def __init__(self, limits: Limits) -> None:
        self.data = bytearray()
        self.pending = 0
        self.width = 0
        self.limits = limits

    def add(self, value: int, size: int, at: int) -> None:
        """Append the low ``size`` bits of ``value``."""
        if size > 8 * (self.limits.text_input - len(self.data)):
            raise TextError("the binary is larger than Limits.text_input bytes", at)
        self.pending = (self.pending << size) | (value & ((1 << size) - 1))
        self.width += size
        count, self.width = divmod(self.width, 8)
        self.data += (self.pending >> self.width).to_bytes(count, "big")
        self.pending &= (1 << self.width) - 1

    def extend(self, data: bytes, at: int) -> None:
        """Append whole bytes."""
        self.add(int.from_bytes(data, "big"), 8 * len(data), at)

    def value(self) -> bytes | BitString:
        """Return what has been put together."""
        if not self.width:
            return bytes(self.data)
        return BitString(bytes(self.data) + bytes((self.pending << (8 - self.width),)), self.width)
