"""Checks for the options of strategies: a mistake is an error that says what would work.

libcluster takes mistyped options in silence (its issue #120); here an unknown one names its nearest relative.
Times bear libcluster's names and are in milliseconds as there; a ``timedelta`` is taken too.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import MISSING, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import ConfigError, LocalProtocolError
from pyerlnode.wire.names import split_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORTEST = 100.0
"""Milliseconds below which a time was surely meant in seconds."""


def check_given(owner: type, positional: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    """Raise :class:`ConfigError` for options that `owner`, a dataclass, does not have, or needs and lacks."""
    known = {field.name: field for field in fields(owner) if field.init}
    name = owner.__name__
    if positional:
        first = next(iter(known), "option")
        kind = type(positional[0]).__name__  # not the value: it may be a secret
        raise ConfigError(name, kind, f"options are given by name: {name}({first}=...)")
    for key in options:
        if key not in known:  # its value is not told: it may be a secret
            raise ConfigError(key, "***", f"{name} has no such option: {nearest(key, known)}")
    for key, field in known.items():
        if key not in options and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(key, None, f"{name} needs it: {name}({key}=...)")


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Say which of the `known` words `wrong` was probably meant to be, or list them."""
    words = sorted(known)
    squeezed = {word.lower().replace("_", ""): word for word in words}
    close = difflib.get_close_matches(wrong.lower().replace("_", ""), squeezed, n=1, cutoff=0.5)
    if close:
        return f"did you mean {squeezed[close[0]]!r}?"
    return f"it has {', '.join(words)}" if words else "it has none"


def milliseconds(key: str, value: Any, *, endless: bool = False) -> float:
    """Give a time in milliseconds; with `endless`, None, ``"infinity"`` and ``math.inf`` mean for ever."""
    if isinstance(value, timedelta):
        value = value.total_seconds() * 1000
    if endless and (value is None or value in (math.inf, "infinity")):
        return math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigError(
            key, value, "it is a number of milliseconds" + (", or 'infinity'" if endless else "")
        )
    if value < SHORTEST:
        raise ConfigError(
            key,
            value,
            f"it is in milliseconds, as in libcluster, and at least {SHORTEST:g}: 5 seconds are 5000",
        )
    return float(value)


def text(key: str, value: Any) -> str:
    """Give a string that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(key, value, "it is a string that is not empty")
    return str(value)


def flag(key: str, value: Any) -> bool:
    """Give a truth value."""
    if not isinstance(value, bool):
        raise ConfigError(key, value, "it is true or false")
    return value


def choice(key: str, value: Any, allowed: Iterable[str]) -> str:
    """Give one of the `allowed` words."""
    words = list(allowed)
    if value not in words:
        raise ConfigError(key, value, f"it is one of {', '.join(words)}")
    return str(value)


def basename(key: str, value: Any) -> str:
    """Give the part of node names before the ``@``."""
    word = text(key, value)
    if "@" in word:
        raise ConfigError(key, value, f"it is the part before the @ only: {word.partition('@')[0]!r}")
    return word


def node_name(key: str, value: Any) -> str:
    """Give a full node name."""
    if not isinstance(value, str):
        raise ConfigError(key, value, "a node name is a string such as 'node1@host'")
    try:
        split_name(value)
    except LocalProtocolError as error:
        raise ConfigError(key, value, f"{error}") from error
    return str(value)


def node_names(key: str, value: Any) -> tuple[str, ...]:
    """Give node names, each once, in their order."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise ConfigError(key, value, "it is a list of node names, as ['node1@host', 'node2@host']")
    return tuple(dict.fromkeys(node_name(key, name) for name in value))
