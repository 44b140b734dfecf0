"""The bytes of a term that is being encoded, and the writers of the terms that hold no others.

Where a number goes into the bytes, it is by one of :mod:`pyerlnode.term.primitives`: compiled, that is a
store into the buffer.  Writers are used again, because making one takes longer than writing a short term.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import EncodeError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import tags
from pyerlnode.term.atom import Atom
from pyerlnode.term.modes import COMPILED
from pyerlnode.term.primitives import BytesWriter, write_f64_be, write_i16_be, write_i32_be, write_i64_le

if TYPE_CHECKING:
    from mypy_extensions import i64

    from pyerlnode.term.ids import Pid, Port, Reference

APART: Final = 4096
"""Binaries of this size or more are not copied into the buffer: they are pieces of their own."""
DEEPEST: Final = 600
"""How deep a term may nest whatever the limits say: compiled code has no guard against using up the stack."""
MAX_ATOMS: Final = 255
"""Atoms that one distribution header can hold."""

_ATOM: Final = Atom
_SPARES: Final = 4
_KEPT: Final = 65_536
"""A writer of so much, large binaries aside, is not kept: its buffer stays as large as it once was."""
_MAX_I32: Final = 0x7FFF_FFFF
_MAX_U32: Final = 0xFFFF_FFFF
_MAX_ARITY: Final = (1 << 24) - 1
_MAX_STRING: Final = 65_535
_MAX_SMALL_PORT: Final = (1 << 28) - 1
_MAX_REFERENCE_WORDS: Final = 5
_POSITIVE: Final = [bytes((tags.SMALL_BIG, size, 0)) for size in range(256)]
_NEGATIVE: Final = [bytes((tags.SMALL_BIG, size, 1)) for size in range(256)]


class Writer:
    """The bytes so far, and how much deeper the term may nest."""

    __slots__ = ("atoms", "limits", "nesting", "out", "parts", "records")

    def __init__(self, limits: Limits) -> None:
        self.out: BytesWriter = BytesWriter()
        """The last bytes so far.  It stays the same one all the time."""
        self.parts: list[bytes] | None = None
        """The pieces before, when there are some."""
        self.limits: Limits = limits
        self.nesting: i64 = min(limits.nesting, DEEPEST)
        self.records: bool = True
        """Whether the reader knows OTP 29's records."""
        self.atoms: dict[Atom, int] | None = None
        """The table of a distribution header, when the term will have one."""

    def piece(self, data: bytes) -> None:
        """Write ``data``, without copying it when it is large."""
        if len(data) < APART:
            self.out.write(data)
            return
        if self.parts is None:
            self.parts = []
        self.parts.append(self.out.getvalue())
        self.parts.append(data)
        self.out.truncate(0)

    def getvalue(self) -> bytes:
        """Return all that was written."""
        data = self.out.getvalue()
        return data if self.parts is None else b"".join((*self.parts, data))

    def pieces(self) -> list[bytes]:
        """Return all that was written, large binaries as pieces of their own: the very ones, not copied."""
        return [*(self.parts or ()), self.out.getvalue()]

    def too_deep(self) -> EncodeError:
        """Return the error for a term that nests deeper than it may."""
        if self.limits.nesting > DEEPEST:
            return EncodeError("the value nests deeper than this thread's stack has room for")
        return EncodeError(f"it nests deeper than Limits.nesting={self.limits.nesting}, or contains itself")


def borrow(limits: Limits) -> Writer:
    """Return an empty writer; give it back when the term is written."""
    try:
        w = _spares.pop()  # in one step: another thread may be at it, too
    except IndexError:
        return Writer(limits)
    return w if w.limits is limits else Writer(limits)


def give_back(w: Writer) -> None:
    """Keep ``w`` for the next term.  Only where writing its term did not fail."""
    if w.parts is not None:
        if len(w.parts) > 2 or len(w.parts[0]) >= _KEPT:
            return
        w.parts = None
    if len(w.out) < _KEPT and len(_spares) < _SPARES:
        w.out.truncate(0)
        w.atoms = None
        w.records = True
        _spares.append(w)


_spares: Final = [Writer(DEFAULT) for _ in range(_SPARES)]


# ---------------------------------------------------------------------------------- atoms


def write_atom(w: Writer, atom: Atom) -> None:
    """Write an atom, or where it is in the table of the header."""
    atoms = w.atoms
    if atoms is None:
        external: bytes = atom.external
        w.out.write(external)
        return
    index = atoms.get(atom, -1)
    if index < 0:
        index = len(atoms)
        if index >= MAX_ATOMS:
            external = atom.external
            w.out.write(external)
            return
        atoms[atom] = index
    w.out.append(tags.ATOM_CACHE_REF)
    w.out.append(index)


def write_name(w: Writer, name: Any) -> None:
    """Write an atom, given perhaps as a plain ``str``: node and module names in identifiers are."""
    if type(name) is not _ATOM:
        try:
            name = Atom(name)
        except ValueError as error:
            raise EncodeError(str(error)) from None
    write_atom(w, name)


# ---------------------------------------------------------------------------------- numbers


def write_integer(out: BytesWriter, term: int) -> None:
    """Write an integer of any size."""
    try:
        value: i64 = term
    except (OverflowError, ValueError):  # only compiled code finds out here
        write_big(out, term)
        return
    if 0 <= value <= 255:
        out.append(tags.SMALL_INTEGER)
        out.append(term)
    elif -0x8000_0000 <= value <= _MAX_I32:
        out.append(tags.INTEGER)
        write_i32_be(out, term)
    else:
        write_long(out, value, term)


def write_long(out: BytesWriter, value: i64, term: int) -> None:
    """Write ``term``, an integer of more than 32 bits that is ``value``, too."""
    if not -0x8000_0000 < value >> 32 <= _MAX_I32:
        write_big(out, term)
        return
    negative = value < 0
    if negative:
        value = -value
    size = 8
    if value < 1 << 56:
        size = 4 if value < 1 << 32 else 5 if value < 1 << 40 else 6 if value < 1 << 48 else 7
    out.write(_NEGATIVE[size] if negative else _POSITIVE[size])
    write_i64_le(out, value)
    if size < 8:
        out.truncate(len(out) - 8 + size)


def write_big(out: BytesWriter, value: int) -> None:
    """Write an integer of more than 62 bits."""
    size = (value.bit_length() + 7) // 8
    if size < 256:
        out.write(_NEGATIVE[size] if value < 0 else _POSITIVE[size])
    else:
        out.append(tags.LARGE_BIG)
        write_word(out, size)
        out.append(1 if value < 0 else 0)
    out.write(abs(value).to_bytes(size, "little"))


def write_word(out: BytesWriter, value: int) -> None:
    """Write an unsigned number of 32 bits."""
    if 0 <= value <= _MAX_I32:
        write_i32_be(out, value)
    elif _MAX_I32 < value <= _MAX_U32:
        write_i32_be(out, value - _MAX_U32 - 1)
    else:
        raise EncodeError(f"a number is too large for its place in the term: {value} has not 32 bits")


def write_float(out: BytesWriter, number: float) -> None:
    """Write a float."""
    if number - number != 0.0:  # as only infinities and NaN do
        raise not_finite(number)
    out.append(tags.NEW_FLOAT)
    write_f64_be(out, number)


def not_finite(number: float) -> EncodeError:
    """Return the error for an infinity or NaN."""
    return EncodeError(f"{number} has no Erlang term: floats there are finite")


# ---------------------------------------------------------------------------------- binaries


def write_binary(w: Writer, out: BytesWriter, data: bytes) -> None:
    """Write a binary of any size."""
    out.append(tags.BINARY)
    write_word(out, len(data))
    w.piece(data)


def as_utf8(text: str) -> bytes:
    """Return the binary that ``text`` stands for."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"text with a lone surrogate (at {error.start}) has no UTF-8 form") from None


# ---------------------------------------------------------------------------------- parts of containers


def write_large_arity(out: BytesWriter, count: int) -> None:
    """Write the head of a tuple of more than 255 elements."""
    if count > _MAX_ARITY:
        raise EncodeError(f"a tuple has at most {_MAX_ARITY} elements, not {count}")
    out.append(tags.LARGE_TUPLE)
    write_word(out, count)


def write_string(out: BytesWriter, terms: tuple[Any, ...]) -> bool:
    """Write a list in the form that a BEAM gives lists of integers from 0 to 255, if it is one."""
    start = len(out)
    count = len(terms)
    if count > _MAX_STRING:
        return False
    if not COMPILED:
        return _write_at_once(out, terms)
    out.append(tags.STRING)
    out.append(count >> 8)
    out.append(count & 255)
    for term in terms:
        if type(term) is int:
            value: int = term
            if 0 <= value <= 255:
                out.append(value)
                continue
        out.truncate(start)
        return False
    return True


def _write_at_once(out: BytesWriter, terms: tuple[Any, ...]) -> bool:
    """Do that without a loop: the first and the last tell soon of most lists that they are none."""
    first, last = terms[0], terms[-1]
    if type(last) is not int or not 0 <= first <= 255 or not 0 <= last <= 255:
        return False
    if [*map(type, terms)].count(int) < len(terms):
        return False
    try:
        data = bytes(terms)
    except ValueError:
        return False
    out.append(tags.STRING)
    write_i16_be(out, len(terms) - (len(terms) >> 15 << 16))
    out.write(data)
    return True


# ---------------------------------------------------------------------------------- identifiers


def write_pid(w: Writer, out: BytesWriter, pid: Pid) -> None:
    """Write a process identifier."""
    number, serial = pid.id, pid.serial
    out.append(tags.NEW_PID)
    write_atom(w, pid.node)
    if 0 <= number <= _MAX_I32 and 0 <= serial <= _MAX_I32:  # as `write_word` does, without the calls
        write_i32_be(out, number)
        write_i32_be(out, serial)
    else:
        write_word(out, number)
        write_word(out, serial)
    write_word(out, pid.creation)


def write_port(w: Writer, out: BytesWriter, port: Port) -> None:
    """Write a port identifier: in the form that every release reads, where that has room for it."""
    small = port.id <= _MAX_SMALL_PORT
    out.append(tags.NEW_PORT if small else tags.V4_PORT)
    write_name(w, port.node)
    if small:
        write_word(out, port.id)
    else:
        write_word(out, port.id >> 32)
        write_word(out, port.id & _MAX_U32)
    write_word(out, port.creation)


def write_reference(w: Writer, out: BytesWriter, reference: Reference) -> None:
    """Write a reference."""
    words = reference.words
    count = len(words)
    if not 1 <= count <= _MAX_REFERENCE_WORDS:
        raise EncodeError(f"a reference has 1 to {_MAX_REFERENCE_WORDS} words, not {count}")
    out.append(tags.NEWER_REFERENCE)
    write_i16_be(out, count)
    write_atom(w, reference.node)
    write_word(out, reference.creation)
    for word in words:
        if 0 <= word <= _MAX_I32:
            write_i32_be(out, word)
        else:
            write_word(out, word)
