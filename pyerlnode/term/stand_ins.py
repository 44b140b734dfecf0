"""What :mod:`pyerlnode.term.primitives` gives where librt is not installed.

The same names, arguments and results as in ``librt.strings``, made of the standard library.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_extensions import i16, i32, i64

_I16 = Struct(">h")
_I32 = Struct(">i")
_I64 = Struct(">q")
_I64_LITTLE = Struct("<q")
_F64 = Struct(">d")


def read_i16_be(b: bytes, index: i64, /) -> i16:
    """Return the signed 16 bits at ``index``."""
    value: i16 = _I16.unpack_from(b, _checked(b, index, 2))[0]
    return value


def read_i32_be(b: bytes, index: i64, /) -> i32:
    """Return the signed 32 bits at ``index``."""
    value: i32 = _I32.unpack_from(b, _checked(b, index, 4))[0]
    return value


def read_i64_be(b: bytes, index: i64, /) -> i64:
    """Return the signed 64 bits at ``index``."""
    value: i64 = _I64.unpack_from(b, _checked(b, index, 8))[0]
    return value


def read_i64_le(b: bytes, index: i64, /) -> i64:
    """Return the signed 64 bits at ``index``, lowest byte first."""
    value: i64 = _I64_LITTLE.unpack_from(b, _checked(b, index, 8))[0]
    return value


def read_f64_be(b: bytes, index: i64, /) -> float:
    """Return the IEEE 754 double at ``index``."""
    value: float = _F64.unpack_from(b, _checked(b, index, 8))[0]
    return value


def _checked(b: bytes, index: i64, size: i64) -> i64:
    if index < 0:
        raise ValueError("index must be non-negative")
    if index > len(b) - size:
        raise IndexError(f"index {index} out of range for bytes of length {len(b)}")
    return index


class BytesWriter:
    """A growing buffer of bytes."""

    __slots__ = ("_data", "append", "write")

    def __init__(self) -> None:
        self._data = bytearray()
        self.append: Callable[[int], None] = self._data.append
        self.write: Callable[[bytes], None] = self._data.extend

    def __len__(self) -> int:
        return len(self._data)

    def getvalue(self) -> bytes:
        """Return all bytes."""
        return bytes(self._data)

    def truncate(self, size: i64, /) -> None:
        """Keep the first ``size`` bytes."""
        del self._data[size:]


def write_i16_be(b: BytesWriter, n: i16, /) -> None:
    """Append ``n`` as signed 16 bits."""
    b.write(_I16.pack(n))


def write_i32_be(b: BytesWriter, n: i32, /) -> None:
    """Append ``n`` as signed 32 bits."""
    b.write(_I32.pack(n))


def write_i64_le(b: BytesWriter, n: i64, /) -> None:
    """Append ``n`` as signed 64 bits, lowest byte first."""
    b.write(_I64_LITTLE.pack(n))


def write_f64_be(b: BytesWriter, n: float, /) -> None:
    """Append ``n`` as an IEEE 754 double."""
    b.write(_F64.pack(n))
