"""``global_name_server``: what makes a visible node one of the mesh (kernel's ``global``).

When two visible nodes connect, their name servers hold an exchange, step by step::

    init_connect       who I am, the tag of this exchange, my locker
    init_connect_ack   (8) we mean the same exchange; else cancel_connect, and again
    lock_set           through the name servers, from locker to locker: both partitions are locked
    exchange           every global name that I know, {Name, Pid, Method}
    resolved           what came of the clashes, and which nodes I know
    new_nodes          to all nodes of my partition: names and nodes of the other one
    in_sync            to nodes of the other partition: we know each other now

Since OTP 25 this exchange is also how the members of a mesh learn of each other, and it keeps watch over
partitions: who loses a node says ``lost_connection`` to all, and who is told ``remove_connection`` leaves.
Here names are kept and passed on as every member must; an API for them is not part of this module.

Tags tell exchanges with the same node apart: a message with an old one is dropped.  Versions: 5 (OTP 23),
7 and 8 (OTP 25 and later); a newer peer talks to us as to an 8.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import CallError, EncodeError, NodeDown, NodeError
from pyerlnode.net.chance import unpredictable
from pyerlnode.otp import erpc
from pyerlnode.otp.gen import GEN_CALL, GEN_CAST
from pyerlnode.otp.global_exchange import VERSIONED, Exchange, node_version
from pyerlnode.otp.global_locker import SERVER, Done, Locker, LockSet, Meeting
from pyerlnode.otp.global_locks import Locks, is_lock_id
from pyerlnode.otp.global_partitions import Partitions
from pyerlnode.otp.global_table import GlobalName, GlobalTable
from pyerlnode.runtime.actor import DOWN, Reactor
from pyerlnode.runtime.events import NodeEvent, NodeUp
from pyerlnode.term import Atom, Pid, Reference, brief, encode_bare

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.global")

VERSION = 8
TAGGED = 8  # from this version on init_connect is acknowledged and lock_set carries a tag
CONNECT_TRIES = 3
SETTLE_TIMEOUT = 5.0
"""Seconds that the method of a clashing name may take."""
DIALS = 32
"""Nodes of the mesh that are dialled at once: whoever tells us of them may be wrong about thousands."""


class GlobalNameServer(Reactor):
    """The registered process ``global_name_server`` and all that it knows."""

    def __init__(
        self, router: Router, connect: Callable[[str], Awaitable[Any]], disconnect: Callable[[str, str], bool]
    ) -> None:
        super().__init__(router, self._react, SERVER)
        self._connect = connect
        self._locker = Locker(router, self)
        self.locks = Locks(self._watch, self._unwatch)
        self.known: dict[Atom, int] = {}
        self.synced: set[Atom] = set()
        self._pre_connect: dict[Atom, tuple[Term, Term, Term]] = {}
        self._exchanges: dict[Atom, Exchange] = {}
        self.table = GlobalTable(self._watch_name, self._unwatch)
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_tag = unpredictable(32)
        self._partitions = Partitions(self, disconnect)
        self._dials = asyncio.Semaphore(DIALS)
        self._stopped = False

    def start(self) -> None:
        """Starts the locker."""
        self._locker.start()

    async def stop(self) -> None:
        """Leaves the mesh: nothing that happens from now on is told to anybody."""
        self._stopped = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def global_names(self) -> list[tuple[Term, Pid]]:
        """Every global name and its process."""
        return [(name, pid) for name, pid, _ in self.table.entries()]

    def _watch(self, pid: Pid) -> Reference | None:
        ref = self.emit_monitor(pid, pid.node)
        return ref if ref in self.monitors else None

    def _unwatch(self, ref: Reference) -> None:
        self.emit_demonitor(ref)

    # nodes -----------------------------------------------------------------------------

    def on_node_event(self, event: NodeEvent) -> None:
        """A node came or went."""
        if self._stopped:
            return
        if isinstance(event, NodeUp):
            if event.visible:
                self._node_up(Atom(event.name))
        else:
            self._node_down(Atom(event.name), event)

    def _node_up(self, node: Atom) -> None:
        if node in self.known or node in self._exchanges:
            return
        self._last_tag += 1
        exchange = self._exchanges[node] = Exchange(self._last_tag)
        locker: Term = (Atom("locker"), Atom("no_longer_a_pid"), [], self._locker.process.pid)
        self._cast(node, (Atom("init_connect"), (VERSION, exchange.my_tag), self.router.node, locker))
        early = self._pre_connect.pop(node, None)
        if early is not None:
            self._init_connect(node, *early)

    def _node_down(self, node: Atom, event: NodeDown) -> None:
        was_known = node in self.known
        self.forget(node)
        self._partitions.node_down(node, was_known=was_known, reason=event.reason)

    def forget(self, node: Atom) -> None:
        """`node` is not of our partition any more, and an exchange with it ends."""
        self.known.pop(node, None)
        self.synced.discard(node)
        self._pre_connect.pop(node, None)
        self._end_exchange(node)

    def is_potentially_known(self, node: Atom) -> bool:
        """Whether `node` is of our partition, or about to be."""
        exchange = self._exchanges.get(node)
        return node in self.known or (exchange is not None and exchange.vsn > 0)

    def version_of(self, node: Atom) -> int:
        """The protocol version of a node, 0 where it is not known."""
        exchange = self._exchanges.get(node)
        return self.known.get(node) or (exchange.vsn if exchange is not None else 0)

    def potentially_known(self) -> list[Atom]:
        """Nodes of our partition, and those about to be."""
        pending = [node for node, exchange in self._exchanges.items() if exchange.vsn]
        return list(dict.fromkeys([*self.known, *pending]))

    # what the locker asks (pyerlnode.otp.global_locker.Server) -----------------------------

    def known_nodes(self) -> list[Atom]:
        """Nodes of our own partition, ourselves excepted."""
        return list(self.known)

    def may_lock(self, ident: Term) -> bool:
        """Whether our own node would grant that lock now."""
        return self.locks.is_free(ident)

    def tell_lock_set(self, meeting: Meeting, locker: Pid, *, is_set: bool) -> None:
        """Tells the other locker, through its name server."""
        message: tuple[Term, ...] = (Atom("lock_set"), locker, is_set, list(self.known))
        if meeting.his_vsn >= TAGGED:
            self._cast(meeting.node, (*message, meeting.his_tag))
        elif meeting.his_vsn >= 6:
            self._cast(meeting.node, message)
        else:
            self.emit_message(meeting.node, meeting.his_locker, encode_bare(message))

    def lock_is_set(self, meeting: Meeting, ident: Term) -> None:
        """Both partitions are locked: we send our names."""
        exchange = self._current(meeting.node, meeting.my_tag)
        if exchange is None:
            self._locker.tell(Done(meeting.node, meeting.my_tag))
            return
        exchange.is_locked = True
        exchange.lock_id = ident
        names = self.table.entries()
        self._cast(meeting.node, (Atom("exchange"), self.router.node, names, [], exchange.his_tag))
        self._resolve_when_ready(meeting.node, exchange)

    # messages ----------------------------------------------------------------------------

    def _react(self, message: Term) -> None:
        if type(message) is not tuple:
            return
        match message:
            case (word, (Pid() as pid, _) as caller, request) if word == GEN_CALL:
                self._on_call(pid, caller, request)
            case (word, request) if word == GEN_CAST and type(request) is tuple and request:
                self._on_cast(request)
            case (word, Reference() as ref, _, _, _) if word == DOWN:
                self._on_down(ref)
            case ("init_connect_ack", Atom() as node, mine, his):
                self._on_ack(node, mine, his)
            case ("cancel_connect", Atom() as node, tag):
                self._on_cancel(node, tag)
            case ("lost_connection", Atom() as node, creation, int() as op, Atom() as lost):
                self._partitions.lost_connection(node, creation, op, lost)
            case ("remove_connection", Atom() as node):
                self._partitions.remove_connection(node)
            case ("lock_set", Pid() as locker, bool() as is_set, _):
                self._on_lock_set(locker, is_set, None)
            case _:
                log.debug("global_name_server got %s, which it does not know", brief(message))

    def _on_call(self, pid: Pid, caller: Term, request: Term) -> None:
        match request:
            case ("set_lock", ident) if is_lock_id(ident):
                self.reply(caller, self.locks.set(ident, pid))
            case ("del_lock", ident) if is_lock_id(ident):
                self.locks.delete(ident, pid)
                self.reply(caller, True)
            case ("register", name, Pid() as owner, method):
                self.table.insert(name, owner, method)
                self.reply(caller, Atom("yes"))
            case ("register_ext", name, Pid() as owner, method, _):
                self.table.insert(name, owner, method)
                self.reply(caller, Atom("yes"))
            case ("unregister", name):
                self.table.delete(name)
                self.reply(caller, Atom("ok"))
            case "get_known":
                self.reply(caller, list(self.known))
            case "get_synced":
                self.reply(caller, list(self.synced))
            case "get_protocol_version":
                self.reply(caller, VERSION)
            case "get_names_ext":
                self.reply(caller, [])
            case _:
                log.debug("global_name_server was asked %s, which it does not know", brief(request))

    def _on_cast(self, message: tuple[Term, ...]) -> None:
        if self._stopped:
            return
        match message:
            case ("init_connect", (int() as vsn, tag, *_), Atom() as node, ("locker", _, _, Pid() as locker)):
                self._on_init_connect(node, vsn, tag, locker)
            case ("exchange", Atom() as node, list() as names, _, tag):
                self._on_exchange(node, names, tag)
            case ("resolved", Atom() as node, list() as ops, list() as known, _, _, tag):
                self._on_resolved(node, ops, known, tag)
            case ("new_nodes", Atom() as node, list() as ops, _, list() as nodes, _):
                self._on_new_nodes(node, ops, nodes)
            case ("in_sync", Atom() as node, _):
                self._on_in_sync(node)
            case ("lock_set", Pid() as locker, bool() as is_set, _, tag):
                self._on_lock_set(locker, is_set, tag)
            case ("lock_set", Pid() as locker, bool() as is_set, _):
                self._on_lock_set(locker, is_set, None)
            case _:
                log.debug("global_name_server got %s, which it does not know", brief(message))

    def _on_down(self, ref: Reference) -> None:
        if not self.locks.holder_down(ref):
            self.table.process_down(ref)

    # the exchange ------------------------------------------------------------------------

    def _on_init_connect(self, node: Atom, vsn: int, tag: Term, locker: Pid) -> None:
        exchange = self._exchanges.get(node)
        if exchange is None:
            if node in self.router.sessions:
                self._pre_connect[node] = (vsn, tag, locker)
        elif exchange.vsn:
            # a second one within an exchange: both sides start again
            self._volatile(node, (Atom("cancel_connect"), self.router.node, tag))
            self._restart(node)
        else:
            self._init_connect(node, vsn, tag, locker)

    def _init_connect(self, node: Atom, vsn: int, tag: Term, locker: Pid) -> None:
        exchange = self._exchanges[node]
        exchange.vsn = min(vsn, VERSION)
        exchange.his_tag = tag
        if vsn >= TAGGED:
            self._volatile(node, (Atom("init_connect_ack"), self.router.node, tag, exchange.my_tag))
        self._locker.tell(Meeting(node, locker, exchange.vsn, tag, exchange.my_tag))

    def _on_ack(self, node: Atom, mine: Term, his: Term) -> None:
        exchange = self._exchanges.get(node)
        if exchange is not None and (exchange.my_tag != mine or exchange.his_tag != his):
            self._volatile(node, (Atom("cancel_connect"), self.router.node, his))
            self._restart(node)

    def _on_cancel(self, node: Atom, tag: Term) -> None:
        if self._current(node, tag) is not None:
            self._restart(node)

    def _restart(self, node: Atom) -> None:
        self._end_exchange(node)
        self._node_up(node)

    def _on_lock_set(self, locker: Pid, is_set: bool, tag: Term) -> None:
        exchange = self._exchanges.get(locker.node)
        if exchange is not None and (tag is None or exchange.my_tag == tag):
            self._locker.tell(LockSet(locker.node, locker, is_set))

    def _on_exchange(self, node: Atom, names: list[Term], tag: Term) -> None:
        exchange = self._current(node, tag)
        if exchange is not None:
            exchange.his_names = names
            self._resolve_when_ready(node, exchange)

    def _resolve_when_ready(self, node: Atom, exchange: Exchange) -> None:
        if exchange.is_locked and exchange.his_names is not None and exchange.task is None:
            exchange.task = self._owned(self._resolve(node, exchange, exchange.his_names))

    async def _resolve(self, node: Atom, exchange: Exchange, names: list[Term]) -> None:
        settle = self._settle_clash if self.router.node < node else None
        ops, resolved = await self.table.compare(names, settle)
        if self._exchanges.get(node) is not exchange:
            return
        exchange.task = None
        exchange.ops = ops
        known: list[Term] = list(self.known.items()) if exchange.vsn >= VERSIONED else list(self.known)
        message: Term = (
            Atom("resolved"),
            self.router.node,
            resolved,
            known,
            Atom("unused"),
            [],
            exchange.his_tag,
        )
        self._cast(node, message)
        self._finish_when_ready(node, exchange)

    def _on_resolved(self, node: Atom, ops: list[Term], known: list[Term], tag: Term) -> None:
        exchange = self._current(node, tag)
        if exchange is not None:
            exchange.his_resolved = (ops, known)
            self._finish_when_ready(node, exchange)

    def _finish_when_ready(self, node: Atom, exchange: Exchange) -> None:
        if exchange.ops is None or exchange.his_resolved is None:
            return
        his_ops, his_known = exchange.his_resolved
        ops = [*exchange.ops, *his_ops]
        ours = dict(self.known)
        theirs = [item for item in map(node_version, his_known) if item is not None]
        extra = [(Atom("vsn"), exchange.vsn), (Atom("lock"), exchange.lock_id)]
        self.table.apply(ops)
        nodes = [(node, exchange.vsn), *theirs]
        del self._exchanges[node]
        self._add_known(nodes)
        self.synced.add(node)
        self._meet([name for name, _ in theirs])

        def tell_partition() -> None:
            for other, vsn in ours.items():
                listed: list[Term] = list(nodes) if vsn >= VERSIONED else [name for name, _ in nodes]
                self._cast(other, (Atom("new_nodes"), self.router.node, ops, [], listed, extra))

        self._locker.tell(Done(node, exchange.my_tag, tell_partition))

    def _on_new_nodes(self, node: Atom, ops: list[Term], nodes: list[Term]) -> None:
        added = self._add_known([item for item in map(node_version, nodes) if item is not None])
        self._meet(added)
        self.table.apply(ops)

    def _on_in_sync(self, node: Atom) -> None:
        if node in self.router.sessions:
            self.synced.add(node)
        self._end_exchange(node, cancel=False)

    def _end_exchange(self, node: Atom, *, cancel: bool = True) -> None:
        exchange = self._exchanges.pop(node, None)
        if exchange is None:
            return
        if exchange.task is not None:
            exchange.task.cancel()
        if cancel and exchange.vsn >= TAGGED:
            self._volatile(node, (Atom("cancel_connect"), self.router.node, exchange.his_tag))
        self._locker.tell(Done(node, exchange.my_tag))

    def _current(self, node: Atom, tag: Term) -> Exchange | None:
        exchange = self._exchanges.get(node)
        return exchange if exchange is not None and exchange.my_tag == tag else None

    # nodes of the other partition ---------------------------------------------------------

    def _add_known(self, nodes: list[tuple[Atom, int]]) -> list[Atom]:
        added = []
        for node, vsn in nodes:
            if node == self.router.node:
                continue
            if node not in self.known:
                added.append(node)
            if not self.known.get(node):
                self.known[node] = vsn
        return added

    def _meet(self, nodes: list[Atom]) -> None:
        for node in nodes:
            if node != self.router.node:
                self._owned(self._meet_one(node))

    async def _meet_one(self, node: Atom) -> None:
        for _ in range(CONNECT_TRIES):
            try:
                async with self._dials:
                    await self._connect(node)
            except NodeError as error:
                log.info("global: %s", error)
                continue
            self._cast(node, (Atom("in_sync"), self.router.node, True))
            return
        log.warning("global: %s is in the mesh but cannot be reached from here", node)
        self.forget(node)

    # names -------------------------------------------------------------------------------

    def _watch_name(self, pid: Pid) -> Reference:
        ref = self.router.registry.reference()
        if pid.node == self.router.node or pid.node in self.router.sessions:
            self.emit_monitor(pid, pid.node, ref)
        elif not self._stopped:  # a node of the mesh that we are about to meet
            self._owned(self._watch_later(pid, ref))
        return ref

    async def _watch_later(self, pid: Pid, ref: Reference) -> None:
        try:
            await self._connect(pid.node)
        except NodeError as error:
            log.info("global: %s", error)
        if self.table.watches(ref):
            self.emit_monitor(pid, pid.node, ref)

    async def _settle_clash(self, ours: GlobalName, theirs: Pid) -> Term:
        """Which process keeps a name that two have: its own method decides, where its process lives."""
        args = [ours.method, ours.name, theirs, ours.pid]
        try:
            return await erpc.call(
                self, ours.pid.node, "global", "resolve_it", args, SETTLE_TIMEOUT, leader=self.pid
            )
        except CallError as error:
            log.warning("global: the clash over %s is not settled: %s", brief(ours.name), error)
            return theirs

    # sending ------------------------------------------------------------------------------

    def _cast(self, node: Atom, message: Term) -> None:
        self._volatile(node, (GEN_CAST, message))

    def _volatile(self, node: Atom, message: Term) -> None:
        if node != self.router.node:
            try:
                payload = encode_bare(message)
            except EncodeError as error:  # what one node named may be too deep to be told to the others
                log.warning("global: %s cannot be told: %s", node, error)
            else:
                self.emit_message(node, Atom(SERVER), payload)

    def multicast(self, message: Term, *, but: Atom) -> None:
        """Sends to the name server of every node of our partition that understands partitions."""
        for node in self.potentially_known():
            if node != but and self.version_of(node) >= VERSIONED:
                self._volatile(node, message)

    def ask_to_leave(self, node: Atom) -> None:
        """Tells `node` that our partition goes on without it."""
        self._volatile(node, (Atom("remove_connection"), self.router.node))

    def _owned(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name="global_name_server")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
