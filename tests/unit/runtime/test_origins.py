"""A peer speaks for its own processes only."""

from __future__ import annotations

import pytest

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.runtime.origins import check_origin, check_reference
from pyerlnode.term import Atom, Pid, Reference
from pyerlnode.wire import control as c

OURS, THEIRS, OTHERS = (Pid(Atom(f"{name}@h"), 1, 0, 1) for name in ("me", "peer", "other"))
REF = Reference(THEIRS.node, 1, (1, 2, 3))


def relations(origin: Pid) -> list[c.Control]:
    return [
        c.Link(origin, OURS),
        c.Unlink(origin, OURS),
        c.UnlinkId(1, origin, OURS),
        c.UnlinkIdAck(1, origin, OURS),
        c.Exit(origin, OURS, Atom("normal")),
        c.PayloadExit(origin, OURS),
        c.MonitorP(origin, OURS, REF),
        c.DemonitorP(origin, OURS, REF),
        c.SpawnRequest(REF, origin, origin, Atom("m"), Atom("f"), 0, []),
    ]


@pytest.mark.parametrize("index", range(len(relations(THEIRS))))
def test_relations_are_made_in_its_own_name(index: int) -> None:
    check_origin(relations(THEIRS)[index], THEIRS.node)
    with pytest.raises(RemoteProtocolError, match="peer@h sent a"):
        check_origin(relations(OTHERS)[index], THEIRS.node)


def test_a_message_may_be_of_anybody() -> None:
    check_origin(c.SendSender(OTHERS, OURS), THEIRS.node)


def test_a_reference_is_its_makers() -> None:
    check_reference(REF, THEIRS)
    with pytest.raises(RemoteProtocolError, match="watches under"):
        check_reference(REF, OTHERS)
