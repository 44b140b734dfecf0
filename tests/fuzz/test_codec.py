"""Bad input to what is compiled, in processes of their own: one that crashes is told with its input."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import fuzzing
from tests.support.scale import quick_and_full

COUNTS = quick_and_full(2_000, 200_000, "PYERLNODE_FUZZ")


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("what", sorted({*fuzzing.FUZZERS} - {"nothing"}))
def test_bad_input_is_refused_as_promised_and_crashes_nothing(what: str, count: int) -> None:
    fuzzing.run(what, count)


def test_a_crash_is_told_with_the_input_that_made_it() -> None:
    with pytest.raises(AssertionError, match=r"input ([0-9]+) of nothing .*ended it with -6") as caught:
        fuzzing.run("nothing", 10_000)
    assert "Fatal Python error: Aborted" in str(caught.value)
    again = next(line for line in str(caught.value).splitlines() if "--only" in line).split()
    assert subprocess.run([sys.executable, *again[2:]], cwd=fuzzing.ROOT, check=False).returncode == -6


DEEP = """
import sys, threading
from pyerlnode.errors import TermError
from pyerlnode.limits import Limits
from pyerlnode.term import ImproperList, decode, encode
from pyerlnode.term.maps import exact
from pyerlnode.term.text import brief, parse_elixir, parse_erlang, to_elixir, to_erlang

depth, nesting = int(sys.argv[1]), int(sys.argv[2])
limits = Limits(nesting=nesting)
lists = tuples = maps = None
improper = 1
for _ in range(depth):
    lists, tuples, maps, improper = [lists], (tuples,), {None: maps}, ImproperList((improper,), 1)
one = b"\\0\\0\\0\\1"
written = (b"l" + one, b"h\\1", b"t" + one + b"j", b"t" + one, b"i" + one, b"l" + one + b"j")

made = []  # from 3.13 on, Python itself needs much stack to free what nests

def attempt(work):
    try:
        made.append(work())
    except (TermError, RecursionError):
        return 1
    return 0

def thread():
    refused = 0
    for term in (lists, tuples, maps, improper):
        refused += attempt(lambda: encode(term, limits=limits))
        refused += attempt(lambda: decode(encode(term, limits=limits), limits=limits))
        attempt(lambda: exact(term))
        attempt(lambda: (brief(term), to_elixir(term), to_erlang(term)))
    for piece in written:
        attempt(lambda: decode(b"\\x83" + piece * depth + b"j" * (depth + 1), limits=limits))
        attempt(lambda: decode(b"\\x83" + piece * depth, limits=limits))
    for parse in (parse_elixir, parse_erlang):
        attempt(lambda: parse("[" * depth + "]" * depth))
        attempt(lambda: parse("{" * depth))
    print(refused)

threading.stack_size(int(sys.argv[3]) * 1024)
one = threading.Thread(target=thread)
one.start()
one.join()
"""


@pytest.mark.parametrize(
    ("depth", "nesting", "kib"),
    [
        *[(depth, 500, kib) for depth in (490, 100_000) for kib in (512, 8_192)],
        *[(20_000, 1_000_000, kib) for kib in (1_024, 8_192)],
    ],
)
def test_deep_terms_crash_no_thread(depth: int, nesting: int, kib: int) -> None:
    """512 KiB: what threads get where they get little.

    Python asks for 1 MiB with musl, and from 3.13 on needs more than half of that to free what nests so deep.
    """
    command = [sys.executable, "-c", DEEP, str(depth), str(nesting), str(kib)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=fuzzing.ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    if depth < nesting == 500:
        assert done.stdout == "0\n"
