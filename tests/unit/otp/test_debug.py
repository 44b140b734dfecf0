"""What a server notes about itself when ``:sys`` asks for it."""

from __future__ import annotations

import logging
import time

import pytest

from pyerlnode.otp.debug import MOST_KEPT, NO_FUNCTIONS, Debug, described
from pyerlnode.term import Atom, Pid, Term

NAME = Atom("model")
OK = Atom("ok")
CALLER = Pid(Atom("b@127.0.0.1"), 1, 0, 1)
CALL = (Atom("in"), (Atom("$gen_call"), (CALLER, 1), (Atom("predict"), 2)))
REPLY: tuple[Term, ...] = (Atom("out"), 4, (CALLER, 1), {})


def ask(debug: Debug, *what: Term) -> Term:
    return debug.command(NAME, what if len(what) > 1 else what[0])


def test_it_is_off_until_asked_for() -> None:
    debug = Debug()
    assert (debug.is_on, debug.events, debug.options()) == (False, [], [])
    for option in ("trace", "log", "statistics"):
        assert ask(debug, Atom(option), True) == OK
        assert debug.is_on
        assert ask(debug, Atom(option), False) == OK
        assert not debug.is_on


def test_the_log_keeps_the_last_events() -> None:
    debug = Debug()
    ask(debug, Atom("log"), True)
    for number in range(12):
        debug.note(NAME, (Atom("in"), number))
    assert ask(debug, Atom("log"), Atom("get")) == (OK, [("in", number) for number in range(2, 12)])
    ask(debug, Atom("log"), (True, 2))
    assert debug.options() == [("log", (2, [("in", 10), ("in", 11)]))]
    ask(debug, Atom("log"), (True, 10**9))
    assert debug.options() == [("log", (MOST_KEPT, [("in", 10), ("in", 11)]))]


def test_a_log_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pyerlnode.gen_server")
    debug = Debug()
    ask(debug, Atom("log"), True)
    debug.note(NAME, CALL)
    assert ask(debug, Atom("log"), Atom("print")) == OK
    assert caplog.messages == [described(NAME, CALL)]


def test_a_trace_is_printed_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pyerlnode.gen_server")
    debug = Debug()
    ask(debug, Atom("trace"), True)
    debug.note(NAME, REPLY)
    assert debug.options() == [("trace", True)]
    assert caplog.messages == [described(NAME, REPLY)]


def test_statistics() -> None:
    now = [0.0]
    debug = Debug(lambda: now[0])
    get = (Atom("statistics"), Atom("get"))
    assert ask(debug, *get) == (OK, "no_statistics")
    ask(debug, Atom("statistics"), True)
    now[0] = 61.0
    for event in (CALL, REPLY, (Atom("in"), 1), (Atom("noreply"), 2)):
        debug.note(NAME, event)
    begin, end = time.localtime(0), time.localtime(61)
    assert ask(debug, *get) == (
        OK,
        [
            ("start_time", (tuple(begin[:3]), tuple(begin[3:6]))),
            ("current_time", (tuple(end[:3]), tuple(end[3:6]))),
            ("reductions", 0),
            ("messages_in", 2),
            ("messages_out", 1),
        ],
    )
    [(_, raw)] = debug.options()
    assert raw[1:] == (("reductions", 0), 2, 1)


def test_no_debug_ends_all() -> None:
    debug = Debug()
    for option in ("trace", "log", "statistics"):
        ask(debug, Atom(option), True)
    assert ask(debug, Atom("no_debug")) == OK
    assert not debug.is_on


def test_functions_and_files_are_refused() -> None:
    debug = Debug()
    assert ask(debug, Atom("install"), (1, 2)) == ("error", NO_FUNCTIONS)
    assert ask(debug, Atom("remove"), 1) == OK
    assert ask(debug, Atom("log_to_file"), [47]) == ("error", "open_file")
    assert ask(debug, Atom("log_to_file"), False) == OK


@pytest.mark.parametrize(
    "what",
    [
        1,
        Atom("what"),
        b"no_debug",
        (Atom("what"), 1),
        (1, 2),
        (1, 2, 3),
        [Atom("trace"), True],
        (Atom("trace"), 1),
        (Atom("log"), 1),
        (Atom("log"), b"get"),
        (Atom("log"), (True, 0)),
        (Atom("log"), (True, True)),
        (Atom("log"), (True, 1.0)),
        (Atom("statistics"), 1),
    ],
)
def test_what_it_does_not_know(what: Term) -> None:
    debug = Debug()
    assert debug.command(NAME, what) == "unknown_debug"
    assert not debug.is_on


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (CALL, "got call {:predict, 2} from #PID<b@127.0.0.1.1.0>"),
        ((Atom("in"), (Atom("$gen_cast"), 1)), "got cast 1"),
        ((Atom("in"), [1]), "got [1]"),
        (REPLY, "sent 4 to #PID<b@127.0.0.1.1.0>, new state %{}"),
        ((Atom("noreply"), 5), "new state 5"),
        ((Atom("continue"), 5), "did {:continue, 5}"),
    ],
)
def test_events_in_words(event: tuple[Term, ...], text: str) -> None:
    assert described(NAME, event) == f"*DBG* :model {text}"
