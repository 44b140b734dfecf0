"""Names of nodes: completed with this machine's, as ``erl -sname`` does; and what the environment calls ours.

ERTS ``erl`` (``-sname``, ``-name``), and Mix releases' ``RELEASE_NODE`` and ``RELEASE_DISTRIBUTION``.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from pyerlnode.config.environment import variable
from pyerlnode.errors import ConfigError
from pyerlnode.wire.names import MAX_NAME, is_long_host

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALIVE = r"[A-Za-z0-9_-]+"
_HOST = r"[!-?A-~]+"


def complete_name(name: str, key: str = "name") -> str:
    """Give the full node name: ``"py"`` becomes ``py@shorthost`` as with ``--sname py``, ``"py@host"`` stays.

    ``key`` is what the error calls it.  Raises :class:`ConfigError` for what no Erlang node could be named.
    """
    if not isinstance(name, str):
        raise ConfigError(key, name, "a node name is a str such as 'py@host'")
    alive, at, host = name.partition("@")
    if not re.fullmatch(_ALIVE, alive):
        raise ConfigError(
            key, name, "the part before @ must be letters, digits, _ and - only, as in 'py@host' or 'py'"
        )
    if not at:
        host = short_host()
    elif not re.fullmatch(_HOST, host):
        raise ConfigError(
            key, name, "after the one @ comes a host name or address, as in 'py@host' or 'py@127.0.0.1'"
        )
    full = f"{alive}@{host}"
    if len(full) > MAX_NAME:
        raise ConfigError(key, name, f"a node name has at most {MAX_NAME} characters, this has {len(full)}")
    return full


def short_host() -> str:
    """Give this machine's name up to its first dot: the host of a short node name."""
    host = socket.gethostname().partition(".")[0]
    if not re.fullmatch(_HOST, host):
        raise ConfigError(
            "name", host, "this machine has no usable host name: give the full name, 'py@127.0.0.1'"
        )
    return host


def long_host() -> str:
    """Give a host with a dot for a node of ours that nobody will dial: no look-up is made."""
    host = socket.gethostname()
    return host if "." in host and re.fullmatch(_HOST, host) else f"{short_host()}.localdomain"


def name_from_environment(environ: Mapping[str, str]) -> str | None:
    """Give this node's full name by ``$PYERLNODE_NAME``, else by a release's variables; ``None`` without.

    ``$RELEASE_DISTRIBUTION`` says what ``$RELEASE_NODE`` is: ``none`` (a node without a name), ``sname`` or
    ``name``.  Raises :class:`ConfigError` where the two contradict each other.
    """
    if (name := variable(environ, "NAME")) is not None:
        return complete_name(name, "$PYERLNODE_NAME")
    name = environ.get("RELEASE_NODE", "").strip()
    kind = environ.get("RELEASE_DISTRIBUTION", "").strip()
    if not name or kind == "none":
        return None
    full = complete_name(name, "$RELEASE_NODE")
    is_long = "@" in name and is_long_host(full.partition("@")[2])
    match kind:
        case "sname" if is_long:
            hint = "$RELEASE_DISTRIBUTION=sname wants a host without dots, or set it to name"
        case "name" if not is_long:
            hint = "$RELEASE_DISTRIBUTION=name wants a host with a dot, as py@10.0.0.1, or set it to sname"
        case "" | "sname" | "name":
            return full
        case _:
            raise ConfigError("$RELEASE_DISTRIBUTION", kind, "it is none, sname or name")
    raise ConfigError("$RELEASE_NODE", name, hint)
