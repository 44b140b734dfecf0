"""Exit reasons: what a Python process ends with, in terms that Elixir and Erlang print well.

A coroutine that returned ends with ``normal``; one that raised ends with the shape that the BEAM gives
a crash, ``{Exception, Stacktrace}`` (Erlang Reference Manual, "Errors and Error Handling"): an Elixir
``RuntimeError`` whose message is the Python error, and the Python traceback as stack entries
``{Module, Function, 0, [{file, File}, {line, Line}]}``.  Both are bounded.
"""

from __future__ import annotations

import itertools
import os
import traceback
from typing import TYPE_CHECKING

from pyerlnode.errors import EncodeError, Exit
from pyerlnode.term import Atom, brief, charlist, encode_bare

if TYPE_CHECKING:
    from pyerlnode.term import Term

NORMAL = Atom("normal")
KILL = Atom("kill")
KILLED = Atom("killed")
NOPROC = Atom("noproc")
NOCONNECTION = Atom("noconnection")
SHUTDOWN = Atom("shutdown")
OVERFLOW = Atom("message_queue_overflow")

MESSAGE_LIMIT = 2_000
STACK_LIMIT = 20

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def is_reason(reason: Term, atom: Atom) -> bool:
    """Whether `reason` is that very atom (a binary or text of the same letters is not)."""
    return isinstance(reason, Atom) and reason == atom


def reason_of(error: BaseException) -> Term:
    """The exit reason of a process whose body raised `error`."""
    if isinstance(error, Exit):
        return encodable(error.reason)
    return (exception_struct(error), stack_of(error))


def exception_struct(error: BaseException) -> Term:
    """`error` as an Elixir exception struct, ``%RuntimeError{message: "ValueError: ..."}``."""
    return {
        Atom("__struct__"): Atom("Elixir.RuntimeError"),
        Atom("__exception__"): True,
        Atom("message"): _message(error),
    }


def _message(error: BaseException) -> bytes:
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - somebody's __str__ is broken; the process ends all the same
        text = type(error).__name__
    if len(text) > MESSAGE_LIMIT:
        text = text[:MESSAGE_LIMIT] + "..."
    return text.encode("utf-8", "replace")


def stack_of(error: BaseException) -> list[Term]:
    """The traceback of `error` as Erlang stack entries, innermost call first.

    What called the user's code, our own loops and threads, is left out.
    """
    every = list(traceback.extract_tb(error.__traceback__))
    frames = (list(itertools.dropwhile(_is_machinery, every)) or every)[-STACK_LIMIT:]
    return [
        (
            _atom(_module_name(frame.filename)),
            _atom(frame.name),
            0,
            [(Atom("file"), charlist(frame.filename)), (Atom("line"), frame.lineno or 0)],
        )
        for frame in reversed(frames)
    ]


def _is_machinery(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(PACKAGE)


def _module_name(filename: str) -> str:
    return filename.rsplit("/", 1)[-1].removesuffix(".py")


def _atom(text: str) -> Atom:
    return Atom(text[:255])


def encodable(reason: Term) -> Term:
    """`reason`, or a description of it where it has no external form."""
    try:
        encode_bare(reason)
    except EncodeError:
        return (Atom("python_reason"), brief(reason).encode())
    return reason


def undef(module: Atom, function: Atom, args: Term) -> Term:
    """The reason of a call to a function that does not exist; arguments that are no list are ``badarg``."""
    if not isinstance(args, list):
        return (Atom("badarg"), [(Atom("erlang"), Atom("apply"), [module, function, args], [])])
    return (Atom("undef"), [(module, function, args, [])])
