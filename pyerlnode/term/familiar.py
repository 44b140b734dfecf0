"""Pids and references that were read before: found again instead of made again.

One process sends many messages, and a call names its reference three times: in the monitor, in the request
and when the monitor is taken back.  That the objects are the same ones also makes look-ups by them quick.

There is a fixed number of places, and a newcomer takes the place of whatever was there, as in
:mod:`pyerlnode.term.memo`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlnode.term.atom import NIL
from pyerlnode.term.ids import Pid, Reference

if TYPE_CHECKING:
    from pyerlnode.term.atom import Atom

_PLACES: Final = 1024
_PIDS: Final = [Pid(NIL, -1, 0, 0)] * _PLACES
"""Each in the place that its number asks for."""
_REFERENCES: Final = [Reference(NIL, 0, ())] * _PLACES
"""... that its first word asks for."""


def familiar_pid(node: Atom, id: int, serial: int, creation: int) -> Pid:  # noqa: A002
    """Return the pid of these parts."""
    place = id & (_PLACES - 1)
    pid = _PIDS[place]
    if pid.id == id and pid.node is node and pid.serial == serial and pid.creation == creation:
        return pid
    pid = Pid(node, id, serial, creation)
    _PIDS[place] = pid
    return pid


def familiar_reference(node: Atom, creation: int, words: tuple[int, ...]) -> Reference:
    """Return the reference of these parts; there is at least one word."""
    place = words[0] & (_PLACES - 1)
    reference = _REFERENCES[place]
    if reference.words == words and reference.node is node and reference.creation == creation:
        return reference
    reference = Reference(node, creation, words)
    _REFERENCES[place] = reference
    return reference
