"""Random commands to processes in a BEAM and on a Python node: the model can explain what comes of them."""

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
            beams="b",
            old="b" if beam.otp < 24 else "",
        )
    assert [record for record in caplog.records if record.name != "pyerlnode.process"] == []
