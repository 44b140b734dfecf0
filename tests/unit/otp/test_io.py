"""The group leader: everything is answered, so that nobody who prints there waits here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.otp import io
from pyerlnode.otp.io import User, to_stdout, to_text
from pyerlnode.term import Atom, ImproperList
from pyerlnode.wire import control as c
from tests.support.nodes import FakePeer, make_router

if TYPE_CHECKING:
    from pyerlnode.term import Term


def words(*parts: Term) -> tuple[Term, ...]:
    return tuple(Atom(part) if type(part) is str else part for part in parts)


class Asked:
    """A `user` that a peer asks."""

    def __init__(self) -> None:
        self.router = make_router()
        self.peer = FakePeer(self.router)
        self.written: list[str] = []
        self.user = User(self.router, self.written.append)

    def ask(self, request: Term) -> Term:
        self.say((Atom("io_request"), self.peer.pid(), self.peer.ref(), request))
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
        (words("put_chars", "unicode", "io_lib", "format", [b"~p~n", [Atom("a")]]), "~p~n a"),
    ],
)
def test_output_is_written(asked: Asked, request_: Term, text: str) -> None:
    assert asked.ask(request_) == "ok"
    assert "".join(asked.written) == text


def test_output_is_bounded(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io, "MAX_OUTPUT", 5)
    asked.ask(words("put_chars", "unicode", b"x" * 100))
    asked.ask(words("put_chars", "unicode", "io_lib", "format", [b"y" * 100, []]))
    assert asked.written == ["xxxxx", "yyyyy"]


def test_several_requests_give_the_last_answer(asked: Asked) -> None:
    put = words("put_chars", "unicode", b"x")
    assert asked.ask((Atom("requests"), [put, Atom("getopts")]))[0] == ("binary", True)
    assert asked.ask((Atom("requests"), [])) == "ok"
    assert asked.written == ["x"]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (words("get_line", "unicode", b"> "), "eof"),
        (words("get_chars", "unicode", b"> ", 3), "eof"),
        (words("get_until", "unicode", b"> ", "m", "f", []), "eof"),
        (words("get_password", "unicode"), "eof"),
        (words("setopts", []), "ok"),
        (words("get_geometry", "rows"), ("error", "request")),
        (Atom("nonsense"), ("error", "request")),
        (words("put_chars", "unicode", "other", "format", []), ("error", "request")),
    ],
)
def test_every_request_is_answered(asked: Asked, request_: Term, answer: Term) -> None:
    assert asked.ask(request_) == answer


def test_broken_output_is_answered_too(caplog: pytest.LogCaptureFixture) -> None:
    asked = Asked()

    def broken(text: str) -> None:
        raise BrokenPipeError("no reader")

    asked.user._write = broken
    assert asked.ask(words("put_chars", "unicode", b"x")) == ("error", "terminated")
    assert "no reader" in caplog.text


def test_what_is_no_request_is_passed_over(asked: Asked) -> None:
    for message in (1, (1, 2), [Atom("io_request"), asked.peer.pid(), 1, Atom("getopts")]):
        asked.say(message)
    assert asked.peer.take() == []
    assert asked.user.alive


def test_text_of_what_is_no_character_data() -> None:
    assert to_text([0xD800, "x", -1, 0x110000, 1.0, True, b"\xff"]) == "\ufffdx\ufffd"


def test_standard_output_is_flushed(capsys: pytest.CaptureFixture[str]) -> None:
    to_stdout("hello\n")
    assert capsys.readouterr().out == "hello\n"
