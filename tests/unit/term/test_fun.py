from __future__ import annotations

import pytest

from pyerlnode.term import Atom, ExportFun, Fun, Pid, Record

PID = Pid(Atom("a@b"), 0, 0, 1)
M = Atom("m")


def test_funs_and_records_are_hashable_values() -> None:
    made = [
        Fun(1, b"u" * 16, 2, M, 3, 4, PID, (5,)),
        ExportFun(M, Atom("f"), 1),
        Record(M, Atom("r"), ((Atom("x"), 1),), True),
    ]
    again = [
        Fun(1, b"u" * 16, 2, M, 3, 4, PID, (5,)),
        ExportFun(M, Atom("f"), 1),
        Record(M, Atom("r"), ((Atom("x"), 1),), True),
    ]
    assert made == again
    assert len({*made, *again}) == 3
    with pytest.raises(AttributeError):
        ExportFun(M, M, 1).arity = 2  # type: ignore[misc]
