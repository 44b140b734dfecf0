"""Identifiers of processes, references and ports: names for things that live on some node.

All three carry their node's name and its *creation*, a number that a node takes anew at each start, so
that an identifier of a former life is not mistaken for one of today.
(ERTS User's Guide, "External Term Format", NEW_PID_EXT, NEWER_REFERENCE_EXT, V4_PORT_EXT.)
"""

from __future__ import annotations

from dataclasses import dataclass

from pyerlnode.term.atom import Atom  # noqa: TC001  # dataclass fields are looked up at run time


@dataclass(frozen=True, slots=True)
class Pid:
    """A process identifier.  ``id`` and ``serial`` are the two numbers that a BEAM prints last."""

    node: Atom
    id: int
    serial: int
    creation: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A unique reference of one to five 32-bit words; process aliases are references too."""

    node: Atom
    creation: int
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """A port identifier."""

    node: Atom
    id: int
    creation: int
