"""Clusters that form through Rancher's metadata service, at the name where every container finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api_server import Failure, RancherMetadata
from tests.support.company import sees

if TYPE_CHECKING:
    from tests.support.beams import Release
    from tests.support.hosts import Network

TOPOLOGY = {"strategy": "rancher", "node_basename": "app", "polling_interval": 250}


@pytest.mark.beam(few=1)
async def test_a_cluster_forms_and_heals(release: Release, network: Network) -> None:
    network.dns.add("rancher-metadata", "A", network.address)
    one, two = network.host("web1"), network.host("web2")
    node = two.python_node(f"app@{two.address}", topologies={"r": TOPOLOGY})
    with RancherMetadata(network.address, 80, open_socket=network.socket) as rancher:
        rancher.containers = [[two.address], []]
        async with node:
            await rancher.asked(2)
            async with one.beam(release, f"app@{one.address}") as beam:
                rancher.containers = [[two.address], [one.address, "172.17.0.2"]]
                await node.wait_log(rf'\[pyerlnode:r\] connected to :"{beam.name}"')
                await sees(beam, node.name)
                rancher.fail(Failure.SERVER_ERROR)
                await node.wait_log(r"\[pyerlnode:r\] cannot query Rancher Metadata API \(500 ")
                await sees(node, beam.name)
            await sees(node)
            rancher.mend()
            async with one.beam(release, f"app@{one.address}") as beam:
                await sees(beam, node.name)
                await sees(node, beam.name)
