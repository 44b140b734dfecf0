"""Everything that a node is started with: from the command line, the environment and a TOML file.

The command line wins over the environment, and that over the file.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.names import NO_NAME
from pyerlnode.config.cookie import cookie_from
from pyerlnode.config.cookie_file import check_cookie
from pyerlnode.config.environment import environment, variable
from pyerlnode.config.file import ConfigFile, check_level, read_config
from pyerlnode.config.names import complete_name, name_from_environment
from pyerlnode.config.topologies import Wish, read_topologies
from pyerlnode.config.variables import truth, unknown_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyerlnode.cluster.topology import Topology

log = logging.getLogger("pyerlnode.node")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What a node is started with.  Made by :func:`node_settings`."""

    name: str | None = None
    """The full name; None where nothing gives one."""
    cookie: str | None = field(default=None, repr=False)
    """The cookie; None where it is left to ``~/.erlang.cookie``."""
    hidden: bool = False
    topologies: tuple[Topology, ...] = ()
    log_level: str = "info"
    further: Mapping[str, Any] = field(default_factory=dict)
    """More options of ``Node`` out of the file: host, port, epmd, net_ticktime and so on."""
    warnings: tuple[str, ...] = ()
    """Variables that look like ours and mean nothing, each a line for the log."""

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for ``Node``: ``Node(**settings.options)``.  Without a name it is part of no network."""
        return {
            **self.further,
            "name": self.name or NO_NAME,
            "cookie": self.cookie,
            "hidden": self.hidden,
            "topologies": self.topologies,
        }


def node_settings(
    config: str | Path | None = None,
    *,
    name: str | None = None,
    cookie: str | None = None,
    hidden: bool | None = None,
    log_level: str | None = None,
    wish: Wish | None = None,
    environ: Mapping[str, str] | None = None,
) -> NodeSettings:
    """Read the settings of a node; arguments win over variables, and these over the file.

    `config` is the path of a TOML file, by default ``$PYERLNODE_CONFIG``.  `wish` asks for a topology.
    `environ` stands in for the process's environment.  Raises :class:`ConfigError`.
    """
    environ = environment() if environ is None else environ
    file = file_of(config, environ)
    topologies, options = read_topologies(file, environ, wish or Wish())
    return NodeSettings(
        name=_name(name, environ, file),
        cookie=_cookie(cookie, environ, file),
        hidden=_first(hidden, truth(environ, "HIDDEN"), file.node.get("hidden")),
        topologies=topologies,
        log_level=_level(log_level, environ, file),
        further={key: value for key, value in file.node.items() if key not in _OWN},
        warnings=tuple(unknown_variables(environ, options)),
    )


_OWN = {"name", "cookie", "hidden", "log_level"}


def node_options(config: str | Path | None = None) -> dict[str, Any]:
    """Give the arguments for ``Node`` that the environment and the file hold; warnings go to the log."""
    settings = node_settings(config)
    for warning in settings.warnings:
        log.warning("%s", warning)
    return settings.options


def file_of(config: str | Path | None, environ: Mapping[str, str]) -> ConfigFile:
    """Read the file at `config`, else at ``$PYERLNODE_CONFIG``; an empty one where there is neither."""
    if config is not None:
        return read_config(Path(config))
    if (path := variable(environ, "CONFIG")) is not None:
        return read_config(Path(path).expanduser(), "$PYERLNODE_CONFIG")
    return ConfigFile(Path())


def node_name(config: str | Path | None = None) -> str | None:
    """Give the full name of the node that the environment names, or the file; None where neither does."""
    environ = environment()
    return _name(None, environ, file_of(config, environ))


def cookie_setting(explicit: str | None, config: str | Path | None) -> str | None:
    """Give a command's cookie: given, or the environment's, or the file's; None for Erlang's own file."""
    environ = environment()
    return _cookie(explicit, environ, file_of(config, environ))


def _cookie(explicit: str | None, environ: Mapping[str, str], file: ConfigFile) -> str | None:
    if explicit is not None:
        return check_cookie("cookie", explicit)
    found = cookie_from(environ)
    return file.node.get("cookie") if found is None else found


def _name(explicit: str | None, environ: Mapping[str, str], file: ConfigFile) -> str | None:
    if explicit is not None:
        return complete_name(explicit)
    found = name_from_environment(environ)
    return file.node.get("name") if found is None else found


def _level(explicit: str | None, environ: Mapping[str, str], file: ConfigFile) -> str:
    if explicit is not None:
        return check_level("log_level", explicit)
    if (text := variable(environ, "LOG_LEVEL")) is not None:
        return check_level("$PYERLNODE_LOG_LEVEL", text.strip())
    return str(file.node.get("log_level", "info"))


def _first(*values: bool | None) -> bool:
    return next((value for value in values if value is not None), False)
