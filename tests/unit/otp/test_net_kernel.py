"""Pings, from and to this node."""

from __future__ import annotations

import asyncio

import pytest

from pyerlnode.errors import ConnectFailed
from pyerlnode.otp.net_kernel import NetKernel, ping
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, ImproperList
from pyerlnode.wire import control as c
from tests.support.nodes import ME, PEER, FakePeer, make_router


def asked(peer: FakePeer, request: object) -> object:
    call = (Atom("$gen_call"), (peer.pid(), peer.ref()), request)
    peer.says(c.RegSend(peer.pid(), Atom("net_kernel")), call)
    ((_, (ref, answer)),) = peer.take()
    assert ref == peer.ref()
    return answer


def test_is_auth_is_answered_yes() -> None:
    router = make_router()
    NetKernel(router)
    assert asked(FakePeer(router), (Atom("is_auth"), Atom(PEER))) == "yes"


@pytest.mark.parametrize("request_", [Atom("other"), (Atom("spawn"), 1, 2, 3, 4), (Atom("other"), 1)])
def test_other_calls_get_an_error(request_: object) -> None:
    router = make_router()
    NetKernel(router)
    error, (what, _) = asked(FakePeer(router), request_)  # type: ignore[misc]
    assert (error, what) == ("error", "unknown_request")


def test_what_is_no_call_is_passed_over() -> None:
    router = make_router()
    kernel, peer = NetKernel(router), FakePeer(router)
    for message in (1, (1, 2, 3), [Atom("$gen_call"), (peer.pid(), peer.ref()), (Atom("is_auth"), 1)]):
        peer.says(c.RegSend(peer.pid(), Atom("net_kernel")), message)
    assert peer.take() == []
    assert kernel.alive


async def test_pinging_oneself() -> None:
    router = make_router()
    NetKernel(router)
    assert await ping(Reactor(router, lambda message: None), ME, 30) is True


@pytest.mark.parametrize(("answer", "pong"), [(Atom("yes"), True), (Atom("no"), False)])
async def test_the_answer_decides(answer: Atom, pong: bool) -> None:
    router = make_router()
    peer, me = FakePeer(router), Reactor(router, lambda message: None)
    pinging = asyncio.ensure_future(ping(me, PEER, 30))
    await asyncio.sleep(0)
    _, (to, (_, (_, tag), request)) = peer.take()
    assert (to, request) == (c.RegSend(me.pid, Atom("net_kernel")), ("is_auth", ME))
    assert isinstance(tag, ImproperList)
    peer.says(c.SendSender(peer.pid(), me.pid), (tag, answer))
    assert await pinging is pong


async def test_no_answer_is_pang() -> None:
    router = make_router()
    FakePeer(router)
    me = Reactor(router, lambda message: None)
    assert await ping(me, PEER, 0) is False
    assert await ping(me, ME, 30) is False  # no net_kernel here

    async def unreachable(node: str) -> None:
        raise ConnectFailed(node, "dns", "no such host")

    router.reach = unreachable
    assert await ping(me, "far@host", 30) is False
