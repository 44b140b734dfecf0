"""The children of one supervisor: which there are, in the order of their start, and what each is now.

The shapes are those of stdlib's ``supervisor``: ``which_children`` has the one started last first.  Ids are
told apart as Erlang does, so that ``1`` and ``1.0`` are two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyerlnode.otp.starting import ERROR, IGNORE, OK
from pyerlnode.runtime.exits import encodable, is_reason
from pyerlnode.term import Atom, Pid, encode_bare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyerlnode.otp.child import Child
    from pyerlnode.otp.gen import Process
    from pyerlnode.runtime.registry import Registry
    from pyerlnode.term import Term

RESTARTING = Atom("restarting")
UNDEFINED = Atom("undefined")


@dataclass(eq=False, slots=True)
class Entry:
    """One child: its specification, and the process that it is now, if any."""

    child: Child
    pid: Pid | None = None
    process: Process | None = None
    """The process itself, where it runs here and was started by the supervisor."""
    extra: tuple[Term, ...] | None = None
    """What its start function gave besides the pid."""
    restarting: bool = False
    """Whether it could not be started again, and another attempt is due."""
    failure: Term = None
    """Why it could not be started."""
    error: Exception | None = None
    """What its start raised."""

    @property
    def shown(self) -> Term:
        """How ``which_children`` shows it: a pid, ``restarting`` or ``undefined``."""
        if self.restarting:
            return RESTARTING
        return UNDEFINED if self.pid is None else self.pid

    def clear(self) -> None:
        """It is not there any more; its coroutine may be."""
        self.pid, self.extra, self.restarting = None, None, False
        self.failure, self.error = None, None

    def take(self, result: Term) -> bool:
        """Takes what its start function gave: ``{ok, Pid}``, ``{ok, Pid, Info}``, ``ignore`` or an error."""
        if is_reason(result, IGNORE):
            return True
        match result if type(result) is tuple else ():
            case (Atom() as word, Pid() as pid, *extra) if word == OK and len(extra) < 2:
                self.pid, self.extra = pid, tuple(extra) or None
                return True
            case (Atom() as word, reason) if word == ERROR:
                self.failure = encodable(reason)
                return False
        self.failure = encodable(result)
        return False

    def as_record(self) -> Term:
        """The child as the error of ``start_child`` shows it."""
        child = self.child
        return (
            Atom("child"),
            UNDEFINED,
            child.id,
            child.function,
            Atom(child.restart),
            child.significant,
            child.milliseconds,
            Atom(child.type),
            child.modules,
        )


class Children:
    """Entries in the order of their start."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Adds one, after all others."""
        self._entries[encode_bare(entry.child.id)] = entry

    def remove(self, entry: Entry) -> None:
        """Forgets one."""
        self._entries.pop(encode_bare(entry.child.id), None)

    def has(self, entry: Entry) -> bool:
        """Whether it is still one of them."""
        return self.find(entry.child.id) is entry

    def find(self, ident: Term) -> Entry | None:
        """The child of that id."""
        return self._entries.get(encode_bare(ident))

    def by_pid(self, pid: Pid) -> Entry | None:
        """The child that is that process."""
        return next((entry for entry in self._entries.values() if entry.pid == pid), None)

    def in_order(self) -> Sequence[Entry]:
        """All, the one started first first."""
        return list(self._entries.values())

    def from_on(self, entry: Entry) -> Sequence[Entry]:
        """That one, and those started after it."""
        entries = self.in_order()
        return entries[entries.index(entry) :]

    def which(self) -> Term:
        """The answer to ``which_children``."""
        return [
            (entry.child.id, entry.shown, Atom(entry.child.type), entry.child.modules)
            for entry in reversed(self.in_order())
        ]

    def count(self, registry: Registry) -> Term:
        """The answer to ``count_children``."""
        entries = self.in_order()
        active = sum(entry.pid is not None and _is_alive(entry.pid, registry) for entry in entries)
        supervisors = sum(entry.child.type == "supervisor" for entry in entries)
        return [
            (Atom("specs"), len(entries)),
            (Atom("active"), active),
            (Atom("supervisors"), supervisors),
            (Atom("workers"), len(entries) - supervisors),
        ]


def _is_alive(pid: Pid, registry: Registry) -> bool:
    return pid.node != registry.node or registry.find(pid) is not None
