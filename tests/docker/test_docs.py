"""docs/docker.md tells the truth: its commands run here, in their order, and print what it says they print.

Containers, hosts and networks get the site's names in place of the document's; images are the run's.  Ports,
addresses, times of day and the order of lines are not compared.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import V2
from tests.support.containers import ANSI
from tests.support.docker import COMMAND, LABEL, RUN, eventually, images
from tests.support.ports import free_port
from tests.support.scripts import blocks

if TYPE_CHECKING:
    from tests.support.containers import Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

DOCUMENT = Path(__file__).parents[2] / "docs" / "docker.md"
ASKING = re.compile(r"docker (exec|logs|inspect)")
"""Commands that may be repeated until they print what they should."""
BEFORE = "name|hostname|exec|logs|logs --tail 1|stop|kill|start|names|ahostsv4|rm -f|inspect -f \\S+"
NAMED = re.compile(rf"(?P<before>@|\bNODE=|node\d |\b(?:{BEFORE}) )(?P<name>node\d|lonely)\b(?!@)")
"""Containers and hosts, but not what nodes are called before the ``@``."""
IMAGE = re.compile(r" (pyerlnode-app|pyerlnode|libcluster_poc)(?= |\n|$)")
VARYING = [
    (re.compile(r"port \d+"), "port P"),
    (re.compile(r"\d+\.\d+\.\d+\.\d+"), "IP"),
    (re.compile(r"\d\d:\d\d:\d\d\.\d+"), "TIME"),
    (re.compile(r"STREAM.*"), "STREAM"),
    (re.compile(r",\n *"), ", "),  # a list of longer names
    (re.compile(r" +"), " "),
]


def shape(text: str) -> list[str]:
    """The lines of an output, in any order, without what differs from run to run."""
    for varying, constant in VARYING:
        text = varying.sub(constant, text)
    return sorted(line.rstrip() for line in text.splitlines() if line.strip())


def commands() -> list[tuple[str, str]]:
    """All commands that are to be run, and what is shown for each."""
    found = [block.code for block in blocks(DOCUMENT) if block.language == "console" and not block.role]
    parts = [part for code in found for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]]
    pairs = [part.replace("\\\n", " ").partition("\n") for part in parts]
    return [(command, output) for command, _, output in pairs]


class Shell:
    """Runs the document's commands under the names of a site."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site = site
        self._folder = folder
        self._port = free_port()
        (folder / "docker").symlink_to(DOCUMENT.parents[1] / "docker")

    def __call__(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", self._real(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=COMMAND,
            check=False,
            cwd=self._folder,
            env=self._environment(),
        )
        return ANSI.sub("", done.stdout).replace("\r", "").replace(self._site.prefix, "")

    def _real(self, command: str) -> str:
        site = self._site
        before = None
        while before != command:  # names that follow names
            before, command = command, NAMED.sub(rf"\g<before>{site.prefix}\g<name>", command)
        command = command.replace("net_poc", site.network)
        command = command.replace("elixir:1.18-slim", f"pyerlnode/elixir:{site.suite}")
        if "docker run" in command:
            given = f"--label {LABEL} -e SUFFIX=.{site.network}"
            given += f" -e ERL_EPMD_PORT={self._port}" if "--net=host" in command else ""
            command = command.replace("docker run", f"docker run {given}")
            command = IMAGE.sub(rf" \1:{images(site.suite)}", command, count=1)
        return command.replace(" -f docker/mixed", f" -p {site.prefix}mixed -f docker/mixed")

    def _environment(self) -> dict[str, str]:
        site = self._site
        given = {"PREFIX": site.prefix, "NETWORK": site.network, "TAG": images(site.suite), "TEST": RUN}
        return {**os.environ, **given, "TIMEOUT": "", "COMPOSE_IGNORE_ORPHANS": "1"}


def asked(shell: Shell, command: str) -> list[str]:
    return shape(shell(command))


def test_its_commands_print_what_it_shows(site: Site, tmp_path: Path) -> None:
    shell = Shell(site, tmp_path)
    for command, output in commands():
        if ASKING.match(command):
            eventually(partial(asked, shell, command), shape(output))
        else:
            said = shell(command)
            assert not output or shape(said) == shape(output), command
            assert "rror" not in said, said


def test_it_runs_every_block_but_a_few() -> None:
    found = [(block.language, block.role.partition(":")[0]) for block in blocks(DOCUMENT)]
    assert set(found) == {("bash", ""), ("console", ""), ("console", "seen")}
    assert found.count(("console", "seen")) == 2
    assert DOCUMENT.read_text(encoding="utf-8").count("\n```") == 2 * len(found)
    assert V2 == ("docker", "compose")  # what the document writes
