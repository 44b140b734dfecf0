"""What a server shows of itself, and what it keeps to itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyerlnode.otp.debug import Debug
from pyerlnode.otp.gen_server import GenServer
from pyerlnode.otp.status import formatted, header, state_of, status_of
from pyerlnode.term import Atom, Pid, charlist, encode

PARENT = Pid(Atom("b@127.0.0.1"), 1, 0, 1)
ME = Pid(Atom("a@127.0.0.1"), 7, 2, 1)


class Model(GenServer):
    """Has a secret, and something that is no term."""

    def __init__(self) -> None:
        process: Any = SimpleNamespace(names=[Atom("model")], pid=ME)
        self.me = process
        self.node = None
        self.layers = [1, 2]
        self.lock = object()
        self._secret = "s3cret"


class Quiet(Model):
    """Shows no layers."""

    def format_status(self, status: dict[str, Any]) -> dict[str, Any]:
        return status | {"state": Atom("hidden"), "log": [Atom("hidden")]}


def test_the_state_is_what_is_public() -> None:
    state = state_of(Model())
    assert set(state) == {"layers", "lock"}
    assert state["layers"] == [1, 2]
    assert state["lock"].startswith(b"<object object")
    assert all(isinstance(key, Atom) for key in state)


def test_a_state_that_is_no_term_is_text() -> None:
    class Odd(Model):
        def get_state(self) -> Any:
            return object()

    assert state_of(Odd()).startswith(b"<object object")


def test_a_long_or_broken_repr_does_no_harm() -> None:
    class Long:
        def __repr__(self) -> str:
            return "x" * 10_000

    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

    server = Model()
    server.layers = Long()  # type: ignore[assignment]
    server.lock = Broken()
    state = state_of(server)
    assert len(state["layers"]) < 300
    assert state["lock"] == b"<Broken>"


def test_the_shape_of_a_status() -> None:
    debug = Debug()
    debug.command(Atom("model"), (Atom("log"), True))
    debug.note(Atom("model"), (Atom("in"), 1))
    answer = status_of(Model(), PARENT, Atom("running"), debug)
    word, pid, module, (dictionary, running, parent, options, misc) = answer
    assert (word, pid, module) == ("status", ME, ("module", "gen_server"))
    assert dictionary == [("$initial_call", ("Model", "init", 1)), ("$ancestors", [PARENT])]
    assert (running, parent) == ("running", PARENT)
    assert options == [("log", (10, [("in", 1)]))]
    assert misc[:2] == [
        ("header", charlist("Status for generic server model")),
        (
            "data",
            [
                (charlist("Status"), "running"),
                (charlist("Parent"), PARENT),
                (charlist("Logged events"), [("in", 1)]),
            ],
        ),
    ]
    assert misc[2][1][0][0] == charlist("State")
    assert encode(answer)


def test_format_status_hides_what_it_wants() -> None:
    debug = Debug()
    debug.command(Atom("model"), (Atom("log"), True))
    debug.note(Atom("model"), (Atom("in"), b"s3cret"))
    answer = status_of(Quiet(), PARENT, Atom("running"), debug)
    assert b"s3cret" not in encode(answer)
    assert answer[3][4][2] == ("data", [(charlist("State"), "hidden")])


@pytest.mark.parametrize(
    "wrong", [{}, {"state": 1, "log": [], "more": 2}, {"state": 1}, None, ValueError("s3cret")]
)
def test_a_format_status_that_fails_hides_all(wrong: Any) -> None:
    class Broken(Model):
        def format_status(self, status: dict[str, Any]) -> dict[str, Any]:
            if isinstance(wrong, Exception):
                raise wrong
            return wrong  # type: ignore[no-any-return]

    shown = formatted(Broken(), {"log": [b"s3cret"], "message": b"s3cret"})
    assert set(shown) == {"log", "message", "state"}
    assert shown["log"] == []
    assert b"s3cret" not in encode(shown)
    assert b"Broken" in shown["state"]


def test_a_get_state_that_fails_is_said() -> None:
    class Broken(Model):
        def get_state(self) -> Any:
            raise KeyError("s3cret")

    assert formatted(Broken(), {"log": []})["state"] == b"Broken: KeyError in get_state or format_status"


def test_headers() -> None:
    assert header(Atom("model")) == "Status for generic server model"
    assert header(ME) == "Status for generic server <0.7.2>"
