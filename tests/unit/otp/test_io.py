"""The group leader: everything is answered, so that nobody who prints there waits here."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from pyerlnode.otp import io
from pyerlnode.otp.io import User, to_stdout
from pyerlnode.otp.io_input import Input
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, ImproperList
from pyerlnode.wire import control as c
from tests.support.nodes import FakePeer, make_router

if TYPE_CHECKING:
    from pyerlnode.term import Term


def words(*parts: Term) -> tuple[Term, ...]:
    return tuple(Atom(part) if type(part) is str else part for part in parts)


class Asked:
    """A `user` that a peer asks."""

    def __init__(self, *lines: str) -> None:
        self.router = make_router()
        self.peer = FakePeer(self.router)
        self.written: list[str] = []
        self.lines = list(lines)
        self.user = User(self.router, self.written.append, self._line if lines else None)

    def _line(self) -> str:
        return self.lines.pop(0) if self.lines else ""

    async def ask(self, request: Term) -> Term:
        self.say((Atom("io_request"), self.peer.pid(), self.peer.ref(), request))
        while not (self.user._printing.is_idle and self.user._reading.is_idle):
            await asyncio.sleep(0)
        ((control, (word, reply_as, answer)),) = self.peer.take()
        assert (control, word, reply_as) == (
            c.SendSender(self.user.pid, self.peer.pid()),
            "io_reply",
            self.peer.ref(),
        )
        return answer

    def say(self, message: Term) -> None:
        self.peer.says(c.SendSender(self.peer.pid(), self.user.pid), message)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (words("put_chars", "unicode", "grüß".encode()), "grüß"),
        (words("put_chars", "unicode", [72, [105, b"!"], ImproperList((b"a",), b"b")]), "Hi!ab"),
        (words("put_chars", "latin1", b"gr\xfc\xdf"), "grüß"),
        (words("put_chars", b"gr\xfc\xdf"), "grüß"),
    ],
)
async def test_output_is_written(asked: Asked, request_: Term, text: str) -> None:
    assert await asked.ask(request_) == "ok"
    assert "".join(asked.written) == text


@pytest.mark.parametrize(
    "request_",
    [
        words("put_chars", "unicode", b"\xff"),
        words("put_chars", "unicode", [72, Atom("a")]),
        words("put_chars", "latin1", [300]),
    ],
)
async def test_what_is_no_text_is_refused(asked: Asked, request_: tuple[Term, ...]) -> None:
    assert await asked.ask(request_) == ("error", request_)
    assert asked.written == []


async def test_output_is_not_cut(asked: Asked) -> None:
    await asked.ask(words("put_chars", "unicode", b"x" * 3_000_000))
    assert sum(map(len, asked.written)) == 3_000_000


async def test_several_requests_give_the_last_answer(asked: Asked) -> None:
    put = words("put_chars", "unicode", b"x")
    assert (await asked.ask((Atom("requests"), [put, Atom("getopts")])))[0] == ("binary", True)
    assert await asked.ask((Atom("requests"), [])) == "ok"
    assert asked.written == ["x"]


async def test_the_first_of_several_that_fails_ends_them(asked: Asked) -> None:
    put = words("put_chars", "unicode", b"x")
    assert await asked.ask((Atom("requests"), [put, Atom("nonsense"), put])) == ("error", "request")
    assert asked.written == ["x"]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (words("get_line", "unicode", b"> "), "eof"),
        (words("get_line", b"> "), "eof"),
        (words("get_chars", "unicode", b"> ", 3), "eof"),
        (words("get_chars", "unicode", b"> ", -3), ("error", "request")),
        (words("get_line", "unicode"), ("error", "request")),
        (words("get_password", "unicode"), ("error", "enotsup")),
        (words("setopts", []), "ok"),
        (words("setopts", [Atom("nonsense")]), ("error", "enotsup")),
        (words("get_geometry", "rows"), ("error", "request")),
        (words("put_chars", "ebcdic", b"x"), ("error", "request")),
        (Atom("nonsense"), ("error", "request")),
    ],
)
async def test_every_request_is_answered(asked: Asked, request_: Term, answer: Term) -> None:
    assert await asked.ask(request_) == answer


@pytest.mark.parametrize(
    "request_",
    [
        words("put_chars", "unicode", "io_lib", "format", [b"~p", []]),
        words("put_chars", "io_lib", "format", [b"~p", []]),
        words("get_until", "unicode", b"> ", "m", "f", []),
    ],
)
async def test_a_process_of_this_node_has_no_erlang_to_run(asked: Asked, request_: Term) -> None:
    answers: list[Term] = []
    asker = Reactor(asked.router, answers.append)
    asked.user.on_message((Atom("io_request"), asker.pid, 1, request_))
    while not answers:
        await asyncio.sleep(0)
    assert answers == [("io_reply", 1, ("error", "request"))]


async def test_lines_are_given_as_they_are_asked_for_after_their_prompt() -> None:
    asked = Asked("one\n", "two\n", "three")
    assert await asked.ask(words("get_line", "unicode", "prompt> ")) == b"one\n"
    assert await asked.ask(words("get_chars", "unicode", b"? ", 2)) == b"tw"
    assert await asked.ask(words("get_line", "latin1", b"")) == b"o\n"
    assert await asked.ask(words("get_line", "unicode", b"")) == b"three"
    assert await asked.ask(words("get_line", "unicode", b"")) == "eof"
    assert "".join(asked.written) == "prompt> ? "


async def test_output_appears_while_somebody_waits_for_input(asked: Asked) -> None:
    typed = threading.Event()

    def read() -> str:
        typed.wait(30)
        return "at last\n"

    asked = Asked("x")
    asked.user._input = Input(read)
    asked.say((Atom("io_request"), asked.peer.pid(), asked.peer.ref(), words("get_line", "unicode", b"> ")))
    asked.say((Atom("io_request"), asked.peer.pid(), asked.peer.ref(), words("put_chars", "unicode", b"x")))
    assert [answer for _, (_, _, answer) in asked.peer.take()] == ["ok"]
    typed.set()
    while not asked.user._reading.is_idle:
        await asyncio.sleep(0.001)
    assert [answer for _, (_, _, answer) in asked.peer.take()] == [b"at last\n"]


async def test_whoever_asks_when_too_many_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io, "WAITING", 2)
    asked = Asked("x\n")
    for _ in range(4):
        asked.say((Atom("io_request"), asked.peer.pid(), 1, words("get_line", "unicode", b"")))
    assert [answer for _, (_, _, answer) in asked.peer.take()] == [("error", "busy")] * 2
    asked.user.close()
    await asyncio.sleep(0)
    assert asked.user._reading.is_idle
    assert asked.peer.take() == []


async def test_broken_input_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> str:
        raise OSError("no terminal")

    asked = Asked("x")
    asked.user._input = Input(read)
    assert await asked.ask(words("get_line", "unicode", b"")) == ("error", "terminated")
    assert "no terminal" in caplog.text


@pytest.mark.parametrize(("error", "is_ours"), [(BrokenPipeError("no reader"), False), (KeyError("x"), True)])
async def test_broken_output_is_answered_too(
    caplog: pytest.LogCaptureFixture, error: Exception, is_ours: bool
) -> None:
    asked = Asked()

    def broken(text: str) -> None:
        raise error

    asked.user._write = broken
    assert await asked.ask(words("put_chars", "unicode", b"x")) == ("error", "terminated")
    assert str(error) in caplog.text
    assert [record.exc_info is not None for record in caplog.records] == [is_ours]


def test_what_is_no_request_is_passed_over(asked: Asked) -> None:
    for message in (1, (1, 2), [Atom("io_request"), asked.peer.pid(), 1, Atom("getopts")]):
        asked.say(message)
    assert asked.peer.take() == []
    assert asked.user.alive


def test_standard_output_is_flushed(capsys: pytest.CaptureFixture[str]) -> None:
    to_stdout("hello\n")
    assert capsys.readouterr().out == "hello\n"
