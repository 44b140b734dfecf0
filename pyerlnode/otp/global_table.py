"""The global names that one node knows, and what two partitions make of theirs when they meet.

A name is any term.  When both partitions have it, for different processes, the node with the smaller name
lets the method that it was registered with decide: ``global:resolve_it(Method, Name, Theirs, Ours)``, run
where our process lives, gives the pid that keeps the name, or ``none``.  Where that cannot be asked, theirs
stays (kernel's ``global``, "Name Clashes").  Outcomes travel as ``{insert, Entry}`` and ``{delete, Name}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.frozen import frozen
from pyerlnode.term import Atom, Pid, encode_bare

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.term import Reference, Term

INSERT = Atom("insert")
DELETE = Atom("delete")


@frozen
class GlobalName:
    """One registered global name, whose process is watched under `ref`."""

    name: Term
    pid: Pid
    method: Term
    ref: Reference

    @property
    def entry(self) -> Term:
        """``{Name, Pid, Method}``, as nodes tell each other."""
        return (self.name, self.pid, self.method)


class GlobalTable:
    """Global names by the external form of the name; `watch` and `unwatch` see to their processes."""

    def __init__(self, watch: Callable[[Pid], Reference], unwatch: Callable[[Reference], None]) -> None:
        self._watch = watch
        self._unwatch = unwatch
        self._names: dict[bytes, GlobalName] = {}
        self._watched: dict[Reference, bytes] = {}

    def __len__(self) -> int:
        return len(self._names)

    def entries(self) -> list[Term]:
        """Every ``{Name, Pid, Method}``."""
        return [known.entry for known in self._names.values()]

    def find(self, name: Term) -> GlobalName | None:
        """What is known of `name`."""
        return self._names.get(encode_bare(name))

    def insert(self, name: Term, pid: Pid, method: Term) -> None:
        """Gives `name` to `pid`, whoever had it."""
        self.delete(name)
        key = encode_bare(name)
        ref = self._watch(pid)
        self._names[key] = GlobalName(name, pid, method, ref)
        self._watched[ref] = key

    def delete(self, name: Term) -> None:
        """Forgets `name`."""
        known = self._names.pop(encode_bare(name), None)
        if known is not None:
            del self._watched[known.ref]
            self._unwatch(known.ref)

    def watches(self, ref: Reference) -> bool:
        """Whether a process is watched under `ref`, or about to be."""
        return ref in self._watched

    def process_down(self, ref: Reference) -> None:
        """The process that is watched under `ref` is gone, and its name with it."""
        key = self._watched.pop(ref, None)
        if key is not None:
            del self._names[key]

    def apply(self, ops: list[Term]) -> None:
        """Makes the changes that came of a meeting."""
        for op in ops:
            match op:
                case ("insert", (name, Pid() as pid, method)):
                    self.insert(name, pid, method)
                case ("delete", name):
                    self.delete(name)

    async def compare(
        self, theirs: list[Term], settle: Callable[[GlobalName, Pid], Awaitable[Term]] | None
    ) -> tuple[list[Term], list[Term]]:
        """What to change here, and what they must change, now that we have their entries.

        `settle` decides a clash; None where that is the other side's part.
        """
        here: list[Term] = []
        there: list[Term] = []
        for entry in theirs:
            if type(entry) is not tuple or len(entry) != 3 or not isinstance(entry[1], Pid):
                continue
            ours = self.find(entry[0])
            if ours is None:
                here.append((INSERT, entry))
            elif ours.pid != entry[1] and settle is not None:
                _outcome(await settle(ours, entry[1]), ours, entry, here, there)
        return here, there


def _outcome(keeps: Term, ours: GlobalName, entry: Term, here: list[Term], there: list[Term]) -> None:
    if keeps == ours.pid:
        there.append((INSERT, ours.entry))
    elif keeps == entry[1]:
        here.append((INSERT, entry))
    else:
        here.append((DELETE, ours.name))
        there.append((DELETE, ours.name))
