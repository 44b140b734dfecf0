"""Names for strategies that ask DNS: those to look up, and those of nodes made of what was found."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.addresses import address_kind
from pyerlnode.cluster.names import NO_NAME
from pyerlnode.errors import ConfigError, EpmdError
from pyerlnode.wire.names import split_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyerlnode.cluster.converge import Convergence

EPMD_TIME = 2.0
"""Seconds for an epmd to say which nodes it knows."""


async def nodes_at(cluster: Convergence, hosts: Iterable[str], basenames: tuple[str, ...]) -> frozenset[str]:
    """The names of nodes on `hosts`.  Where several `basenames` are possible, the epmd of each is asked.

    A name that was found before stays as long as its host does, and a host whose epmd does not answer may
    have all of them.
    """
    by_host = [[f"{basename}@{host}" for basename in basenames] for host in hosts]
    if len(basenames) > 1:
        by_host = await asyncio.gather(*(_narrowed(cluster, names) for names in by_host))
    return frozenset(name for names in by_host for name in names)


async def _narrowed(cluster: Convergence, names: list[str]) -> list[str]:
    """Those of `names`, all on one host, that its epmd knows."""
    host = split_name(names[0])[1]
    try:
        async with asyncio.timeout(EPMD_TIME):
            there = await cluster.world.epmd_names(host)
    except (EpmdError, OSError) as error:
        cluster.report.say(logging.DEBUG, f"{str(error) or 'no answer in time'} (the epmd on {host})")
        return names
    return [name for name in names if split_name(name)[0] in there or name in cluster.wanted]


def warn_of_name(cluster: Convergence, basenames: Iterable[str]) -> None:
    """Say so when others that look like this node does would not find it under its name."""
    alive, host = split_name(cluster.own)
    if cluster.own == NO_NAME or address_kind(host) or alive not in basenames:
        return
    cluster.report.say(
        logging.WARNING,
        f"nodes that look for {alive}@ADDRESS cannot connect to this one, {cluster.own}: "
        f"name it {alive}@ and its IP address",
    )


# options -------------------------------------------------------------------------------


def look_up_name(key: str, value: Any) -> str:
    """Give a name to look up."""
    name = options.text(key, value).strip()
    if address_kind(name):
        raise ConfigError(
            key, value, "it is a name to look up in DNS, and this is an address: see Epmd(hosts=...)"
        )
    if any(character.isspace() or character in "@:/," for character in name):
        raise ConfigError(key, value, "it is a name to look up in DNS, as 'web' or 'web.example.com'")
    return name


def look_up_names(key: str, value: Any) -> str | tuple[str, ...]:
    """Give one name to look up, or several."""
    return _one_or_more(key, value, look_up_name, "['web', 'workers']")


def basenames(key: str, value: Any) -> str | tuple[str, ...]:
    """Give the part of node names before the ``@``, or several of them."""
    return _one_or_more(key, value, options.basename, "['node', 'py']")


def every(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """Of an option that is one or several: all."""
    return (value,) if isinstance(value, str) else value


def _one_or_more(
    key: str, value: Any, check: Callable[[str, Any], str], example: str
) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return check(key, value)
    if not isinstance(value, list | tuple) or not value:
        raise ConfigError(key, value, f"it is a string or a list of strings, as {example}")
    return tuple(dict.fromkeys(check(key, each) for each in value))
