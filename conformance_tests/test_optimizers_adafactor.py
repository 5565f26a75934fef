"""Adafactor: steps of torch, optax and the paper, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.optimizers import adafactor
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    assert_like_torch,
    complex_tree,
    random_tree,
)

CASES = {
    "paper": adafactor(0.1),
    "averaged": adafactor(0.1, momentum=0.5, weight_decay=0.1),
    "torch": adafactor(0.1, convention="torch", weight_decay=0.1),
    "optax": adafactor(0.1, convention="optax", smallest_factored=3, momentum=0.5),
    "optax-unfactored": adafactor(0.1, convention="optax", weight_decay=0.01),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)


@every_case
def test_adafactor_agrees_on_every_library(backend, optimizer):
    assert_libraries_agree(backend, optimizer)


def test_adafactor_takes_complex_parameters(backend):
    assert_libraries_agree(backend, CASES["optax"], params=complex_tree(), steps=2)


@every_case
def test_adafactor_jits(optimizer):
    assert_jits(optimizer)


@pytest.mark.parametrize("name", ["averaged", "torch"])
def test_adafactor_is_differentiable(backend, name):
    assert_differentiable(backend, CASES[name])


@every_case
@pytest.mark.parametrize("cost", COSTS)
def test_adafactor_descends(cost, optimizer):
    assert_descends(optimizer, cost, to=0.8, steps=500)


# --- parity ---------------------------------------------------------------------------------------


def without_the_empty(seed=0):
    """Return a tree whose means torch can divide: it has no zero-size leaf."""
    tree = random_tree(seed)
    del tree["nested"]["none"]
    return tree


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"weight_decay": 0.1}, {"weight_decay": 0.1}),
        ({"decay_power": 0.5, "clipping_threshold": 1.1}, {"beta2_decay": -0.5, "d": 1.1}),
        ({"epsilon": 0.1, "minimum_scale": 0.7}, {"eps": (0.1, 0.7)}),
    ],
    ids=str,
)
def test_adafactor_is_that_of_torch(ours, theirs):
    torch = pytest.importorskip("torch")
    assert_like_torch(
        adafactor(0.3, **ours, convention="torch"),
        lambda w: torch.optim.Adafactor(w, lr=0.3, **theirs),
        params=without_the_empty(),
        tolerance=1e-11,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torchs_epsilon_is_that_of_the_dtype(dtype):
    torch = pytest.importorskip("torch")
    w, g = np.ones((2, 2), dtype), np.full((2, 2), 1e-20, dtype)
    optimizer = adafactor(0.1, convention="torch")
    ours, _ = optimizer.step(w, g, optimizer.init(w))
    theirs = torch.nn.Parameter(torch.asarray(w.copy()))
    theirs.grad = torch.asarray(g)
    torch.optim.Adafactor([theirs], lr=0.1).step()
    moved = np.asarray(theirs.detach()) - 1
    np.testing.assert_allclose(ours - 1, moved, rtol=1e-5, atol=1e-12)


def optax_adafactor(optax, jnp, *, factored, momentum, decay, threshold, scaled):
    """Return optax's adafactor with its rate of decay in double precision, not in single."""
    parts = [
        optax.scale_by_factored_rms(
            min_dim_size_to_factor=factored,
            decay_rate_fn=lambda i, c: 1.0 - jnp.asarray(i + 1, jnp.float64) ** -c,
        ),
        optax.clip_by_block_rms(threshold),
        optax.scale_by_learning_rate(0.1, flip_sign=False),
        *([optax.scale_by_param_block_rms()] if scaled else []),
        *([optax.ema(momentum, debias=False)] if momentum else []),
        *([optax.add_decayed_weights(decay)] if decay else []),
        optax.scale(-1),
    ]
    return optax.chain(*parts)


@pytest.mark.parametrize(
    ("factored", "momentum", "decay", "threshold", "scaled"),
    [(3, 0.0, 0.0, 1.0, True), (2, 0.9, 0.01, 0.3, True), (128, 0.0, 0.01, 1.0, False)],
)
def test_adafactor_is_that_of_optax(factored, momentum, decay, threshold, scaled):
    optax, jnp = pytest.importorskip("optax"), pytest.importorskip("jax.numpy")
    theirs = optax_adafactor(
        optax, jnp, factored=factored, momentum=momentum, decay=decay, threshold=threshold,
        scaled=scaled,
    )  # fmt: skip
    ours = adafactor(
        0.1, momentum=momentum, weight_decay=decay, clipping_threshold=threshold,
        smallest_factored=factored, scale_by_parameters=scaled, convention="optax",
    )  # fmt: skip
    assert_like_optax(ours, theirs, params=without_the_empty())


def test_the_parts_above_are_optaxs_own_adafactor():
    optax = pytest.importorskip("optax")
    ours = adafactor(0.1, smallest_factored=3, convention="optax")
    theirs = optax.adafactor(0.1, min_dim_size_to_factor=3)
    assert_like_optax(ours, theirs, params=without_the_empty(), steps=20, tolerance=1e-5)


@pytest.mark.parametrize("convention", ["paper", "keras"])
def test_adafactor_is_its_algorithm(convention):
    def rms(x):
        return np.sqrt(np.mean(x**2)) if x.size else 0.0

    def formula(t, w, g, rows, columns):
        beta, square = 1 - t**-0.8, g**2 + 1e-3
        if w.ndim < 2:
            rows = v = beta * rows + (1 - beta) * square
        else:  # kept in full shape here: each row or column repeats its mean
            mean = square.mean(axis=-1, keepdims=True) if w.size else 0.0
            rows = beta * rows + (1 - beta) * mean
            mean = square.mean(axis=-2, keepdims=True) if w.size else 0.0
            columns = beta * columns + (1 - beta) * mean
            v = rows * columns / (rows.mean(axis=-2, keepdims=True) if w.size else 1.0)
        u = g / np.sqrt(v)
        rate = max(1e-3, rms(w)) * min(0.3, 1 / np.sqrt(t))
        return w - rate * u / max(1, rms(u) / 0.5), rows, columns

    ours = adafactor(0.3, epsilon=1e-3, clipping_threshold=0.5, convention=convention)
    assert_like_plain(ours, formula, [0.0, 0.0])


# --- slots ----------------------------------------------------------------------------------------


def test_slots_hold_rows_and_columns(backend):
    tree = {"m": (2, 3, 4), "v": (5,), "s": (), "e": (0, 3)}
    params = {name: backend.xp.ones(shape, device=backend.device) for name, shape in tree.items()}
    slots = adafactor().init(params).slots
    shapes = {name: {k: tuple(x.shape) for k, x in slots[name].items()} for name in slots}
    assert shapes == {
        "rows": {"m": (2, 3, 1), "v": (5,), "s": (), "e": (0, 3)},
        "columns": {"m": (2, 1, 4), "v": (0,), "s": (0,), "e": (0,)},
    }
    longest = adafactor(convention="optax", smallest_factored=3).init({"w": params["m"]}).slots
    assert tuple(longest["rows"]["w"].shape) == (2, 3, 1)
    turned = {"w": backend.xp.ones((4, 2, 3), device=backend.device)}
    slots = adafactor(convention="optax", smallest_factored=3).init(turned).slots
    assert [tuple(x["w"].shape) for x in slots.values()] == [(1, 2, 3), (4, 2, 1)]


def test_tiny_gradients_of_single_precision_do_not_underflow(backend):
    w = backend.asarray(np.ones((2, 2)), "float32")
    g = backend.asarray(np.full((2, 2), 1e-12), "float32")
    optimizer = adafactor(0.1)
    moved, _ = optimizer.step(w, g, optimizer.init(w))
    np.testing.assert_allclose(backend.to_numpy(moved), 0.9, rtol=1e-5)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keywords",
    [
        {"learning_rate": -1.0},
        {"decay_power": -1.0},
        {"epsilon": -1.0},
        {"minimum_scale": -1.0},
        {"clipping_threshold": 0.0},
        {"momentum": 1.0},
        {"momentum": 0.5, "convention": "torch"},
        {"weight_decay": -1.0},
        {"convention": "mine"},
    ],
    ids=str,
)
def test_adafactor_refuses(keywords):
    with pytest.raises(HyperparameterError, match=f"`{next(iter(keywords))}` must be"):
        adafactor(**keywords)


def test_what_other_conventions_lack_is_refused():
    for keywords in ({"smallest_factored": 3}, {"scale_by_parameters": False}):
        with pytest.raises(HyperparameterError, match='need convention="optax"'):
            adafactor(**keywords)


def test_adafactor_needs_the_parameters():
    optimizer = adafactor()
    with pytest.raises(StructureError, match="pass `params`"):
        optimizer.update(np.ones(3), optimizer.init(np.ones(3)))
