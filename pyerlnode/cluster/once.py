"""Strategies that look at what a host knows: once, and again only where a `timeout` is given.

What Epmd, LocalEpmd and ErlangHosts have in common.  libcluster looks once inside its supervisor's start;
here the node is up before, and a look-up that fails is made again, after a pause that grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pyerlnode.cluster import options
from pyerlnode.cluster.names import NO_NAME
from pyerlnode.cluster.strategy import Polling
from pyerlnode.errors import ConfigError
from pyerlnode.wire.names import is_long_host, split_name


@dataclass(frozen=True, kw_only=True)
class Once(Polling):
    """Base of strategies that look up nodes once.

    `timeout`: milliseconds after which all is done again, ``"infinity"`` (the default) for never.
    """

    timeout: Any = math.inf
    polling_interval: Any = field(init=False, repr=False, compare=False, default=5000)

    def __post_init__(self) -> None:
        self.keep("timeout", repeat)
        super().__post_init__()

    @property
    def interval(self) -> float:
        """Seconds between two rounds; ``math.inf`` for one round only."""
        return float(self.timeout) / 1000


def repeat(key: str, value: Any) -> float:
    """Give the milliseconds between two rounds, ``math.inf`` for never."""
    return options.milliseconds(key, value, endless=True)


def check_kind(key: str, hosts: list[str], own: str) -> None:
    """Raise :class:`ConfigError` when not one of `hosts` is of the kind, short or long, of the node `own`.

    Erlang nodes with short names never connect to those with long ones.
    """
    if own == NO_NAME or not hosts:
        return
    host = split_name(own)[1]
    is_long = is_long_host(host)
    if any(is_long_host(other) == is_long for other in hosts):
        return
    ours, theirs = ("long", "short") if is_long else ("short", "long")
    raise ConfigError(
        key,
        hosts[0],
        f"it is a {theirs} name and this node's, {own}, is a {ours} one, so the two never connect: "
        + ("name this node name@host without a dot" if is_long else f"name this node {own}.domain or by IP")
        + f", or give {ours} names here",
    )
