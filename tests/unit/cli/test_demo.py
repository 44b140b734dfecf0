"""``pyerlnode demo``, without Erlang: it shows what it should, and leaves nothing behind, whatever happens.

With real Elixir nodes it is tests/interop/test_demo.py that plays it.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.demo import Demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def demo() -> Iterator[Demo]:
    with Demo("--no-elixir") as demo:
        yield demo
    assert demo.left_behind() == []


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_three_nodes_form_a_cluster_and_end(loop: str) -> None:
    with Demo("--no-elixir", "--loop", loop) as demo:
        text = demo.rest()
    assert (demo.status, demo.errors) == (0, "")
    assert demo.left_behind() == []
    assert "[pyerlnode:example] unable to connect to :node2@localhost" in text
    assert "[pyerlnode:example] connected to :node1@localhost" in text
    assert re.search(
        r"python\(node3@localhost\)> node.list\(\)\n\['node[12]@localhost', 'node[12]@localhost'\]", text
    )
    assert "$ pyerlnode names\nepmd: up and running on port " in text
    assert "b'hello node1, this is node2@localhost'" in text
    assert "Elixir" not in text
    assert "All as expected" in text.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_half_way_it_leaves_nothing(demo: Demo, number: int) -> None:
    demo.until("--- node3 starts")
    demo.process.send_signal(number)
    demo.rest()
    assert demo.status == (130 if number == signal.SIGINT else -number)


def test_a_node_that_dies_is_a_failure_that_is_told(demo: Demo) -> None:
    demo.until("--- node2 starts")
    demo.kill_one_console()
    demo.rest()
    assert demo.status == 1, demo.errors
    assert demo.errors.startswith("pyerlnode: ")
    assert demo.errors.count("\n") == 1


def test_a_surprise_is_a_failure() -> None:
    from pyerlnode.cli.demo.acts import expect
    from pyerlnode.cli.demo.consoles import DemoFailed

    expect("the answer", 42, 42)
    with pytest.raises(DemoFailed, match="the answer should be 42, and is 41"):
        expect("the answer", 41, 42)
