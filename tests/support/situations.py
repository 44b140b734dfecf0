"""The situations that two puppets are put into, as one table: a name, and Erlang code that directs them.

``A(What)`` and ``B(What)`` have a puppet do something and give its result; ``GotA()`` and ``GotB()`` wait for
what a puppet tells next, a message or its end; ``Both({WhatA, WhatB})`` has them act at once; ``AskA(What)``
does not wait for what ``ToldA()`` then gives; ``HoldA(N)`` and ``HoldB(N)`` have a puppet look at its mailbox
again when N messages are in it.  ``PA`` and
``PB`` are their pids, ``NA`` and ``NB`` their nodes, ``Dead(N)`` a pid of node N that has ended, and ``NX`` a
node that does not exist.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.support.situations_calls import CALLS, ERPC, REQUESTS, SPAWNS
from tests.support.situations_signals import ALIASES, EXITS, LINKS, LOST, MESSAGES, MONITORS


class Situation(NamedTuple):
    """What happens, and where it can."""

    code: str
    since: int = 23
    """The first OTP release that knows it."""
    apart: bool = False
    """Whether it needs the puppets to be on two nodes."""
    by_erlang: bool = False
    """Whether Python's processes have no word for what A does."""
    any_order: bool = False
    """Whether what a puppet tells may come in any order, as two signals that come at once."""


_SINCE_24 = (
    "call who does not answer",
    "call who answers too late",
    "call who answers too late, and not to the alias",
    "a call, then disconnect",
    "a call by name, then disconnect",
    "call, and the callee is killed",
    "call, and the caller is killed",
    "spawn_request, monitor with options",
)
"""What shows the tag of a call, which has an alias since then, and what OTP 23 does not know."""
_ONLY_ERLANG = (
    "rpc,",
    "rpc:",
    "erpc:send",
    "a monitor's",
    "with a trace token",
    "erpc, no list",
    "erpc, no node",
    "erpc, for ever",
)


def _since(name: str) -> int:
    if "with priority, much" in name:
        return 29  # OTP 28 crashes when a priority message comes in fragments, from whomever
    if "with priority" in name:
        return 28
    return 24 if name in ALIASES or name in _SINCE_24 else 23


def _all() -> dict[str, Situation]:
    found = {}
    tables = (LINKS, MONITORS, EXITS, MESSAGES, LOST, ALIASES, SPAWNS, REQUESTS, CALLS, ERPC)
    for name, code in ((name, code) for table in tables for name, code in table.items()):
        found[name] = Situation(
            code,
            since=_since(name),
            apart="disconnect" in code,
            by_erlang=name.startswith(_ONLY_ERLANG) or name in REQUESTS,
            any_order=name in ("monitor twice", "send both ways", "a chain of links"),
        )
    return found


SITUATIONS = _all()

BY_PYTHON = frozenset({"python to erlang", "python to python", "python alone"})
WITH_PYTHON = frozenset({"erlang to python", "python to python", "python alone"})

DIFFERENCES = {
    "link to the dead, not trapping": frozenset({"python alone"}),
    "demonitor by who did not monitor": frozenset({"python to erlang", "python to python"}),
    "spawn at a node that is not there": BY_PYTHON,
    "spawn_link at a node that is not there": BY_PYTHON,
    "spawn_monitor at a node that is not there": BY_PYTHON,
    "call who answers too late, and not to the alias": BY_PYTHON,
    "erpc, throws": WITH_PYTHON,
    "erpc, errors": WITH_PYTHON,
    "rpc, throws": frozenset({"erlang to python"}),
    "rpc, errors": frozenset({"erlang to python"}),
    "rpc:block_call that throws": frozenset({"erlang to python"}),
}
"""The situations in which Python is known to differ, and between whom: docs/signals.md gives the reasons."""
