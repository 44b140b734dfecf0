"""The process's environment: the only place that reads it, and what its variables of ours are called.

Every setting is ``PYERLNODE_`` and its name in capitals; an empty variable counts as unset, as a compose file
sets those that it passes on.  Secrets are the exception: an empty one is an error, never another or none.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.named import is_secret, parse_truth
from pyerlnode.cluster.options import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from dataclasses import Field

PREFIX = "PYERLNODE_"
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
BUILDING = frozenset({"COMPILE", "BEAMS", "FULL", "FUZZ", "LOOP", "RELEASES", "SEED"})
"""Those that building and testing this library read; they may well be set where a node runs."""
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
_LINKED_PORT = re.compile(r"(tcp|udp|sctp)://")
"""What Kubernetes and Docker links set in every container beside a service that is called ``pyerlnode``."""


def environment() -> dict[str, str]:
    """Give a copy of the environment, for topologies too: libcluster's strategies read some of it."""
    return dict(os.environ)


def child_environment(epmd_port: int) -> dict[str, str]:
    """Give this process's environment for a child that is to use the port mapper at ``epmd_port``."""
    return {**environment(), "ERL_EPMD_PORT": str(epmd_port)}


def variable(environ: Mapping[str, str], name: str) -> str | None:
    """Give the variable of ours, ``None`` when it is unset, empty, or not meant for us."""
    text = environ.get(PREFIX + name, "")
    return None if not text.strip() or (name == "PORT" and _LINKED_PORT.match(text)) else text


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
