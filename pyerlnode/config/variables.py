"""What our variables are called: a node's settings, and the options of its strategies.

Those that look like ours and mean nothing are worth a warning, which names the nearest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.named import is_secret, parse_truth
from pyerlnode.cluster.options import nearest
from pyerlnode.config.environment import PREFIX, variable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from dataclasses import Field

SETTINGS = frozenset(
    {
        "COOKIE",
        "COOKIE_FILE",
        "CONFIG",
        "HIDDEN",
        "LOG_LEVEL",
        "NAME",
        "PRUNE",
        "STRATEGY",
        "TOPOLOGY",
    }
)
"""The variables that are no option of a strategy, without their prefix."""
BUILDING = frozenset({"COMPILE", "COMPILED", "BEAMS", "FULL", "FUZZ", "LOOP", "RELEASES", "SEED"})
"""Those that building and testing this library read; they may well be set where a node runs."""
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
"""What Kubernetes sets beside a service that is called ``pyerlnode``."""


def truth(environ: Mapping[str, str], name: str) -> bool | None:
    """Give the truth value of a variable of ours.  Raises :class:`ConfigError`."""
    text = variable(environ, name)
    return None if text is None else parse_truth(f"${PREFIX}{name}", text)


def texts_for(environ: Mapping[str, str], options: Mapping[str, Field[Any]]) -> dict[str, str]:
    """Give those of a strategy's `options` that have a variable; a secret also when it is empty."""
    found = {
        key: environ.get(PREFIX + key.upper()) if is_secret(option) else variable(environ, key.upper())
        for key, option in options.items()
        if key.upper() not in SETTINGS
    }
    return {key: text for key, text in found.items() if text is not None}


def unknown_variables(environ: Mapping[str, str], options: Collection[str]) -> list[str]:
    """Say, for each variable of ours that is no setting and none of the `options`, what it may mean.

    For a warning, no error: a container's environment is not always its owner's to tidy.  No value is told.
    """
    known = {PREFIX + name for name in SETTINGS | {option.upper() for option in options}}
    given = (name for name in sorted(environ) if name.startswith(PREFIX) and variable(environ, name[10:]))
    return [
        f"{name} is set, and nothing reads it: {nearest(name, known)}"
        for name in given
        if name not in known and name[10:] not in BUILDING and not _SERVICE_LINK.fullmatch(name[10:])
    ]
