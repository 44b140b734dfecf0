"""Running code on a node from the command line: what it evaluates to, how it is shown, why it failed.

Everything is done by functions that each node has (``Code.eval_string``, ``erl_eval``, ``inspect``), so that
the text reads as it would in a shell over there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.cli.many import Told, ask_all
from pyerlnode.cli.terminal import Terminal
from pyerlnode.errors import PyerlnodeError, RemoteError
from pyerlnode.term import Atom, charlist
from pyerlnode.term.text import to_elixir, to_erlang

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from pyerlnode.node import Node
    from pyerlnode.term import Term

ALIAS = "Elixir."
WIDTH = 80


class Remote:
    """One node that is asked, each question within `timeout` seconds."""

    def __init__(self, node: Node, peer: str, timeout: float) -> None:
        self.node = node
        self.peer = peer
        self.timeout = timeout

    async def call(self, module: str, function: str, *args: Term) -> Term:
        """What ``module:function(args)`` gives there."""
        return await self.node.rpc(self.peer, module, function, args, timeout=self.timeout)

    # evaluating ------------------------------------------------------------------------

    async def elixir(self, code: str) -> Term:
        """What a piece of Elixir evaluates to."""
        value, _bindings = await self.call("Elixir.Code", "eval_string", code)
        return value

    async def erlang(self, code: str) -> Term:
        """What a piece of Erlang evaluates to: expressions with commas; the full stop may be left out."""
        text = code if code.rstrip().endswith(".") else f"{code}."
        tokens = await self._read("erl_scan", "string", charlist(text))
        forms = await self._read("erl_parse", "parse_exprs", tokens)
        _, value, _ = await self.call("erl_eval", "exprs", forms, [])
        return value

    async def _read(self, module: str, function: str, source: Term) -> Term:
        """One step from text to something to evaluate."""
        match await self.call(module, function, source):
            case ("ok", result, *_):
                return result
            case (_, (_, by, what), *_):
                why = await self._text(str(by), "format_error", what)
            case _:
                why = "it cannot be read"
        raise PyerlnodeError(f"this is no Erlang: {why}")

    # showing ---------------------------------------------------------------------------

    async def inspected(self, value: Term) -> str:
        """`value` as ``inspect`` shows it over there, structs in their own form."""
        options = [(Atom("pretty"), True), (Atom("width"), WIDTH)]
        try:
            return str((await self.call("Elixir.Kernel", "inspect", value, options)).decode())
        except RemoteError:
            return to_elixir(value)

    async def printed(self, value: Term) -> str:
        """`value` as an Erlang shell shows it."""
        try:
            return await self._text("io_lib", "format", b"~tp", [value])
        except RemoteError:
            return to_erlang(value)

    async def _text(self, module: str, function: str, *args: Term) -> str:
        chars = await self.call(module, function, *args)
        return bytes(await self.call("unicode", "characters_to_binary", chars)).decode()

    async def explained(self, error: RemoteError) -> str:
        """Why code failed, with its stack, as a shell over there would tell it."""
        kind = Atom(error.kind)
        try:
            told = await self.call("Elixir.Exception", "format", kind, error.reason, error.stack)
            return bytes(told).decode()
        except RemoteError:
            pass
        try:
            return await self._text("erl_error", "format_exception", kind, error.reason, error.stack)
        except RemoteError:
            return str(error)


async def ask_remotes(
    arguments: argparse.Namespace,
    question: Callable[[Remote], Awaitable[Term]],
    show: Callable[[Remote, Term], Awaitable[str]],
) -> int:
    """Ask all nodes a `question` and `show` their answers; what they print comes out here.

    A failure of the code over there is told as a shell there tells it.  Gives the exit status.
    """
    terminal = Terminal(errors=arguments.json)

    async def ask(node: Node, peer: str) -> Term:
        remote = Remote(node, peer, arguments.timeout)
        try:
            return await question(remote)
        except RemoteError as error:
            if error.kind not in ("error", "exit", "throw"):
                raise
            raise Told(await remote.explained(error)) from error

    async def shown(node: Node, peer: str, value: Term) -> str:
        return await show(Remote(node, peer, arguments.timeout), value)

    with terminal.in_use():
        return await ask_all(arguments, ask, shown, output=terminal.write, input=terminal.read)


# ---------------------------------------------------------------------------------- names


def module_name(text: str) -> str:
    """The atom that was meant: ``String`` is Elixir's, ``lists`` and ``:lists`` are Erlang's.

    Names of processes are the same: ``MyApp.Cache`` or ``model``.
    """
    is_alias = text[:1].isupper() and not text.startswith(ALIAS)
    return ALIAS + text if is_alias else atom_name(text)


def atom_name(text: str) -> str:
    """The atom that was meant, with or without the colon and quotes of Elixir."""
    name = text.removeprefix(":")
    is_quoted = len(name) > 1 and name[0] == name[-1] == '"'
    return name[1:-1] if is_quoted else name
