"""Python values, made into bytes in the external term format.

A table from exact type to writer; subclasses (an ``IntEnum``, a named tuple, an ``OrderedDict``) take the
slower way of ``isinstance``.  What is written is what a BEAM of today would write, except that small ports
keep the form that OTP 23 reads too.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from math import isfinite
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any, Final

from pyerlnode.errors import EncodeError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import tags
from pyerlnode.term.atom import FALSE, NIL, TRUE, Atom
from pyerlnode.term.containers import BitString, ImproperList
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.maps import TermMap
from pyerlnode.term.raw import RawTerm
from pyerlnode.term.tags import INTEGER, LIST, MAP, NEW_FLOAT

_tag_u16 = Struct(">BH").pack
_tag_u32 = Struct(">BI").pack
_tag_s32 = Struct(">Bi").pack
_tag_f64 = Struct(">Bd").pack
_u32 = Struct(">I").pack
_three_u32 = Struct(">III").pack
_two_u32 = Struct(">II").pack
_u64_u32 = Struct(">QI").pack

_VERSION: Final = bytes((tags.VERSION,))
_NIL: Final = bytes((tags.NIL,))
_SMALL: Final = [bytes((tags.SMALL_INTEGER, value)) for value in range(256)]
_TUPLE_HEADERS: Final = [bytes((tags.SMALL_TUPLE, size)) for size in range(256)]
_BIG_HEADERS: Final = [[bytes((tags.SMALL_BIG, size, sign)) for size in range(256)] for sign in (0, 1)]
_MAX_ARITY: Final = (1 << 24) - 1
_MAX_STRING: Final = 65_535
MAX_ATOMS: Final = 255
"""Atoms that one distribution header can hold."""
_REFERENCES: Final = [bytes((tags.ATOM_CACHE_REF, index)) for index in range(MAX_ATOMS)]
_JOINED: Final = 512
"""Binaries up to this size are joined with their header at once; larger ones are copied once, at the end."""
_BINARY_HEADERS: Final = [_tag_u32(tags.BINARY, size) for size in range(_JOINED + 1)]
_MAX_SMALL_PORT: Final = (1 << 28) - 1
_SINGLE_SHAPE: Final = frozenset((Atom, bytes, str, int, float))
"""Types whose unequal values are always unequal terms."""


def encode(term: Any, *, compressed: bool = False, limits: Limits = DEFAULT) -> bytes:
    """Return ``term`` in the external term format, with the leading 131.

    ``compressed`` deflates it where that makes it smaller.  Raises :class:`EncodeError` for a value that has
    no term, or nests deeper than ``limits.nesting`` (as everything does that contains itself).
    """
    parts = _parts(term, limits)
    if compressed:
        bare = b"".join(parts)
        packed = _VERSION + _tag_u32(tags.COMPRESSED, len(bare)) + zlib.compress(bare)
        if len(packed) <= len(bare):
            return packed
    parts[0] = _VERSION + parts[0]
    return b"".join(parts)


def encode_bare(
    term: Any, limits: Limits = DEFAULT, *, records: bool = True, atoms: dict[Atom, int] | None = None
) -> bytes:
    """Return ``term`` without the leading 131, as messages of the distribution protocol carry it.

    Without ``records`` a native record is an error: a BEAM before OTP 29 drops the connection that brings
    one.  With ``atoms``, the table of the distribution header that will go with the term, atoms are written
    as their index there.  New ones are added to it, also when an error comes of it, up to the 255 that a
    header has room for; further ones are written in full.  Errors as in :func:`encode`.
    """
    return b"".join(_parts(term, limits, records, atoms))


def _parts(
    term: Any, limits: Limits, records: bool = True, atoms: dict[Atom, int] | None = None
) -> list[bytes]:
    """Return the encoded term in at least one piece; large binaries are pieces of their own, not copied."""
    writer = _Writer(limits, records, atoms)
    try:
        _WRITERS[type(term)](writer, term)
    except RecursionError:
        raise EncodeError("the value nests deeper than this thread's stack has room for") from None
    except StructError as error:
        raise EncodeError(f"a number is too large for its place in the term: {error}") from None
    return writer.parts


class _Writer:
    """The bytes so far, in pieces, and how much deeper the term may nest."""

    __slots__ = ("atoms", "limits", "nesting", "parts", "records")

    def __init__(self, limits: Limits, records: bool, atoms: dict[Atom, int] | None) -> None:
        self.parts: list[bytes] = []
        self.records = records
        self.atoms = atoms
        self.nesting = limits.nesting
        self.limits = limits

    def too_deep(self) -> EncodeError:
        """Return the error for a term that nests deeper than it may."""
        return EncodeError(f"it nests deeper than Limits.nesting={self.limits.nesting}, or contains itself")

    def sequence(self, terms: list[Any] | tuple[Any, ...]) -> None:
        """Write ``terms`` one after another."""
        self.nesting -= 1
        if self.nesting < 0:
            raise self.too_deep()
        for term in terms:
            _WRITERS[type(term)](self, term)
        self.nesting += 1

    def atom(self, name: str) -> None:
        """Write an atom, given perhaps as a plain ``str``: node and module names in identifiers are."""
        try:
            _atom(self, Atom(name))
        except ValueError as error:
            raise EncodeError(str(error)) from None

    def indexed(self, atom: Atom, atoms: dict[Atom, int]) -> bytes:
        """Return ``atom`` as its index in the table of a header, or in full when that has no room for it."""
        index = atoms.get(atom)
        if index is None:
            index = len(atoms)
            if index >= MAX_ATOMS:
                return atom.external
            atoms[atom] = index
        return _REFERENCES[index]


# ---------------------------------------------------------------------------------- atoms, numbers


def _atom(w: _Writer, term: Atom) -> None:
    w.parts.append(term.external if w.atoms is None else w.indexed(term, w.atoms))


def _bool(w: _Writer, term: bool) -> None:
    _atom(w, TRUE if term else FALSE)


def _none(w: _Writer, term: None) -> None:
    _atom(w, NIL)


def _int(w: _Writer, term: int) -> None:
    if 0 <= term <= 255:
        w.parts.append(_SMALL[term])
    elif -0x8000_0000 <= term <= 0x7FFF_FFFF:
        w.parts.append(_tag_s32(INTEGER, term))
    else:
        _big(w, term)


def _big(w: _Writer, term: int) -> None:
    size = (term.bit_length() + 7) // 8
    if size < 256:
        header = _BIG_HEADERS[term < 0][size]
    else:
        header = _tag_u32(tags.LARGE_BIG, size) + (b"\1" if term < 0 else b"\0")
    w.parts.append(header + abs(term).to_bytes(size, "little"))


def _float(w: _Writer, term: float) -> None:
    if not isfinite(term):
        raise EncodeError(f"{term} has no Erlang term: floats there are finite")
    w.parts.append(_tag_f64(NEW_FLOAT, term))


# ---------------------------------------------------------------------------------- binaries


def _bytes(w: _Writer, term: bytes) -> None:
    size = len(term)
    if size <= _JOINED:
        w.parts.append(_BINARY_HEADERS[size] + term)
    else:
        w.parts.append(_tag_u32(tags.BINARY, size))
        w.parts.append(term)


def _buffer(w: _Writer, term: bytearray | memoryview) -> None:
    _bytes(w, bytes(term))


def _str(w: _Writer, term: str) -> None:
    try:
        raw = term.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"text with a lone surrogate (at {error.start}) has no UTF-8 form") from None
    _bytes(w, raw)


def _bit_string(w: _Writer, term: BitString) -> None:
    w.parts.append(_tag_u32(tags.BIT_BINARY, len(term.data)) + bytes((term.bits,)))
    w.parts.append(term.data)


# ---------------------------------------------------------------------------------- containers


def _tuple(w: _Writer, term: tuple[Any, ...]) -> None:
    size = len(term)
    w.parts.append(_TUPLE_HEADERS[size] if size < 256 else _large_tuple_header(size))
    w.nesting -= 1
    if w.nesting < 0:
        raise w.too_deep()
    for item in term:
        _WRITERS[type(item)](w, item)
    w.nesting += 1


def _large_tuple_header(size: int) -> bytes:
    if size > _MAX_ARITY:
        raise EncodeError(f"a tuple has at most {_MAX_ARITY} elements, not {size}")
    return _tag_u32(tags.LARGE_TUPLE, size)


def _list(w: _Writer, term: list[Any]) -> None:
    if not term:
        w.parts.append(_NIL)
        return
    if type(term[0]) is int and len(term) <= _MAX_STRING:
        string = _string(term)
        if string is not None:
            w.parts.append(string)
            return
    w.parts.append(_tag_u32(LIST, len(term)))
    w.nesting -= 1
    if w.nesting < 0:
        raise w.too_deep()
    for item in term:
        _WRITERS[type(item)](w, item)
    w.nesting += 1
    w.parts.append(_NIL)


def _string(term: list[Any]) -> bytes | None:
    """Return the STRING_EXT form that a BEAM gives lists of integers from 0 to 255, ``None`` for others."""
    if set(map(type, term)) != {int}:
        return None
    try:
        return _tag_u16(tags.STRING, len(term)) + bytes(term)
    except ValueError:
        return None


def _improper_list(w: _Writer, term: ImproperList) -> None:
    w.parts.append(_tag_u32(LIST, len(term.items)))
    w.sequence((*term.items, term.tail))


def _dict(w: _Writer, term: dict[Any, Any]) -> None:
    w.parts.append(_tag_u32(MAP, len(term)))
    w.nesting -= 1
    if w.nesting < 0:
        raise w.too_deep()
    kinds = 0
    kind: type | None = None
    for key, value in term.items():
        if type(key) is not kind:
            kind = type(key)
            kinds += 1
        _WRITERS[type(key)](w, key)
        _WRITERS[type(value)](w, value)
    w.nesting += 1
    if kinds > 1 or (kinds and kind not in _SINGLE_SHAPE):
        _check_keys(term)


def _check_keys(term: dict[Any, Any]) -> None:
    """Refuse keys that are two for Python and one for Erlang, such as ``"a"`` and ``b"a"``."""
    if len(TermMap(term)) != len(term):
        raise EncodeError("two keys of a dict are the same Erlang term (text and bytes perhaps)")


def _term_map(w: _Writer, term: TermMap) -> None:
    w.parts.append(_tag_u32(MAP, len(term)))
    w.sequence([part for pair in term.pairs() for part in pair])


def _record(w: _Writer, term: Record) -> None:
    if not w.records:
        raise EncodeError(f"the record {term.module}:{term.name} cannot be sent to a node before OTP 29")
    names = [name for name, _value in term.fields]
    if len(set(names)) != len(names):
        raise EncodeError(f"a field comes twice in the record {term.module}:{term.name}")
    w.parts.append(_tag_u32(tags.RECORD, len(names)) + (b"\1" if term.exported else b"\0"))
    for name in (term.module, term.name, *names):
        w.atom(name)
    w.sequence([value for _name, value in term.fields])


# ---------------------------------------------------------------------------------- identifiers, funs


def _pid(w: _Writer, term: Pid) -> None:
    w.parts.append(b"X")
    w.atom(term.node)
    w.parts.append(_three_u32(term.id, term.serial, term.creation))


def _port(w: _Writer, term: Port) -> None:
    if term.id > _MAX_SMALL_PORT:
        w.parts.append(b"x")
        w.atom(term.node)
        w.parts.append(_u64_u32(term.id, term.creation))
    else:  # the form that every release reads
        w.parts.append(b"Y")
        w.atom(term.node)
        w.parts.append(_two_u32(term.id, term.creation))


def _reference(w: _Writer, term: Reference) -> None:
    if not 1 <= len(term.words) <= 5:
        raise EncodeError(f"a reference has 1 to 5 words, not {len(term.words)}")
    w.parts.append(_tag_u16(tags.NEWER_REFERENCE, len(term.words)))
    w.atom(term.node)
    w.parts.append(b"".join(map(_u32, (term.creation, *term.words))))


def _export(w: _Writer, term: ExportFun) -> None:
    w.parts.append(b"q")
    w.atom(term.module)
    w.atom(term.function)
    _int(w, term.arity)


def _fun(w: _Writer, term: Fun) -> None:
    if len(term.uniq) != 16 or len(term.free) > 255 or not 0 <= term.arity <= 255:
        raise EncodeError("a fun has a uniq of 16 bytes, at most 255 arguments and 255 free values")
    start = len(w.parts)
    w.parts.append(b"")  # its place is taken by the header, once the size is known
    w.atom(term.module)
    _int(w, term.old_index)
    _int(w, term.old_uniq)
    _pid(w, term.pid)
    w.sequence(term.free)
    size = 4 + 1 + 16 + 4 + 4 + sum(map(len, w.parts[start:]))
    place = bytes((term.arity,)) + term.uniq + _two_u32(term.index, len(term.free))
    w.parts[start] = _tag_u32(tags.NEW_FUN, size) + place


def _raw(w: _Writer, term: RawTerm) -> None:
    if term.refs:  # its atoms are only names of places in a header that stays behind
        decoded = term.decode(w.limits)
        _WRITERS[type(decoded)](w, decoded)
    else:
        w.parts.append(term.data[term.offset :])


# ---------------------------------------------------------------------------------- everything else


def _other(w: _Writer, term: Any) -> None:
    """Write a value whose exact type has no writer: of a subclass, or not at all."""
    for kind in type(term).__mro__:
        if kind in _WRITERS:
            _WRITERS[kind](w, term)
            return
    raise EncodeError(f"a Python {type(term).__name__} has no Erlang term{_advice(term)}")


def _advice(term: Any) -> str:
    if isinstance(term, set | frozenset):
        return ": use a list, or a dict with the members as keys"
    if isinstance(term, complex):
        return ": use a tuple of two floats"
    if hasattr(term, "__dataclass_fields__"):
        return ": use dataclasses.asdict(value), or a tuple"
    if callable(term):
        return ": export a function under a name, and send the name"
    return ": use a dict, list, tuple, str, bytes, int, float, bool, None or a class of pyerlnode.term"


class _Writers(dict[type, Callable[[_Writer, Any], None]]):
    """The writer of each exact type; :func:`_other` for all that have none."""

    def __missing__(self, kind: type) -> Callable[[_Writer, Any], None]:
        return _other


_WRITERS: Final = _Writers(
    {
        Atom: _atom,
        bool: _bool,
        type(None): _none,
        int: _int,
        float: _float,
        bytes: _bytes,
        bytearray: _buffer,
        memoryview: _buffer,
        str: _str,
        BitString: _bit_string,
        tuple: _tuple,
        list: _list,
        ImproperList: _improper_list,
        dict: _dict,
        TermMap: _term_map,
        Record: _record,
        Pid: _pid,
        Port: _port,
        Reference: _reference,
        ExportFun: _export,
        Fun: _fun,
        RawTerm: _raw,
    }
)
