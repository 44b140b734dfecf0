"""Processes of :class:`pyerlnode.sync.Node`: a plain ``with`` block as the body of a process.

The process itself lives on the node's event loop, where a coroutine stands in for the block
(:class:`Body`); what the block does is handed to it (:class:`Process`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pyerlnode.otp.gen import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from pyerlnode import node as asyncio_node
    from pyerlnode.loops import LoopThread
    from pyerlnode.otp import gen
    from pyerlnode.sync import Node
    from pyerlnode.term import Pid, Reference, Term

T = TypeVar("T")


class Body:
    """The coroutine that is the body of a process while a plain ``with`` block runs in another thread."""

    def __init__(self, node: asyncio_node.Node, name: str | None) -> None:
        self._node = node
        self._name = name
        self._opened: asyncio.Future[gen.Process]
        self._left: asyncio.Future[None]
        self._task: asyncio.Task[None]

    async def open(self) -> gen.Process:
        """Start the process."""
        loop = asyncio.get_running_loop()
        self._opened, self._left = loop.create_future(), loop.create_future()
        self._task = loop.create_task(self._stay())
        either: list[asyncio.Future[Any]] = [self._opened, self._task]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done():
            await self._task  # raises why
        return self._opened.result()

    async def _stay(self) -> None:
        async with self._node.process(self._name) as me:
            self._opened.set_result(me)
            await self._left

    async def close(self, error: Exception | None) -> None:
        """End the process: normally, or because of ``error``.

        Without one, raises ``Exit`` if a signal had ended the process before.
        """
        if not self._task.done():
            if error is None:
                self._left.set_result(None)
            else:
                self._left.set_exception(error)
        try:
            await self._task
        except Exception:
            if error is None:
                raise

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` for the process, unless the process ends first: that raises ``Exit``."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task, self._task], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self._task
            return await task
        finally:
            task.cancel()


class Process:
    """One process of a node, as :class:`pyerlnode.Process`.  Made by :meth:`pyerlnode.sync.Node.process`."""

    def __init__(self, node: Node, loop: LoopThread, me: gen.Process, body: Body) -> None:
        self.node = node
        """The :class:`pyerlnode.sync.Node` that this process lives on."""
        self._loop = loop
        self._me = me
        self._body = body

    def __repr__(self) -> str:
        return repr(self._me)

    def _await(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return self._loop.run(lambda: self._body.run(work()))

    @property
    def pid(self) -> Pid:
        """This process's pid."""
        return self._me.pid

    @property
    def trap_exit(self) -> bool:
        """Whether exit signals arrive as messages ``('EXIT', pid, reason)``."""
        return self._me.trap_exit

    @trap_exit.setter
    def trap_exit(self, value: bool) -> None:
        self._me.trap_exit = value

    @property
    def group_leader(self) -> Pid | None:
        """Who gets what this process prints on other nodes."""
        return self._me.group_leader

    @group_leader.setter
    def group_leader(self, pid: Pid | None) -> None:
        self._me.group_leader = pid

    @property
    def message_queue_len(self) -> int:
        """How many messages wait in the mailbox."""
        return self._me.message_queue_len

    def receive(self, timeout: float | None = None, match: Callable[[Term], Any] | None = None) -> Term:
        """Take a message, see :meth:`pyerlnode.Process.receive`.  ``match`` runs on the node's thread."""
        return self._await(lambda: self._me.receive(timeout, match))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Term:
        return self.receive()

    def send(self, dest: Term, message: Term, *, priority: bool = False) -> None:
        """Send a message, see :meth:`pyerlnode.Process.send`."""
        self._await(lambda: self._me.send(dest, message, priority=priority))

    def call(self, dest: Term, message: Term, timeout: float | None = DEFAULT_TIMEOUT) -> Term:
        """Call a gen_server, see :meth:`pyerlnode.Process.call`."""
        return self._await(lambda: self._me.call(dest, message, timeout))

    def cast(self, dest: Term, message: Term) -> None:
        """Cast to a gen_server, see :meth:`pyerlnode.Process.cast`."""
        self._await(lambda: self._me.cast(dest, message))

    def spawn_remote(
        self, peer: str, module: str, function: str, args: Iterable[Term] = (), *, link: bool = False
    ) -> Pid:
        """Start a process of another node, see :meth:`pyerlnode.Process.spawn_remote`."""
        return self._await(lambda: self._me.spawn_remote(peer, module, function, args, link=link))

    def spawn_monitor(
        self, peer: str, module: str, function: str, args: Iterable[Term] = (), *, link: bool = False
    ) -> tuple[Pid, Reference]:
        """The same, and watch it, see :meth:`pyerlnode.Process.spawn_monitor`."""
        return self._await(lambda: self._me.spawn_monitor(peer, module, function, args, link=link))

    def link(self, pid: Pid, *, priority: bool = False) -> None:
        """Link to ``pid``, see :meth:`pyerlnode.Process.link`."""
        self._await(lambda: self._me.link(pid, priority=priority))

    def unlink(self, pid: Pid) -> None:
        """Remove the link to ``pid``."""
        self._await(lambda: self._me.unlink(pid))

    def monitor(self, dest: Term, *, priority: bool = False) -> Reference:
        """Watch a process, see :meth:`pyerlnode.Process.monitor`."""
        return self._await(lambda: self._me.monitor(dest, priority=priority))

    def demonitor(self, ref: Reference, *, flush: bool = False) -> bool:
        """Stop watching, see :meth:`pyerlnode.Process.demonitor`."""
        return self._await(lambda: self._me.demonitor(ref, flush=flush))

    def exit(self, dest: Pid | Reference, reason: Term, *, priority: bool = False) -> None:
        """Send an exit signal, see :meth:`pyerlnode.Process.exit`."""
        self._await(lambda: self._me.exit(dest, reason, priority=priority))

    def register(self, name: str) -> None:
        """Register this process under ``name``."""
        self._loop.call(lambda: self._me.register(name))

    def alias(self, *, once: bool = False, priority: bool = False) -> Reference:
        """Make a reference that messages can be sent to; ``once``: until the first one.

        With ``priority`` it brings priority messages, see :meth:`pyerlnode.Process.send`.
        """
        return self._loop.call(lambda: self._me.alias(once=once, priority=priority))

    def unalias(self, ref: Reference) -> bool:
        """End an alias: what is sent to it afterwards is dropped.  False where it was none."""
        return self._loop.call(lambda: self._me.unalias(ref))
