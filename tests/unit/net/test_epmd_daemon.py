"""The program: its exit statuses, its signals, and what it does not import."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_daemon import main
from pyerlnode.net.epmd_server import EpmdServer
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0, ["127.0.0.1"]) as server:
        yield server


class TestStatus:
    def test_2_and_the_usage_for_a_wrong_flag(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["-nonsense"]) == 2
        assert "usage:" in capsys.readouterr().err

    def test_2_for_an_address_that_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["-port", str(free_port()), "-address", "localhost"]) == 2
        assert "localhost" in capsys.readouterr().err

    def test_1_when_it_cannot_listen(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["-port", str(free_port()), "-address", "192.0.2.77"]) == 1
        assert "cannot listen" in capsys.readouterr().err

    async def test_0_when_there_is_one_already(self, server: EpmdServer) -> None:
        assert main(["-port", str(server.port)]) == 0

    async def test_0_and_the_port_free_after_kill(self) -> None:
        port = free_port()
        running = asyncio.create_task(asyncio.to_thread(_main_in_thread, ["-port", str(port)]))
        client = EpmdClient(port=port)
        while not await client.is_running():
            assert not running.done()
        assert await client.kill()
        assert await running == 0
        assert not await client.is_running()


def _main_in_thread(argv: list[str]) -> int:
    """Signals are for main threads; everything else is as in a program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", lambda *_: None)
        return main(argv)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_end_it_in_order(number: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-m", "pyerlnode.net.epmd_daemon", "-port", str(port), "-address", "127.0.0.1"]
    program = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    client = EpmdClient(port=port)
    while not await client.is_running():
        assert program.returncode is None
    program.send_signal(number)
    _, printed = await program.communicate()
    assert (program.returncode, printed) == (0, b"")


def test_it_needs_little_of_the_package() -> None:
    code = (
        "import sys, pyerlnode.net.epmd_daemon; print(*[n for n in sys.modules if n.startswith('pyerlnode')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.removeprefix("pyerlnode").removeprefix(".") for name in done.stdout.split()}
    assert loaded <= {
        "",
        "compiled__mypyc",
        "errors",
        "frozen",
        "lazy",
        "limits",
        "net",
        "net.epmd_daemon",
        "net.epmd_flags",
        "net.epmd_server",
        "wire",
        "wire.epmd",
        "wire.epmd_registry",
    }


def test_a_daemon_keeps_no_files_but_its_own() -> None:
    code = (
        "import os, socket; from pyerlnode.net.epmd_daemon import daemonize\n"
        "kept, other, said = socket.socket(), socket.socket(), b'still open'\n"
        "read, write = os.pipe(); child = os.fork()\n"
        "if child == 0:\n"
        "    daemonize([kept.fileno(), write])\n"
        "    kept.getsockname()\n"
        "    try: other.getsockname()\n"
        "    except OSError: said = b'%s %d' % (os.getcwd().encode(), os.getsid(0) == os.getpid())\n"
        "    os.write(write, said)\n"
        "    os._exit(0)\n"
        "os.close(write); os.waitpid(child, 0); print(os.read(read, 100).decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    pid, said = done.stdout.splitlines()
    assert int(pid) > 0
    assert said == "/ 0"
