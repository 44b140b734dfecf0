"""Asks a Kubernetes API for endpoints or pods (libcluster's ``Cluster.Strategy.Kubernetes``).

Options, defaults, questions and names are libcluster's.  Other than there, an answer that says nothing (403
too) changes nothing, certificates are always verified, and ``$CLUSTER_DOMAIN`` counts for names as well.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.http import Client, check_installed
from pyerlnode.cluster.kubernetes_account import FOLDER, LABEL, Account, read_account
from pyerlnode.cluster.kubernetes_api import Address, Listing, Query
from pyerlnode.cluster.names import need_long_name
from pyerlnode.cluster.strategy import Discovery, Polling
from pyerlnode.errors import ConfigError, DiscoveryFailed
from pyerlnode.wire.names import is_valid_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence

DEFAULT_DOMAIN = "cluster.local"
DOMAIN = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?")
HOST = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][-A-Za-z0-9.]*)|\[(?P<ip>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?"
)
"""A name or an address, perhaps with a port."""


@dataclass(frozen=True, kw_only=True)
class Kubernetes(Polling):
    """Connects to the nodes in all pods that a selector finds::

        Topology("k8s", Kubernetes(kubernetes_node_basename="app", kubernetes_selector="app=web"))

    `kubernetes_node_basename`, `kubernetes_selector`
        required: what stands before the ``@`` in the names of all nodes that are looked for, and a label
        selector such as ``"app=web,tier!=batch"``.
    `kubernetes_ip_lookup_mode`
        ``"endpoints"``, the default: the ready addresses of the Endpoints with these labels (those of their
        Service).  ``"pods"``: the pods with these labels, ready or not, but none that has ended or is being
        deleted.  The service account must be allowed to ``list`` the one or the other.
    `mode`
        what stands behind the ``@``.  ``"ip"``, the default: the pod's address.  ``"hostname"``:
        ``HOSTNAME.kubernetes_service_name.NAMESPACE.svc.DOMAIN``, for pods of a StatefulSet; those without
        a hostname are left out, which is told.  ``"dns"``: ``10-0-0-1.NAMESPACE.pod.DOMAIN``.
    `kubernetes_service_name`
        the headless service of the StatefulSet, for ``mode="hostname"``.
    `kubernetes_namespace`
        where to look; by default where this pod is.
    `kubernetes_cluster_name`
        DOMAIN in the names above is this and ``.local``.  By default it is ``$CLUSTER_DOMAIN``, else
        ``cluster.local``; libcluster takes ``cluster.local`` always.
    `kubernetes_master`
        the host of the API server, with ``:PORT`` or without.  The domain is appended (``$CLUSTER_DOMAIN``
        first, as in libcluster) unless it is there, or the name ends in a dot, or it is an IP address or
        ``localhost``.
    `kubernetes_service_account_path`
        the folder with ``token``, ``ca.crt`` and ``namespace``, all read for each look-up.  Without a
        ``ca.crt`` the certificate is verified against the CAs of the system.
    `kubernetes_use_cached_resources`
        let the server answer from its cache: cheaper for it, perhaps a moment old.
    `request_timeout`
        milliseconds that a request may take as a whole.

    A node with a short name is a :class:`ConfigError`: all names that are found are long.
    """

    kubernetes_node_basename: Any
    kubernetes_selector: Any
    mode: Any = "ip"
    kubernetes_ip_lookup_mode: Any = "endpoints"
    kubernetes_service_name: Any = None
    kubernetes_namespace: Any = None
    kubernetes_cluster_name: Any = None
    kubernetes_master: Any = "kubernetes.default.svc"
    kubernetes_service_account_path: Any = FOLDER
    kubernetes_use_cached_resources: Any = False
    request_timeout: Any = 15_000

    def check(self) -> None:
        """Check each option, and that a mode has what it needs."""
        check_installed("Kubernetes")
        self.keep("kubernetes_node_basename", options.basename)
        self.keep("kubernetes_selector", options.text)
        self.keep("mode", lambda key, value: options.choice(key, value, ["ip", "hostname", "dns"]))
        self.keep(
            "kubernetes_ip_lookup_mode",
            lambda key, value: options.choice(key, value, ["endpoints", "pods"]),
        )
        self.keep("kubernetes_service_name", _label)
        self.keep("kubernetes_namespace", _label)
        self.keep("kubernetes_cluster_name", _cluster_name)
        self.keep("kubernetes_master", _master)
        self.keep("kubernetes_service_account_path", _folder)
        self.keep("kubernetes_use_cached_resources", options.flag)
        self.keep("request_timeout", options.milliseconds)
        if self.mode == "hostname" and self.kubernetes_service_name is None:
            cure = "mode='hostname' needs it: the name of the headless service of the StatefulSet"
            raise ConfigError("kubernetes_service_name", None, cure)

    def check_home(self, name: str) -> None:
        """Raise :class:`ConfigError` for a short name."""
        there = Address("10.0.0.1", self.kubernetes_namespace or "default", "web-0")
        need_long_name("Kubernetes", self._name(there, self._own_domain or DEFAULT_DOMAIN), name)

    async def discover(self, cluster: Convergence) -> Discovery:
        """Ask the API server."""
        account = await asyncio.to_thread(read_account, self.kubernetes_service_account_path)
        domain = cluster.world.environ.get("CLUSTER_DOMAIN", "").strip().strip(".")
        query = self._query(domain, self._namespace(account))
        async with Client(
            "kubernetes",
            "kubernetes_master",
            seconds=self.request_timeout / 1000,
            token=account.token,
            trust=account.trust,
        ) as client:
            listing = await query.ask(client)
        nodes, troubles = self._names(listing, query, self._own_domain or domain or DEFAULT_DOMAIN)
        if troubles:
            cluster.report.trouble("; ".join(troubles))
        return Discovery(nodes, complete=not troubles)

    def _namespace(self, account: Account) -> str:
        if self.kubernetes_namespace is not None:
            return str(self.kubernetes_namespace)
        if LABEL.fullmatch(account.namespace):
            return account.namespace
        file = self.kubernetes_service_account_path / "namespace"
        raise DiscoveryFailed(f"{file} names no namespace: give kubernetes_namespace")

    def _query(self, domain: str, namespace: str) -> Query:
        return Query(
            host=api_host(self.kubernetes_master, domain or self._own_domain or DEFAULT_DOMAIN),
            resource=self.kubernetes_ip_lookup_mode,
            namespace=namespace,
            selector=self.kubernetes_selector,
            cached=self.kubernetes_use_cached_resources,
        )

    @property
    def _own_domain(self) -> str | None:
        return self.kubernetes_cluster_name and f"{self.kubernetes_cluster_name}.local"

    def _names(self, listing: Listing, query: Query, domain: str) -> tuple[frozenset[str], list[str]]:
        """The names of nodes, and what is wrong with the listing."""
        troubles = list(listing.troubles)
        if not listing.objects and not troubles:
            troubles.append(_nobody(query))
        named = [address for address in listing.addresses if self.mode != "hostname" or address.hostname]
        if nameless := len(listing.addresses) - len(named):
            troubles.append(
                f"{nameless} of {len(listing.addresses)} {query.resource} have no hostname, which "
                f"mode 'hostname' takes from pods of a StatefulSet with "
                f"serviceName: {self.kubernetes_service_name}"
            )
        names = [self._name(address, domain) for address in named]
        return frozenset(filter(is_valid_name, names)), troubles

    def _name(self, address: Address, domain: str) -> str:
        if self.mode == "ip":
            host = address.ip
        elif self.mode == "dns":
            host = f"{re.sub('[.:]', '-', address.ip)}.{address.namespace}.pod.{domain}"
        else:
            host = f"{address.hostname}.{self.kubernetes_service_name}.{address.namespace}.svc.{domain}"
        return f"{self.kubernetes_node_basename}@{host}"


def api_host(master: str, domain: str) -> str:
    """Give the host of the API server as a URL has it: `master`, `domain` appended where it is missing."""
    if _is_address(master):
        return f"[{master}]" if ":" in master else master
    host = master.partition(":")[0]
    if host.endswith((domain, ".")) or host == "localhost" or _is_address(host) or master.startswith("["):
        return master
    return f"{host}.{domain}{master[len(host) :]}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _nobody(query: Query) -> str:
    hint = (
        " (they have the labels of their Service, not of its pods)" if query.resource == "endpoints" else ""
    )
    return f"no {query.resource} in namespace {query.namespace} match {query.selector!r}{hint}"


def _label(key: str, value: Any) -> str | None:
    if value is not None and not LABEL.fullmatch(options.text(key, value)):
        raise ConfigError(key, value, "it is a name of lower case letters, digits and '-', as 'my-app'")
    return None if value is None else str(value)


def _cluster_name(key: str, value: Any) -> str | None:
    if value is not None and not DOMAIN.fullmatch(options.text(key, value)):
        raise ConfigError(key, value, "it is the cluster's domain without '.local', as 'cluster'")
    return None if value is None else str(value)


def _master(key: str, value: Any) -> str:
    """A host, perhaps with a port."""
    text = options.text(key, value)
    parts = HOST.fullmatch(text)
    fits = parts and (parts["name"] or _is_address(parts["ip"])) and 0 < int(parts["port"] or 443) < 65536
    if not fits and not _is_address(text):
        cure = "it is a host, as 'kubernetes.default.svc', 'api.example.com.:6443' or '10.0.0.1'"
        raise ConfigError(key, value, cure)
    return text


def _folder(key: str, value: Any) -> Path:
    return value if isinstance(value, Path) else Path(options.text(key, value))
