"""Random commands to processes on two Python nodes: whatever comes of them, the model can explain."""

from __future__ import annotations

import logging

import pytest

from tests.support.nodes import nodes
from tests.support.scale import quick_and_full
from tests.support.signals_game import play
from tests.support.signals_puppets import PythonSide


@pytest.mark.parametrize("steps", quick_and_full(500, 10_000))
async def test_two_python_nodes_do_what_the_model_says(steps: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "pyerlnode")
    async with nodes("a", "b") as (a, b):
        await a.connect(b.name)
        await play(await PythonSide(a).start(), await PythonSide(b).start(), steps)
    assert [record for record in caplog.records if record.name != "pyerlnode.process"] == []
