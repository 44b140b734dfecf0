"""Terms as JSON, for ``--json``: readable by every tool, and poorer than terms.

In: strings become binaries, arrays lists, objects maps with binary keys, ``null`` becomes ``nil``.
Out: atoms and UTF-8 binaries become strings, tuples and lists arrays, and what JSON has no word for (pids,
references, other binaries, keys that are no text) its text in Elixir syntax.  To send atoms and tuples, use
Elixir syntax without ``--json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import PyerlnodeError, TextError
from pyerlnode.term.text import to_elixir

if TYPE_CHECKING:
    from pyerlnode.term import Term


def from_json(text: str) -> Term:
    """Read a term from JSON.  Raises :class:`TextError` with the offset of what is no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise TextError(f"not JSON: {error.msg}", error.pos) from error
    except RecursionError as error:
        raise TextError("JSON nested too deeply") from error


def _refuse(word: str) -> Term:
    raise TextError(f"not JSON: {word}")


def to_json(term: Term) -> str:
    """Write a term as JSON, on one line.  Raises :class:`PyerlnodeError` for one nested too deeply."""
    try:
        return json.dumps(jsonable(term), ensure_ascii=False)
    except RecursionError as error:
        raise PyerlnodeError("the answer is nested too deeply for JSON") from error


def jsonable(term: Term) -> Any:
    """Give what :mod:`json` can write for ``term``."""
    if term is None or isinstance(term, (bool, int, float)):
        return term
    if isinstance(term, (str, bytes)):
        return text_of(term)
    if isinstance(term, (tuple, list)):
        return [jsonable(item) for item in term]
    if isinstance(term, Mapping):
        return {text_of(key): jsonable(value) for key, value in term.items()}
    return to_elixir(term)


def text_of(term: Term) -> str:
    """Give the text that ``term`` is, or else its text in Elixir syntax."""
    if isinstance(term, str):
        return str(term)
    if isinstance(term, bytes):
        try:
            return term.decode()
        except UnicodeDecodeError:
            pass
    return to_elixir(term)
