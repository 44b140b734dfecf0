"""The Kubernetes strategy: options, names, and that membership stands whatever an API server does."""

from __future__ import annotations

import logging
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest
from trustme import CA

from pyerlnode.cluster.events import Connected, Disconnected, Found, LookupFailed
from pyerlnode.cluster.kubernetes import Kubernetes, api_host
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConfigError, DiscoveryFailed
from tests.support.api_server import TOKEN, Failure, KubernetesApi, unresolved
from tests.support.nodes import until
from tests.support.world import OWN, FakeHome, Surroundings, lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.strategy import Discovery

REQUIRED = {"kubernetes_node_basename": "app", "kubernetes_selector": "app=web"}
A, B = "app@10.0.0.1", "app@10.0.0.2"


@pytest.fixture
def api() -> Iterator[KubernetesApi]:
    with KubernetesApi() as api:
        api.set_endpoints("web", "10.0.0.1", "10.0.0.2")
        yield api


@pytest.fixture
def account(api: KubernetesApi, tmp_path: Path) -> Path:
    return api.account(tmp_path / "account")


def make(api: KubernetesApi, account: Path, **options: Any) -> Kubernetes:
    there = {"kubernetes_master": api.netloc, "kubernetes_service_account_path": str(account)}
    return Kubernetes(**(REQUIRED | there | options))


async def discover(strategy: Kubernetes, **environ: str) -> Discovery:
    return await strategy.discover(Surroundings(environ=environ).convergence(strategy))


async def names(strategy: Kubernetes, **environ: str) -> list[str]:
    discovery = await discover(strategy, **environ)
    assert discovery.complete
    return sorted(discovery.nodes)


class TestOptions:
    def test_defaults_are_libclusters(self) -> None:
        strategy = Kubernetes(**REQUIRED)
        assert strategy.kubernetes_master == "kubernetes.default.svc"
        folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        assert str(strategy.kubernetes_service_account_path) == folder
        assert (strategy.mode, strategy.kubernetes_ip_lookup_mode) == ("ip", "endpoints")
        assert (strategy.interval, strategy.request_timeout) == (5.0, 15_000)
        assert not strategy.kubernetes_use_cached_resources
        assert pickle.loads(pickle.dumps(strategy)) == strategy

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"kubernetes_node_basename": "a@b"}, "the part before the @"),
            ({"kubernetes_selector": " "}, "a string that is not empty"),
            ({"mode": "ips"}, "it is one of ip, hostname, dns"),
            ({"kubernetes_ip_lookup_mode": "services"}, "it is one of endpoints, pods"),
            ({"kubernetes_namespace": "a/b"}, "a name of lower case letters"),
            ({"kubernetes_service_name": "A"}, "a name of lower case letters"),
            ({"kubernetes_cluster_name": "a b"}, "the cluster's domain without '.local'"),
            ({"kubernetes_use_cached_resources": "yes"}, "it is true or false"),
            ({"kubernetes_service_account_path": ""}, "a string that is not empty"),
            ({"request_timeout": 15}, "it is in milliseconds"),
            ({"mode": "hostname"}, "kubernetes_service_name=None: mode='hostname' needs it"),
            ({"kubernetes_selctor": "x"}, "did you mean 'kubernetes_selector'"),
            ({"poll_interval": 5}, "did you mean 'polling_interval'"),
        ],
    )
    def test_mistakes(self, options: dict[str, Any], text: str) -> None:
        with pytest.raises(ConfigError, match=text):
            Kubernetes(**(REQUIRED | options))

    @pytest.mark.parametrize("missing", sorted(REQUIRED))
    def test_what_is_required(self, missing: str) -> None:
        given = {key: value for key, value in REQUIRED.items() if key != missing}
        with pytest.raises(ConfigError, match=f"{missing}=None: Kubernetes needs it"):
            Kubernetes(**given)

    @pytest.mark.parametrize(
        "wrong",
        [
            "https://a",
            "a/b",
            "a?b",
            "a b",
            "u@a",
            "a:b",
            "a:0",
            "a:99999",
            ":443",
            "[::1",
            "[:::]:1",
            "é",
            "a\nb",
            5,
        ],
    )
    def test_what_is_no_host(self, wrong: Any) -> None:
        with pytest.raises(ConfigError, match=r"kubernetes_master="):
            Kubernetes(**REQUIRED, kubernetes_master=wrong)

    def test_it_needs_aiohttp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "aiohttp", None)
        with pytest.raises(ConfigError, match="strategy='Kubernetes': it needs aiohttp"):
            Kubernetes(**REQUIRED)

    @pytest.mark.parametrize(
        ("options", "example"),
        [
            ({}, "app@10.0.0.1"),
            ({"mode": "dns", "kubernetes_namespace": "ns"}, "app@10-0-0-1.ns.pod.cluster.local"),
            (
                {"mode": "hostname", "kubernetes_service_name": "peers", "kubernetes_cluster_name": "k"},
                "app@web-0.peers.default.svc.k.local",
            ),
        ],
    )
    def test_it_takes_a_long_name(self, options: dict[str, Any], example: str) -> None:
        Kubernetes(**REQUIRED, **options).check_home("py@10.0.0.9")
        with pytest.raises(ConfigError) as caught:
            Kubernetes(**REQUIRED, **options).check_home("py@web")
        assert f"name this node like {example} (" in str(caught.value)


@pytest.mark.parametrize(
    ("master", "host"),
    [
        ("kubernetes.default.svc", "kubernetes.default.svc.k.test"),
        ("kubernetes.default.svc:6443", "kubernetes.default.svc.k.test:6443"),
        ("kubernetes.default.svc.k.test", "kubernetes.default.svc.k.test"),
        ("kubernetes.default.svc.k.test:443", "kubernetes.default.svc.k.test:443"),
        ("api.example.com.", "api.example.com."),
        ("api.example.com.:6443", "api.example.com.:6443"),
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:6443", "10.0.0.1:6443"),
        ("fd00::1", "[fd00::1]"),
        ("[fd00::1]:6443", "[fd00::1]:6443"),
        ("localhost:6443", "localhost:6443"),
    ],
)
def test_where_the_api_server_is(master: str, host: str) -> None:
    assert api_host(master, "k.test") == host
    assert Kubernetes(**REQUIRED, kubernetes_master=master).kubernetes_master == master


class TestQuestions:
    @pytest.mark.parametrize(
        ("options", "environ", "host"),
        [
            ({}, {}, "kubernetes.default.svc.cluster.local"),
            ({"kubernetes_cluster_name": "k"}, {}, "kubernetes.default.svc.k.local"),
            (
                {"kubernetes_cluster_name": "k"},
                {"CLUSTER_DOMAIN": "z.invalid."},
                "kubernetes.default.svc.z.invalid",
            ),
            ({}, {"CLUSTER_DOMAIN": " "}, "kubernetes.default.svc.cluster.local"),
        ],
    )
    async def test_the_domain_of_the_server(
        self,
        account: Path,
        monkeypatch: pytest.MonkeyPatch,
        options: dict[str, Any],
        environ: dict[str, str],
        host: str,
    ) -> None:
        unresolved(monkeypatch)
        strategy = Kubernetes(**REQUIRED, kubernetes_service_account_path=account, **options)
        with pytest.raises(DiscoveryFailed, match=f"the name of {host} cannot be resolved; is kubernetes_m"):
            await discover(strategy, **environ)

    async def test_it_asks_in_its_own_namespace(self, api: KubernetesApi, account: Path) -> None:
        assert await names(make(api, account)) == [A, B]
        assert api.requests[0].path == "/api/v1/namespaces/default/endpoints"
        assert api.requests[0].query == {"labelSelector": "app=web", "limit": "100"}

    async def test_or_in_another(self, api: KubernetesApi, account: Path) -> None:
        api.set_endpoints("far", "10.0.0.3", labels={"app": "web"}, namespace="staging")
        strategy = make(api, account, kubernetes_namespace="staging", kubernetes_use_cached_resources=True)
        assert await names(strategy) == ["app@10.0.0.3"]
        assert api.requests[0].query["resourceVersion"] == "0"

    async def test_an_authority_below_another_is_enough(self, api: KubernetesApi, account: Path) -> None:
        authority = api.authority.create_child_ca()
        authority.cert_pem.write_to_path(account / "ca.crt")
        api.certify("127.0.0.1", authority=authority)
        assert await names(make(api, account)) == [A, B]

    @pytest.mark.parametrize("namespace", ["", "../x"])
    async def test_there_must_be_one(self, api: KubernetesApi, account: Path, namespace: str) -> None:
        (account / "namespace").write_text(namespace)
        with pytest.raises(DiscoveryFailed, match="names no namespace: give kubernetes_namespace"):
            await discover(make(api, account))
        assert await names(make(api, account, kubernetes_namespace="default")) == [A, B]

    async def test_pods(self, api: KubernetesApi, account: Path) -> None:
        api.set_pod("web-7", "10.0.0.7")
        assert await names(make(api, account, kubernetes_ip_lookup_mode="pods")) == ["app@10.0.0.7"]


class TestNames:
    async def test_dns(self, api: KubernetesApi, account: Path) -> None:
        api.set_endpoints("web", "10.0.0.1", "fd00::2")
        dns = make(api, account, mode="dns")
        assert await names(dns) == [
            "app@10-0-0-1.default.pod.cluster.local",
            "app@fd00--2.default.pod.cluster.local",
        ]

    @pytest.mark.parametrize("resource", ["endpoints", "pods"])
    async def test_hostname(self, api: KubernetesApi, account: Path, resource: str) -> None:
        target = {"ip": "10.0.0.1", "hostname": "web-0", "targetRef": {"namespace": "default"}}
        api.set_endpoints("web", target)
        api.set_pod("web-0", "10.0.0.1", hostname="web-0")
        options = {"kubernetes_service_name": "peers", "kubernetes_ip_lookup_mode": resource}
        hostname = make(api, account, mode="hostname", **options)
        assert await names(hostname) == ["app@web-0.peers.default.svc.cluster.local"]

    @pytest.mark.parametrize(
        ("options", "environ", "domain"),
        [
            ({}, {"CLUSTER_DOMAIN": "k.test."}, "k.test"),
            ({"kubernetes_cluster_name": "own"}, {"CLUSTER_DOMAIN": "k.test."}, "own.local"),
            ({"kubernetes_cluster_name": "own"}, {}, "own.local"),
        ],
    )
    async def test_the_domain(
        self,
        api: KubernetesApi,
        account: Path,
        options: dict[str, Any],
        environ: dict[str, str],
        domain: str,
    ) -> None:
        api.set_endpoints("web", "10.0.0.1")
        strategy = make(api, account, mode="dns", **options)
        assert await names(strategy, **environ) == [f"app@10-0-0-1.default.pod.{domain}"]

    async def test_without_a_hostname_there_is_no_name(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.set_endpoints("web", {"ip": "10.0.0.1", "hostname": "web-0"}, "10.0.0.2", "10.0.0.3")
        strategy = make(api, account, mode="hostname", kubernetes_service_name="peers")
        discovery = await discover(strategy)
        assert discovery.nodes == {"app@web-0.peers.default.svc.cluster.local"}
        assert not discovery.complete
        assert lines(caplog.records) == [
            "[pyerlnode:example] 2 of 3 endpoints have no hostname, which mode 'hostname' takes from pods of "
            "a StatefulSet with serviceName: peers"
        ]

    async def test_what_makes_no_name_is_left_out(self, api: KubernetesApi, account: Path) -> None:
        odd = [{"ip": f"10.0.0.{i}", "hostname": name} for i, name in enumerate(["a@b", "x" * 255, "web-0"])]
        api.set_endpoints("web", *odd)
        strategy = make(api, account, mode="hostname", kubernetes_service_name="peers")
        assert await names(strategy) == ["app@web-0.peers.default.svc.cluster.local"]

    @pytest.mark.parametrize(
        ("resource", "hint"),
        [("endpoints", " (they have the labels of their Service, not of its pods)"), ("pods", "")],
    )
    async def test_when_nothing_has_the_labels_it_says_so(
        self,
        api: KubernetesApi,
        account: Path,
        caplog: pytest.LogCaptureFixture,
        resource: str,
        hint: str,
    ) -> None:
        api.remove("web")
        discovery = await discover(make(api, account, kubernetes_ip_lookup_mode=resource))
        assert (discovery.nodes, discovery.complete) == (frozenset(), False)
        told = f"[pyerlnode:example] no {resource} in namespace default match 'app=web'{hint}"
        assert lines(caplog.records) == [told]


class World:
    """A node with A and B up, and a topology that prunes, each look-up made by hand."""

    def __init__(self, strategy: Kubernetes) -> None:
        self.around = Surroundings(FakeHome(up={A, B, "app@10.0.0.3"}))
        self.strategy = strategy
        topology = Topology("example", strategy, prune=True)
        self.cluster: Convergence = self.around.convergence(topology)

    async def poll(self, times: int = 1) -> None:
        for _ in range(times):
            if discovery := await self.cluster.look(self.strategy.discover):
                await self.cluster.converge(discovery)

    @property
    def connected(self) -> set[str]:
        return self.around.home.connected

    async def connect(self) -> None:
        """As a real node does when the topology asks."""
        await self.poll()
        for node in self.cluster.wanted:
            self.around.home.join(node)


CUT = "request to kubernetes failed!: {netloc} cut the connection before its answer was complete"
NO_LIST = "request to kubernetes failed!: the answer is not a list of endpoints: "
TROUBLES = {
    Failure.FORBIDDEN: "cannot query kubernetes (unauthorized): endpoints is forbidden: ",
    Failure.SERVER_ERROR: "cannot query kubernetes (500 Internal Server Error): etcdserver: ",
    Failure.UNAVAILABLE: "cannot query kubernetes (503 Service Unavailable): <html>",
    Failure.SILENCE: "request to kubernetes failed!: {netloc} gave no answer within 0.2 s",
    Failure.HALF: CUT,
    Failure.HANG_UP: CUT,
    Failure.NOT_HTTP: "request to kubernetes failed!: {netloc}: ClientResponseError: 400",
    Failure.NOT_JSON: "request to kubernetes failed!: the answer is not JSON: ",
    Failure.SHAPE: f"{NO_LIST}it is list",
    Failure.STATUS: f"{NO_LIST}its kind is 'Status'",
    Failure.REDIRECT: "cannot query kubernetes (302 Found)",
    Failure.FLOOD: "request to kubernetes failed!: the answer is longer than 8 MiB",
}


class TestMembership:
    """Whatever goes wrong: nobody is disconnected, it is told once, and all is well after it."""

    async def check(self, world: World, text: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.clear()
        await world.poll(4)
        assert world.connected == {A, B}
        assert world.cluster.wanted == {A, B}
        (line,) = lines(caplog.records)
        assert line.startswith(f"[pyerlnode:example] {text}")
        assert TOKEN not in caplog.text
        failures = [event for event in world.around.events if isinstance(event, LookupFailed)]
        assert len(failures) == 4

    async def check_again(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        caplog.clear()
        caplog.set_level(logging.INFO, "pyerlnode.cluster")
        await world.poll(2)
        assert world.connected == {A, B}
        assert lines(caplog.records) == ["[pyerlnode:example] the look-up works again: 2 found"]
        assert not [event for event in world.around.events if isinstance(event, Disconnected)]

    @pytest.mark.parametrize("failure", TROUBLES, ids=lambda failure: failure.name)
    async def test_it_stands(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture, failure: Failure
    ) -> None:
        quick = {"request_timeout": 200} if failure is Failure.SILENCE else {}
        world = World(make(api, account))
        await world.connect()
        api.fail(failure)
        world.strategy = make(api, account, **quick)
        await self.check(world, TROUBLES[failure].format(netloc=api.netloc), caplog)
        api.mend()
        world.strategy = make(api, account)
        await self.check_again(world, caplog)

    async def test_when_the_token_has_changed(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(make(api, account))
        await world.connect()
        api.accept("the-next")
        await self.check(world, "cannot query kubernetes (401 Unauthorized): Unauthorized; the token", caplog)
        (account / "token").write_text("the-next")
        await self.check_again(world, caplog)

    async def test_when_the_account_is_gone(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(make(api, account))
        await world.connect()
        (account / "token").rename(account / "away")
        await self.check(world, f"there is no token in {account}: is this a pod", caplog)
        (account / "away").rename(account / "token")
        await self.check_again(world, caplog)

    async def test_when_the_authority_is_another(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(make(api, account))
        await world.connect()
        api.authority = CA()
        api.certify("127.0.0.1")
        why = f"the certificate of {api.netloc} does not verify against {account / 'ca.crt'} ("
        await self.check(world, f"request to kubernetes failed!: {why}", caplog)
        api.account(account)  # Kubernetes brings the new one into the pod
        await self.check_again(world, caplog)

    async def test_when_the_certificate_is_for_others(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(make(api, account))
        await world.connect()
        api.certify("10.96.0.1")
        why = f"{api.netloc} shows a certificate for other names ("
        await self.check(world, f"request to kubernetes failed!: {why}", caplog)
        api.certify("127.0.0.1")
        await self.check_again(world, caplog)

    async def test_when_there_is_no_server(
        self, api: KubernetesApi, account: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(make(api, account))
        await world.connect()
        api.down()
        why = f"{api.netloc} cannot be reached: Connection refused"
        await self.check(world, f"request to kubernetes failed!: {why}", caplog)
        api.up()
        await self.check_again(world, caplog)

    async def test_half_of_the_pages_disconnect_nobody(self, api: KubernetesApi, account: Path) -> None:
        pods = make(api, account, kubernetes_ip_lookup_mode="pods")
        api.page = 1
        api.set_pod("web-0", "10.0.0.1")
        api.set_pod("web-1", "10.0.0.2")
        world = World(pods)
        await world.connect()
        api.fail(Failure.EXPIRED)
        await world.poll(4)
        assert world.connected == {A, B}

    async def test_what_is_found_no_more_is_disconnected_where_that_is_wanted(
        self, api: KubernetesApi, account: Path
    ) -> None:
        world = World(make(api, account))
        await world.connect()
        api.set_endpoints("web", "10.0.0.1", "10.0.0.3")
        await world.poll(4)
        assert world.around.home.dials.count("app@10.0.0.3") >= 1
        assert B not in world.connected
        assert Disconnected("example", B, 0.0) in world.around.events
        found = [event for event in world.around.events if isinstance(event, Found)]
        assert found[-1].nodes == {A, "app@10.0.0.3"}
        assert [event for event in world.around.events if isinstance(event, Connected)]


async def test_it_runs(api: KubernetesApi, account: Path) -> None:
    """The whole of it, once: it looks, connects, leaves itself out, and looks again."""
    api.set_endpoints("web", "10.0.0.1", OWN.partition("@")[2])
    around = Surroundings(FakeHome(name="app@10.0.0.9", up={A}))
    strategy = make(api, account)
    async with around.running(strategy) as cluster:
        await until(lambda: around.home.dials)
        assert cluster.wanted == {A}
        assert around.home.dials == [A]


async def test_it_ends_in_the_middle_of_a_request(api: KubernetesApi, account: Path) -> None:
    api.fail(Failure.SILENCE)
    around = Surroundings()
    async with around.running(make(api, account)):
        await api.asked_in_all(1)
    assert around.home.dials == []
