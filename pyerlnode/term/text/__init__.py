"""Terms as text, in Elixir's and in Erlang's syntax: for the command line, for logs and for errors.

``parse_elixir(to_elixir(term)) == term`` for everything that has a literal syntax, that is, for all but
identifiers, local funs and records.  Printing and reading are bounded, and nothing is ever evaluated.
Either is loaded when it is first used: nodes print terms where something went wrong, and read none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyerlnode.lazy import later, lazy
from pyerlnode.limits import DEFAULT

if TYPE_CHECKING:
    from pyerlnode.term.text import elixir_print, erlang_print
    from pyerlnode.term.text.read import parse_elixir, parse_erlang
else:
    elixir_print = later("pyerlnode.term.text.elixir_print")
    erlang_print = later("pyerlnode.term.text.erlang_print")

__all__ = ["brief", "parse_elixir", "parse_erlang", "to_elixir", "to_erlang"]

__getattr__, __dir__ = lazy(__name__, {"pyerlnode.term.text.read": "parse_elixir parse_erlang"})


def to_elixir(term: Any, *, limit: int | None = None) -> str:
    """Return ``term`` in Elixir's syntax, cut to ``limit`` characters (the last three are ``...`` then).

    What is no term prints as ``#Python<type>``; what nests deeper than ``Limits.nesting`` is cut, too.
    """
    return elixir_print.ElixirPrinter(limit).print(term)


def to_erlang(term: Any, *, limit: int | None = None) -> str:
    """Return ``term`` in Erlang's syntax, cut to ``limit`` characters as :func:`to_elixir` does."""
    return erlang_print.ErlangPrinter(limit).print(term)


def brief(term: Any, limit: int = DEFAULT.brief) -> str:
    """Return at most ``limit`` characters of ``term`` in Elixir's syntax, for logs and error texts.

    The work is bounded whatever the term, and nothing is ever raised.
    """
    try:
        return to_elixir(term, limit=limit)
    except Exception:  # noqa: BLE001  # a hostile or broken subclass must not break the report about it
        return f"#Python<{type(term).__name__}>"
