"""Bytes in the external term format, made into Python values.

One pass over the bytes: a table from tag to reader, and one position that every reader moves on.  The
input is hostile until proven otherwise: a count is believed only as far as bytes are left for it, and
nesting, the number of sub-terms and inflation are bounded by :class:`pyerlnode.Limits`.  Whatever is
wrong ends in :class:`DecodeError` with the offset.
(ERTS User's Guide, "External Term Format"; what a BEAM refuses, we refuse.)
"""

from __future__ import annotations

import re
import zlib
from math import isfinite
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import atom as atoms
from pyerlnode.term import tags
from pyerlnode.term.atom import Atom, as_atom
from pyerlnode.term.containers import BitString, ImproperList
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.maps import build

if TYPE_CHECKING:
    from collections.abc import Callable

_u16 = Struct(">H").unpack_from
_u32 = Struct(">I").unpack_from
_s32 = Struct(">i").unpack_from
_u64 = Struct(">Q").unpack_from
_f64 = Struct(">d").unpack_from

_MAX_ARITY: Final = (1 << 24) - 1
_MAX_TINY_CREATION: Final = 3
_MAX_REFERENCE_WORDS: Final = 5
_MAX_FREE: Final = 255
_FLOAT_CHARS: Final = 31
_FLOAT_TEXT: Final = re.compile(rb"([+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?:\0.*)?", re.DOTALL)


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
    reader = _Reader(data, offset, refs, text is not None, limits)
    try:
        return _READERS[data[offset]](reader), reader.pos
    except (IndexError, StructError):
        raise DecodeError("the input ends within a term", len(data)) from None
    except RecursionError:
        raise LimitExceeded(
            "the term nests deeper than this thread's stack has room for", reader.pos
        ) from None


def _as_bytes(data: bytes | bytearray | memoryview) -> bytes:
    return data if type(data) is bytes else memoryview(data).tobytes()


class _Reader:
    """The bytes, how far they are read, and what may still be spent on them."""

    __slots__ = ("data", "elements", "end", "limits", "nesting", "pos", "refs", "text")

    def __init__(self, data: bytes, pos: int, refs: tuple[Atom, ...], text: bool, limits: Limits) -> None:
        self.data = data
        self.end = len(data)
        self.pos = pos
        self.refs = refs
        self.text = text
        self.limits = limits
        self.nesting = limits.nesting
        self.elements = limits.elements

    def refusal(self, count: int, at: int) -> DecodeError:
        """Return why a container of ``count`` sub-terms, whose tag is at ``at``, is not read."""
        if count > self.end - self.pos:
            return DecodeError(f"{count} elements cannot fit into the {self.end - self.pos} bytes left", at)
        if self.elements < 0:
            return LimitExceeded(
                f"the term has more than Limits.elements={self.limits.elements} elements", at
            )
        return LimitExceeded(f"the term nests deeper than Limits.nesting={self.limits.nesting}", at)

    def take(self, start: int, count: int) -> bytes:
        """Return the ``count`` bytes at ``start`` and move behind them."""
        end = start + count
        if end > self.end:
            raise DecodeError(f"{count} bytes are announced, {max(self.end - start, 0)} are left", start)
        self.pos = end
        return self.data[start:end]

    def sequence(self, count: int, at: int) -> list[Any]:
        """Return the next ``count`` terms."""
        self.elements -= count
        self.nesting -= 1
        if self.elements < 0 or self.nesting < 0 or count > self.end - self.pos:
            raise self.refusal(count, at)
        data = self.data
        readers = _READERS
        items: list[Any] = []
        append = items.append
        for _ in range(count):
            append(readers[data[self.pos]](self))
        self.nesting += 1
        return items

    def atom(self) -> Atom:
        """Return the next term, which must be an atom."""
        at = self.pos
        tag = self.data[at]
        found = as_atom(_READERS[tag](self)) if tag in _ATOM_TAGS else None
        if found is None:
            raise DecodeError("an atom is expected here", at)
        return found

    def integer(self) -> int:
        """Return the next term, which must be an integer of one of the two small forms or a small big one."""
        at = self.pos
        tag = self.data[at]
        if tag not in _INTEGER_TAGS:
            raise DecodeError("an integer is expected here", at)
        value: int = _READERS[tag](self)
        return value

    def word(self) -> int:
        """Return the next 32 bits, unsigned."""
        pos = self.pos
        self.pos = pos + 4
        value: int = _u32(self.data, pos)[0]
        return value

    def tiny_creation(self) -> int:
        """Return the next byte, a creation in an old form of an identifier."""
        pos = self.pos
        self.pos = pos + 1
        if self.data[pos] > _MAX_TINY_CREATION:
            raise DecodeError("a one-byte creation is 0 to 3", pos)
        return self.data[pos]


def _unknown(r: _Reader) -> Any:
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


# ---------------------------------------------------------------------------------- numbers


def _small_integer(r: _Reader) -> int:
    pos = r.pos
    r.pos = pos + 2
    return r.data[pos + 1]


def _integer(r: _Reader) -> Any:
    pos = r.pos
    r.pos = pos + 5
    return _s32(r.data, pos + 1)[0]


def _small_big(r: _Reader) -> int:
    pos = r.pos
    return _big(r, r.data[pos + 1], pos + 2)


def _large_big(r: _Reader) -> int:
    pos = r.pos
    return _big(r, _u32(r.data, pos + 1)[0], pos + 5)


def _big(r: _Reader, count: int, sign_at: int) -> int:
    value = int.from_bytes(r.take(sign_at + 1, count), "little")
    sign = r.data[sign_at]
    return -value if sign else value


def _new_float(r: _Reader) -> Any:
    pos = r.pos
    r.pos = pos + 9
    value = _f64(r.data, pos + 1)[0]
    if value - value != 0.0:  # as only infinities and NaN do
        raise DecodeError("a float is neither infinite nor NaN", pos)
    return value


def _float(r: _Reader) -> float:
    pos = r.pos
    match = _FLOAT_TEXT.fullmatch(r.take(pos + 1, _FLOAT_CHARS))
    value = float(match[1]) if match else float("nan")
    if not isfinite(value):
        raise DecodeError("the text of a float is not a finite decimal number", pos)
    return value


# ---------------------------------------------------------------------------------- atoms


def _small_atom_utf8(r: _Reader) -> Any:
    pos = r.pos
    data = r.data
    start = pos + 2
    end = start + data[pos + 1]
    if end > r.end:
        return r.take(start, end - start)
    r.pos = end
    raw = data[start:end]
    try:
        return _known_atoms[raw]
    except KeyError:
        return _new_atom(r, pos, raw)


def _atom_utf8(r: _Reader) -> Any:
    pos = r.pos
    return _new_atom(r, pos, r.take(pos + 3, _u16(r.data, pos + 1)[0]))


def _small_atom(r: _Reader) -> Any:
    pos = r.pos
    return _latin1_atom(r, pos, r.take(pos + 2, r.data[pos + 1]))


def _atom(r: _Reader) -> Any:
    pos = r.pos
    return _latin1_atom(r, pos, r.take(pos + 3, _u16(r.data, pos + 1)[0]))


def _latin1_atom(r: _Reader, at: int, raw: bytes) -> Any:
    return _new_atom(r, at, raw if raw.isascii() else raw.decode("latin-1").encode())


def _new_atom(r: _Reader, at: int, raw: bytes) -> Any:
    try:
        return atoms.from_utf8(raw, r.limits.atoms)
    except UnicodeDecodeError:
        raise DecodeError("an atom's text is not valid UTF-8", at) from None
    except ValueError as error:
        raise DecodeError(str(error), at) from None


def _atom_cache_ref(r: _Reader) -> Any:
    pos = r.pos
    index = r.data[pos + 1]
    if index >= len(r.refs):
        raise DecodeError(f"atom {index} of a distribution header with {len(r.refs)} atoms", pos)
    r.pos = pos + 2
    return _plain(r.refs[index])


def _plain(atom: Atom) -> Any:
    return _PLAIN.get(atom, atom)


# ---------------------------------------------------------------------------------- containers


# The readers of nested terms spend one Python frame on each level, so that Limits.nesting levels fit
# into the interpreter's stack: that is why their loops are not one shared method.


def _small_tuple(r: _Reader) -> tuple[Any, ...]:
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


def _large_tuple(r: _Reader) -> tuple[Any, ...]:
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


def _nil(r: _Reader) -> list[Any]:
    r.pos += 1
    return []


def _string(r: _Reader) -> list[Any]:
    pos = r.pos
    count: int = _u16(r.data, pos + 1)[0]
    values = list(r.take(pos + 3, count))
    r.elements -= count
    if r.elements < 0:
        raise r.refusal(0, pos)
    return values


def _list(r: _Reader) -> Any:
    items: list[Any] = []
    data = r.data
    readers = _READERS
    while True:  # a tail that is a list again goes on with this one: no recursion, no copying
        pos = r.pos
        r.pos = pos + 5
        count: int = _u32(data, pos + 1)[0]
        r.elements -= count + 1
        r.nesting -= 1
        if r.elements < 0 or r.nesting < 0 or count + 1 > r.end - r.pos:
            raise r.refusal(count + 1, pos)
        for _ in range(count):
            items.append(readers[data[r.pos]](r))  # noqa: PERF401
        tag = data[r.pos]
        if tag == tags.NIL:
            r.pos += 1
            r.nesting += 1
            return items
        if tag == tags.LIST:
            r.nesting += 1
            continue
        tail = readers[tag](r)
        r.nesting += 1
        return ImproperList.of(items, tail)


def _map(r: _Reader) -> Any:
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
    result = build(items[::2], items[1::2])
    if 2 * len(result) != count:
        raise DecodeError("a key comes twice in a map", pos)
    return result


def _record(r: _Reader) -> Record:
    pos = r.pos
    count: int = _u32(r.data, pos + 1)[0]
    flags = r.data[pos + 5]
    if flags > 1:
        raise DecodeError(f"a record has unknown flags {flags}", pos)
    r.pos = pos + 6
    module, name = r.atom(), r.atom()
    names = [r.atom() for _ in range(count)]
    values = r.sequence(count, pos)
    if len(set(names)) != count:
        raise DecodeError("a field comes twice in a record", pos)
    return Record(module, name, tuple(zip(names, values, strict=True)), bool(flags))


# ---------------------------------------------------------------------------------- binaries


def _binary(r: _Reader) -> bytes | str:
    pos = r.pos
    data = r.data
    start = pos + 5
    end: int = start + _u32(data, pos + 1)[0]
    if end > r.end:
        return r.take(start, end - start)
    r.pos = end
    return _as_text(data[start:end]) if r.text else data[start:end]


def _as_text(raw: bytes) -> bytes | str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _bit_binary(r: _Reader) -> bytes | str | BitString:
    pos = r.pos
    count: int = _u32(r.data, pos + 1)[0]
    bits = r.data[pos + 5]
    raw = r.take(pos + 6, count)
    if not count or not 1 <= bits <= 8:
        raise DecodeError(f"a bit string of {count} bytes cannot use {bits} bits of the last", pos)
    if bits < 8:
        return BitString(raw, bits)
    return _as_text(raw) if r.text else raw


# ---------------------------------------------------------------------------------- identifiers


def _new_pid(r: _Reader) -> Pid:
    r.pos += 1
    return Pid(r.atom(), r.word(), r.word(), r.word())


def _pid(r: _Reader) -> Pid:
    r.pos += 1
    return Pid(r.atom(), r.word(), r.word(), r.tiny_creation())


def _v4_port(r: _Reader) -> Port:
    r.pos += 1
    node = r.atom()
    pos = r.pos
    r.pos = pos + 8
    return Port(node, _u64(r.data, pos)[0], r.word())


def _new_port(r: _Reader) -> Port:
    r.pos += 1
    return Port(r.atom(), r.word(), r.word())


def _port(r: _Reader) -> Port:
    r.pos += 1
    return Port(r.atom(), r.word(), r.tiny_creation())


def _newer_reference(r: _Reader) -> Reference:
    count = _reference_words(r)
    return Reference(r.atom(), r.word(), tuple([r.word() for _ in range(count)]))


def _new_reference(r: _Reader) -> Reference:
    count = _reference_words(r)
    return Reference(r.atom(), r.tiny_creation(), tuple([r.word() for _ in range(count)]))


def _reference(r: _Reader) -> Reference:
    r.pos += 1
    node = r.atom()
    words = (r.word(),)
    return Reference(node, r.tiny_creation(), words)


def _reference_words(r: _Reader) -> int:
    pos = r.pos
    r.pos = pos + 3
    count: int = _u16(r.data, pos + 1)[0]
    if not 1 <= count <= _MAX_REFERENCE_WORDS:
        raise DecodeError(f"a reference has 1 to {_MAX_REFERENCE_WORDS} words, not {count}", pos)
    return count


# ---------------------------------------------------------------------------------- funs


def _export(r: _Reader) -> ExportFun:
    pos = r.pos
    r.pos = pos + 1
    module, function, arity = r.atom(), r.atom(), r.integer()
    if not 0 <= arity < 1 << 31:
        raise DecodeError(f"a fun cannot have the arity {arity}", pos)
    return ExportFun(module, function, arity)


def _new_fun(r: _Reader) -> Fun:
    pos = r.pos
    # The size at pos + 1 is not used: BEAMs have sent wrong ones.
    arity = r.data[pos + 5]
    uniq = r.take(pos + 6, 16)
    index = r.word()
    count = r.word()
    if count > _MAX_FREE:
        raise DecodeError(f"a fun closes over at most {_MAX_FREE} values, not {count}", pos)
    module, old_index, old_uniq = r.atom(), r.integer(), r.integer()
    pid = _fun_pid(r)
    return Fun(arity, uniq, index, module, old_index, old_uniq, pid, tuple(r.sequence(count, pos)))


def _fun_pid(r: _Reader) -> Pid:
    tag = r.data[r.pos]
    if tag == tags.NEW_PID:
        return _new_pid(r)
    if tag == tags.PID:
        return _pid(r)
    raise DecodeError("a pid is expected here", r.pos)


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


_known_atoms = atoms.by_utf8
_PLAIN: Final[dict[str, bool | None]] = {"true": True, "false": False, "nil": None}
_ATOM_TAGS: Final = frozenset(
    (tags.ATOM, tags.SMALL_ATOM, tags.ATOM_UTF8, tags.SMALL_ATOM_UTF8, tags.ATOM_CACHE_REF)
)
_INTEGER_TAGS: Final = frozenset((tags.SMALL_INTEGER, tags.INTEGER, tags.SMALL_BIG))

_BY_TAG: Final[dict[int, Callable[[_Reader], Any]]] = {
    tags.SMALL_INTEGER: _small_integer,
    tags.INTEGER: _integer,
    tags.SMALL_BIG: _small_big,
    tags.LARGE_BIG: _large_big,
    tags.NEW_FLOAT: _new_float,
    tags.FLOAT: _float,
    tags.ATOM_UTF8: _atom_utf8,
    tags.SMALL_ATOM_UTF8: _small_atom_utf8,
    tags.ATOM: _atom,
    tags.SMALL_ATOM: _small_atom,
    tags.ATOM_CACHE_REF: _atom_cache_ref,
    tags.SMALL_TUPLE: _small_tuple,
    tags.LARGE_TUPLE: _large_tuple,
    tags.NIL: _nil,
    tags.STRING: _string,
    tags.LIST: _list,
    tags.MAP: _map,
    tags.RECORD: _record,
    tags.BINARY: _binary,
    tags.BIT_BINARY: _bit_binary,
    tags.NEW_PID: _new_pid,
    tags.PID: _pid,
    tags.V4_PORT: _v4_port,
    tags.NEW_PORT: _new_port,
    tags.PORT: _port,
    tags.NEWER_REFERENCE: _newer_reference,
    tags.NEW_REFERENCE: _new_reference,
    tags.REFERENCE: _reference,
    tags.EXPORT: _export,
    tags.NEW_FUN: _new_fun,
}
_READERS: Final[list[Callable[[_Reader], Any]]] = [_BY_TAG.get(tag, _unknown) for tag in range(256)]
