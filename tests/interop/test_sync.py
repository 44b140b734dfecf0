"""``pyerlnode.sync`` beside real BEAMs: the verbs that need somebody to talk to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Atom, ConnectFailed, CookieMismatch, NodeDown, NodeUp, NoProc
from pyerlnode.sync import Node
from tests.interop.nodes import Echo, fresh_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.beam import Beam


@pytest.fixture(params=["asyncio", "uvloop"])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    with Node(fresh_name(), cookie="cookie", loop=request.param) as node:
        yield node


def test_nodes_see_and_ping_each_other(node: Node, shared_beam: Beam) -> None:
    assert node.connect(shared_beam.name)
    assert node.list() == [shared_beam.name]
    assert node.ping(shared_beam.name)
    assert shared_beam.ask(f"lists:member('{node.name}', nodes())") == "true"
    assert shared_beam.ask(f"net_adm:ping('{node.name}')") == "pong"
    assert node.locate(shared_beam.name).port > 0
    assert node.disconnect(shared_beam.name)
    assert node.list() == []


def test_calls_each_way(node: Node, shared_beam: Beam) -> None:
    node.start_server(Echo, name="echo")
    assert shared_beam.ask(f"gen_server:call({{echo, '{node.name}'}}, {{hello, 42}})") == "{hello,42}"
    assert node.call(("net_kernel", shared_beam.name), (Atom("is_auth"), Atom("x@y"))) == "yes"
    assert node.rpc(shared_beam.name, "lists", "reverse", [[1, 2, 3]]) == [3, 2, 1]
    with pytest.raises(NoProc):
        node.call(("nobody", shared_beam.name), 1)


def test_a_process_talks_to_one_over_there(node: Node, shared_beam: Beam) -> None:
    with node.process("inbox") as me:
        shared_beam.ask(f"{{inbox, '{node.name}'}} ! {{from, self()}}")
        _, pid = me.receive(timeout=10)
        me.monitor(pid)
        assert me.receive(timeout=10)[3:] == (pid, "noproc")


def test_events_of_nodes_in_a_for_loop(node: Node, beam: Beam) -> None:
    events = node.monitor_nodes(timeout=10)
    node.connect(beam.name)
    assert next(events) == NodeUp(beam.name)
    beam.kill()
    down = next(events)
    assert isinstance(down, NodeDown)
    assert down.name == beam.name


def test_errors_are_those_of_the_asyncio_node(shared_beam: Beam) -> None:
    with Node(fresh_name(), cookie="wrong") as node:
        with pytest.raises(ConnectFailed) as caught:
            node.connect(shared_beam.name)
        assert caught.value.stage == "cookie"
        assert isinstance(caught.value.__cause__, CookieMismatch)


def test_many_threads_call_at_once(node: Node, shared_beam: Beam) -> None:
    def work(number: int) -> object:
        return node.rpc(shared_beam.name, "erlang", "abs", [-number])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(100))) == list(range(100))
