"""What a node takes from its surroundings: its name and cookie, epmd's place, its topologies.

The only part that reads the environment and the user's files, so that everything else can be handed plain
values and several nodes in one process cannot surprise each other.  It follows Erlang where Erlang has a
rule.  Errors are :class:`~pyerlnode.errors.ConfigError` and say the cure; none ever holds a cookie.

For a program that is configured as ``pyerlnode start`` is, by variables and a TOML file::

    async with Node.from_environment() as node: ...

Its modules are loaded when their names are first used: most nodes need no TOML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.lazy import lazy as _lazy

if TYPE_CHECKING:
    from pyerlnode.config.cookie import read_cookie
    from pyerlnode.config.cookie_file import check_cookie
    from pyerlnode.config.environment import child_environment
    from pyerlnode.config.epmd import EpmdSettings, epmd_settings, parse_port
    from pyerlnode.config.file import LOG_LEVELS
    from pyerlnode.config.names import complete_name, long_host, short_host
    from pyerlnode.config.settings import (
        NodeSettings,
        cookie_setting,
        node_name,
        node_options,
        node_settings,
    )
    from pyerlnode.config.topologies import Wish

_HOMES = {
    "cookie": "read_cookie",
    "cookie_file": "check_cookie",
    "environment": "child_environment",
    "epmd": "EpmdSettings epmd_settings parse_port",
    "file": "LOG_LEVELS",
    "names": "complete_name long_host short_host",
    "settings": "NodeSettings cookie_setting node_name node_options node_settings",
    "topologies": "Wish",
}

__all__ = [
    "LOG_LEVELS",
    "EpmdSettings",
    "NodeSettings",
    "Wish",
    "check_cookie",
    "child_environment",
    "complete_name",
    "cookie_setting",
    "epmd_settings",
    "long_host",
    "node_name",
    "node_options",
    "node_settings",
    "parse_port",
    "read_cookie",
    "short_host",
]

__getattr__, __dir__ = _lazy(__name__, {f"{__name__}.{home}": names for home, names in _HOMES.items()})
