"""Bytes in the external term format, made into Python values.

One pass over the bytes, and one position that every reader moves on.  The input is hostile until proven
otherwise: a count is believed only as far as bytes are left for it, and nesting, the number of sub-terms
and inflation are bounded by :class:`pyerlnode.Limits`.  Whatever is wrong ends in :class:`DecodeError` with
the offset.
(ERTS User's Guide, "External Term Format"; what a BEAM refuses, we refuse.)
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term.deep import Deep
from pyerlnode.term.primitives import read_i32_be
from pyerlnode.term.quick import LEVELS, read_term
from pyerlnode.term.reader import Reader, unsigned
from pyerlnode.term.tags import COMPRESSED, VERSION

if TYPE_CHECKING:
    from pyerlnode.term.atom import Atom

_DEFAULT: Final = DEFAULT
_FEW: Final = min(DEFAULT.elements, 1_000_000)
"""Bytes that can never have more elements than the default allows: each takes one."""


def decode(data: bytes | bytearray | memoryview, *, text: str | None = None, limits: Limits = DEFAULT) -> Any:
    """Return the one term that ``data`` holds: 131 and a term, or 131, 80 and a compressed term.

    ``text="utf8"`` gives ``str`` for binaries that are valid UTF-8.  Raises :class:`DecodeError`, also for
    bytes after the term, and :class:`LimitExceeded` for what is larger than ``limits`` allow.
    """
    if not isinstance(data, bytes):
        data = memoryview(data).tobytes()
    if not data or data[0] != VERSION:
        raise DecodeError("not in the external term format: the first byte is not 131", 0)
    offset = 1
    if len(data) > 1 and data[1] == COMPRESSED:
        data, offset = _inflate(data, limits), 0
    r = Reader(data, offset, (), text is not None and is_known(text), limits)
    return read_last(r)


def decode_bare(
    data: bytes | bytearray | memoryview,
    offset: int = 0,
    *,
    refs: tuple[Atom, ...] = (),
    text: str | None = None,
    limits: Limits = DEFAULT,
) -> tuple[Any, int]:
    """Decode one term without the leading 131 at ``offset``; return it and the offset behind it.

    ``refs`` are the atoms of the distribution header, to which tag 82 refers by index.  Errors as in
    :func:`decode`.
    """
    if not isinstance(data, bytes):
        data = memoryview(data).tobytes()
    r = Reader(data, offset, refs, text is not None and is_known(text), limits)
    return _read(r), r.pos


def read_last(r: Reader) -> Any:
    """Return the term at the reader's position, behind which nothing may follow.  Errors as in `decode`."""
    term = _read(r)
    if r.pos != r.end:
        raise DecodeError(f"{r.end - r.pos} bytes follow the term", r.pos)
    return term


def is_known(text: str) -> bool:
    """Whether ``text`` is what it may be: the one name of an encoding that there is."""
    if text != "utf8":
        raise ValueError(f"text={text!r}: use 'utf8', or None for bytes")
    return True


def _read(r: Reader) -> Any:
    try:
        if r.limits is _DEFAULT and r.end <= _FEW:
            return read_term(r, LEVELS)
        nesting: int = r.limits.nesting
        if r.end - r.pos > r.limits.elements:
            return Deep(r, nesting).read()
        return read_term(r, min(LEVELS, nesting))
    except IndexError:
        error = DecodeError("the input ends within a term", r.end)
    except RecursionError:
        error = LimitExceeded("the term nests deeper than this thread's stack allows", r.pos)
    raise error


def _inflate(data: bytes, limits: Limits) -> bytes:
    """Return the bytes that a compressed term (after 131, 80) stands for."""
    if len(data) < 6:
        raise DecodeError("the input ends within the size of a compressed term", len(data))
    size = unsigned(read_i32_be(data, 2))
    if size > limits.inflate:
        raise LimitExceeded(f"a compressed term of {size} bytes exceeds Limits.inflate={limits.inflate}", 2)
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data[6:], size + 1)
    except zlib.error as error:
        raise DecodeError(f"the compressed term is damaged: {error}", 6) from None
    if len(inflated) != size or not stream.eof:
        raise DecodeError(f"the compressed term does not inflate to the {size} bytes announced", 2)
    if stream.unused_data:
        raise DecodeError(
            f"{len(stream.unused_data)} bytes follow the term", len(data) - len(stream.unused_data)
        )
    return inflated
