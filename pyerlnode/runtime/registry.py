"""Who lives here: pids, references and registered names of one node.

Pids count through 15 bits of number and 13 of serial, the range that every release from OTP 23 on
accepts from a peer (ERTS external term format, NEW_PID_EXT); a number in use is never given twice.
References have three words, the first below 2^18, and do not repeat (NEWER_REFERENCE_EXT).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.errors import NameTaken
from pyerlnode.term import Atom, Pid, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyerlnode.runtime.actor import Actor

ID_BITS = 15
SERIAL_BITS = 13
PID_MASK = (1 << (ID_BITS + SERIAL_BITS)) - 1
ID_MASK = (1 << ID_BITS) - 1
WORD_MASK = 0xFFFFFFFF
FIRST_WORD_BITS = 18


class Registry:
    """Actors of one node by pid number and by name; makes new pids and references."""

    def __init__(self, node: Atom, creation: int) -> None:
        self.node = node
        self.creation = creation
        self._actors: dict[int, Actor] = {}
        self._names: dict[str, Actor] = {}
        self.whereis: Callable[[str], Actor | None] = self._names.get
        """Who is registered as that name."""
        self._last_pid = 0
        self._last_ref = 0
        self.former: set[tuple[Atom, int]] = set()
        """Names that the node had, each with its creation: mostly none."""

    def rename(self, node: Atom, creation: int) -> None:
        """Gives the node another name, as the first peer of a nameless one does."""
        self.former.add((self.node, self.creation))
        self.node, self.creation = node, creation
        for actor in self:
            actor.renamed()

    def __len__(self) -> int:
        return len(self._actors)

    def __iter__(self) -> Iterator[Actor]:
        return iter(list(self._actors.values()))

    def add(self, actor: Actor) -> int:
        """Gives `actor` a number that no living one has."""
        number = (self._last_pid + 1) & PID_MASK
        while number in self._actors or number == 0:
            number = (number + 1) & PID_MASK
        self._last_pid = number
        self._actors[number] = actor
        return number

    def pid(self, number: int) -> Pid:
        """The pid of that number, under the name that the node has now."""
        return Pid(self.node, number & ID_MASK, number >> ID_BITS, self.creation)

    def current(self, pid: Pid) -> Pid:
        """`pid` under the name that the node has now, where it is one of ours."""
        if self.former and (pid.node, pid.creation) in self.former:
            return Pid(self.node, pid.id, pid.serial, self.creation)
        return pid

    def home(self, ref: Reference) -> Atom:
        """The node that made `ref`, under the name that it has now."""
        return self.node if self.former and (ref.node, ref.creation) in self.former else ref.node

    def reference(self) -> Reference:
        """A reference that this node never made before."""
        self._last_ref += 1
        count = self._last_ref
        first = count & ((1 << FIRST_WORD_BITS) - 1)
        rest = count >> FIRST_WORD_BITS
        return Reference(self.node, self.creation, (first, rest & WORD_MASK, rest >> 32 & WORD_MASK))

    def find(self, pid: Pid) -> Actor | None:
        """The living actor with that pid; None for another incarnation's."""
        if pid.node != self.node or pid.creation != self.creation:
            return None
        return self._actors.get(pid.serial << ID_BITS | pid.id)

    def remove(self, actor: Actor) -> None:
        """Forgets a dead actor and all its names."""
        self._actors.pop(actor.number, None)
        for name in actor.names:
            self._names.pop(name, None)
        actor.names.clear()

    # names ------------------------------------------------------------------------

    def register(self, name: str, actor: Actor) -> None:
        """Registers `actor` under `name`.  Raises :class:`NameTaken` where another has that name."""
        if not actor.alive:
            raise NameTaken(f"cannot register {name!r}: that process has ended")
        if name in self._names:
            raise NameTaken(f"{name!r} is registered here already; node.unregister({name!r}) first")
        if name == "undefined":
            raise NameTaken("'undefined' cannot be a registered name")
        atom = Atom(name)
        self._names[atom] = actor
        actor.names.append(atom)

    def unregister(self, name: str) -> bool:
        """Frees `name`; False when nobody had it."""
        actor = self._names.pop(name, None)
        if actor is None:
            return False
        actor.names.remove(Atom(name))
        return True

    def names(self) -> list[Atom]:
        """Every registered name."""
        return [Atom(name) for name in self._names]
