"""``pyerlnode start`` among BEAMs: by options, by a file, by the environment alone; and how it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.company import sees
from tests.support.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.epmd import Epmd

NODE1, NODE2, PY = "node1@localhost", "node2@localhost", "py@localhost"
CONNECTED = r"^\[pyerlnode:example\] connected to :node1@localhost$"
MISSED = r"^\[pyerlnode:example\] unable to connect to :node2@localhost$"


def environment(**settings: str) -> dict[str, str]:
    """Ours, without anything that pyerlnode would read, and these."""
    prefixes = ("PYERLNODE_", "RELEASE_", "ERLANG_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(prefixes)}
    return kept | settings


def pyerlnode(*words: str, **settings: str) -> tuple[int, str, str]:
    """Status, output and complaints of a command with these variables."""
    command = [sys.executable, "-m", "pyerlnode", *words]
    done = subprocess.run(
        command, env=environment(**settings), capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """``pyerlnode start`` with these words and variables, ended with the test."""
    programs: list[Program] = []

    def run(*words: str, **settings: str) -> Program:
        command = [sys.executable, "-m", "pyerlnode", "start", *words]
        programs.append(Program(command, env=environment(**settings)))
        return programs[-1]

    yield run
    for program in programs:
        program.close()


BY_ENVIRONMENT = {
    "PYERLNODE_NAME": PY,
    "PYERLNODE_COOKIE": "cookie",
    "PYERLNODE_TOPOLOGY": "example",
    "PYERLNODE_STRATEGY": "epmd",
    "PYERLNODE_HOSTS": f"{NODE1},{NODE2},{PY}",
}


# ---------------------------------------------------------------------------------- joining


async def test_by_options(release: Release, beams: Starter, start: Callable[..., Program]) -> None:
    beam = await beams(release, name=NODE1)
    words = ("--strategy", "epmd", "--hosts", f"{NODE1},{NODE2},{PY}", "--topology", "example")
    program = start("--sname", PY, "--cookie", "cookie", *words)
    await program.wait_log(CONNECTED)
    await program.wait_log(MISSED)
    await sees(beam, PY)
    assert program.count_log("pyerlnode:example") == 2


@pytest.mark.beam(needs=(25,))
async def test_by_the_environment_alone(beams: Starter, start: Callable[..., Program]) -> None:
    beam = await beams(25, name=NODE1)
    program = start(**BY_ENVIRONMENT)
    await program.wait_log(CONNECTED)
    await program.wait_log(MISSED)
    await sees(beam, PY)


@pytest.mark.beam(needs=(25,))
async def test_by_the_variables_of_a_release(
    beams: Starter, start: Callable[..., Program], tmp_path: Path
) -> None:
    beam = await beams(25, name=NODE1)
    options = {"PYERLNODE_STRATEGY": "Cluster.Strategy.Epmd", "PYERLNODE_HOSTS": NODE1}
    release = {"RELEASE_NODE": PY, "RELEASE_COOKIE": "cookie", "RELEASE_DISTRIBUTION": "sname"}
    program = start(**options, **release, HOME=str(tmp_path))
    await program.wait_log(r"^\[pyerlnode:cluster\] connected to :node1@localhost$")
    await sees(beam, PY)


@pytest.mark.beam(needs=(25,))
async def test_by_a_file_with_two_topologies_and_a_cookie_file(
    beams: Starter, start: Callable[..., Program], tmp_path: Path
) -> None:
    one, two = await beams(25, name=NODE1), await beams(25, name=NODE2)
    cookie = tmp_path / "cookie"
    cookie.write_text("cookie\n")
    cookie.chmod(0o400)
    config = tmp_path / "node.toml"
    config.write_text(
        f"""
        [node]
        name = "{PY}"
        cookie_file = "cookie"
        hidden = true

        [topologies.one]
        strategy = "epmd"
        hosts = ["{NODE1}"]

        [topologies.two]
        strategy = "epmd"
        hosts = ["{NODE2}"]
        timeout = 1000
        """
    )
    program = start("--config", str(config))
    await program.wait_log(r"^\[pyerlnode:one\] connected to :node1@localhost$")
    await program.wait_log(r"^\[pyerlnode:two\] connected to :node2@localhost$")
    assert await one.eval("nodes(hidden)") == f"[{PY}]"
    two.kill()
    await program.wait_log(r"^\[pyerlnode:two\] unable to connect to :node2@localhost$")
    await beams(25, name=NODE2)
    await program.wait_log("two.* connected", after=len(program.log) - 1)
    assert program.count_log("pyerlnode:one") == 1


@pytest.mark.beam(needs=(25,))
async def test_without_a_name_it_is_part_of_no_network_and_stays(
    beams: Starter, start: Callable[..., Program]
) -> None:
    beam = await beams(25, name=NODE1)
    program = start(**(BY_ENVIRONMENT | {"PYERLNODE_NAME": "", "RELEASE_DISTRIBUTION": "none"}))
    for name in (NODE1, NODE2, PY):
        line = rf"^\[pyerlnode:example\] unable to connect to :{name}: not part of network$"
        await program.wait_log(line)
    assert await beam.eval("nodes(connected)") == "[]"
    program.terminate()
    assert await program.wait_exit() == 0


# ---------------------------------------------------------------------------------- leaving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_end_it_leaves_the_cluster_in_order(
    release: Release, beams: Starter, start: Callable[..., Program], epmd: Epmd, number: int
) -> None:
    beam = await beams(release, name=NODE1)
    await watch(beam)
    program = start(**BY_ENVIRONMENT)
    await sees(beam, PY)
    assert "py" in epmd.names()
    os.kill(program.pid, number)
    assert await program.wait_exit() == 0
    assert "py" not in epmd.names()
    assert await beam.eval("watch ! {self(), lost}, receive Node -> Node after 5000 -> late end") == PY
    assert await beam.eval("nodes(connected)") == "[]"
    assert program.log[-1] == f"[pyerlnode] node {PY} is stopped"


async def watch(beam: Beam) -> None:
    """Make a process there that can be asked which node was lost."""
    await beam.eval(
        "Me = self(), register(watch, spawn(fun() -> net_kernel:monitor_nodes(true), Me ! ready,"
        " receive {nodedown, Node} -> receive {From, lost} -> From ! Node end end end)),"
        " receive ready -> ok end"
    )


@pytest.mark.beam(needs=(25,))
async def test_its_health_is_what_ping_says_in_its_environment(
    beams: Starter, start: Callable[..., Program]
) -> None:
    await beams(25, name=NODE1)
    program = start(**BY_ENVIRONMENT)
    await program.wait_log(CONNECTED)
    assert pyerlnode("ping", **BY_ENVIRONMENT) == (0, "pong\n", "")
    program.pause()
    status, out, err = pyerlnode("ping", "--timeout", "1", **BY_ENVIRONMENT)
    assert (status, out) == (1, "pang\n")
    assert "within 1 s" in err
    program.resume()
    assert pyerlnode("ping", **BY_ENVIRONMENT)[0] == 0
    program.kill()
    assert pyerlnode("ping", **BY_ENVIRONMENT)[0] == 1


# ---------------------------------------------------------------------------------- wrong settings


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"PYERLNODE_STRATEGY": "edmp"}, "$PYERLNODE_STRATEGY='edmp': there is no such strategy"),
        ({"PYERLNODE_TIMEOUT": "2"}, "$PYERLNODE_TIMEOUT=2: it is in milliseconds"),
        ({"PYERLNODE_HOSTS": "node1"}, "$PYERLNODE_HOSTS='node1'"),
        ({"PYERLNODE_NAME": "py@10.0.0.1"}, "so the two never connect"),
        ({"PYERLNODE_COOKIE": ""}, "a cookie cannot be empty"),
    ],
)
def test_settings_that_cannot_work_end_it_with_status_2_and_one_line(
    settings: dict[str, str], complaint: str
) -> None:
    status, out, err = pyerlnode("start", **(BY_ENVIRONMENT | settings))
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.startswith("pyerlnode: ")
    assert err.count("\n") == 1
