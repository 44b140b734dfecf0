"""Numbers out of bytes and into them: the operations that mypyc turns into a few machine instructions.

``librt.strings`` has them in C.  Compiled modules use them without a call when they are imported from here
by name (``from pyerlnode.term.primitives import read_i32_be``); interpreted ones call librt's functions, or
where librt is not installed those of :mod:`pyerlnode.term.stand_ins`, which do the same more slowly.
Reading beyond the end is an ``IndexError`` in all three cases, an index below zero a ``ValueError``.
"""

from __future__ import annotations

try:
    from librt.strings import (
        BytesWriter,
        read_f64_be,
        read_i16_be,
        read_i32_be,
        read_i64_be,
        read_i64_le,
        write_f64_be,
        write_i16_be,
        write_i32_be,
        write_i64_le,
    )
except ImportError:
    from pyerlnode.term.stand_ins import (  # type: ignore[assignment]
        BytesWriter,
        read_f64_be,
        read_i16_be,
        read_i32_be,
        read_i64_be,
        read_i64_le,
        write_f64_be,
        write_i16_be,
        write_i32_be,
        write_i64_le,
    )

__all__ = [
    "BytesWriter",
    "read_f64_be",
    "read_i16_be",
    "read_i32_be",
    "read_i64_be",
    "read_i64_le",
    "write_f64_be",
    "write_i16_be",
    "write_i32_be",
    "write_i64_le",
]
