"""KubernetesDNSSRV: the pods of a stateful set."""

from __future__ import annotations

import pytest

from pyerlnode.cluster.kubernetes_dns_srv import KubernetesDNSSRV
from pyerlnode.errors import ConfigError
from tests.support.fake_dns import FAILS, MISSING, FakeDns
from tests.support.world import FakeHome, Surroundings, lines

QUERY = "web.prod.svc.cluster.local."
NAMES = [f"web-{n}.web.prod.svc.cluster.local" for n in range(3)]


def asking(dns: FakeDns) -> KubernetesDNSSRV:
    options = {"service": "web", "namespace": "prod", "application_name": "app"}
    return KubernetesDNSSRV(**options, polling_interval=1000, resolver=dns)


async def test_it_connects_to_the_targets() -> None:
    dns = FakeDns({(QUERY, "SRV"): NAMES})
    world = Surroundings(FakeHome(f"app@{NAMES[0]}", up={f"app@{name}" for name in NAMES}))
    async with world.running(asking(dns)):
        assert world.home.connected == {f"app@{name}" for name in NAMES[1:]}
    assert dns.asked == [(QUERY, "SRV", False)]


@pytest.mark.parametrize("domain", ["corp.example", "corp.example."])
async def test_the_domain_may_be_another(domain: str) -> None:
    dns = FakeDns()
    world = Surroundings(FakeHome("app@a.b"), {"CLUSTER_DOMAIN": domain})
    async with world.running(asking(dns)):
        assert dns.asked == [(f"web.prod.svc.{domain}", "SRV", False)]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (MISSING, f"lookup against {QUERY} failed: :nxdomain"),
        ([], f"lookup against {QUERY} found nobody: it has no SRV records"),
        (FAILS, f"lookup against {QUERY} failed: :servfail (SRV)"),
    ],
)
async def test_without_an_answer_everything_stays_and_it_is_said_once(
    answer: object, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    dns = FakeDns({(QUERY, "SRV"): NAMES})
    world = Surroundings(FakeHome(f"app@{NAMES[0]}", up={f"app@{name}" for name in NAMES}))
    async with world.running(asking(dns)):
        dns.data[QUERY, "SRV"] = answer
        await world.pass_time(20)
        assert len(world.home.connected) == 2
    assert lines(caplog.records) == [f"[pyerlnode:example] {line}"]


def test_options_that_cannot_work() -> None:
    with pytest.raises(ConfigError, match=r"namespace=None.*needs it"):
        KubernetesDNSSRV(service="web", application_name="app")
    with pytest.raises(ConfigError, match="namespace='a b'"):
        KubernetesDNSSRV(service="web", namespace="a b", application_name="app")


def test_a_short_name_never_connects_to_pods() -> None:
    strategy = asking(FakeDns())
    strategy.check_home(f"app@{NAMES[0]}")
    with pytest.raises(ConfigError, match=r"app@pod-0\.web\.prod\.svc\.cluster\.local,"):
        strategy.check_home("app@web-0")
