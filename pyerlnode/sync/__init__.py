"""The same node for scripts, notebooks and threads: every verb of :class:`pyerlnode.Node` without ``await``.

::

    from pyerlnode.sync import Node

    with Node("py@127.0.0.1", cookie="cookie") as node:
        print(node.ping("node1@127.0.0.1"))

The node lives on an event loop of its own, in a thread of its own, so it ticks, answers pings and serves its
processes while the script does something else.  Any number of threads may use it at once.  Arguments, results
and errors are those of the asyncio classes, where they are described.  Ctrl-C while waiting gives up the
waiting; the node itself goes on.

Coroutine functions given to ``spawn``, ``start_server`` and ``export`` run on that loop.  In them, use the
asyncio node that the process carries (``me.node``, ``self.node``), not this one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from pyerlnode import config
from pyerlnode import node as asyncio_node
from pyerlnode.errors import NodeNotRunning
from pyerlnode.loops import LoopName, LoopThread
from pyerlnode.otp.gen import DEFAULT_TIMEOUT
from pyerlnode.otp.io import to_stdout
from pyerlnode.otp.streaming import WINDOW
from pyerlnode.runtime.exits import NORMAL
from pyerlnode.sync.events import NodeEvents
from pyerlnode.sync.processes import Body, Process
from pyerlnode.sync.topologies import Topologies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pyerlnode.cluster.topology import Topology
    from pyerlnode.errors import CallError
    from pyerlnode.limits import Limits
    from pyerlnode.net.dial import Address
    from pyerlnode.otp.child import Child
    from pyerlnode.otp.gen_server import GenServer
    from pyerlnode.term import Pid, Term

__all__ = ["Node", "NodeEvents", "Process"]

Names: TypeAlias = list[str]  # inside Node, `list` is a method


class Node:
    """An Erlang node in this Python process, as :class:`pyerlnode.Node`: ``with Node("py") as node:``.

    `loop`
        the event loop that it runs on: ``"uvloop"``, ``"asyncio"``, or ``"auto"``: uvloop if it is installed.

    The other arguments are those of :class:`pyerlnode.Node`.
    """

    def __init__(
        self,
        name: str | None,
        *,
        cookie: str | None = None,
        hidden: bool = False,
        listen: bool = True,
        host: str | None = None,
        port: int = 0,
        epmd: bool | int = True,
        start_epmd: bool = True,
        peer_ports: Mapping[str, int] | int | None = None,
        topologies: Iterable[Topology] = (),
        text: str | None = None,
        limits: Limits | None = None,
        net_ticktime: float = 60.0,
        output: Callable[[str], None] = to_stdout,
        input: Callable[[], str] | None = None,  # noqa: A002
        loop: LoopName = "auto",
    ) -> None:
        self._node = asyncio_node.Node(
            name,
            cookie=cookie,
            hidden=hidden,
            listen=listen,
            host=host,
            port=port,
            epmd=epmd,
            start_epmd=start_epmd,
            peer_ports=peer_ports,
            topologies=topologies,
            text=text,
            limits=limits,
            net_ticktime=net_ticktime,
            output=output,
            input=input,
        )
        self._loop = LoopThread(loop)
        self.topologies = Topologies(self._node.topologies, self._loop)

    @classmethod
    def from_environment(cls, config_file: str | Path | None = None, **options: Any) -> Self:
        """A node as ``pyerlnode start`` makes it, see :meth:`pyerlnode.Node.from_environment`."""
        return cls(**(config.node_options(config_file) | options))

    # life ----------------------------------------------------------------------------

    def start(self) -> Self:
        """Bring the node up, see :meth:`pyerlnode.Node.start`."""
        if not self._loop.is_running:
            self._loop.start()
            try:
                self._loop.run(self._node.start)
            except BaseException:
                self._loop.stop()
                raise
        return self

    def stop(self) -> None:
        """Say good-bye, see :meth:`pyerlnode.Node.stop`.  Calls of other threads that wait raise."""
        try:
            self._loop.run(self._node.stop)
        except NodeNotRunning:
            return
        finally:
            self._loop.stop()

    def wait_closed(self) -> None:
        """Return when the node has stopped."""
        if self._loop.is_running:
            self._loop.run(self._node.wait_closed)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # who we are ------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """This node's name."""
        return self._node.name

    @property
    def is_alive(self) -> bool:
        """Whether this node runs as part of a network."""
        return self._node.is_alive

    @property
    def cookie(self) -> str:
        """The cookie for peers that have none of their own."""
        return self._node.cookie

    @property
    def creation(self) -> int:
        """What tells this incarnation of the node from others of the same name."""
        return self._node.creation

    @property
    def port(self) -> int | None:
        """The port that this node listens on; None where it does not."""
        return self._node.port

    @property
    def hidden(self) -> bool:
        """Whether the node stays out of other nodes' lists."""
        return self._node.hidden

    @property
    def limits(self) -> Limits:
        """Every bound on input, memory and waiting."""
        return self._node.limits

    @property
    def net_ticktime(self) -> float:
        """Seconds of silence after which a peer counts as gone."""
        return self._node.net_ticktime

    def set_cookie(self, peer: str, cookie: str) -> None:
        """Use ``cookie`` with ``peer`` alone, in both directions."""
        self._node.set_cookie(peer, cookie)

    # connections -----------------------------------------------------------------------

    def connect(self, peer: str, timeout: float = 7.0) -> bool:
        """Connect to ``peer``, see :meth:`pyerlnode.Node.connect`."""
        return self._loop.run(lambda: self._node.connect(peer, timeout))

    def ping(self, peer: str, timeout: float = 7.0) -> bool:
        """Tell whether ``peer`` answers, see :meth:`pyerlnode.Node.ping`."""
        return self._loop.run(lambda: self._node.ping(peer, timeout))

    def list(self, kind: str = "visible") -> Names:
        """Names of nodes, see :meth:`pyerlnode.Node.list`."""
        return self._loop.call(lambda: self._node.list(kind))

    def disconnect(self, peer: str) -> bool:
        """Close the connection to ``peer``; False where there is none."""
        return self._loop.run(lambda: self._node.disconnect(peer))

    def locate(self, peer: str) -> Address:
        """Where ``peer`` can be dialled, see :meth:`pyerlnode.Node.locate`."""
        return self._loop.run(lambda: self._node.locate(peer))

    def monitor_nodes(self, timeout: float | None = None) -> NodeEvents:
        """Nodes coming and going from now on, for a ``for`` loop.

        It ends after ``timeout`` seconds without an event (None: never), and when the node stops.
        """
        return NodeEvents(self._loop, self._loop.call(self._node.monitor_nodes), timeout)

    # messages and calls ----------------------------------------------------------------

    def send(self, dest: Term, message: Term, *, priority: bool = False) -> None:
        """Send a message, see :meth:`pyerlnode.Node.send`."""
        self._loop.run(lambda: self._node.send(dest, message, priority=priority))

    def call(self, dest: Term, request: Term, timeout: float | None = DEFAULT_TIMEOUT) -> Term:
        """Call a gen_server, see :meth:`pyerlnode.Node.call`."""
        return self._loop.run(lambda: self._node.call(dest, request, timeout))

    def cast(self, dest: Term, message: Term) -> None:
        """Cast to a gen_server, see :meth:`pyerlnode.Node.cast`."""
        self._loop.run(lambda: self._node.cast(dest, message))

    def multi_call(
        self, nodes: Iterable[str], name: str, request: Term, timeout: float | None = DEFAULT_TIMEOUT
    ) -> tuple[dict[str, Term], dict[str, CallError]]:
        """Call the same server on many nodes, see :meth:`pyerlnode.Node.multi_call`."""
        return self._loop.run(lambda: self._node.multi_call(nodes, name, request, timeout))

    def abcast(self, nodes: Iterable[str], name: str, message: Term) -> None:
        """Cast to the same server on many nodes, see :meth:`pyerlnode.Node.abcast`."""
        self._loop.run(lambda: self._node.abcast(nodes, name, message))

    def rpc(
        self,
        peer: str,
        module: str,
        function: str,
        args: Iterable[Term] = (),
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> Term:
        """Call a function of another node, see :meth:`pyerlnode.Node.rpc`."""
        return self._loop.run(lambda: self._node.rpc(peer, module, function, args, timeout))

    def rpc_cast(self, peer: str, module: str, function: str, args: Iterable[Term] = ()) -> None:
        """Have another node call a function, see :meth:`pyerlnode.Node.rpc_cast`."""
        self._loop.run(lambda: self._node.rpc_cast(peer, module, function, args))

    def multicall(
        self,
        peers: Iterable[str],
        module: str,
        function: str,
        args: Iterable[Term] = (),
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> tuple[dict[str, Term], dict[str, CallError]]:
        """Call a function of many nodes, see :meth:`pyerlnode.Node.multicall`."""
        return self._loop.run(lambda: self._node.multicall(peers, module, function, args, timeout))

    # processes -------------------------------------------------------------------------

    @contextmanager
    def process(self, name: str | None = None) -> Iterator[Process]:
        """A process whose body is the block: ``with node.process() as me:``.

        An exit signal that ends it makes what waits in the block, or else the end of the block, raise
        :class:`pyerlnode.Exit`.
        """
        body = Body(self._node, name)
        me = self._loop.run(body.open)
        try:
            yield Process(self, self._loop, me, body)
        except Exception as error:
            failure = error
            self._close(lambda: body.close(failure))
            raise
        except BaseException:
            self._close(lambda: body.close(None))
            raise
        else:
            self._close(lambda: body.close(None))

    def _close(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            self._loop.run(close)
        except NodeNotRunning:
            return  # it ended with its node

    def spawn(
        self,
        body: Callable[..., Awaitable[Any]],
        *args: Any,
        name: str | None = None,
        link: Pid | None = None,
        monitor: Pid | None = None,
    ) -> Pid:
        """Start a process from a coroutine function, see :meth:`pyerlnode.Node.spawn`."""
        return self._loop.run(lambda: self._node.spawn(body, *args, name=name, link=link, monitor=monitor))

    def spawn_remote(
        self,
        peer: str,
        module: str,
        function: str,
        args: Iterable[Term] = (),
        *,
        link: Pid | None = None,
        monitor: Pid | None = None,
    ) -> Pid:
        """Start a process of another node, see :meth:`pyerlnode.Node.spawn_remote`."""
        return self._loop.run(
            lambda: self._node.spawn_remote(peer, module, function, args, link=link, monitor=monitor)
        )

    def start_server(
        self,
        server: type[GenServer] | GenServer,
        *args: Any,
        name: str | None = None,
        link: Pid | None = None,
    ) -> Pid:
        """Start a GenServer, see :meth:`pyerlnode.Node.start_server`."""
        return self._loop.run(lambda: self._node.start_server(server, *args, name=name, link=link))

    def stop_server(self, dest: Term, reason: Term = NORMAL, timeout: float | None = None) -> None:
        """Have a server end, see :meth:`pyerlnode.Node.stop_server`."""
        self._loop.run(lambda: self._node.stop_server(dest, reason, timeout))

    def start_supervisor(
        self,
        children: Iterable[Child],
        *,
        strategy: str = "one_for_one",
        max_restarts: int = 3,
        max_seconds: float = 5,
        auto_shutdown: str = "never",
        name: str | None = None,
        link: Pid | None = None,
    ) -> Pid:
        """Start a supervisor, see :meth:`pyerlnode.Node.start_supervisor`."""
        return self._loop.run(
            lambda: self._node.start_supervisor(
                children,
                strategy=strategy,
                max_restarts=max_restarts,
                max_seconds=max_seconds,
                auto_shutdown=auto_shutdown,
                name=name,
                link=link,
            )
        )

    def start_child(self, supervisor: Pid | str, child: Child) -> Pid | None:
        """Have a supervisor start one more child, see :meth:`pyerlnode.Node.start_child`."""
        return self._loop.run(lambda: self._node.start_child(supervisor, child))

    def register(self, name: str, pid: Pid) -> None:
        """Register a process of this node under ``name``."""
        self._loop.call(lambda: self._node.register(name, pid))

    def unregister(self, name: str) -> bool:
        """Free ``name``; False where nobody had it."""
        return self._loop.call(lambda: self._node.unregister(name))

    def whereis(self, name: str) -> Pid | None:
        """The pid of the process that is registered as ``name``."""
        return self._loop.call(lambda: self._node.whereis(name))

    def registered(self) -> Sequence[str]:
        """Every registered name of this node."""
        return self._loop.call(self._node.registered)

    def export(
        self,
        module: str,
        function: str | None = None,
        target: Callable[..., Any] | None = None,
        *,
        process: bool = False,
    ) -> Any:
        """Let other nodes call a function, see :meth:`pyerlnode.Node.export`."""
        return self._node.export(module, function, target, process=process)

    def export_stream(
        self,
        module: str,
        function: str | None = None,
        target: Callable[..., Any] | None = None,
        *,
        window: int = WINDOW,
    ) -> Any:
        """Let other nodes start a generator as a stream, see :meth:`pyerlnode.Node.export_stream`."""
        return self._node.export_stream(module, function, target, window=window)

    def export_server(self, module: str, server: type[GenServer], *, name: str | None = None) -> None:
        """Let other nodes start servers of this class, see :meth:`pyerlnode.Node.export_server`."""
        self._node.export_server(module, server, name=name)
