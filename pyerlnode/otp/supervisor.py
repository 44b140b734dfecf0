"""``supervisor`` in Python: a process that starts others, sees each of them end, and starts them again.

Children are linked to it; it traps exits, so that their end reaches it as ``'EXIT'``.  They are started in
the order in which they are given and ended in the reverse, each with ``shutdown`` and the time that it asked
for, then with ``kill``.  More than `max_restarts` restarts in `max_seconds` are no use: it ends its children
and itself, with ``shutdown``, so that its own supervisor may try.  ``Supervisor.which_children`` and
the other functions of Elixir and Erlang are answered as stdlib's ``supervisor`` answers them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pyerlnode.errors import Exit
from pyerlnode.otp import gen
from pyerlnode.otp.child import (
    BRUTAL_KILL,
    INFINITY,
    BadSpec,
    Exported,
    Supervisor,
    check_significance,
    parse_child,
)
from pyerlnode.otp.children import Children, Entry
from pyerlnode.otp.exports import CALLER
from pyerlnode.otp.gen_server import GenServer, Stop, name_of
from pyerlnode.otp.starting import ERROR, OK, refusal
from pyerlnode.runtime.actor import DOWN, EXIT
from pyerlnode.runtime.exits import KILL, KILLED, SHUTDOWN, is_reason, undef
from pyerlnode.runtime.process import is_quiet
from pyerlnode.term import Atom, Pid, Reference, brief

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyerlnode.otp.child import Child
    from pyerlnode.otp.gen_server import Caller
    from pyerlnode.otp.starting import Starter
    from pyerlnode.runtime.actor import Actor
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.supervisor")

AGAIN = object()  # no term, so no peer can send one
NOT_FOUND = (ERROR, Atom("not_found"))


class SupervisorServer(GenServer):
    """Runs one :class:`Supervisor`."""

    def __init__(self, plan: Supervisor, starter: Starter, clock: Callable[[], float] | None = None) -> None:
        self._plan = plan
        self._starter = starter
        self._clock = clock or asyncio.get_running_loop().time
        self._children = Children()
        self._restarts: list[float] = []

    async def init(self) -> None:
        """Starts the children; where one cannot, ends those that it started."""
        self.me.trap_exit = True
        for child in self._plan.children:
            self._children.add(Entry(child))
        failed = await self._start_all(self._children.in_order())
        if failed is not None:
            why = (Atom("failed_to_start_child"), failed.child.id, failed.failure)
            cause = failed.error
            await self._end_all(self._children.in_order())
            raise Stop((SHUTDOWN, why)) from cause

    async def terminate(self, reason: Term) -> None:
        """Ends the children, the last first."""
        await self._end_all(self._children.in_order())

    def get_state(self) -> Term:
        """The children by id."""
        return [(entry.child.id, entry.shown) for entry in self._children.in_order()]

    # what other processes ask ------------------------------------------------------------

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        """Answers what ``supervisor``'s functions ask."""
        if isinstance(request, Atom) and request == "which_children":
            return self._children.which()
        if isinstance(request, Atom) and request == "count_children":
            return self._children.count(self.me.router.registry)
        match request if type(request) is tuple else ():
            case (Atom() as word, spec) if word == "start_child":
                return await self._start_child(spec)
            case (Atom() as word, ident):
                entry = self._children.find(ident)
                return await self._asked_about(word, entry) if entry is not None else self._unknown(request)
        return _bad_call(request)

    def _unknown(self, request: Term) -> Term:
        words = ("terminate_child", "restart_child", "delete_child", "get_childspec")
        return NOT_FOUND if request[0] in words else _bad_call(request)

    async def _asked_about(self, word: Atom, entry: Entry) -> Term:
        match word:
            case "terminate_child":
                await self._end(entry)
                self._ended(entry)
                return OK
            case "restart_child":
                return _busy(entry) or await self._answer_to_start(entry)
            case "delete_child":
                busy = _busy(entry)
                if busy is None:
                    self._children.remove(entry)
                return busy or OK
            case "get_childspec":
                return (OK, entry.child.to_map())
        return _bad_call((word, entry.child.id))

    async def _start_child(self, spec: Term) -> Term:
        try:
            child = self._specified(spec)
        except BadSpec as bad:
            return (ERROR, bad.reason)
        there = self._children.find(child.id)
        if there is not None:
            return (
                ERROR,
                Atom("already_present") if there.pid is None else (Atom("already_started"), there.pid),
            )
        entry = Entry(child)
        answer = await self._answer_to_start(entry)
        if answer[0] == ERROR:
            return (ERROR, (answer[1], entry.as_record()))
        if entry.pid is not None or child.restart != "temporary":
            self._children.add(entry)
        return answer

    def _specified(self, spec: Term) -> Child:
        """The child that a request is about: one of this node's own, or as another node describes it."""
        offered = self._starter.offers.get(spec) if isinstance(spec, Reference) else None
        if offered is None:
            return parse_child(spec, self._plan.auto_shutdown)
        check_significance(offered.significant, offered.restart, self._plan.auto_shutdown)
        return offered

    async def _answer_to_start(self, entry: Entry) -> Term:
        if not await self._start(entry):
            return (ERROR, entry.failure)
        if entry.extra is not None:
            return (OK, entry.pid, *entry.extra)
        return (OK, Atom("undefined") if entry.pid is None else entry.pid)

    # the ends of children ----------------------------------------------------------------

    async def handle_info(self, message: Term) -> None:
        """Sees a child end."""
        if type(message) is tuple:
            match message:
                case (word, Pid() as pid, reason) if is_reason(word, EXIT):
                    entry = self._children.by_pid(pid)
                    if entry is not None:
                        await self._child_ended(entry, reason)
                    return
                case (word, failed) if word is AGAIN:
                    if failed.restarting and self._children.has(failed):
                        await self._restart(failed)
                    return
        log.error("Supervisor %s received unexpected message: %s", self._name, brief(message))

    async def _child_ended(self, entry: Entry, reason: Term) -> None:
        restart = entry.child.restart
        orderly = is_quiet(reason)
        if restart == "permanent" or not orderly:
            self._report("child_terminated", reason, entry)
        if restart == "permanent" or (restart == "transient" and not orderly):
            await self._restart(entry)
            return
        self._ended(entry)
        self._auto_shutdown(entry)

    def _ended(self, entry: Entry) -> None:
        entry.clear()
        if entry.child.restart == "temporary":
            self._children.remove(entry)

    def _auto_shutdown(self, entry: Entry) -> None:
        how = self._plan.auto_shutdown
        if how == "never" or not entry.child.significant:
            return
        others = any(one.child.significant and one.pid for one in self._children.in_order())
        if how == "any_significant" or not others:
            raise Stop(SHUTDOWN)

    # starting again ----------------------------------------------------------------------

    async def _restart(self, entry: Entry) -> None:
        if not self._may_restart():
            self._report("shutdown", Atom("reached_max_restart_intensity"), entry)
            self._ended(entry)
            raise Stop(SHUTDOWN)
        match self._plan.strategy:
            case "one_for_one":
                group: Sequence[Entry] = [entry]
            case "rest_for_one":
                group = self._children.from_on(entry)
            case _:
                group = self._children.in_order()
        entry.clear()
        await self._end_all(group)
        failed = await self._start_all([one for one in group if self._children.has(one)])
        if failed is not None:
            failed.restarting = True
            self.me.on_message((AGAIN, failed))  # after what waits already, such as the order to stop

    def _may_restart(self) -> bool:
        """Whether this is not one restart too many."""
        now = self._clock()
        self._restarts = [at for at in self._restarts if at >= now - self._plan.max_seconds] + [now]
        return len(self._restarts) <= self._plan.max_restarts

    async def _start_all(self, group: Sequence[Entry]) -> Entry | None:
        """Starts them in order; gives the one that could not be started, after which none is."""
        for entry in group:
            if not await self._start(entry):
                self._report("start_error", entry.failure, entry)
                return entry
            if entry.pid is None and entry.child.restart == "temporary":
                self._children.remove(entry)
        return None

    async def _start(self, entry: Entry) -> bool:
        """Starts one child; False where it cannot be, and then its entry says why."""
        await self._body_done(entry)
        entry.clear()
        entry.process = None
        try:
            result = await self._run_start(entry)
        except Exception as error:  # noqa: BLE001 - the reason is told to whoever asked
            entry.error = error
            result = refusal(error, self._starter, entry.child.name)
        if entry.take(result):
            log.info("Supervisor %s started child %s as %s", self._name, brief(entry.child.id), entry.shown)
            return True
        return False

    async def _run_start(self, entry: Entry) -> Term:
        child, starter, parent = entry.child, self._starter, self.me.pid
        start = child.start
        if isinstance(start, Exported):
            return await self._run_exported(start)
        if isinstance(start, Supervisor):
            nested = SupervisorServer(start, starter, self._clock)
            entry.process = await starter.server(
                nested, child.args, name=child.name, parent=parent, supervised=True
            )
        elif isinstance(start, type):
            entry.process = await starter.server(
                start(), child.args, name=child.name, parent=parent, supervised=True
            )
        else:
            entry.process = starter.process(start, child.args, name=child.name, parent=parent)
        return (OK, entry.process.pid)

    async def _run_exported(self, start: Exported) -> Term:
        args = list(start.args)
        target = self._starter.exports.find(start.module, start.function, args)
        if target is None:
            return (ERROR, (EXIT, undef(start.module, start.function, args)))
        told = CALLER.set(self.me.pid)
        try:
            return await self._starter.exports.run(target, args)
        finally:
            CALLER.reset(told)

    # ending ------------------------------------------------------------------------------

    async def _end_all(self, group: Sequence[Entry]) -> None:
        """Ends them, the last first; those that are never started again are forgotten."""
        for entry in reversed(group):
            await self._end(entry)
            self._ended(entry)

    async def _end(self, entry: Entry) -> None:
        """Has a child end, and says so where it did not end as it was asked to."""
        if entry.pid is None:
            return
        reason = await self._end_process(entry.pid, entry.child.shutdown)
        wanted = KILLED if entry.child.shutdown == BRUTAL_KILL else SHUTDOWN
        if not is_reason(reason, wanted) and (entry.child.restart == "permanent" or not is_quiet(reason)):
            self._report("shutdown_error", reason, entry)
        await self._body_done(entry)

    async def _end_process(self, pid: Pid, shutdown: float | str) -> Term:
        """Asks a process to end, and makes it when its time is over; gives its reason."""
        me = self.me
        ref = me.emit_monitor(pid, pid.node)

        def is_down(message: Term) -> bool:
            return type(message) is tuple and message[:2] == (DOWN, ref)

        me.emit_exit(pid, KILL if shutdown == BRUTAL_KILL else SHUTDOWN)
        try:
            down = await me.receive(shutdown if isinstance(shutdown, float) else None, is_down)
        except TimeoutError:
            me.emit_exit(pid, KILL)
            down = await me.receive(None, is_down)
        return await self._unlink(pid, down[4])

    async def _unlink(self, pid: Pid, reason: Term) -> Term:
        """Takes the link to a child back; what it ended with, if the link told it already."""
        self.me.emit_unlink(pid)
        try:
            told = await self.me.receive(0, lambda message: _is_exit_of(message, pid))
        except TimeoutError:
            return reason
        return told[2]

    async def _body_done(self, entry: Entry) -> None:
        """Waits, as long as a child may take to end, for what its coroutine does after its process ended."""
        process = entry.process
        if process is None or process.task is None or process.task.done():
            return
        time = entry.child.shutdown
        limit = None if time == INFINITY else 0 if isinstance(time, str) else time
        await asyncio.wait([process.task], timeout=limit)
        if not process.task.done():
            log.warning("%r goes on after the end of its process", process)

    # reports -----------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return brief(name_of(self.me))

    def _report(self, context: str, reason: Term, entry: Entry) -> None:
        log.error(
            "Supervisor %s, child %s (%s, %s), %s: %s",
            self._name,
            brief(entry.child.id),
            entry.child.restart,
            entry.shown if entry.pid is None else brief(entry.pid),
            context,
            brief(reason),
        )


def _busy(entry: Entry) -> Term:
    """Why a child cannot be started or deleted now; None where it can."""
    if entry.restarting:
        return (ERROR, Atom("restarting"))
    return None if entry.pid is None else (ERROR, Atom("running"))


def _bad_call(request: Term) -> Term:
    return (ERROR, (Atom("bad_call"), request))


def _is_exit_of(message: Term, pid: Pid) -> bool:
    return type(message) is tuple and len(message) == 3 and message[:2] == (EXIT, pid)


async def start_child(actor: Actor, starter: Starter, supervisor: Term, child: Child) -> Pid | None:
    """Has `supervisor`, of this node, start one more child; its pid, None for one that is not wanted.

    Raises :class:`Exit` with the reason why it is not started, and what a call raises.
    """
    ref = actor.router.registry.reference()
    starter.offers[ref] = child
    try:
        answer = await gen.call(actor, supervisor, (Atom("start_child"), ref), None)
    finally:
        del starter.offers[ref]
    if answer[0] == ERROR:
        raise Exit(answer[1])
    return answer[1] if isinstance(answer[1], Pid) else None
