"""What one node remembers of its exchange with another, between ``init_connect`` and ``resolved``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyerlnode.term import Atom

if TYPE_CHECKING:
    import asyncio

    from pyerlnode.term import Term

VERSIONED = 7  # from this version on lists of nodes carry versions, and lost_connection is understood


@dataclass(slots=True)
class Exchange:
    """One exchange with another node, from the moment it is up."""

    my_tag: int
    his_tag: Term = None
    vsn: int = 0
    """Zero until its init_connect has come."""
    lock_id: Term = None
    is_locked: bool = False
    his_names: list[Term] | None = None
    ops: list[Term] | None = None
    """What our side resolved; None until then."""
    his_resolved: tuple[list[Term], list[Term]] | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


def node_version(item: Term) -> tuple[Atom, int] | None:
    """Reads one known node, with its protocol version (0 where it is not told); None for anything else."""
    match item:
        case Atom():
            return item, 0
        case (Atom() as node, int() as vsn):
            return node, vsn
    return None
