"""Nodes in containers: started as the post starts them, asked, killed, paused, cut off and brought back.

    with Site("trixie") as site:                         # names of its own, one network, images of that suite
        node1 = site.elixir("node1@node1", env={"HOSTS": site.real("node1@node1,node2@node2")})
        node2 = site.python("node2@node2", env={"PYERLNODE_STRATEGY": "epmd", ...})
        eventually(node1.said, ["unable to connect to :node2@node2"])
        eventually(node2.nodes, ["node1@node1"])
        node1.kill(), node1.start(), node2.pause(), node2.unpause(), site.cut_off(node1), site.join(node1)

The real names of containers, hosts and networks begin with the site's `prefix`, so that nothing meets what
else the engine runs.  Tests read and write them without it, as the post has them: ``node1@node1``.

An Elixir node is asked through ``erl_call`` in its container, which connects as a hidden node: quick, and in
nobody's list.  A Python node is asked with ``pyerlnode`` in its container.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from tests.support.docker import COMMAND, LABEL, RUN, DockerError, docker, images, remove_containers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    Env = Mapping[str, str] | None

COOKIE = "cookie"
HOST = socket.gethostname().partition(".")[0]
"""This machine's name, as nodes in its own network have it."""
FOUND = "found "
"""How a Python topology's lines for debugging begin."""
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_numbers = count(1)


class Container:
    """A node in a container."""

    mark = ""
    """What the lines of its topology begin with."""
    names_command: Sequence[str] = ("epmd", "-names")

    seen: list[Container] = []  # noqa: RUF012 # of the running test, for the report of a failure

    def __init__(self, container: str, name: str, prefix: str) -> None:
        self.container = container
        self.name = name
        """The node's name, as tests write it."""
        self.prefix = prefix
        self.seen.append(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    # what it tells --------------------------------------------------------------------

    def logs(self) -> list[str]:
        """What it wrote so far, without colours."""
        done = subprocess.run(
            ["docker", "logs", self.container],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND,
            check=False,
        )
        text = ANSI.sub("", done.stdout.decode(errors="replace"))
        return [line.rstrip() for line in text.replace(self.prefix, "").splitlines()]

    def said(self) -> list[str]:
        """What its topology logged, in order."""
        return [line for line in self._marked() if not line.startswith(FOUND)]

    def has_looked(self) -> bool:
        """Whether its topology has looked for nodes; of a Python one at log level debug."""
        raise NotImplementedError

    def _marked(self) -> list[str]:
        return [line.partition(self.mark)[2] for line in self.logs() if self.mark in line]

    def tally(self) -> Counter[str]:
        """What its topology logged, in any order."""
        return Counter(self.said())

    def inspect(self) -> Any:
        """All that the engine knows about it."""
        return json.loads(docker("inspect", self.container))[0]

    def is_there(self) -> bool:
        """Whether it exists, running or not."""
        return bool(docker("ps", "-aq", "--filter", f"name=^/?{self.container}$"))

    def health(self) -> str:
        """``starting``, ``healthy`` or ``unhealthy``."""
        return str(self.inspect()["State"]["Health"]["Status"])

    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        state = self.inspect()["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def address(self) -> str:
        """Its IPv4 address on its network."""
        networks = self.inspect()["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    # what is done to it ---------------------------------------------------------------

    def exec(self, *command: str, stdin: str = "", timeout: float = COMMAND) -> str:
        """Run a command inside and give its standard output."""
        return docker("exec", "-i", self.container, *command, stdin=stdin, timeout=timeout)

    def kill(self) -> None:
        """SIGKILL for all that it runs."""
        docker("kill", self.container)

    def stop(self) -> None:
        """SIGTERM; SIGKILL half a minute later."""
        docker("stop", "-t", "30", self.container)

    def start(self) -> None:
        """Start it again."""
        docker("start", self.container)

    def restart(self) -> None:
        """Stop it and start it."""
        docker("restart", "-t", "30", self.container)

    def pause(self) -> None:
        """Freeze all that it runs; nobody is told."""
        docker("pause", self.container)

    def unpause(self) -> None:
        """Thaw it."""
        docker("unpause", self.container)

    def remove(self) -> None:
        """Remove it, running or not."""
        docker("rm", "-f", "-v", self.container)

    # what the node is asked -----------------------------------------------------------

    def nodes(self) -> list[str]:
        """Whom it is connected to, sorted: its ``Node.list/0``."""
        raise NotImplementedError

    def ping(self, peer: str) -> str:
        """``pong`` or ``pang``."""
        raise NotImplementedError

    def call(self, server: str, peer: str, request: str) -> str:
        """``GenServer.call({server, peer}, request)``: all but the peer in Elixir's syntax."""
        raise NotImplementedError

    def epmd_names(self) -> list[str]:
        """What ``epmd -names`` says in its container, sorted, with P for each port."""
        text = self.exec(*self.names_command).replace(self.prefix, "")
        return sorted(re.sub(r"at port \d+$", "at port P", line) for line in text.splitlines())

    def real(self, names: str) -> str:
        """Names of nodes with the prefix before each host."""
        return names.replace("@", f"@{self.prefix}")

    def plain(self, names: Sequence[str]) -> list[str]:
        """Names of nodes without the prefix, sorted."""
        return sorted(name.replace(self.prefix, "") for name in names)


class Elixir(Container):
    """An Elixir node in a container."""

    mark = "[libcluster:example] "

    def eval(self, code: str) -> str:
        """Evaluate Elixir code in the node; gives what ``inspect`` writes of its value."""
        shown = f"inspect(({code}), limit: :infinity, printable_limit: :infinity)"
        literal = ",".join(str(byte) for byte in f"to_charlist(Base.encode16({shown}))".encode())
        expression = f"element(1, 'Elixir.Code':eval_string(<<{literal}>>)).\n"
        name = self.name.partition("@")[0]
        answer = self.exec("erl_call", "-sname", name, "-c", COOKIE, "-e", stdin=expression)
        found = re.fullmatch(r'\{ok, "([0-9A-F]*)"\}', answer.strip())
        if found is None:
            raise DockerError(f"{self}: {code} gave {answer}")
        return bytes.fromhex(found[1]).decode().replace(self.prefix, "")

    def has_looked(self) -> bool:
        return any("Interactive Elixir" in line for line in self.logs())

    def nodes(self) -> list[str]:
        return sorted(self.eval("Enum.join(Node.list(), ~s( ))").strip('"').split())

    def ping(self, peer: str) -> str:
        return self.eval(f"Node.ping({self._atom(peer)})").removeprefix(":")

    def connect(self, peer: str) -> str:
        """``Node.connect/1``."""
        return self.eval(f"Node.connect({self._atom(peer)})")

    def call(self, server: str, peer: str, request: str) -> str:
        return self.eval(f"GenServer.call({{{server}, {self._atom(peer)}}}, {self.real(request)})")

    def _atom(self, node: str) -> str:
        return f':"{self.real(node)}"'


class Python(Container):
    """A Python node in a container."""

    mark = "[pyerlnode:example] "
    names_command = ("pyerlnode", "names")

    def has_looked(self) -> bool:
        return any(line.startswith(FOUND) for line in self._marked())

    def nodes(self) -> list[str]:
        return self.plain(self._ask("nodes", self.real(self.name)).split())

    def ping(self, peer: str) -> str:
        try:
            return self._ask("ping", self.real(peer)).strip()
        except DockerError as error:
            if "pang" in str(error).splitlines():
                return "pang"
            raise

    def call(self, server: str, peer: str, request: str) -> str:
        server = server if server.startswith(":") else f"Elixir.{server}"
        return self._ask("call", self.real(peer), server, self.real(request)).strip().replace(self.prefix, "")

    def _ask(self, *command: str) -> str:
        return self.exec("pyerlnode", *command, "--cookie", COOKIE)


KINDS: dict[str, type[Container]] = {"elixir": Elixir, "python": Python, "app": Python}
"""As the compose files name them."""


class Site:
    """Names of its own on the engine, one network, and what one test runs there."""

    def __init__(self, suite: str) -> None:
        self.suite = suite
        self.prefix = f"{RUN}x{next(_numbers)}x"
        self.network = f"{self.prefix}net_poc"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove all that has the prefix."""
        remove_containers(named=self.prefix)

    def real(self, names: str) -> str:
        """Names of nodes with the prefix before each host."""
        return names.replace("@", f"@{self.prefix}")

    def elixir(self, name: str, *, suite: str = "", env: Env = None, **where: Any) -> Elixir:
        """Start a node as the post does; `where` is what `run` takes."""
        image = f"libcluster_poc:{images(suite or self.suite)}"
        arguments = ("--cookie", COOKIE, "--sname", _sname(name), "-S", "mix")
        container = self.run(
            name, image, *arguments, env=env, flags=("-i", "-t", "--entrypoint=iex"), **where
        )
        return Elixir(container, name, self._prefix_of(name))

    def python(self, name: str, *arguments: str, suite: str = "", env: Env = None, **where: Any) -> Python:
        """Start ``pyerlnode start`` with `arguments`; `where` is what `run` takes."""
        image = f"pyerlnode:{images(suite or self.suite)}"
        return self._python(name, image, "start", *arguments, env=env, **where)

    def app(self, name: str, *, suite: str = "", env: Env = None, **where: Any) -> Python:
        """Start docker/app.py; `where` is what `run` takes."""
        return self._python(name, f"pyerlnode-app:{images(suite or self.suite)}", env=env, **where)

    def _python(self, name: str, image: str, *command: str, env: Env, **where: Any) -> Python:
        named = {"PYERLNODE_NAME": _sname(name), "PYERLNODE_COOKIE": COOKIE, "PYERLNODE_TOPOLOGY": "example"}
        container = self.run(name, image, *command, env={**named, **(env or {})}, **where)
        return Python(container, name, self._prefix_of(name))

    def run(
        self,
        name: str,
        image: str,
        *command: str,
        env: Env = None,
        flags: Sequence[str] = (),
        alias: str | None = None,
    ) -> str:
        """Start a container for the node `name`; gives the container's name.

        It is the host of the node's name, in the site's network and there also known as `alias`.  A node of
        `HOST` runs in the machine's own network instead.
        """
        local, _, host = name.partition("@")
        container = self.prefix + (local if host == HOST else host)
        net = ["--net=host"] if host == HOST else ["--net", self.made_network(), "--hostname", container]
        net += ["--net-alias", alias] if alias else []
        variables = [part for key, value in (env or {}).items() for part in ("-e", f"{key}={value}")]
        docker("run", "-d", "--label", LABEL, "--name", container, *net, *variables, *flags, image, *command)
        return container

    def made_network(self) -> str:
        """Give the name of the network, which Compose makes itself, and this where there is none yet."""
        if not docker("network", "ls", "-q", "--filter", f"name=^{self.network}$"):
            docker("network", "create", "--label", LABEL, self.network)
        return self.network

    def _prefix_of(self, name: str) -> str:
        return "" if name.endswith(f"@{HOST}") else self.prefix

    def cut_off(self, node: Container) -> None:
        """Take a container off the network; nobody is told."""
        docker("network", "disconnect", self.network, node.container)

    def join(self, node: Container, *, alias: str | None = None) -> None:
        """Bring a container back to the network, with any address."""
        aliases = ["--alias", alias] if alias else []
        docker("network", "connect", *aliases, self.network, node.container)


def _sname(name: str) -> str:
    """What ``--sname`` is given: the post writes ``node1``, but ``node@node1`` where the host says more."""
    return name.partition("@")[0]
