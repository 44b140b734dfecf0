"""Bounds: all are positive, all can be chosen, none changes afterwards."""

from __future__ import annotations

import ast
import inspect
from dataclasses import FrozenInstanceError, fields
from itertools import pairwise

import pytest

from pyerlnode import limits
from pyerlnode.limits import DEFAULT, Limits

NAMES = [field.name for field in fields(Limits)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1])
def test_a_bound_that_lets_nothing_through_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"Limits\.{name} must be greater than 0"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_chosen_alone(name: str) -> None:
    chosen = Limits(**{name: 1})
    assert getattr(chosen, name) == 1
    others = [other for other in NAMES if other != name]
    assert all(getattr(chosen, other) == getattr(DEFAULT, other) for other in others)


def test_the_defaults_are_the_defaults() -> None:
    assert Limits() == DEFAULT


def test_they_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        DEFAULT.frame = 1  # type: ignore[misc]


def test_they_are_named_not_counted() -> None:
    with pytest.raises(TypeError):
        Limits(500)  # type: ignore[call-arg]


def test_each_says_what_it_bounds() -> None:
    """Each field is followed by its docstring, so that no bound comes without its unit."""
    body = next(
        node for node in ast.parse(inspect.getsource(limits)).body if isinstance(node, ast.ClassDef)
    ).body
    described = {
        field.target.id
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
    assert described == set(NAMES)
