"""Ending all that lives on a node, so that nobody waits for ever for a node that is gone.

First those that want to clean up are asked to, for as long as they are given; then every process ends with
``shutdown``; and when the connections are closed, what is left ends, services too: whoever waits for an
answer in the name of one of them gets an error (Erlang Reference Manual, "Processes"; kernel's
``init:stop/0`` does the same in a BEAM).

The task that asked for all this may itself be the body of a process.  It is neither asked nor cancelled, or
the end of the node would never come: its process just ends, and receives nothing any more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pyerlnode.runtime.exits import SHUTDOWN
from pyerlnode.runtime.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyerlnode.runtime.router import Router

Caller = asyncio.Task[Any] | None


async def end_processes(
    router: Router, ask: Callable[[Process], None], *, grace: float, caller: Caller
) -> None:
    """Lets processes that end on request do so within `grace` seconds, then ends them all.

    `ask` passes the request on.  A body that goes on all the same is waited for `grace` seconds once more.
    """
    processes = [process for process in _processes(router) if not _is_body(caller, process)]
    servers = [process for process in processes if process.ends_on_request]
    for server in servers:
        ask(server)
    await _bodies_done(servers, grace)
    for process in processes:
        process.end(SHUTDOWN)
    await _bodies_done(processes, grace)


def end_rest(router: Router, *, caller: Caller) -> None:
    """Ends whatever is still there, the caller's own process last."""
    for process in _processes(router):
        if _is_body(caller, process):
            process.let_go()
    for actor in router.registry:
        actor.end(SHUTDOWN)


def _processes(router: Router) -> list[Process]:
    return [actor for actor in router.registry if isinstance(actor, Process)]


def _is_body(caller: Caller, process: Process) -> bool:
    return caller is not None and process.task is caller


async def _bodies_done(processes: Iterable[Process], grace: float) -> None:
    tasks = [process.task for process in processes if process.owns_task and process.task is not None]
    if tasks:
        await asyncio.wait(tasks, timeout=grace)
