"""Strategies by name, and their options from text: for files, the environment and the command line.

A name may be ours (``dns_poll``), that of the class (``DNSPoll``) or libcluster's
(``Cluster.Strategy.DNSPoll``); and ``my.module:MyStrategy`` is one of your own.
"""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, Field, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import STRATEGIES
from pyerlnode.cluster.options import nearest
from pyerlnode.cluster.strategy import Strategy
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_SQUEEZED = {name.replace("_", ""): name for name in STRATEGIES}
_LIBCLUSTER = re.compile(r"(Elixir\.)?(Cluster\.Strategy\.)?")

TRUTHS = {"true": True, "yes": True, "on": True, "1": True} | {
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def strategy_named(name: str) -> type[Strategy]:
    """Give the class of the strategy `name`.

    Raises :class:`ConfigError`, which names the nearest, when there is none.
    """
    if not isinstance(name, str):
        raise ConfigError("strategy", name, "it is the name of one, as 'epmd'")
    if ":" in name:
        return _imported(name)
    own_part = _LIBCLUSTER.sub("", name.strip(), count=1)
    module = _BY_SQUEEZED.get(re.sub(r"[._-]", "", own_part).lower())
    if module is None:
        hint = nearest(own_part, STRATEGIES)
        raise ConfigError(
            "strategy", name, f"there is no such strategy: {hint}; or give yours, as 'module:Class'"
        )
    found: type[Strategy] = getattr(import_module(f"pyerlnode.cluster.{module}"), STRATEGIES[module])
    return found


def _imported(name: str) -> type[Strategy]:
    """Give the class at ``module:Class``."""
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            "strategy", name, f"it cannot be imported: {error} (is it on $PYTHONPATH?)"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise ConfigError("strategy", name, "this is no class derived from pyerlnode.cluster.Strategy")
    return found


# ---------------------------------------------------------------------------------- options


def options_of(strategy: type[Strategy]) -> dict[str, Field[Any]]:
    """Give the options that the strategy takes."""
    return {field.name: field for field in fields(strategy) if field.init}


def is_secret(field: Field[Any]) -> bool:
    """Whether an option holds a secret: it is not printed, nor taken from a file that others can read."""
    return not field.repr


def from_texts(strategy: type[Strategy], texts: Mapping[str, str]) -> Strategy:
    """Make the strategy with options that are text, as the environment has them.

    Raises :class:`ConfigError`.
    """
    return strategy(**values_of(strategy, texts))


def values_of(strategy: type[Strategy], texts: Mapping[str, str]) -> dict[str, Any]:
    """Turn each text into what its option takes: the default tells whether that is a number, a list, a truth.

    An option whose default does not tell, and that takes a list too, has ``metadata={"list": True}``.
    """
    known = options_of(strategy)
    return {key: _value(key, text, known[key]) if key in known else text for key, text in texts.items()}


def _value(key: str, text: str, field: Field[Any]) -> Any:
    default = field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    text = text if is_secret(field) else text.strip()
    if field.metadata.get("list"):
        return _items(text) if "," in text else text
    match default:
        case bool():
            return parse_truth(key, text)
        case int() | float():
            return _number(key, text)
        case tuple() | list() | set() | frozenset():
            return _items(text)
        case None if text.lower() in {"none", "nil"} and not is_secret(field):
            return None
    return text


def parse_truth(key: str, text: str) -> bool:
    """Read true or false.  Raises :class:`ConfigError`."""
    if text.strip().lower() not in TRUTHS:
        raise ConfigError(key, text, "it is true or false")
    return TRUTHS[text.strip().lower()]


def _number(key: str, text: str) -> float:
    if text.lower() in {"infinity", "inf", "none", "nil"}:
        return math.inf
    try:
        number = float(text)
    except ValueError:
        raise ConfigError(key, text, "it is a number") from None
    return int(number) if number.is_integer() else number


def _items(text: str) -> list[str]:
    return [item for part in text.split(",") if (item := part.strip())]
