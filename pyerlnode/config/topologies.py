"""Topologies out of a file's tables, the environment's variables and the command line's words.

The variables and the words speak of one topology: the one they name, else ``cluster``; where they name
neither a topology nor a strategy, the file's only one.  Their options are put over the file's, one by one;
but where they name another strategy, they start that topology anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.named import is_secret, options_of, strategy_named, values_of
from pyerlnode.cluster.options import nearest
from pyerlnode.cluster.topology import Topology
from pyerlnode.config.environment import PREFIX, variable
from pyerlnode.config.variables import texts_for, truth
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyerlnode.cluster.strategy import Strategy
    from pyerlnode.config.file import ConfigFile

DEFAULT_NAME = "cluster"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for, or the environment; None where it does not say."""

    topology: str | None = None
    strategy: str | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    prune: bool | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Wish()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Wish:
        """What the environment asks for, save the options, which depend on the strategy."""
        topology, strategy = variable(environ, "TOPOLOGY"), variable(environ, "STRATEGY")
        return cls(topology and topology.strip(), strategy, {}, truth(environ, "PRUNE"))


@dataclass(slots=True)
class Draft:
    """A topology in the making."""

    strategy: type[Strategy]
    values: dict[str, Any] = field(default_factory=dict)
    prune: bool = False
    origins: dict[str, str] = field(default_factory=dict)
    """How errors call each option that is not the command line's."""

    def put(self, values: Callable[[], dict[str, Any]], call: Callable[[str], str]) -> None:
        """Put `values` over those that are here; errors call an option as `call` does."""
        try:
            found = values()
        except ConfigError as error:
            raise ConfigError(call(error.key), error.given, error.hint) from error
        self.values |= found
        self.origins |= {key: call(key) for key in found}

    def topology(self, name: str) -> Topology:
        """The finished topology."""
        try:
            strategy = self.strategy(**self.values)
        except ConfigError as error:
            raise ConfigError(self.origins.get(error.key, error.key), error.given, error.hint) from error
        return Topology(name, strategy, prune=self.prune)


def read_topologies(
    file: ConfigFile, environ: Mapping[str, str], wish: Wish
) -> tuple[tuple[Topology, ...], frozenset[str]]:
    """Give the topologies, and the options that variables could set.  Raises :class:`ConfigError`."""
    drafts = {name: _from_table(file, name, table) for name, table in file.topologies.items()}
    named = _overlay(drafts, environ, wish)
    known = frozenset[str]() if named is None else frozenset(options_of(drafts[named].strategy))
    return tuple(draft.topology(name) for name, draft in drafts.items()), known


def _from_table(file: ConfigFile, name: str, table: Mapping[str, Any]) -> Draft:
    where = f"{file.path}: topologies.{name}."
    values = {key: value for key, value in table.items() if key not in ("strategy", "prune")}
    try:
        draft = Draft(strategy_named(table["strategy"]), prune=table.get("prune", False))
    except ConfigError as error:
        raise ConfigError(f"{where}strategy", error.given, error.hint) from error
    for key, option in options_of(draft.strategy).items():
        if key in values and is_secret(option):
            file.refuse_secret(where + key)
    draft.put(lambda: values, lambda key: where + key)
    return draft


def _overlay(drafts: dict[str, Draft], environ: Mapping[str, str], wish: Wish) -> str | None:
    """Put the environment's and the command line's options over one of the `drafts`; give its name."""
    variables = Wish.of(environ)
    words = wish.strategy or variables.strategy
    name = wish.topology or variables.topology or _default_name(drafts, words)
    if words is None and name not in drafts:
        _refuse(wish, variables, drafts)
        return None
    draft = drafts.get(name)
    strategy = _strategy(wish, variables) or drafts[name].strategy
    if draft is None or draft.strategy is not strategy:
        draft = drafts[name] = Draft(strategy)
    if wish.strategy is None or variables.strategy is None or _named_by(variables) is strategy:
        texts = texts_for(environ, options_of(strategy))
        draft.put(lambda: values_of(strategy, texts), lambda key: f"${PREFIX}{key.upper()}")
    draft.put(lambda: values_of(strategy, wish.options), lambda key: key)
    for prune in (variables.prune, wish.prune):
        draft.prune = draft.prune if prune is None else prune
    return name


def _default_name(drafts: Mapping[str, Draft], strategy: str | None) -> str:
    return next(iter(drafts)) if strategy is None and len(drafts) == 1 else DEFAULT_NAME


def _strategy(wish: Wish, variables: Wish) -> type[Strategy] | None:
    return strategy_named(wish.strategy) if wish.strategy is not None else _named_by(variables)


def _named_by(variables: Wish) -> type[Strategy] | None:
    if variables.strategy is None:
        return None
    try:
        return strategy_named(variables.strategy)
    except ConfigError as error:
        raise ConfigError(f"${PREFIX}STRATEGY", error.given, error.hint) from error


def _refuse(wish: Wish, variables: Wish, drafts: Mapping[str, Draft]) -> None:
    """Raise :class:`ConfigError` when a topology is asked for that has no strategy."""
    name = wish.topology or variables.topology
    if drafts and name is not None:
        key = "topology" if wish.topology else f"${PREFIX}TOPOLOGY"
        raise ConfigError(key, name, f"the file has no such topology: {nearest(name, drafts)}")
    if not wish.is_empty:
        hint = "a topology needs one, as --strategy epmd"
        if drafts:
            hint += f"; or say which of the file's you mean: --topology {' or '.join(sorted(drafts))}"
        raise ConfigError("strategy", None, hint)
