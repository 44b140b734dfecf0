"""Every golden term travels to each release and back, in a message, and is the same term on both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode import EncodeError
from pyerlnode.term import decode
from tests.interop.nodes import python_node
from tests.vectors.golden import Golden, load

if TYPE_CHECKING:
    from tests.support.beam import Beam

JUDGE = """
catch unregister(judge),
register(judge, spawn(fun L() ->
    receive {From, Bytes, Term} -> From ! {catch binary_to_term(Bytes) =:= Term, Term}, L() end
end))
"""
READABLE_SINCE = {"both zeros": 27, "records": 29}
"""Terms that an older release cannot read: two zeros were one key before 27, records came with 29."""


def is_readable(golden: Golden, otp: int) -> bool:
    """Whether that release can read the term at all; LOCAL_EXT is for nobody.

    Ports and aliases of OTP 24 and later are larger than what OTP 23 knows.
    """
    if golden.is_refused or otp < READABLE_SINCE.get(golden.name, 0):
        return False
    return golden.is_same_everywhere or golden.otp == 23 or otp > 23


async def test_every_golden_term_echoes(shared_beam: Beam) -> None:
    await shared_beam.eval(JUDGE)
    terms = [golden for golden in load() if is_readable(golden, shared_beam.otp)]
    assert len(terms) > 300
    async with python_node() as node, node.process() as me:
        for golden in terms:
            term = decode(golden.data)

            for _ in ("as we read it", "as it came back"):
                await me.send(("judge", shared_beam.name), (me.pid, golden.data, term))
                same, term = await me.receive(30)
                assert same is True, f"{golden}: the BEAM got another term"

            if "fun" not in golden.name:  # a BEAM writes its own init process into every fun that it sends
                assert term == decode(golden.data), f"{golden}: another term came back"
        assert node.list() == [shared_beam.name]


@pytest.mark.beam(only=(23, 25, 27, 28))
async def test_a_record_is_refused_here_not_there(shared_beam: Beam) -> None:
    """A BEAM before OTP 29 would drop the connection: the sender hears of it instead."""
    [record] = [decode(golden.data) for golden in load(29) if golden.name == "records"]
    async with python_node() as node:
        with pytest.raises(EncodeError, match="before OTP 29"):
            await node.send(("anybody", shared_beam.name), record)
        assert await node.ping(shared_beam.name)
