"""Whose signal it is: a peer speaks for its own processes only.

Links and monitors are kept by the process at their other end, so that a peer which named another node's
could break what is between two others.  A BEAM ends the connection, and so do we (ERTS distribution
protocol, "Protocol between Connected Nodes").
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.term import Pid, brief
from pyerlnode.wire import control as c

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term import Reference
    from pyerlnode.wire.control import Control

ORIGINS: Final[dict[type, Callable[[Any], Pid]]] = {
    c.MonitorP: attrgetter("watcher"),
    c.DemonitorP: attrgetter("watcher"),
    **dict.fromkeys(
        (c.Link, c.Unlink, c.UnlinkId, c.UnlinkIdAck, c.Exit, c.PayloadExit, c.SpawnRequest),
        attrgetter("sender"),
    ),
}
"""Whose signal it claims to be, for those that build a relation with the sender."""


def check_origin(control: Control, peer: str) -> None:
    """Raises :class:`RemoteProtocolError` where `peer` sends what only a process of another node may."""
    origin_of = ORIGINS.get(type(control))
    if origin_of is not None and origin_of(control).node != peer:
        maker = brief(origin_of(control))
        raise RemoteProtocolError(f"{peer} sent a {type(control).__name__} of {maker}")


def check_reference(ref: Reference, maker: Pid) -> None:
    """A monitor is known by its reference alone, so that nobody may choose one of another node's."""
    if ref.node != maker.node:
        raise RemoteProtocolError(f"{maker.node} watches under the reference {brief(ref)}")
