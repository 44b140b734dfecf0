"""Processes started from another node, both ways (``erlang:spawn_request/5``).

A SPAWN_REQUEST is always answered with a SPAWN_REPLY, the new pid or why there is none; a link and a
monitor are in place before the new process runs, so that its end, however early, is told after the reply
(ERTS distribution protocol, SPAWN_REQUEST and SPAWN_REPLY).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pyerlnode.runtime.actor import LINKED, Spawning, Watched, Watcher
from pyerlnode.term import Atom, Pid
from pyerlnode.wire import control as c
from pyerlnode.wire.messages import LINKED as MADE_LINK
from pyerlnode.wire.messages import MONITORED as MADE_MONITOR

if TYPE_CHECKING:
    from pyerlnode.runtime.actor import Actor
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Reference, Term

BADOPT = Atom("badopt")
SYSTEM_LIMIT = Atom("system_limit")

SMALL = 1 << 59
"""Integers from here on are big to a BEAM: none of its options takes them."""
LEAST_HEAP = 233
"""Words of the smallest heap of a BEAM's process: less is no maximum."""


def _is_count(value: Term) -> bool:
    return type(value) is int and 0 <= value < SMALL


def _is_flag(value: Term) -> bool:
    return type(value) is bool


def _is_word(*words: str) -> Callable[[Term], bool]:
    return lambda value: isinstance(value, Atom) and value in words


def _is_size(value: Term) -> bool:
    return _is_count(value) and (value == 0 or value >= LEAST_HEAP)


def _is_maximum(value: Term) -> bool:
    if not isinstance(value, Mapping):
        return _is_size(value)
    flags = (value.get(Atom(key), True) for key in ("kill", "error_logger", "include_shared_binaries"))
    return _is_size(value.get(Atom("size"))) and all(map(_is_flag, flags))


_TUNING: dict[str, Callable[[Term], bool]] = {
    "priority": _is_word("low", "normal", "high", "max"),
    "min_heap_size": _is_count,
    "min_bin_vheap_size": _is_count,
    "max_heap_size": _is_maximum,
    "fullsweep_after": _is_count,
    "message_queue_data": _is_word("on_heap", "off_heap"),
    "scheduler": _is_count,
    "async_dist": _is_flag,
}
"""What tunes a BEAM, and means nothing here: a value is only checked, as a BEAM would."""


class Options(NamedTuple):
    """What a spawn request asks for, besides the process itself."""

    link: bool = False
    monitor: bool = False

    @property
    def flags(self) -> int:
        """The flags of the reply."""
        return MADE_LINK * self.link | MADE_MONITOR * self.monitor


def parse_options(options: Term) -> Options | None:
    """Reads the options of a SPAWN_REQUEST; None for what a BEAM would call ``badopt``.

    Those that tune a BEAM's scheduler and heap are checked, and passed over.
    """
    if type(options) is not list:
        return None
    link = monitor = False
    for option in options:
        if type(option) is list:  # to a pattern, a list is as good as a tuple
            return None
        match option:
            case Atom() as word if word == "link":
                link = True
            case Atom() as word if word == "monitor":
                monitor = True
            case (Atom() as word, list()) if word == "monitor":
                monitor = True
            case (Atom() as word, value) if word in _TUNING and _TUNING[word](value):
                continue
            case _:
                return None
    return Options(link, monitor)


def refuse(router: Router, control: c.SpawnRequest, why: Atom) -> None:
    """Answers a spawn request with the reason why there will be no process."""
    router.emit(control.sender.node, c.SpawnReply(control.ref, control.sender, 0, why))


def tie(router: Router, actor: Actor, control: c.SpawnRequest, options: Options) -> None:
    """Links and monitors a new process as asked, and answers the request."""
    sender = control.sender
    actor.group_leader = control.leader
    if options.link:
        actor.links[sender] = LINKED
    if options.monitor:
        actor.watchers[control.ref] = Watcher(sender, actor.pid)
        router.remember_watched(control.ref, actor)
    router.touch(sender.node, actor)
    router.emit(sender.node, c.SpawnReply(control.ref, sender, options.flags, actor.pid))


def request(
    actor: Actor,
    node: Atom,
    ref: Reference,
    function: tuple[str, str],
    args: list[Term],
    *,
    leader: Pid,
    link: bool = False,
    monitor: bool = False,
    answered: Callable[[Pid | Atom], None],
) -> bool:
    """Asks `node` to spawn ``module:function(args)``; `answered` gets the pid, or an atom that says why not.

    With `link` and `monitor` the new process is linked to and watched by `actor`, the monitor under `ref`.
    False where `node` is not connected.
    """
    options = [Atom("link")] * link + [Atom("monitor")] * monitor

    def spawned(result: Pid | Atom) -> None:
        if isinstance(result, Pid):
            _tie_ours(actor, result, ref, link=link, monitor=monitor)
        answered(result)

    payload = actor.router.encode_for(node, args)
    actor.spawning[ref] = Spawning(node, spawned)
    actor.router.touch(node, actor)
    module, name = function
    control = c.SpawnRequest(ref, actor.pid, leader, Atom(module), Atom(name), len(args), options)
    if actor.router.emit(node, control, payload):
        return True
    actor.spawning.pop(ref, None)
    return False


def _tie_ours(actor: Actor, pid: Pid, ref: Reference, *, link: bool, monitor: bool) -> None:
    if link:
        actor.links[pid] = LINKED
    if monitor:
        actor.monitors[ref] = Watched(pid, pid.node)
