"""Funs and OTP 29's native records: values that another node made and only their own code understands.

Python cannot call a fun; it can hold it, compare it and hand it back.
(ERTS User's Guide, "External Term Format", NEW_FUN_EXT, EXPORT_EXT, RECORD_EXT.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyerlnode.term.atom import Atom  # noqa: TC001  # dataclass fields are looked up at run time
from pyerlnode.term.ids import Pid  # noqa: TC001  # dataclass fields are looked up at run time


@dataclass(frozen=True, slots=True)
class Fun:
    """A local fun: a place in a module's code and the values that it closed over."""

    arity: int
    uniq: bytes
    """16 bytes, the MD5 of the module's significant parts."""
    index: int
    module: Atom
    old_index: int
    old_uniq: int
    pid: Pid
    """The process that made it; today's BEAMs name their init process here."""
    free: tuple[Any, ...]
    """The values that the fun closed over."""


@dataclass(frozen=True, slots=True)
class ExportFun:
    """``fun Module:Function/Arity``, Elixir's ``&Module.function/arity``."""

    module: Atom
    function: Atom
    arity: int


@dataclass(frozen=True, slots=True)
class Record:
    """A native record of OTP 29: ``#module:name{field = value, ...}`` in the order of its definition."""

    module: Atom
    name: Atom
    fields: tuple[tuple[Atom, Any], ...]
    exported: bool
