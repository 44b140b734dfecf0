"""What the demo expects to see."""

from __future__ import annotations

import pytest

from pyerlnode.cli.demo.acts import (
    NODES,
    elixir_node,
    expect_list,
    is_python,
    log_of,
    names_in,
    python_node,
    short,
)
from pyerlnode.cli.demo.consoles import Console, DemoFailed


def test_a_node_logs_whom_it_finds_and_whom_it_does_not() -> None:
    assert log_of(NODES[1], up=NODES[:1]) == [
        "[pyerlnode:example] connected to :node1@localhost",
        "[pyerlnode:example] unable to connect to :node3@localhost",
    ]


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("['node2@localhost', 'node1@localhost']", ["node1@localhost", "node2@localhost"]),
        ("[:node2@localhost, :node1@localhost]", ["node1@localhost", "node2@localhost"]),
        ("[]", []),
    ],
)
def test_lists_are_read_in_both_languages_and_sorted(answer: str, names: list[str]) -> None:
    assert names_in(answer) == names


def test_nodes_are_started_as_one_would_by_hand() -> None:
    python, elixir = python_node(NODES[0], 5000), elixir_node(NODES[1], 5000, "/bin/elixir")
    assert (is_python(python), is_python(elixir)) == (True, False)
    assert (python.prompt, elixir.prompt) == ("python(node1@localhost)", "iex(node2@localhost)")
    assert short(python.node) == "node1"


async def test_a_list_that_stays_wrong_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Lonely(Console):
        async def ask_quietly(self, expression: str) -> str:
            return "['node2@localhost']"

    monkeypatch.setattr("pyerlnode.cli.demo.acts.PAUSE", 0)
    node = Lonely(NODES[0], "python(node1@localhost)", [], {})
    with pytest.raises(DemoFailed, match=r"node.list\(\) on node1@localhost should be"):
        await expect_list(node)
    assert "['node2@localhost']" in capsys.readouterr().out
