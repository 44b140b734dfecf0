"""Whether a node's own name is of the kind that a strategy finds.

Nodes with short names (``py@web1``) and with long ones (``py@10.0.0.1``, ``py@web1.domain``) never connect:
an Erlang node answers ``Hostname node2 is illegal``, or that the system is not running to use fully qualified
hostnames.  Strategies that find addresses or domains can tell that before the first dial, and do.
"""

from __future__ import annotations

from pyerlnode.errors import ConfigError
from pyerlnode.wire.names import is_long_host, split_name

NO_NAME = "nonode@nohost"
"""The name of a node that has none: it dials nobody, which the log says for each node found."""


def need_long_name(strategy: str, example: str, own: str) -> None:
    """Raise :class:`ConfigError` when `own` is a short name, though `strategy` finds nodes with long ones.

    `example` is a name that would do, such as ``py@10.0.0.1``.
    """
    if own == NO_NAME or is_long_host(split_name(own)[1]):
        return
    raise ConfigError(
        "name",
        own,
        f"it is a short name, and {strategy} finds nodes with long ones, as {example}, so the two never "
        f"connect: name this node like {example} (a host with a dot: an address or a domain)",
    )
