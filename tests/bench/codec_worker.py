"""Times the codec against others in one process: the vectors come on standard input, times go out as JSON.

Run by `codec.py`, with the Python of the bench environment and a copy of pyerlnode on its path.  It uses CPU
time, and lets the contenders take turns: a repetition times each of them once with each vector.  Whoever
cannot do a vector has no figure for it.  marshal and msgspec get equal plain data: atoms as (interned) text,
pids and references as tuples.
"""

from __future__ import annotations

import gc
import importlib
import json
import marshal
import pickle
import sys
from itertools import repeat
from time import process_time_ns
from typing import TYPE_CHECKING, Any

from pyerlnode.term import Atom, ImproperList, Pid, Reference, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

Job = tuple["Callable[[Any], object]", Any]


def plain(term: Any) -> Any:
    """The same as Python's own types."""
    kind = type(term)
    if kind is Atom:
        return sys.intern(str.__str__(term))
    if kind is tuple:
        return tuple(map(plain, term))
    if kind is list:
        return list(map(plain, term))
    if kind is dict:
        return {plain(key): plain(value) for key, value in term.items()}
    if kind is ImproperList:
        return [*map(plain, term.items), plain(term.tail)]
    if kind is Pid:
        return (plain(term.node), term.id, term.serial, term.creation)
    if kind is Reference:
        return (plain(term.node), term.creation, *term.words)
    return term


def jobs(vector: bytes) -> dict[str, dict[str, Job]]:
    """What to time with a vector: decoding and encoding by each contender."""
    term = decode(vector)
    if decode(encode(term)) != term:
        raise AssertionError("the codec does not give back what it was given")
    data = plain(term)
    found: dict[str, dict[str, Job]] = {
        "decode": {"marshal": (marshal.loads, marshal.dumps(data)), "pyerlnode": (decode, vector)},
        "encode": {"marshal": (marshal.dumps, data), "pyerlnode": (encode, term)},
    }
    _add_msgspec(found, data)
    _add_erlpack(found, vector, data)
    return found


def _add_msgspec(found: dict[str, dict[str, Job]], data: Any) -> None:
    msgpack = importlib.import_module("msgspec.msgpack")
    encoder, decoder = msgpack.Encoder(), msgpack.Decoder()
    found["encode"]["msgspec"] = (encoder.encode, data)
    found["decode"]["msgspec"] = (decoder.decode, encoder.encode(data))


def _add_erlpack(found: dict[str, dict[str, Job]], vector: bytes, data: Any) -> None:
    """It decodes no pids and references; then it encodes the plain data."""
    try:
        erlpack = importlib.import_module("erlpack")
    except ImportError:
        return
    try:
        term = erlpack.unpack(vector)
    except Exception:
        term = data
    else:
        found["decode"]["erlpack"] = (erlpack.unpack, vector)
    found["encode"]["erlpack"] = (erlpack.pack, term)


def nanoseconds(job: Job, rounds: int) -> int:
    """CPU time of doing it so many times."""
    function, argument = job
    begin = process_time_ns()
    for _ in repeat(None, rounds):
        function(argument)
    return process_time_ns() - begin


def rounds_for(job: Job, budget: int) -> int:
    """How many times it can be done in `budget` nanoseconds; never less than three."""
    rounds = 1
    while (spent := nanoseconds(job, rounds)) < budget // 8:
        rounds *= 2
    return max(3, rounds * budget // spent)


def main() -> None:
    settings, vectors = pickle.load(sys.stdin.buffer)
    work = {
        (vector, direction, name): job
        for vector, data in vectors.items()
        for direction, contenders in jobs(data).items()
        for name, job in contenders.items()
    }
    gc.collect()
    gc.freeze()  # what was prepared is nobody's garbage
    rounds = {key: rounds_for(job, settings["budget"]) for key, job in work.items()}
    times: dict[tuple[str, str, str], list[float]] = {key: [] for key in work}
    for _ in range(settings["repetitions"]):
        for key, job in work.items():
            times[key].append(nanoseconds(job, rounds[key]) / rounds[key])
    json.dump([[*key, figures] for key, figures in times.items()], sys.stdout)


if __name__ == "__main__":
    main()
