"""Bytes in the external term format, made into Python values.

One pass over the bytes: a table from tag to reader, and one position that every reader moves on.  The
input is hostile until proven otherwise: a count is believed only as far as bytes are left for it, and
nesting, the number of sub-terms and inflation are bounded by :class:`pyerlnode.Limits`.  Whatever is
wrong ends in :class:`DecodeError` with the offset.
(ERTS User's Guide, "External Term Format"; what a BEAM refuses, we refuse.)
"""

from __future__ import annotations

import zlib
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import tags
from pyerlnode.term.containers import ImproperList
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.leaves import LEAVES, read_atom, read_integer, read_pid
from pyerlnode.term.maps import CROWD, build, is_crowded
from pyerlnode.term.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term.atom import Atom

_u32 = Struct(">I").unpack_from

_MAX_ARITY: Final = (1 << 24) - 1
_MAX_FREE: Final = 255


def decode(data: bytes | bytearray | memoryview, *, text: str | None = None, limits: Limits = DEFAULT) -> Any:
    """Return the one term that ``data`` holds: 131 and a term, or 131, 80 and a compressed term.

    ``text="utf8"`` gives ``str`` for binaries that are valid UTF-8.  Raises :class:`DecodeError`, also for
    bytes after the term, and :class:`LimitExceeded` for what is larger than ``limits`` allow.
    """
    data = _as_bytes(data)
    if not data or data[0] != tags.VERSION:
        raise DecodeError("not in the external term format: the first byte is not 131", 0)
    offset = 1
    if data[1:2] == b"P":
        data, offset = _inflate(data, limits), 0
    term, end = _read(data, offset, (), text, limits)
    if end != len(data):
        raise DecodeError(f"{len(data) - end} bytes follow the term", end)
    return term


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
    return _read(_as_bytes(data), offset, refs, text, limits)


def _read(
    data: bytes, offset: int, refs: tuple[Atom, ...], text: str | None, limits: Limits
) -> tuple[Any, int]:
    if text is not None and text != "utf8":
        raise ValueError(f"text={text!r}: use 'utf8', or None for bytes")
    reader = Reader(data, offset, refs, text is not None, limits)
    try:
        return _READERS[data[offset]](reader), reader.pos
    except (IndexError, StructError):
        raise DecodeError("the input ends within a term", len(data)) from None
    except RecursionError:
        raise LimitExceeded("the term nests deeper than this thread's stack allows", reader.pos) from None


def _as_bytes(data: bytes | bytearray | memoryview) -> bytes:
    return data if type(data) is bytes else memoryview(data).tobytes()


def _unknown(r: Reader) -> Any:
    tag = r.data[r.pos]
    if tag == tags.COMPRESSED:
        raise DecodeError(
            "a compressed term is only allowed right after 131, outside the distribution protocol", r.pos
        )
    if tag in (tags.FUN, tags.LOCAL):
        raise DecodeError(
            f"tag {tag}, a fun of before OTP 23 or a term local to its node, is not accepted", r.pos
        )
    raise DecodeError(f"there is no term with the tag {tag}", r.pos)


# ---------------------------------------------------------------------------------- containers
#
# The readers of nested terms spend one Python frame on each level, so that Limits.nesting levels fit
# into the interpreter's stack: that is why their loops are not one shared function.


def _small_tuple(r: Reader) -> tuple[Any, ...]:
    pos = r.pos
    r.pos = pos + 2
    data = r.data
    count = data[pos + 1]
    r.elements -= count
    r.nesting -= 1
    if r.elements < 0 or r.nesting < 0 or count > r.end - r.pos:
        raise r.refusal(count, pos)
    items = []
    for _ in range(count):
        items.append(_READERS[data[r.pos]](r))  # noqa: PERF401
    r.nesting += 1
    return tuple(items)


def _large_tuple(r: Reader) -> tuple[Any, ...]:
    pos = r.pos
    r.pos = pos + 5
    data = r.data
    count: int = _u32(data, pos + 1)[0]
    if count > _MAX_ARITY:
        raise DecodeError(f"a tuple has at most {_MAX_ARITY} elements, not {count}", pos)
    r.elements -= count
    r.nesting -= 1
    if r.elements < 0 or r.nesting < 0 or count > r.end - r.pos:
        raise r.refusal(count, pos)
    items = []
    for _ in range(count):
        items.append(_READERS[data[r.pos]](r))  # noqa: PERF401
    r.nesting += 1
    return tuple(items)


def _list(r: Reader) -> Any:
    items: list[Any] = []
    data = r.data
    while True:  # a tail that is a list again goes on with this one: no recursion, no copying
        pos = r.pos
        r.pos = pos + 5
        count: int = _u32(data, pos + 1)[0]
        r.elements -= count + 1
        r.nesting -= 1
        if r.elements < 0 or r.nesting < 0 or count + 1 > r.end - r.pos:
            raise r.refusal(count + 1, pos)
        for _ in range(count):
            items.append(_READERS[data[r.pos]](r))  # noqa: PERF401
        tag = data[r.pos]
        if tag == tags.NIL:
            r.pos += 1
            r.nesting += 1
            return items
        if tag == tags.LIST:
            r.nesting += 1
            continue
        tail = _READERS[tag](r)
        r.nesting += 1
        return ImproperList.of(items, tail)


def _map(r: Reader) -> Any:
    pos = r.pos
    r.pos = pos + 5
    data = r.data
    count: int = 2 * _u32(data, pos + 1)[0]
    r.elements -= count
    r.nesting -= 1
    if r.elements < 0 or r.nesting < 0 or count > r.end - r.pos:
        raise r.refusal(count, pos)
    items = []
    for _ in range(count):
        items.append(_READERS[data[r.pos]](r))  # noqa: PERF401
    r.nesting += 1
    if count > 2 * CROWD and is_crowded(items[::2]):
        raise LimitExceeded("the keys of a map are made to collide", pos)
    result = build(items[::2], items[1::2])
    if 2 * len(result) != count:
        raise DecodeError("a key comes twice in a map", pos)
    return result


def _sequence(r: Reader, count: int, at: int) -> list[Any]:
    """Return the next ``count`` terms."""
    r.elements -= count
    r.nesting -= 1
    if r.elements < 0 or r.nesting < 0 or count > r.end - r.pos:
        raise r.refusal(count, at)
    items = []
    for _ in range(count):
        items.append(_READERS[r.data[r.pos]](r))  # noqa: PERF401
    r.nesting += 1
    return items


def _record(r: Reader) -> Record:
    pos = r.pos
    count: int = _u32(r.data, pos + 1)[0]
    flags = r.data[pos + 5]
    if flags > 1:
        raise DecodeError(f"a record has unknown flags {flags}", pos)
    r.pos = pos + 6
    module, name = read_atom(r), read_atom(r)
    names = [read_atom(r) for _ in range(count)]
    values = _sequence(r, count, pos)
    if len(set(names)) != count:
        raise DecodeError("a field comes twice in a record", pos)
    return Record(module, name, tuple(zip(names, values, strict=True)), bool(flags))


# ---------------------------------------------------------------------------------- records and funs


def _export(r: Reader) -> ExportFun:
    pos = r.pos
    r.pos = pos + 1
    module, function, arity = read_atom(r), read_atom(r), read_integer(r)
    if not 0 <= arity < 1 << 31:
        raise DecodeError(f"a fun cannot have the arity {arity}", pos)
    return ExportFun(module, function, arity)


def _new_fun(r: Reader) -> Fun:
    pos = r.pos
    # The size at pos + 1 is not used: BEAMs have sent wrong ones.
    arity = r.data[pos + 5]
    uniq = r.take(pos + 6, 16)
    index = r.word()
    count = r.word()
    if count > _MAX_FREE:
        raise DecodeError(f"a fun closes over at most {_MAX_FREE} values, not {count}", pos)
    module, old_index, old_uniq = read_atom(r), read_integer(r), read_integer(r)
    pid = read_pid(r)
    return Fun(arity, uniq, index, module, old_index, old_uniq, pid, tuple(_sequence(r, count, pos)))


# ---------------------------------------------------------------------------------- compression


def _inflate(data: bytes, limits: Limits) -> bytes:
    """Return the bytes that a compressed term (after 131, 80) stands for."""
    if len(data) < 6:
        raise DecodeError("the input ends within the size of a compressed term", len(data))
    size: int = _u32(data, 2)[0]
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


_READERS: Final[list[Callable[[Reader], Any]]] = [LEAVES.get(tag, _unknown) for tag in range(256)]
_READERS[tags.SMALL_TUPLE] = _small_tuple
_READERS[tags.LARGE_TUPLE] = _large_tuple
_READERS[tags.LIST] = _list
_READERS[tags.MAP] = _map
_READERS[tags.RECORD] = _record
_READERS[tags.EXPORT] = _export
_READERS[tags.NEW_FUN] = _new_fun
