"""The walk over a term that both syntaxes share, with a bound on how much is printed.

Printing never takes more work than the characters it may print: a gigabyte of binary costs no more than
its first line.  It does not recurse either, so any nesting will do.  What is beyond the bound is cut and
ends in ``...``.
"""

from __future__ import annotations

import codecs
import re
from abc import ABC, abstractmethod
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pyerlnode.limits import DEFAULT
from pyerlnode.term.atom import as_atom
from pyerlnode.term.containers import BitString, ImproperList
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference
from pyerlnode.term.maps import TermMap
from pyerlnode.term.raw import RawTerm
from pyerlnode.term.text.names import erlang_atom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENDLESS: Final = 1 << 60
_CUT: Final = "..."
_UNPRINTABLE: Final = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f\x80-\x9f\ud800-\udfff\ufffe\uffff]")


class Sub:
    """A sub-term that is to be printed in this place."""

    __slots__ = ("term",)

    def __init__(self, term: Any) -> None:
        self.term = term


class Printer(ABC):
    """Prints one term; subclasses say how their language writes each kind of it."""

    PID: ClassVar[str]
    REFERENCE: ClassVar[str]
    SEPARATOR: ClassVar[str]

    def __init__(self, limit: int | None) -> None:
        self.parts: list[str] = []
        self.limit = _ENDLESS if limit is None else max(limit, len(_CUT))
        self.room = self.limit

    def print(self, term: Any) -> str:
        """Return the text of ``term``, cut where the room or ``Limits.nesting`` ends."""
        stack: list[Iterator[str | Sub]] = [iter((Sub(term),))]
        while stack:
            piece = next(stack[-1], None)
            if piece is None:
                stack.pop()
            elif isinstance(piece, str):
                self.parts.append(piece)
                self.room -= len(piece)
                if self.room < 0:
                    return self._cut()
            elif len(stack) > DEFAULT.nesting + 1:
                return self._cut()
            else:
                stack.append(self._pieces(piece.term))
        return "".join(self.parts)

    def _cut(self) -> str:
        return "".join(self.parts)[: self.limit - len(_CUT)] + _CUT

    def _pieces(self, term: Any) -> Iterator[str | Sub]:
        atom = as_atom(term)
        if atom is not None:
            return iter((self._atom(str(atom)),))
        if isinstance(term, int):
            return iter((self._integer(int(term)),))
        if isinstance(term, float):
            return iter((self._float(float(term)),))
        if isinstance(term, str):
            return self._binary(term[: self.room + 1].encode("utf-8", "surrogatepass"))
        if isinstance(term, bytes | bytearray | memoryview):
            return self._binary(term)
        return self._compound(term)

    def _compound(self, term: Any) -> Iterator[str | Sub]:
        if isinstance(term, tuple):
            return self._joined("{", term, "}")
        if isinstance(term, list):
            return self._list(term)
        if isinstance(term, dict | TermMap):
            return self._map(term)
        if isinstance(term, ImproperList):
            return self._improper(term)
        if isinstance(term, BitString):
            return self._bits(term)
        if isinstance(term, Record):
            return self._record(term)
        return iter((self._opaque(term),))

    def _opaque(self, term: Any) -> str:
        if isinstance(term, Pid):
            return f"{self.PID}<{term.node}.{term.id}.{term.serial}>"
        if isinstance(term, Port):
            return f"#Port<{term.node}.{term.id}>"
        if isinstance(term, Reference):
            return f"{self.REFERENCE}<{'.'.join([term.node, *map(str, reversed(term.words))])}>"
        if isinstance(term, ExportFun):
            return self._export(term)
        if isinstance(term, Fun):
            return self._fun(term)
        if isinstance(term, RawTerm):
            return f"#Raw<{len(term)} bytes>"
        return f"#Python<{type(term).__name__}>"

    @abstractmethod
    def _atom(self, name: str) -> str:
        """Return an atom's text."""

    @abstractmethod
    def _integer(self, value: int) -> str:
        """Return an integer's text."""

    @abstractmethod
    def _float(self, value: float) -> str:
        """Return a float's text."""

    @abstractmethod
    def _export(self, term: ExportFun) -> str:
        """Return the text of a function's name."""

    @abstractmethod
    def _fun(self, term: Fun) -> str:
        """Return a text that tells a local fun from others; it cannot be read back."""

    @abstractmethod
    def _binary(self, data: bytes | bytearray | memoryview) -> Iterator[str | Sub]:
        """Yield a binary: a string where it is printable."""

    @abstractmethod
    def _bits(self, term: BitString) -> Iterator[str | Sub]:
        """Yield a bit string."""

    @abstractmethod
    def _list(self, items: list[Any]) -> Iterator[str | Sub]:
        """Yield a list, in the short form that it may have."""

    @abstractmethod
    def _improper(self, term: ImproperList) -> Iterator[str | Sub]:
        """Yield an improper list."""

    @abstractmethod
    def _map(self, term: dict[Any, Any] | TermMap) -> Iterator[str | Sub]:
        """Yield a map."""

    def _joined(self, opening: str, items: Iterable[Any], closing: str) -> Iterator[str | Sub]:
        """Yield ``items`` between two brackets."""
        yield opening
        separator = ""
        for item in items:
            yield separator
            yield Sub(item)
            separator = self.SEPARATOR
        yield closing

    def _fields(self, opening: str, pairs: Iterable[tuple[str, Any]], closing: str) -> Iterator[str | Sub]:
        """Yield ``pairs`` of a key's text, with what follows it, and a value."""
        yield opening
        separator = ""
        for key, value in pairs:
            yield separator + key
            yield Sub(value)
            separator = self.SEPARATOR
        yield closing

    def _record(self, term: Record) -> Iterator[str | Sub]:
        """Yield a native record, in Erlang's syntax: Elixir has none of its own."""
        pairs = ((f"{erlang_atom(name)} = ", value) for name, value in term.fields)
        return self._fields(f"#{erlang_atom(term.module)}:{erlang_atom(term.name)}{{", pairs, "}")

    def _first(self, items: Iterable[Any]) -> list[Any]:
        """Return as many of ``items`` as can be printed at all, and one more."""
        return list(islice(items, self.room + 1))

    def _text(self, data: bytes | bytearray | memoryview) -> str | None:
        """Return the printable text that ``data`` is in UTF-8 (as far as there is room), else ``None``."""
        piece = bytes(data[: 4 * self.room + 8])
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(piece, len(piece) == len(data))
        except UnicodeDecodeError:
            return None
        return None if _UNPRINTABLE.search(text) else text
