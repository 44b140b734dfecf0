"""Whether the tests run on compiled code (`.ci/compiled`) or on the source."""

from __future__ import annotations

from importlib import import_module

CODEC = import_module("pyerlnode.term.decode").__file__ or ""
IS_COMPILED = not CODEC.endswith(".py")
