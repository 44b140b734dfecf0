"""The process's environment: the only place that reads it.

Every variable of ours is ``PYERLNODE_`` and a name in capitals; an empty one counts as unset, as a compose
file sets those that it passes on.  Secrets are the exception: an empty one is an error, never another one.
What they are called and mean is in :mod:`pyerlnode.config.variables`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "PYERLNODE_"
_LINKED_PORT = ("tcp://", "udp://", "sctp://")
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
    return None if not text.strip() or (name == "PORT" and text.startswith(_LINKED_PORT)) else text
