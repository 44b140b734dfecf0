"""What a Kubernetes API is asked, and what is made of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.cluster import kubernetes_api
from pyerlnode.cluster.http import Client, Trust
from pyerlnode.cluster.kubernetes_account import read_account
from pyerlnode.cluster.kubernetes_api import Address, Listing, Query, read_page
from pyerlnode.errors import DiscoveryFailed
from tests.support.api_server import TOKEN, Failure, KubernetesApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def api() -> Iterator[KubernetesApi]:
    with KubernetesApi() as api:
        yield api


@pytest.fixture
def trust(api: KubernetesApi, tmp_path: Path) -> Trust:
    return read_account(api.account(tmp_path / "account")).trust


def query(host: str = "api.test", resource: str = "endpoints", **more: Any) -> Query:
    return Query(host, resource, "default", "app=web", **more)


async def ask(api: KubernetesApi, trust: Trust, resource: str = "endpoints") -> Listing:
    async with Client("kubernetes", "kubernetes_master", seconds=20, token=TOKEN, trust=trust) as client:
        return await query(api.netloc, resource).ask(client)


def page(value: Any, resource: str = "endpoints") -> kubernetes_api.Page:
    return read_page(Client("kubernetes", "x", seconds=1), value, query(resource=resource))


def ips(listing: Listing) -> list[str]:
    return sorted(address.ip for address in listing.addresses)


class TestQuestions:
    def test_the_address(self) -> None:
        url = "https://api.test/api/v1/namespaces/default/endpoints?labelSelector=app%3Dweb&limit=100"
        assert query().url() == url
        assert query(cached=True).url() == f"{url}&resourceVersion=0"
        assert query(cached=True).url("a/=") == f"{url}&continue=a%2F%3D"
        assert "/namespaces/default/pods?" in query(resource="pods").url()

    async def test_all_pages_are_followed(self, api: KubernetesApi, trust: Trust) -> None:
        api.page = 2
        for number in range(5):
            api.set_pod(f"web-{number}", f"10.0.0.{number}")
        listing = await ask(api, trust, "pods")
        assert ips(listing) == [f"10.0.0.{number}" for number in range(5)]
        assert (listing.objects, listing.troubles) == (5, ())
        assert [request.query.get("continue") for request in api.requests] == [None, "2", "4"]

    async def test_what_came_before_a_page_that_fails_counts(self, api: KubernetesApi, trust: Trust) -> None:
        api.page = 1
        api.set_pod("web-0", "10.0.0.1")
        api.set_pod("web-1", "10.0.0.2")
        api.fail(Failure.EXPIRED)
        listing = await ask(api, trust, "pods")
        assert ips(listing) == ["10.0.0.1"]
        why = "cannot query kubernetes (410 Gone): The provided continue parameter is too old (on page 2)"
        assert listing.troubles == (why,)

    async def test_pages_end(self, api: KubernetesApi, trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kubernetes_api, "PAGES", 2)
        api.page = 1
        for number in range(4):
            api.set_pod(f"web-{number}", f"10.0.0.{number}")
        listing = await ask(api, trust, "pods")
        assert ips(listing) == ["10.0.0.0", "10.0.0.1"]
        assert listing.troubles == ("more than 2 pages of pods match; the others are left out",)


class TestRefusals:
    async def test_401(self, api: KubernetesApi, trust: Trust) -> None:
        api.accept("another")
        with pytest.raises(DiscoveryFailed) as caught:
            await ask(api, trust)
        assert str(caught.value) == (
            "cannot query kubernetes (401 Unauthorized): Unauthorized; "
            "the token of the service account is not accepted here"
        )

    async def test_403(self, api: KubernetesApi, trust: Trust) -> None:
        api.fail(Failure.FORBIDDEN)
        with pytest.raises(DiscoveryFailed) as caught:
            await ask(api, trust, "pods")
        assert str(caught.value) == (
            "cannot query kubernetes (unauthorized): pods is forbidden: "
            'User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" '
            'in the namespace "default"; '
            "let this pod's service account list pods in namespace default: a Role with apiGroups: [''], "
            "resources: [pods], verbs: [list], and a RoleBinding"
        )

    async def test_500(self, api: KubernetesApi, trust: Trust) -> None:
        api.fail(Failure.SERVER_ERROR)
        with pytest.raises(DiscoveryFailed) as caught:
            await ask(api, trust)
        expected = "cannot query kubernetes (500 Internal Server Error): etcdserver: request timed out"
        assert str(caught.value) == expected

    @pytest.mark.parametrize(
        ("failure", "shape"), [(Failure.SHAPE, "it is list"), (Failure.STATUS, "its kind is 'Status'")]
    )
    async def test_another_shape(
        self, api: KubernetesApi, trust: Trust, failure: Failure, shape: str
    ) -> None:
        api.fail(failure)
        with pytest.raises(DiscoveryFailed) as caught:
            await ask(api, trust)
        expected = f"request to kubernetes failed!: the answer is not a list of endpoints: {shape}"
        assert str(caught.value) == expected

    @pytest.mark.parametrize("value", [{}, {"items": 5}, {"items": {}}, {"kind": 7}, None, 5, "items"])
    def test_no_list(self, value: Any) -> None:
        with pytest.raises(DiscoveryFailed, match="not a list of endpoints: it is "):
            page(value)


class TestEndpoints:
    async def test_ready_addresses_count(self, api: KubernetesApi, trust: Trust) -> None:
        api.set_endpoints("web", "10.0.0.1", "fd00::2", not_ready=["10.0.0.3"])
        api.set_endpoints("web-headless", "10.0.0.1", "10.0.0.4", labels={"app": "web", "more": "yes"})
        api.set_endpoints("other", "10.0.0.5")
        api.set_endpoints("elsewhere", "10.0.0.6", labels={"app": "web"}, namespace="staging")
        listing = await ask(api, trust)
        assert ips(listing) == ["10.0.0.1", "10.0.0.4", "fd00::2"]
        assert (listing.objects, listing.troubles) == (2, ())

    def test_the_namespace_is_the_targets_the_objects_or_what_was_asked_for(self) -> None:
        pod = {"ip": "10.0.0.1", "hostname": "web-0", "targetRef": {"namespace": "one"}}
        bare = {"ip": "10.0.0.2"}
        items = [
            {"metadata": {"namespace": "two"}, "subsets": [{"addresses": [pod, bare]}]},
            {"subsets": [{"addresses": [bare | {"targetRef": None}]}]},
        ]
        assert page({"items": items}).addresses == (
            Address("10.0.0.1", "one", "web-0"),
            Address("10.0.0.2", "two"),
            Address("10.0.0.2", "default"),
        )

    @pytest.mark.parametrize(
        "items",
        [
            None,
            [],
            [None, 5, "x", [], {}],
            [{"subsets": None}, {"subsets": 5}, {"subsets": [None, {}, {"addresses": None}]}],
        ],
    )
    def test_nothing_to_find(self, items: Any) -> None:
        assert page({"items": items}) == kubernetes_api.Page((), len(items or ()), "", ())

    @pytest.mark.parametrize("odd", [None, 5, {}, {"ip": None}, {"ip": 5}, {"ip": "x"}, {"ip": "10.0.0.1 "}])
    def test_what_cannot_be_read_is_skipped_and_told(self, odd: Any) -> None:
        found = page({"items": [{"subsets": [{"addresses": [odd, {"ip": "10.0.0.2"}]}]}]})
        assert [address.ip for address in found.addresses] == ["10.0.0.2"]
        assert found.troubles == ("an address of endpoints cannot be read",)

    def test_what_is_cut_short_is_told(self) -> None:
        annotations = {"endpoints.kubernetes.io/over-capacity": "truncated"}
        item = {"metadata": {"annotations": annotations}, "subsets": [{"addresses": [{"ip": "10.0.0.2"}]}]}
        found = page({"items": [item]})
        assert len(found.addresses) == 1
        assert "more than 1000 addresses are cut short" in found.troubles[0]


class TestPods:
    async def test_pods_that_run_or_will(self, api: KubernetesApi, trust: Trust) -> None:
        api.set_pod("running", "10.0.0.1", hostname="web-0")
        api.set_pod("pending", "10.0.0.2", phase="Pending")
        api.set_pod("unplaced", None, phase="Pending")
        api.set_pod("succeeded", "10.0.0.3", phase="Succeeded")
        api.set_pod("failed", "10.0.0.4", phase="Failed")
        api.set_pod("going", "10.0.0.5", deleted=True)
        listing = await ask(api, trust, "pods")
        assert listing.addresses == {Address("10.0.0.1", "default", "web-0"), Address("10.0.0.2", "default")}
        assert (listing.objects, listing.troubles) == (6, ())

    @pytest.mark.parametrize("odd", [None, 5, [], {}, {"status": None}, {"status": {"podIP": ""}}])
    def test_what_has_no_address_is_skipped(self, odd: Any) -> None:
        assert page({"items": [odd]}, "pods") == kubernetes_api.Page((), 1, "", ())

    def test_an_address_that_cannot_be_read(self) -> None:
        items = [{"status": {"podIP": "web"}}, {"status": {"podIP": "10.0.0.1"}}]
        found = page({"items": items, "metadata": {"continue": 5}}, "pods")
        assert found.addresses == (Address("10.0.0.1", "default"),)
        assert found.troubles == ("the address of a pod cannot be read",)
        assert found.following == ""


KEYS = (
    "items metadata continue namespace annotations subsets addresses ip hostname targetRef status podIP phase"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "10.0.0.1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(value=st.fixed_dictionaries({"items": st.lists(JSON, max_size=3)}, optional={"metadata": JSON}) | JSON)
@pytest.mark.parametrize("resource", ["endpoints", "pods"])
def test_whatever_the_answer_is_it_is_read_or_refused(resource: str, value: Any) -> None:
    try:
        found = page(value, resource)
    except DiscoveryFailed:
        return
    assert all(address.ip == "10.0.0.1" for address in found.addresses)
