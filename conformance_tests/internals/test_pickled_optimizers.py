"""Optimizers and their states survive pickling: the steps after it are those without."""

import inspect
import pickle

import numpy as np
import pytest

from arraygrad import optimizers
from arraygrad._tree import map_leaves
from arraygrad.optimizers import adam

CHOICES = {
    "adafactor": [
        {"momentum": 0.9, "weight_decay": 0.1},
        {"convention": "optax"},
        {"convention": "torch"},
    ],
    "adagrad": [{"weight_decay": 0.1}],
    "rprop": [{"convention": "torch"}],
}
WRAPPERS = {"lookahead", "sam", "schedule_free"}
OTHERS = {"KernelOptimizer", "Optimizer", "State", "apply_updates", "schedule_free_params"}
NAMES = sorted(set(optimizers.__all__).difference(OTHERS))
CASES = [(name, choice) for name in NAMES for choice in ({}, *CHOICES.get(name, ()))]


def made(name, choice):
    """Return an optimizer at its defaults, but for some choices."""
    factory = getattr(optimizers, name)
    if name in WRAPPERS:
        return factory(adam(0.1))
    first = next(iter(inspect.signature(factory).parameters))
    return factory(**{first: 0.1}, **choice)


@pytest.mark.parametrize(("name", "choice"), CASES, ids=str)
def test_a_pickled_optimizer_goes_on_as_the_other(name, choice):
    optimizer, w = made(name, choice), {"a": np.eye(2) + 1.0, "b": np.linspace(1, 2, 3)}
    wanted = {
        "noisy_sgd": {"noise": w}, "polyak_sgd": {"value": 3.0},
        "sam": {"gradient": lambda w: w}, "sophia": {"hessian_diagonal": w},
    }.get(name, {})  # fmt: skip
    w, state = optimizer.step(w, w, optimizer.init(w), **wanted)
    again, copy, params = pickle.loads(pickle.dumps((optimizer, state, w)))
    for _ in range(2):
        g = map_leaves(np.cos, w)
        w, state = optimizer.step(w, g, state, **wanted)
        params, copy = again.step(params, g, copy, **wanted)
    for name_, x in w.items():
        np.testing.assert_array_equal(params[name_], x)
