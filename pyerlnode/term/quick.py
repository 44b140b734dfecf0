"""The reader of terms: one function, which calls itself for what a term holds.

It is long for a reason.  An interpreter pays for each call, so the common terms are read in place; a
compiler makes a few machine instructions of a comparison with a tag, and a call through the table that
``leaves`` has costs more than reading most terms.  The order of the comparisons is how often the tags come.
Rare terms, and containers more than :data:`LEVELS` deep, are read elsewhere.
(ERTS User's Guide, "External Term Format".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyerlnode.errors import DecodeError
from pyerlnode.term.containers import ImproperList
from pyerlnode.term.deep import KEY_NESTING, OPENED, Deep, built_map
from pyerlnode.term.leaves import (
    PLAIN,
    as_text,
    read_binary,
    read_cached_atom,
    read_leaf,
    read_newer_reference,
    read_pid,
    read_small_atom,
    read_string,
)
from pyerlnode.term.memo import LONGEST, MISSING, recall, table
from pyerlnode.term.modes import COMPILED
from pyerlnode.term.numbers import read_float, read_small_big
from pyerlnode.term.primitives import read_f64_be, read_i32_be
from pyerlnode.term.reader import unsigned
from pyerlnode.term.tags import (
    ATOM_CACHE_REF,
    BINARY,
    INTEGER,
    LARGE_TUPLE,
    LIST,
    MAP,
    NEW_FLOAT,
    NEW_FUN,
    NEW_PID,
    NEWER_REFERENCE,
    NIL,
    RECORD,
    SMALL_ATOM_UTF8,
    SMALL_BIG,
    SMALL_INTEGER,
    SMALL_TUPLE,
    STRING,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

    from pyerlnode.term.reader import Reader

LEVELS: Final = 64
"""Levels of nesting that are read by recursion: in C about 200 bytes each, and a thread may have 64 KiB."""
KEY_LEVELS: Final = 32
"""... of which a key may use as many: keys can hold maps with keys of their own."""
_KEYS_READ: Final = table()


def read_term(r: Reader, depth: i64) -> Any:
    """Return the next term, in which so many levels may nest by recursion."""
    data = r.data
    pos = r.pos
    tag = data[pos]
    if tag == SMALL_INTEGER:
        r.pos = pos + 2
        return data[pos + 1]
    if tag == SMALL_ATOM_UTF8:
        return read_small_atom(r)
    if tag == BINARY:
        size: i64 = unsigned(read_i32_be(data, pos + 1))
        end = pos + 5 + size
        if end > r.end:
            return read_binary(r)
        r.pos = end
        return as_text(data[pos + 5 : end]) if r.text else data[pos + 5 : end]
    if tag == SMALL_TUPLE:
        if depth == 0:
            return _deep(r, 0).read()
        return _tuple(r, depth - 1)
    if tag == INTEGER:
        r.pos = pos + 5
        return read_i32_be(data, pos + 1)
    if tag == NEW_FLOAT:
        return read_float(r)
    if tag == NIL:
        r.pos = pos + 1
        return []
    if tag == LIST:
        return _list(r, depth - 1) if depth else _deep(r, 0).read()
    if tag == MAP:
        return _map(r, depth - 1) if depth else _deep(r, 0).read()
    if tag == NEW_PID:
        return read_pid(r)
    if tag == ATOM_CACHE_REF:
        return read_cached_atom(r)
    if tag == NEWER_REFERENCE:
        return read_newer_reference(r)
    if tag == SMALL_BIG:
        return read_small_big(r)
    if tag == STRING:
        return read_string(r)
    if tag == LARGE_TUPLE or tag == NEW_FUN or tag == RECORD:  # noqa: SIM109  # no tuple is made
        return _deep(r, depth).read()
    return read_leaf(r)


def _tuple(r: Reader, depth: i64) -> tuple[Any, ...]:
    pos = r.pos
    count: i64 = r.data[pos + 1]
    r.pos = pos + 2
    if count > r.end - pos - 2:
        raise r.misfit(count, pos)
    if COMPILED or not r.refs:
        if count == 2:
            return (read_term(r, depth), read_term(r, depth))
        if count == 3:
            return (read_term(r, depth), read_term(r, depth), read_term(r, depth))
        if count == 4:
            return (read_term(r, depth), read_term(r, depth), read_term(r, depth), read_term(r, depth))
    data = r.data
    refs = r.refs
    pos += 2
    items: list[Any] = []
    for _place in range(count):  # what is most often in a message is read without a call
        tag = data[pos]
        if tag == SMALL_INTEGER:
            items.append(data[pos + 1])
            pos += 2
        elif tag == ATOM_CACHE_REF and data[pos + 1] < len(refs):
            atom = refs[data[pos + 1]]
            items.append(PLAIN.get(atom, atom))
            pos += 2
        elif tag == INTEGER:
            items.append(read_i32_be(data, pos + 1))
            pos += 5
        else:
            r.pos = pos
            items.append(read_term(r, depth))
            pos = r.pos
    r.pos = pos
    return tuple(items)


def _list(r: Reader, depth: i64) -> Any:
    data = r.data
    items: list[Any] = []
    while True:  # a tail that is a list again goes on with this one: no recursion, no copying
        at = r.pos
        count: i64 = unsigned(read_i32_be(data, at + 1))
        pos = at + 5
        r.pos = pos
        if count >= r.end - pos:
            raise r.misfit(count + 1, at)
        for _place in range(count):
            tag = data[pos]
            if tag == SMALL_INTEGER:
                items.append(data[pos + 1])
                pos += 2
            elif tag == INTEGER:
                items.append(read_i32_be(data, pos + 1))
                pos += 5
            elif tag == NEW_FLOAT:
                value = read_f64_be(data, pos + 1)
                if value - value != 0.0:  # as only infinities and NaN do
                    raise DecodeError("a float is neither infinite nor NaN", pos)
                items.append(value)
                pos += 9
            else:
                r.pos = pos
                items.append(read_term(r, depth))
                pos = r.pos
        r.pos = pos
        tag = data[pos]
        if tag == NIL:
            r.pos = pos + 1
            return items
        if tag != LIST:
            return ImproperList.of(items, read_term(r, depth))


def _map(r: Reader, depth: i64) -> Any:
    data = r.data
    at = r.pos
    count: i64 = unsigned(read_i32_be(data, at + 1))
    r.pos = at + 5
    if 2 * count > r.end - at - 5:
        raise r.misfit(2 * count, at)
    result: dict[Any, Any] = {}
    for place in range(count):
        tag = data[r.pos]
        if tag == BINARY and not r.text:
            key = _key(r) if COMPILED else read_term(r, depth)
        elif tag == SMALL_ATOM_UTF8 or tag == ATOM_CACHE_REF:  # noqa: SIM109  # no tuple is made
            key = read_term(r, depth)
        elif len(result) == place:
            return _any_map(r, depth, at, result, count - place)
        else:
            break
        result[key] = read_term(r, depth)
    if len(result) != count:
        raise DecodeError("a key comes twice in a map", at)
    return result


def _any_map(r: Reader, depth: i64, at: int, begun: dict[Any, Any], count: i64) -> Any:
    """Return the map that has ``count`` more keys, which can be anything."""
    keys = list(begun)
    values = list(begun.values())
    for place in range(count):
        if r.data[r.pos] in OPENED:
            if depth < KEY_LEVELS:
                return _deep(r, depth).go_on(at, keys, values, count - place)
            r.keys += 1
            keys.append(read_term(r, KEY_LEVELS))
            r.keys -= 1
        else:
            keys.append(read_term(r, 0))
        values.append(read_term(r, depth))
    return built_map(at, keys, values)


def _key(r: Reader) -> Any:
    """Return a binary, the same object as the last time: keys come again and again."""
    data = r.data
    pos = r.pos
    size: i64 = unsigned(read_i32_be(data, pos + 1))
    if size > LONGEST or pos + 5 + size > r.end:
        return r.take(pos + 5, size)
    r.pos = pos + 5 + size
    key = recall(_KEYS_READ, data, pos + 5, size)
    if key is not MISSING:
        return key
    return recall(_KEYS_READ, data, pos + 5, size, data[pos + 5 : pos + 5 + size])


def _deep(r: Reader, depth: i64) -> Deep:
    """Return the reader that needs no recursion.  Here, ``depth`` levels were left."""
    if r.keys:
        return Deep(r, KEY_NESTING - KEY_LEVELS + depth)
    nesting: i64 = r.limits.nesting
    return Deep(r, nesting - min(nesting, LEVELS) + depth)
