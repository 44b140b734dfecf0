"""The health check of the Python image, and what SIGTERM does to its node."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.containers import Python
from tests.support.docker import SUITES, docker, eventually, images

if TYPE_CHECKING:
    from tests.support.containers import Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

OFTEN = ("--health-interval=1s", "--health-timeout=3s", "--health-retries=1", "--health-start-period=0s")
KILL_EPMD = """
import os, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        if b"epmd_daemon" in file.read() and int(pid) != os.getpid():
            os.kill(int(pid), signal.SIGKILL)
"""


@pytest.mark.parametrize("suite", SUITES)
def test_healthy_while_epmd_knows_the_node_and_the_node_answers(site: Site) -> None:
    node = site.python("node1@node1", flags=OFTEN)
    eventually(node.health, "healthy")

    docker("kill", "--signal=STOP", node.container)
    eventually(node.health, "unhealthy")
    docker("kill", "--signal=CONT", node.container)
    eventually(node.health, "healthy")

    node.exec("python", "-c", KILL_EPMD)
    eventually(node.health, "unhealthy")
    node.exec("pyerlnode", "epmd", "start", "--daemon")
    eventually(node.health, "healthy")

    node.kill()
    eventually(node.health, "unhealthy")
    assert node.exit_code() == 128 + 9


def test_unhealthy_without_a_name(site: Site) -> None:
    given = {"PYERLNODE_STRATEGY": "epmd", "PYERLNODE_HOSTS": "node2@node2", "PYERLNODE_TOPOLOGY": "example"}
    image = f"pyerlnode:{images(site.suite)}"
    container = site.run("nonode@nohost", image, env=given, flags=OFTEN)
    node = Python(container, "nonode@nohost", site.prefix)
    eventually(node.health, "unhealthy")
    assert "which node?" in node.inspect()["State"]["Health"]["Log"][-1]["Output"]


@pytest.mark.parametrize("suite", SUITES)
def test_sigterm_makes_a_node_leave_its_cluster(site: Site) -> None:
    """The others are told: they would miss a silent node after 45 s at the soonest."""
    peers = [site.elixir("node1@node1"), site.python("node2@node2")]
    for peer in peers:
        eventually(peer.nodes, [])
    hosts = site.real("node1@node1,node2@node2")
    env = {"PYERLNODE_STRATEGY": "epmd", "PYERLNODE_HOSTS": hosts}
    leaving = [site.python("node3@node3", env=env), site.app("node4@node4", env=env)]
    for node in leaving:
        eventually(node.tally, Counter(f"connected to :{peer.name}" for peer in peers))
    gone = {node.name for node in leaving}
    for node in leaving:
        node.stop()
        assert node.exit_code() == 0
    eventually(lambda: gone & {*peers[0].nodes(), *peers[1].nodes()}, set(), timeout=40)
    assert "[pyerlnode] node node3@node3 is down: connection_closed" in peers[1].logs()
    assert "[pyerlnode] node node3@node3 leaves" in leaving[0].logs()
