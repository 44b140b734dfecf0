"""Terms in Erlang's syntax, as ``io:format("~0tp", ...)`` prints plain data.

Differences to a live node: binaries that are not UTF-8 text print as numbers, maps keep their own order, and
identifiers carry their node's name.  (Erlang Reference Manual, "Data Types".)
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.term.text.names import erlang_atom, erlang_quoted
from pyerlnode.term.text.numbers import float_text, integer_text
from pyerlnode.term.text.printer import Printer, Sub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.term.containers import BitString, ImproperList
    from pyerlnode.term.fun import ExportFun, Fun
    from pyerlnode.term.maps import TermMap

_STRING: Final = frozenset((*range(8, 14), 27, *range(32, 127), *range(160, 256)))
_NOT_IN_BINARIES: Final = ("\a", "\x7f")


class ErlangPrinter(Printer):
    """Prints Erlang's syntax."""

    PID = ""
    REFERENCE = "#Ref"
    SEPARATOR = ","

    def _atom(self, name: str) -> str:
        return erlang_atom(name)

    def _integer(self, value: int) -> str:
        return integer_text(value, "16#", self.room)

    def _float(self, value: float) -> str:
        return float_text(value)

    def _export(self, term: ExportFun) -> str:
        return f"fun {self._atom(term.module)}:{self._atom(term.function)}/{term.arity}"

    def _fun(self, term: Fun) -> str:
        return f"#Fun<{term.module}.{term.index}.{term.old_uniq}>"

    def _binary(self, data: bytes | bytearray | memoryview) -> Iterator[str | Sub]:
        text = self._text(data)
        if not text or any(character in text for character in _NOT_IN_BINARIES):
            return self._joined("<<", data, ">>")
        return iter((f"<<{erlang_quoted(text)}{'' if text.isascii() else '/utf8'}>>",))

    def _bits(self, term: BitString) -> Iterator[str | Sub]:
        yield from self._joined("<<", islice(term.data, len(term.data) - 1), "")
        yield self.SEPARATOR if len(term.data) > 1 else ""
        yield f"{term.data[-1] >> (8 - term.bits)}:{term.bits}>>"

    def _list(self, items: list[Any]) -> Iterator[str | Sub]:
        shown = self._first(items)
        if shown and all(type(item) is int and item in _STRING for item in shown):
            return iter((erlang_quoted("".join(map(chr, shown))),))
        return self._joined("[", items, "]")

    def _improper(self, term: ImproperList) -> Iterator[str | Sub]:
        yield from self._joined("[", term.items, "|")
        yield Sub(term.tail)
        yield "]"

    def _map(self, term: dict[Any, Any] | TermMap) -> Iterator[str | Sub]:
        opening = "#{"
        for key, value in term.items():
            yield opening
            yield Sub(key)
            yield " => "
            yield Sub(value)
            opening = self.SEPARATOR
        yield "}" if term else "#{}"
