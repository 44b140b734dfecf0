"""The older remote call server: it answers what is asked on connect, and serves the same exports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import Exit
from pyerlnode.limits import Limits
from pyerlnode.otp.exports import Exports
from pyerlnode.otp.gen import Process
from pyerlnode.otp.rex import Rex
from pyerlnode.term import Atom
from pyerlnode.wire import control as c
from tests.support.nodes import ME, FakePeer, mailbox, make_router, until
from tests.support.threads import worker_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.term import Term

GL = Atom("user")


async def double(x: int) -> int:
    return 2 * x


async def crash(kind: str) -> Any:
    match kind:
        case "exit":
            raise Exit(Atom("bye"))
        case "error":
            raise ValueError("so wrong")
    return object()


async def wait(me: Process) -> None:
    me.trap_exit = True  # it runs
    await asyncio.get_running_loop().create_future()


async def leader(me: Process) -> Term:
    return me.group_leader


@pytest.fixture
def peer() -> Iterator[FakePeer]:
    router = make_router()
    with worker_threads() as pool:
        exports = Exports(lambda: pool)
        exports.add("m", "double", double)
        exports.add("m", "crash", crash)
        exports.add("m", "wait", wait, process=True)
        exports.add("m", "leader", leader, process=True)
        Rex(router, exports, None)
        yield FakePeer(router)


def says(peer: FakePeer, message: Term) -> None:
    peer.says(c.RegSend(peer.pid(), Atom("rex")), message)


async def answer(peer: FakePeer) -> Term:
    await until(lambda: peer.sent)
    ((_, term),) = peer.take()
    return term


def processes(peer: FakePeer) -> list[Process]:
    """Those that calls of `wait` run in."""
    return [actor for actor in peer.router.registry if isinstance(actor, Process) and actor.trap_exit]


def call(peer: FakePeer, function: str, *args: Term, kind: str = "call", leader: Term = GL) -> None:
    request = (Atom(kind), Atom("m"), Atom(function), [*args], leader)
    says(peer, (Atom("$gen_call"), (peer.pid(), peer.ref()), request))


def test_features(peer: FakePeer) -> None:
    says(peer, (peer.pid(), Atom("features_request")))
    ((_, term),) = peer.take()
    assert term == ("features_reply", ME, ["erpc"])


@pytest.mark.parametrize("kind", ["call", "block_call"])
async def test_calls(peer: FakePeer, kind: str) -> None:
    call(peer, "double", 21, kind=kind)
    assert await answer(peer) == (peer.ref(), 42)


@pytest.mark.parametrize(
    ("args", "pattern"),
    [(("exit",), "bye"), (("error",), "so wrong"), (("unencodable",), "EncodeError"), ((), "undef")],
)
async def test_what_goes_wrong_is_badrpc(peer: FakePeer, args: tuple[str, ...], pattern: str) -> None:
    call(peer, "crash", *map(Atom, args))
    ref, (badrpc, (exit_, reason)) = await answer(peer)
    assert (ref, badrpc, exit_) == (peer.ref(), "badrpc", "EXIT")
    assert pattern in str(reason)


async def test_casts(peer: FakePeer) -> None:
    says(peer, (Atom("$gen_cast"), (Atom("cast"), Atom("m"), Atom("double"), [1], GL)))
    router = peer.router
    await until(lambda: len(router.registry) == 1)  # the process that ran it is gone
    assert peer.take() == []


async def test_plain_calls_of_c_nodes(peer: FakePeer) -> None:
    says(peer, (peer.pid(), (Atom("call"), Atom("m"), Atom("double"), [1], GL)))
    assert await answer(peer) == ("rex", 2)


async def test_a_call_that_an_exit_signal_ends_is_answered(peer: FakePeer) -> None:
    call(peer, "wait")
    await until(lambda: processes(peer))
    processes(peer)[0].end(Atom("killed"))
    assert await answer(peer) == (peer.ref(), ("badrpc", ("EXIT", "killed")))


async def test_what_is_exported_as_a_process_gets_it(peer: FakePeer) -> None:
    call(peer, "leader", kind="block_call", leader=peer.pid(5))
    assert await answer(peer) == (peer.ref(), peer.pid(5))


async def test_no_more_at_once_than_the_limit() -> None:
    router = make_router(limits=Limits(spawned=1))
    with worker_threads() as pool:
        exports = Exports(lambda: pool)
        exports.add("m", "wait", wait, process=True)
        Rex(router, exports, None)
        peer = FakePeer(router)
        call(peer, "wait")
        await until(lambda: processes(peer))
        call(peer, "wait")
        ((_, term),) = peer.take()
        assert term == (peer.ref(), ("badrpc", ("EXIT", ("system_limit", []))))
        says(peer, (Atom("$gen_cast"), (Atom("cast"), Atom("m"), Atom("wait"), [], GL)))
        assert len(processes(peer)) == 1
        processes(peer)[0].end(Atom("killed"))
        await until(lambda: peer.sent)


def test_other_calls_get_an_error(peer: FakePeer) -> None:
    says(peer, (Atom("$gen_call"), (peer.pid(), peer.ref()), Atom("other")))
    ((_, term),) = peer.take()
    assert term == (peer.ref(), ("badrpc", "notsup"))


def test_sbcast_and_send_reach_named_processes(peer: FakePeer) -> None:
    me = Process(peer.router)
    me.register("me")
    says(peer, (peer.pid(), (Atom("sbcast"), Atom("me"), 1)))
    says(peer, (peer.pid(), (Atom("sbcast"), Atom("nobody"), 1)))
    says(peer, (peer.pid(), (Atom("sbcast"), 7, 1)))
    says(peer, (peer.pid(), (Atom("send"), Atom("me"), 2)))
    assert [term for _, term in peer.take()] == [
        ("rex", ME, ME),
        ("rex", ME, ("nonexisting_name", "nobody")),
        ("rex", ME, ("nonexisting_name", 7)),
    ]
    assert mailbox(me) == [1, (peer.pid(), 2)]


def test_anything_else_is_passed_over(peer: FakePeer) -> None:
    for message in (1, (1, 2), (1, 2, 3), [peer.pid(), Atom("features_request")]):
        says(peer, message)
    assert peer.take() == []
