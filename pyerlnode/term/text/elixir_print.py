"""Terms in Elixir's syntax, as ``inspect`` prints plain data.

Differences to a live node's ``inspect``: structs always print as ``%Name{...}``, maps keep their own order,
and identifiers carry their node's name, since a dotted number means nothing outside of that node.
(Elixir "Syntax reference"; ``Inspect`` protocol.)
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.term.atom import Atom, as_atom
from pyerlnode.term.text.names import elixir_atom, elixir_function, elixir_quoted, elixir_word, is_alias
from pyerlnode.term.text.numbers import elixir_float_text, integer_text
from pyerlnode.term.text.printer import Printer, Sub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.term.containers import BitString, ImproperList
    from pyerlnode.term.fun import ExportFun, Fun
    from pyerlnode.term.maps import TermMap

_CHARLIST: Final = frozenset((*range(7, 14), 27, *range(32, 127)))
_STRUCT: Final = "__struct__"


class ElixirPrinter(Printer):
    """Prints Elixir's syntax."""

    PID = "#PID"
    REFERENCE = "#Reference"
    SEPARATOR = ", "

    def _atom(self, name: str) -> str:
        return elixir_atom(name)

    def _integer(self, value: int) -> str:
        return integer_text(value, "0x", self.room)

    def _float(self, value: float) -> str:
        return elixir_float_text(value)

    def _export(self, term: ExportFun) -> str:
        return f"&{elixir_atom(term.module)}.{elixir_function(term.function)}/{term.arity}"

    def _fun(self, term: Fun) -> str:
        return f"#Function<{term.index}.{term.old_uniq}/{term.arity} in {self._atom(term.module)}>"

    def _binary(self, data: bytes | bytearray | memoryview) -> Iterator[str | Sub]:
        text = self._text(data)
        return self._joined("<<", data, ">>") if text is None else iter((elixir_quoted(text),))

    def _bits(self, term: BitString) -> Iterator[str | Sub]:
        yield from self._joined("<<", islice(term.data, len(term.data) - 1), "")
        yield self.SEPARATOR if len(term.data) > 1 else ""
        yield f"{term.data[-1] >> (8 - term.bits)}::size({term.bits})>>"

    def _list(self, items: list[Any]) -> Iterator[str | Sub]:
        shown = self._first(items)
        if not shown:
            return iter(("[]",))
        if all(type(item) is int and item in _CHARLIST for item in shown):
            return iter(("~c" + elixir_quoted("".join(map(chr, shown))),))
        if all(type(item) is tuple and len(item) == 2 and _is_key(item[0]) for item in shown):
            return self._fields("[", ((_key(name), value) for name, value in items), "]")
        return self._joined("[", items, "]")

    def _improper(self, term: ImproperList) -> Iterator[str | Sub]:
        yield from self._joined("[", term.items, " | ")
        yield Sub(term.tail)
        yield "]"

    def _map(self, term: dict[Any, Any] | TermMap) -> Iterator[str | Sub]:
        if not all(_is_key(key) for key in self._first(term)):
            return self._arrows(term)
        struct = term.get(_STRUCT)
        if isinstance(struct, Atom) and is_alias(struct) and struct != "Elixir":
            opening = f"%{self._atom(struct)}{{"
            return self._fields(opening, ((_key(k), v) for k, v in term.items() if k != _STRUCT), "}")
        return self._fields("%{", ((_key(key), value) for key, value in term.items()), "}")

    def _arrows(self, term: dict[Any, Any] | TermMap) -> Iterator[str | Sub]:
        opening = "%{"
        for key, value in term.items():
            yield opening
            yield Sub(key)
            yield " => "
            yield Sub(value)
            opening = self.SEPARATOR
        yield "}"


def _is_key(term: Any) -> bool:
    """Tell whether Elixir writes a pair with this key as ``key: value``."""
    atom = as_atom(term)
    return atom is not None and (not atom.startswith("Elixir.") and atom != "Elixir")


def _key(term: Any) -> str:
    return f"{elixir_word(str(as_atom(term)))}: "
