"""Two puppets in the same situations, in Erlang and in Python, here and there: both tell the same.

What a pair of Erlang processes tells, on two BEAMs or on one, is compared with what it tells when the one,
the other, or both are Python's.  docs/signals.md lists what differs, and why.
"""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Node
from pyerlnode.loops import LoopThread
from tests.interop.nodes import fresh_name
from tests.support.beam import Beam
from tests.support.erlang_modules import load
from tests.support.puppets_erlang import DIRECTOR, PUPPET
from tests.support.puppets_python import set_stage
from tests.support.situations import DIFFERENCES, SITUATIONS, Situation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.beams import Release

PLAY = """
director:play('{a}', '{b}', {order}, fun(PA, PB) ->
    NA = '{a}', NB = '{b}', NX = 'nobody@127.0.0.1',
    A = fun(What) -> director:do(PA, What, NB) end, B = fun(What) -> director:do(PB, What, NA) end,
    Both = fun({WhatA, WhatB}) -> director:both({PA, WhatA, NB}, {PB, WhatB, NA}) end,
    GotA = fun() -> director:got(PA) end, GotB = fun() -> director:got(PB) end,
    AskA = fun(What) -> director:tell(PA, What) end, ToldA = fun() -> director:told(PA) end,
    HoldA = fun(N) -> director:tell(PA, {hold, N}), director:told(PA) end,
    HoldB = fun(N) -> director:tell(PB, {hold, N}), director:told(PB) end,
    Dead = fun(N) -> erpc:call(N, puppet, dead, []) end,
    {code}
end)
"""

PAIRS = {
    "apart": {"erlang to python": "xp", "python to erlang": "px", "python to python": "pq"},
    "together": {"python alone": "pp"},
}
"""Where the puppets are: BEAMs are x and y, Python nodes p and q."""


class Theatre:
    """A director on a BEAM of its own, two more BEAMs and two Python nodes."""

    def __init__(self, release: Release, epmd_port: int, loop: LoopThread) -> None:
        flags = ["-hidden"]  # nobody reports to third parties who disconnects from whom
        self.release = release
        self._beams = [Beam(release, epmd_port=epmd_port, flags=flags) for _ in range(3)]
        self._nodes = [
            Node(fresh_name(), cookie="cookie", hidden=True, epmd=epmd_port, output=lambda _: None)
            for _ in range(2)
        ]
        self._loop = loop

    async def open(self) -> None:
        for beam in self._beams:
            await beam.start()
            await beam.eval("logger:set_primary_config(level, none)")
            await load(beam, PUPPET)
        await load(self._beams[0], DIRECTOR)
        for node in self._nodes:
            await node.start()
            set_stage(node)
        names = [beam.name for beam in self._beams[1:]] + [node.name for node in self._nodes]
        self._names = dict(zip("xypq", names, strict=True))

    async def close(self) -> None:
        for node in self._nodes:
            await node.stop()
        for beam in self._beams:
            beam.close()

    async def play(self, situation: Situation, pair: str) -> str:
        a, b = (self._names[who] for who in pair)
        order = "any" if situation.any_order else "kept"
        given = {"{a}": a, "{b}": b, "{order}": order, "{code}": situation.code}
        return await self._beams[0].eval(reduce(lambda text, item: text.replace(*item), given.items(), PLAY))

    def compare(self, situation: Situation) -> dict[str, tuple[str, str]]:
        """Of each pair that tells something else than Erlang's: what it tells, and what they do."""
        return self._loop.run(lambda: self._compare(situation))

    def left_behind(self) -> list[str]:
        """Processes here that still have links, aliases, or answers to wait for, each as a text."""
        return [
            f"{actor!r}: {actor.links} {actor.aliases} {actor.requests} {actor.spawning}"
            for node in self._nodes
            for actor in node._router.registry
            if actor.links or actor.aliases or actor.requests or actor.spawning
        ]

    async def _compare(self, situation: Situation) -> dict[str, tuple[str, str]]:
        found = {}
        for where, erlang in {"apart": "xy", "together": "xx"}.items():
            if where == "together" and situation.apart:
                continue
            expected = await self.play(situation, erlang)
            assert "nothing" not in expected, "it waits for what does not come"
            for name, pair in PAIRS[where].items():
                if situation.by_erlang and pair[0] in "pq":
                    continue
                answer = await self.play(situation, pair)
                if answer != expected:
                    found[name] = (answer, expected)
        return found


@pytest.fixture(scope="module")
def theatre(release: Release, epmd_port: int) -> Iterator[Theatre]:
    loop = LoopThread()
    loop.start()
    theatre = Theatre(release, epmd_port, loop)
    try:
        loop.run(theatre.open)
        yield theatre
    finally:
        loop.run(theatre.close)
        loop.stop()


@pytest.mark.parametrize("name", SITUATIONS)
def test_they_tell_the_same(theatre: Theatre, name: str) -> None:
    situation = SITUATIONS[name]
    if theatre.release.otp < situation.since:
        return
    different = theatre.compare(situation)
    assert different.keys() == DIFFERENCES.get(name, frozenset()), different


def test_nothing_stays_behind(theatre: Theatre) -> None:
    """No relation of a process of ours outlives the play, whoever ended how."""
    assert theatre.left_behind() == []


class TestDocument:
    """docs/signals.md says what the table says."""

    TEXT = (Path(__file__).parents[2] / "docs" / "signals.md").read_text(encoding="utf-8")

    def test_it_lists_the_differences(self) -> None:
        listed = re.findall(r"^\| `([^`]+)` \|", self.TEXT, re.MULTILINE)
        assert sorted(listed) == sorted(DIFFERENCES)

    def test_it_counts_the_situations(self) -> None:
        assert f"a table of {len(SITUATIONS)}\n" in self.TEXT

    def test_its_example_is_one_of_them(self) -> None:
        found = re.search(r'^"([^"]+)": (.*)$', self.TEXT, re.MULTILINE)
        assert found is not None
        assert SITUATIONS[found[1]].code == found[2]
