"""The locker: both partitions are locked or none is, and no peer can keep the lock by its silence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.otp import global_locker
from pyerlnode.otp.global_locker import Done, Locker, LockSet, Meeting, pid_order
from pyerlnode.otp.global_locks import Locks
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, Pid
from pyerlnode.wire import control as c
from tests.support.nodes import ME, PEER, FakePeer, make_router, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.term import Term

HIM = Atom(PEER)
RIVAL = (Atom("global"), [])


class NameServer:
    """Our own name server, as far as the locker needs it; and the peer's, which the test plays."""

    def __init__(self) -> None:
        self.router = make_router()
        self.peer = FakePeer(self.router)
        self.reactor = Reactor(self.router, self.react, "global_name_server")
        self.locks = Locks(lambda pid: self.reactor.emit_monitor(pid, pid.node), lambda ref: None)
        self.known: list[Atom] = []
        self.told: list[tuple[Meeting, bool]] = []
        self.set: list[Meeting] = []
        self.locker = Locker(self.router, self)
        self.locker.start()
        self.asked: list[Term] = []
        self.answers: Any = True
        self.answering = asyncio.ensure_future(self.answer())

    # ours --------------------------------------------------------------------------

    def react(self, message: Term) -> None:
        _, caller, (word, ident) = message
        if word == "set_lock":
            self.reactor.reply(caller, self.locks.set(ident, caller[0]))
        else:
            self.locks.delete(ident, caller[0])
            self.reactor.reply(caller, True)

    def known_nodes(self) -> list[Atom]:
        return self.known

    def may_lock(self, ident: Term) -> bool:
        return self.locks.is_free(ident)

    def tell_lock_set(self, meeting: Meeting, locker: Pid, *, is_set: bool) -> None:
        self.told.append((meeting, is_set))

    def lock_is_set(self, meeting: Meeting, ident: Term) -> None:
        self.set.append(meeting)

    # theirs ------------------------------------------------------------------------

    async def answer(self) -> None:
        """Answers what the locker asks the peer's name server."""
        while True:
            await until(lambda: self.peer.sent)
            for control, message in self.peer.take():
                if isinstance(control, c.RegSend):
                    _, (pid, tag), request = message
                    self.asked.append(request)
                    value = self.answers if request[0] == "set_lock" else True
                    if value is not None:
                        self.peer.says(c.SendSender(self.peer.pid(), pid), (tag, value))

    def meets(self, tag: int = 1) -> Meeting:
        meeting = Meeting(HIM, self.peer.pid(5), 8, 2, tag)
        self.locker.tell(meeting)
        return meeting

    def words(self) -> list[str]:
        return [str(request[0]) for request in self.asked]

    async def free(self) -> None:
        """Waits until nothing is locked, here and there."""
        await until(
            lambda: not len(self.locks) and self.words().count("set_lock") == self.words().count("del_lock")
        )


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    server = NameServer()
    yield server
    server.answering.cancel()
    for actor in server.router.registry:
        actor.end(None)
    await asyncio.gather(server.answering, return_exceptions=True)


async def test_we_begin(server: NameServer) -> None:
    meeting = server.meets()
    await until(lambda: server.told)
    assert server.told == [(meeting, True)]
    assert not server.may_lock(RIVAL)
    server.locker.tell(LockSet(HIM, meeting.his_locker, True))
    await until(lambda: server.set)
    said: list[str] = []
    server.locker.tell(Done(HIM, 1, lambda: said.append("locked" if len(server.locks) else "free")))
    await server.free()
    assert said == ["locked"]  # the rest of our partition hears before anybody else gets the lock
    assert server.locker._meetings == {}


async def test_the_next_one_follows_at_once(server: NameServer) -> None:
    for tag in (1, 2):
        meeting = server.meets(tag)
        await until(lambda tag=tag: len(server.told) == tag)
        server.locker.tell(LockSet(HIM, meeting.his_locker, True))
        await until(lambda tag=tag: len(server.set) == tag)
        if tag == 1:
            third = Meeting(Atom("third@h"), Pid(Atom("third@h"), 5, 0, 1), 8, 2, 3)
            server.locker.tell(third)  # it is not connected, so that it need not be asked
        server.locker.tell(Done(HIM, tag))
        if tag == 1:
            await until(lambda: len(server.told) == 2)
            assert server.told[-1] == (third, True)
            server.told.pop()
            server.locker.tell(Done(third.node, 3))
    await server.free()
    assert server.locker._meetings == {}


async def test_they_begin(server: NameServer) -> None:
    server.answers = False  # they have locked their side, so that we do not get it
    meeting = server.meets()
    server.locker.tell(LockSet(HIM, meeting.his_locker, True))
    await until(lambda: server.set)
    assert server.told == [(meeting, True)]
    server.locker.tell(Done(HIM, 1))
    await until(lambda: not len(server.locks))


async def test_they_were_refused(server: NameServer) -> None:
    meeting = server.meets()
    await until(lambda: server.told)
    server.locker.tell(LockSet(HIM, meeting.his_locker, False))
    await until(lambda: len(server.told) == 2)  # freed, and tried again
    server.locker.tell(Done(HIM, 1))
    await server.free()
    assert server.set == []


async def test_refused_there_nothing_stays_locked_here(server: NameServer) -> None:
    server.answers = False
    server.meets()
    await until(lambda: server.words().count("set_lock") >= 2)
    server.locker.tell(Done(HIM, 1))
    await server.free()
    assert server.told == []


async def test_refused_here_they_are_told(server: NameServer) -> None:
    holder = Reactor(server.router, lambda m: None)
    server.locks.set(RIVAL, holder.pid)
    meeting = server.meets()
    server.locker.tell(LockSet(HIM, meeting.his_locker, True))
    await until(lambda: server.told)
    assert server.told == [(meeting, False)]


async def test_a_peer_that_is_silent_about_its_lock_frees_ours(
    server: NameServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(global_locker, "PATIENCE", 0.02)
    meeting = server.meets()
    await until(lambda: meeting in server.locker._silent)
    await server.free()
    assert len(server.told) == 1
    assert "does not go on" in caplog.text
    monkeypatch.setattr(global_locker, "PATIENCE", 30.0)
    server.locker.tell(LockSet(HIM, meeting.his_locker, True))  # it may begin itself, when it can
    await until(lambda: server.set)
    assert meeting not in server.locker._silent


async def test_a_peer_that_never_answers_a_request_frees_it(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_locker, "LOCK_TIMEOUT", 0.02)
    monkeypatch.setattr(global_locker, "PATIENCE", 0.02)
    server.answers = None
    meeting = server.meets()
    await until(lambda: meeting in server.locker._silent and not len(server.locks))


async def test_a_peer_that_is_lost_frees_it(server: NameServer) -> None:
    server.meets()
    await until(lambda: server.told)
    server.peer.goes()
    server.locker.tell(Done(HIM, 1))
    await until(lambda: not len(server.locks))
    assert server.locker._meetings == {}


async def test_an_exchange_without_end_frees_it(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(global_locker, "PATIENCE", 0.02)
    meeting = server.meets()
    server.locker.tell(LockSet(HIM, meeting.his_locker, True))
    await until(lambda: server.set and not server.locker._meetings)
    await until(lambda: not len(server.locks))
    late: list[bool] = []
    server.locker.tell(Done(HIM, 1, lambda: late.append(True)))
    await until(lambda: late)  # our partition hears of the new nodes all the same


async def test_one_that_is_known_by_now_is_not_met_again(server: NameServer) -> None:
    server.known.append(HIM)
    server.meets()
    await until(lambda: not server.locker._meetings and not server.locker.process.message_queue_len)
    await until(lambda: not server.locker._meetings)
    assert server.told == []


async def test_the_greatest_of_the_partition_is_asked_first(server: NameServer) -> None:
    boss, other = Atom("z@127.0.0.1"), Atom("n@127.0.0.1")
    server.known += [other, boss]  # neither is connected: they hold no lock, and hold nobody up
    meeting = server.meets()
    await until(lambda: server.told)
    assert server.told == [(meeting, True)]
    holder = Reactor(server.router, lambda m: None)
    server.locker.tell(Done(HIM, 1))
    await server.free()
    server.locks.set(RIVAL, holder.pid)
    assert (
        await server.locker._lock((Atom("global"), [1]), []) is None
    )  # ours is taken: the boss is not asked


async def test_strangers_and_old_tags_are_passed_over(server: NameServer) -> None:
    server.answers = False
    server.meets(tag=1)
    server.locker.tell(LockSet(Atom("x@h"), server.peer.pid(5), True))
    server.locker.tell(LockSet(HIM, server.peer.pid(6), True))
    server.locker.tell(Done(HIM, 9))
    await until(lambda: not server.locker.process.message_queue_len)
    assert list(server.locker._meetings) == [HIM]
    assert server.set == []


async def test_lockers_of_otp_23_speak_to_it_directly(server: NameServer) -> None:
    server.answers = False
    meeting = server.meets()
    direct = (Atom("lock_set"), meeting.his_locker, True, [])
    server.peer.says(c.SendSender(meeting.his_locker, server.locker.process.pid), direct)
    await until(lambda: server.set)


async def test_it_outlives_who_linked_to_it(server: NameServer) -> None:
    server.peer.says(c.Link(server.peer.pid(), server.locker.process.pid))
    server.peer.goes()
    assert server.locker.process.alive


def test_pids_in_the_order_of_the_beam() -> None:
    b, a = Atom("b@h"), Atom("a@h")
    ordered = [Pid(b, 1, 0, 1), Pid(a, 2, 0, 1), Pid(a, 1, 1, 1), Pid(a, 1, 1, 2), Pid(b, 1, 1, 1)]
    assert sorted([ordered[place] for place in (3, 1, 4, 0, 2)], key=pid_order) == ordered
    assert ME < PEER
