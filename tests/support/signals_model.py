"""What signals between processes must do, as a model that tells whether an outcome is possible.

A game is played in rounds.  In each, processes are given commands that they run at the same time, perhaps the
connection is cut when all have run, and when everything has settled each process is looked at.  The model
knows the signals that commands cause, and in which order they may be handled: between each pair of processes
as they were sent, otherwise freely.  `explain` searches for an order that leads to exactly what was seen: who
is alive, who ended with which reason, every mailbox, link, monitor and name.  None is a divergence.
(Erlang Reference Manual, "Processes", "Signals"; ERTS distribution protocol, "Link Protocol".)

Processes are called ``a0``, ``b3``: the letter is their node.  References go by the number of the command
that made them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyerlnode.term import Atom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pyerlnode.term import Term

NORMAL, KILL, KILLED = Atom("normal"), Atom("kill"), Atom("killed")
NOPROC, NOCONNECTION = Atom("noproc"), Atom("noconnection")
ACTIVE = 0
TOGETHER = "together"
FOR_DEAD = "for the dead"
"""What their node answers for those who have ended, even before their own last signals are through."""
SEARCHED = 100_000
"""How many states `explain` looks at before it gives up."""

Signal = tuple[Any, ...]
Named = tuple[str, str]
"""A registered name and the letter of its node."""


@dataclass(frozen=True, slots=True)
class Command:
    """What one process is told to do."""

    number: int
    who: str
    verb: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(_short(arg) for arg in self.args)
        return f"{self.number}: {self.who} {self.verb}({shown})"


def _short(arg: object) -> str:
    text = repr(arg)
    return text if len(text) < 60 else f"{text[:57]}..."


@dataclass(frozen=True, slots=True)
class Seen:
    """How a process was found when all had settled."""

    alive: bool
    reason: Term = None
    mailbox: tuple[Term, ...] = ()
    links: frozenset[str] = frozenset()
    monitors: tuple[Any, ...] = ()
    watchers: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Proc:
    """One process of the model."""

    alive: bool = True
    reason: Term = None
    trap: bool = False
    links: frozenset[tuple[str, int]] = frozenset()  # ACTIVE, or the unlink that awaits its ack
    monitors: frozenset[tuple[int, Any]] = frozenset()
    watchers: frozenset[tuple[int, str, Any]] = frozenset()
    aliases: frozenset[tuple[int, bool]] = frozenset()
    name: str | None = None
    mailbox: tuple[Term, ...] = ()

    def link(self, other: str) -> int | None:
        """The state of the link to `other`; None where there is none."""
        return next((state for peer, state in self.links if peer == other), None)

    def linked(self, other: str, state: int | None) -> Proc:
        """With the link to `other` in that state."""
        rest = frozenset(link for link in self.links if link[0] != other)
        return replace(self, links=rest if state is None else rest | {(other, state)})

    def seen(self) -> Seen:
        """What an observer sees of it."""
        if not self.alive:
            return Seen(alive=False, reason=self.reason)
        return Seen(
            True,
            None,
            self.mailbox,
            frozenset(other for other, state in self.links if state == ACTIVE),
            tuple(sorted(str(target) for _, target in self.monitors)),
            tuple(sorted(watcher for _, watcher, _ in self.watchers)),
            self.name,
        )


@dataclass(slots=True)
class Round:
    """The commands of one round and what was seen after it."""

    commands: list[Command]
    cut: bool = False
    connects: bool = False
    """Whether it began without a connection: what is sent makes one."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    results: Mapping[int, bool] = field(default_factory=dict)
    """Whether registering worked, by command."""
    flushed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        demonitored = [command for command in self.commands if command.verb == "demonitor"]
        self.flushed = {command.args[0] for command in demonitored if command.args[1]}


class Impossible(Exception):
    """This is not what was seen."""


@dataclass(slots=True)
class World:
    """Every process, and the signals under way."""

    procs: dict[str, Proc] = field(default_factory=dict)
    queues: dict[tuple[str, str], tuple[Signal, ...]] = field(default_factory=dict)
    """By sender and receiver, or by sender and node for what waits behind a signal to a name there."""
    todo: dict[str, tuple[Command, ...]] = field(default_factory=dict)
    found: dict[int, str] = field(default_factory=dict)
    """Who had the name that a monitor was made with, by monitor."""
    cuts: frozenset[str] = frozenset()
    """The nodes that know already that the connection is lost."""
    old: frozenset[str] = frozenset()
    """The nodes of an OTP without UNLINK_ID: neither they nor others acknowledge an unlink there."""
    beams: frozenset[str] = frozenset()
    """The nodes that are BEAMs: what their processes hear of dead ones there comes in no order."""

    def copy(self) -> World:
        """A world that may change without this one."""
        return replace(
            self,
            procs=dict(self.procs),
            queues=dict(self.queues),
            todo=dict(self.todo),
            found=dict(self.found),
        )

    def key(self) -> object:
        """Equal for equal worlds."""
        parts = (self.procs, self.queues, self.todo, self.found)
        return (*(frozenset(part.items()) for part in parts), self.cuts)

    def whereis(self, named: Named) -> str | None:
        """Who has that name."""
        name, node = named
        owners = (who for who, proc in self.procs.items() if proc.name == name and who[0] == node)
        return next(owners, None)

    # sending ------------------------------------------------------------------------

    def emit(self, sender: str, to: str | Named, signal: Signal) -> None:
        """Sends `signal` to a process or a name."""
        node = to[0] if isinstance(to, str) else to[1]
        if sender[0] != node and self.cuts & {sender[0], node}:
            return
        waiting = self.queues.get((sender, node))
        if isinstance(to, str) and not waiting:
            self._put((sender, to), signal)
        elif sender[0] == node and not isinstance(to, str):
            self._resolve(sender, to, signal)  # names of one's own node are looked up at once
        else:
            self._put((sender, node), (to, signal))

    def _put(self, queue: tuple[str, str], signal: Signal) -> None:
        self.queues[queue] = (*self.queues.get(queue, ()), signal)

    def _resolve(self, sender: str, named: Named, signal: Signal) -> None:
        demonitors = signal[0] == "demonitor"
        owner = self.found.get(signal[1]) if demonitors else self.whereis(named)
        if owner is not None:
            if signal[0] == "monitor":
                self.found[signal[1]] = owner
            self._put((sender, owner), signal)
        elif signal[0] == "monitor":
            self.emit(f"{named[1]} answers for {named[0]}", sender, ("down", signal[1], NOPROC))

    def take(self, queue: tuple[str, str]) -> Signal:
        """The next signal of a queue."""
        signal, *rest = self.queues.pop(queue)
        if rest:
            self.queues[queue] = tuple(rest)
        return signal

    def choose(self, queue: tuple[str, str], index: int) -> None:
        """Of the signals that were sent together, in no particular order, this one is next."""
        signal, *rest = self.queues[queue]
        if signal[0] == TOGETHER:
            chosen, others = signal[1][index], signal[1][:index] + signal[1][index + 1 :]
            left = (TOGETHER, others) if len(others) > 1 else others[0]
            self.queues[queue] = (chosen, left, *rest)

    def arrive(self, queue: tuple[str, str]) -> None:
        """A signal to a name is there, and those to pids right behind it."""
        named, signal = self.take(queue)
        sender = queue[0]
        self._resolve(sender, named, signal)
        while queue in self.queues and isinstance(self.queues[queue][0][0], str):
            to, signal = self.take(queue)
            self._put((sender, to), signal)

    # ends ---------------------------------------------------------------------------

    def die(self, who: str, reason: Term, round_: Round) -> None:
        """`who` ends."""
        seen = round_.seen[who]
        if seen.alive or seen.reason != reason:
            raise Impossible
        proc = self.procs[who]
        self.procs[who] = Proc(alive=False, reason=reason)
        self.todo.pop(who, None)
        for other, state in sorted(proc.links):
            if state == ACTIVE:
                self.emit(who, other, ("exit", reason))
        told: dict[str, list[Signal]] = {}
        for ref, watcher, _ in sorted(proc.watchers, key=lambda entry: entry[0]):
            told.setdefault(watcher, []).append(("down", ref, reason))
        for other, signals in told.items():
            self.emit(who, other, together(signals))
        for ref, target in sorted(proc.monitors, key=lambda entry: entry[0]):
            self.emit(who, target, ("demonitor", ref))

    def lose(self, node: str) -> None:
        """`node` learns that the connection is gone: what has not arrived will not."""
        self.cuts |= {node}
        for queue in [queue for queue in self.queues if queue[0][0] != node and queue[1][0] == node]:
            del self.queues[queue]
        for who, proc in self.procs.items():
            if who[0] == node and proc.alive:
                self._lose(who, proc)

    def _lose(self, who: str, proc: Proc) -> None:
        here = who[0]
        told: dict[str, list[Signal]] = {}
        for other, state in sorted(proc.links):
            if other[0] != here and state == ACTIVE:
                told.setdefault(other, []).append(("exit", NOCONNECTION))
        for ref, target in sorted(proc.monitors, key=lambda entry: entry[0]):
            other = target if isinstance(target, str) else self.found.get(ref, target[1])
            if other[0] != here:
                told.setdefault(other, []).append(("down", ref, NOCONNECTION))
        for other, signals in told.items():
            self._put((other, who), together(signals))
        links = frozenset(link for link in proc.links if link[0][0] == here or link[1] == ACTIVE)
        watchers = frozenset(entry for entry in proc.watchers if entry[1][0] == here)
        self.procs[who] = replace(proc, links=links, watchers=watchers)

    # handling -----------------------------------------------------------------------

    def receive(self, who: str, message: Term, round_: Round) -> None:
        """A message for `who`."""
        proc = self.procs[who]
        self.procs[who] = proc = replace(proc, mailbox=(*proc.mailbox, message))
        seen = round_.seen[who]
        if seen.alive and all(command.verb != "clear" for command in self.todo.get(who, ())):
            here = [item for item in proc.mailbox if not is_down(item, round_.flushed)]
            if list(seen.mailbox[: len(here)]) != here:
                raise Impossible

    def exit_signal(
        self, who: str, sender: str, reason: Term, round_: Round, *, normal_ends: bool = False
    ) -> None:
        """An exit signal for `who`."""
        if self.procs[who].trap:
            self.receive(who, ("EXIT", sender, reason), round_)
        elif reason != NORMAL or normal_ends:
            self.die(who, reason, round_)

    def handle(self, queue: tuple[str, str], round_: Round) -> None:
        """The receiver of a queue handles its next signal."""
        sender, who = queue
        signal = self.take(queue)
        if signal[0] == FOR_DEAD:
            _, sender, signal = signal
        if self.procs[who].alive:
            HANDLERS[signal[0]](self, who, sender, signal, round_)
        elif signal[0] in ANSWERS:
            in_order = who[0] != sender[0] or who[0] not in self.beams
            answers = f"{who} answers" if in_order else f"{who} answers a {signal[0]}"
            self.emit(answers, sender, (FOR_DEAD, who, ANSWERS[signal[0]](signal)))

    def run(self, who: str, round_: Round) -> None:
        """`who` runs its next command."""
        command, *rest = self.todo.pop(who)
        if rest:
            self.todo[who] = tuple(rest)
        COMMANDS[command.verb](self, who, command, round_)


def together(signals: list[Signal]) -> Signal:
    """Signals that are sent at once: their order among themselves is nobody's promise."""
    return signals[0] if len(signals) == 1 else (TOGETHER, tuple(signals))


def is_down(message: Term, refs: set[int]) -> bool:
    """Whether it is the 'DOWN' of one of `refs`."""
    return bool(message[0] == "DOWN" and message[1] in refs)


# how signals are handled --------------------------------------------------------------


def _on_message(world: World, who: str, _: str, signal: Signal, round_: Round) -> None:
    world.receive(who, signal[1], round_)


def _on_alias(world: World, who: str, _: str, signal: Signal, round_: Round) -> None:
    _, ref, message = signal
    proc = world.procs[who]
    once = dict(proc.aliases).get(ref)
    if once is not None:
        if once:
            world.procs[who] = replace(proc, aliases=proc.aliases - {(ref, True)})
        world.receive(who, message, round_)


def _on_link(world: World, who: str, sender: str, _: Signal, __: Round) -> None:
    proc = world.procs[who]
    if proc.link(sender) is None:
        world.procs[who] = proc.linked(sender, ACTIVE)


def _on_unlink(world: World, who: str, sender: str, signal: Signal, _: Round) -> None:
    proc = world.procs[who]
    if proc.link(sender) == ACTIVE:
        world.procs[who] = proc.linked(sender, None)
    if not world.old & {who[0], sender[0]}:
        world.emit(who, sender, ("ack", signal[1]))


def _on_ack(world: World, who: str, sender: str, signal: Signal, _: Round) -> None:
    proc = world.procs[who]
    if proc.link(sender) == signal[1]:
        world.procs[who] = proc.linked(sender, None)


def _on_exit(world: World, who: str, sender: str, signal: Signal, round_: Round) -> None:
    proc = world.procs[who]
    if proc.link(sender) == ACTIVE:
        world.procs[who] = proc.linked(sender, None)
        world.exit_signal(who, sender, signal[1], round_)


def _on_exit2(world: World, who: str, sender: str, signal: Signal, round_: Round) -> None:
    _, reason, normal_ends = signal
    if reason == KILL:
        world.die(who, KILLED, round_)
    else:
        world.exit_signal(who, sender, reason, round_, normal_ends=normal_ends)


def _on_monitor(world: World, who: str, sender: str, signal: Signal, _: Round) -> None:
    proc = world.procs[who]
    world.procs[who] = replace(proc, watchers=proc.watchers | {(signal[1], sender, signal[2])})


def _on_demonitor(world: World, who: str, _: str, signal: Signal, __: Round) -> None:
    proc = world.procs[who]
    watchers = frozenset(entry for entry in proc.watchers if entry[0] != signal[1])
    world.procs[who] = replace(proc, watchers=watchers)


def _on_down(world: World, who: str, _: str, signal: Signal, round_: Round) -> None:
    proc = world.procs[who]
    ref = signal[1]
    target = dict(proc.monitors).get(ref)
    if target is not None:
        world.procs[who] = replace(proc, monitors=proc.monitors - {(ref, target)})
        world.receive(who, ("DOWN", ref, target, signal[2]), round_)


HANDLERS: dict[str, Callable[[World, str, str, Signal, Round], None]] = {
    "message": _on_message,
    "alias": _on_alias,
    "link": _on_link,
    "unlink": _on_unlink,
    "ack": _on_ack,
    "exit": _on_exit,
    "exit2": _on_exit2,
    "monitor": _on_monitor,
    "demonitor": _on_demonitor,
    "down": _on_down,
}

ANSWERS: dict[str, Callable[[Signal], Signal]] = {
    "link": lambda _: ("exit", NOPROC),
    "unlink": lambda signal: ("ack", signal[1]),
    "monitor": lambda signal: ("down", signal[1], NOPROC),
}

# what commands do ---------------------------------------------------------------------


def _send(world: World, who: str, command: Command, _: Round) -> None:
    to, message = command.args
    world.emit(who, to, ("message", message))


def _send_alias(world: World, who: str, command: Command, _: Round) -> None:
    ref, owner, message = command.args
    world.emit(who, owner, ("alias", ref, message))


def _link(world: World, who: str, command: Command, _: Round) -> None:
    (other,) = command.args
    proc = world.procs[who]
    if other != who and proc.link(other) != ACTIVE:
        world.procs[who] = proc.linked(other, ACTIVE)
        world.emit(who, other, ("link",))


def _unlink(world: World, who: str, command: Command, _: Round) -> None:
    (other,) = command.args
    proc = world.procs[who]
    if proc.link(other) == ACTIVE:
        acked = not world.old & {who[0], other[0]}
        world.procs[who] = proc.linked(other, command.number if acked else None)
        world.emit(who, other, ("unlink", command.number))


def _monitor(world: World, who: str, command: Command, _: Round) -> None:
    (target,) = command.args
    if target == who:
        return  # watching oneself is a reference that never fires
    proc = world.procs[who]
    world.procs[who] = replace(proc, monitors=proc.monitors | {(command.number, target)})
    world.emit(who, target, ("monitor", command.number, target))


def _demonitor(world: World, who: str, command: Command, _: Round) -> None:
    ref, flush = command.args
    proc = world.procs[who]
    target = dict(proc.monitors).get(ref)
    if target is not None:
        world.procs[who] = replace(proc, monitors=proc.monitors - {(ref, target)})
        world.emit(who, target, ("demonitor", ref))
    elif flush:
        mailbox = tuple(message for message in proc.mailbox if not is_down(message, {ref}))
        world.procs[who] = replace(proc, mailbox=mailbox)


def _exit(world: World, who: str, command: Command, _: Round) -> None:
    other, reason = command.args
    normal_ends = other == who and not world.procs[who].trap  # as it is now: a BEAM looks when it sends
    world.emit(who, other, ("exit2", reason, normal_ends))


def _die(world: World, who: str, command: Command, round_: Round) -> None:
    world.die(who, command.args[0], round_)


def _trap(world: World, who: str, command: Command, _: Round) -> None:
    world.procs[who] = replace(world.procs[who], trap=command.args[0])


def _alias(world: World, who: str, command: Command, _: Round) -> None:
    proc = world.procs[who]
    world.procs[who] = replace(proc, aliases=proc.aliases | {(command.number, command.args[0])})


def _unalias(world: World, who: str, command: Command, _: Round) -> None:
    proc = world.procs[who]
    aliases = frozenset(alias for alias in proc.aliases if alias[0] != command.args[0])
    world.procs[who] = replace(proc, aliases=aliases)


def _register(world: World, who: str, command: Command, round_: Round) -> None:
    (name,) = command.args
    proc = world.procs[who]
    free = proc.name is None and world.whereis((name, who[0])) is None
    if round_.results.get(command.number, free) != free:
        raise Impossible
    if free:
        world.procs[who] = replace(proc, name=name)


def _unregister(world: World, who: str, _: Command, __: Round) -> None:
    world.procs[who] = replace(world.procs[who], name=None)


def _pause(_: World, __: str, ___: Command, ____: Round) -> None:
    """A round trip to a node: time for others to act."""


def _clear(world: World, who: str, _: Command, __: Round) -> None:
    world.procs[who] = replace(world.procs[who], mailbox=())


COMMANDS: dict[str, Callable[[World, str, Command, Round], None]] = {
    "send": _send,
    "send_alias": _send_alias,
    "link": _link,
    "unlink": _unlink,
    "monitor": _monitor,
    "demonitor": _demonitor,
    "exit": _exit,
    "die": _die,
    "trap": _trap,
    "alias": _alias,
    "unalias": _unalias,
    "register": _register,
    "unregister": _unregister,
    "clear": _clear,
    "pause": _pause,
}

# the search -----------------------------------------------------------------------------


def explain(start: World, round_: Round) -> World | None:
    """A world that `start` may have become through the round, and that looks as was seen; None for none."""
    world = start.copy()
    for command in round_.commands:
        world.todo[command.who] = (*world.todo.get(command.who, ()), command)
    stack, known = [world], {world.key()}
    while stack:
        world = stack.pop()
        if _is_over(world, round_):
            if all(proc.seen() == round_.seen[who] for who, proc in world.procs.items()):
                world.cuts, world.found = frozenset(), _still_watched(world)
                return world
            continue
        for following in _successors(world, round_):
            key = following.key()
            if key not in known:
                known.add(key)
                stack.append(following)
        if len(known) > SEARCHED:
            return None
    return None


def _still_watched(world: World) -> dict[int, str]:
    refs = {ref for proc in world.procs.values() for ref, _ in proc.monitors}
    return {ref: owner for ref, owner in world.found.items() if ref in refs}


def _is_over(world: World, round_: Round) -> bool:
    return not world.todo and not world.queues and len(world.cuts) == 2 * round_.cut


def _successors(world: World, round_: Round) -> Iterator[World]:
    for queue in world.queues:
        if _is_free(world, queue) and not _may_be_lost(world, queue, round_):
            following = world.copy()
            following.handle(queue, round_)
            yield following
            return
    moves: list[Callable[[World], None]] = []
    if round_.cut and not world.todo:
        moves += [lambda to, node=node: to.lose(node) for node in sorted({"a", "b"} - world.cuts)]  # type: ignore[misc]
    moves += [lambda to, who=who: to.run(who, round_) for who in world.todo]  # type: ignore[misc]
    moves += [
        lambda to, queue=queue, index=index: _move(to, queue, index, round_)  # type: ignore[misc]
        for queue, (signal, *_) in world.queues.items()
        for index in range(len(signal[1]) if signal[0] == TOGETHER else 1)
    ]
    moves += [
        lambda to, queue=queue: to.take(queue)  # type: ignore[misc]
        for queue in world.queues
        if _may_be_lost(world, queue, round_)
    ]
    for move in moves:
        following = world.copy()
        try:
            move(following)
        except Impossible:
            continue
        yield following


def _move(world: World, queue: tuple[str, str], index: int, round_: Round) -> None:
    if len(queue[1]) == 1:
        world.arrive(queue)
    else:
        world.choose(queue, index)
        world.handle(queue, round_)


def _may_be_lost(world: World, queue: tuple[str, str], round_: Round) -> bool:
    """Whether a BEAM may not send the next signal of that queue at all.

    It does not tell the other node that a monitor is taken back while the connection is being made.
    """
    (sender, who), signal = queue, world.queues[queue][0]
    elsewhere = sender[0] != who[0] and sender[0] in world.beams
    return round_.connects and elsewhere and signal[0] == "demonitor"


def _is_free(world: World, queue: tuple[str, str]) -> bool:
    """Whether it makes no difference when the next signal of that queue is handled."""
    _, who = queue
    if len(who) == 1:
        return False
    signal = world.queues[queue][0]
    proc = world.procs[who]
    if not proc.alive or signal[0] in ("ack", "demonitor"):
        return True
    return signal[0] == "down" and signal[1] not in dict(proc.monitors)
