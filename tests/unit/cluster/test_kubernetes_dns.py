"""KubernetesDNS: nodes at the addresses of a headless service."""

from __future__ import annotations

import pytest

from pyerlnode.cluster.kubernetes_dns import KubernetesDNS
from pyerlnode.errors import ConfigError
from tests.support.fake_dns import MISSING, FakeDns
from tests.support.world import FakeHome, Surroundings, lines


def asking(dns: FakeDns) -> KubernetesDNS:
    return KubernetesDNS(service="web", application_name="app", polling_interval=1000, resolver=dns)


async def test_it_asks_for_ipv4_with_search(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    dns = FakeDns({("web", "A"): ["10.0.0.1", "10.0.0.9"], ("web", "AAAA"): ["fd00::1"]})
    world = Surroundings(FakeHome("app@10.0.0.9", up={"app@10.0.0.1"}))
    async with world.running(asking(dns)):
        assert world.home.connected == {"app@10.0.0.1"}
        assert dns.asked == [("web", "A", True)]
        dns.data["web", "A"] = MISSING
        await world.pass_time(5)
        assert world.home.connected == {"app@10.0.0.1"}
    assert lines(caplog.records) == [
        '[pyerlnode:example] connected to :"app@10.0.0.1"',
        "[pyerlnode:example] lookup against web failed: :nxdomain",
    ]


async def test_a_name_that_others_cannot_find_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    async with Surroundings(FakeHome("app@pod.local")).running(asking(FakeDns())):
        assert "name it app@ and its IP address" in lines(caplog.records)[0]


def test_options_that_cannot_work() -> None:
    with pytest.raises(ConfigError, match="KubernetesDNS needs it"):
        KubernetesDNS(service="web")
    with pytest.raises(ConfigError, match="application_name='a@b'"):
        KubernetesDNS(service="web", application_name="a@b")
    with pytest.raises(ConfigError, match="service='a b'"):
        KubernetesDNS(service="a b", application_name="app")


def test_a_short_name_never_connects_to_addresses() -> None:
    strategy = asking(FakeDns())
    strategy.check_home("app@10.0.0.1")
    with pytest.raises(ConfigError, match=r"app@10\.0\.0\.1"):
        strategy.check_home("app@web1")
