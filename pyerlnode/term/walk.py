"""The walk through a value that is encoded: what it is made of, written one after the other.

The type of a value decides: the exact ones first, by how often they come; subclasses (an ``IntEnum``, a named
tuple, an ``OrderedDict``) take the slower way of :func:`_write_other`.  As in ``quick``, the common terms are
written in place, because calls are dear in interpreted code.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import EncodeError
from pyerlnode.term import tags
from pyerlnode.term.atom import FALSE, NIL, TRUE, Atom
from pyerlnode.term.containers import BitString, ImproperList
from pyerlnode.term.foreign import PLAIN, advice
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.keys import HARMLESS, NO_MIXTURE, check_keys, kind_of_key
from pyerlnode.term.maps import TermMap
from pyerlnode.term.modes import COMPILED
from pyerlnode.term.primitives import BytesWriter, write_f64_be, write_i16_be, write_i32_be
from pyerlnode.term.raw import RawTerm
from pyerlnode.term.writer import (
    APART,
    Writer,
    as_utf8,
    not_finite,
    write_atom,
    write_big,
    write_binary,
    write_float,
    write_integer,
    write_large_arity,
    write_long,
    write_name,
    write_pid,
    write_port,
    write_reference,
    write_string,
    write_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_extensions import i64

_UNIQ: Final = 16
_flat: Final = chain.from_iterable

# A tag and the byte behind it, in one go.
_SMALL_INTEGER: Final = tags.SMALL_INTEGER << 8
_SMALL_TUPLE: Final = tags.SMALL_TUPLE << 8
_CACHED_ATOM: Final = tags.ATOM_CACHE_REF << 8
_INTEGER: Final = tags.INTEGER
_FLOAT: Final = tags.NEW_FLOAT
_BINARY: Final = tags.BINARY

# Compiled code finds these sooner than names of its module, or of another one.
_ATOM: Final = Atom
_NONE: Final = type(None)
_PID: Final = Pid
_REFERENCE: Final = Reference
_IMPROPER: Final = ImproperList


def write_term(w: Writer, out: BytesWriter, term: Any) -> None:
    """Write ``term`` to ``out``, which is ``w.out``.

    It calls itself once for each level, and nothing does so in between: Limits.nesting levels fit the stack.
    """
    kind: Any = type(term)
    ends = False
    if kind is tuple:
        terms: tuple[Any, ...] = term
        count = len(terms)
        if count < 256:
            write_i16_be(out, _SMALL_TUPLE | count)
        else:
            write_large_arity(out, count)
    elif kind is dict:
        if COMPILED:
            _write_dict(w, out, term)
            return
        terms = _open_dict(out, term)
    elif kind is list:
        terms = tuple(term)  # so that nobody changes it meanwhile
        count = len(terms)
        if not count:
            out.append(tags.NIL)
            return
        if type(terms[0]) is int and write_string(out, terms):
            return
        out.append(tags.LIST)
        write_word(out, count)
        ends = True
    else:
        inner = _write_leaf(w, out, term)
        if inner is None:
            return
        terms = inner
    w.nesting -= 1
    if w.nesting < 0:
        raise w.too_deep()
    atoms = w.atoms
    for item in terms:
        kind = type(item)
        if kind is _ATOM:
            if atoms is None:
                external: bytes = item.external
                out.write(external)
                continue
            place = atoms.get(item, -1)
            if place < 0:
                write_atom(w, item)
                continue
            write_i16_be(out, _CACHED_ATOM | place)
        elif kind is int:
            try:
                value: i64 = item
            except (OverflowError, ValueError):  # only compiled code finds out here
                write_big(out, item)
                continue
            if 0 <= value <= 255:
                number: int = value
                write_i16_be(out, _SMALL_INTEGER | number)
            elif -0x8000_0000 <= value <= 0x7FFF_FFFF:
                number = value
                out.append(_INTEGER)
                write_i32_be(out, number)
            elif COMPILED:
                write_long(out, value, item)
            else:
                write_big(out, item)
        elif kind is float:
            real: float = item
            if real - real != 0.0:
                raise not_finite(real)
            out.append(_FLOAT)
            write_f64_be(out, real)
        elif kind is bytes and len(item) < APART:
            data: bytes = item
            out.append(_BINARY)
            write_i32_be(out, len(data))
            out.write(data)
        elif kind is tuple or kind is dict or kind is list:
            write_term(w, out, item)
        elif kind is bool:
            write_atom(w, TRUE if item else FALSE)
        elif kind is _NONE:
            write_atom(w, NIL)
        elif kind is _PID:
            write_pid(w, out, item)
        elif kind is _REFERENCE:
            write_reference(w, out, item)
        else:
            write_term(w, out, item)
    w.nesting += 1
    if ends:
        out.append(tags.NIL)


def _open_dict(out: BytesWriter, mapping: dict[Any, Any]) -> tuple[Any, ...]:
    """Write how a map begins; return its keys and values, as they are now."""
    terms = tuple(_flat(mapping.items()))
    out.append(tags.MAP)
    write_word(out, len(terms) >> 1)
    if not HARMLESS.issuperset(map(type, terms[::2])):
        check_keys(terms[::2])
    return terms


def _write_dict(w: Writer, out: BytesWriter, mapping: dict[Any, Any]) -> None:
    """Write a dict.  Compiled, that is quicker than to copy what is in it."""
    left = len(mapping)
    out.append(tags.MAP)
    write_word(out, left)
    w.nesting -= 1
    if w.nesting < 0:
        raise w.too_deep()
    plain = w.atoms is None
    last: Any = None
    kinds = 0
    for key, value in mapping.items():
        if type(key) is not last:
            last = type(key)
            kinds |= kind_of_key(last)
        if last is _ATOM and plain:
            external: bytes = key.external
            out.write(external)
        elif last is bytes:
            _write_bytes(w, out, key)
        else:
            write_term(w, out, key)
        if type(value) is bytes:
            _write_bytes(w, out, value)
        else:
            write_term(w, out, value)
        left -= 1
    w.nesting += 1
    if left:
        raise RuntimeError("dictionary changed while it was encoded")
    if kinds > NO_MIXTURE:
        check_keys(tuple(mapping))


# ---------------------------------------------------------------------------------- the other kinds


def _write_leaf(w: Writer, out: BytesWriter, term: Any) -> tuple[Any, ...] | None:
    """Write a term of any other kind, or how it begins; return what is still to write."""
    kind: Any = type(term)
    if kind is _ATOM:
        write_atom(w, term)
    elif kind is bytes:
        _write_bytes(w, out, term)
    elif kind is int:
        write_integer(out, term)
    elif kind is float:
        write_float(out, term)
    elif kind is str:
        write_binary(w, out, as_utf8(term))
    elif kind is bool:
        write_atom(w, TRUE if term else FALSE)
    elif kind is _NONE:
        write_atom(w, NIL)
    elif kind is _PID:
        write_pid(w, out, term)
    elif kind is _REFERENCE:
        write_reference(w, out, term)
    elif kind is _IMPROPER:
        return _open_improper(w, out, term)
    else:
        return _write_other(w, out, term)
    return None


def _write_bytes(w: Writer, out: BytesWriter, data: bytes) -> None:
    if len(data) < APART:
        out.append(_BINARY)
        write_i32_be(out, len(data))
        out.write(data)
    else:
        write_binary(w, out, data)


def _write_other(w: Writer, out: BytesWriter, term: Any) -> tuple[Any, ...] | None:
    for kind in type(term).__mro__:
        writer = _WRITERS.get(kind)
        if writer is not None:
            writer(w, out, term)
            return None
        opener = _OPENERS.get(kind)
        if opener is not None:
            return opener(w, out, term)
        plain = PLAIN.get(kind)
        if plain is not None:
            write_term(w, out, plain(term))
            return None
    raise EncodeError(f"a Python {type(term).__name__} has no Erlang term{advice(term)}")


def _open_improper(w: Writer, out: BytesWriter, term: ImproperList) -> tuple[Any, ...]:
    out.append(tags.LIST)
    write_word(out, len(term.items))
    return term.items + (term.tail,)  # noqa: RUF005  # compiled, the other form makes a list first


def _open_map(w: Writer, out: BytesWriter, term: TermMap) -> tuple[Any, ...]:
    parts: list[Any] = []
    for pair in term.pairs():
        parts.extend(pair)
    out.append(tags.MAP)
    write_word(out, len(parts) // 2)
    return tuple(parts)


def _open_record(w: Writer, out: BytesWriter, term: Record) -> tuple[Any, ...]:
    if not w.records:
        raise EncodeError(f"the record {term.module}:{term.name} cannot be sent to a node before OTP 29")
    names = [name for name, _value in term.fields]
    if len(set(names)) != len(names):
        raise EncodeError(f"a field comes twice in the record {term.module}:{term.name}")
    out.append(tags.RECORD)
    write_word(out, len(names))
    out.append(1 if term.exported else 0)
    write_name(w, term.module)
    write_name(w, term.name)
    for name in names:
        write_name(w, name)
    return tuple([value for _name, value in term.fields])


def _write_fun(w: Writer, out: BytesWriter, term: Fun) -> None:
    if len(term.uniq) != _UNIQ or len(term.free) > 255 or not 0 <= term.arity <= 255:
        raise EncodeError("a fun has a uniq of 16 bytes, at most 255 arguments and 255 free values")
    inner = Writer(w.limits)  # its size comes first
    inner.nesting = w.nesting - 1
    inner.records = w.records
    inner.atoms = w.atoms
    if inner.nesting < 0:
        raise w.too_deep()
    write_name(inner, term.module)
    write_integer(inner.out, term.old_index)
    write_integer(inner.out, term.old_uniq)
    write_pid(inner, inner.out, term.pid)
    for value in term.free:
        write_term(inner, inner.out, value)
    data = inner.getvalue()
    out.append(tags.NEW_FUN)
    write_word(out, 4 + 1 + _UNIQ + 4 + 4 + len(data))
    out.append(term.arity)
    out.write(term.uniq)
    write_word(out, term.index)
    write_word(out, len(term.free))
    w.piece(data)


def _write_export(w: Writer, out: BytesWriter, term: ExportFun) -> None:
    out.append(tags.EXPORT)
    write_name(w, term.module)
    write_name(w, term.function)
    write_integer(out, term.arity)


def _write_raw(w: Writer, out: BytesWriter, term: RawTerm) -> None:
    if term.refs:  # its atoms are only names of places in a header that stays behind
        write_term(w, out, term.decode(w.limits))
    else:
        w.piece(term.encoded())


def _write_bit_string(w: Writer, out: BytesWriter, term: BitString) -> None:
    out.append(tags.BIT_BINARY)
    write_word(out, len(term.data))
    out.append(term.bits)
    w.piece(term.data)


def _write_buffer(w: Writer, out: BytesWriter, term: bytearray | memoryview) -> None:
    write_binary(w, out, bytes(term))


def _write_atom(w: Writer, out: BytesWriter, term: Atom) -> None:
    write_atom(w, term)


_WRITERS: Final[dict[type, Callable[[Writer, BytesWriter, Any], None]]] = {
    Atom: _write_atom,
    bytearray: _write_buffer,
    memoryview: _write_buffer,
    BitString: _write_bit_string,
    Pid: write_pid,
    Port: write_port,
    Reference: write_reference,
    ExportFun: _write_export,
    Fun: _write_fun,
    RawTerm: _write_raw,
}
_OPENERS: Final[dict[type, Callable[[Writer, BytesWriter, Any], tuple[Any, ...]]]] = {
    ImproperList: _open_improper,
    TermMap: _open_map,
    Record: _open_record,
}
