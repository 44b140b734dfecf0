"""The TOML file of a node: ``[node]``, and one ``[topologies.NAME]`` table for each topology.

::

    [node]
    name = "py@10.0.0.9"
    cookie_file = "/run/secrets/cookie"

    [topologies.example]
    strategy = "epmd"
    hosts = ["node1@10.0.0.1", "node2@10.0.0.2"]
    timeout = 5000

A key that means nothing is an error that names the nearest.  A cookie, or another secret, is taken only from
a file that nobody else can read.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.options import nearest
from pyerlnode.config.cookie_file import HIDDEN, check_cookie, read_named_cookie_file
from pyerlnode.config.names import complete_name
from pyerlnode.config.private import is_handed_out, read_regular
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST = 1024 * 1024
"""Bytes in a configuration file."""
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a TOML file says; what it does not say is absent."""

    path: Path
    node: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """Options of ``Node`` under their names, and ``log_level``."""
    topologies: Mapping[str, Mapping[str, Any]] = field(repr=False, default_factory=dict)
    """For each topology its table, with a ``strategy``."""
    is_private: bool = False
    """Whether nobody else can read it."""

    def refuse_secret(self, key: str) -> None:
        """Raise :class:`ConfigError` for a secret under ``key``, unless the file is private."""
        if not self.is_private:
            cure = f"others can read {self.path}, so it may not hold a secret: chmod 600 {self.path}"
            raise ConfigError(key, HIDDEN, cure)


def read_config(path: Path, key: str = "config") -> ConfigFile:
    """Read the file.  ``key`` is what the :class:`ConfigError` calls its path."""
    read = read_regular(key, path, LONGEST + 1)
    if read is None:
        raise ConfigError(key, str(path), "there is no such file")
    data, attributes = read
    if len(data) > LONGEST:
        raise ConfigError(key, str(path), f"a configuration has at most {LONGEST} bytes")
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = error if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        raise ConfigError(key, str(path), f"it is no TOML: {why}") from None
    return _checked(path, tables, is_private=is_handed_out(attributes))


def _checked(path: Path, tables: dict[str, Any], *, is_private: bool) -> ConfigFile:
    _only(tables, {"node", "topologies"}, f"{path}: ", "a table")
    for key, table in tables.items():
        _table(f"{path}: {key}", table)
    file = ConfigFile(path, is_private=is_private)
    node = _node(file, tables.get("node", {}))
    topologies = {
        name: _topology(f"{path}: topologies.{name}", table)
        for name, table in tables.get("topologies", {}).items()
    }
    return ConfigFile(path, node, topologies, is_private)


def _node(file: ConfigFile, table: dict[str, Any]) -> dict[str, Any]:
    where = f"{file.path}: node."
    _only(table, {*_CHECKS, "cookie", "cookie_file"}, where, "a setting of a node")
    node = {key: _CHECKS[key](where + key, value) for key, value in table.items() if key in _CHECKS}
    if "cookie" in table:
        file.refuse_secret(f"{where}cookie")
        node["cookie"] = check_cookie(f"{where}cookie", table["cookie"])
    elif "cookie_file" in table:
        named = Path(options.text(f"{where}cookie_file", table["cookie_file"])).expanduser()
        node["cookie"] = read_named_cookie_file(f"{where}cookie_file", file.path.parent / named)
    return node


def _topology(key: str, table: Any) -> dict[str, Any]:
    _table(key, table)
    if "strategy" not in table:
        raise ConfigError(f"{key}.strategy", None, "each topology names its strategy, as strategy = 'epmd'")
    options.text(f"{key}.strategy", table["strategy"])
    if "prune" in table:
        options.flag(f"{key}.prune", table["prune"])
    return dict(table)


def _table(key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ConfigError(key, HIDDEN, "it is a table")


def _only(table: dict[str, Any], known: set[str], where: str, what: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}{key}", HIDDEN, f"this is not {what}: {nearest(key, known)}")


# ---------------------------------------------------------------------------------- values


def _name(key: str, value: Any) -> str:
    return complete_name(value, key)


def check_level(key: str, value: Any) -> str:
    """Give the word for a level of the log."""
    return options.choice(key, value.lower() if isinstance(value, str) else value, LOG_LEVELS)


def _port(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ConfigError(key, value, "a port is a number from 0 (any) to 65535")
    return value


def _epmd(key: str, value: Any) -> bool | int:
    return value if isinstance(value, bool) else _port(key, value)


def _peer_ports(key: str, value: Any) -> dict[str, int] | int:
    if isinstance(value, dict):
        return {options.node_name(key, name): _port(key, port) for name, port in value.items()}
    return _port(key, value)


def _seconds(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigError(key, value, "it is a number of seconds above 0")
    return float(value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "hidden": options.flag,
    "listen": options.flag,
    "host": options.text,
    "port": _port,
    "epmd": _epmd,
    "start_epmd": options.flag,
    "peer_ports": _peer_ports,
    "net_ticktime": _seconds,
    "log_level": check_level,
}
"""Everything in ``[node]`` save the cookie."""
