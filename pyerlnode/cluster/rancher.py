"""Finds nodes by asking Rancher's metadata service (libcluster's ``Cluster.Strategy.Rancher``).

Spec: Rancher 1.x documentation, "Metadata Service": a container asks for its own service, and gets the
containers of it.  Other than in libcluster an answer that says nothing changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyerlnode.cluster import options
from pyerlnode.cluster.http import Client, check_installed
from pyerlnode.cluster.names import need_long_name
from pyerlnode.cluster.strategy import Discovery, Polling
from pyerlnode.errors import ConfigError, DiscoveryFailed

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence

SERVICE = "Rancher Metadata API"
URL = "http://rancher-metadata/latest/self/service"


@dataclass(frozen=True, kw_only=True)
class Rancher(Polling):
    """Connects to the nodes in all containers of the service that this one belongs to::

        Topology("rancher", Rancher(node_basename="app"))

    `node_basename`
        required: what stands before the ``@`` in the names of all nodes; behind it is the first address of
        their container.
    `metadata_url`
        where Rancher tells about this container's service, ``http`` or ``https``.
    `request_timeout`
        milliseconds that a request may take as a whole.

    A node with a short name is a :class:`ConfigError`.
    """

    node_basename: Any
    metadata_url: Any = URL
    request_timeout: Any = 15_000

    def check(self) -> None:
        """Check each option."""
        check_installed("Rancher")
        self.keep("node_basename", options.basename)
        self.keep("metadata_url", _url)
        self.keep("request_timeout", options.milliseconds)

    def check_home(self, name: str) -> None:
        """Raise :class:`ConfigError` for a short name."""
        need_long_name("Rancher", f"{self.node_basename}@10.0.0.1", name)

    async def discover(self, cluster: Convergence) -> Discovery:
        """Ask the metadata service."""
        async with Client(SERVICE, "metadata_url", seconds=self.request_timeout / 1000) as client:
            value = client.json(await client.get(self.metadata_url))
        containers = value.get("containers") if isinstance(value, dict) else None
        if not isinstance(containers, list):
            raise client.failed("the answer has no list of containers")
        addresses = [_first_address(container) for container in containers]
        known = [address for address in addresses if address is not None]
        if containers and not known:
            raise DiscoveryFailed(f"cannot query {SERVICE}: not one of the containers has an address")
        return Discovery.of(f"{self.node_basename}@{address}" for address in known)


def _first_address(container: Any) -> str | None:
    """None for a container that has no address (yet)."""
    ips = container.get("ips") if isinstance(container, dict) else None
    first = ips[0] if isinstance(ips, list) and ips else None
    try:
        ip_address(first if isinstance(first, str) else "")
    except ValueError:
        return None
    return str(first)


def _url(key: str, value: Any) -> str:
    text = options.text(key, value)
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_one = ""
    if not is_one or not text.isprintable() or " " in text:
        raise ConfigError(key, value, f"it is a URL such as {URL!r}")
    return text
