"""Readers of the terms that hold no others: atoms, binaries, strings and identifiers.

Numbers have a module of their own; the table of all is here.

Each takes the position from its :class:`Reader` at the tag and leaves it behind the term.  Reading beyond
the end ends in ``IndexError``, which ``decode`` turns into a :class:`DecodeError`: that way the common case
costs no comparison.  Slices do not raise, so they are checked (``Reader.take``).
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError
from pyerlnode.term import atom as atoms
from pyerlnode.term import tags
from pyerlnode.term.atom import Atom, special_atom
from pyerlnode.term.containers import BitString
from pyerlnode.term.familiar import familiar_pid, familiar_reference
from pyerlnode.term.fun import ExportFun
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.memo import LONGEST, MISSING, recall, table
from pyerlnode.term.modes import COMPILED
from pyerlnode.term.numbers import (
    read_float,
    read_integer32,
    read_large_big,
    read_small_big,
    read_small_integer,
    read_text_float,
)
from pyerlnode.term.primitives import read_i16_be, read_i32_be, read_i64_be
from pyerlnode.term.reader import unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_extensions import i64

    from pyerlnode.term.reader import Reader

_MAX_REFERENCE_WORDS: Final = 5
_MAX_EXPORT_ARITY: Final = 0x8000_0000
PLAIN: Final[dict[str, bool | None]] = {"true": True, "false": False, "nil": None}
"""What three atoms stand for."""
_LOW: Final = 0xFFFF_FFFF
_WORDS: Final = [Struct(f">{count}I").unpack_from for count in range(_MAX_REFERENCE_WORDS + 1)]
_CACHED_PID: Final = Struct(">BBIII").unpack_from
_CACHED_REFERENCE: Final = Struct(">HBBI").unpack_from
_ATOMS_READ: Final = table()
_known_atoms: Final = atoms.by_utf8


# ---------------------------------------------------------------------------------- atoms


def read_small_atom(r: Reader) -> Any:
    """Return an atom of at most 255 bytes of UTF-8; ``True``, ``False``, ``None`` for three of them."""
    pos = r.pos
    data = r.data
    size: i64 = data[pos + 1]
    end = pos + 2 + size
    if end > r.end:
        return r.take(pos + 2, size)
    r.pos = end
    if COMPILED and size <= LONGEST:
        found = recall(_ATOMS_READ, data, pos + 2, size)
        if found is not MISSING:
            return found
        return recall(_ATOMS_READ, data, pos + 2, size, _new_atom(r, pos, data[pos + 2 : end]))
    raw = data[pos + 2 : end]
    try:
        return _known_atoms[raw]
    except KeyError:
        return _new_atom(r, pos, raw)


def _atom_utf8(r: Reader) -> Any:
    pos = r.pos
    return _new_atom(r, pos, r.take(pos + 3, _size(r)))


def _small_atom(r: Reader) -> Any:
    pos = r.pos
    return _latin1_atom(r, pos, r.take(pos + 2, r.data[pos + 1]))


def _atom(r: Reader) -> Any:
    pos = r.pos
    return _latin1_atom(r, pos, r.take(pos + 3, _size(r)))


def _latin1_atom(r: Reader, at: int, raw: bytes) -> Any:
    return _new_atom(r, at, raw if raw.isascii() else raw.decode("latin-1").encode())


def _new_atom(r: Reader, at: int, raw: bytes) -> Any:
    problem = "an atom's text is not valid UTF-8"
    try:
        return atoms.from_utf8(raw, r.limits.atoms)
    except UnicodeDecodeError:
        pass
    except ValueError as error:
        problem = str(error)
    raise DecodeError(problem, at)


def read_cached_atom(r: Reader) -> Any:
    """Return an atom of the distribution header."""
    atom = _cached(r)
    return PLAIN.get(atom, atom)


def _cached(r: Reader) -> Atom:
    pos = r.pos
    refs = r.refs
    index = r.data[pos + 1]
    if index >= len(refs):
        raise DecodeError(f"atom {index} of a distribution header with {len(refs)} atoms", pos)
    r.pos = pos + 2
    return refs[index]


def _size(r: Reader) -> int:
    """Return the two bytes behind the tag, a size."""
    size: int = read_i16_be(r.data, r.pos + 1)
    return size if size >= 0 else size + 0x1_0000


# ---------------------------------------------------------------------------------- lists without sub-terms


def _nil(r: Reader) -> list[Any]:
    r.pos += 1
    return []


def read_string(r: Reader) -> list[Any]:
    """Return a list of integers up to 255."""
    return list(r.take(r.pos + 3, _size(r)))


# ---------------------------------------------------------------------------------- binaries


def read_binary(r: Reader) -> bytes | str:
    """Return a binary; text where the reader wants that and it is valid UTF-8."""
    pos = r.pos
    raw = r.take(pos + 5, unsigned(read_i32_be(r.data, pos + 1)))
    return as_text(raw) if r.text else raw


def as_text(raw: bytes) -> bytes | str:
    """Return text when ``raw`` is valid UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _bit_binary(r: Reader) -> bytes | str | BitString:
    pos = r.pos
    count = unsigned(read_i32_be(r.data, pos + 1))
    bits = r.data[pos + 5]
    raw = r.take(pos + 6, count)
    if not count or not 1 <= bits <= 8:
        raise DecodeError(f"a bit string of {count} bytes cannot use {bits} bits of the last", pos)
    if bits < 8:
        return BitString(raw, bits)
    return as_text(raw) if r.text else raw


# ---------------------------------------------------------------------------------- identifiers


def _new_pid(r: Reader) -> Pid:
    if not COMPILED and r.refs and r.pos + 15 <= r.end:
        tag, place, number, serial, creation = _CACHED_PID(r.data, r.pos + 1)
        if tag == tags.ATOM_CACHE_REF and place < len(r.refs):
            r.pos += 15
            return familiar_pid(r.refs[place], number, serial, creation)
    r.pos += 1
    node = read_atom(r)
    pos = r.pos
    r.pos = pos + 12
    both = read_i64_be(r.data, pos)
    creation = unsigned(read_i32_be(r.data, pos + 8))
    return familiar_pid(node, both >> 32 & _LOW, both & _LOW, creation)


def _pid(r: Reader) -> Pid:
    r.pos += 1
    return Pid(read_atom(r), r.word(), r.word(), r.tiny_creation())


def _v4_port(r: Reader) -> Port:
    r.pos += 1
    node = read_atom(r)
    high = r.word()
    return Port(node, high << 32 | r.word(), r.word())


def _new_port(r: Reader) -> Port:
    r.pos += 1
    return Port(read_atom(r), r.word(), r.word())


def _port(r: Reader) -> Port:
    r.pos += 1
    return Port(read_atom(r), r.word(), r.tiny_creation())


def read_newer_reference(r: Reader) -> Reference:
    """Return a reference in the form of today."""
    if not COMPILED and r.refs and r.pos + 9 <= r.end:
        count, tag, place, creation = _CACHED_REFERENCE(r.data, r.pos + 1)
        end = r.pos + 9 + 4 * count
        if (
            tag == tags.ATOM_CACHE_REF
            and place < len(r.refs)
            and 1 <= count <= _MAX_REFERENCE_WORDS
            and end <= r.end
        ):
            words = _WORDS[count](r.data, r.pos + 9)
            r.pos = end
            return familiar_reference(r.refs[place], creation, words)
    count = _reference_words(r)
    node = read_atom(r)
    creation = r.word()
    return familiar_reference(node, creation, _words(r, count))


def _new_reference(r: Reader) -> Reference:
    count = _reference_words(r)
    node = read_atom(r)
    creation = r.tiny_creation()
    return Reference(node, creation, _words(r, count))


def _reference(r: Reader) -> Reference:
    r.pos += 1
    node = read_atom(r)
    words = (r.word(),)
    return Reference(node, r.tiny_creation(), words)


def _reference_words(r: Reader) -> int:
    pos = r.pos
    count = _size(r)
    r.pos = pos + 3
    if not 1 <= count <= _MAX_REFERENCE_WORDS:
        raise DecodeError(f"a reference has 1 to {_MAX_REFERENCE_WORDS} words, not {count}", pos)
    return count


def _words(r: Reader, count: int) -> tuple[int, ...]:
    pos = r.pos
    end = pos + 4 * count
    if end > r.end:
        raise DecodeError("the input ends within a term", r.end)
    r.pos = end
    words: tuple[int, ...] = _WORDS[count](r.data, pos)
    return words


# ---------------------------------------------------------------------------------- parts of other terms


def read_atom(r: Reader) -> Atom:
    """Return the next term, which must be an atom."""
    tag = r.data[r.pos]
    if tag == tags.ATOM_CACHE_REF:
        return _cached(r)
    if tag == tags.SMALL_ATOM_UTF8:
        value = read_small_atom(r)
    else:
        reader = _ATOMS.get(tag)
        if reader is None:
            raise DecodeError("an atom is expected here", r.pos)
        value = reader(r)
    return special_atom(value) if value is None or value is True or value is False else value


def read_integer(r: Reader) -> int:
    """Return the next term, which must be an integer of at most 255 bytes."""
    reader = _INTEGERS.get(r.data[r.pos])
    if reader is None:
        raise DecodeError("an integer is expected here", r.pos)
    value: int = reader(r)
    return value


def read_pid(r: Reader) -> Pid:
    """Return the next term, which must be a pid."""
    tag = r.data[r.pos]
    if tag == tags.NEW_PID:
        return _new_pid(r)
    if tag == tags.PID:
        return _pid(r)
    raise DecodeError("a pid is expected here", r.pos)


def _export(r: Reader) -> ExportFun:
    pos = r.pos
    r.pos = pos + 1
    module, function, arity = read_atom(r), read_atom(r), read_integer(r)
    if not 0 <= arity < _MAX_EXPORT_ARITY:
        raise DecodeError(f"a fun cannot have the arity {arity}", pos)
    return ExportFun(module, function, arity)


def read_leaf(r: Reader) -> Any:
    """Return the next term, which must hold no others."""
    tag = r.data[r.pos]
    reader = _LEAVES.get(tag)
    if reader is not None:
        return reader(r)
    if tag == tags.COMPRESSED:
        problem = "a compressed term is only allowed right after 131, outside the distribution protocol"
    elif tag in (tags.FUN, tags.LOCAL):
        problem = f"tag {tag}, a fun of before OTP 23 or a term local to its node, is not accepted"
    else:
        problem = f"there is no term with the tag {tag}"
    raise DecodeError(problem, r.pos)


_ATOMS: Final[dict[int, Callable[[Reader], Any]]] = {
    tags.ATOM_UTF8: _atom_utf8,
    tags.SMALL_ATOM_UTF8: read_small_atom,
    tags.ATOM: _atom,
    tags.SMALL_ATOM: _small_atom,
    tags.ATOM_CACHE_REF: read_cached_atom,
}
_INTEGERS: Final[dict[int, Callable[[Reader], Any]]] = {
    tags.SMALL_INTEGER: read_small_integer,
    tags.INTEGER: read_integer32,
    tags.SMALL_BIG: read_small_big,
}
_LEAVES: Final[dict[int, Callable[[Reader], Any]]] = {
    **_ATOMS,
    **_INTEGERS,
    tags.NEW_PID: read_pid,
    tags.PID: read_pid,
    tags.LARGE_BIG: read_large_big,
    tags.NEW_FLOAT: read_float,
    tags.FLOAT: read_text_float,
    tags.NIL: _nil,
    tags.STRING: read_string,
    tags.BINARY: read_binary,
    tags.BIT_BINARY: _bit_binary,
    tags.EXPORT: _export,
    tags.V4_PORT: _v4_port,
    tags.NEW_PORT: _new_port,
    tags.PORT: _port,
    tags.NEWER_REFERENCE: read_newer_reference,
    tags.NEW_REFERENCE: _new_reference,
    tags.REFERENCE: _reference,
}
"""The reader of each of these tags."""
