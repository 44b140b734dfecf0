"""What has a pid: the state that signals act on, and the signals it can send.

An actor is the BEAM's process without its body.  Two kinds of body stand on it: a coroutine with a
mailbox (:class:`pyerlnode.runtime.process.Process`), and a plain function that takes each message as it
arrives (:class:`Reactor`), for services that must answer at once.  Everything here is synchronous, and
assumes that the nodes concerned are connected; who may have to dial first awaits ``Router.reach``.
(Erlang Reference Manual, "Processes"; ERTS distribution protocol, "Link Protocol".)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from pyerlnode.errors import Exit, NodeNotRunning, PyerlnodeError
from pyerlnode.runtime.exits import KILL, KILLED, NOCONNECTION, NORMAL, encodable, is_reason
from pyerlnode.term import Atom, ImproperList, Pid, Reference, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.messages import ALIAS as ALIAS_FLAG
from pyerlnode.wire.messages import EXIT_SIGNAL, PRIORITY

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    from pyerlnode.runtime.router import Router
    from pyerlnode.runtime.waking import Arrival
    from pyerlnode.term import Term
    from pyerlnode.wire.payload import Payload

ALIAS = Atom("alias")
DOWN = Atom("DOWN")
EXIT = Atom("EXIT")
PROCESS = Atom("process")

PRIORITY_ALIAS = PRIORITY | ALIAS_FLAG
LINKED = 0  # a link's state is 0 while it is active, else the id of the unlink that awaits its ack

_TAGS = frozenset({Reference, ImproperList})
"""Types of what stands before an answer."""


class Watched(NamedTuple):
    """One of our monitors: what is watched, and on which node."""

    target: Pid | Atom
    node: Atom
    priority: bool = False
    """Whether its 'DOWN' is a priority message."""

    @property
    def shown(self) -> Term:
        """How 'DOWN' names it: the pid, or ``{Name, Node}``."""
        return self.target if isinstance(self.target, Pid) else (self.target, self.node)


class Watcher(NamedTuple):
    """Somebody's monitor of us: who watches, and by which name or pid."""

    watcher: Pid
    target: Pid | Atom


class Answer(NamedTuple):
    """What a pending request of an actor gets: a ``reply`` or the ``down`` of the one who was asked."""

    down: bool
    value: Term


class Spawning(NamedTuple):
    """A spawn request of ours that is not answered yet."""

    node: Atom
    answered: Callable[[Pid | Atom], None]


class Actor(ABC):
    """A pid with its links, monitors, aliases, names and pending requests."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.number = router.registry.add(self)
        self.alive = True
        self.exit_reason: Term = None
        self.trap_exit = False
        self.group_leader: Pid | None = None
        self.names: list[Atom] = []
        self.links: dict[Pid, int] = {}
        self.monitors: dict[Reference, Watched] = {}
        self.watchers: dict[Reference, Watcher] = {}
        self.aliases: dict[Reference, bool] = {}  # reference -> whether one reply ends it
        self.urgent: dict[Reference | Pid, None] = {}  # aliases and links that bring priority messages
        self.requests: dict[Reference, Future[Answer] | Arrival[Answer]] = {}
        self.spawning: dict[Reference, Spawning] = {}
        self.touched: dict[str, None] = {}  # nodes whose loss concerns this actor (a set is larger)
        self._pid: Pid | None = None

    @property
    def pid(self) -> Pid:
        """This actor's pid."""
        pid = self._pid
        if pid is None or pid.node is not self.router.registry.node:
            pid = self._pid = self.router.registry.pid(self.number)
        return pid

    def renamed(self) -> None:
        """The node has another name: relations between its own processes follow."""
        current = self.router.registry.current
        self.links = {current(pid): state for pid, state in self.links.items()}
        self.urgent = {current(who) if isinstance(who, Pid) else who: None for who in self.urgent}
        self.monitors = {
            ref: Watched(current(target), current(target).node, priority)
            if isinstance(target, Pid)
            else Watched(target, self.router.node, priority)
            for ref, (target, _, priority) in self.monitors.items()
        }
        self.watchers = {
            ref: Watcher(current(watcher), current(target) if isinstance(target, Pid) else target)
            for ref, (watcher, target) in self.watchers.items()
        }

    # what the body does with what arrives -------------------------------------------

    @abstractmethod
    def on_message(self, message: Term) -> None:
        """Takes a message.  Never waits and never raises."""

    def on_priority_message(self, message: Term) -> None:
        """Takes a priority message: before the others, where messages wait."""
        self.on_message(message)

    def on_exit(self, reason: Term) -> None:
        """Stops the body: the actor is dead already.  Nothing to do where the body is a function."""
        return

    # arriving ------------------------------------------------------------------------

    def deliver(self, message: Term, *, priority: bool = False) -> None:
        """Takes one message: an answer to a pending request, or one for the body."""
        if (
            type(message) is tuple
            and len(message) == 2
            and type(message[0]) in _TAGS
            and self._is_answer(message[0], message[1])
        ):
            return
        if priority:
            self.on_priority_message(message)
        else:
            self.on_message(message)

    def _hand_over(self, message: Term, priority: bool) -> None:
        if priority:
            self.on_priority_message(message)
        else:
            self.on_message(message)

    def _is_answer(self, tag: Term, value: Term) -> bool:
        if type(tag) is ImproperList and tag.items == (ALIAS,):
            tag = tag.tail
            if type(tag) is Reference and tag not in self.requests and tag not in self.aliases:
                return tag.node == self.router.node  # a late reply to one of our calls: it vanishes
        return type(tag) is Reference and self._settle(tag, Answer(down=False, value=value))

    def _settle(self, ref: Reference, answer: Answer) -> bool:
        request = self.requests.get(ref)
        if request is None:
            return False
        if not request.done():
            request.set_result(answer)
        return True

    def deliver_down(self, ref: Reference, reason: Term) -> None:
        """One of our monitors fires: its node or its process is gone."""
        watched = self.monitors.pop(ref, None)
        if watched is None:
            return
        if not self._settle(ref, Answer(down=True, value=reason)):
            self._hand_over((DOWN, ref, PROCESS, watched.shown, reason), watched.priority)

    def deliver_spawned(self, ref: Reference, result: Pid | Atom) -> None:
        """The answer to a spawn request: the new pid, or why there is none."""
        spawning = self.spawning.pop(ref, None)
        if spawning is not None:
            spawning.answered(result)

    def deliver_exit(self, sender: Pid, reason: Term, *, linked: bool, priority: bool = False) -> None:
        """An exit signal: over a link that just broke, or by ``exit/2``.

        With `priority` it is a priority message, if it is a message at all.
        """
        if not linked and is_reason(reason, KILL):
            self.end(KILLED)
        elif self.trap_exit:
            self._hand_over((EXIT, sender, reason), priority)
        elif not is_reason(reason, NORMAL) or sender == self.pid:
            self.end(reason)

    # ending --------------------------------------------------------------------------

    def end(self, reason: Term) -> None:
        """Ends this actor: everybody who is linked to it or watches it learns `reason`.

        Whoever waits for an answer in its name gets :meth:`ended`.
        """
        if not self.alive:
            return
        self.alive = False
        self.exit_reason = reason = encodable(reason)
        self.router.registry.remove(self)
        self.router.forget(self)
        self.router.forget_aliases(self.aliases)
        self.aliases.clear()
        self.urgent.clear()
        self.spawning.clear()
        self._tell_of_end(reason)
        self.on_exit(reason)
        for request in self.requests.values():
            if not request.done():
                request.set_exception(self.ended())

    def ended(self) -> PyerlnodeError:
        """What those get who do something in the name of an actor that has ended."""
        return Exit(self.exit_reason)

    def check_alive(self) -> None:
        """Raises :meth:`ended` where this actor has ended: the dead start nothing new."""
        if not self.alive:
            raise self.ended()

    def _tell_of_end(self, reason: Term) -> None:
        router, me = self.router, self.pid
        links, self.links = self.links, {}
        watchers, self.watchers = self.watchers, {}
        monitors, self.monitors = self.monitors, {}
        for ref in watchers:  # before anybody hears of it, and ends, and takes a monitor back
            router.forget_watched(ref)
        if links or watchers:
            payload = encode_bare(reason)
            for other, state in links.items():
                if state == LINKED:
                    router.emit(other.node, c.PayloadExit(me, other), payload)
            for ref, (watcher, target) in watchers.items():
                router.emit(watcher.node, c.PayloadMonitorPExit(target, watcher, ref, me), payload)
        for ref, watched in monitors.items():
            router.emit(watched.node, c.DemonitorP(me, watched.target, ref))

    # signals to others ---------------------------------------------------------------

    def emit_message(
        self, node: Atom, target: Pid | Atom | Reference, payload: Payload | bytes, *, priority: bool = False
    ) -> bool:
        """Sends an encoded message; False where `node` is not connected.

        With `priority` it is a priority message to those who take such: to owners of priority aliases.
        """
        if isinstance(target, Pid):
            return self.router.emit(node, c.SendSender(self.pid, target), payload)
        if isinstance(target, Atom):
            return self.router.emit(node, c.RegSend(self.pid, target), payload)
        if priority:
            return self.router.emit(node, c.AltactSigSend(PRIORITY_ALIAS, self.pid, target), payload)
        return self.router.emit(node, c.AliasSend(self.pid, target), payload)

    def post(
        self, node: Atom, target: Pid | Atom | Reference, message: Term, *, priority: bool = False
    ) -> bool:
        """As :meth:`emit_message`, with the message itself; False where more is unsent than should be."""
        session = self.router.sessions.get(node)
        if session is None or priority:
            sent: bool | Payload = self.router.encode_for(node, message)
        else:
            sent = session.post(self.pid, target, message)
        if isinstance(sent, bool):
            return sent
        self.emit_message(node, target, sent, priority=priority)
        return session is None or not session.congested

    def emit_link(self, other: Pid, *, priority: bool = False) -> None:
        """Links to `other`; an exit signal ``noproc`` follows where it does not exist.

        Linking once more changes only whether an exit over the link is a priority message.
        """
        self.check_alive()
        if other == self.pid:
            return
        if priority:
            self.urgent[other] = None
        else:
            self.urgent.pop(other, None)
        if self.links.get(other) == LINKED:
            return
        self.links[other] = LINKED
        self.router.touch(other.node, self)
        if not self.router.emit(other.node, c.Link(self.pid, other)):
            self.lose_link(other)

    def emit_unlink(self, other: Pid) -> None:
        """Removes the link to `other`: no exit signal of it arrives after this call."""
        if self.links.get(other) != LINKED:
            return
        ident = self.router.unlink_id()
        self.links[other] = ident
        self.urgent.pop(other, None)
        sent = self.router.emit(other.node, c.UnlinkId(ident, self.pid, other))
        if not (sent and self.router.acks_unlink(other.node)):
            self.links.pop(other, None)

    def drop_link(self, other: Pid) -> None:
        """The other side has removed the link."""
        del self.links[other]
        self.urgent.pop(other, None)

    def lose_link(self, other: Pid, reason: Term = NOCONNECTION) -> None:
        """The link to `other` broke with `reason`: an exit signal, if the link was active."""
        if self.links.pop(other, None) == LINKED:
            priority = other in self.urgent
            self.urgent.pop(other, None)
            self.deliver_exit(other, reason, linked=True, priority=priority)

    def emit_monitor(
        self, target: Pid | Atom, node: Atom, ref: Reference | None = None, *, priority: bool = False
    ) -> Reference:
        """Monitors a pid, or a name at `node`; 'DOWN' follows when it ends, or at once where it is not."""
        self.check_alive()
        ref = ref or self.router.registry.reference()
        self.monitors[ref] = Watched(target, node, priority)
        self.router.touch(node, self)
        if not self.router.emit(node, c.MonitorP(self.pid, target, ref)):
            self.deliver_down(ref, NOCONNECTION)
        return ref

    def emit_demonitor(self, ref: Reference) -> bool:
        """Removes a monitor: no 'DOWN' of it arrives after this call.  False for one that fired."""
        watched = self.monitors.pop(ref, None)
        if watched is None:
            return False
        self.router.emit(watched.node, c.DemonitorP(self.pid, watched.target, ref))
        return True

    def emit_exit(self, other: Pid, reason: Term) -> None:
        """Sends an exit signal, as ``exit/2`` does."""
        self.router.emit(other.node, c.PayloadExit2(self.pid, other), encode_bare(reason))

    def emit_alias_exit(self, node: Atom, alias: Reference, reason: Term, *, priority: bool = False) -> None:
        """Sends an exit signal to whom an alias is of: one before OTP 28 knows no such signal."""
        flags = PRIORITY_ALIAS | EXIT_SIGNAL if priority else ALIAS_FLAG | EXIT_SIGNAL
        self.router.emit(node, c.AltactSigSend(flags, self.pid, alias), encode_bare(reason))

    # aliases -------------------------------------------------------------------------

    def alias(self, ref: Reference | None = None, *, once: bool = False, priority: bool = False) -> Reference:
        """Makes `ref` (or a new reference) an address of this actor; `once`: until the first message.

        With `priority`, what others send to it as a priority message is received as one, before the
        ordinary messages that wait already.
        """
        self.check_alive()
        ref = ref or self.router.registry.reference()
        self.aliases[ref] = once
        if priority:
            self.urgent[ref] = None
        self.router.remember_alias(ref, self)
        return ref

    def unalias(self, ref: Reference) -> bool:
        """Ends an alias: what is sent to it afterwards is dropped.  False where it was none."""
        if self.aliases.pop(ref, None) is None:
            return False
        self.urgent.pop(ref, None)
        self.router.forget_aliases((ref,))
        return True


class Reactor(Actor):
    """An actor whose body is one synchronous function: services that must answer at once.

    It traps exits: a service does not end because somebody who linked to it did.
    """

    def __init__(self, router: Router, react: Callable[[Term], None], name: str | None = None) -> None:
        super().__init__(router)
        self.trap_exit = True
        self._react = react
        if name is not None:
            router.registry.register(name, self)

    def on_message(self, message: Term) -> None:
        """Hands the message to the function."""
        self.router.guarded(self._react, message)

    def ended(self) -> PyerlnodeError:
        """What those get who wait in the name of a service that has ended: it ends with its node."""
        return NodeNotRunning("this node was stopped")

    def reply(self, caller: Term, value: Term) -> None:
        """Answers a ``$gen_call``: `caller` is its ``From``."""
        self.router.reply(self, caller, value)
