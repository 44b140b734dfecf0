"""Values: Erlang terms in Python, and their external form.

======================================  =================================================================
Erlang, Elixir                          Python
======================================  =================================================================
atom                                    :class:`Atom`, equal to the plain ``str``, encoded as an atom
``true`` ``false`` ``nil``              ``True`` ``False`` ``None`` (``undefined`` stays an atom)
binary, Elixir string                   ``bytes``, or ``str`` with ``text="utf8"``; a ``str`` encodes as one
integer, float                          ``int``, ``float``
tuple, list                             ``tuple``, ``list``; :func:`charlist` makes Erlang's strings
improper list, bit string               :class:`ImproperList`, :class:`BitString`
map                                     ``dict``; :class:`TermMap` where a dict would lose something
pid, port, reference                    :class:`Pid`, :class:`Port`, :class:`Reference`
fun, ``fun M:F/A``, OTP 29's record     :class:`Fun`, :class:`ExportFun`, :class:`Record`
======================================  =================================================================

Decoding and encoding again gives a term that the BEAM calls equal (``=:=``), always.
Nothing here knows sockets or event loops.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pyerlnode.term.atom import Atom
from pyerlnode.term.containers import BitString, ImproperList, charlist
from pyerlnode.term.decode import decode, decode_bare
from pyerlnode.term.encode import encode, encode_bare
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.maps import TermMap
from pyerlnode.term.raw import RawTerm
from pyerlnode.term.text import brief

Term: TypeAlias = Any
"""Any Erlang term: see the table above for the types that one can have."""

__all__ = [
    "Atom",
    "BitString",
    "ExportFun",
    "Fun",
    "ImproperList",
    "Pid",
    "Port",
    "RawTerm",
    "Record",
    "Reference",
    "Term",
    "TermMap",
    "brief",
    "charlist",
    "decode",
    "decode_bare",
    "encode",
    "encode_bare",
]
