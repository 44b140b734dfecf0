"""Asking a Kubernetes API server for endpoints or pods, page by page, and reading what it says.

Spec: Kubernetes API reference, "Endpoints" and "Pod" (``v1``), and "API Concepts", sections "Retrieving large
results sets in chunks" and "Semantics for get and list".  What is missing in an object skips that object.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pyerlnode.errors import DiscoveryFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.cluster.http import Answer, Client

PAGE = 100
"""Objects in one answer; servers that answer from their cache may not heed it."""
PAGES = 50
"""Pages that are followed."""
ENDED = frozenset({"Succeeded", "Failed"})
"""Phases of pods that run no more; another pod may have their address already."""
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
"""Annotation of endpoints from which addresses beyond the thousandth were left out."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a pod is."""

    ip: str
    namespace: str
    hostname: str = ""
    """Empty for pods that have none of their own: all but those of StatefulSets, mostly."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All that was found."""

    addresses: frozenset[Address]
    objects: int
    """How many endpoints or pods matched, whatever is in them."""
    troubles: tuple[str, ...] = ()
    """Why it may not be all."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: `resource` is ``endpoints`` or ``pods``."""

    host: str
    resource: str
    namespace: str
    selector: str
    cached: bool = False

    def url(self, page: str = "") -> str:
        """Where the page `page` is, the first one without."""
        given = {"labelSelector": self.selector, "limit": str(PAGE)}
        if page:
            given["continue"] = page
        elif self.cached:
            given["resourceVersion"] = "0"
        path = f"api/v1/namespaces/{quote(self.namespace, safe='')}/{self.resource}"
        return f"https://{self.host}/{path}?{urlencode(given, quote_via=quote)}"

    async def ask(self, client: Client) -> Listing:
        """Everything there is.  Raises :class:`DiscoveryFailed` when not even the first page comes."""
        pages = [await self._page(client)]
        troubles: list[str] = []
        while following := pages[-1].following:
            if len(pages) == PAGES:
                troubles.append(f"more than {PAGES} pages of {self.resource} match; the others are left out")
                break
            try:
                pages.append(await self._page(client, following))
            except DiscoveryFailed as error:
                troubles.append(f"{error} (on page {len(pages) + 1})")
                break
        addresses = frozenset(address for page in pages for address in page.addresses)
        troubles += sorted({trouble for page in pages for trouble in page.troubles})
        return Listing(addresses, sum(page.objects for page in pages), tuple(troubles))

    async def _page(self, client: Client, page: str = "") -> Page:
        answer = await client.get(self.url(page))
        if answer.status in (401, 403):
            raise self._refused(client, answer)
        return read_page(client, client.json(answer), self)

    def _refused(self, client: Client, answer: Answer) -> DiscoveryFailed:
        if answer.status == 401:
            return client.refused(answer, cure="the token of the service account is not accepted here")
        cure = (
            f"let this pod's service account list {self.resource} in namespace {self.namespace}: a Role with "
            f"apiGroups: [''], resources: [{self.resource}], verbs: [list], and a RoleBinding"
        )
        return client.refused(answer, word="unauthorized", cure=cure)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    addresses: tuple[Address, ...]
    objects: int
    following: str
    troubles: tuple[str, ...]


def read_page(client: Client, value: Any, query: Query) -> Page:
    """Read one answer.  Raises :class:`DiscoveryFailed` when it is no list of objects."""
    items = value.get("items", "absent") if isinstance(value, dict) else "absent"
    if items is None:  # as Go writes an empty list
        items = []
    if not isinstance(items, list):
        raise client.failed(f"the answer is not a list of {query.resource}: {_shape(value)}")
    read = _endpoints if query.resource == "endpoints" else _pods
    addresses: list[Address] = []
    troubles: list[str] = []
    for found in (found for item in items for found in read(item, query.namespace)):
        if isinstance(found, Address):
            addresses.append(found)
        else:
            troubles.append(found)
    following = _get(value, "metadata", "continue")
    return Page(tuple(addresses), len(items), _text(following), tuple(troubles))


def _endpoints(item: Any, namespace: str) -> Iterator[Address | str]:
    """The addresses of one Endpoints object, or what is wrong with it."""
    namespace = _text(_get(item, "metadata", "namespace")) or namespace
    if _text(_get(item, "metadata", "annotations", OVER_CAPACITY)) == "truncated":
        yield "endpoints with more than 1000 addresses are cut short: kubernetes_ip_lookup_mode 'pods' is not"
    for subset in _list(_get(item, "subsets")):
        for address in _list(_get(subset, "addresses")):
            where = _text(_get(address, "targetRef", "namespace")) or namespace
            yield _address(_get(address, "ip"), where, _get(address, "hostname"), "an address of endpoints")


def _pods(item: Any, namespace: str) -> Iterator[Address | str]:
    """The address of one Pod, if it has one and is not on its way out."""
    ip = _get(item, "status", "podIP")
    if not ip or _get(item, "status", "phase") in ENDED or _get(item, "metadata", "deletionTimestamp"):
        return
    where = _text(_get(item, "metadata", "namespace")) or namespace
    yield _address(ip, where, _get(item, "spec", "hostname"), "the address of a pod")


def _address(ip: Any, namespace: str, hostname: Any, what: str) -> Address | str:
    try:
        ip_address(_text(ip))
    except ValueError:
        return f"{what} cannot be read"
    return Address(ip, namespace, _text(hostname))


def _get(value: Any, *path: str) -> Any:
    """What lies at the end of a path of keys; None where it breaks off."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _shape(value: Any) -> str:
    kind = _text(_get(value, "kind"))
    return f"its kind is {kind[:40]!r}" if kind else f"it is {type(value).__name__}"
