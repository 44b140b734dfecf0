"""Where every signal goes: from a local actor or from a peer, to a local actor or to a peer.

``emit`` sends one signal and ``_receive`` acts on one; local and remote signals take the same two steps,
so that they behave alike.  Both are plain functions: between the socket read and the mailbox nothing
waits, and the order between each pair of processes holds by construction.  A local signal that a signal
causes is queued and handled next, never nested, so that a chain of ten thousand links may break.
(Erlang Reference Manual, "Processes", "Signals"; ERTS distribution protocol, "Protocol between
Connected Nodes".)
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import NodeNotRunning, NotConnected
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.runtime.actor import LINKED, Actor, Watcher
from pyerlnode.runtime.exits import NOCONNECTION, NOPROC
from pyerlnode.runtime.origins import ORIGINS, check_origin, check_reference
from pyerlnode.runtime.registry import Registry
from pyerlnode.runtime.requests import alias_of
from pyerlnode.runtime.signals import adapt
from pyerlnode.runtime.waking import Waking
from pyerlnode.term import Atom, ImproperList, Pid, Reference, brief, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import Flags
from pyerlnode.wire.messages import EXIT_SIGNAL, NOBODY, PRIORITY
from pyerlnode.wire.messages import LINKED as LINKED_BY_SPAWN
from pyerlnode.wire.payload import as_received, encode_payload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pyerlnode.net.session import Session
    from pyerlnode.term import RawTerm, Term
    from pyerlnode.wire.control import Control
    from pyerlnode.wire.payload import Payload

log = logging.getLogger("pyerlnode.runtime")

_RECORDS, _UNLINK_IDS = int(Flags.NATIVE_RECORDS), int(Flags.UNLINK_ID)
_ALIASES = int(Flags.ALIAS | Flags.ALTACT_SIG)


class Router:
    """The signals of one node."""

    def __init__(
        self, node: str, creation: int, *, limits: Limits = DEFAULT, text: str | None = None
    ) -> None:
        self.registry = Registry(Atom(node), creation)
        self.limits = limits
        self.text = text
        self.sessions: dict[str, Session] = {}
        self.reach: Callable[[str], Awaitable[Any]] = _nowhere
        self.spawner: Callable[[c.SpawnRequest, Term], None] | None = None
        self._aliases: dict[Reference, Actor] = {}
        self._watched: dict[Reference, Actor] = {}
        self._touching: dict[str, dict[Actor, None]] = {}
        self._queue: deque[tuple[Control, RawTerm | None]] = deque()
        self._busy = False
        self._last_unlink = 0
        self.waking = Waking()
        self._handlers: dict[type, Callable[[Any, RawTerm | None], None]] = {
            c.Send: self._on_send,
            c.SendSender: self._on_send,
            c.RegSend: self._on_reg_send,
            c.AliasSend: self._on_alias_message,
            c.AltactSigSend: self._on_altact,
            c.Link: self._on_link,
            c.Unlink: self._on_unlink,
            c.UnlinkId: self._on_unlink_id,
            c.UnlinkIdAck: self._on_unlink_ack,
            c.Exit: self._on_exit,
            c.PayloadExit: self._on_exit,
            c.Exit2: self._on_exit2,
            c.PayloadExit2: self._on_exit2,
            c.MonitorP: self._on_monitor,
            c.DemonitorP: self._on_demonitor,
            c.MonitorPExit: self._on_monitor_exit,
            c.PayloadMonitorPExit: self._on_monitor_exit,
            c.GroupLeader: self._on_group_leader,
            c.SpawnRequest: self._on_spawn_request,
            c.SpawnReply: self._on_spawn_reply,
        }

    @property
    def node(self) -> Atom:
        """This node's name."""
        return self.registry.node

    # sending -------------------------------------------------------------------------

    def emit(self, node: str, control: Control, payload: Payload | bytes | None = None) -> bool:
        """Sends one signal to `node`; False where it is not connected."""
        session = self.sessions.get(node)
        if session is not None:
            adapted = adapt(session.flags, control, payload)
            if adapted is not None:
                session.send(adapted[0], adapted[1])
            return True
        if node != self.registry.node:
            return False
        self._queue.append((control, as_received(payload)))
        if not self._busy:
            self._drain()
        return True

    async def room(self, node: str, sender: Pid | None = None) -> None:
        """Waits while the connection to `node`, if there is one, has more unsent than ``Limits.outbox``.

        `sender`, who has just sent, does not wait for large messages of others: its own overtake them.
        """
        session = self.sessions.get(node)
        if session is not None and session.congested:
            with suppress(NotConnected):  # what was sent vanishes, as on any connection that is lost
                await session.drain(sender)

    def _drain(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                control, payload = self._queue.popleft()
                try:
                    self._handlers[type(control)](control, payload)
                except Exception:
                    log.exception("a %s of this node could not be handled", type(control).__name__)
        finally:
            self._busy = False

    def encode_for(self, node: str, message: Term) -> Payload:
        """Encodes a message for `node`: one before OTP 29 cannot take native records."""
        return encode_payload(message, records=self._can(node, _RECORDS))

    def _can(self, node: str, flags: int) -> bool:
        """Whether `node` has one of `flags`; we ourselves have all, and who is not connected may."""
        session = self.sessions.get(node)
        return session is None or session.flags & flags != 0

    def reply(self, sender: Actor, caller: Term, value: Term) -> bool:
        """Answers a ``$gen_call``: to the alias that its tag carries, else to the caller's pid."""
        if type(caller) is not tuple or len(caller) != 2 or not isinstance(caller[0], Pid):
            return False
        self.answer(sender, caller[0], caller[1], value)
        return True

    def answer(self, sender: Actor, pid: Pid, tag: Term, value: Term) -> bool:
        """Answers the call of `pid`; False where the sender should wait, as in :meth:`Actor.post`."""
        alias = alias_of(tag) if type(tag) is ImproperList and self._can(pid.node, _ALIASES) else None
        return sender.post(pid.node, pid if alias is None else alias, (tag, value))

    def acks_unlink(self, node: Atom) -> bool:
        """Whether `node` acknowledges UNLINK_ID (OTP 23 does not)."""
        return self._can(node, _UNLINK_IDS)

    def unlink_id(self) -> int:
        """A new id for UNLINK_ID, never 0."""
        self._last_unlink = self._last_unlink % (2**64 - 1) + 1
        return self._last_unlink

    def guarded(self, react: Callable[[Term], None], message: Term) -> None:
        """Calls a reactor: what it raises is logged and goes no further."""
        try:
            react(message)
        except Exception:
            log.exception("a service of this node failed on %s", brief(message))

    # from peers ------------------------------------------------------------------------

    def deliver(self, session: Session, control: Control, payload: RawTerm | None) -> None:
        """Acts on one signal of a peer and on what it causes here (:class:`pyerlnode.net.session.Sink`).

        Raises :class:`RemoteProtocolError` and :class:`TermError` for what a peer may not send.
        """
        kind = type(control)
        if kind in ORIGINS:
            check_origin(control, session.name)
        self.waking.gathers = True
        was_busy, self._busy = self._busy, True
        try:
            self._handlers[kind](control, payload)
        finally:
            self._busy = was_busy
            if self._queue:
                self._drain()

    def delivered(self) -> None:
        """One read is delivered: those who waited for it go on."""
        self.waking.run()

    def node_up(self, session: Session) -> None:
        """`session` carries signals from now on."""
        self.sessions[session.name] = session

    def node_down(self, session: Session) -> bool:
        """`session` is lost: all that hung on it fires, once.  False for one that was replaced already."""
        if self.sessions.get(session.name) is not session:
            return False
        del self.sessions[session.name]
        concerned = self._touching.pop(session.name, {})
        for actor in concerned:  # all of them first: the end of one may be that of another
            actor.touched.pop(session.name, None)
        for actor in concerned:
            self._lose(actor, session.name)
        self._drain()
        return True

    def _lose(self, actor: Actor, node: str) -> None:
        for ref in [ref for ref, watcher in actor.watchers.items() if watcher.watcher.node == node]:
            del actor.watchers[ref]
            self._watched.pop(ref, None)
        for other in [other for other in actor.links if other.node == node]:
            actor.lose_link(other, NOCONNECTION)  # 'EXIT' before 'DOWN', as a BEAM does
        for ref in [ref for ref, watched in actor.monitors.items() if watched.node == node]:
            actor.deliver_down(ref, NOCONNECTION)
        for ref in [ref for ref, spawning in actor.spawning.items() if spawning.node == node]:
            actor.deliver_spawned(ref, NOCONNECTION)

    # what actors hang on -----------------------------------------------------------------

    def touch(self, node: str, actor: Actor) -> None:
        """Remembers that the loss of `node` concerns `actor`."""
        if node not in actor.touched and node in self.sessions:
            actor.touched[node] = None
            self._touching.setdefault(node, {})[actor] = None

    def forget(self, actor: Actor) -> None:
        """Drops a dead actor from all tables by node."""
        for node in actor.touched:
            self._touching[node].pop(actor, None)
        actor.touched.clear()

    def remember_alias(self, ref: Reference, actor: Actor) -> None:
        """Messages to the alias `ref` go to `actor`."""
        self._aliases[ref] = actor

    def forget_aliases(self, refs: Iterable[Reference]) -> None:
        """Messages to these aliases are dropped from now on."""
        for ref in refs:
            self._aliases.pop(ref, None)

    def remember_watched(self, ref: Reference, actor: Actor) -> None:
        """`actor` is watched under `ref`."""
        self._watched[ref] = actor

    def forget_watched(self, ref: Reference) -> None:
        """The monitor `ref` of one of our actors is gone."""
        self._watched.pop(ref, None)

    # messages ------------------------------------------------------------------------------

    def _decode(self, payload: RawTerm | None) -> Term:
        return None if payload is None else payload.decode(self.limits, self.text)

    def _on_send(self, control: c.Send | c.SendSender, payload: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None and payload is not None:
            actor.deliver(payload.decode(self.limits, self.text))

    def _on_reg_send(self, control: c.RegSend, payload: RawTerm | None) -> None:
        actor = self.registry.whereis(control.name)
        if actor is not None and payload is not None:
            actor.deliver(payload.decode(self.limits, self.text))

    def _on_alias_message(self, control: c.AliasSend, payload: RawTerm | None) -> None:
        self._on_alias_send(control.alias, payload)

    def _on_alias_send(self, alias: Reference, payload: RawTerm | None, *, priority: bool = False) -> None:
        actor = self._aliases.get(alias)
        if actor is None:
            return
        actor.deliver(self._decode(payload), priority=priority and alias in actor.urgent)
        if actor.aliases.get(alias):
            actor.unalias(alias)

    def _on_altact(self, control: c.AltactSigSend, payload: RawTerm | None) -> None:
        target = control.target
        if control.flags & EXIT_SIGNAL:
            self._altact_exit(control, payload)
        elif isinstance(target, Reference):
            self._on_alias_send(target, payload, priority=bool(control.flags & PRIORITY))
        elif isinstance(target, Pid):
            self._on_send(c.SendSender(control.sender, target), payload)
        else:
            self._on_reg_send(c.RegSend(control.sender, target), payload)

    def _altact_exit(self, control: c.AltactSigSend, payload: RawTerm | None) -> None:
        target = control.target
        actor, priority = None, False
        if isinstance(target, Reference):
            actor = self._aliases.get(target)
            priority = bool(control.flags & PRIORITY) and actor is not None and target in actor.urgent
        elif isinstance(target, Pid):
            actor = self.registry.find(target)
        if actor is not None:
            reason = self._decode(payload)
            actor.deliver_exit(control.sender, reason, linked=False, priority=priority)

    # links and exits -----------------------------------------------------------------------

    def _on_link(self, control: c.Link, _: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is None:
            reason = encode_bare(NOPROC)
            self.emit(control.sender.node, c.PayloadExit(control.target, control.sender), reason)
        elif control.sender not in actor.links:  # ignored while an unlink awaits its ack
            actor.links[control.sender] = LINKED
            self.touch(control.sender.node, actor)

    def _on_unlink(self, control: c.Unlink, _: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None and actor.links.get(control.sender) == LINKED:
            actor.drop_link(control.sender)

    def _on_unlink_id(self, control: c.UnlinkId, _: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None and actor.links.get(control.sender) == LINKED:
            actor.drop_link(control.sender)
        self.emit(control.sender.node, c.UnlinkIdAck(control.id, control.target, control.sender))

    def _on_unlink_ack(self, control: c.UnlinkIdAck, _: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None and actor.links.get(control.sender) == control.id:
            del actor.links[control.sender]

    def _reason(self, control: Any, payload: RawTerm | None) -> Term:
        return control.reason if payload is None else self._decode(payload)

    def _on_exit(self, control: c.Exit | c.PayloadExit, payload: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None and actor.links.get(control.sender) == LINKED:
            actor.lose_link(control.sender, self._reason(control, payload))

    def _on_exit2(self, control: c.Exit2 | c.PayloadExit2, payload: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None:
            actor.deliver_exit(control.sender, self._reason(control, payload), linked=False)

    # monitors ------------------------------------------------------------------------------

    def _on_monitor(self, control: c.MonitorP, _: RawTerm | None) -> None:
        watcher, target, ref = control.watcher, control.target, control.ref
        check_reference(ref, watcher)
        actor = self.registry.find(target) if isinstance(target, Pid) else self.registry.whereis(target)
        if actor is None:
            reason = encode_bare(NOPROC)
            self.emit(watcher.node, c.PayloadMonitorPExit(target, watcher, ref, NOBODY), reason)
            return
        actor.watchers[ref] = Watcher(watcher, target)
        self._watched[ref] = actor
        self.touch(watcher.node, actor)

    def _on_demonitor(self, control: c.DemonitorP, _: RawTerm | None) -> None:
        ref = control.ref
        actor = self._watched.pop(ref, None)
        if actor is None:
            return
        if actor.watchers[ref].watcher == control.watcher:
            del actor.watchers[ref]
        else:  # somebody else's
            self._watched[ref] = actor

    def _on_monitor_exit(
        self, control: c.MonitorPExit | c.PayloadMonitorPExit, payload: RawTerm | None
    ) -> None:
        actor = self.registry.find(control.watcher)
        if actor is not None:
            actor.deliver_down(control.ref, self._reason(control, payload))

    # the rest ------------------------------------------------------------------------------

    def _on_group_leader(self, control: c.GroupLeader, _: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None:
            actor.group_leader = control.leader

    def _on_spawn_request(self, control: c.SpawnRequest, payload: RawTerm | None) -> None:
        check_reference(control.ref, control.sender)
        if self.spawner is None:
            self.emit(control.sender.node, c.SpawnReply(control.ref, control.sender, 0, Atom("notsup")))
        else:
            self.spawner(control, self._decode(payload))

    def _on_spawn_reply(self, control: c.SpawnReply, _: RawTerm | None) -> None:
        actor = self.registry.find(control.target)
        if actor is not None:
            actor.deliver_spawned(control.ref, control.result)
        elif control.flags & LINKED_BY_SPAWN and isinstance(control.result, Pid):
            child = control.result
            self.emit(child.node, c.PayloadExit(control.target, child), encode_bare(NOPROC))


async def _nowhere(node: str) -> None:
    raise NodeNotRunning(f"cannot reach {node}: this node is not started")
