"""What a server shows of itself: to ``:sys.get_status``, to observer, and in the report of its crash.

The shape is ``{status, Pid, {module, gen_server}, [PDict, SysState, Parent, Debug, Misc]}``, with the labels
that stdlib's ``gen_server`` gives the parts of ``Misc``.  What ``format_status`` of the server changes is
shown changed; where it fails, that is said in place of the state, and hides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyerlnode.otp.gen_server import name_of, presentable
from pyerlnode.term import Atom, Pid, brief, charlist

if TYPE_CHECKING:
    from pyerlnode.otp.debug import Debug
    from pyerlnode.otp.gen_server import GenServer
    from pyerlnode.term import Term


def state_of(server: GenServer) -> Term:
    """The state that ``:sys.get_state`` gives.  Raises what ``get_state`` of the server raises."""
    return presentable(server.get_state())


def formatted(server: GenServer, status: dict[str, Term]) -> dict[str, Term]:
    """`status` as the server wants it shown: ``state``, ``log``, of a crash ``message``, ``reason``."""
    name = type(server).__name__
    try:
        full = status | {"state": state_of(server)}
        changed = dict(server.format_status(dict(full)))
    except Exception as error:  # noqa: BLE001 - the report must not fail, nor show what it may not
        return _hidden(status, f"{name}: {type(error).__name__} in get_state or format_status")
    if changed.keys() != full.keys():
        return _hidden(status, f"{name}.format_status did not return the keys {', '.join(sorted(full))}")
    return {key: presentable(value) for key, value in changed.items()}


def _hidden(status: dict[str, Term], why: str) -> dict[str, Term]:
    return {key: [] if key == "log" else why.encode() for key in (*status, "state")}


def status_of(server: GenServer, parent: Pid, running: Atom, debug: Debug) -> Term:
    """The answer to ``:sys.get_status``; `running` is ``running`` or ``suspended``."""
    me = server.me
    shown = formatted(server, {"log": debug.events})
    misc = [
        (Atom("header"), charlist(header(name_of(me)))),
        (
            Atom("data"),
            [
                (charlist("Status"), running),
                (charlist("Parent"), parent),
                (charlist("Logged events"), shown["log"]),
            ],
        ),
        (Atom("data"), [(charlist("State"), shown["state"])]),
    ]
    parts = [_dictionary(server, parent), running, parent, _options(debug, shown["log"]), misc]
    return (Atom("status"), me.pid, (Atom("module"), Atom("gen_server")), parts)


def header(name: Term) -> str:
    """The first line of a status."""
    return f"Status for generic server {name if isinstance(name, Atom) else _pid_text(name)}"


def _pid_text(pid: Any) -> str:
    return f"<0.{pid.id}.{pid.serial}>" if isinstance(pid, Pid) else brief(pid)


def _dictionary(server: GenServer, parent: Pid) -> list[Term]:
    """The part of a process dictionary that tools look for."""
    initial = (Atom(type(server).__name__), Atom("init"), 1)
    return [(Atom("$initial_call"), initial), (Atom("$ancestors"), [parent])]


def _options(debug: Debug, events: Term) -> list[Term]:
    """The debug options, whose log holds what the server wants shown of it."""
    return [
        (option, (value[0], events)) if option == "log" else (option, value)
        for option, value in debug.options()
    ]
