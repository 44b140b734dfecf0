"""Readers of the terms that hold no others: numbers, atoms, binaries, strings and identifiers.

Each takes the position from its :class:`Reader` at the tag and leaves it behind the term.  Reading beyond
the end ends in ``IndexError`` or ``struct.error``, which ``decode`` turns into a :class:`DecodeError`: that
way the common case costs no comparison.  Slices do not raise, so they are checked (``Reader.take``).
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

import re
from math import isfinite
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError
from pyerlnode.term import atom as atoms
from pyerlnode.term import tags
from pyerlnode.term.atom import Atom, special_atom
from pyerlnode.term.containers import BitString
from pyerlnode.term.ids import Pid, Port, Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term.reader import Reader

_u16 = Struct(">H").unpack_from
_u32 = Struct(">I").unpack_from
_s32 = Struct(">i").unpack_from
_u64 = Struct(">Q").unpack_from
_f64 = Struct(">d").unpack_from

_MAX_REFERENCE_WORDS: Final = 5
_FLOAT_CHARS: Final = 31
_FLOAT_TEXT: Final = re.compile(rb"([+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?:\0.*)?", re.DOTALL)
_PLAIN: Final[dict[str, bool | None]] = {"true": True, "false": False, "nil": None}
_known_atoms = atoms.by_utf8


# ---------------------------------------------------------------------------------- numbers


def _small_integer(r: Reader) -> int:
    pos = r.pos
    r.pos = pos + 2
    return r.data[pos + 1]


def _integer(r: Reader) -> Any:
    pos = r.pos
    r.pos = pos + 5
    return _s32(r.data, pos + 1)[0]


def _small_big(r: Reader) -> int:
    pos = r.pos
    return _big(r, r.data[pos + 1], pos + 2)


def _large_big(r: Reader) -> int:
    pos = r.pos
    return _big(r, _u32(r.data, pos + 1)[0], pos + 5)


def _big(r: Reader, count: int, sign_at: int) -> int:
    value = int.from_bytes(r.take(sign_at + 1, count), "little")
    sign = r.data[sign_at]
    return -value if sign else value


def _new_float(r: Reader) -> Any:
    pos = r.pos
    r.pos = pos + 9
    value = _f64(r.data, pos + 1)[0]
    if value - value != 0.0:  # as only infinities and NaN do
        raise DecodeError("a float is neither infinite nor NaN", pos)
    return value


def _float(r: Reader) -> float:
    pos = r.pos
    match = _FLOAT_TEXT.fullmatch(r.take(pos + 1, _FLOAT_CHARS))
    value = float(match[1]) if match else float("nan")
    if not isfinite(value):
        raise DecodeError("the text of a float is not a finite decimal number", pos)
    return value


# ---------------------------------------------------------------------------------- atoms


def _small_atom_utf8(r: Reader) -> Any:
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


def _atom_utf8(r: Reader) -> Any:
    pos = r.pos
    return _new_atom(r, pos, r.take(pos + 3, _u16(r.data, pos + 1)[0]))


def _small_atom(r: Reader) -> Any:
    pos = r.pos
    return _latin1_atom(r, pos, r.take(pos + 2, r.data[pos + 1]))


def _atom(r: Reader) -> Any:
    pos = r.pos
    return _latin1_atom(r, pos, r.take(pos + 3, _u16(r.data, pos + 1)[0]))


def _latin1_atom(r: Reader, at: int, raw: bytes) -> Any:
    return _new_atom(r, at, raw if raw.isascii() else raw.decode("latin-1").encode())


def _new_atom(r: Reader, at: int, raw: bytes) -> Any:
    try:
        return atoms.from_utf8(raw, r.limits.atoms)
    except UnicodeDecodeError:
        raise DecodeError("an atom's text is not valid UTF-8", at) from None
    except ValueError as error:
        raise DecodeError(str(error), at) from None


def _atom_cache_ref(r: Reader) -> Any:
    pos = r.pos
    index = r.data[pos + 1]
    if index >= len(r.refs):
        raise DecodeError(f"atom {index} of a distribution header with {len(r.refs)} atoms", pos)
    r.pos = pos + 2
    return _plain(r.refs[index])


def _plain(atom: Atom) -> Any:
    return _PLAIN.get(atom, atom)


# ---------------------------------------------------------------------------------- lists without sub-terms


def _nil(r: Reader) -> list[Any]:
    r.pos += 1
    return []


def _string(r: Reader) -> list[Any]:
    pos = r.pos
    count: int = _u16(r.data, pos + 1)[0]
    values = list(r.take(pos + 3, count))
    r.elements -= count
    if r.elements < 0:
        raise r.refusal(0, pos)
    return values


# ---------------------------------------------------------------------------------- binaries


def _binary(r: Reader) -> bytes | str:
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


def _bit_binary(r: Reader) -> bytes | str | BitString:
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


def _new_pid(r: Reader) -> Pid:
    r.pos += 1
    return Pid(read_atom(r), r.word(), r.word(), r.word())


def _pid(r: Reader) -> Pid:
    r.pos += 1
    return Pid(read_atom(r), r.word(), r.word(), r.tiny_creation())


def _v4_port(r: Reader) -> Port:
    r.pos += 1
    node = read_atom(r)
    pos = r.pos
    r.pos = pos + 8
    return Port(node, _u64(r.data, pos)[0], r.word())


def _new_port(r: Reader) -> Port:
    r.pos += 1
    return Port(read_atom(r), r.word(), r.word())


def _port(r: Reader) -> Port:
    r.pos += 1
    return Port(read_atom(r), r.word(), r.tiny_creation())


def _newer_reference(r: Reader) -> Reference:
    count = _reference_words(r)
    return Reference(read_atom(r), r.word(), tuple([r.word() for _ in range(count)]))


def _new_reference(r: Reader) -> Reference:
    count = _reference_words(r)
    return Reference(read_atom(r), r.tiny_creation(), tuple([r.word() for _ in range(count)]))


def _reference(r: Reader) -> Reference:
    r.pos += 1
    node = read_atom(r)
    words = (r.word(),)
    return Reference(node, r.tiny_creation(), words)


def _reference_words(r: Reader) -> int:
    pos = r.pos
    r.pos = pos + 3
    count: int = _u16(r.data, pos + 1)[0]
    if not 1 <= count <= _MAX_REFERENCE_WORDS:
        raise DecodeError(f"a reference has 1 to {_MAX_REFERENCE_WORDS} words, not {count}", pos)
    return count


# ---------------------------------------------------------------------------------- parts of other terms


def read_atom(r: Reader) -> Atom:
    """Return the next term, which must be an atom."""
    reader = _ATOMS.get(r.data[r.pos])
    if reader is None:
        raise DecodeError("an atom is expected here", r.pos)
    value: Atom | bool | None = reader(r)
    return value if isinstance(value, Atom) else special_atom(value)


def read_integer(r: Reader) -> int:
    """Return the next term, which must be an integer of at most 255 bytes."""
    reader = _INTEGERS.get(r.data[r.pos])
    if reader is None:
        raise DecodeError("an integer is expected here", r.pos)
    value: int = reader(r)
    return value


def read_pid(r: Reader) -> Pid:
    """Return the next term, which must be a pid."""
    reader = _PIDS.get(r.data[r.pos])
    if reader is None:
        raise DecodeError("a pid is expected here", r.pos)
    return reader(r)


_ATOMS: Final[dict[int, Callable[[Reader], Any]]] = {
    tags.ATOM_UTF8: _atom_utf8,
    tags.SMALL_ATOM_UTF8: _small_atom_utf8,
    tags.ATOM: _atom,
    tags.SMALL_ATOM: _small_atom,
    tags.ATOM_CACHE_REF: _atom_cache_ref,
}
_INTEGERS: Final[dict[int, Callable[[Reader], Any]]] = {
    tags.SMALL_INTEGER: _small_integer,
    tags.INTEGER: _integer,
    tags.SMALL_BIG: _small_big,
}
_PIDS: Final[dict[int, Callable[[Reader], Pid]]] = {
    tags.NEW_PID: _new_pid,
    tags.PID: _pid,
}
LEAVES: Final[dict[int, Callable[[Reader], Any]]] = {
    **_ATOMS,
    **_INTEGERS,
    **_PIDS,
    tags.LARGE_BIG: _large_big,
    tags.NEW_FLOAT: _new_float,
    tags.FLOAT: _float,
    tags.NIL: _nil,
    tags.STRING: _string,
    tags.BINARY: _binary,
    tags.BIT_BINARY: _bit_binary,
    tags.V4_PORT: _v4_port,
    tags.NEW_PORT: _new_port,
    tags.PORT: _port,
    tags.NEWER_REFERENCE: _newer_reference,
    tags.NEW_REFERENCE: _new_reference,
    tags.REFERENCE: _reference,
}
"""The reader of each of these tags."""
