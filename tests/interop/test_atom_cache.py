"""Our atom cache in the hands of real nodes: thousands of atoms, so that slots change theirs all the time.

Each message carries a term twice, with its atoms as references into the header and as a binary that spells
them out; the BEAM compares both, exactly.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pyerlnode.term import Atom, Pid, Reference, Term, encode, encode_bare
from pyerlnode.wire import messages as m
from pyerlnode.wire.atom_cache import SLOTS
from pyerlnode.wire.fragments import FRAGMENT_SIZE
from pyerlnode.wire.payload import encode_payload
from tests.interop.test_net_session import dialled, me
from tests.support.scale import quick_and_full

if TYPE_CHECKING:
    from tests.interop.test_net_session import Peer
    from tests.support.beam import Beam

SENDERS = 6
JUDGES = """
    Judge = fun Loop(Next, Bad) ->
        receive
            {Next, Term, Bin} ->
                case binary_to_term(Bin) =:= Term of
                    true -> Loop(Next + 1, Bad);
                    false -> Loop(Next + 1, [Next | Bad])
                end;
            {verdict, From} -> From ! {verdict, Next, Bad}, Loop(0, []);
            Other -> Loop(Next, [{where, Next, came, Other} | Bad])
        end
    end,
    [begin
        Name = list_to_atom("judge" ++ integer_to_list(N)),
        catch (Name ! stop),
        catch unregister(Name),
        register(Name, spawn(fun() -> Judge(0, []) end))
     end || N <- lists:seq(1, 6)],
    ok
"""
CONSTANTS = [True, False, None, Atom(""), Atom("\u20ac" * 255), Atom("\u00e9"), Atom("nonode@nohost")]


def some_atoms(dice: random.Random, count: int) -> list[Term]:
    """Atoms of three times as many as there are slots; some of them in every message."""
    names: list[Term] = [Atom(f"atom number {dice.randrange(3 * SLOTS)}") for _ in range(count)]
    return names + dice.sample(CONSTANTS, dice.randrange(len(CONSTANTS)))


def some_term(dice: random.Random, number: int) -> Term:
    """Atoms in all places that a term has for them."""
    atoms = some_atoms(dice, dice.choice((0, 1, 3, 10, 10, 30, 300)))
    node = Atom(f"node{dice.randrange(500)}@host")
    ids = (Pid(node, number % 1000, 0, 9), Reference(node, 9, (number % 9, 2, 3)))
    keys = {Atom(f"key{dice.randrange(5000)}"): value for value in atoms[:9]}
    large = bytes(dice.choice((0, 3)) * FRAGMENT_SIZE + number) if not number % 25 else b"small"
    return (atoms, ids, keys, large)


async def verdict(peer: Peer, sender: int) -> Term:
    """What the judge of a sender has to say."""
    judge = Atom(f"judge{sender}")
    peer.session.send(m.RegSend(me(sender), judge), encode_bare((Atom("verdict"), me(sender))))

    def found() -> list[Term]:
        return [
            term for control, term in peer.sink.messages if getattr(control, "target", None) == me(sender)
        ]

    await peer.sink.until(lambda: bool(found()))
    return found()[0]


@pytest.mark.beam
@pytest.mark.timeout(240)
@pytest.mark.parametrize("messages", quick_and_full(3_000, 60_000))
async def test_every_atom_is_the_one_that_was_meant(messages: int, shared_beam: Beam) -> None:
    assert await shared_beam.eval(JUDGES) == "ok"
    dice = random.Random(messages)
    counts = dict.fromkeys(range(1, SENDERS + 1), 0)
    lanes = 0
    async with dialled(shared_beam) as peer:
        for number in range(messages):
            sender = dice.randrange(SENDERS) + 1
            term = some_term(dice, number)
            payload = encode_payload((counts[sender], term, encode(term)))
            peer.session.send(m.RegSend(me(sender), Atom(f"judge{sender}")), payload)
            counts[sender] += 1
            if not number % 20:
                lanes = max(lanes, len(peer.session._outbox._lanes))
                await peer.session.drain(me(sender))
        for sender, count in counts.items():
            assert await verdict(peer, sender) == ("verdict", count, []), f"sender {sender}"
        cache = peer.session._channel._sent
        assert cache is not None
        assert len(cache._slots) == SLOTS
        assert lanes > 2, "fragments of several senders were to mix"
