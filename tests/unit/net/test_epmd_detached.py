"""The daemon that a node starts where no epmd runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pyerlnode
from pyerlnode.errors import EpmdError
from pyerlnode.limits import DEFAULT
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_detached import start_detached
from pyerlnode.net.epmd_server import EpmdServer
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = ["127.0.0.1"]


class Daemons:
    """Process ids to end after a test."""

    def __init__(self) -> None:
        self.port = free_port()
        self._pids: list[int] = []

    async def start(self) -> int | None:
        pid = await start_detached(self.port, LOCAL)
        return self.mine(pid)

    def mine(self, pid: int | None) -> int | None:
        if pid is not None:
            self._pids.append(pid)
        return pid

    def end(self) -> None:
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def daemons() -> Iterator[Daemons]:
    daemons = Daemons()
    yield daemons
    daemons.end()


def process(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


async def test_it_answers_as_soon_as_it_is_started(daemons: Daemons) -> None:
    pid = await daemons.start()
    assert pid is not None
    client = EpmdClient(port=daemons.port)
    registration = await client.register("py", 7)
    assert await client.names() == [("py", 7)]
    await registration.close()


async def test_it_belongs_to_nobody(daemons: Daemons, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ERLANG_COOKIE", "RELEASE_COOKIE", "PYERLNODE_COOKIE", "PYERLNODE_SECRET"):
        monkeypatch.setenv(name, "secret")
    pid = await daemons.start()
    assert pid is not None
    assert int(process(pid)["PPid"]) != os.getpid()
    assert os.getsid(pid) not in {os.getsid(0), pid}
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
    assert "secret" not in environment(pid)
    assert int(process(pid)["VmRSS"].split()[0]) < 40_000


async def test_one_that_runs_is_left_alone() -> None:
    async with EpmdServer(0, LOCAL) as server:
        assert await start_detached(server.port, LOCAL) is None


async def test_racing_starters_get_one_between_them(daemons: Daemons) -> None:
    pids = await asyncio.gather(*(daemons.start() for _ in range(4)))
    assert len([pid for pid in pids if pid is not None]) == 1
    assert await EpmdClient(port=daemons.port).is_running()


async def test_it_ends_when_told_and_no_name_lives(daemons: Daemons) -> None:
    await daemons.start()
    client = EpmdClient(port=daemons.port)
    registration = await client.register("py", 7)
    assert not await client.kill()
    await registration.close()
    assert await client.kill()
    while await client.is_running():
        pass


async def test_it_outlives_a_starter_that_is_killed(daemons: Daemons) -> None:
    code = (
        "import asyncio, os, signal; from pyerlnode.net.epmd_detached import start_detached\n"
        "async def main():\n"
        f"    print(await start_detached({daemons.port}, {LOCAL!r}), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    printed, _ = await starter.communicate()
    pid = daemons.mine(int(printed))
    assert starter.returncode == -signal.SIGKILL
    assert pid is not None
    assert await EpmdClient(port=daemons.port).is_running()
    os.kill(pid, 0)


async def test_it_is_found_wherever_the_package_lies(daemons: Daemons, tmp_path: Path) -> None:
    """Neither installed nor in the daemon's directory: a checkout on PYTHONPATH of nobody."""
    (tmp_path / "pyerlnode").symlink_to(Path(pyerlnode.__file__).parent)
    code = (
        f"import asyncio, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pyerlnode.net.epmd_detached import start_detached\n"
        f"print(asyncio.run(start_detached({daemons.port}, {LOCAL!r})))"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    starter = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    printed, _ = await starter.communicate()
    assert daemons.mine(int(printed))


class TestTrouble:
    async def test_something_else_has_the_port(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            limits = replace(DEFAULT, epmd_time=0.2)
            with pytest.raises(EpmdError, match="did not answer"):
                await start_detached(silent.getsockname()[1], LOCAL, limits=limits)

    async def test_an_address_of_another_host(self) -> None:
        with pytest.raises(EpmdError, match=r"cannot start an epmd on port \d+: .*cannot listen"):
            await start_detached(free_port(), ["192.0.2.77"])

    async def test_no_python_is_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "")
        with pytest.raises(EpmdError, match="pyerlnode epmd start"):
            await start_detached(free_port(), LOCAL)

    async def test_python_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(EpmdError, match="/nowhere/python"):
            await start_detached(free_port(), LOCAL)

    async def test_it_detaches_and_listens_to_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/bin/true")
        with pytest.raises(EpmdError, match="does not answer"):
            await start_detached(free_port(), LOCAL)
