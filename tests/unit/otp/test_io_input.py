from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode.otp.io_input import Input, _read_into
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from pyerlnode.term import Term


def typed(*lines: str) -> Input:
    rest = list(lines)
    return Input(lambda: rest.pop(0) if rest else "")


async def test_lines_end_where_they_do() -> None:
    lines = typed("one\n", "two\nthree\n", "four")
    assert [await lines.line() for _ in range(5)] == ["one\n", "two\n", "three\n", "four", None]


async def test_characters_are_taken_across_lines() -> None:
    lines = typed("one\n", "two")
    assert await lines.chars(0) == ""
    assert [await lines.chars(5), await lines.chars(5), await lines.chars(5)] == ["one\nt", "wo", None]


async def test_what_was_read_too_far_comes_again() -> None:
    lines = typed("one\n")
    assert await lines.chars(1) == "o"
    lines.unread("zer")
    assert await lines.line() == "zerne\n"


async def test_without_a_reader_there_is_nothing() -> None:
    assert await Input(None).line() is None
    assert await Input(None).chars(3) is None


@pytest.mark.parametrize(
    ("options", "encoding", "answer"),
    [
        (["binary"], "unicode", "é".encode()),
        ([("binary", True)], "latin1", b"\xe9"),
        (["list"], "unicode", [0xE9]),
        ([("binary", False), ("encoding", "latin1")], "latin1", [0xE9]),
    ],
)
def test_text_is_given_as_it_is_wanted(options: list[Term], encoding: str, answer: Term) -> None:
    device = Input(None)
    words: list[Term] = [Atom(o) if isinstance(o, str) else (Atom(o[0]), o[1]) for o in options]
    assert device.set_options(words) == "ok"
    assert device.result("é", Atom(encoding)) == answer


def test_what_latin1_does_not_have_is_an_error() -> None:
    assert Input(None).result("€", Atom("latin1")) == ("error", ("no_translation", "unicode", "latin1"))
    assert Input(None).result(None, Atom("latin1")) == "eof"


def test_one_unknown_option_changes_nothing() -> None:
    device = Input(None)
    assert device.set_options([(Atom("binary"), False), (Atom("echo"), True)]) == ("error", "enotsup")
    assert device.options() == [("binary", True), ("encoding", "unicode")]
    assert device.set_options([(Atom("encoding"), Atom("latin1")), Atom("list")]) == "ok"
    assert device.options() == [("binary", False), ("encoding", "latin1")]


async def test_a_line_that_comes_when_nobody_waits_any_more_is_no_error() -> None:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()
    answer.cancel()
    _read_into(lambda: "late\n", loop, answer)
    await asyncio.sleep(0)
    assert answer.cancelled()


def test_a_line_that_comes_after_the_loop_is_no_error() -> None:
    loop = asyncio.new_event_loop()
    answer: asyncio.Future[str] = loop.create_future()
    loop.close()
    _read_into(lambda: "late\n", loop, answer)
    assert not answer.done()
