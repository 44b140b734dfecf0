"""What one node remembers of its exchange with another, between ``init_connect`` and ``resolved``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.term import Atom

if TYPE_CHECKING:
    import asyncio

    from pyerlnode.term import Term

VERSIONED = 7  # from this version on lists of nodes carry versions, and lost_connection is understood


class Exchange:
    """One exchange with another node, from the moment it is up."""

    def __init__(self, my_tag: int) -> None:
        self.my_tag = my_tag
        self.his_tag: Term = None
        self.vsn = 0
        """Zero until its init_connect has come."""
        self.lock_id: Term = None
        self.is_locked = False
        self.his_names: list[Term] | None = None
        self.ops: list[Term] | None = None
        """What our side resolved; None until then."""
        self.his_resolved: tuple[list[Term], list[Term]] | None = None
        self.task: asyncio.Task[None] | None = None


def node_version(item: Term) -> tuple[Atom, int] | None:
    """Reads one known node, with its protocol version (0 where it is not told); None for anything else."""
    match item:
        case Atom():
            return item, 0
        case (Atom() as node, int() as vsn):
            return node, vsn
    return None
