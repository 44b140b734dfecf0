"""Clusters of Python nodes and BEAMs that find each other through a Kubernetes API, over verified TLS.

Each host is a pod with an address of its own; the API server is at the name that it has in every cluster, so
strategies have their defaults, but for the folder of the service account and the time between two look-ups.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from trustme import CA

from tests.support.api_server import NAME, TOKEN, Failure, KubernetesApi
from tests.support.company import connected, sees

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.beam import Beam
    from tests.support.beams import Release
    from tests.support.hosts import Host, Network
    from tests.support.python_node import PythonNode

ONE_RELEASE = pytest.mark.beam(few=1)
POLL = 250
"""Milliseconds between two look-ups."""


@pytest.fixture
def api(network: Network) -> Iterator[KubernetesApi]:
    network.dns.add(NAME, "A", network.address)
    with KubernetesApi(network.address, 443, open_socket=network.socket) as api:
        yield api


@pytest.fixture
def account(api: KubernetesApi, tmp_path: Path) -> Path:
    return api.account(tmp_path / "account")


@asynccontextmanager
async def python(host: Host, account: Path, **options: Any) -> AsyncIterator[PythonNode]:
    """A node of ours in a pod, with the strategy."""
    name = options.pop("name", f"app@{host.address}")
    node_options = {key: options.pop(key) for key in ("hidden", "env") if key in options}
    topology = {
        "strategy": "kubernetes",
        "kubernetes_node_basename": "app",
        "kubernetes_selector": "app=web",
        "kubernetes_service_account_path": str(account),
        "polling_interval": POLL,
    }
    async with host.python_node(name, topologies={"k8s": topology | options}, **node_options) as node:
        yield node


def beam(host: Host, release: Release, *flags: str) -> Beam:
    """A BEAM in a pod, not yet started."""
    return host.beam(release, f"app@{host.address}", flags=flags)


class TestEachRelease:
    async def test_a_cluster_forms_in_any_order_and_heals(
        self, release: Release, network: Network, api: KubernetesApi, account: Path
    ) -> None:
        one, two, three = (network.host(f"web{number}") for number in range(3))
        api.set_endpoints("web", one.address, two.address, three.address)
        a, b, py = (f"app@{host.address}" for host in (one, two, three))
        async with beam(one, release) as first, python(three, account) as node:
            await sees(node, a)
            await node.wait_log(rf'\[pyerlnode:k8s\] connected to :"{a}"')
            await node.wait_log(rf'\[pyerlnode:k8s\] unable to connect to :"{b}"')
            async with beam(two, release) as second:
                await sees(second, a, py)
                await sees(first, b, py)
                await sees(node, a, b)
            await sees(node, a)
            async with beam(two, release) as second:
                await sees(second, a, py)
                await node.kill()
                await sees(second, a)
                async with python(three, account) as node:
                    await sees(node, a, b)
                    await sees(second, a, py)


@ONE_RELEASE
async def test_the_environment_of_a_pod_is_enough(
    release: Release, network: Network, api: KubernetesApi, account: Path
) -> None:
    one, two = network.host("web1"), network.host("web2")
    api.set_endpoints("web", one.address, two.address)
    deployment = {
        "RELEASE_NODE": f"app@{two.address}",
        "RELEASE_COOKIE": "cookie",
        "PYERLNODE_TOPOLOGY": "k8s",
        "PYERLNODE_STRATEGY": "kubernetes",
        "PYERLNODE_KUBERNETES_NODE_BASENAME": "app",
        "PYERLNODE_KUBERNETES_SELECTOR": "app=web",
        "PYERLNODE_KUBERNETES_SERVICE_ACCOUNT_PATH": str(account),
        "PYERLNODE_KUBERNETES_USE_CACHED_RESOURCES": "true",
        "PYERLNODE_POLLING_INTERVAL": str(POLL),
    }
    async with beam(one, release) as first:
        program = two.pyerlnode("start", env=deployment)
        await program.wait_log(rf'\[pyerlnode:k8s\] connected to :"{first.name}"')
        await sees(first, f"app@{two.address}")
        assert api.requests[0].query["resourceVersion"] == "0"
        program.terminate()
        assert await program.wait_exit() == 0
        await sees(first)


@ONE_RELEASE
class TestNames:
    async def test_hostnames_of_a_stateful_set(
        self, release: Release, network: Network, api: KubernetesApi, account: Path
    ) -> None:
        hosts = [network.host(f"web-{number}.peers.default.svc.cluster.local") for number in range(2)]
        for host in hosts:
            short = host.name.partition(".")[0]
            api.set_pod(short, host.address, hostname=short)
        there = f"app@{hosts[0].name}"
        async with hosts[0].beam(release, there) as first:
            options = {"mode": "hostname", "kubernetes_service_name": "peers"}
            pods = {"kubernetes_ip_lookup_mode": "pods"}
            name = f"app@{hosts[1].name}"
            async with python(hosts[1], account, name=name, **options, **pods) as node:
                await sees(node, there)
                await sees(first, name)

    async def test_dns_names_of_pods_in_a_domain_of_its_own(
        self, release: Release, network: Network, api: KubernetesApi, account: Path
    ) -> None:
        network.dns.add("kubernetes.default.svc.k8s.test", "A", network.address)
        api.certify("kubernetes.default.svc.k8s.test")
        hosts = [network.host(f"web{number}") for number in range(2)]
        api.set_endpoints("web", *(host.address for host in hosts))
        names = []
        for host in hosts:
            domain = f"{host.address.replace('.', '-')}.default.pod.k8s.test"
            network.dns.add(domain, "A", host.address)
            names.append(f"app@{domain}")
        async with hosts[0].beam(release, names[0]) as first:
            env = hosts[1].environment({"CLUSTER_DOMAIN": "k8s.test"})
            async with python(hosts[1], account, name=names[1], mode="dns", env=env) as node:
                await sees(node, names[0])
                await sees(first, names[1])


@ONE_RELEASE
class TestChanges:
    @pytest.mark.parametrize("prune", [False, True])
    async def test_it_follows_what_the_api_says(
        self, release: Release, network: Network, api: KubernetesApi, account: Path, prune: bool
    ) -> None:
        """A hidden node, so that no BEAM sees its connections end and answers by cutting others."""
        one, two, three = (network.host(f"web{number}") for number in range(3))
        api.set_endpoints("web", one.address)
        a, b = (f"app@{host.address}" for host in (one, two))
        async with (
            beam(one, release),
            beam(two, release),
            python(three, account, hidden=True, prune=prune) as node,
        ):
            await sees(node, a)
            api.set_endpoints("web", one.address, two.address)
            await sees(node, a, b)
            api.set_endpoints("web", not_ready=[one.address, two.address])
            await api.asked(5)
            assert await connected(node) == {a, b}
            api.set_endpoints("web", two.address, not_ready=[one.address])
            if prune:
                await node.wait_log(rf'\[pyerlnode:k8s\] disconnected from :"{a}"')
                await sees(node, b)
            else:
                await api.asked(5)
                assert await connected(node) == {a, b}

    async def test_membership_never_flaps(
        self, release: Release, network: Network, api: KubernetesApi, account: Path
    ) -> None:
        one, two = network.host("web1"), network.host("web2")
        api.set_endpoints("web", one.address, two.address)
        options = {"prune": True, "request_timeout": 1000, "polling_interval": 100}
        async with beam(one, release) as first, python(two, account, **options) as node:
            await sees(node, first.name)
            for failure, text in (
                (Failure.FORBIDDEN, r"cannot query kubernetes \(unauthorized\): endpoints is forbidden"),
                (Failure.SERVER_ERROR, r"cannot query kubernetes \(500 Internal Server Error\)"),
                (Failure.SILENCE, rf"request to kubernetes failed!: {NAME} gave no answer within 1 s"),
                (Failure.HALF, rf"request to kubernetes failed!: {NAME} cut the connection"),
                (Failure.NOT_JSON, r"request to kubernetes failed!: the answer is not JSON"),
            ):
                api.fail(failure)
                await self.check(node, text)
                api.mend()
                await self.check(node, "the look-up works again: 2 found")
            api.accept("another")
            await self.check(node, r"cannot query kubernetes \(401 Unauthorized\): Unauthorized")
            api.accept(TOKEN)
            await self.check(node, "the look-up works again: 2 found")
            api.certify(NAME, authority=CA())
            await self.check(node, f"the certificate of {NAME} does not verify against {account / 'ca.crt'}")
            api.certify("elsewhere.test")
            await self.check(node, f"{NAME} shows a certificate for other names")
            api.down()
            await self.check(node, f"{NAME} cannot be reached: Connection refused")
            network.dns.remove(NAME)
            await self.check(node, f"the name of {NAME} cannot be resolved; is kubernetes_master right")
            network.dns.add(NAME, "A", network.address)
            api.certify(NAME)
            api.up()
            await self.check(node, "the look-up works again: 2 found")
            assert await connected(node) == {first.name}
            assert await connected(first) == {node.name}
            assert await node.eval("events") == [f"NodeUp {first.name}"]
            assert not any(TOKEN in line for line in node.log)
            assert sum("connected to" in line for line in node.log) == 1

    async def check(self, node: PythonNode, text: str) -> None:
        """The log says it, anew."""
        await node.wait_log(rf"\[pyerlnode:k8s\] .*{text}", after=self.read)
        self.read = len(node.log)

    read = 0
