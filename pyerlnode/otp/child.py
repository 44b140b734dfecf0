"""Child specifications: what a supervisor starts, and when it starts it again.

Written in Python as :class:`Child`, or sent by ``Supervisor.start_child`` as the map (or the older tuple) of
stdlib's ``supervisor``, "Child specification"; then its ``start`` names a function that this node exports.
Times are seconds here and milliseconds there.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import ConfigError
from pyerlnode.frozen import frozen
from pyerlnode.otp.gen_server import GenServer, presentable
from pyerlnode.runtime.exits import is_reason
from pyerlnode.term import Atom, brief

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyerlnode.term import Term

STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")
RESTARTS = ("permanent", "transient", "temporary")
AUTO_SHUTDOWNS = ("never", "any_significant", "all_significant")
BRUTAL_KILL = "brutal_kill"
INFINITY = "infinity"
SHUTDOWN = 5.0
"""Seconds that a worker gets to end, where its child does not say."""
LONGEST = 1000.0
"""A longer time is taken for one in milliseconds, and refused."""


class BadSpec(Exception):
    """A child specification from another node that is none; `reason` is what it is told."""

    def __init__(self, reason: Term) -> None:
        super().__init__(brief(reason))
        self.reason = reason


@frozen
class Exported:
    """A start function by name: one that this node exports, with its arguments."""

    module: Atom
    function: Atom
    args: tuple[Term, ...]


class Supervisor:
    """A supervisor to be: its children, and what it does when one of them ends.

    Give it to ``node.start_supervisor``'s children as a child of its own, ``Child(Supervisor([...]))``; its
    arguments are those of :meth:`pyerlnode.Node.start_supervisor`.
    """

    def __init__(
        self,
        children: Iterable[Child],
        *,
        strategy: str = "one_for_one",
        max_restarts: int = 3,
        max_seconds: float = 5,
        auto_shutdown: str = "never",
    ) -> None:
        self.children = tuple(children)
        self.strategy = _one_of("strategy", strategy, STRATEGIES)
        self.auto_shutdown = _one_of("auto_shutdown", auto_shutdown, AUTO_SHUTDOWNS)
        if max_restarts < 0:
            raise ConfigError("max_restarts", max_restarts, "it is 0 or more")
        if max_seconds <= 0:
            raise ConfigError("max_seconds", max_seconds, "it is more than 0, in seconds")
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self._check_children()

    def _check_children(self) -> None:
        seen: list[Child] = []
        for child in self.children:
            if not isinstance(child, Child):
                raise ConfigError("children", brief(child), "each is a Child")
            if any(_same(child.id, other.id) for other in seen):
                raise ConfigError(
                    "children", brief(child.id), "two children have that id: give one another `id`"
                )
            if child.significant and self.auto_shutdown == "never":
                raise ConfigError("significant", True, "it needs a supervisor with auto_shutdown")
            seen.append(child)


class Child:
    """A child of a supervisor: what to start, with which arguments, and when to start it again.

    `start`, `args`
        a :class:`GenServer` class, whose ``init`` gets the arguments; a coroutine function, run as
        ``await start(me, *args)`` as by ``node.spawn``; or a :class:`Supervisor`.
    `name`
        under which the process is registered.
    `id`
        what the supervisor calls it; by default the name, else the name of the class or function.
    `restart`
        ``"permanent"``: whenever it ends; ``"transient"``: unless it ends in order (``normal``,
        ``shutdown``); ``"temporary"``: never.
    `shutdown`
        the seconds that it gets to end when it is asked to, ``"infinity"``, or ``"brutal_kill"``: it is not
        asked.  By default 5 seconds, for a supervisor infinity.
    `significant`
        whether its end in order may end a supervisor that has ``auto_shutdown``.
    """

    __slots__ = ("args", "id", "modules", "name", "restart", "shutdown", "significant", "start")

    def __init__(
        self,
        start: Any,
        *args: Any,
        id: Term = ...,  # noqa: A002  the word of child specifications
        name: str | None = None,
        restart: str = "permanent",
        shutdown: float | str | None = None,
        significant: bool = False,
        modules: Term = None,
    ) -> None:
        self.start = _startable(start)
        if args and isinstance(start, Supervisor):
            raise ConfigError("Child", brief(args), "a Supervisor takes no arguments")
        self.args = args
        self.name = name
        self.restart = _one_of("restart", restart, RESTARTS)
        self.shutdown = _shutdown(shutdown, INFINITY if isinstance(start, Supervisor) else SHUTDOWN)
        self.significant = significant
        if significant and restart == "permanent":
            raise ConfigError("significant", True, "a permanent child is always started again")
        own = Atom("supervisor" if isinstance(start, Supervisor) else getattr(start, "__name__", "process"))
        self.id = _as_id((name or own) if id is ... else id)
        self.modules = [own] if modules is None else modules

    def __repr__(self) -> str:
        return f"<Child {brief(self.id)}>"

    @property
    def type(self) -> str:
        """``"worker"`` or ``"supervisor"``."""
        return "supervisor" if isinstance(self.start, Supervisor) else "worker"

    @property
    def function(self) -> Term:
        """The start function as other nodes see it, ``{Module, Function, Arguments}``."""
        if isinstance(self.start, Exported):
            return (self.start.module, self.start.function, list(self.start.args))
        own = self.modules[0] if type(self.modules) is list and self.modules else Atom("python")
        return (own, Atom("start_link"), [presentable(arg) for arg in self.args])

    @property
    def milliseconds(self) -> Term:
        """`shutdown` as other nodes have it."""
        if isinstance(self.shutdown, str):
            return Atom(self.shutdown)
        return round(self.shutdown * 1000)

    def to_map(self) -> Term:
        """The specification as ``:supervisor.get_childspec`` gives it."""
        return {
            Atom("id"): self.id,
            Atom("start"): self.function,
            Atom("restart"): Atom(self.restart),
            Atom("significant"): self.significant,
            Atom("shutdown"): self.milliseconds,
            Atom("type"): Atom(self.type),
            Atom("modules"): self.modules,
        }


class RemoteChild(Child):
    """A child that another node specified: it may call itself a supervisor, whatever it is."""

    __slots__ = ("_type",)

    def __init__(self, start: Exported, kind: str, **options: Any) -> None:
        self._type = kind
        super().__init__(start, **options)
        self.id = options["id"]  # as it was sent: a text stays one

    @property
    def type(self) -> str:
        """What it was said to be."""
        return self._type


def _startable(start: Any) -> Any:
    if isinstance(start, Supervisor | Exported) or inspect.iscoroutinefunction(start):
        return start
    if isinstance(start, type) and issubclass(start, GenServer):
        return start
    raise ConfigError(
        "Child", brief(start), "it starts a GenServer class, a coroutine function or a Supervisor"
    )


def _one_of(key: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ConfigError(key, value, f"it is one of {', '.join(known)}")
    return str(value)


def _shutdown(value: float | str | None, default: float | str) -> float | str:
    if value is None:
        return default
    if isinstance(value, str):
        return _one_of("shutdown", value, (BRUTAL_KILL, INFINITY))
    if not 0 <= value < LONGEST:
        raise ConfigError(
            "shutdown", value, f"it is in seconds, less than {LONGEST:g}, or 'infinity' or 'brutal_kill'"
        )
    return float(value)


def _as_id(given: Term) -> Term:
    return Atom(given) if type(given) is str else given


def _same(one: Term, other: Term) -> bool:
    return type(one) is type(other) and bool(one == other)


# ------------------------------------------------------------------------ from other nodes


DEFAULTS = {"restart": Atom("permanent"), "type": Atom("worker"), "significant": False}
OLD_KEYS = ("id", "start", "restart", "shutdown", "type", "modules")


def check_significance(significant: Term, restart: str, auto_shutdown: str) -> bool:
    """Whether a child is significant.  Raises :class:`BadSpec` where that cannot be."""
    if significant is True and auto_shutdown == "never":
        pairs = [(Atom("auto_shutdown"), Atom("never")), (Atom("significant"), True)]
        raise BadSpec((Atom("bad_combination"), pairs))
    if significant is True and restart == "permanent":
        pairs = [(Atom("restart"), Atom("permanent")), (Atom("significant"), True)]
        raise BadSpec((Atom("bad_combination"), pairs))
    if not isinstance(significant, bool):
        raise BadSpec((Atom("invalid_significant"), significant))
    return significant


def parse_child(spec: Term, auto_shutdown: str = "never") -> RemoteChild:
    """Reads the specification that another node sent.

    Raises :class:`BadSpec` with the reason that ``supervisor`` gives.
    """
    given = _parts_of(spec)
    start = _parse_start(given["start"])
    restart = _known("restart_type", given["restart"], RESTARTS)
    significant = check_significance(given["significant"], restart, auto_shutdown)
    kind = _known("child_type", given["type"], ("worker", "supervisor"))
    usual = Atom(INFINITY) if kind == "supervisor" else 5000
    return RemoteChild(
        start,
        kind,
        id=given["id"],
        restart=restart,
        shutdown=_parse_shutdown(given.get("shutdown", usual)),
        significant=significant,
        modules=_parse_modules(given.get("modules", [start.module])),
    )


def _parts_of(spec: Term) -> dict[Any, Any]:
    """What a specification says, a map or the older tuple, and what it leaves to us."""
    if type(spec) is tuple and len(spec) == len(OLD_KEYS):
        spec = dict(zip(OLD_KEYS, spec, strict=True))
    if not isinstance(spec, dict):
        raise BadSpec((Atom("invalid_child_spec"), spec))
    given = DEFAULTS | spec
    for key in ("id", "start"):
        if key not in given:
            raise BadSpec(Atom(f"missing_{key}"))
    return given


def _parse_start(start: Term) -> Exported:
    match start if type(start) is tuple else ():
        case (Atom() as module, Atom() as function, list() as args):
            return Exported(module, function, tuple(args))
    raise BadSpec((Atom("invalid_mfa"), start))


def _known(what: str, value: Term, known: tuple[str, ...]) -> str:
    if any(is_reason(value, Atom(word)) for word in known):
        return str(value)
    raise BadSpec((Atom(f"invalid_{what}"), value))


def _parse_shutdown(value: Term) -> float | str:
    """Seconds, for milliseconds; what is longer than we wait at all is infinity."""
    if is_reason(value, Atom(BRUTAL_KILL)) or is_reason(value, Atom(INFINITY)):
        return str(value)
    if type(value) is not int or value < 0:
        raise BadSpec((Atom("invalid_shutdown"), value))
    return value / 1000 if value < LONGEST * 1000 else INFINITY


def _parse_modules(value: Term) -> Term:
    if is_reason(value, Atom("dynamic")):
        return value
    if type(value) is not list:
        raise BadSpec((Atom("invalid_modules"), value))
    for module in value:
        if not isinstance(module, Atom):
            raise BadSpec((Atom("invalid_module"), module))
    return value
