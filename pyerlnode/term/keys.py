"""Keys of a dict that Erlang cannot tell apart, though Python can.

The encoder asks which kinds of keys a dict has; only for the few mixtures in which two could
be one term are they compared.
"""

from __future__ import annotations

from typing import Any, Final

from pyerlnode.errors import EncodeError
from pyerlnode.term.atom import Atom
from pyerlnode.term.maps import TermMap

_ATOM: Final = Atom
_NONE: Final = type(None)
_NAME: Final = 1
_BINARY: Final = 2
_NUMBER: Final = 4
_TEXT: Final = 8
_SPECIAL: Final = 16
_COMPOUND: Final = 32
HARMLESS: Final = frozenset((Atom, bytes))
"""The kinds that nearly all keys are of, and that are never equal."""
NO_MIXTURE: Final = _NAME | _BINARY
"""The bits of these."""


def kind_of_key(kind: Any) -> int:
    """Return a bit for the kinds of keys that may be equal for Erlang though they are not for Python."""
    if kind is _ATOM:
        return _NAME
    if kind is bytes:
        return _BINARY
    if kind is int or kind is float:
        return _NUMBER
    if kind is str:
        return _TEXT
    return _SPECIAL if kind is bool or kind is _NONE else _COMPOUND


def check_keys(keys: tuple[Any, ...]) -> None:
    """Refuse keys that are two for Python and one for Erlang, such as ``"a"`` and ``b"a"``."""
    kinds = 0
    last: Any = None
    for key in keys:
        if type(key) is not last:
            last = type(key)
            kinds |= kind_of_key(last)
    as_text = kinds & _TEXT and kinds & _BINARY
    as_name = kinds & _SPECIAL and kinds & _NAME
    if as_text or as_name or kinds & _COMPOUND:
        _compare(keys)


def _compare(keys: tuple[Any, ...]) -> None:
    if len(TermMap([(key, None) for key in keys])) != len(keys):
        raise EncodeError("two keys of a dict are the same Erlang term (text and bytes perhaps)")
