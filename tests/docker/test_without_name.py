"""The post's first run of its image: `docker run -it libcluster_poc`, without a name for the node."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.containers import Elixir, Python
from tests.support.docker import SUITES, eventually, images

if TYPE_CHECKING:
    from tests.support.containers import Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300), pytest.mark.parametrize("suite", SUITES)]

HOSTS = "node1@jkmrto,node2@jkmrto,node3@jkmrto"
LINES = [f"unable to connect to :node{n}@jkmrto: not part of network" for n in (1, 2, 3)]


def test_elixir(site: Site) -> None:
    image = f"libcluster_poc:{images(site.suite)}"
    container = site.run("nonode@nohost", image, env={"HOSTS": HOSTS}, flags=("-i", "-t"))
    node = Elixir(container, "nonode@nohost", site.prefix)
    eventually(node.tally, Counter(LINES))
    eventually(lambda: any("Interactive Elixir" in line for line in node.logs()), True)
    assert node.exit_code() is None


def test_python(site: Site) -> None:
    image = f"pyerlnode:{images(site.suite)}"
    given = {"PYERLNODE_STRATEGY": "epmd", "PYERLNODE_TOPOLOGY": "example", "PYERLNODE_HOSTS": HOSTS}
    container = site.run("nonode@nohost", image, env=given)
    node = Python(container, "nonode@nohost", site.prefix)
    eventually(node.tally, Counter(LINES))
    assert node.exit_code() is None
    node.stop()
    assert node.exit_code() == 0
