"""Maps as Erlang compares them, for the few that a ``dict`` would distort.

Erlang tells ``1``, ``1.0`` and ``true`` apart, and ``0.0`` from ``-0.0``; a Python dict takes the first
three for one key, and cannot have lists or maps as keys at all.  :func:`exact` turns any term into a
hashable value that is equal exactly when the terms are (``=:=``); :class:`TermMap` is a mapping on top of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from struct import Struct
from typing import Any, Final

from pyerlnode.term.atom import Atom
from pyerlnode.term.containers import BitString, ImproperList
from pyerlnode.term.fun import ExportFun, Fun, Record
from pyerlnode.term.ids import Pid, Port, Reference

CROWD: Final = 32
"""Keys of one map that may have the same hash."""

_pack_double = Struct(">d").pack

Exact = tuple[Hashable, ...]


class TermMap(Mapping[Any, Any]):
    """An immutable map whose keys are told apart exactly as Erlang does (``=:=``).

    Built from pairs or a mapping; of equal keys the last wins.  ``str`` and ``bytes`` with the same UTF-8
    text are one key, since both are that binary.  ``ValueError`` for a key that is no term.
    """

    __slots__ = ("_entries", "_exact")

    def __init__(self, pairs: Iterable[tuple[Any, Any]] | Mapping[Any, Any] = ()) -> None:
        source = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._entries: dict[Exact, tuple[Any, Any]] = {exact(key): (key, value) for key, value in source}
        self._exact: Exact | None = None

    @classmethod
    def from_exact(cls, entries: dict[Exact, tuple[Any, Any]]) -> TermMap:
        """Return the map of ``entries``, whose keys are already :func:`exact`; it is not copied."""
        made = cls()
        made._entries = entries
        return made

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._entries[exact(key)][1]
        except ValueError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _value in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return len(self) == len(other) and all(
            key in self and self[key] == value for key, value in other.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"TermMap({list(self._entries.values())!r})"

    def pairs(self) -> Collection[tuple[Any, Any]]:
        """Return the keys with their values, as ``items`` does, without looking each key up."""
        return self._entries.values()

    def exact(self) -> Exact:
        """Return the value of :func:`exact` for this map, computed once."""
        if self._exact is None:
            pairs = [(key, exact(value)) for key, (_key, value) in self._entries.items()]
            self._exact = ("map", frozenset(pairs))
        return self._exact


def is_crowded(keys: list[Any]) -> bool:
    """Whether more than :data:`CROWD` keys have one hash: a map of them takes time in the square of that.

    Integers and what is made of them hash the same everywhere, so a peer can choose such keys.
    """
    try:
        hashes = set(map(hash, keys))
    except TypeError:  # a key that Python cannot hash
        keys = list(map(exact, keys))
        hashes = set(map(hash, keys))
    if len(keys) - len(hashes) < CROWD:
        return False
    return max(Counter(map(hash, keys)).values()) > CROWD


def build(keys: list[Any], values: list[Any]) -> dict[Any, Any] | TermMap:
    """Return the map of these keys and values: a ``dict`` where it loses nothing, else a :class:`TermMap`.

    The result is shorter than ``keys`` only when a key comes twice for Erlang, too; then the last wins.
    """
    try:
        plain = dict(zip(keys, values, strict=True))
        if len(plain) == len(keys):
            return plain
    except TypeError:  # a key that Python cannot hash
        pass
    entries: dict[Exact, tuple[Any, Any]] = {}
    for key, value in zip(keys, values, strict=True):
        entries[exact(key)] = (key, value)
    return TermMap.from_exact(entries)


def exact(term: Any) -> Exact:
    """Return a hashable stand-in for ``term``: two of them are equal when the terms are ``=:=``.

    Raises ``ValueError`` for what is no term.
    """
    # Comprehensions call without C's stack, of which threads may have little; `map` would need it.
    if isinstance(term, tuple):
        return ("tuple", *[exact(part) for part in term])
    if isinstance(term, list):
        return ("list", *[exact(part) for part in term])
    if isinstance(term, TermMap):
        return term.exact()
    if isinstance(term, dict):
        return ("map", frozenset([(exact(key), exact(value)) for key, value in term.items()]))
    if isinstance(term, ImproperList):
        return ("improper", *[exact(part) for part in term.items], exact(term.tail))
    if isinstance(term, Fun):
        return ("fun", _fun_place(term), *[exact(part) for part in term.free])
    if isinstance(term, Record):
        return ("record", _record_shape(term), *[exact(value) for _name, value in term.fields])
    return _exact_scalar(term)


def _exact_scalar(term: Any) -> Exact:
    if isinstance(term, Atom):
        return ("atom", str(term))
    if term is None or term is True or term is False:
        return ("atom", "nil" if term is None else "true" if term else "false")
    if isinstance(term, int):
        return ("integer", int(term))
    if isinstance(term, float):
        return ("float", _pack_double(term))
    if isinstance(term, str):
        return ("binary", term.encode())
    if isinstance(term, bytes | bytearray | memoryview):
        return ("binary", bytes(term))
    if isinstance(term, BitString):
        return ("bits", term.data, term.bits)
    if isinstance(term, Pid | Port | Reference | ExportFun):
        return (type(term).__name__, term)
    raise ValueError(f"{type(term).__name__} is not an Erlang term")


def _fun_place(fun: Fun) -> Hashable:
    return (fun.module, fun.arity, fun.index, fun.uniq, fun.old_index, fun.old_uniq)


def _record_shape(record: Record) -> Hashable:
    return (record.module, record.name, record.exported, tuple([name for name, _value in record.fields]))
