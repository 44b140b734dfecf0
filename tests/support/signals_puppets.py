"""Processes that do as they are told, on a Python node or in a BEAM, for the model of signals.

Both kinds keep what they receive in their mailbox until told to ``clear`` it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pyerlnode import Exit, NameTaken, NodeDown
from pyerlnode.runtime.process import Process
from pyerlnode.term import Atom, Pid, Reference, decode, encode
from tests.support.erlang_modules import load
from tests.support.signals_model import Command, Seen

if TYPE_CHECKING:
    from pyerlnode import Node
    from pyerlnode.term import Term
    from tests.support.beam import Beam

SOURCE = """
-module(signal_puppets).
-export([start/0, run/1, look/1, more/1, echo/1, lost/1, quit/1]).

start() ->
    Self = self(),
    spawn(fun() ->
        register(keeper, self()),
        net_kernel:monitor_nodes(true, [{node_type, all}]),
        Self ! ready,
        keep(#{})
    end),
    receive ready -> ok end.

keep(Ends) ->
    receive
        {echo, From, Tag} -> From ! {echoed, Tag}, keep(Ends);
        {spawn, From} ->
            {Pid, _} = spawn_monitor(fun puppet/0),
            From ! {spawned, Pid},
            keep(Ends);
        {'DOWN', _, process, Pid, Reason} -> keep(Ends#{Pid => Reason});
        {ends, From} -> From ! {ends, Ends}, keep(Ends);
        {forget, From} -> From ! forgotten, keep(#{});
        {nodedown, Node, _} -> keep(Ends#{Node => down});
        {nodeup, Node, _} -> keep(maps:remove(Node, Ends));
        _ -> keep(Ends)
    end.

more(Count) ->
    [begin keeper ! {spawn, self()}, receive {spawned, Pid} -> Pid end end || _ <- lists:seq(1, Count)].

quit(Pids) ->
    Refs = [begin exit(Pid, kill), monitor(process, Pid) end || Pid <- Pids],
    [receive {'DOWN', Ref, _, _, _} -> ok end || Ref <- Refs],
    keeper ! {forget, self()},
    receive forgotten -> ok end.

run(Commands) ->
    Pids = lists:usort([Pid || {Pid, _, _} <- Commands]),
    Refs = maps:from_list([{Pid, monitor(process, Pid)} || Pid <- Pids]),
    [Pid ! {'$do', self(), Number, Command} || {Pid, Number, Command} <- Commands],
    gather(Commands, Refs, []).

gather([], _, Done) -> Done;
gather([{Pid, Number, _} | Rest], Refs, Done) ->
    Ref = map_get(Pid, Refs),
    receive
        {'$did', Number, Result} -> gather(Rest, Refs, [{Number, Result} | Done]);
        {'DOWN', Ref, _, _, _} ->
            self() ! {'DOWN', Ref, process, Pid, ended},
            gather(Rest, Refs, Done)
    end.

look(Pids) ->
    Items = [messages, links, monitors, monitored_by, registered_name],
    States = [{Pid, process_info(Pid, Items)} || Pid <- Pids],
    keeper ! {ends, self()},
    receive {ends, Ends} -> ok end,
    [case State of
        undefined -> {Pid, maps:get(Pid, Ends, '$ending')};
        _ -> {Pid, State}
    end || {Pid, State} <- States].

echo(Node) ->
    Tag = make_ref(),
    {keeper, Node} ! {echo, self(), Tag},
    receive {echoed, Tag} -> ok end.

lost(Node) ->
    keeper ! {ends, self()},
    receive {ends, #{Node := down}} -> ok; {ends, _} -> erlang:yield(), lost(Node) end.

puppet() ->
    receive
        {'$do', From, Number, Command} ->
            Result = do(Number, Command),
            From ! {'$did', Number, Result},
            puppet()
    end.

do(_, {send, To, Message}) -> To ! Message, true;
do(_, {send_alias, To, Message}) -> To ! Message, true;
do(_, {link, Pid}) -> try link(Pid) catch error:noproc -> exit(noproc) end;
do(_, {unlink, Pid}) -> unlink(Pid);
do(Number, {monitor, Target}) -> Ref = monitor(process, Target), put(Number, Ref), Ref;
do(_, {demonitor, Number, true}) -> demonitor(get(Number), [flush]);
do(_, {demonitor, Number, false}) -> demonitor(get(Number));
do(_, {exit, Pid, Reason}) -> exit(Pid, Reason);
do(_, {die, Reason}) -> exit(Reason);
do(_, {trap, On}) -> process_flag(trap_exit, On), true;
do(Number, {alias, true}) -> Ref = erlang:alias([reply]), put(Number, Ref), Ref;
do(Number, {alias, false}) -> Ref = erlang:alias(), put(Number, Ref), Ref;
do(_, {unalias, Number}) -> erlang:unalias(get(Number)), true;
do(_, {register, Name}) ->
    try register(Name, self()) catch error:badarg -> false end;
do(_, {unregister}) ->
    case process_info(self(), registered_name) of {_, Name} -> unregister(Name); [] -> true end;
do(_, {pause, {_, Node}}) -> echo(Node);
do(_, {clear}) -> clear().

clear() ->
    receive Message when element(1, Message) =/= '$do' -> clear() after 0 -> true end.
"""


class Words(Protocol):
    """Translates what the model says into pids and references, and back."""

    def pid(self, who: str) -> Pid: ...
    def who(self, pid: Pid) -> str | None: ...
    def node(self, letter: str) -> str: ...
    def ref(self, number: int) -> Reference: ...
    def number(self, ref: Reference) -> int: ...
    def target(self, shown: Term) -> Any: ...


class Side(Protocol):
    """One node with its puppets."""

    name: str

    async def spawn(self, count: int) -> list[Pid]:
        """New puppets."""

    async def run(self, commands: list[Command], words: Words) -> dict[int, Term]:
        """Has the puppets run these; returns, when all have run or ended, what came of each that ran."""

    async def look(self, pids: list[Pid], words: Words) -> dict[str, Seen | None]:
        """How they are; None for one that is about to end."""

    async def echo(self, peer: str) -> None:
        """One round trip to `peer` and back."""

    async def connect(self, peer: str) -> None: ...
    async def disconnect(self, peer: str) -> None: ...

    async def lost(self, peer: str) -> None:
        """Waits until this node knows that `peer` is gone."""

    async def quit(self, pids: list[Pid]) -> None:
        """Ends them all."""

    def left(self) -> list[Any]:
        """What is in the node's tables of monitors and aliases."""


def message_seen(message: Term, words: Words) -> Term:
    """A message as the model has it."""
    match message:
        case ("DOWN", Reference() as ref, "process", shown, reason):
            return ("DOWN", words.number(ref), words.target(shown), reason)
        case ("EXIT", Pid() as pid, reason):
            return ("EXIT", words.who(pid), reason)
    return message


def _pid_or_name(to: Any, words: Words) -> Term:
    return words.pid(to) if isinstance(to, str) else (Atom(to[0]), Atom(words.node(to[1])))


async def echo(me: Process, peer: str) -> None:
    """A round trip to `peer`."""
    ref = me.router.registry.reference()
    await me.send(("keeper", peer), (Atom("echo"), me.pid, ref))
    await me.receive(match=lambda message: message == ("echoed", ref))


# Python ----------------------------------------------------------------------------------


@dataclass
class Puppet:
    """One Python process that runs what is put into `commands`."""

    commands: asyncio.Queue[tuple[Command, Words]] = field(default_factory=asyncio.Queue)
    refs: dict[int, Reference] = field(default_factory=dict)
    results: dict[int, Term] = field(default_factory=dict)
    process: Process | None = None
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def body(self, me: Process) -> None:
        while me.alive:
            if self.commands.empty():
                self.idle.set()
            command, words = await self.commands.get()
            if me.alive:
                self.results[command.number] = await self.do(me, command, words)

    async def do(self, me: Process, command: Command, words: Words) -> Term:
        verb, args = command.verb, command.args
        match verb:
            case "send":
                await me.send(_pid_or_name(args[0], words), args[1])
            case "send_alias":
                await me.send(words.ref(args[0]), args[2])
            case "link":
                await me.link(words.pid(args[0]))
            case "unlink":
                await me.unlink(words.pid(args[0]))
            case "monitor":
                # the reference is known to the puppet even where it is ended meanwhile
                self.refs[command.number] = await me.monitor(_pid_or_name(args[0], words))
                return self.refs[command.number]
            case "demonitor":
                await me.demonitor(self.refs[args[0]], flush=args[1])
            case "pause":
                await echo(me, words.node(args[0][1]))
            case "exit":
                await me.exit(words.pid(args[0]), args[1])
            case _:
                return self.do_at_once(me, command)
        return True

    def do_at_once(self, me: Process, command: Command) -> Term:
        verb, args = command.verb, command.args
        match verb:
            case "die":
                raise Exit(args[0])
            case "trap":
                me.trap_exit = args[0]
            case "alias":
                self.refs[command.number] = me.alias(once=args[0])
                return self.refs[command.number]
            case "unalias":
                me.unalias(self.refs[args[0]])
            case "register":
                return self.register(me, args[0])
            case "unregister":
                for name in list(me.names):
                    me.router.registry.unregister(name)
            case "clear":
                me._mailbox.remove(lambda _: True)
            case _:
                raise ValueError(verb)
        return True

    def register(self, me: Process, name: str) -> bool:
        if me.names:
            return False  # in a BEAM, a process has one name at most
        try:
            me.register(name)
        except NameTaken:
            return False
        return True


class PythonSide:
    """Puppets on a Python node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.name = node.name
        self._puppets: dict[Pid, Puppet] = {}
        self._events = node.monitor_nodes()
        self._keeper: Process | None = None

    async def start(self) -> PythonSide:
        """With its keeper, which answers echoes."""
        await self.node.spawn(self._keep, name="keeper")
        return self

    async def _keep(self, me: Process) -> None:
        async for message in me:
            match message:
                case ("echo", Pid() as caller, tag):
                    await me.send(caller, (Atom("echoed"), tag))

    async def spawn(self, count: int) -> list[Pid]:
        made = []
        for _ in range(count):
            puppet = Puppet()
            pid = await self.node.spawn(puppet.body)
            found = self.node._router.registry.find(pid)
            assert isinstance(found, Process)
            puppet.process = found
            self._puppets[pid] = puppet
            made.append(pid)
        return made

    async def run(self, commands: list[Command], words: Words) -> dict[int, Term]:
        busy = {words.pid(command.who): self._puppets[words.pid(command.who)] for command in commands}
        for puppet in busy.values():
            puppet.idle.clear()
            puppet.results.clear()
        for command in commands:
            busy[words.pid(command.who)].commands.put_nowait((command, words))
        for puppet in busy.values():
            assert puppet.process is not None
            task = puppet.process.task
            assert task is not None
            waiting = asyncio.ensure_future(puppet.idle.wait())
            await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        return {number: result for puppet in busy.values() for number, result in puppet.results.items()}

    async def look(self, pids: list[Pid], words: Words) -> dict[str, Seen | None]:
        return {words.who(pid) or "": self._seen(self._puppets[pid], words) for pid in pids}

    def _seen(self, puppet: Puppet, words: Words) -> Seen:
        process = puppet.process
        assert process is not None
        if not process.alive:
            return Seen(alive=False, reason=process.exit_reason)
        watchers = [words.who(watcher.watcher) for watcher in process.watchers.values()]
        return Seen(
            True,
            None,
            tuple(message_seen(message, words) for message in process._mailbox._messages),
            frozenset(_link_shown(pid, state, words) for pid, state in process.links.items()),
            tuple(sorted(str(words.target(watched.shown)) for watched in process.monitors.values())),
            tuple(sorted(watcher for watcher in watchers if watcher is not None)),
            str(process.names[0]) if process.names else None,
        )

    async def echo(self, peer: str) -> None:
        async with self.node.process() as me:
            await echo(me, peer)

    async def connect(self, peer: str) -> None:
        await self.node.connect(peer)

    async def disconnect(self, peer: str) -> None:
        await self.node.disconnect(peer)

    async def lost(self, peer: str) -> None:
        if peer not in self.node.list("connected"):
            return
        async for event in self._events:
            if isinstance(event, NodeDown) and peer not in self.node.list("connected"):
                return

    async def quit(self, pids: list[Pid]) -> None:
        for pid in pids:
            process = self._puppets.pop(pid).process
            if process is not None:
                process.end(Atom("kill"))

    def left(self) -> list[Any]:
        router = self.node._router
        return [(ref, actor, actor.watchers.get(ref)) for ref, actor in router._watched.items()] + list(
            router._aliases.items()
        )


def _link_shown(pid: Pid, state: int, words: Words) -> str:
    """The other one; an unlink whose ack does not come would be seen."""
    who = words.who(pid) or ""
    return who if state == 0 else f"{who}, unlinking"


# BEAM ------------------------------------------------------------------------------------


class BeamSide:
    """Puppets in a BEAM."""

    def __init__(self, beam: Beam) -> None:
        self.beam = beam
        self.name = beam.name

    async def start(self) -> BeamSide:
        """With the module that the puppets run."""
        await load(self.beam, SOURCE)
        await self._ask("start()")
        return self

    async def _ask(self, call: str, argument: Term = None) -> Term:
        return decode(await self.beam.eval_bytes(f"signal_puppets:{call}", B=encode(argument)))

    async def spawn(self, count: int) -> list[Pid]:
        made: list[Pid] = await self._ask(f"more({count})")
        return made

    async def run(self, commands: list[Command], words: Words) -> dict[int, Term]:
        told = [(words.pid(command.who), command.number, _erlang(command, words)) for command in commands]
        done = await self._ask("run(binary_to_term(B))", told)
        return dict(done)

    async def look(self, pids: list[Pid], words: Words) -> dict[str, Seen | None]:
        states = await self._ask("look(binary_to_term(B))", pids)
        return {words.who(pid) or "": _seen_there(state, words) for pid, state in states}

    async def echo(self, peer: str) -> None:
        await self._ask(f"echo('{peer}')")

    async def connect(self, peer: str) -> None:
        answer = await self.beam.eval(f"net_kernel:connect_node('{peer}')")
        assert answer == "true", (answer, self.beam.log[-5:])

    async def disconnect(self, peer: str) -> None:
        await self.beam.eval(f"erlang:disconnect_node('{peer}')")

    async def lost(self, peer: str) -> None:
        await self._ask(f"lost('{peer}')")

    async def quit(self, pids: list[Pid]) -> None:
        await self._ask("quit(binary_to_term(B))", pids)

    def left(self) -> list[Any]:
        return []  # what a BEAM leaves behind is not ours to judge


def _erlang(command: Command, words: Words) -> Term:
    verb, args = command.verb, command.args
    match verb:
        case "send":
            return (Atom(verb), _pid_or_name(args[0], words), args[1])
        case "send_alias":
            return (Atom(verb), words.ref(args[0]), args[2])
        case "link" | "unlink" | "exit":
            return (Atom(verb), words.pid(args[0]), *args[1:])
        case "monitor" | "pause":
            return (Atom(verb), _pid_or_name(args[0], words))
        case "register":
            return (Atom(verb), Atom(args[0]))
    return (Atom(verb), *args)


def _seen_there(state: Term, words: Words) -> Seen | None:
    if state == "$ending":
        return None
    if not isinstance(state, list):
        return Seen(alive=False, reason=state)
    items = {item[0]: item[1] for item in state if isinstance(item, tuple)}
    watchers: list[str | None] = [words.who(pid) for pid in items["monitored_by"]]
    return Seen(
        True,
        None,
        tuple(message_seen(message, words) for message in items["messages"]),
        frozenset(words.who(pid) or "" for pid in items["links"]),
        tuple(sorted(str(words.target(target)) for _, target in items["monitors"])),
        tuple(sorted(watcher for watcher in watchers if watcher is not None)),
        str(items["registered_name"]) if items.get("registered_name") else None,
    )
