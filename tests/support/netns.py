"""Linux namespaces that nobody has to clean up: network, host name and mounts, held by one small process.

    with Namespace("web1") as space:
        subprocess.run([*space.enter, "ip", "address"])
        space.write("/etc/hosts", "127.0.0.1 localhost\\n")      # its /etc is a copy of the machine's
        space.socket(socket.AF_INET, socket.SOCK_DGRAM)          # a socket of ours on its network

It has no name on the machine and no file.  The process that holds it ends with us, however we end, and kills
whatever else still runs in it; then the kernel removes all of it.  Takes root, and iproute2.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

CLONE_NEWNET = 0x40000000

HOLD = """
echo "$0" > /proc/sys/kernel/hostname || exit
cd /etc && mount -t tmpfs tmpfs /etc && cp -a . /etc/ && cd / || exit
ip link set lo up || exit
for file in all default; do echo 0 > /proc/sys/net/ipv6/conf/$file/accept_dad; done 2>/dev/null
echo ready
read -r _ && exit
mine=$(readlink /proc/self/ns/net)
for process in /proc/[0-9]*; do
    [ "$(readlink "$process/ns/net" 2>/dev/null)" = "$mine" ] && [ "$process" != "/proc/$$" ] &&
        kill -KILL "${process#/proc/}" 2>/dev/null
done
"""
"""Shell of the holder, in the new namespaces; $0 is the host name.

A line tells it to end.  Where its input ends without one, so did we, and what runs inside is left to it.
"""


def problem() -> str | None:
    """Why namespaces cannot be made here, or None."""
    if sys.platform != "linux":
        return "network namespaces take Linux"
    if os.geteuid() != 0:
        return "network namespaces take root"
    missing = [tool for tool in ("ip", "unshare", "nsenter", "mount") if shutil.which(tool) is None]
    if missing:
        return f"not on this machine: {', '.join(missing)} (Debian: iproute2, util-linux, mount)"
    trial = subprocess.run(
        ["unshare", "--net", "--uts", "--mount", "true"], capture_output=True, text=True, check=False
    )
    return f"network namespaces are not allowed here: {trial.stderr.strip()}" if trial.returncode else None


class Namespace:
    """One set of namespaces, from construction until `close`.  Nothing but ``lo`` is in its network."""

    def __init__(self, name: str) -> None:
        self.name = name
        hold = ["unshare", "--net", "--uts", "--mount", "sh", "-c", HOLD, name]
        self._holder = subprocess.Popen(
            hold,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is not for it: it ends after us
        )
        if self._holder.stdout is None or self._holder.stdout.readline() != "ready\n":
            _, errors = self._holder.communicate()
            raise OSError(f"no namespace for {name}: {errors.strip()}")

    @property
    def pid(self) -> int:
        """The process that holds it."""
        return self._holder.pid

    @property
    def id(self) -> str:
        """What the kernel calls its network: "net:[4026532281]"."""
        return os.readlink(f"/proc/{self.pid}/ns/net")

    @property
    def enter(self) -> list[str]:
        """Begins a command that shall run inside; the process keeps its id and its working folder's name."""
        nsenter = ["nsenter", f"--target={self.pid}", "--net", "--uts", "--mount"]
        return [*nsenter, "env", f"--chdir={Path.cwd()}"]

    def ip(self, *lines: str) -> None:
        """Runs lines of ``ip -batch`` inside."""
        network = ["nsenter", f"--target={self.pid}", "--net"]
        done = subprocess.run(
            [*network, "ip", "-batch", "-"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OSError(f"ip in {self.name}: {done.stderr.strip()}")

    def write(self, path: str, text: str) -> None:
        """Writes a file below its /etc, which nobody else sees.  Never through a link out of there."""
        if not path.startswith("/etc/"):
            raise ValueError(f"{path}: only /etc is its own")
        inside = Path(f"/proc/{self.pid}/root{path}")
        if inside.is_symlink():
            inside.unlink()
        inside.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        """Reads a file as it is inside."""
        return Path(f"/proc/{self.pid}/root{path}").read_text(encoding="utf-8")

    def socket(
        self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0
    ) -> socket.socket:
        """A socket of this process on the network inside: whatever is done with it is done there."""

        def make() -> socket.socket:
            with Path(f"/proc/{self.pid}/ns/net").open("rb") as network:
                _set_namespace(network.fileno())
            return socket.socket(family, kind, protocol)

        with ThreadPoolExecutor(1) as alone:  # only that thread is in there
            return alone.submit(make).result()

    def processes(self) -> list[int]:
        """The ids of what runs inside, but for its holder."""
        return [pid for pid in processes_in(self.id) if pid != self.pid]

    def close(self) -> None:
        """Kills what runs inside and lets it go."""
        if self._holder.returncode is None:
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._holder.communicate("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def processes_in(network: str) -> list[int]:
    """The ids of the processes whose network is the one of this `Namespace.id`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            if os.readlink(process / "ns/net") == network:
                found.append(int(process.name))
    return found


def _set_namespace(descriptor: int) -> None:
    """``os.setns``, which Python has from 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
