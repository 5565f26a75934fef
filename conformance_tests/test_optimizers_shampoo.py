"""Shampoo and SOAP: optimizers that see along which axis gradients lie."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adam, shampoo, soap
from conformance_tests.backends import load
from conformance_tests.matrix_checks import MATRICES, assert_finds_a_matrix, assert_refuses
from conformance_tests.optimizer_checks import (
    assert_descends,
    assert_differentiable,
    assert_libraries_agree,
    assert_like_plain,
    complex_tree,
    gradients_like,
    run,
)
from conformance_tests.trees import assert_close, from_numpy, to_numpy

SQUARES = {"a": MATRICES["a"], "b": np.asarray(0.3), "c": np.asarray([1.0, -2.0])}


# --- Shampoo --------------------------------------------------------------------------------------


def _power(x, exponent):
    values, vectors = np.linalg.eigh(x)
    return (vectors * np.maximum(values, 0) ** exponent) @ vectors.conj().T


def _plain_shampoo(t, w, g, m, left, right):
    """Take a step as in algorithm 1; the first columns of slots hold the matrices."""
    rows, columns = w.shape
    left[:] = [left[0] + g @ g.conj().T] if len(left) else [1e-4 * np.eye(rows) + g @ g.conj().T]
    right[:] = (
        [right[0] + g.conj().T @ g] if len(right) else [1e-4 * np.eye(columns) + g.conj().T @ g]
    )
    m = 0.5 * m + _power(left[0], -0.25) @ g @ _power(right[0], -0.25)
    return w - 0.1 * m, m


@pytest.mark.parametrize("imaginary", [0, 1j])
def test_shampoo_is_the_papers(imaginary):
    params = {name: w + imaginary * w[::-1] for name, w in MATRICES.items()}
    grads = gradients_like(params, 100)
    ours = run(shampoo(0.1, momentum=0.5), params, grads)
    for name, w in params.items():
        m, left, right = np.zeros_like(w), [], []
        for n, tree in enumerate(grads):
            w, m = _plain_shampoo(n + 1, w, tree[name], m, left, right)
        assert_close(ours[name], w, 1e-9)  # roots of nearly singular matrices


def test_shampoo_of_three_axes_is_the_papers():
    w = np.random.default_rng(0).normal(size=(2, 3, 4))
    grads = gradients_like(w, 20)
    ours = run(shampoo(0.1, beta2=0.9), w, grads)
    grams = [np.zeros((n, n)) for n in w.shape]
    for g in grads:
        step = g
        for axis in range(3):
            rows = np.moveaxis(g, axis, 0).reshape(w.shape[axis], -1)
            grams[axis] = 0.9 * grams[axis] + 0.1 * rows @ rows.T
            root = _power(grams[axis] + 1e-4 * np.eye(len(rows)), -1 / 6)
            step = np.moveaxis(np.tensordot(root, step, axes=(1, axis)), 0, axis)
        w = w - 0.1 * step
    assert_close(ours, w, 1e-10)


def test_shampoo_keeps_the_diagonals_of_long_axes():
    w = np.random.default_rng(0).normal(size=(2, 5))
    grads = gradients_like(w, 20)
    ours = run(shampoo(0.1, max_size=3, frequency=3), w, grads)
    left, right = 1e-4 * np.eye(2), np.full(5, 1e-4)
    for n, g in enumerate(grads):
        left, right = left + g @ g.T, right + np.sum(g * g, axis=0)
        if n % 3 == 0:
            roots = _power(left, -0.25), right**-0.25
        w = w - 0.1 * (roots[0] @ g * roots[1])
    assert_close(ours, w, 1e-10)


def test_shampoo_of_a_number_is_adagrad():
    assert_like_plain(
        shampoo(0.1, epsilon=0.01),
        lambda t, w, g, v: (w - 0.1 * g / np.sqrt(v + g * g), v + g * g),
        (0.01,),
        params={"a": np.asarray(0.5), "b": np.asarray([1.5])},
        tolerance=1e-10,
    )


def test_roots_are_renewed_where_the_caller_says():
    w, optimizer = MATRICES["a"], shampoo(0.1, frequency=5)
    _, first = optimizer.update(w, optimizer.init(w), w)
    _, kept = optimizer.update(w, first, w)
    _, renewed = optimizer.update(w, first, w, refresh=True)
    np.testing.assert_array_equal(kept.slots["roots"][0], first.slots["roots"][0])
    assert not np.allclose(renewed.slots["roots"][0], first.slots["roots"][0])


# --- SOAP -----------------------------------------------------------------------------------------


def _plain_soap(w, grads, frequency):
    """Take steps as the authors' code does, with Adam's ε; of a matrix."""
    m, v, left, right = np.zeros_like(w), np.zeros_like(w), 0.0, 0.0
    p = q = np.eye(len(w))
    for t, g in enumerate(grads):
        if t:
            m, rotated = 0.9 * m + 0.1 * g, p.T @ g @ q
            v = 0.95 * v + 0.05 * rotated**2
            n = (p.T @ m @ q) / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8)
            w = w - 0.01 * (p @ n @ q.T + 0.1 * w)
        left, right = 0.8 * left + 0.2 * g @ g.T, 0.8 * right + 0.2 * g.T @ g
        if not t:
            p, q = (np.linalg.eigh(x)[1][:, ::-1] for x in (left, right))
        elif t % frequency == 0:
            rows, columns = (np.argsort(-np.diag(b.T @ x @ b)) for x, b in ((left, p), (right, q)))
            p, q = (
                np.linalg.qr((x @ b)[:, order])[0]
                for x, b, order in ((left, p, rows), (right, q, columns))
            )
            v = v[rows][:, columns]
    return w


@pytest.mark.parametrize("frequency", [1, 7])
def test_soap_is_the_authors(frequency):
    w = MATRICES["a"]
    grads = gradients_like(w, 100)
    ours = soap(0.01, beta1=0.9, gram_beta=0.8, weight_decay=0.1, frequency=frequency)
    assert_close(run(ours, w, grads), _plain_soap(w, grads, frequency), 1e-9)


def test_soap_moves_vectors_as_adam_does_after_the_first_step():
    params = {"a": np.asarray([1.0, 2.0]), "b": np.asarray(0.5), "c": np.zeros((0, 3))}
    grads = gradients_like(params, 20)
    ours = run(soap(0.1, beta1=0.9, beta2=0.99), params, grads)
    assert_close(ours, run(adam(0.1, beta2=0.99), params, grads[1:]), 1e-12)


# --- all ------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "shampoo": lambda rate: shampoo(rate, momentum=0.5),
    "soap": lambda rate: soap(rate, frequency=2),
}
RATES = {"shampoo": 1.0, "soap": lambda n: 0.2 / (1 + n / 50)}
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@every_optimizer
def test_libraries_agree(backend, name):
    # square matrices: SOAP needs gradients of full rank
    assert_libraries_agree(backend, OPTIMIZERS[name](0.1), params=SQUARES, steps=4, tolerance=1e-9)


@every_optimizer
def test_complex_parameters_move_as_numpys(backend, name):
    tree = complex_tree()
    params = {"a": tree["weights"][0][:3, :3], "b": tree["nested"]["scale"]}
    assert_libraries_agree(backend, OPTIMIZERS[name](0.1), params=params, steps=4, tolerance=1e-9)


@pytest.mark.parametrize(
    "optimizer",
    [shampoo(0.1, frequency=3), soap(0.1, frequency=3, max_size=3)],
    ids=lambda x: x.name,
)
def test_steps_run_inside_jit(optimizer):
    jax = pytest.importorskip("jax")
    backend, grads = load("jax"), gradients_like(SQUARES, 8)
    w = from_numpy(backend, SQUARES)
    state, step = optimizer.init(w), jax.jit(optimizer.step)
    for g in grads:
        w, state = step(w, from_numpy(backend, g), state)
    assert_close(to_numpy(backend, w), run(optimizer, SQUARES, grads), 1e-9)


@every_optimizer
def test_steps_are_differentiable(backend, name):
    assert_differentiable(backend, OPTIMIZERS[name](0.1), tolerance=1e-4)


@pytest.mark.parametrize(
    ("name", "cost", "rate", "steps"),
    [
        ("shampoo", "quadratic", 0.3, 100),
        ("shampoo", "rosenbrock", 0.1, 200),
        ("shampoo", "logistic", 0.3, 50),
        ("soap", "quadratic", 0.1, 100),
        ("soap", "rosenbrock", 0.02, 200),
        ("soap", "logistic", 0.1, 100),
    ],
)
def test_costs_descend(name, cost, rate, steps):
    assert_descends(OPTIMIZERS[name](rate), cost, steps=steps)


@every_optimizer
def test_a_matrix_finds_another(name):
    assert_finds_a_matrix(OPTIMIZERS[name](RATES[name]))


@every_optimizer
def test_wrong_gradients_are_refused(name):
    assert_refuses(OPTIMIZERS[name](0.1))


@every_optimizer
def test_jit_needs_no_choice_where_the_caller_says_what_is_due(name):
    jax = pytest.importorskip("jax")
    backend, grads = load("jax"), gradients_like(SQUARES, 7)
    optimizer = {"shampoo": shampoo(0.1, frequency=3), "soap": soap(0.1, frequency=3)}[name]
    w = from_numpy(backend, SQUARES)
    state, step = optimizer.init(w), jax.jit(optimizer.step, static_argnames="refresh")
    for n, g in enumerate(grads):
        g, due = from_numpy(backend, g), n % 3 == 0 if n else "first"
        if not due:
            text = str(
                jax.make_jaxpr(lambda *args: optimizer.step(*args, refresh=False))(w, g, state)
            )
            assert "eigh" not in text
            assert "householder" not in text
        w, state = step(w, g, state, refresh=due)
    assert_close(to_numpy(backend, w), run(optimizer, SQUARES, grads), 1e-9)


@pytest.mark.parametrize("make", [shampoo, soap])
def test_a_frequency_is_a_number_of_steps(make):
    with pytest.raises(HyperparameterError, match="frequency"):
        make(0.1, frequency=0)
