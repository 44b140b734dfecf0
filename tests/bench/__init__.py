"""How fast pyerlnode is, beside marshal, msgspec, erlpack and real BEAMs: `make bench`.

    python -m tests.bench                       # all of it, one table of ratios
    python -m tests.bench --only codec,calls    # parts of it (--list tells which)
    python -m tests.bench --quick               # fewer and shorter repetitions, to see a direction
    python -m tests.bench --write               # and write the table and its plot to docs/
    python -m tests.bench --compiled DIR        # with the compiled copy in DIR, not one of its own

Every figure is a ratio to something measured in the same run, the median of repetitions that take turns
(one after the other: us, them, us, them ...), because the machine's mood changes from minute to minute.
What is measured runs in processes of their own: `subject.py` (a node) and `codec_worker.py`, which import
pyerlnode from a compiled or a pure copy and nothing else of this repository.
"""
