"""The tag bytes of the external term format (ERTS User's Guide, "External Term Format").

Each term on the wire opens with one of these; the comment says what follows it.  Old tags are kept
because a peer may still send them, or have stored them: only ``decode`` knows them.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 131
"""Opens every stand-alone term, and every frame of the distribution protocol."""
COMPRESSED: Final = 80
"""Size of the inflated term:32, zlib stream.  Only directly after :data:`VERSION`."""

SMALL_INTEGER: Final = 97  # value:8
INTEGER: Final = 98  # signed value:32
SMALL_BIG: Final = 110  # n:8, sign:8, n bytes of magnitude, little-endian
LARGE_BIG: Final = 111  # n:32, sign:8, n bytes of magnitude, little-endian
NEW_FLOAT: Final = 70  # IEEE 754 double, big-endian
FLOAT: Final = 99  # 31 bytes of text, padded with zeros (old)

ATOM_UTF8: Final = 118  # length:16, UTF-8
SMALL_ATOM_UTF8: Final = 119  # length:8, UTF-8
ATOM: Final = 100  # length:16, Latin-1 (old)
SMALL_ATOM: Final = 115  # length:8, Latin-1 (old)
ATOM_CACHE_REF: Final = 82  # index:8 into the atoms of a distribution header

SMALL_TUPLE: Final = 104  # arity:8, elements
LARGE_TUPLE: Final = 105  # arity:32, elements
NIL: Final = 106  # the empty list
STRING: Final = 107  # length:16, bytes: a list of small integers
LIST: Final = 108  # length:32, elements, tail
MAP: Final = 116  # pairs:32, then key, value, key, value, ...
RECORD: Final = 67  # n:32, flags:8, module, name, n field names, n values (OTP 29)

BINARY: Final = 109  # length:32, bytes
BIT_BINARY: Final = 77  # length:32, bits used of the last byte:8, bytes

NEW_PID: Final = 88  # node, id:32, serial:32, creation:32
PID: Final = 103  # node, id:32, serial:32, creation:8 (old)
V4_PORT: Final = 120  # node, id:64, creation:32
NEW_PORT: Final = 89  # node, id:32, creation:32
PORT: Final = 102  # node, id:32, creation:8 (old)
NEWER_REFERENCE: Final = 90  # words:16, node, creation:32, that many words:32
NEW_REFERENCE: Final = 114  # words:16, node, creation:8, that many words:32 (old)
REFERENCE: Final = 101  # node, id:32, creation:8 (old)

EXPORT: Final = 113  # module, function, arity as an integer term
NEW_FUN: Final = (
    112  # size:32, arity:8, uniq:16 bytes, index:32, nfree:32, module, old index, old uniq, pid, free
)
FUN: Final = 117  # refused, as every OTP since 23 does
LOCAL: Final = 121  # a term only its own node may read (OTP 26): refused
