"""What a topology tells: a log line for each change of state, an event for each attempt.

The lines read as libcluster's ``Cluster.Logger`` writes them: ``[pyerlnode:example] connected to :node1@h``.
Where something is wrong that waiting will not mend (a cookie, the form of a name), the line goes on with it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pyerlnode.cluster.events import (
    Connected,
    ConnectionFailed,
    Disconnected,
    DisconnectionFailed,
    Found,
    LookupFailed,
)
from pyerlnode.term import Atom
from pyerlnode.term.text import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyerlnode.cluster.events import TopologyEvent

log = logging.getLogger("pyerlnode.cluster")

UNREACHABLE = "unreachable"
NOT_PART_OF_NETWORK = "not_part_of_network"
ALREADY_DISCONNECTED = "already_disconnected"


class Report:
    """Remembers what was said last about each node, so that nothing is said twice in a row."""

    def __init__(self, topology: str, publish: Callable[[TopologyEvent], object]) -> None:
        self.topology = topology
        self._publish = publish
        self._said: dict[str, str] = {}
        self._trouble: str | None = None

    # nodes -----------------------------------------------------------------------------

    def connected(self, node: str, duration: float) -> None:
        """We dialled `node`, and it is connected."""
        self._said.pop(node, None)
        self.say(logging.INFO, f"connected to {shown(node)}")
        self._publish(Connected(self.topology, node, duration))

    def present(self, nodes: Iterable[str]) -> None:
        """These are connected, whoever dialled: the next trouble with them is news."""
        for node in nodes:
            self._said.pop(node, None)

    def failed(self, node: str, reason: str, duration: float, *, cure: str = "", detail: str = "") -> None:
        """`node` was dialled in vain.  `cure` belongs into the line, `detail` is for whoever looks closer."""
        line = f"unable to connect to {shown(node)}" + (f": {cure}" if cure else "")
        if self._said.get(node) != line:
            self._said[node] = line
            self.say(logging.WARNING, line)
        if detail:
            self.say(logging.DEBUG, detail)
        self._publish(ConnectionFailed(self.topology, node, detail or reason, duration))

    def disconnected(self, node: str, duration: float) -> None:
        """`node` was found no more, and is disconnected."""
        self._said.pop(node, None)
        self.say(logging.INFO, f"disconnected from {shown(node)}")
        self._publish(Disconnected(self.topology, node, duration))

    def not_disconnected(self, node: str, reason: str, duration: float) -> None:
        """`node` should have been disconnected."""
        words = {
            ALREADY_DISCONNECTED: "it was disconnected already",
            NOT_PART_OF_NETWORK: "not part of network",
        }
        why = words.get(reason, reason)
        self.say(logging.WARNING, f"unable to disconnect from {shown(node)}: {why}")
        self._publish(DisconnectionFailed(self.topology, node, reason, duration))

    def forget(self, nodes: Iterable[str]) -> None:
        """These are no longer looked for."""
        for node in nodes:
            self._said.pop(node, None)

    # look-ups --------------------------------------------------------------------------

    def found(self, nodes: frozenset[str], *, complete: bool, duration: float) -> None:
        """A look-up succeeded."""
        if self._trouble is not None:
            self._trouble = None
            self.say(logging.INFO, f"the look-up works again: {len(nodes)} found")
        self.say(logging.DEBUG, f"found {', '.join(map(shown, sorted(nodes))) or 'nobody'}")
        self._publish(Found(self.topology, nodes, complete, duration))

    def lookup_failed(self, reason: str, duration: float) -> None:
        """A look-up failed; its `reason` is told once, until it changes."""
        self.trouble(reason)
        self._publish(LookupFailed(self.topology, reason, duration))

    def trouble(self, reason: str) -> None:
        """Something is wrong with the look-up, though not with all of it."""
        if reason != self._trouble:
            self._trouble = reason
            self.say(logging.WARNING, reason)

    # out -------------------------------------------------------------------------------

    def say(self, level: int, text: str) -> None:
        """One line in the log."""
        log.log(level, "[pyerlnode:%s] %s", self.topology, text, extra={"topology": self.topology})


def shown(node: str) -> str:
    """A node's name as Elixir writes it: ``:node1@localhost``, but ``:"node@10.0.0.1"``."""
    return brief(Atom(node)) if len(node) <= 255 else brief(node)
