"""The locker of ``global``: when two nodes meet, it locks both their partitions for the exchange of names.

Either side may begin.  It sets the lock ``{global, [LockerA, LockerB]}`` (the two pids in the BEAM's order)
on the node with the greatest name, then on both nodes, then on all others it knows, and says
``{lock_set, Locker, true, ...}``; the other side does the same in its own partition and answers.  When both
have it, the name servers exchange names; when they are done, or the other node is lost, the lock goes.

A locker deals with one other node at a time, which is what keeps two that start at once from waiting for
each other (kernel's ``global``, protocol versions 5 to 8).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakSet

from pyerlnode.errors import CallError
from pyerlnode.frozen import frozen
from pyerlnode.lazy import later
from pyerlnode.otp.gen import Process, call
from pyerlnode.term import Atom, Pid

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term
else:
    random = later("random")

log = logging.getLogger("pyerlnode.global")

SERVER = "global_name_server"
GLOBAL = Atom("global")
LOCK_TIMEOUT = 5.0
"""Seconds for one node to answer a lock request."""
PATIENCE = 15.0
"""Seconds that a lock is held for a node that does not go on: a stuck one must not block the cluster."""


class Meeting:
    """One connection that is to be synchronized, as the locker sees it."""

    def __init__(self, node: Atom, his_locker: Pid, his_vsn: int, his_tag: Term, my_tag: int) -> None:
        self.node: Final = node
        self.his_locker: Final = his_locker
        self.his_vsn: Final = his_vsn
        self.his_tag: Final = his_tag
        self.my_tag: Final = my_tag


@frozen
class LockSet:
    """The other locker has its partition locked, or has not."""

    node: Atom
    his_locker: Pid
    is_set: bool


@frozen
class Done:
    """The exchange with `node` is over, or cannot go on; `last` runs before the lock is released."""

    node: Atom
    my_tag: int
    last: Callable[[], None] | None = None


class Server(Protocol):
    """What the locker needs of its name server."""

    def known_nodes(self) -> list[Atom]:
        """Nodes of our own partition, ourselves excepted."""

    def may_lock(self, ident: Term) -> bool:
        """Whether our own node would grant that lock now."""

    def tell_lock_set(self, meeting: Meeting, locker: Pid, *, is_set: bool) -> None:
        """Tells the other locker."""

    def lock_is_set(self, meeting: Meeting, ident: Term) -> None:
        """Both partitions are locked: names may be exchanged."""


class LockerProcess(Process):
    """The process that other nodes know as our locker."""

    def on_message(self, message: Term) -> None:
        """Reads what lockers before protocol version 6 (OTP 23) send each other without a name server."""
        match message:
            case ("lock_set", Pid() as locker, bool() as is_set, _):
                message = LockSet(locker.node, locker, is_set)
        super().on_message(message)


class Locker:
    """The body of the locker process."""

    def __init__(self, router: Router, server: Server) -> None:
        self.process = LockerProcess(router)
        self.process.trap_exit = True  # it does not end because somebody who linked to it did
        self._server = server
        self._meetings: dict[Atom, Meeting] = {}
        self._silent: WeakSet[Meeting] = WeakSet()
        self._just_synced = False

    def start(self) -> None:
        """Starts the locker's coroutine."""
        self.process.start(self._run, ())

    def tell(self, message: Meeting | LockSet | Done) -> None:
        """Puts a message of our own name server into the mailbox."""
        self.process.on_message(message)

    # the loop ------------------------------------------------------------------------

    async def _run(self, me: Process) -> None:
        while True:
            try:
                message = await me.receive(self._pause())
            except TimeoutError:
                await self._begin(random.choice(self._candidates()))
                continue
            match message:
                case Meeting(node=node):
                    self._meetings[node] = message
                case Done():
                    self._finish(message)
                case LockSet(is_set=True):
                    await self._follow(message)

    def _candidates(self) -> list[Meeting]:
        """Those that we may begin with.  One that left us waiting begins itself when it can."""
        return [meeting for meeting in self._meetings.values() if meeting not in self._silent]

    def _pause(self) -> float | None:
        if not self._candidates():
            return None
        if self._just_synced:
            self._just_synced = False
            return 0.0
        nodes = len(self._server.known_nodes())
        return random.uniform(0.01, 0.05) + random.uniform(0, min(0.05 * nodes, 1.0))

    def _forget(self, done: Done) -> None:
        meeting = self._meetings.get(done.node)
        if meeting is not None and meeting.my_tag == done.my_tag:
            del self._meetings[done.node]

    async def _begin(self, meeting: Meeting) -> None:
        """We lock first: our partition and the other node, then wait for the other locker."""
        if meeting.node in self._server.known_nodes():
            self._meetings.pop(meeting.node, None)
            return
        ident = self._ident(meeting.his_locker)
        locked = await self._lock(ident, [meeting.node])
        if locked is None:
            return
        self._server.tell_lock_set(meeting, self.process.pid, is_set=True)
        answer = await self._next_of(meeting, with_answer=True)
        if isinstance(answer, LockSet) and answer.is_set:
            await self._exchange(meeting, ident, locked)
        else:
            if isinstance(answer, Done):
                self._finish(answer)
            elif answer is None:
                self._silent.add(meeting)
            await self._unlock(ident, locked)

    async def _follow(self, message: LockSet) -> None:
        """The other locker has locked first: we lock our partition and answer."""
        meeting = self._meetings.get(message.node)
        if meeting is None or meeting.his_locker != message.his_locker:
            return
        self._silent.discard(meeting)
        ident = self._ident(meeting.his_locker)
        locked = await self._lock(ident, [])
        self._server.tell_lock_set(meeting, self.process.pid, is_set=locked is not None)
        if locked is not None:
            await self._exchange(meeting, ident, locked)

    async def _exchange(self, meeting: Meeting, ident: Term, locked: list[Atom]) -> None:
        self._server.lock_is_set(meeting, ident)
        done = await self._next_of(meeting, with_answer=False)
        if isinstance(done, Done):
            self._finish(done)
            self._just_synced = True
        await self._unlock(ident, locked)
        self._meetings.pop(meeting.node, None)

    def _finish(self, done: Done) -> None:
        self._forget(done)
        if done.last is not None:
            done.last()

    async def _next_of(self, meeting: Meeting, *, with_answer: bool) -> LockSet | Done | None:
        """The next word about `meeting`; None when none comes in time."""

        def concerns(message: Term) -> bool:
            if isinstance(message, Done):
                return message.node == meeting.node and message.my_tag == meeting.my_tag
            return with_answer and isinstance(message, LockSet) and message.node == meeting.node

        try:
            word: LockSet | Done = await self.process.receive(PATIENCE, match=concerns)
        except TimeoutError:
            log.warning("%s does not go on with the exchange of global names: unlocking", meeting.node)
            return None
        return word

    # locks ---------------------------------------------------------------------------

    def _ident(self, his_locker: Pid) -> Term:
        return (GLOBAL, sorted([self.process.pid, his_locker], key=pid_order))

    async def _lock(self, ident: Term, extra: list[Atom]) -> list[Atom] | None:
        """Locks our partition and `extra`: the locked nodes, or None when one refused."""
        me = self.process.router.node
        boss = max([me, *self._server.known_nodes()])
        if boss != me and not self._server.may_lock(ident):
            return None
        locked: list[Atom] = []
        known = self._server.known_nodes()
        for group in ([boss], [me, *extra], known):
            nodes = [node for node in group if node not in locked]
            if not await self._set(ident, nodes):
                await self._unlock(ident, [*locked, *nodes])
                return None
            locked += nodes
        return locked

    async def _set(self, ident: Term, nodes: Iterable[Atom]) -> bool:
        answers = await asyncio.gather(*(self._ask(node, (Atom("set_lock"), ident)) for node in nodes))
        return False not in answers

    async def _unlock(self, ident: Term, nodes: list[Atom]) -> None:
        """The boss comes last, so that nobody gets its lock before the others'."""
        boss = max(nodes, default=None)
        for group in ([node for node in nodes if node != boss], [boss] if boss is not None else []):
            await asyncio.gather(*(self._ask(node, (Atom("del_lock"), ident)) for node in group))

    async def _ask(self, node: Atom, request: Term) -> Term:
        if node != self.process.router.node and node not in self.process.router.sessions:
            return None  # a node that is gone holds no lock
        try:
            return await call(self.process, (SERVER, node), request, LOCK_TIMEOUT)
        except CallError as error:
            log.info("global at %s did not answer: %s", node, error)
            return None


def pid_order(pid: Pid) -> tuple[int, int, str, int]:
    """The key by which the BEAM sorts pids: serial and number, then the node's name and creation."""
    return (pid.serial, pid.id, str(pid.node), pid.creation)
