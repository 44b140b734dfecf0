"""Readers of numbers: integers of any size, and floats in both of their forms.

Each takes the position from its :class:`Reader` at the tag and leaves it behind the term, as those of
``leaves`` do.
(ERTS User's Guide, "External Term Format", SMALL_INTEGER_EXT and what follows it.)
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import DecodeError
from pyerlnode.term.primitives import read_f64_be, read_i32_be, read_i64_le
from pyerlnode.term.reader import unsigned

if TYPE_CHECKING:
    from mypy_extensions import i64

    from pyerlnode.term.reader import Reader

_FLOAT_CHARS: Final = 31
_FLOAT_TEXT: Final = rb"(?s)([+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?:\0.*)?"
"""Compiled when the first one comes: no node of today sends any."""
_SEVEN_BYTES: Final = 0xFF_FFFF_FFFF_FFFF


def read_small_integer(r: Reader) -> int:
    """Return an integer up to 255."""
    pos = r.pos
    r.pos = pos + 2
    return r.data[pos + 1]


def read_integer32(r: Reader) -> int:
    """Return an integer of 32 bits."""
    pos = r.pos
    r.pos = pos + 5
    return read_i32_be(r.data, pos + 1)


def read_small_big(r: Reader) -> int:
    """Return an integer of up to 255 bytes."""
    pos = r.pos
    data = r.data
    size: i64 = data[pos + 1]
    if size > 8 or pos + 11 > r.end:
        return _big(r, size, pos + 2)
    r.pos = pos + 3 + size
    word = read_i64_le(data, pos + 3)
    value: int = word & (_SEVEN_BYTES >> (56 - 8 * size)) if size < 8 else word
    if value < 0:
        value += 0x1_0000_0000_0000_0000
    return -value if data[pos + 2] else value


def read_large_big(r: Reader) -> int:
    """Return an integer of more than 255 bytes."""
    pos = r.pos
    return _big(r, unsigned(read_i32_be(r.data, pos + 1)), pos + 5)


def _big(r: Reader, count: int, sign_at: int) -> int:
    value = int.from_bytes(r.take(sign_at + 1, count), "little")
    sign = r.data[sign_at]
    return -value if sign else value


def read_float(r: Reader) -> float:
    """Return an IEEE 754 double."""
    pos = r.pos
    r.pos = pos + 9
    value = read_f64_be(r.data, pos + 1)
    if value - value != 0.0:  # as only infinities and NaN do
        raise DecodeError("a float is neither infinite nor NaN", pos)
    return value


def read_text_float(r: Reader) -> float:
    """Return a float in its old form, as text."""
    pos = r.pos
    match = re.fullmatch(_FLOAT_TEXT, r.take(pos + 1, _FLOAT_CHARS))
    value = float(match[1]) if match else float("nan")
    if not isfinite(value):
        raise DecodeError("the text of a float is not a finite decimal number", pos)
    return value
