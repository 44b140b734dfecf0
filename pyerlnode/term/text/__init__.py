"""Terms as text, in Elixir's and in Erlang's syntax: for the command line, for logs and for errors.

``parse_elixir(to_elixir(term)) == term`` for everything that has a literal syntax, that is, for all but
identifiers, local funs and records.  Printing and reading are bounded, and nothing is ever evaluated.
"""

from __future__ import annotations

from typing import Any

from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term.text.elixir_print import ElixirPrinter
from pyerlnode.term.text.elixir_read import ElixirReader
from pyerlnode.term.text.erlang_print import ErlangPrinter
from pyerlnode.term.text.erlang_read import ErlangReader

__all__ = ["brief", "parse_elixir", "parse_erlang", "to_elixir", "to_erlang"]


def to_elixir(term: Any, *, limit: int | None = None) -> str:
    """Return ``term`` in Elixir's syntax, cut to ``limit`` characters (the last three are ``...`` then).

    What is no term prints as ``#Python<type>``; what nests deeper than ``Limits.nesting`` is cut, too.
    """
    return ElixirPrinter(limit).print(term)


def to_erlang(term: Any, *, limit: int | None = None) -> str:
    """Return ``term`` in Erlang's syntax, cut to ``limit`` characters as :func:`to_elixir` does."""
    return ErlangPrinter(limit).print(term)


def parse_elixir(text: str, limits: Limits = DEFAULT) -> Any:
    """Return the term that ``text`` is in Elixir's syntax; strings become ``bytes``.

    Raises :class:`pyerlnode.errors.TextError` with the offset for anything that is no literal term, or larger
    than ``limits.text_input`` characters or ``limits.nesting`` levels.
    """
    return ElixirReader(text, limits).whole()


def parse_erlang(text: str, limits: Limits = DEFAULT) -> Any:
    """Return the term that ``text`` is in Erlang's syntax; a full stop may end it.

    Errors as in :func:`parse_elixir`.  Strings are lists of code points, as in Erlang.
    """
    return ErlangReader(text, limits).whole()


def brief(term: Any, limit: int = DEFAULT.brief) -> str:
    """Return at most ``limit`` characters of ``term`` in Elixir's syntax, for logs and error texts.

    The work is bounded whatever the term, and nothing is ever raised.
    """
    try:
        return to_elixir(term, limit=limit)
    except Exception:  # noqa: BLE001  # a hostile or broken subclass must not break the report about it
        return f"#Python<{type(term).__name__}>"
