"""Connects to all nodes of the hosts in ``.hosts.erlang`` (libcluster's ``Cluster.Strategy.ErlangHosts``).

The file is Erlang's own (kernel's ``net_adm:host_file/0``): one quoted host name a line, with a full stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.once import Once
from pyerlnode.cluster.strategy import Discovery
from pyerlnode.errors import DiscoveryFailed, EpmdError, TextError
from pyerlnode.limits import DEFAULT
from pyerlnode.term import Atom
from pyerlnode.term.text.erlang_read import ErlangReader
from pyerlnode.wire.names import is_valid_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyerlnode.cluster.converge import Convergence

FILE = ".hosts.erlang"
MISSING = f"couldn't find {FILE} file - not joining cluster"
AT_ONCE = 64
"""Hosts asked side by side."""


@dataclass(frozen=True, kw_only=True)
class ErlangHosts(Once):
    """Connects to every node that the epmd of any host in ``.hosts.erlang`` knows::

        Topology("example", ErlangHosts(timeout=10_000))

    `timeout`
        milliseconds after which the file is read and all are asked again; ``"infinity"``, the default: once,
        as libcluster does.
    `hosts_file`
        path of the file.  By default the first there is of ``.hosts.erlang`` in the working directory, in
        ``$HOME``, and where Erlang is installed.

    All hosts are asked side by side; each may take `connect_timeout` milliseconds, and those that do not
    answer are skipped.  When none answers, all are asked again, after a pause that grows.
    """

    hosts_file: Any = None

    def check(self) -> None:
        """Check the path."""
        if self.hosts_file is not None:
            self.keep("hosts_file", _path)

    async def discover(self, cluster: Convergence) -> Discovery:
        """Read the file, and ask the epmd of each host."""
        path = find_file(cluster.world.environ) if self.hosts_file is None else self.hosts_file
        hosts = None if path is None else read_hosts(path)
        if hosts is None:
            cluster.report.trouble(MISSING)
            return Discovery(frozenset(), complete=False)
        gate = asyncio.Semaphore(AT_ONCE)
        answers = await asyncio.gather(*(self._ask(cluster, host, gate) for host in hosts))
        heard = [names for names in answers if names is not None]
        if hosts and not heard:
            raise DiscoveryFailed(f"no epmd answers on {_listed(hosts)} (the hosts of {path})")
        return Discovery.of((name for names in heard for name in names), complete=len(heard) == len(hosts))

    async def _ask(self, cluster: Convergence, host: str, gate: asyncio.Semaphore) -> list[str] | None:
        """Names of the nodes on `host`; None when its epmd does not answer."""
        try:
            async with gate, asyncio.timeout(self.connect_timeout / 1000):
                names = await cluster.world.epmd_names(host)
        except TimeoutError:
            cluster.report.say(logging.DEBUG, f"the epmd on {host} does not answer in time")
        except (EpmdError, OSError) as error:
            cluster.report.say(logging.DEBUG, f"{error}")
        else:
            return [f"{name}@{host}" for name in names]
        return None


def find_file(environ: Mapping[str, str]) -> Path | None:
    """Give the file that Erlang would read: in the working directory, in `$HOME`, or in Erlang's own."""
    places = [Path()]
    if home := environ.get("HOME"):
        places.append(Path(home))
    if root := _erlang_root(environ):
        places.append(root)
    return next((path for place in places if (path := place / FILE).is_file()), None)


def _erlang_root(environ: Mapping[str, str]) -> Path | None:
    """Where Erlang is installed, by the ``erl`` on the path."""
    if root := environ.get("ROOTDIR"):
        return Path(root)
    erl = shutil.which("erl", path=environ.get("PATH", os.defpath))
    return None if erl is None else Path(erl).resolve().parent.parent


def read_hosts(path: Path) -> list[str] | None:
    """Give the hosts in the file, each once; None when there is no such file.

    Raises :class:`DiscoveryFailed` for a file that cannot be read.
    """
    try:
        return parse_hosts(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except TextError as error:
        cure = "it holds one quoted host a line, with a full stop: 'host.domain'."
        raise DiscoveryFailed(f"{path} cannot be read: {error}; {cure}") from error
    except (OSError, UnicodeError) as error:
        raise DiscoveryFailed(f"{path} cannot be read: {error}") from error


def parse_hosts(text: str) -> list[str]:
    """Read the terms of the file.  Raises :class:`TextError`."""
    reader = ErlangReader(text, DEFAULT)
    hosts: dict[str, None] = {}
    while not _is_at_end(reader):
        at = reader.pos
        term = reader.term()
        host = "".join(map(chr, term)) if _is_string(term) else term
        if not isinstance(host, (Atom, str)) or not is_valid_host(host):
            raise TextError("this is no host", at)
        reader.expect(".")
        if not _is_at_end(reader) and not reader.text[reader.pos - 1].isspace():
            raise TextError("a full stop has white space after it", reader.pos)
        hosts[str(host)] = None
    return list(hosts)


def _is_at_end(reader: ErlangReader) -> bool:
    reader.skip()
    return reader.pos >= len(reader.text)


def _is_string(term: Any) -> bool:
    return isinstance(term, list) and all(isinstance(item, int) and 32 <= item <= 255 for item in term)


def _path(key: str, value: Any) -> Path:
    return Path(value) if isinstance(value, os.PathLike) else Path(options.text(key, value))


def _listed(hosts: list[str]) -> str:
    shown = ", ".join(hosts[:5])
    return shown if len(hosts) <= 5 else f"{shown} and {len(hosts) - 5} more"
