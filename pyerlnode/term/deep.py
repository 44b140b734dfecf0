"""Terms read without recursion: those that nest deep, and those with more bytes than they may have elements.

``decode`` reads by recursion as far as it goes without asking how much of the stack is left (compiled code
has no way to), and leaves the rest to this: slower, but nesting costs memory here, no stack, and elements are
counted.  Large tuples, funs and records, which are rare, have their only reader here.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.term.containers import ImproperList
from pyerlnode.term.fun import Fun, Record
from pyerlnode.term.leaves import read_atom, read_integer, read_leaf, read_pid
from pyerlnode.term.maps import CROWD, build, is_crowded
from pyerlnode.term.primitives import read_i32_be
from pyerlnode.term.reader import unsigned
from pyerlnode.term.tags import LARGE_TUPLE, LIST, MAP, NEW_FUN, RECORD, SMALL_TUPLE, STRING

if TYPE_CHECKING:
    from pyerlnode.term.reader import Reader

KEY_NESTING: Final = 128
"""How deep the keys of maps may nest: Python hashes and compares them by recursion, and asks for no stack.
A fun that was made in a shell carries its source, which takes dozens of levels."""
_DEEP_KEY: Final = f"a key of a map nests deeper than {KEY_NESTING} levels"
_MAX_ARITY: Final = (1 << 24) - 1
_MAX_FREE: Final = 255


class Level:
    """A container that is not yet complete."""

    __slots__ = ("at", "below", "count", "head", "height", "items", "kind")

    def __init__(self, kind: int, at: int, count: int, head: tuple[Any, ...], below: Level | None) -> None:
        self.kind = kind
        self.at = at
        self.count = count
        """Sub-terms that make it complete; the tail of a list is one."""
        self.head = head
        """What a fun or a record has besides sub-terms."""
        self.below = below
        """The container that this one is part of."""
        self.items: list[Any] = []
        self.height = 1
        """Levels of nesting, this one included."""

    def add(self, term: Any, height: int) -> None:
        """Take in the next sub-term, in which so many levels nest."""
        if height > KEY_NESTING and self.kind == MAP and len(self.items) % 2 == 0:
            raise LimitExceeded(_DEEP_KEY, self.at)
        self.items.append(term)
        if height >= self.height:
            self.height = height + 1


class Deep:
    """What is left of the bounds on one term."""

    __slots__ = ("elements", "nesting", "reader")

    def __init__(self, reader: Reader, nesting: int) -> None:
        self.reader = reader
        self.nesting = nesting
        self.elements = reader.limits.elements

    def go_on(self, at: int, keys: list[Any], values: list[Any], left: int) -> Any:
        """Return the map that has these keys and values, and so many more."""
        level = Level(MAP, at, 2 * (len(keys) + left), (), None)
        level.items += [part for pair in zip(keys, values, strict=True) for part in pair]
        return self.read(level)

    def read(self, level: Level | None = None) -> Any:
        """Return the next term; or ``level``, when it is complete."""
        r = self.reader
        while True:
            at = r.pos
            tag = r.data[at]
            if tag in OPENED:
                level = self._open(tag, level)
            else:
                leaf = read_leaf(r)
                if tag == STRING:
                    self._spend(len(leaf), at)
                if level is None:
                    return leaf
                level.add(leaf, 0)
            while len(level.items) == level.count:
                term = _completed(level)
                height = level.height
                level = level.below
                self.nesting += 1
                if level is None:
                    return term
                level.add(term, height)

    def _open(self, tag: int, below: Level | None) -> Level:
        """Begin the container at the reader's position."""
        r = self.reader
        at = r.pos
        head: tuple[Any, ...] = ()
        if tag == SMALL_TUPLE:
            count = r.data[at + 1]
            r.pos = at + 2
        elif tag == NEW_FUN:
            count, head = _fun_head(r)
        else:
            count = unsigned(read_i32_be(r.data, at + 1))
            r.pos = at + 5
            if tag == LIST:
                count += 1
            elif tag == MAP:
                count *= 2
            elif tag == RECORD:
                head = _record_head(r, count)
            elif count > _MAX_ARITY:
                raise DecodeError(f"a tuple has at most {_MAX_ARITY} elements, not {count}", at)
        if count > r.end - r.pos:
            raise r.misfit(count, at)
        self._spend(count, at)
        if tag == LIST and below is not None and below.kind == LIST and below.count == len(below.items) + 1:
            below.count += count - 1  # a tail that is a list again goes on with this one
            return below
        self.nesting -= 1
        if self.nesting < 0:
            bound = f"the term nests deeper than Limits.nesting={r.limits.nesting}"
            raise LimitExceeded(_DEEP_KEY if r.keys else bound, at)
        return Level(tag, at, count, head, below)

    def _spend(self, count: int, at: int) -> None:
        self.elements -= count
        if self.elements < 0:
            bound = self.reader.limits.elements
            raise LimitExceeded(f"the term has more than Limits.elements={bound} elements", at)


def _record_head(r: Reader, count: int) -> tuple[Any, ...]:
    at = r.pos - 5
    flags = r.data[at + 5]
    if flags > 1:
        raise DecodeError(f"a record has unknown flags {flags}", at)
    r.pos = at + 6
    module, name = read_atom(r), read_atom(r)
    return module, name, [read_atom(r) for _ in range(count)], flags == 1


def _fun_head(r: Reader) -> tuple[int, tuple[Any, ...]]:
    pos = r.pos
    # The size at pos + 1 is not used: BEAMs have sent wrong ones.
    arity = r.data[pos + 5]
    uniq = r.take(pos + 6, 16)
    index = r.word()
    count = r.word()
    if count > _MAX_FREE:
        raise DecodeError(f"a fun closes over at most {_MAX_FREE} values, not {count}", pos)
    module, old_index, old_uniq = read_atom(r), read_integer(r), read_integer(r)
    return count, (arity, uniq, index, module, old_index, old_uniq, read_pid(r))


def _completed(level: Level) -> Any:
    """Return the term of which all parts are there."""
    kind = level.kind
    items = level.items
    if kind in (SMALL_TUPLE, LARGE_TUPLE):
        return tuple(items)
    if kind == LIST:
        tail = items.pop()
        return ImproperList.of(items, tail)
    if kind == MAP:
        return built_map(level.at, items[::2], items[1::2])
    if kind == NEW_FUN:
        arity, uniq, index, module, old_index, old_uniq, pid = level.head
        return Fun(arity, uniq, index, module, old_index, old_uniq, pid, tuple(items))
    module, name, names, exported = level.head
    if len(set(names)) != len(names):
        raise DecodeError("a field comes twice in a record", level.at)
    return Record(module, name, tuple(zip(names, items, strict=True)), exported)


def built_map(at: int, keys: list[Any], values: list[Any]) -> Any:
    """Return the map of these, whose tag is at ``at``."""
    if len(keys) > CROWD and is_crowded(keys):
        raise LimitExceeded("the keys of a map are made to collide", at)
    plain = _plain(keys, values)
    if plain is not None:
        return plain
    result = build(keys, values)
    if len(result) != len(keys):
        raise DecodeError("a key comes twice in a map", at)
    return result


def _plain(keys: list[Any], values: list[Any]) -> dict[Any, Any] | None:
    """Return the ``dict`` of these, unless it would lose something."""
    try:
        plain = dict(zip(keys, values, strict=True))
    except TypeError:  # a key that Python cannot hash
        return None
    return plain if len(plain) == len(keys) else None


OPENED: Final = frozenset((SMALL_TUPLE, LARGE_TUPLE, LIST, MAP, RECORD, NEW_FUN))
"""The tags of terms that hold others."""
