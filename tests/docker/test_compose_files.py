"""Both Composes read every file in docker/, and build what it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.compose import PARTS, TOOLS, Compose
from tests.support.containers import KINDS
from tests.support.docker import RUN, docker

if TYPE_CHECKING:
    from tests.support.containers import Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
@pytest.mark.parametrize("part", PARTS)
def test_valid(site: Site, part: str, tool: tuple[str, ...]) -> None:
    for kind in KINDS:
        text = Compose(site, part, tool, kinds=dict.fromkeys(("node1", "node2"), kind)).config()
        assert site.prefix + "node2" in text
        image = {"elixir": "libcluster_poc", "python": "pyerlnode", "app": "pyerlnode-app"}[kind]
        assert f"image: {image}:{RUN}-{site.suite}" in text


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
def test_builds(site: Site, tool: tuple[str, ...]) -> None:
    """All three images in one go, from the bases that the environment names."""
    compose = Compose(site, "mixed", tool)
    tag = f"{RUN}-by-{len(tool)}"
    compose.build(TAG=tag)
    for image in ("libcluster_poc", "pyerlnode", "pyerlnode-app"):
        assert docker("image", "ls", "-q", f"{image}:{tag}")
