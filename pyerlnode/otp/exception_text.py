"""What a failure elsewhere reads like: as Elixir's shell tells it, with its stack.

::

    ** (ArithmeticError) bad argument in arithmetic expression
        lists.erl:1338: :lists.foreach/2

Erlang's own errors (``badarg``, ``{case_clause, Value}``, ...) get the names and sentences that Elixir gives
them (Erlang Reference Manual, "Errors and Error Handling", "Exit Reasons"; Elixir's ``Exception``).  All of
it comes from a peer: it is bounded, printable but for line feeds, and whatever the peer sent, nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyerlnode.runtime.exits import is_reason
from pyerlnode.term import Atom, Fun, brief
from pyerlnode.term.text.names import elixir_atom, elixir_function

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyerlnode.term import Term

MOST_MESSAGE = 2_000
"""Characters of a message or of the value that is at fault."""
MOST_LINES = 20
"""Entries of a stack."""
MOST_LINE = 250
"""Characters of one entry, or of one argument."""
MOST_CAUSES = 3
"""How deep exits within exits are told."""

STRUCT, EXCEPTION, MESSAGE = Atom("__struct__"), Atom("__exception__"), Atom("message")

_PLAIN = {
    "badarg": ("ArgumentError", "argument error"),
    "badarith": ("ArithmeticError", "bad argument in arithmetic expression"),
    "system_limit": ("SystemLimitError", "a system limit has been reached"),
    "cond_clause": ("CondClauseError", "no cond clause evaluated to a truthy value"),
}
_WITH_VALUE = {
    "badmatch": ("MatchError", "no match of right hand side value"),
    "case_clause": ("CaseClauseError", "no case clause matching"),
    "with_clause": ("WithClauseError", "no with clause matching"),
    "else_clause": ("WithClauseError", "no with clause matching"),
    "try_clause": ("TryClauseError", "no try clause matching"),
    "badmap": ("BadMapError", "expected a map, got"),
    "badfun": ("BadFunctionError", "expected a function, got"),
}
_TERM_OF = {
    "Elixir.MatchError": "badmatch",
    "Elixir.CaseClauseError": "case_clause",
    "Elixir.WithClauseError": "with_clause",
    "Elixir.TryClauseError": "try_clause",
    "Elixir.BadMapError": "badmap",
    "Elixir.BadFunctionError": "badfun",
}
"""Elixir's exceptions that carry nothing but their ``term``."""
_EXITS = {
    "noproc": "no process: it is not alive, or nobody has that name there",
    "noconnection": "no connection",
    "timeout": "time out",
    "normal": "normal",
    "shutdown": "shutdown",
    "killed": "killed",
}
_UNITS = {"__FILE__": "(file)", "__MODULE__": "(module)"}
"""What Elixir compiles outside of functions into."""
_INNER = re.compile(r"-(.+)/(\d+)-(?:fun|inlined)-\d+-")


def failure_text(kind: str, reason: Term, stack: Term = ()) -> str:
    """What Elixir's ``Exception.format(kind, reason, stack)`` would say, as far as it can be known here.

    `kind` is ``error``, ``exit``, ``throw`` or ``signal``.  Bounded; never raises.
    """
    try:
        return "\n".join([_banner(kind, reason, stack), *_stack_lines(stack, MOST_LINES)])
    except Exception:  # noqa: BLE001 - a peer's term that nobody thought of must not hide that there is an error
        return f"** ({kind}) {brief(reason)}"


def exit_text(reason: Term) -> str:
    """What Elixir's ``Exception.format_exit(reason)`` would say.  Bounded; never raises."""
    try:
        return _exit(reason, MOST_CAUSES)
    except Exception:  # noqa: BLE001 - see above
        return brief(reason)


def _banner(kind: str, reason: Term, stack: Term) -> str:
    if kind == "error":
        return _raised(reason, stack)
    if kind == "exit":
        return f"** (exit) {_exit(reason, MOST_CAUSES)}"
    if kind == "signal":
        return f"** (EXIT) {_exit(reason, MOST_CAUSES)}"
    return f"** ({kind}) {_value(reason)}"


def _raised(reason: Term, stack: Term) -> str:
    name, message = _normalized(reason, stack)
    return f"** ({name}) {message}"


# ---------------------------------------------------------------------------------- errors


def _normalized(reason: Term, stack: Term) -> tuple[str, str]:
    """The name of the exception that this is to Elixir, and its message."""
    if isinstance(reason, Mapping) and reason.get(EXCEPTION) is True:
        return _of_struct(reason)
    if isinstance(reason, Atom):
        if reason in _PLAIN:
            return _PLAIN[reason]
        if reason == "undef":
            return "UndefinedFunctionError", f"function {_culprit(stack)} is undefined or private"
        if reason == "function_clause":
            return "FunctionClauseError", f"no function clause matching in {_culprit(stack)}"
    if type(reason) is tuple and len(reason) in (2, 3) and isinstance(reason[0], Atom):
        found = _of_tuple(*reason)
        if found is not None:
            return found
    return "ErlangError", f"Erlang error: {_value(reason)}"


def _of_tuple(word: Atom, value: Term, more: Term = None) -> tuple[str, str] | None:
    """The name and the message of an error of Erlang's that carries a value."""
    if word in _WITH_VALUE:
        name, message = _WITH_VALUE[word]
        return name, f"{message}: {_value(value)}"
    if word == "badkey":
        return "KeyError", _no_key(value, more)
    if word == "badbool":
        return (
            "BadBooleanError",
            f'expected a boolean on left-side of "{_printable(str(value))}", got: {_value(more)}',
        )
    if word == "badarity" and type(value) is tuple and len(value) == 2 and isinstance(value[1], list):
        function, args = value
        return "BadArityError", f"{_value(function)} called with {len(args)} arguments ({_arguments(args)})"
    return None


def _no_key(key: Term, within: Term) -> str:
    return f"key {_value(key)} not found" + (f" in: {_value(within)}" if within is not None else "")


def _of_struct(struct: Mapping[Term, Term]) -> tuple[str, str]:
    """An Elixir exception: its message where it carries one, else what it does carry."""
    kind = struct.get(STRUCT)
    if not isinstance(kind, Atom):
        return "ErlangError", f"Erlang error: {_value(struct)}"
    name, message = elixir_atom(kind), struct.get(MESSAGE)
    if isinstance(message, bytes | str) and not isinstance(message, Atom):
        return name, _printable(message)
    if kind in _TERM_OF:
        return name, f"{_WITH_VALUE[_TERM_OF[kind]][1]}: {_value(struct.get(Atom('term')))}"
    if kind in ("Elixir.UndefinedFunctionError", "Elixir.FunctionClauseError"):
        words = "module", "function", "arity"
        entry = tuple(struct.get(Atom(word)) for word in words)
        what = _function(*entry) if all(entry[:2]) else "a function"
        unknown = kind == "Elixir.UndefinedFunctionError"
        return name, f"function {what} is undefined or private" if unknown else (
            f"no function clause matching in {what}"
        )
    fields = {key: value for key, value in struct.items() if key not in (STRUCT, EXCEPTION, MESSAGE)}
    return name, _told_fields(kind, fields)


def _told_fields(kind: str, fields: dict[Term, Term]) -> str:
    """What an exception without a message says by its fields."""
    if kind == "Elixir.KeyError":
        return _no_key(fields.get("key"), fields.get("term"))
    if kind == "Elixir.ErlangError":
        return f"Erlang error: {_value(fields.get('original'))}"
    description = fields.get("description")
    if isinstance(description, bytes | str) and description:
        where = _location([(key, fields.get(key)) for key in ("file", "line")])
        return f"{where}{_printable(description)}"
    if kind == "Elixir.Protocol.UndefinedError":
        return f"protocol {_value(fields.get('protocol'))} not implemented for {_value(fields.get('value'))}"
    return _value(fields)


def _culprit(stack: Term) -> str:
    """The function of the innermost call."""
    first = stack[0] if isinstance(stack, list) and stack else None
    if type(first) is not tuple or len(first) != 4:
        return "called there"
    module, function, arity, _ = first
    return _function(module, function, len(arity) if isinstance(arity, list) else arity)


# ---------------------------------------------------------------------------------- exits


def _exit(reason: Term, causes: int) -> str:
    if isinstance(reason, Atom) and reason in _EXITS:
        return _EXITS[reason]
    if type(reason) is not tuple or len(reason) != 2 or not causes:
        return _value(reason)
    first, second = reason
    if is_reason(first, Atom("shutdown")):
        return f"shutdown: {_value(second)}"
    if is_reason(first, Atom("nodedown")) and isinstance(second, Atom):
        return f"no connection to {second}"
    if _is_call(second):
        module, function, args = second
        cause = _indented(f"** (EXIT) {_exit(first, causes - 1)}")
        return f"exited in: {_function(module, function, args)}\n{cause}"
    if _is_stack(second):
        told = "\n".join([_raised(first, second), *_stack_lines(second, MOST_LINES)])
        return f"an exception was raised:\n{_indented(told)}"
    return _value(reason)


def _is_call(value: Term) -> bool:
    return (
        type(value) is tuple
        and len(value) == 3
        and isinstance(value[0], Atom)
        and isinstance(value[1], Atom)
        and isinstance(value[2], list)
    )


def _is_stack(value: Term) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_entry, value[:MOST_LINES]))


def _is_entry(entry: Term) -> bool:
    return type(entry) is tuple and len(entry) in (3, 4) and isinstance(entry[-1], list)


# ---------------------------------------------------------------------------------- stacks


def _stack_lines(stack: Term, most: int) -> Iterator[str]:
    if not isinstance(stack, list):
        return
    for entry in stack[:most]:
        yield f"    {_entry(entry)[:MOST_LINE]}"
    if len(stack) > most:
        yield f"    ... and {len(stack) - most} more"


def _entry(entry: Term) -> str:
    if not _is_entry(entry):
        return brief(entry, MOST_LINE)
    *_, arity, location = entry
    if len(entry) == 4 and isinstance(entry[1], Atom) and entry[1] in _UNITS:
        return f"{_location(location)}{_UNITS[entry[1]]}"
    what = _function(*entry[:3]) if len(entry) == 4 else f"{_value(entry[0], MOST_LINE)}/{_arity(arity)}"
    return f"{_location(location)}{what}"


def _location(location: Sequence[Term]) -> str:
    """``file:line: `` as far as it is known."""
    known = {str(item[0]): item[1] for item in location[:8] if type(item) is tuple and len(item) == 2}
    file, line = known.get("file"), known.get("line")
    if not isinstance(file, list | bytes | str) or not file:
        return ""
    return f"{_printable(file)}:{line}: " if type(line) is int and line > 0 else f"{_printable(file)}: "


def _function(module: Term, function: Term, arity: Term) -> str:
    """``Enum.map/2``, or ``Enum.map([], 1)`` where the VM gives those; ``anonymous fn/1 in Enum.map/2``."""
    suffix = f"({_arguments(arity)})" if isinstance(arity, list) else f"/{_arity(arity)}"
    if not isinstance(module, Atom) or not isinstance(function, Atom):
        return f"{_value(module, MOST_LINE)}.{_value(function, MOST_LINE)}{suffix}"
    inner = _INNER.fullmatch(function)
    if inner is not None:
        return f"anonymous fn/{_arity(arity)} in {elixir_atom(module)}.{elixir_function(inner[1])}/{inner[2]}"
    return f"{elixir_atom(module)}.{elixir_function(function)}{suffix}"


def _arity(arity: Term) -> str:
    return str(len(arity)) if isinstance(arity, list) else brief(arity, MOST_LINE)


def _arguments(args: list[Term]) -> str:
    return ", ".join(_value(arg, MOST_LINE) for arg in args[:MOST_LINES])


# ---------------------------------------------------------------------------------- words


def _value(term: Term, most: int = MOST_MESSAGE) -> str:
    if isinstance(term, Fun):
        return f"#Function<{elixir_atom(term.module)}/{term.arity}>"
    return brief(term, most)


def _printable(text: Term) -> str:
    """Text of a peer's, from a binary or a charlist, without what a terminal would obey."""
    if isinstance(text, bytes):
        text = text[: 4 * MOST_MESSAGE].decode("utf-8", "replace")
    elif isinstance(text, list):
        text = "".join(chr(c) for c in text[:MOST_MESSAGE] if type(c) is int and 0 <= c < 0x110000)
    cut = text[:MOST_MESSAGE] + "..." if len(text) > MOST_MESSAGE else text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in cut)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
