"""``prevent_overlapping_partitions`` of ``global``, as a node that must not do harm takes part in it.

Who unexpectedly loses a node multicasts ``{lost_connection, Me, Creation, Op, Lost}`` to its partition; who
hears of it for the first time passes it on and asks the lost node to go: ``{remove_connection, Me}``.  A node
that is asked to go disconnects.  Our own orderly goodbyes, a peer that comes back before its old connection
is noticed to be dead, and nodes that we fail to reach are not reported: the others see for themselves what
concerns them, and none of these is a reason to take a node out of their mesh.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from pyerlnode.net.chance import unpredictable
from pyerlnode.otp.global_exchange import VERSIONED
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.global")

REMEMBERED = 1_000
UNEXPECTED = frozenset({"connection_closed", "net_tick_timeout"})
"""The reasons of a lost session that are worth telling."""


class Mesh(Protocol):
    """What is needed of the name server."""

    router: Router

    def forget(self, node: Atom) -> None:
        """`node` is not of our partition any more."""

    def is_potentially_known(self, node: Atom) -> bool:
        """Whether `node` is of our partition, or about to be."""

    def version_of(self, node: Atom) -> int:
        """The protocol version of a node, 0 where it is not known."""

    def multicast(self, message: Term, *, but: Atom) -> None:
        """Sends to every name server of our partition."""

    def ask_to_leave(self, node: Atom) -> None:
        """Tells `node` that our partition goes on without it."""


class Partitions:
    """Who was lost, as far as we were told."""

    def __init__(self, mesh: Mesh, disconnect: Callable[[str, str], bool]) -> None:
        self._mesh = mesh
        self._disconnect = disconnect
        self._heard: OrderedDict[tuple[Atom, Atom], tuple[Term, int]] = OrderedDict()
        self._removing: set[Atom] = set()
        self._salt = unpredictable(24) << 32
        self._last_op = 0

    def node_down(self, node: Atom, *, was_known: bool, reason: str) -> None:
        """A connection of ours is gone."""
        if node in self._removing:
            self._removing.discard(node)
        elif was_known and reason in UNEXPECTED:
            self._last_op += 1
            creation = self._salt | self._mesh.router.registry.creation
            message = (Atom("lost_connection"), self._mesh.router.node, creation, self._last_op, node)
            self._mesh.multicast(message, but=node)

    def lost_connection(self, node: Atom, creation: Term, op: int, lost: Atom) -> None:
        """`node` reports that it lost its connection to `lost`."""
        if not self._is_news(node, creation, op, lost):
            return
        self._mesh.multicast((Atom("lost_connection"), node, creation, op, lost), but=node)
        leaving = node if lost == self._mesh.router.node else lost
        if not self._mesh.is_potentially_known(leaving):
            return
        log.warning("global: %s lost %s: parting from %s to keep partitions apart", node, lost, leaving)
        if self._mesh.version_of(leaving) < VERSIONED:
            self._part(leaving)
        else:
            self._mesh.ask_to_leave(leaving)
            self._mark(leaving)

    def remove_connection(self, node: Atom) -> None:
        """`node` asks us to go."""
        if self._mesh.is_potentially_known(node):
            log.warning("global: %s goes on without this node: disconnecting from it", node)
            self._part(node)

    def _part(self, node: Atom) -> None:
        self._mark(node)
        self._disconnect(node, "partition")

    def _mark(self, node: Atom) -> None:
        if node in self._mesh.router.sessions:
            self._removing.add(node)
        self._mesh.forget(node)

    def _is_news(self, node: Atom, creation: Term, op: int, lost: Atom) -> bool:
        heard = self._heard.get((node, lost))
        if heard is not None and heard[0] == creation and op <= heard[1]:
            return False
        self._heard[node, lost] = (creation, op)
        self._heard.move_to_end((node, lost))
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return True
