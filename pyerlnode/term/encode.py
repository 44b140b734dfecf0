"""Python values, made into bytes in the external term format.

What is written is what a BEAM of today would write, except that small ports keep the form that OTP 23 reads
too.  Here are the ways in; :mod:`pyerlnode.term.walk` goes through the value.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import EncodeError, caused
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term.tags import VERSION
from pyerlnode.term.walk import write_term
from pyerlnode.term.writer import MAX_ATOMS, Writer, borrow, give_back

if TYPE_CHECKING:
    from pyerlnode.term.atom import Atom

_TOO_DEEP: Final = "the value nests deeper than this thread's stack has room for"

__all__ = ["MAX_ATOMS", "encode", "encode_bare", "encode_pieces"]


def encode(term: Any, *, compressed: bool = False, limits: Limits = DEFAULT) -> bytes:
    """Return ``term`` in the external term format, with the leading 131.

    ``compressed`` deflates it where that makes it smaller.  Raises :class:`EncodeError` for a value that has
    no term, or nests deeper than ``limits.nesting`` (as everything does that contains itself).
    """
    w = borrow(limits)
    w.out.append(VERSION)
    data = _all_of(w, term)
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
    w = borrow(limits)
    w.records = records
    w.atoms = atoms
    return _all_of(w, term)


def encode_pieces(
    term: Any, limits: Limits = DEFAULT, *, records: bool = True, atoms: dict[Atom, int] | None = None
) -> bytes | list[bytes]:
    """As :func:`encode_bare`; where there are large binaries, they are pieces of their own, not copied."""
    w = borrow(limits)
    w.records = records
    w.atoms = atoms
    try:
        write_term(w, w.out, term)
    except RecursionError:
        raise EncodeError(_TOO_DEEP) from None
    except (TypeError, RuntimeError) as error:
        raise caused(_unwritable(error), error) from error
    pieces = w.out.getvalue() if w.parts is None else w.pieces()
    give_back(w)
    return pieces


def _all_of(w: Writer, term: Any) -> bytes:
    """Write ``term``; return all that was written, and give the writer back."""
    try:
        write_term(w, w.out, term)
    except RecursionError:
        raise EncodeError(_TOO_DEEP) from None
    except (TypeError, RuntimeError) as error:
        raise caused(_unwritable(error), error) from error
    data = w.out.getvalue() if w.parts is None else w.getvalue()
    give_back(w)
    return data


def _unwritable(error: Exception) -> EncodeError:
    """Return what to say of an error in an identifier's parts, or in walking a dict."""
    return EncodeError(f"the value cannot be written: {error}")
