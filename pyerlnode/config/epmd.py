"""Where the port mapper is, and how one that we start behaves: ``epmd``'s own environment variables."""

from __future__ import annotations

import re

from pyerlnode.config.environment import environment
from pyerlnode.errors import ConfigError
from pyerlnode.frozen import frozen
from pyerlnode.wire.epmd import EPMD_PORT


@frozen
class EpmdSettings:
    """Where the port mapper is, and how one that we start behaves."""

    port: int = EPMD_PORT
    """Its TCP port (``$ERL_EPMD_PORT``), on every host."""
    addresses: tuple[str, ...] = ()
    """Addresses that ours listens on beside loopback (``$ERL_EPMD_ADDRESS``); empty means all."""
    relaxed: bool = False
    """Whether ours may be stopped while names are registered (``$ERL_EPMD_RELAXED_COMMAND_CHECK``)."""


def epmd_settings() -> EpmdSettings:
    """Read epmd's environment variables.  Raises :class:`ConfigError` for a port that is none."""
    environ = environment()
    return EpmdSettings(
        port=parse_port("$ERL_EPMD_PORT", environ.get("ERL_EPMD_PORT") or str(EPMD_PORT)),
        addresses=tuple(re.findall(r"[^\s,]+", environ.get("ERL_EPMD_ADDRESS", ""))),
        relaxed="ERL_EPMD_RELAXED_COMMAND_CHECK" in environ,
    )


def parse_port(key: str, text: str) -> int:
    """Read a TCP port from ``text``; ``key`` is what the error calls it."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 1 <= int(text) <= 65535:
        raise ConfigError(key, text, "a TCP port is a number from 1 to 65535")
    return int(text)
