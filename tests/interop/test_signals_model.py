"""Random commands to processes in a BEAM and on a Python node: the model can explain what comes of them.

Two BEAMs play the same game, so that the model itself is judged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.interop.nodes import python_node
from tests.support.scale import quick_and_full
from tests.support.signals_game import play
from tests.support.signals_puppets import BeamSide, PythonSide

if TYPE_CHECKING:
    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release


@pytest.mark.beam
@pytest.mark.parametrize("steps", quick_and_full(300, 10_000))
async def test_python_and_a_beam_do_what_the_model_says(
    beam: Beam, steps: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "pyerlnode")
    async with python_node(hidden=True) as node:
        await node.connect(beam.name)
        await play(
            await PythonSide(node).start(),
            await BeamSide(beam).start(),
            steps,
            old="b" if beam.otp < 24 else "",
        )
    assert [record for record in caplog.records if record.name != "pyerlnode.process"] == []


@pytest.mark.beam(since=25, few=1)
@pytest.mark.parametrize("steps", quick_and_full(200, 5_000))
async def test_the_model_says_what_two_beams_do(release: Release, beams: Starter, steps: int) -> None:
    a, b = [await BeamSide(await beams(release)).start() for _ in range(2)]
    await a.connect(b.name)
    await play(a, b, steps)
