"""Funs and OTP 29's native records: values that another node made and only their own code understands.

Python cannot call a fun; it can hold it, compare it and hand it back.
(ERTS User's Guide, "External Term Format", NEW_FUN_EXT, EXPORT_EXT, RECORD_EXT.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from pyerlnode.term.atom import Atom
from pyerlnode.term.modes import freeze
from pyerlnode.term.values import Value

if TYPE_CHECKING:
    from pyerlnode.term.ids import Pid


@final
class Fun(Value):
    """A local fun: a place in a module's code and the values that it closed over.

    ``uniq`` is 16 bytes, the MD5 of the module's significant parts.  ``pid`` is the process that made it;
    today's BEAMs name their init process there.  ``free`` are the values that the fun closed over.
    """

    __slots__ = ("arity", "free", "index", "module", "old_index", "old_uniq", "pid", "uniq")
    __match_args__ = ("arity", "uniq", "index", "module", "old_index", "old_uniq", "pid", "free")

    def __init__(
        self,
        arity: int,
        uniq: bytes,
        index: int,
        module: str,
        old_index: int,
        old_uniq: int,
        pid: Pid,
        free: tuple[Any, ...],
    ) -> None:
        self.arity: Final = arity
        self.uniq: Final = uniq
        self.index: Final = index
        self.module: Final[Atom] = module if isinstance(module, Atom) else Atom(module)
        self.old_index: Final = old_index
        self.old_uniq: Final = old_uniq
        self.pid: Final = pid
        self.free: Final = free

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        place = self.arity, self.uniq, self.index, self.module, self.old_index, self.old_uniq
        return *place, self.pid, self.free


@final
class ExportFun(Value):
    """``fun Module:Function/Arity``, Elixir's ``&Module.function/arity``."""

    __slots__ = ("arity", "function", "module")
    __match_args__ = ("module", "function", "arity")

    def __init__(self, module: str, function: str, arity: int) -> None:
        self.module: Final[Atom] = module if isinstance(module, Atom) else Atom(module)
        self.function: Final[Atom] = function if isinstance(function, Atom) else Atom(function)
        self.arity: Final = arity

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.module, self.function, self.arity


@final
class Record(Value):
    """A native record of OTP 29: ``#module:name{field = value, ...}`` in the order of its definition."""

    __slots__ = ("exported", "fields", "module", "name")
    __match_args__ = ("module", "name", "fields", "exported")

    def __init__(self, module: str, name: str, fields: tuple[tuple[str, Any], ...], exported: bool) -> None:
        self.module: Final[Atom] = module if isinstance(module, Atom) else Atom(module)
        self.name: Final[Atom] = name if isinstance(name, Atom) else Atom(name)
        self.fields: Final = fields
        self.exported: Final = exported

    def parts(self) -> tuple[Any, ...]:
        """Return what it was made of."""
        return self.module, self.name, self.fields, self.exported


freeze(Fun)
freeze(ExportFun)
freeze(Record)
