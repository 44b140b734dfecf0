"""The loop that runs a server: its end, and what it says of it.  The rest is in test_gen_server.py."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import Exit, RemoteExit
from pyerlnode.otp.gen_server import Caller, Continue, GenServer, Stop
from pyerlnode.otp.server import ask_to_stop, caller_of, is_control, request_of
from pyerlnode.otp.system import STOP
from pyerlnode.runtime.exits import NORMAL, SHUTDOWN
from pyerlnode.term import Atom, Pid
from tests.support.nodes import until

if TYPE_CHECKING:
    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Term

BOOM = Atom("boom")
OTHER = Pid(Atom("b@127.0.0.1"), 1, 0, 1)


class Ending(GenServer):
    """Raises what it is given, and waits in ``terminate`` until it may go on."""

    def __init__(self, error: Exception | None = None, again: Exception | None = None) -> None:
        self._error, self._again = error, again
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.reasons: list[Term] = []
        self.secret = b"s3cret"

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        if self._error is not None:
            raise self._error
        return request

    async def terminate(self, reason: Term) -> None:
        self.reasons.append(reason)
        await self.may_end.wait()
        if self._again is not None:
            raise self._again


class TestTheLastReply:
    async def test_it_comes_after_terminate(self, node: Node, me: Process) -> None:
        server = Ending(Stop(NORMAL, reply=7))
        server.may_end.clear()
        pid = await node.start_server(server)
        calling = asyncio.ensure_future(me.call(pid, 1))
        await until(lambda: server.reasons)
        assert not calling.done()
        server.may_end.set()
        assert await calling == 7

    async def test_it_comes_even_where_terminate_fails(self, node: Node, me: Process) -> None:
        server = Ending(Stop(NORMAL, reply=7), ValueError("no"))
        pid = await node.start_server(server)
        ref = await me.monitor(pid)
        assert await me.call(pid, 1) == 7
        down = await me.receive(30)
        assert (down[1], down[4][0]["message"]) == (ref, b"ValueError: no")

    async def test_none_for_a_reply_without_a_term(self, node: Node, me: Process) -> None:
        pid = await node.start_server(Ending(Stop(NORMAL, reply=object())))
        with pytest.raises(RemoteExit):
            await me.call(pid, 1)


class TestTheReason:
    @pytest.mark.parametrize(
        ("error", "again", "reason"),
        [
            (Stop(BOOM), None, BOOM),
            (Exit(BOOM), None, BOOM),
            (Stop(BOOM), Stop(NORMAL), BOOM),
            (Stop(BOOM), Exit((1, 2)), (1, 2)),
            (Stop(object()), None, "python_reason"),
        ],
    )
    async def test_it_is_that_of_the_last_error(
        self, node: Node, me: Process, error: Exception, again: Exception | None, reason: Term
    ) -> None:
        pid = await node.start_server(Ending(error, again))
        with pytest.raises(RemoteExit) as caught:
            await me.call(pid, 1)
        ended_with = caught.value.reason
        assert ended_with == reason or ended_with[0] == reason  # type: ignore[index]

    async def test_an_exit_signal_of_the_parent_of_one_that_traps(self, node: Node, me: Process) -> None:
        server = Ending()
        pid = await node.start_server(server, link=me.pid)
        server.me.trap_exit = me.trap_exit = True
        await me.exit(pid, BOOM)
        assert await me.receive(30) == ("EXIT", pid, BOOM)
        assert server.reasons == [BOOM]

    async def test_being_asked_to(self, node: Node, me: Process) -> None:
        server = Ending()
        pid = await node.start_server(server)
        ref = await me.monitor(pid)
        ask_to_stop(server.me, BOOM)
        assert await me.receive(30) == ("DOWN", ref, "process", pid, BOOM)
        assert server.reasons == [BOOM]


class TestCancelledWork:
    """A callback may wait for what somebody cancels: that is its error, and not the end of the task."""

    class Waiting(Ending):
        def __init__(self) -> None:
            super().__init__()
            self.work = asyncio.get_running_loop().create_future()
            self.is_waiting = False

        async def init(self, what: Term = None) -> None:
            if what == "now":
                await self.work

        async def handle_call(self, request: Term, caller: Caller) -> Term:
            self.is_waiting = True
            return await self.work

    async def test_it_is_an_error_of_the_callback(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        server = self.Waiting()
        server.work.cancel()
        pid = await node.start_server(server, name="model")
        with pytest.raises(RemoteExit, match="what handle_call waited for was cancelled"):
            await me.call(pid, 1)
        [(struct, stack)] = server.reasons
        assert stack[0][1] == "handle_call"
        assert struct["message"] == b"RuntimeError: what handle_call waited for was cancelled"
        assert "GenServer :model terminating: " in caplog.text

    async def test_it_is_an_error_of_init(self, node: Node) -> None:
        server = self.Waiting()
        server.work.cancel()
        with pytest.raises(RuntimeError, match="what init waited for was cancelled"):
            await node.start_server(server, Atom("now"))

    async def test_the_end_of_the_process_is_not_mistaken_for_it(self, node: Node, me: Process) -> None:
        server = self.Waiting()
        pid = await node.start_server(server)
        calling = asyncio.ensure_future(me.call(pid, 1))
        await until(lambda: server.is_waiting)
        await me.exit(pid, BOOM)
        with pytest.raises(RemoteExit) as caught:
            await calling
        assert caught.value.reason == BOOM
        assert server.reasons == []


class TestReports:
    async def test_what_ended_it_is_said(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        pid = await node.start_server(Ending(ValueError("no layers")), name="model")
        with pytest.raises(RemoteExit):
            await me.call(pid, (Atom("predict"), 7))
        [record] = caplog.records
        lines = record.getMessage().splitlines()
        assert lines[0].startswith("GenServer :model terminating: {%")
        assert lines[1].startswith("Last message (from #PID<a@127.0.0.1.")
        assert lines[1].endswith("): {:predict, 7}")
        assert lines[2].startswith("State: %{may_end: ")
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == "no layers"

    @pytest.mark.parametrize("reason", [NORMAL, SHUTDOWN, (SHUTDOWN, 1)])
    async def test_an_end_in_order_is_not_worth_one(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture, reason: Term
    ) -> None:
        pid = await node.start_server(Ending(Stop(reason)))
        with pytest.raises(RemoteExit):
            await me.call(pid, 1)
        assert not caplog.records

    async def test_format_status_keeps_a_secret(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Discreet(Ending):
            def format_status(self, status: dict[str, Any]) -> dict[str, Any]:
                assert set(status) == {"state", "message", "reason", "log"}
                return {key: Atom("hidden") for key in status}

        pid = await node.start_server(Discreet(Stop(BOOM)), name="model")
        with pytest.raises(RemoteExit):
            await me.call(pid, b"s3cret")
        assert "s3cret" not in caplog.text
        assert "GenServer :model terminating: :hidden\n" in caplog.text

    async def test_no_caller_is_named_for_other_messages(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        pid = await node.start_server(Ending())
        ref = await me.monitor(pid)
        await me.cast(pid, 1)
        assert (await me.receive(30))[1] == ref
        assert "\nLast message: 1\n" in caplog.text


def test_who_called(node: Any = None) -> None:
    process: Any = node
    call = (Atom("$gen_call"), (OTHER, 1), 2)
    caller = Caller(process, OTHER, 1)
    assert caller_of(process, call) == caller
    assert hash(caller_of(process, call)) == hash(caller)
    assert caller not in (Caller(process, OTHER, 2), (process, OTHER, 1))
    assert repr(caller) == "<Caller #PID<b@127.0.0.1.1.0>>"
    for message in (
        1,
        (Atom("$gen_cast"), 1),
        [*call],
        (Atom("$gen_call"), (1, 1), 2),
        (b"$gen_call", (OTHER, 1), 2),
    ):
        assert caller_of(process, message) is None


def test_what_may_be_for_the_loop() -> None:
    for message in ((Atom("system"), 1, 2), (Atom("EXIT"), OTHER, 1), (STOP, 1)):
        assert is_control(message)
    other: Term
    for other in (1, (), [Atom("system")], (b"system", 1, 2), ([], 1), (Atom("$gen_cast"), 1)):
        assert not is_control(other)


def test_what_a_message_carries() -> None:
    assert request_of((Atom("$gen_call"), (OTHER, 1), 2)) == 2
    assert request_of((Atom("$gen_cast"), 2)) == 2
    assert request_of((Atom("EXIT"), 1, 2)) == ("EXIT", 1, 2)
    assert request_of(Continue(2)) == ("continue", 2)
