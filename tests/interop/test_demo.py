"""``make run`` where there is Elixir: the last act plays with real Elixir nodes."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.support.demo import Demo


@pytest.fixture(autouse=True)
def _needs_elixir() -> None:
    if shutil.which("elixir") is None:
        pytest.skip("no `elixir` on the PATH of this machine: install it (Debian: elixir)")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_elixir_nodes_and_a_python_one_see_each_other(loop: str) -> None:
    with Demo("--loop", loop) as demo:
        text = demo.rest()
    assert (demo.status, demo.errors) == (0, "")
    assert demo.left_behind() == []
    _, _, act = text.partition("--- Now with real Elixir")
    assert "iex(node2@localhost)> Node.connect(:node1@localhost)\ntrue\n" in act
    assert "[pyerlnode:example] connected to :node1@localhost\n" in act
    assert "iex(node1@localhost)> Node.ping(:node3@localhost)\n:pong\n" in act
    assert '"hello node2, this is node3@localhost"\n' in act
    assert "b'hello node3, this is node2@localhost'\n" in act


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_while_elixir_runs_it_leaves_nothing(number: int) -> None:
    with Demo() as demo:
        demo.until("--- node3 is Python")
        demo.process.send_signal(number)
        demo.rest()
    assert demo.status == (130 if number == signal.SIGINT else -number)
    assert demo.left_behind() == []


def test_without_elixir_the_act_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with Demo() as demo:
        text = demo.rest()
    assert (demo.status, demo.errors) == (0, "")
    assert "There is no `elixir` on the PATH" in text
