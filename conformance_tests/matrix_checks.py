"""What the tests of Muon, Shampoo and SOAP share."""

from typing import Any

import numpy as np
import pytest

from arraygrad.errors import ShapeError, StructureError

__all__ = ["MATRICES", "assert_finds_a_matrix", "assert_refuses"]

MATRICES = {
    name: np.random.default_rng(n).normal(size=shape)
    for n, (name, shape) in enumerate({"a": (3, 3), "b": (5, 2), "c": (2, 6), "d": (1, 1)}.items())
}


def assert_finds_a_matrix(optimizer: Any) -> None:
    """Require that 300 steps find the matrix of a least-squares problem."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(40, 6)) * np.logspace(0, 1, 6), rng.normal(size=(6, 3))
    w = np.zeros((6, 3))
    state = optimizer.init(w)
    for _ in range(300):
        w, state = optimizer.step(w, x.T @ (x @ (w - target)) / len(x), state)
    assert np.max(np.abs(w - target)) < 0.1


def assert_refuses(optimizer: Any) -> None:
    """Require errors for gradients of other shapes, and for no parameters."""
    params = {"a": np.zeros((2, 2))}
    state = optimizer.init(params)
    with pytest.raises(ShapeError, match=r"\['a'\]"):
        optimizer.step(params, {"a": np.zeros(2)}, state)
    with pytest.raises(StructureError):
        optimizer.step(params, {"b": np.zeros((2, 2))}, state)
    with pytest.raises(StructureError, match="params"):
        optimizer.update(params, state)
