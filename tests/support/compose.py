"""The compose files of docker/, run with either Compose: names and images of a test's own.

compose = Compose(site, "epmd", DOCKER_COMPOSE, kinds={"node2": "python"}, TIMEOUT="1000")
compose.up("node1")
eventually(compose.node("node1@node1").said, [...])
compose.down()
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.containers import HOST, KINDS
from tests.support.docker import BUILD, COMMAND, ROOT, RUN, images, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.containers import Container, Site

V2 = ("docker", "compose")
V1 = ("docker-compose",)
TOOLS = (V2, V1)
PARTS = ("by_hand", "epmd", "alias", "mixed")


class Compose:
    """One of the projects in docker/, under the names of a site.

    `kinds` says what stands at a place instead of what the file says; `override` is a second compose file's
    content; `environment` is what the first one reads.
    """

    def __init__(
        self,
        site: Site,
        part: str,
        tool: tuple[str, ...] = V2,
        *,
        kinds: Mapping[str, str] | None = None,
        override: tuple[Path, Mapping[str, Any]] | None = None,
        **environment: str,
    ) -> None:
        self._site = site
        self._tool = tool
        self._kinds = {"node4": "python", "node5": "app"} | dict(kinds or {})
        self._files = ["-f", str(ROOT / "docker" / part / "compose.yml")]
        if override is not None:
            path, content = override
            path.write_text(json.dumps(content), encoding="utf-8")
            self._files += ["-f", str(path)]
        self._project = f"{site.prefix}{part}".replace("_", "")
        chosen = {place.upper(): kind for place, kind in (kinds or {}).items()}
        self._environment = {**self._given(), **chosen, **environment}

    def _given(self) -> dict[str, str]:
        site = self._site
        return {
            "PREFIX": site.prefix,
            "NETWORK": site.network,
            "TAG": images(site.suite),
            "TEST": RUN,
            "ELIXIR_IMAGE": f"pyerlnode/elixir:{site.suite}",
            "PYTHON_IMAGE": f"pyerlnode/python:{site.suite}",
            "LIBCLUSTER": "stand-in",
            "COMPOSE_IGNORE_ORPHANS": "1",
        }

    def up(self, *services: str) -> None:
        """Start these services, or all."""
        self("up", "-d", *services)

    def build(self, **environment: str) -> None:
        """Build the images of all services, with some of the environment changed."""
        self._environment |= environment
        self("build", timeout=BUILD)

    def down(self) -> None:
        """End and remove all."""
        self("down", "-t", "30")

    def config(self) -> str:
        """The file as Compose reads it."""
        return self("config")

    def node(self, name: str) -> Container:
        """The node of this name, wherever it stands."""
        local, _, host = name.partition("@")
        place = local if host == HOST else host
        kind = KINDS[self._kinds.get(place, "elixir")]
        return kind(self._site.prefix + place, name, "" if host == HOST else self._site.prefix)

    def __call__(self, *command: str, timeout: float = COMMAND) -> str:
        return run(
            *self._tool, *self._files, "-p", self._project, *command, timeout=timeout, env=self._environment
        )
