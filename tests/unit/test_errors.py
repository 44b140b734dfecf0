"""The tree of errors, and what each one carries."""

from __future__ import annotations

import inspect
import pickle

import pytest

from pyerlnode import errors
from pyerlnode.errors import (
    CallTimeout,
    ConfigError,
    ConnectFailed,
    CookieMismatch,
    DecodeError,
    Exit,
    HandshakeError,
    LimitExceeded,
    MissingFlags,
    NodeDown,
    PyerlnodeError,
    Refused,
    RemoteError,
    RemoteExit,
    TermError,
    TextError,
    WrongPeer,
)


def drawn_tree() -> dict[str, str]:
    """Child and parent of each line of the drawing in the module's docstring."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").split("::")[1].split("\n\n")[1].splitlines():
        depth = len(line) - len(line.lstrip())
        name = line.split()[0].partition("(")[0]
        while above and above[-1][0] >= depth:
            above.pop()
        parents[name] = above[-1][1] if above else "Exception"
        above.append((depth, name))
    return parents


def real_tree() -> dict[str, str]:
    classes = inspect.getmembers(errors, inspect.isclass)
    return {name: cls.__bases__[0].__name__ for name, cls in classes if issubclass(cls, PyerlnodeError)}


def test_the_drawing_is_the_tree() -> None:
    assert drawn_tree() == real_tree()


@pytest.mark.parametrize(
    ("error", "builtin"), [(CallTimeout, TimeoutError), (TermError, ValueError), (ConfigError, ValueError)]
)
def test_what_python_has_a_word_for_is_that_too(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)


def test_bad_bytes_say_where() -> None:
    error = LimitExceeded("too deep", 17)
    assert isinstance(error, DecodeError)
    assert error.offset == 17
    assert "too deep (at byte 17)" in str(error)


def test_bad_text_counts_as_people_do_and_carries_what_programs_use() -> None:
    error = TextError("no such word", 0)
    assert error.offset == 0
    assert "at character 1" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        Refused("a@h", "nok"),
        CookieMismatch("a@h"),
        MissingFlags("a@h", "BIG_CREATION"),
        WrongPeer("a@h", "b@h"),
    ],
)
def test_a_failed_handshake_names_the_peer(error: HandshakeError) -> None:
    assert error.peer == "a@h"
    assert "a@h" in str(error)


def test_a_refusal_carries_its_status_and_takes_a_better_text() -> None:
    assert Refused("a@h", "alive").status == "alive"
    assert str(Refused("a@h", "alive", "because")) == "because"


def test_a_cookie_mismatch_says_what_to_type() -> None:
    assert "node.set_cookie('a@h', ...)" in str(CookieMismatch("a@h"))
    assert str(CookieMismatch("a@h", "because")) == "because"


def test_missing_flags_and_the_wrong_peer_are_carried() -> None:
    assert MissingFlags("a@h", "UTF8_ATOMS").missing == "UTF8_ATOMS"
    assert WrongPeer("a@h", "b@h").reached == "b@h"


def test_a_failed_dial_names_its_stage() -> None:
    error = ConnectFailed("a@h", "dns", "h does not resolve")
    assert (error.peer, error.stage) == ("a@h", "dns")
    assert str(error) == "cannot connect to a@h: h does not resolve"


def test_an_exit_carries_any_term() -> None:
    assert Exit(("shutdown", [1])).reason == ("shutdown", [1])


def test_remote_failures_carry_their_terms() -> None:
    assert RemoteExit("normal", "it ended").reason == "normal"
    error = RemoteError("error", "undef", [], "no such function")
    assert (error.kind, error.reason, error.stack, str(error)) == ("error", "undef", [], "no such function")


def test_a_bad_setting_says_which_what_and_how() -> None:
    error = ConfigError("port", "x", "give a number")
    assert (error.key, error.given, error.hint) == ("port", "x", "give a number")
    assert str(error) == "port='x': give a number"


class TestNodeDown:
    """It is an error of calls and an event of ``monitor_nodes``, so it compares as a value."""

    def test_it_is_equal_by_what_it_says(self) -> None:
        assert NodeDown("a@h", "killed") == NodeDown("a@h", "killed")
        assert len({NodeDown("a@h", "killed"), NodeDown("a@h", "killed")}) == 1

    def test_it_differs_by_name_and_reason_and_kind(self) -> None:
        assert NodeDown("a@h") != NodeDown("b@h")
        assert NodeDown("a@h") != NodeDown("a@h", "killed")
        assert NodeDown("a@h") != "a@h"

    def test_it_can_be_matched(self) -> None:
        match NodeDown("a@h", "killed"):
            case NodeDown(name, reason):
                assert (name, reason) == ("a@h", "killed")

    def test_it_prints_as_it_is_made(self) -> None:
        assert repr(NodeDown("a@h", "killed")) == "NodeDown('a@h', 'killed')"


@pytest.mark.parametrize(
    "error",
    [
        DecodeError("bad", 7),
        ConnectFailed("a@b", "dns", "no such host"),
        Refused("a@b", "nok"),
        ConfigError("name", "x", "give another"),
        RemoteExit(("boom", 1), "it ended"),
        RemoteError("error", "badarg", [], "it failed"),
        NodeDown("a@b", "gone"),
        Exit("normal"),
        CallTimeout("late"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes_whole(error: PyerlnodeError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)


def test_a_cause_is_kept_where_compiled_code_would_lose_it() -> None:
    cause = EOFError()
    error = errors.caused(Refused("a@b", "nok"), cause)
    assert isinstance(error, Refused)
    assert error.__cause__ is cause
    assert error.__suppress_context__
