"""Connects to the containers that share a network alias: the alias gives addresses, and those give names.

What the blog post "Erlang distributed with docker and libcluster" does once, when its application starts,
with ``docker run --net-alias web --name node1 --hostname node1``; here it is done again and again.  Docker's
name server answers an alias with all containers that have it, and an address with the container's name, then
that of the network: ``node1.net_poc``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.dns_lookups import DnsPolling, Finding, attempt, find_addresses, side_by_side
from pyerlnode.cluster.dns_names import basenames, every, look_up_name, nodes_at
from pyerlnode.cluster.names import NO_NAME
from pyerlnode.errors import ConfigError
from pyerlnode.wire.names import is_long_host, is_valid_host, split_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.strategy import Discovery


@dataclass(frozen=True, kw_only=True)
class DNSAlias(DnsPolling):
    """Connects to ``BASENAME@HOST`` for every host behind an alias::

        Topology("example", DNSAlias(alias="web"))                      # node@node1, node@node2, ...
        Topology("example", DNSAlias(alias="web", suffix=".net_poc"))   # the same, on the network net_poc

    `alias`
        the name that all hosts share; the search list of ``/etc/resolv.conf`` is used.  Only A records.
    `node_basename`
        the part of the nodes' names before the ``@`` (``"node"``); or a list, where hosts differ: then the
        epmd of each is asked which of them are there.
    `suffix`
        what is taken off the end of each host's name.  None, the default: all from the first dot on.
        ``""``: nothing, for nodes with long names.
    `polling_interval`
        milliseconds between one round's end and the next (5000).
    `lookup_timeout`
        milliseconds that one look-up may take (2000).
    `resolver`
        asked instead of DNS: an object with the methods of :class:`pyerlnode.cluster.dns.Dns`.

    Each container needs a ``--name`` that is its ``--hostname`` too: Docker answers with the former, nodes
    are named by the latter.  For one without ``--name`` some engines answer with the alias, which is not
    followed.  A look-up that fails, finds nobody, or answers in part disconnects nobody.
    """

    alias: Any
    node_basename: Any = field(default="node", metadata={"list": True})
    suffix: Any = None

    def check(self) -> None:
        """Check the names."""
        self.keep("alias", look_up_name)
        self.keep("node_basename", basenames)
        self.keep("suffix", _suffix)

    def check_home(self, name: str) -> None:
        """What is cut at the first dot is short."""
        alive, host = split_name(name)
        if self.suffix is not None or name == NO_NAME or not is_long_host(host):
            return
        raise ConfigError(
            "name",
            name,
            f"it is a long name, and DNSAlias finds nodes with short ones, as {every(self.node_basename)[0]}"
            f"@node1, so the two never connect: name this node {alive}@ and a host without a dot, or have "
            "DNSAlias keep the domain: suffix=''",
        )

    async def discover(self, cluster: Convergence) -> Discovery:
        """The names of the addresses of the alias."""
        begun = cluster.world.clock.time()
        addresses = await find_addresses(self.dns, self.alias, ["A"], search=True)
        hosts = await side_by_side(partial(self._hosts, address) for address in sorted(addresses.found))
        finding = Finding.all_of([addresses.named([]), *hosts])
        nodes = await nodes_at(cluster, finding.found, every(self.node_basename))
        return finding.named(nodes).conclude(cluster, begun)

    async def _hosts(self, address: str) -> Finding:
        """What the host at `address` is called in the names of nodes."""
        nobody = f"lookup against {address} found nobody: it has no PTR records"
        finding = await attempt(partial(self.dns.names_of, address), nobody)
        hosts = [self._stripped(name) for name in finding.found if not self._is_alias(name)]
        if finding.found and not hosts:
            why = f"{address} is called {min(finding.found)}, which is the alias"
            return Finding(missing=frozenset({f"{why}: start its container with --name and --hostname"}))
        return finding.named(hosts)

    def _stripped(self, name: str) -> str:
        if self.suffix is None:
            return name.partition(".")[0]
        return name.removesuffix(self.suffix) or name

    def _is_alias(self, name: str) -> bool:
        """Whether it is the alias itself, or the alias and a network."""
        return f"{name}.".lower().startswith(f"{self.alias.rstrip('.')}.".lower())


def _suffix(key: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and not value):
        return value
    end = value.removeprefix(".") if isinstance(value, str) else ""
    if not end or end != end.strip(".") or not is_valid_host(end):
        raise ConfigError(key, value, "it is the end of the hosts' names, as '.net_poc'; or '', or None")
    return f".{end}"
