"""Plays random rounds with puppets on two nodes and asks the model whether what came of it is possible."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyerlnode.term import Atom, Pid, Reference
from tests.support.signals_model import COMMANDS, Command, Proc, Round, Seen, World, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.term import Term
    from tests.support.signals_puppets import Side

PUPPETS = 4
"""Living puppets on each node at the start of a round."""
REMEMBERED = 3
"""Dead ones of each node that are still linked to, watched and written to."""
ROUNDS = 40
"""Rounds of one game; the next has fresh puppets."""
SETTLING = 60
"""Round trips within which everything settles."""
BIG = (Atom("big"), b"x" * 100_000)
"""Large enough to leave in fragments."""
WORDS = ("normal", "kill", "killed", "shutdown", "noproc", "noconnection")
REASONS = [*map(Atom, WORDS), (Atom("custom"), 1), BIG]
VERBS = {
    "send": 6,
    "send_alias": 3,
    "link": 10,
    "unlink": 6,
    "monitor": 9,
    "demonitor": 5,
    "exit": 4,
    "die": 2,
    "trap": 4,
    "alias": 2,
    "unalias": 1,
    "register": 3,
    "unregister": 1,
    "clear": 1,
    "pause": 3,
}
DUEL = {"link": 10, "unlink": 10, "pause": 4, "monitor": 2, "demonitor": 2, "trap": 2, "die": 1, "exit": 1}
"""What two processes on two nodes do that link and unlink at the same time."""
assert VERBS.keys() == COMMANDS.keys()


def seeds() -> Iterator[str]:
    """One for each game; ``PYERLNODE_SEED``, as a failure shows it, is that of the first."""
    first = os.environ.get("PYERLNODE_SEED")
    if first:
        yield first
    base = random.randrange(10**6)
    yield from (f"{base}/{game}" for game in itertools.count())


async def play(a: Side, b: Side, steps: int, *, beams: str = "", old: str = "") -> Tally:
    """Plays games until they had that many steps, with connections lost and processes ended among them.

    `beams` has the letters of nodes that are BEAMs, and `old` of those before OTP 24, without aliases and
    acknowledged unlinks.
    """
    tally = Tally()
    given = seeds()
    while tally.steps < steps:
        await Game({"a": a, "b": b}, next(given), tally, frozenset(beams), frozenset(old)).play()
    for _ in range(SETTLING):  # a large message to somebody dead may still be under way
        await a.echo(b.name)
        await b.echo(a.name)
    assert (a.left(), b.left()) == ([], []), tally
    assert tally.cuts, tally
    assert tally.ends, tally
    return tally


class Divergence(AssertionError):
    """What was seen cannot have come of what was done."""


@dataclass
class Tally:
    """What was played."""

    steps: int = 0
    rounds: int = 0
    cuts: int = 0
    ends: int = 0

    @property
    def lacks_a_cut(self) -> bool:
        """Whether chance has cut no connection yet, and there would be time to see what comes of it."""
        return not self.cuts and self.rounds >= ROUNDS // 2


@dataclass
class Game:
    """One game between two nodes; also the `Words` that name its processes and references."""

    sides: dict[str, Side]
    seed: str
    tally: Tally = field(default_factory=Tally)
    beams: frozenset[str] = frozenset()
    old: frozenset[str] = frozenset()
    connected: bool = True

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.world = World(beams=self.beams, old=self.old)
        self.history: list[str] = []
        self._pids: dict[str, Pid] = {}
        self._whos: dict[Pid, str] = {}
        self._refs: dict[int, Reference] = {}
        self._numbers: dict[Reference, int] = {}
        self._made: dict[str, dict[str, list[int]]] = {}  # who -> "monitor"/"alias" -> commands
        self._aliases: list[tuple[int, str]] = []
        self._last = 0
        self._count = {"a": 0, "b": 0}

    # words ----------------------------------------------------------------------------

    def pid(self, who: str) -> Pid:
        return self._pids[who]

    def who(self, pid: Pid) -> str | None:
        return self._whos.get(pid)

    def node(self, letter: str) -> str:
        return self.sides[letter].name

    def ref(self, number: int) -> Reference:
        return self._refs[number]

    def number(self, ref: Reference) -> int:
        return self._numbers.get(ref, 0)

    def target(self, shown: Term) -> Any:
        if isinstance(shown, Pid):
            return self.who(shown)
        name, node = shown
        return (str(name), "a" if node == self.node("a") else "b")

    # playing --------------------------------------------------------------------------

    async def play(self, rounds: int = ROUNDS) -> None:
        """Plays that many rounds, from a connected pair of nodes to a connected pair."""
        try:
            for _ in range(rounds):
                await self._fill()
                await self._round()
            await self._connect()
        finally:
            for letter, side in self.sides.items():
                await side.quit([pid for who, pid in self._pids.items() if who[0] == letter])

    async def _fill(self) -> None:
        for letter, side in self.sides.items():
            mine = [who for who in self.world.procs if who[0] == letter]
            living = [who for who in mine if self.world.procs[who].alive]
            for who in [who for who in mine if who not in living][:-REMEMBERED]:
                if not self._is_linked(who):
                    del self.world.procs[who]
            if len(living) < PUPPETS:
                for pid in await side.spawn(PUPPETS - len(living)):
                    self._name(letter, pid)

    def _is_linked(self, who: str) -> bool:
        """Whether another still has a link to it: without acks, that may happen to one who has ended."""
        return any(proc.link(who) is not None for proc in self.world.procs.values())

    def _name(self, letter: str, pid: Pid) -> None:
        who = f"{letter}{self._count[letter]}"
        self._count[letter] += 1
        self._pids[who], self._whos[pid] = pid, who
        self._made[who] = {"monitor": [], "alias": []}
        self.world.procs[who] = Proc()

    async def _round(self) -> None:
        if not self.connected and self.random.random() < 0.7:
            await self._connect()
        cut = self.connected and (self.random.random() < 0.08 or self.tally.lacks_a_cut)
        round_ = Round(self._choose(), cut=cut, connects=not self.connected)
        self.history.append("; ".join(map(str, round_.commands)) + ("; cut" if round_.cut else ""))
        self.tally.steps += len(round_.commands) + round_.cut
        self.tally.rounds += 1
        self.tally.cuts += round_.cut
        self._learn(round_, await self._run(round_))
        if round_.cut:
            await self._cut()
        await self._settle_and_explain(round_)

    async def _connect(self) -> None:
        here, there = self.random.sample(["a", "b"], 2)
        await self.sides[here].connect(self.node(there))
        await self.sides[here].echo(self.node(there))
        if not self.connected:
            self.history.append(f"{here} connects")
        self.connected = True

    async def _cut(self) -> None:
        here, there = self.random.sample(["a", "b"], 2)
        self.history[-1] += f" by {here}"
        await self.sides[here].disconnect(self.node(there))
        for letter, other in ("ab", "ba"):
            await self.sides[letter].lost(self.node(other))
        self.connected = False

    async def _run(self, round_: Round) -> dict[int, Term]:
        shares = {
            letter: [command for command in round_.commands if command.who[0] == letter]
            for letter in self.sides
        }
        self.connected = self.connected or any(map(self._crosses, round_.commands))
        runs = [side.run(shares[letter], self) for letter, side in self.sides.items() if shares[letter]]
        done: dict[int, Term] = {}
        for results in await asyncio.gather(*runs):
            done |= results
        return done

    def _learn(self, round_: Round, results: dict[int, Term]) -> None:
        round_.results = {
            command.number: bool(results[command.number])
            for command in round_.commands
            if command.verb == "register" and command.number in results
        }
        for command in round_.commands:
            ref = results.get(command.number)
            if isinstance(ref, Reference):
                self._refs[command.number], self._numbers[ref] = ref, command.number
                if command.verb == "alias":
                    self._aliases.append((command.number, command.who))

    async def _settle_and_explain(self, round_: Round) -> None:
        last: dict[str, Seen | None] = {}
        unexplained: dict[str, Seen | None] = {}
        for trip in range(SETTLING):
            seen = await self._look()
            if seen == last and trip >= 2 and seen != unexplained and None not in seen.values():
                round_.seen = {who: look for who, look in seen.items() if look is not None}
                world = explain(self.world, round_)
                if world is not None:
                    self.tally.ends += sum(not world.procs[who].alive for who in self._living())
                    self.world = world
                    return
                unexplained = seen
            last = seen
        raise Divergence(self._report(round_, last))

    async def _look(self) -> dict[str, Seen | None]:
        seen: dict[str, Seen | None] = {}
        for letter, side in self.sides.items():
            if self.connected:
                await side.echo(self.node("b" if letter == "a" else "a"))
            pids = [self._pids[who] for who in self.world.procs if who[0] == letter]
            seen |= await side.look(pids, self)
        return seen

    def _report(self, round_: Round, last: dict[str, Seen | None]) -> str:
        before = "\n".join(f"  {who} {proc.seen()}" for who, proc in self.world.procs.items())
        after = "\n".join(f"  {who} {look}" for who, look in last.items())
        recent = "\n".join(f"  {line}" for line in self.history[-8:])
        text = f"seed {self.seed}\nrounds:\n{recent}\nbefore:\n{before}\nseen:\n{after}"
        return text.replace(repr(BIG[1]), "b'xxx'") + f"\nresults: {round_.results}"

    # choosing -------------------------------------------------------------------------

    def _living(self) -> list[str]:
        return [who for who, proc in self.world.procs.items() if proc.alive]

    def _choose(self) -> list[Command]:
        living = self._living()
        if self.random.random() < 0.3:
            pair = [self.random.choice([who for who in living if who[0] == letter]) for letter in "ab"]
            return self._script(pair, pair, DUEL)
        actors = self.random.sample(living, self.random.choice([2, 2, 3, len(living)]))
        targets = actors if self.random.random() < 0.7 else list(self.world.procs)
        return self._script(actors, targets, VERBS)

    def _script(self, actors: list[str], targets: list[str], verbs: dict[str, int]) -> list[Command]:
        commands: list[Command] = []
        for _ in range(self.random.randint(1, 7)):
            (verb,) = self.random.choices(list(verbs), list(verbs.values()))
            command = self._command(self.random.choice(actors), verb, targets, commands)
            if command is not None:
                commands.append(command)
        return commands

    def _command(self, who: str, verb: str, targets: list[str], before: list[Command]) -> Command | None:
        args = self._args(verb, who, targets, before)
        if args is None:
            return None
        self._last += 1
        if verb in ("monitor", "alias"):
            self._made[who][verb].append(self._last)
        return Command(self._last, who, verb, args)

    def _args(self, verb: str, who: str, targets: list[str], before: list[Command]) -> tuple[Any, ...] | None:
        choice = self.random.choice
        others = [target for target in targets if target != who]
        match verb:
            case "send":
                return (choice(targets) if choice((1, 1, 0)) else self._any_name(), self._message())
            case "send_alias":
                known = [alias for alias in self._aliases if alias[1] in self.world.procs and not self.old]
                return (*choice(known[-6:]), self._message()) if known else None
            case "alias" if who[0] in self.old:
                return None
            case "link" | "unlink":
                return (choice(others),)
            case "monitor":
                return (choice(others) if choice((1, 1, 0)) else self._watchable(who, before),)
            case "demonitor" | "unalias":
                made = self._made[who]["monitor" if verb == "demonitor" else "alias"]
                flush = (choice((True, False)),) if verb == "demonitor" else ()
                return (choice(made[-4:]), *flush) if made else None
            case "exit":
                return (choice(targets), choice(REASONS))
            case "die":
                return (choice(REASONS),)
            case "trap" | "alias":
                return (choice((True, False)),)
            case "register":
                return (choice(("n0", "n1")),)
            case "pause":
                return (("keeper", "b" if who[0] == "a" else "a"),)
        return ()

    def _message(self) -> Term:
        return (Atom("msg"), self._last + 1, *(BIG if self.random.random() < 0.05 else ()))

    def _any_name(self) -> tuple[str, str]:
        return self.random.choice(("n0", "n1")), self.random.choice("ab")

    def _watchable(self, who: str, before: list[Command]) -> tuple[str, str]:
        """A name that is surely not one's own: how a node shows who watches itself is its own business."""
        name, node = self._any_name()
        registers = any(command.who == who and command.verb == "register" for command in before)
        if node == who[0] and (registers or self.world.procs[who].name is not None):
            return name, "b" if node == "a" else "a"
        return name, node

    def _crosses(self, command: Command) -> bool:
        """Whether running it connects the nodes."""
        if command.verb == "send_alias":
            to: Any = command.args[1]
        elif command.verb in ("send", "link", "monitor", "exit", "pause"):
            to = command.args[0]
        else:
            return False
        return bool((to[0] if isinstance(to, str) else to[1]) != command.who[0])
