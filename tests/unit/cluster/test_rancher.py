"""Rancher's metadata service, played by the test."""

from __future__ import annotations

import logging
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.rancher import URL, Rancher
from pyerlnode.errors import ConfigError, DiscoveryFailed
from tests.support.api_server import Failure, RancherMetadata
from tests.support.world import Surroundings, lines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[RancherMetadata]:
    with RancherMetadata() as server:
        yield server


async def names(server: RancherMetadata) -> list[str]:
    strategy = Rancher(node_basename="app", metadata_url=server.url)
    discovery = await strategy.discover(Surroundings().convergence(strategy))
    assert discovery.complete
    return sorted(discovery.nodes)


class TestOptions:
    def test_defaults(self) -> None:
        strategy = Rancher(node_basename="app")
        assert strategy.metadata_url == URL == "http://rancher-metadata/latest/self/service"
        assert (strategy.interval, strategy.request_timeout) == (5.0, 15_000)
        assert pickle.loads(pickle.dumps(strategy)) == strategy

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({}, "Rancher needs it"),
            ({"node_basename": ""}, "a string that is not empty"),
            ({"node_basename": "a@b"}, "the part before the @"),
            ({"node_basename": "a", "request_timeout": 15}, "in milliseconds"),
            ({"node_basename": "a", "metadata_url": "rancher-metadata"}, "it is a URL such as"),
            ({"node_basename": "a", "metadata_url": "ftp://a/"}, "it is a URL such as"),
            ({"node_basename": "a", "metadata_url": "http:///x"}, "it is a URL such as"),
            ({"node_basename": "a", "metadata_url": "http://a:b/"}, "it is a URL such as"),
            ({"node_basename": "a", "metadata_url": "http://a:0/"}, "it is a URL such as"),
            ({"node_basename": "a", "metadata_url": "http://a/b c"}, "it is a URL such as"),
            ({"node_basename": "a", "metadata_url": 5}, "a string that is not empty"),
            ({"node_basename": "a", "poll_interval": 5}, "did you mean 'polling_interval'"),
        ],
    )
    def test_mistakes(self, options: dict[str, Any], text: str) -> None:
        with pytest.raises(ConfigError, match=text):
            Rancher(**options)

    def test_it_needs_aiohttp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "aiohttp", None)
        with pytest.raises(ConfigError, match="strategy='Rancher': it needs aiohttp"):
            Rancher(node_basename="app")

    def test_it_takes_a_long_name(self) -> None:
        Rancher(node_basename="app").check_home("py@10.0.0.1")
        with pytest.raises(ConfigError, match=r"name this node like app@10\.0\.0\.1"):
            Rancher(node_basename="app").check_home("py@web")


class TestAnswers:
    async def test_the_first_address_of_each_container(self, server: RancherMetadata) -> None:
        server.containers = [["10.0.0.1"], ["10.0.0.2", "10.0.1.2"], ["fd00::3"]]
        assert await names(server) == ["app@10.0.0.1", "app@10.0.0.2", "app@fd00::3"]
        assert server.requests[0].headers["Accept"] == "application/json"

    async def test_containers_without_an_address_are_skipped(self, server: RancherMetadata) -> None:
        odd = [None, 5, "web-1", {}, {"ips": None}, {"ips": "10.0.0.9"}, [], [None], [7], ["x"]]
        server.containers = [*odd, ["10.0.0.1"]]
        assert await names(server) == ["app@10.0.0.1"]

    async def test_nobody(self, server: RancherMetadata) -> None:
        assert await names(server) == []

    async def test_not_one_with_an_address(self, server: RancherMetadata) -> None:
        server.containers = ["web-1", "web-2"]
        with pytest.raises(DiscoveryFailed, match="not one of the containers has an address"):
            await names(server)

    @pytest.mark.parametrize(
        ("failure", "text"),
        [
            (Failure.SHAPE, "request to Rancher Metadata API failed!: the answer has no list of containers"),
            (Failure.SERVER_ERROR, r"cannot query Rancher Metadata API \(500 Internal .*\): Internal error"),
            (Failure.HALF, "request to Rancher Metadata API failed!: .* cut the connection"),
            (Failure.NOT_JSON, "request to Rancher Metadata API failed!: the answer is not JSON"),
        ],
    )
    async def test_failures(self, server: RancherMetadata, failure: Failure, text: str) -> None:
        server.containers = [["10.0.0.1"]]
        server.fail(failure)
        with pytest.raises(DiscoveryFailed, match=text):
            await names(server)


async def test_failures_change_nothing(server: RancherMetadata, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pyerlnode.cluster")
    server.containers = [["10.0.0.1"]]
    around = Surroundings()
    around.home.up.add("app@10.0.0.1")
    strategy = Rancher(node_basename="app", metadata_url=server.url)
    cluster = around.convergence(strategy)
    for failure in (None, Failure.SERVER_ERROR, Failure.SERVER_ERROR, None):
        server.failure = failure
        if discovery := await cluster.look(strategy.discover):
            await cluster.converge(discovery)
        assert cluster.wanted == {"app@10.0.0.1"}
    assert lines(caplog.records) == [
        '[pyerlnode:example] connected to :"app@10.0.0.1"',
        "[pyerlnode:example] cannot query Rancher Metadata API (500 Internal Server Error): Internal error",
        "[pyerlnode:example] the look-up works again: 1 found",
    ]
