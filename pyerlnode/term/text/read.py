"""Text, made into terms: in Elixir's syntax or in Erlang's, a literal at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyerlnode.limits import DEFAULT
from pyerlnode.term.text.elixir_read import ElixirReader
from pyerlnode.term.text.erlang_read import ErlangReader

if TYPE_CHECKING:
    from pyerlnode.limits import Limits


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
