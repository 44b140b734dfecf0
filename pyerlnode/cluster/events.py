"""What happens in a topology, for metrics: one frozen value per attempt, as libcluster's telemetry has them.

``[:libcluster, :connect_node | :disconnect_node, :ok | :error]`` are :class:`Connected`,
:class:`ConnectionFailed`, :class:`Disconnected` and :class:`DisconnectionFailed`; the look-ups are our
addition.  Durations are in seconds.  The log tells changes of state only; events tell everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Connected:
    """A dial that ended in a connection."""

    topology: str
    node: str
    duration: float


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """A dial that ended in none.  `reason`: ``unreachable``, ``not_part_of_network``, or the cause."""

    topology: str
    node: str
    reason: str
    duration: float


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A node that was no longer found, and that we disconnected (with ``prune=True`` only)."""

    topology: str
    node: str
    duration: float


@dataclass(frozen=True, slots=True)
class DisconnectionFailed:
    """A node that should have been disconnected, and is not.  `reason`: ``already_disconnected``, or text."""

    topology: str
    node: str
    reason: str
    duration: float


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up that succeeded: the names found, this node's own among them or not."""

    topology: str
    nodes: frozenset[str]
    complete: bool
    duration: float


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """A look-up that failed: nothing is known anew, and nobody is disconnected for it."""

    topology: str
    reason: str
    duration: float


TopologyEvent: TypeAlias = (
    "Connected | ConnectionFailed | Disconnected | DisconnectionFailed | Found | LookupFailed"
)
