"""Python values, made into bytes in the external term format.

What is written is what a BEAM of today would write, except that small ports keep the form that OTP 23 reads
too.  The type of a value decides: the exact ones first, by how often they come; subclasses (an ``IntEnum``,
a named tuple, an ``OrderedDict``) take the slower way of :func:`_write_other`.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import EncodeError, caused
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import tags
from pyerlnode.term.atom import FALSE, NIL, TRUE, Atom
from pyerlnode.term.containers import BitString, ImproperList
from pyerlnode.term.foreign import PLAIN, advice
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.keys import check_keys, kind_of_key
from pyerlnode.term.maps import TermMap
from pyerlnode.term.primitives import BytesWriter, write_f64_be, write_i32_be
from pyerlnode.term.raw import RawTerm
from pyerlnode.term.writer import (
    APART,
    MAX_ATOMS,
    Writer,
    as_utf8,
    borrow,
    give_back,
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

__all__ = ["MAX_ATOMS", "encode", "encode_bare"]

_UNIQ: Final = 16

# Compiled code finds these sooner than names of its module, or of another one.
_ATOM: Final = Atom
_NONE: Final = type(None)
_PID: Final = Pid
_REFERENCE: Final = Reference
_IMPROPER: Final = ImproperList


def encode(term: Any, *, compressed: bool = False, limits: Limits = DEFAULT) -> bytes:
    """Return ``term`` in the external term format, with the leading 131.

    ``compressed`` deflates it where that makes it smaller.  Raises :class:`EncodeError` for a value that has
    no term, or nests deeper than ``limits.nesting`` (as everything does that contains itself).
    """
    w = borrow(limits)
    w.out.append(tags.VERSION)
    data = _written(w, term)
    if compressed:
        packed = b"\x83P" + (len(data) - 1).to_bytes(4, "big") + zlib.compress(data[1:])
        if len(packed) < len(data):
            return packed
    return data


def encode_bare(
    term: Any, limits: Limits = DEFAULT, *, records: bool = True, atoms: dict[Atom, int] | None = None
) -> bytes:
    """Return ``term`` without the leading 131, as messages of the distribution protocol carry it.

    Without ``records`` a native record is an error: a BEAM before OTP 29 drops the connection that brings
    one.  With ``atoms``, the table of the distribution header that will go with the term, atoms are written
    as their index there.  New ones are added to it, also when an error comes of it, up to the 255 that a
    header has room for; further ones are written in full.  Errors as in :func:`encode`.
    """
    return b"".join(encode_pieces(term, limits, records=records, atoms=atoms))


def encode_pieces(
    term: Any, limits: Limits = DEFAULT, *, records: bool = True, atoms: dict[Atom, int] | None = None
) -> list[bytes]:
    """As :func:`encode_bare`, but large binaries are pieces of their own, which are not copied."""
    w = borrow(limits)
    w.records = records
    w.atoms = atoms
    _fill(w, term)
    pieces = w.pieces()
    give_back(w)
    return pieces


def _written(w: Writer, term: Any) -> bytes:
    _fill(w, term)
    data = w.getvalue()
    give_back(w)
    return data


def _fill(w: Writer, term: Any) -> None:
    try:
        _write(w, w.out, term)
    except RecursionError:
        raise EncodeError("the value nests deeper than this thread's stack has room for") from None
    except (TypeError, RuntimeError) as error:  # of an identifier's parts, or from walking a dict
        raise caused(EncodeError(f"the value cannot be written: {error}"), error) from error


def _write(w: Writer, out: BytesWriter, term: Any) -> None:
    """Write ``term`` to ``out``, which is ``w.out``.

    The only function that calls itself, once for each level: so Limits.nesting levels fit into the stack.
    That, and that calls are dear in interpreted code, is why so much of it is in one place.
    """
    kind: Any = type(term)
    if kind is _ATOM:
        if w.atoms is None:
            external: bytes = term.external
            out.write(external)
        else:
            write_atom(w, term)
        return
    if kind is bytes:
        data: bytes = term
        if len(data) < APART:
            out.append(tags.BINARY)
            write_i32_be(out, len(data))
            out.write(data)
        else:
            write_binary(w, out, data)
        return
    if kind is int:
        write_integer(out, term)
        return
    if kind is dict:
        mapping: dict[Any, Any] = term
        left = len(mapping)
        out.append(tags.MAP)
        write_word(out, left)
        w.nesting -= 1
        if w.nesting < 0:
            raise w.too_deep()
        plain = w.atoms is None
        last: Any = None
        kinds = 0  # of keys, as in kind_of_key
        for key, value in mapping.items():
            if type(key) is not last:
                last = type(key)
                kinds |= kind_of_key(last)
            if last is _ATOM and plain:
                external = key.external
                out.write(external)
            elif last is _ATOM:
                write_atom(w, key)
            else:
                _write(w, out, key)
            _write(w, out, value)
            left -= 1
        w.nesting += 1
        if left:
            raise RuntimeError("dictionary changed while it was encoded")
        if kinds > 2:
            check_keys(mapping, kinds)
        return
    ends = False
    if kind is tuple:
        terms: tuple[Any, ...] = term
        count = len(terms)
        if count < 256:
            out.append(tags.SMALL_TUPLE)
            out.append(count)
        else:
            write_large_arity(out, count)
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
        inner = _write_seldom(w, out, term)
        if inner is None:
            return
        terms = inner
        count = len(terms)
    w.nesting -= 1
    if w.nesting < 0:
        raise w.too_deep()
    done = _write_leaves(w, out, terms)
    if done < count:
        for item in terms[done:] if done else terms:
            _write(w, out, item)
    w.nesting += 1
    if ends:
        out.append(tags.NIL)


def _write_leaves(w: Writer, out: BytesWriter, terms: tuple[Any, ...]) -> int:
    """Write the first of ``terms``, as far as they are of the simplest kinds; return how many that were."""
    atoms = w.atoms
    for term in terms:
        kind: Any = type(term)
        if kind is _ATOM:
            if atoms is None:
                external: bytes = term.external
                out.write(external)
                continue
            place = atoms.get(term, -1)
            if place < 0:
                write_atom(w, term)
                continue
            out.append(tags.ATOM_CACHE_REF)
            out.append(place)
        elif kind is int:
            try:
                value: i64 = term
            except (OverflowError, ValueError):  # only compiled code finds out here
                write_big(out, term)
                continue
            if 0 <= value <= 255:
                number: int = value
                out.append(tags.SMALL_INTEGER)
                out.append(number)
            elif -0x8000_0000 <= value <= 0x7FFF_FFFF:
                number = value
                out.append(tags.INTEGER)
                write_i32_be(out, number)
            else:
                write_long(out, value, term)
        elif kind is float:
            real: float = term
            if real - real != 0.0:
                raise not_finite(real)
            out.append(tags.NEW_FLOAT)
            write_f64_be(out, real)
        elif kind is bytes and len(term) < APART:
            data: bytes = term
            out.append(tags.BINARY)
            write_i32_be(out, len(data))
            out.write(data)
        else:
            done = 0
            while terms[done] is not term:
                done += 1
            return done
    return len(terms)


# ---------------------------------------------------------------------------------- the other kinds


def _write_seldom(w: Writer, out: BytesWriter, term: Any) -> tuple[Any, ...] | None:
    """Write a term of a kind that is less often seen, or how it begins; return what is still to write."""
    kind: Any = type(term)
    if kind is str:
        write_binary(w, out, as_utf8(term))
    elif kind is float:
        write_float(out, term)
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
            _write(w, out, plain(term))
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
        _write(inner, inner.out, value)
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
        _write(w, out, term.decode(w.limits))
    else:
        w.piece(term.data[term.offset :])


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
