"""The one thing that pyproject.toml cannot say: which modules are compiled, when.  See building.py."""

from __future__ import annotations

from setuptools import setup

from building import extensions

setup(ext_modules=extensions())
