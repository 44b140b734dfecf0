"""What users hold: one Erlang node, with the verbs of ``Node``, ``Process`` and ``GenServer``.

It puts the parts together (runtime, OTP's services, and the place in the world) and adds no protocol.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from pyerlnode import config
from pyerlnode.cluster.names import NO_NAME
from pyerlnode.cluster.ports import World
from pyerlnode.cluster.topologies import Topologies
from pyerlnode.config.environment import environment
from pyerlnode.errors import CallError, ConfigError, ConnectFailed, EpmdError, NodeNotRunning
from pyerlnode.lazy import later
from pyerlnode.limits import Limits
from pyerlnode.net.chance import new_creation
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.locate import Locator
from pyerlnode.net.presence import Place, Presence
from pyerlnode.otp import erpc, gen, net_kernel, remote_spawn
from pyerlnode.otp.child import Supervisor
from pyerlnode.otp.exports import Exports
from pyerlnode.otp.gen import Process
from pyerlnode.otp.global_names import GlobalNameServer
from pyerlnode.otp.io import User, to_stdout
from pyerlnode.otp.rex import Rex
from pyerlnode.otp.server import ask_to_stop
from pyerlnode.otp.starting import Starter, StartLink
from pyerlnode.otp.streaming import WINDOW, Stream
from pyerlnode.runtime import requests, shutdown
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.events import NodeEvents, Subscription
from pyerlnode.runtime.exits import NORMAL, SHUTDOWN
from pyerlnode.runtime.peers import Peers
from pyerlnode.runtime.requests import destination, reach
from pyerlnode.runtime.router import Router
from pyerlnode.term import Atom, Pid
from pyerlnode.wire import flags
from pyerlnode.wire.handshake import LocalNode
from pyerlnode.wire.names import is_long_host, split_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pyerlnode.cluster.topology import Topology
    from pyerlnode.net.dial import Address
    from pyerlnode.otp import stopping, workers
    from pyerlnode.otp import supervisor as supervisors
    from pyerlnode.otp.child import Child
    from pyerlnode.otp.gen_server import GenServer
    from pyerlnode.otp.workers import Workers
    from pyerlnode.runtime.actor import Actor
    from pyerlnode.term import Term
else:
    stopping = later("pyerlnode.otp.stopping")
    supervisors = later("pyerlnode.otp.supervisor")
    workers = later("pyerlnode.otp.workers")

log = logging.getLogger("pyerlnode.node")

NO_COOKIE = "nocookie"
STOP_GRACE = 5.0
"""Seconds that servers get for ``terminate`` when their node stops."""


class Node:
    """An Erlang node in this Python process.  Use it as ``async with Node("py@127.0.0.1") as node:``.

    `name`
        ``"py@host"``; ``"py"`` completes itself with this machine's short name, as ``--sname py`` does.
        None: a dynamic name, given by the first peer; such a node is hidden and listens to nobody.
        ``"nonode@nohost"``: no name, as an Erlang that was started without one; it connects to nobody.
    `cookie`
        what proves nodes to each other; by default ``$ERLANG_COOKIE``, else ``~/.erlang.cookie``.
    `hidden`
        whether the node stays out of other nodes' ``Node.list()`` and out of the mesh.
    `listen`, `host`, `port`
        whether, on which address and on which port other nodes may connect.  By default a name on loopback
        listens on loopback, any other on all interfaces, on any free port.
    `epmd`, `start_epmd`
        True: the port mapper at ``$ERL_EPMD_PORT`` (4369); a number: the one on that port; False: none, with
        fixed ports: `port` for this node, `peer_ports` for others.  Where none runs, one is started,
        detached, unless `start_epmd` is False.
    `peer_ports`
        the port of each peer that is to be dialled without a port mapper, by node name; or one, for all.
    `topologies`
        ways to find other nodes and stay connected to them (:mod:`pyerlnode.cluster`); ``node.topologies``
        has them.
    `text`
        ``"utf8"`` to get binaries that are valid UTF-8 as ``str``; by default binaries are ``bytes``.
    `limits`
        every bound on input, memory and waiting.
    `net_ticktime`
        seconds of silence after which a peer counts as gone; equal on all nodes of a cluster.
    `output`, `input`
        take what remote code prints on behalf of this node (standard output by default), and give the lines
        that it asks for, ``""`` at their end (by default there are none).  `input` runs in a thread.
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
        input: Callable[[], str] | None = None,  # noqa: A002  its counterpart is `output`
    ) -> None:
        if net_ticktime <= 0:
            raise ConfigError("net_ticktime", net_ticktime, "it must be greater than 0, in seconds")
        if text not in (None, "utf8"):
            raise ConfigError("text", text, "it is None (binaries are bytes) or 'utf8'")
        self._asked_name = None if name is None else config.complete_name(name)
        self._given_cookie = cookie
        self._cookies: dict[str, str] = {}
        self.hidden = hidden or name is None
        self.limits = limits or Limits()
        self.net_ticktime = net_ticktime
        self._listen = listen and name not in (None, NO_NAME)
        self.topologies = Topologies(topologies)
        self._host = host
        self._port = port
        self._epmd = epmd
        self._start_epmd = start_epmd
        self._peer_ports = peer_ports
        self._text = text
        self._output = output
        self._input = input
        self._executor: Workers | None = None
        self._closed: asyncio.Event | None = None
        self._starting = asyncio.Lock()
        self._stopping: asyncio.Task[None] | None = None
        self._running = False
        self._exports = Exports(self._workers)
        self._starter = Starter(self._new_process, self._workers, self._exports, self.whereis)

    @classmethod
    def from_environment(cls, config_file: str | Path | None = None, **options: Any) -> Self:
        """A node as ``pyerlnode start`` makes it, not started yet: for programs that run in containers.

        Its settings are those of ``PYERLNODE_NAME``, ``PYERLNODE_COOKIE``, ``PYERLNODE_STRATEGY`` and so on,
        then of the TOML file at `config_file` or ``$PYERLNODE_CONFIG`` (docs/clustering.md lists them).
        `options` are those of :class:`Node` and win over them.  Raises :class:`ConfigError`.
        """
        return cls(**(config.node_options(config_file) | options))

    # life ----------------------------------------------------------------------------

    async def start(self) -> Self:
        """Brings the node up: it listens, is registered, and can be reached when this returns.

        Raises :class:`NameTaken`, :class:`EpmdError`, :class:`ConfigError`.
        """
        async with self._starting:
            if not self._running:
                await self._start()
        return self

    async def _start(self) -> None:
        if self._stopping is not None:
            await asyncio.shield(self._stopping)
        if self._asked_name is not None:
            self.topologies.check(self._asked_name)
        unnamed = (
            self._asked_name == NO_NAME and self._given_cookie is None
        )  # needs none: make no file for it
        self._cookie = NO_COOKIE if unnamed else config.read_cookie(self._given_cookie)
        self._router = Router(self._asked_name or NO_NAME, 0, limits=self.limits, text=self._text)
        self._events = NodeEvents()
        self._peers = Peers(self, self._router, self._events)
        self._router.reach = self._peers.connect
        self._locator = self._make_locator()
        self._presence = await self._appear()
        self._start_services()
        self._peers.open()
        self._closed, self._stopping = asyncio.Event(), None
        self._running = True
        log.info("node %s is started", self.name)
        self.topologies.start(World(self, self._epmd_names, self._events.listen, environment()))

    def _make_locator(self) -> Locator:
        ports = self._peer_ports
        epmd_port = self._epmd_port()
        client = None if epmd_port is None else EpmdClient(port=epmd_port, limits=self.limits)
        long_names = None
        if self._asked_name is not None:
            long_names = is_long_host(split_name(self._asked_name)[1])
        return Locator(
            client,
            ports=None if isinstance(ports, int) else ports,
            same_port=ports if isinstance(ports, int) else None,
            long_names=long_names,
            limits=self.limits,
        )

    def _epmd_port(self) -> int | None:
        if self._epmd is False:
            return None
        return config.epmd_settings().port if self._epmd is True else int(self._epmd)

    async def _appear(self) -> Presence | None:
        if not self._listen or self._asked_name is None:
            return None
        place = Place(
            self._asked_name,
            hidden=self.hidden,
            host=self._host,
            port=self._port,
            epmd_port=self._epmd_port(),
            start_epmd=self._start_epmd,
            epmd_addresses=config.epmd_settings().addresses,
            epmd_relaxed=config.epmd_settings().relaxed,
        )
        presence = Presence(place, self.introduction, self._peers, self.limits)
        self._router.registry.creation = await presence.open()
        return presence

    def _start_services(self) -> None:
        router = self._router
        if router.registry.creation == 0 and self._asked_name is not None:
            router.registry.creation = new_creation()
        self._global = GlobalNameServer(router, self._peers.connect, self._peers.disconnect)
        self._net_kernel = net_kernel.NetKernel(router)
        self._rex = Rex(router, self._exports, self)
        self._user = User(router, self._output, self._input)
        self._client = Reactor(router, _ignore)
        router.spawner = erpc.Spawner(router, self._exports, self)
        if not self.hidden:
            self._events.listen(self._global.on_node_event)
        self._global.start()

    async def stop(self) -> None:
        """Says good-bye: servers terminate, processes end with ``shutdown``, connections close after what was
        sent is out, and the name is free when this returns.

        Whoever waits for anything of this node gets an error.  May be called twice, and by a process of this
        node, which ends last.  What was begun goes on when whoever waits for it is cancelled.
        """
        if self._running:
            self._running = False
            work = self._stop(asyncio.current_task())
            self._stopping = asyncio.get_running_loop().create_task(work, name=f"stop {self.name}")
        if self._stopping is not None:
            await asyncio.shield(self._stopping)

    async def _stop(self, caller: asyncio.Task[Any] | None) -> None:
        end_processes = partial(
            shutdown.end_processes, self._router, ask_to_stop, grace=STOP_GRACE, caller=caller
        )
        async with AsyncExitStack() as steps:  # every step is made, also when one fails or is cancelled
            steps.callback(self._finish)
            if self._presence is not None:
                steps.push_async_callback(self._presence.close)
            steps.callback(shutdown.end_rest, self._router, caller=caller)
            steps.push_async_callback(self._peers.close)
            steps.push_async_callback(end_processes)
            steps.push_async_callback(self._global.stop)
            steps.push_async_callback(self.topologies.stop)

    def _finish(self) -> None:
        self._user.close()
        self._events.close()
        if self._executor is not None:
            self._executor.close()
            self._executor = None
        if self._closed is not None:
            self._closed.set()
        log.info("node %s is stopped", self.name)

    async def wait_closed(self) -> None:
        """Returns when the node has stopped."""
        if self._closed is not None:
            await self._closed.wait()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # who we are ------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """This node's name; ``nonode@nohost`` for a dynamic one that no peer has named yet."""
        if self._running or self._asked_name is None:
            return str(self._router.node) if hasattr(self, "_router") else NO_NAME
        return self._asked_name

    @property
    def is_alive(self) -> bool:
        """Whether this node runs as part of a network, as ``Node.alive?/0``."""
        return self._running and self._asked_name != NO_NAME

    @property
    def cookie(self) -> str:
        """The cookie for peers that have none of their own."""
        self._check_running()
        return self._cookie

    @property
    def creation(self) -> int:
        """What tells this incarnation of the node from others of the same name."""
        return self._check_running().registry.creation

    @property
    def port(self) -> int | None:
        """The port that this node listens on; None where it does not."""
        self._check_running()
        return None if self._presence is None else self._presence.port

    def set_cookie(self, peer: str, cookie: str) -> None:
        """Uses `cookie` with `peer` alone, in both directions."""
        self._cookies[peer] = config.check_cookie("cookie", cookie)

    def cookie_for(self, peer: str) -> str:
        """The cookie that is shared with `peer`."""
        return self._cookies.get(peer, self._cookie)

    def introduction(self) -> LocalNode:
        """What this node says about itself in a handshake."""
        announced = flags.HIDDEN if self.hidden else flags.VISIBLE
        registry = self._router.registry
        if self._asked_name is None and registry.node == NO_NAME:
            return LocalNode(config.short_host(), announced | flags.Flags.NAME_ME, 0, dynamic=True)
        return LocalNode(registry.node, announced, registry.creation)

    def named(self, name: str, creation: int) -> None:
        """A peer gave this node its name."""
        registry = self._router.registry
        if registry.node != name:
            registry.rename(Atom(name), creation)
            log.info("this node is now %s", name)

    async def locate(self, peer: str) -> Address:
        """Where `peer` can be dialled."""
        if not self.is_alive:
            raise ConnectFailed(
                peer, "network", "this node has no name, so it is not part of a network: give it one"
            )
        return await self._locator.locate(peer)

    async def _epmd_names(self, host: str) -> Sequence[str]:
        """The names that the epmd of `host` knows."""
        port = self._epmd_port()
        if port is None:
            raise EpmdError("this node uses no epmd (epmd=False), so it cannot ask one for names")
        found = await EpmdClient(host, port, limits=self.limits).names()
        return [name for name, _ in found]

    def _check_running(self) -> Router:
        if not self._running:
            raise NodeNotRunning(
                f"{self.name} is not running: use `async with Node(...)`, or await start() first"
            )
        return self._router

    # connections -----------------------------------------------------------------------

    async def connect(self, peer: str, timeout: float = 7.0) -> bool:
        """Connects to `peer` within `timeout` seconds.  True when connected: already, or to itself, too.

        Raises :class:`ConnectFailed`, whose text says what went wrong and what to do.
        """
        router = self._check_running()
        if peer == router.node:
            return True
        try:
            async with asyncio.timeout(timeout):
                await self._peers.connect(peer)
        except TimeoutError as error:
            raise ConnectFailed(peer, "timeout", f"no connection within {timeout:g} s") from error
        return True

    async def ping(self, peer: str, timeout: float = 7.0) -> bool:
        """True for pong, False for pang: a peer that cannot be reached raises nothing."""
        return await net_kernel.ping(self._me(), peer, timeout)

    def list(self, kind: str = "visible") -> list[str]:
        """Names of nodes, as ``Node.list/1``, in no particular order.

        `kind` is ``"visible"``, ``"hidden"``, ``"connected"`` (both), ``"this"`` or ``"known"`` (all met).
        """
        sessions = self._check_running().sessions.values()
        match kind:
            case "visible":
                return [str(session.name) for session in sessions if session.info.visible]
            case "hidden":
                return [str(session.name) for session in sessions if not session.info.visible]
            case "connected":
                return [str(session.name) for session in sessions]
            case "this":
                return [self.name]
            case "known":
                return [self.name, *map(str, self._peers.known)]
        raise ConfigError("kind", kind, "it is 'visible', 'hidden', 'connected', 'this' or 'known'")

    async def disconnect(self, peer: str) -> bool:
        """Closes the connection to `peer`; False where there is none."""
        self._check_running()
        return self._peers.disconnect(peer)

    def monitor_nodes(self) -> Subscription:
        """Nodes coming and going from now on: ``async for event in node.monitor_nodes()``.

        Yields :class:`NodeUp` before the first message of a connection and :class:`NodeDown` after its last.
        """
        self._check_running()
        return self._events.subscribe()

    # messages and calls ----------------------------------------------------------------

    def _me(self) -> Actor:
        self._check_running()
        return self._client

    async def send(self, dest: Term, message: Term, *, priority: bool = False) -> None:
        """Sends `message` to a pid, ``"name"``, ``("name", "node@host")`` or an alias.

        With `priority`, the owner of a priority alias receives it before its ordinary messages.
        Connects on demand and waits while the connection is congested.  Raises :class:`ConnectFailed`.
        """
        me = self._me()
        await requests.send(me, destination(me.router, dest), message, priority=priority)

    async def call(self, dest: Term, request: Term, timeout: float | None = gen.DEFAULT_TIMEOUT) -> Term:
        """Calls a gen_server; gives its reply.  `timeout` is in seconds, None for ever.

        Raises :class:`NoProc`, :class:`NodeDown` and :class:`RemoteExit` as soon as they are known, and
        :class:`CallTimeout`; a reply that comes later vanishes.
        """
        return await gen.call(self._me(), dest, request, timeout)

    async def cast(self, dest: Term, message: Term) -> None:
        """Sends a gen_server a message that it does not answer."""
        await gen.cast(self._me(), dest, message)

    async def multi_call(
        self, nodes: Iterable[str], name: str, request: Term, timeout: float | None = gen.DEFAULT_TIMEOUT
    ) -> tuple[dict[str, Term], dict[str, CallError]]:
        """Calls the server `name` on all `nodes` at once: replies by node, and errors by node."""
        return await gen.multi_call(self._me(), nodes, name, request, timeout)

    async def abcast(self, nodes: Iterable[str], name: str, message: Term) -> None:
        """Casts to the server `name` on all `nodes`; those that cannot be reached are passed over."""
        await gen.abcast(self._me(), nodes, name, message)

    async def rpc(
        self,
        peer: str,
        module: str,
        function: str,
        args: Iterable[Term] = (),
        timeout: float | None = gen.DEFAULT_TIMEOUT,
    ) -> Term:
        """Calls ``module:function(args)`` at `peer`, as ``:erpc.call``; Elixir's modules are ``Elixir.X``.

        Raises :class:`RemoteError` with kind, reason and stack for what it raised there, :class:`NodeDown`,
        :class:`CallTimeout`.
        """
        me = self._me()
        return await erpc.call(me, peer, module, function, [*args], timeout, self._user.pid)

    async def rpc_cast(self, peer: str, module: str, function: str, args: Iterable[Term] = ()) -> None:
        """Has `peer` call a function and tell nobody what came of it, as ``:erpc.cast``.

        Raises :class:`NodeDown` where it cannot be reached.
        """
        await erpc.cast(self._me(), peer, (module, function, args), self._user.pid)

    async def multicall(
        self,
        peers: Iterable[str],
        module: str,
        function: str,
        args: Iterable[Term] = (),
        timeout: float | None = gen.DEFAULT_TIMEOUT,
    ) -> tuple[dict[str, Term], dict[str, CallError]]:
        """Calls a function at all `peers` at once: results by node, and errors by node."""
        return await erpc.multicall(self._me(), peers, (module, function, args), timeout, self._user.pid)

    # processes -------------------------------------------------------------------------

    @asynccontextmanager
    async def process(self, name: str | None = None) -> AsyncIterator[Process]:
        """A process whose body is the block: ``async with node.process() as me:``."""
        me = Process(self._check_running(), self)
        try:
            if name is not None:
                me.register(name)
        except BaseException:
            me.end(SHUTDOWN)
            raise
        async with me.block():
            yield me

    async def spawn(
        self,
        body: Callable[..., Awaitable[Any]],
        *args: Any,
        name: str | None = None,
        link: Pid | None = None,
        monitor: Pid | None = None,
    ) -> Pid:
        """Starts a process that runs ``await body(me, *args)``; returns its pid.

        `link` is the pid of a process here that is linked to it, `monitor` of one that watches it, both from
        before it runs.
        """
        self._check_running()
        linked = None if link is None else self._local(link)
        watcher = None if monitor is None else self._local(monitor)
        me = self._new_process(name)
        if linked is not None:
            linked.emit_link(me.pid)
        if watcher is not None:
            watcher.emit_monitor(me.pid, me.pid.node)
        me.start(body, args)
        return me.pid

    async def spawn_remote(
        self,
        peer: str,
        module: str,
        function: str,
        args: Iterable[Term] = (),
        *,
        link: Pid | None = None,
        monitor: Pid | None = None,
    ) -> Pid:
        """Starts ``module:function(args)`` at `peer`, as ``Node.spawn``; returns its pid.

        `link` is the pid of a process here that is linked to it, `monitor` of one that watches it, both from
        before it runs; where both are given, they are one.  Raises :class:`NodeDown`, :class:`RemoteError`
        for a node that refuses, :class:`CallTimeout`.
        """
        if link is not None and monitor is not None and link != monitor:
            raise ConfigError(
                "monitor", str(monitor), "one process links to and watches it, or give one only"
            )
        owner = link or monitor
        actor = self._me() if owner is None else self._local(owner)
        pid, _ = await remote_spawn.start(
            actor, peer, (module, function, args), link=link is not None, monitor=monitor is not None
        )
        return pid

    async def start_server(
        self,
        server: type[GenServer] | GenServer,
        *args: Any,
        name: str | None = None,
        link: Pid | None = None,
    ) -> Pid:
        """Starts a :class:`GenServer`; returns its pid once ``init(*args)`` is done.

        `link` is its parent, on any node: the two are linked from before ``init``, as by ``start_link``, and
        a server that traps exits ends when its parent does.

        Raises what ``init`` raised, and :class:`NameTaken`.
        """
        instance = server() if isinstance(server, type) else server
        parent = await self._parent(link)
        return (await self._starter.server(instance, args, name=name, parent=parent)).pid

    async def stop_server(self, dest: Term, reason: Term = NORMAL, timeout: float | None = None) -> None:
        """Has a server or supervisor, on any node, end with `reason`, as ``GenServer.stop``.

        Returns when it has ended.  Raises :class:`NoProc`, :class:`NodeDown`, :class:`RemoteExit` where it
        ends with another reason, :class:`CallTimeout` where it has not ended within `timeout` seconds.
        """
        await stopping.stop(self._me(), dest, reason, timeout)

    async def start_supervisor(
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
        """Starts a supervisor of `children`; returns its pid once they are started, in their order.

        A child that ends is started again as its ``restart`` says: alone (`strategy` is ``"one_for_one"``),
        with all others (``"one_for_all"``), or with those after it (``"rest_for_one"``).  More than
        `max_restarts` times in `max_seconds` seconds, and the supervisor ends its children, the last first,
        and itself, with ``shutdown``.  `link` is its parent, as in :meth:`start_server`.

        Raises :class:`Exit` with ``{shutdown, {failed_to_start_child, Id, Reason}}``, and as its cause what
        the child raised.
        """
        plan = Supervisor(
            children,
            strategy=strategy,
            max_restarts=max_restarts,
            max_seconds=max_seconds,
            auto_shutdown=auto_shutdown,
        )
        server = supervisors.SupervisorServer(plan, self._starter)
        parent = await self._parent(link)
        return (await self._starter.server(server, (), name=name, parent=parent)).pid

    async def start_child(self, supervisor: Pid | str, child: Child) -> Pid | None:
        """Has a supervisor of this node start one more child, the last of its children.

        Returns its pid once it is started, or None where it raised :class:`Ignore`.  Raises :class:`Exit`
        with the reason why it is not: ``{already_started, Pid}``, ``already_present`` for an id that is in
        use, or what the child ended with.
        """
        return await supervisors.start_child(self._me(), self._starter, supervisor, child)

    async def _parent(self, pid: Pid | None) -> Pid | None:
        """A parent that can be linked to: on a node that is connected."""
        if pid is None:
            return None
        router = self._check_running()
        parent = router.registry.current(pid)
        await reach(router, parent.node)
        return parent

    def _new_process(self, name: str | None) -> Process:
        me = Process(self._check_running(), self)
        if name is not None:
            try:
                me.register(name)
            except BaseException:
                me.end(SHUTDOWN)
                raise
        return me

    def _local(self, pid: Pid) -> Actor:
        registry = self._router.registry
        actor = registry.find(registry.current(pid))
        if actor is None:
            raise ConfigError("pid", str(pid), "it is not a living process of this node")
        return actor

    def register(self, name: str, pid: Pid) -> None:
        """Registers a process of this node under `name`.  Raises :class:`NameTaken`."""
        self._check_running().registry.register(name, self._local(pid))

    def unregister(self, name: str) -> bool:
        """Frees `name`; False where nobody had it."""
        return self._check_running().registry.unregister(name)

    def whereis(self, name: str) -> Pid | None:
        """The pid of the process that is registered as `name`."""
        actor = self._check_running().registry.whereis(name)
        return None if actor is None else actor.pid

    def registered(self) -> Sequence[str]:
        """Every registered name of this node."""
        return [str(name) for name in self._check_running().registry.names()]

    # exports ---------------------------------------------------------------------------

    def export(
        self,
        module: str,
        function: str | None = None,
        target: Callable[..., Any] | None = None,
        *,
        process: bool = False,
    ) -> Any:
        """Lets other nodes call a function: by ``:rpc.call``, ``:erpc.call`` and ``Node.spawn``.

        ``node.export("py.stats", "mean", mean)``, or as a decorator, ``@node.export("py.stats")``, under the
        function's own name.  Nothing else can be called.

        With `process` it is ``async def function(me, *args)``, as for :meth:`spawn`: `me` is the process that
        runs it, whose pid ``Node.spawn``, ``Node.spawn_link`` and ``Node.spawn_monitor`` give, linked and
        watched as they say.  A remote call runs it in a process of its own as well, and gets what it returns.
        """
        if target is not None and function is not None:
            self._exports.add(module, function, target, process=process)
            return target

        def exporter(found: Callable[..., Any]) -> Callable[..., Any]:
            self._exports.add(module, function or found.__name__, found, process=process)
            return found

        return exporter

    def export_stream(
        self,
        module: str,
        function: str | None = None,
        target: Callable[..., Any] | None = None,
        *,
        window: int = WINDOW,
    ) -> Any:
        """Lets other nodes start a generator function, whose items are messages to whoever started it.

        ``node.export_stream("py.llm", "tokens", tokens)``, or as a decorator, as :meth:`export`.  Elixir's
        ``:erlang.spawn_monitor(node, :"py.llm", :tokens, args)`` gives ``{pid, ref}``; then come
        ``{pid, {:data, item}}`` and, at the end, 'DOWN'.  At most `window` items are sent ahead of what the
        subscriber allows by ``send(pid, {:ask, n})``.  The generator is closed when the subscriber ends or
        its node is lost.  A plain one runs in a worker thread, one item at a time.  Raises
        :class:`ConfigError` for anything but a generator function.
        """

        def exporter(found: Callable[..., Any]) -> Callable[..., Any]:
            name = function or found.__name__
            self._exports.add(module, name, Stream(f"{module}:{name}", found, self._workers, window))
            return found

        return exporter if target is None else exporter(target)

    def export_server(self, module: str, server: type[GenServer], *, name: str | None = None) -> None:
        """Lets other nodes start servers of this class: exports ``module:start_link``.

        A supervisor of Elixir's starts one by ``{:erpc, :call, [node, module, :start_link, [arg, ...]]}``:
        ``init`` gets the arguments, and the server is linked to whoever called.  `name` is the name that it
        is registered under here.
        """
        self._exports.add(module, "start_link", StartLink(self._starter, server, name).start_link)

    def _workers(self) -> Workers:
        if self._executor is None:
            self._executor = workers.Workers(self._router.waking)
        return self._executor


def _ignore(message: Term) -> None:
    """Messages to the node itself: nobody reads them."""
