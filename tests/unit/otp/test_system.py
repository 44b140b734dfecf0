"""System messages, and how a server of this node answers them; tests/interop has BEAMs ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.otp.debug import NO_FUNCTIONS
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.otp.system import STOP, is_recent, may_pass_a_suspended, unknown
from pyerlnode.runtime.exits import SHUTDOWN
from pyerlnode.term import Atom, ImproperList, Pid, Reference
from tests.support.nodes import Ports

if TYPE_CHECKING:
    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Term

BOOM = Atom("boom")
OTHER = Pid(Atom("b@127.0.0.1"), 1, 0, 1)


class Recorder(GenServer):
    """Keeps what comes."""

    async def init(self) -> None:
        self.log: list[Term] = []

    async def handle_call(self, request: Term, caller: Any) -> Term:
        return request

    async def handle_cast(self, request: Term) -> None:
        self.log.append(request)

    async def terminate(self, reason: Term) -> None:
        self.log.append(("terminate", reason))


async def ask(me: Process, server: Pid, request: Term, tag: Term = None) -> Term:
    ref = me.alias()
    await me.send(server, (Atom("system"), (me.pid, tag or ref), request))
    async with asyncio.timeout(30):
        _, answer = await me.receive(match=lambda message: type(message) is tuple and len(message) == 2)
    me.unalias(ref)
    return answer


async def test_the_state(node: Node, me: Process) -> None:
    pid = await node.start_server(Recorder)
    await me.cast(pid, 1)
    assert await ask(me, pid, Atom("get_state")) == {"log": [1]}
    assert (await ask(me, pid, Atom("get_status")))[0] == "status"


async def test_the_state_for_recent_releases(node: Node, me: Process) -> None:
    """Since OTP 27 :sys wants ``{ok, State}``; such a caller's alias has five words."""
    pid = await node.start_server(Recorder)
    alias = Reference(Atom(node.name), node.creation, (1, 2, 3, 4, 5))
    me.alias(alias)
    tag = ImproperList((Atom("alias"),), alias)
    assert is_recent(tag)
    assert await ask(me, pid, Atom("get_state"), tag) == ("ok", {"log": []})
    assert not is_recent(ImproperList((Atom("alias"),), me.alias()))
    assert not is_recent(me.alias())


async def test_a_suspended_server_answers_only_system_messages(node: Node, me: Process) -> None:
    pid = await node.start_server(Recorder)
    assert await ask(me, pid, Atom("suspend")) == "ok"
    await me.cast(pid, 1)
    assert await ask(me, pid, Atom("get_state")) == {"log": []}
    assert (await ask(me, pid, Atom("get_status")))[3][1] == "suspended"
    assert await ask(me, pid, Atom("resume")) == "ok"
    assert await ask(me, pid, Atom("get_state")) == {"log": [1]}


async def test_a_suspended_server_ends_with_its_node() -> None:
    server = Recorder()
    async with Ports().node("a") as node, node.process() as me:
        pid = await node.start_server(server)
        await ask(me, pid, Atom("suspend"))
    assert server.log == [("terminate", SHUTDOWN)]


async def test_a_suspended_server_ends_with_its_parent(node: Node, me: Process) -> None:
    server = Recorder()
    async with node.process() as parent:
        pid = await node.start_server(server, link=parent.pid)
        server.me.trap_exit = True
        await ask(me, pid, Atom("suspend"))
        ref = await me.monitor(pid)
    assert await me.receive(30) == ("DOWN", ref, "process", pid, "normal")
    assert server.log == [("terminate", "normal")]


async def test_terminate(node: Node, me: Process) -> None:
    server = Recorder()
    pid = await node.start_server(server)
    ref = await me.monitor(pid)
    assert await ask(me, pid, (Atom("terminate"), BOOM)) == "ok"
    assert await me.receive(30) == ("DOWN", ref, "process", pid, BOOM)
    assert server.log == [("terminate", BOOM)]


async def test_what_cannot_be_done_is_said(node: Node, me: Process) -> None:
    pid = await node.start_server(Recorder)
    refused = ("error", ("callback_failed", ("Recorder", "system_replace_state"), ("error", NO_FUNCTIONS)))
    assert await ask(me, pid, (Atom("replace_state"), 1)) == refused
    change: Term = (Atom("change_code"), Atom("m"), Atom("undefined"), [])
    assert await ask(me, pid, change) == ("error", ("unknown_system_msg", change))
    await ask(me, pid, Atom("suspend"))
    assert (await ask(me, pid, change))[1][:2] == ("callback_failed", ("Recorder", "system_code_change"))


async def test_a_state_that_cannot_be_shown_is_said(node: Node, me: Process) -> None:
    class Broken(Recorder):
        def get_state(self) -> Term:
            raise ValueError("no state")

    pid = await node.start_server(Broken)
    error, (_, where, (_, struct)) = await ask(me, pid, Atom("get_state"))
    assert (error, where, struct["message"]) == ("error", ("Broken", "get_state"), b"ValueError: no state")
    assert await me.call(pid, 1) == 1


async def test_an_answer_that_nests_too_deeply_is_said(node: Node, me: Process) -> None:
    class Deep(Recorder):
        def get_state(self) -> Term:
            term: Term = []
            for _ in range(node.limits.nesting - 2):
                term = [term]
            return term

    pid = await node.start_server(Deep)
    answer = await ask(me, pid, Atom("get_status"))
    assert answer[:1] == ("error",)
    assert await me.call(pid, 1) == 1


@pytest.mark.parametrize(
    "request_", [1, Atom("what"), b"get_state", (Atom("what"), 1), [Atom("terminate"), 1], ()]
)
async def test_unknown_requests(node: Node, me: Process, request_: Term) -> None:
    pid = await node.start_server(Recorder)
    assert await ask(me, pid, request_) == unknown(request_) == ("error", ("unknown_system_msg", request_))


async def test_debug_options_note_what_happens(node: Node, me: Process) -> None:
    pid = await node.start_server(Recorder)
    await ask(me, pid, (Atom("debug"), (Atom("log"), True)))
    await me.cast(pid, 1)
    await me.call(pid, 2)
    await me.send(pid, 3)
    status, events = await ask(me, pid, (Atom("debug"), (Atom("log"), Atom("get"))))
    assert status == "ok"
    assert [event[0] for event in events] == ["in", "noreply", "in", "out", "in", "noreply"]
    assert [event[1] for event in events[:2]] == [("$gen_cast", 1), {"log": [1]}]
    assert (events[3][1], events[3][3], events[4]) == (2, {"log": [1]}, ("in", 3))


def test_what_passes_a_suspended_server() -> None:
    may_pass = may_pass_a_suspended(OTHER)
    message: Term
    for message in ((Atom("system"), 1, 2), (STOP, 1), (Atom("EXIT"), OTHER, BOOM)):
        assert may_pass(message)
    for message in (
        (),
        1,
        (b"system", 1, 2),
        (Atom("EXIT"), 1, BOOM),
        (Atom("$gen_cast"), 1),
        [Atom("system")],
    ):
        assert not may_pass(message)
    assert not may_pass_a_suspended(None)((Atom("EXIT"), None, BOOM))
