"""Several hosts on one machine: each with its own address, name, /etc and epmd, on one network.

    with Network(dns=True) as network:
        a, b = network.host("web1"), network.host("web2")       # 10.77.0.11, 10.77.0.12; epmd on 4369
        network.dns.add("web", "A", a.address, b.address)
        beam = await a.beam(release, f"node@{a.address}").start()
        py = await b.python_node("py@web2").start()             # questioned: await py.eval("node.list()")
        program = b.node("--name", f"node@{b.address}", env={"PYERLNODE_STRATEGY": "dns_poll"})
        await program.wait_log("connected to")                  # `pyerlnode start`, its log watched
        network.split([a], [b]), network.heal()
        b.unplug(), b.plug(), b.power_off(), b.power_on()

Nothing of it is on the machine: the network is a bridge in a network namespace of its own, each host is
another one (`tests.support.netns`), and all of them end with this process, however it ends.  So every network
can have the same addresses, epmd its real port, and DNS its port 53.  Multicast reaches every host.

A host knows the names of all hosts through its /etc/hosts, and asks the network's own DNS server, if it has
one (nobody otherwise).  `Host.write` changes a host's files, `Host.socket` gives this process a socket there.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.beam import Beam
from tests.support.dns_server import DnsServer
from tests.support.epmd import find_epmd, tied_to_us
from tests.support.netns import Namespace
from tests.support.program import Program
from tests.support.python_node import PythonNode

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tests.support.beams import Release

ROOT = Path(__file__).parents[2]
PREFIX, PREFIX6 = "10.77.0", "fd77:"
WHOLE = "whole"
"""The bridge that all are plugged into."""
EPMD_PORT = 4369
FOREIGN = ("ERL_", "ELIXIR_", "RELEASE_", "PYERLNODE_", "NOTIFY_")
"""Environment of this process that is not for a host."""
PATIENCE = 30.0
"""Seconds for a command to end."""


def addresses(address: str, address6: str, device: str) -> list[str]:
    """Lines of ``ip`` that give a device its addresses; IPv4 alone where the kernel has nothing else."""
    lines = [f"address add {address}/24 broadcast + dev {device}"]
    if Path("/proc/net/if_inet6").exists():
        lines.append(f"address add {address6}/64 dev {device} nodad")
    return lines


class Network:
    """A switch that hosts are plugged into, and with `dns` a DNS server at its address."""

    def __init__(self, *, dns: bool = False) -> None:
        self.hosts: list[Host] = []
        self.address = f"{PREFIX}.1"
        """IPv4 address of the switch itself, where the DNS server is."""
        self.address6 = f"{PREFIX6}:1"
        self._numbers = itertools.count(11)
        self._with_dns = dns
        self._dns: DnsServer | None = None
        self._stack = ExitStack()

    @property
    def dns(self) -> DnsServer:
        """Its DNS server."""
        if self._dns is None:
            raise RuntimeError("this network has no DNS server: Network(dns=True)")
        return self._dns

    def host(self, name: str, *, epmd: bool = True) -> Host:
        """A new host, up and known to the others; without `epmd` none runs there."""
        host = Host(self, name, next(self._numbers), epmd=epmd)
        self.hosts.append(host)
        host.power_on()
        for known in self.hosts:
            known.write("/etc/hosts", self.hosts_file())
        return host

    def hosts_file(self) -> str:
        """The /etc/hosts of every host."""
        lines = ["127.0.0.1 localhost", *(f"{host.address} {host.name}" for host in self.hosts)]
        return "".join(f"{line}\n" for line in lines)

    def resolv_conf(self) -> str:
        """The /etc/resolv.conf of every host."""
        servers = f"nameserver {self.address}\n" if self._dns else ""
        return f"{servers}options timeout:1 attempts:2\n"

    def split(self, *groups: Sequence[Host]) -> None:
        """Leave each of `groups` to itself.  DNS and hosts not named stay with the first; nobody is told."""
        self.heal()
        for number, group in enumerate(groups[1:], start=2):
            with contextlib.suppress(OSError):  # it is there from an earlier time
                self._bridge(f"part{number}")
            self._space.ip(*(f"link set {host.port} master part{number}" for host in group))

    def heal(self) -> None:
        """Everybody reaches everybody again."""
        self._space.ip(*(f"link set {host.port} master {WHOLE}" for host in self.hosts if host.is_on))

    def socket(self, *kind: int) -> socket.socket:
        """A socket of this process at the switch, seen by hosts as :attr:`address`."""
        return self._space.socket(*kind)

    def _bridge(self, name: str) -> None:
        self._space.ip(
            f"link add {name} type bridge mcast_snooping 0 forward_delay 0",
            f"link set {name} up",
        )

    def close(self) -> None:
        """End all hosts and what runs on them."""
        for host in self.hosts:
            host.close()
        self._stack.close()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._space = stack.enter_context(Namespace("switch"))
            self._bridge(WHOLE)
            self._space.ip(*addresses(self.address, self.address6, WHOLE))
            if self._with_dns:
                self._dns = DnsServer(self.address, 53, open_socket=self._space.socket)
                stack.enter_context(self._dns)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Host:
    """One host of a `Network`."""

    def __init__(self, network: Network, name: str, number: int, *, epmd: bool) -> None:
        self.name = name
        """Its host name, a short one or with a domain."""
        self.address, self.address6 = f"{PREFIX}.{number}", f"{PREFIX6}:{number}"
        self.port = f"to{number}"
        """The switch's end of its cable."""
        self._network = network
        self._number = number
        self._with_epmd = epmd
        self._space: Namespace | None = None
        self._programs: list[Program] = []

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.address}>"

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._space is not None

    @property
    def space(self) -> Namespace:
        """Its namespaces."""
        if self._space is None:
            raise RuntimeError(f"{self!r} is off")
        return self._space

    # Life

    def power_on(self) -> None:
        """Boot it: same name and addresses, nothing running but epmd, files as at first."""
        self._space = Namespace(self.name)
        self._plug_in(self._space)
        self.write("/etc/hosts", self._network.hosts_file())
        self.write("/etc/resolv.conf", self._network.resolv_conf())
        self.write("/etc/nsswitch.conf", "hosts: files dns\n")
        if self._with_epmd:
            self.start_epmd()

    def _plug_in(self, space: Namespace) -> None:
        mac = f"02:00:00:00:00:{self._number:02x}"  # always the same: no peer has to learn another
        self._network._space.ip(
            f"link add {self.port} type veth peer name eth0 address {mac} netns {space.pid}",
            f"link set {self.port} master {WHOLE}",
            f"link set {self.port} up",
        )
        space.ip(
            *addresses(self.address, self.address6, "eth0"),
            "link set eth0 up",
            f"route add default via {self._network.address}",
        )

    def power_off(self) -> None:
        """End it without a word to anybody: no peer sees a connection closed."""
        self._network._space.ip(f"link delete {self.port}")
        self.close()

    def unplug(self) -> None:
        """Pull its cable at the switch; nobody is told, not even the host."""
        self._network._space.ip(f"link set {self.port} nomaster")

    def plug(self) -> None:
        """Put its cable back."""
        self._network._space.ip(f"link set {self.port} master {WHOLE}")

    def close(self) -> None:
        """End what runs on it, and it."""
        if self._space is not None:
            self._space.close()
            self._space = None
        for program in self._programs:
            program.close()
        self._programs.clear()

    # What runs on it

    @property
    def enter(self) -> list[str]:
        """Begins a command that shall run on it."""
        return self.space.enter

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of its processes: ours without what concerns nodes, and `env`."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        return kept | {"LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"} | dict(env or {})

    def popen(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """A ``subprocess.Popen`` on it, which the caller ends."""
        return subprocess.Popen(
            tied_to_us([*self.enter, *command]), env=self.environment(env), cwd=ROOT, **options
        )

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it to its end; what it printed is text, standard error with it."""
        pipe = subprocess.PIPE
        process = self.popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT
        )
        with process:
            try:
                output, _ = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(command, process.returncode, output.decode())

    def program(self, *command: str, env: Mapping[str, str] | None = None) -> Program:
        """A command running on it, its log watched; ends with the host at the latest."""
        program = Program(
            [*self.enter, *command],
            env=self.environment(env),
            cwd=ROOT,
            called=f"{' '.join(command)[:200]} on {self.name}",
        )
        self._programs.append(program)
        return program

    def pyerlnode(self, *words: str, env: Mapping[str, str] | None = None) -> Program:
        """``python -m pyerlnode`` with these arguments, as `program`."""
        return self.program(sys.executable, "-m", "pyerlnode", *words, env=env)

    def node(self, *words: str, env: Mapping[str, str] | None = None) -> Program:
        """``pyerlnode start``, with the cookie "cookie" unless `env` or `words` say otherwise."""
        cookie = {"ERLANG_COOKIE": "cookie"}  # the weakest of the variables
        return self.pyerlnode("start", *words, env=cookie | dict(env or {}))

    def python_node(self, name: str, **options: Any) -> PythonNode:
        """A node of ours on it that tests can question, not yet started; `options` are `PythonNode`'s."""
        settings: dict[str, Any] = {
            "epmd_port": True,
            "env": self.environment(),
            "wrapper": self.enter,
        } | options
        return PythonNode(name, **settings)

    def beam(self, release: Release, name: str, **options: Any) -> Beam:
        """A BEAM on it, not yet started; `options` as `Beam` has them."""
        settings: dict[str, Any] = {"elixir": release.elixir is not None, "wrapper": self.enter}
        return Beam(release, name=name, **(settings | options))

    def start_epmd(self) -> Program:
        """A real epmd on its real port, as soon as it answers."""
        epmd = find_epmd()
        if epmd is None:
            raise FileNotFoundError("no `epmd` on this machine: install Erlang (Debian: erlang-base)")
        program = self.program(epmd, "-port", str(EPMD_PORT))
        deadline = time.monotonic() + PATIENCE
        while not self._is_served(EPMD_PORT):
            if time.monotonic() > deadline or not program.is_alive:
                raise RuntimeError(f"epmd did not start on {self!r}")
            time.sleep(0.005)  # epmd tells nobody when it listens
        return program

    def _is_served(self, port: int) -> bool:
        with self.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    # Its files and its network

    def write(self, path: str, text: str) -> None:
        """Write one of its files; only those in /etc are its own."""
        self.space.write(path, text)

    def socket(self, *kind: int) -> socket.socket:
        """A socket of this process on its network: ``host.socket(socket.AF_INET, socket.SOCK_DGRAM)``."""
        return self.space.socket(*kind)
