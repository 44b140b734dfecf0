"""An image with extras has what the strategies want that need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.containers import Python
from tests.support.docker import SUITES, eventually, image_with

if TYPE_CHECKING:
    from tests.support.containers import Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.mark.parametrize("suite", SUITES)
def test_sealed_gossip_and_kubernetes(site: Site, suite: str) -> None:
    image = image_with("kubernetes,gossip", suite)

    def start(name: str, **options: str) -> Python:
        given = {
            "NAME": name.replace("@", f"@{site.prefix}"),
            "COOKIE": "cookie",
            "TOPOLOGY": "example",
            **options,
        }
        env = {f"PYERLNODE_{key}": value for key, value in given.items()}
        return Python(site.run(name, image, "start", env=env), name, site.prefix)

    one, two = (start(f"node@node{n}", STRATEGY="gossip", SECRET="sesame") for n in (1, 2))
    eventually(one.nodes, [two.name])
    eventually(two.nodes, [one.name])

    lost = start(
        "node@node3.pod",
        STRATEGY="kubernetes",
        KUBERNETES_SELECTOR="app=web",
        KUBERNETES_NODE_BASENAME="node",
    )
    eventually(lambda: len(lost.said()) > 0, expected=True)
    assert "token" in lost.said()[0]
