"""What a node takes from its surroundings: its name and cookie, epmd's place, its topologies.

The only part that reads the environment and the user's files, so that everything else can be handed plain
values and several nodes in one process cannot surprise each other.  It follows Erlang where Erlang has a
rule.  Errors are :class:`~pyerlnode.errors.ConfigError` and say the cure; none ever holds a cookie.

For a program that is configured as ``pyerlnode start`` is, by variables and a TOML file::

    async with Node.from_environment() as node: ...
"""

from __future__ import annotations

from pyerlnode.config.cookie import read_cookie
from pyerlnode.config.cookie_file import check_cookie
from pyerlnode.config.environment import child_environment, environment
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

__all__ = [
    "LOG_LEVELS",
    "EpmdSettings",
    "NodeSettings",
    "Wish",
    "check_cookie",
    "child_environment",
    "complete_name",
    "cookie_setting",
    "environment",
    "epmd_settings",
    "long_host",
    "node_name",
    "node_options",
    "node_settings",
    "parse_port",
    "read_cookie",
    "short_host",
]
