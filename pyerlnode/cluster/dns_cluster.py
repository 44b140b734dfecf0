"""Connects to the nodes at all addresses of DNS names, as the Elixir library dns_cluster does.

That library has no switch for pruning and never disconnects; here it is the topology's, and off by default.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.dns_lookups import DnsPolling, Finding, attempt, find_addresses, side_by_side
from pyerlnode.cluster.dns_names import look_up_name, warn_of_name
from pyerlnode.cluster.names import need_long_name
from pyerlnode.errors import ConfigError
from pyerlnode.wire.names import split_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.strategy import Discovery

TYPES = ("a", "aaaa", "srv")
FORMS = "it is a name to look up, a pair ('basename', 'name'), or a list of such"


@dataclass(frozen=True, kw_only=True)
class DNSCluster(DnsPolling):
    """Connects to ``BASENAME@ADDRESS`` for every address of its queries::

        Topology("example", DNSCluster(query="web.internal"))
        Topology("example", DNSCluster(query=["web.internal", ("worker", "workers.internal")]))

    `query`
        a name to look up; a pair of basename and name, as a tuple or as ``"worker@workers.internal"``; or a
        list of such.  Where no basename is given it is this node's own, the part before its ``@``.
    `interval`
        milliseconds between one round's end and the next (5000).
    `connect_timeout`
        milliseconds that one dial may take (10000).
    `resource_types`
        the DNS records that are asked for: any of ``"a"``, ``"aaaa"``, ``"srv"``; by default the first two.
        The hosts that SRV records name are looked up in turn: nodes are named by addresses always.
    `lookup_timeout`
        milliseconds that one look-up may take (2000).
    `resolver`
        asked instead of DNS: an object with the methods of :class:`pyerlnode.cluster.dns.Dns`.

    Each node has to be named by its address, as ``web@10.0.0.1``; where this node is, and the network has
    both kinds of addresses, only those of its own kind are used.  Look-ups that fail are told, once.
    """

    query: Any = field(metadata={"list": True})
    interval: Any = 5000
    connect_timeout: Any = 10000
    resource_types: Any = ("a", "aaaa")
    polling_interval: Any = field(init=False, repr=False, compare=False, default=5000)

    def check(self) -> None:
        """Check the queries and their types."""
        self.keep("interval", options.milliseconds)
        self.keep("resource_types", _types)
        self.queries  # noqa: B018  raises where they are wrong

    @cached_property
    def queries(self) -> tuple[tuple[str | None, str], ...]:
        """Pairs of a basename, or None for the node's own, and a name to look up."""
        many = self.query if isinstance(self.query, list) else [self.query]
        if not many:
            raise ConfigError("query", self.query, FORMS)
        return tuple(dict.fromkeys(map(_query, many)))

    def check_home(self, name: str) -> None:
        """Addresses make long names."""
        need_long_name("DNSCluster", f"{split_name(name)[0]}@10.0.0.1", name)

    async def run(self, cluster: Convergence) -> None:
        """Look up, connect, rest, for ever."""
        own = split_name(cluster.own)[0]
        warn_of_name(cluster, [basename or own for basename, _ in self.queries])
        pause = self.interval / 1000
        while True:
            discovery = await cluster.look(self.discover)
            if discovery is None:
                await cluster.rest_after_failure(pause)
                continue
            await cluster.converge(discovery)
            await cluster.rest(pause)

    async def discover(self, cluster: Convergence) -> Discovery:
        """The addresses of all queries."""
        begun = cluster.world.clock.time()
        findings = await side_by_side(
            partial(self._nodes, cluster.own, basename, name) for basename, name in self.queries
        )
        return Finding.all_of(findings).conclude(cluster, begun)

    async def _nodes(self, own: str, basename: str | None, name: str) -> Finding:
        """The nodes of one query."""
        kinds = [kind.upper() for kind in self.resource_types if kind != "srv"]
        ways = [partial(find_addresses, self.dns, name, kinds, own=own)] if kinds else []
        if "srv" in self.resource_types:
            ways.append(partial(self._hosts, own, name))
        finding = Finding.any_of(await side_by_side(ways))
        basename = basename or split_name(own)[0]
        return finding.named(f"{basename}@{address}" for address in finding.found)

    async def _hosts(self, own: str, name: str) -> Finding:
        """The addresses of the hosts that SRV records name."""

        async def targets() -> list[str]:
            return [service.target for service in await self.dns.services(name)]

        hosts = await attempt(targets, f"lookup against {name} found nobody: it has no SRV records")
        found = await side_by_side(
            partial(find_addresses, self.dns, host, own=own) for host in sorted(hosts.found)
        )
        return Finding.all_of([replace(hosts, found=frozenset()), *found])


def _query(given: Any) -> tuple[str | None, str]:
    match given:
        case str():
            basename, at, name = given.rpartition("@")
        case (str() as basename, str() as name):
            at = "@"
        case _:
            raise ConfigError("query", given, FORMS)
    return options.basename("query", basename) if at else None, look_up_name("query", name)


def _types(key: str, value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given:
        raise ConfigError(key, value, f"it is a list of {', '.join(TYPES)}")
    words = [each.lower() if isinstance(each, str) else each for each in given]
    return tuple(dict.fromkeys(options.choice(key, word, TYPES) for word in words))
