"""Muon, Shampoo and SOAP: optimizers that see matrices."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError, ShapeError, StructureError
from arraygrad.optimizers import adam, muon, shampoo, soap
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import (
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    assert_like_torch,
    complex_tree,
    gradients_like,
    random_tree,
    run,
)
from conformance_tests.trees import assert_close, from_numpy, to_numpy

MATRICES = {
    name: np.random.default_rng(n).normal(size=shape)
    for n, (name, shape) in enumerate({"a": (3, 3), "b": (5, 2), "c": (2, 6), "d": (1, 1)}.items())
}
SQUARES = {"a": MATRICES["a"], "b": np.asarray(0.3), "c": np.asarray([1.0, -2.0])}


# --- Muon -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("scaling", ["width", "rms"])
def test_muon_is_torchs(monkeypatch, nesterov, scaling):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda x: x.clone())  # not in half precision
    adjust = {"width": "original", "rms": "match_rms_adamw"}[scaling]
    ours = muon(0.02, weight_decay=0.1, nesterov=nesterov, scaling=scaling, epsilon=1e-300)
    assert_like_torch(
        ours,
        lambda ws: torch.optim.Muon(
            ws, lr=0.02, weight_decay=0.1, nesterov=nesterov, adjust_lr_fn=adjust, eps=1e-300
        ),
        params=MATRICES,
    )


@pytest.mark.parametrize(
    ("nesterov", "scaling", "rms"), [(False, "width", None), (True, "rms", 0.2)]
)
def test_muon_is_optaxs(nesterov, scaling, rms):
    contrib = pytest.importorskip("optax.contrib")
    assert_like_optax(
        muon(
            0.02,
            weight_decay=0.1,
            nesterov=nesterov,
            scaling=scaling,
            epsilon=1e-8,
            convention="optax",
        ),
        contrib.muon(0.02, weight_decay=0.1, nesterov=nesterov, consistent_rms=rms),
        params=MATRICES,
    )


def test_muon_moves_what_is_no_matrix_by_adam():
    contrib = pytest.importorskip("optax.contrib")
    params = {**random_tree(), "nested": {"one": np.asarray([0.3]), "scale": np.asarray(2.0)}}
    ours = muon(0.02, nesterov=False, epsilon=1e-8, convention="optax")
    assert_like_optax(ours, contrib.muon(0.02, nesterov=False), params=params)


def test_muon_takes_a_polynomial_for_each_iteration():
    optax = pytest.importorskip("optax")
    rows = [(4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (2.8366, -3.0525, 1.2012)]
    ours = muon(0.02, coefficients=rows, iterations=3, epsilon=1e-8, convention="optax")
    theirs = optax.contrib.muon(0.02, ns_coeffs=tuple(rows), ns_steps=3)
    assert_like_optax(ours, theirs, params=MATRICES)


def test_muon_leaves_others_to_another_optimizer():
    params, grads = random_tree(), gradients_like(random_tree(), 5)
    ours = run(muon(0.1, others=adam(0.5)), params, grads)
    theirs = run(adam(0.5), params, grads)
    np.testing.assert_array_equal(ours["bias"], theirs["bias"])
    assert not np.allclose(ours["weights"][0], theirs["weights"][0])
    np.testing.assert_array_equal(ours["weights"][1], theirs["weights"][1])


def test_the_singular_values_of_a_step_of_muon_are_near_to_one():
    w = np.zeros((4, 6))
    g = np.random.default_rng(0).normal(size=w.shape)
    for grad in (g, g + 1j * g[::-1]):
        start = w.astype(grad.dtype)
        optimizer = muon(1.0, scaling="none")
        moved, _ = optimizer.step(start, grad, optimizer.init(start))
        values = np.linalg.svd(moved, compute_uv=False)
        assert np.all((values > 0.6) & (values < 1.25))
        overlap = np.linalg.svd(grad, full_matrices=False)
        assert np.all(np.real(np.diag(overlap[0].conj().T @ moved @ overlap[2].conj().T)) < -0.6)


def test_muon_of_one_bare_matrix_has_no_others(backend):
    optimizer = muon(0.1)
    w = backend.asarray(MATRICES["b"])
    state = optimizer.init(w)
    assert state.others is None
    moved, state = optimizer.step(w, w, state)
    assert moved.shape == (5, 2)
    assert state.count == 1


def test_muon_refuses_unknown_scalings_and_polynomials():
    with pytest.raises(HyperparameterError, match="scaling"):
        muon(0.1, scaling="height")
    with pytest.raises(HyperparameterError, match="coefficients"):
        muon(0.1, coefficients=[(1.0, 2.0, 3.0)], iterations=2)


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
    "muon": lambda rate: muon(rate),
    "shampoo": lambda rate: shampoo(rate, momentum=0.5),
    "soap": lambda rate: soap(rate, frequency=2),
}
RATES = {"muon": lambda n: 0.2 / (1 + n / 50), "shampoo": 1.0, "soap": lambda n: 0.2 / (1 + n / 50)}
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@every_optimizer
def test_libraries_agree(backend, name):
    tolerance = 1e-12 if name == "muon" else 1e-9
    # square matrices: SOAP needs gradients of full rank
    assert_libraries_agree(
        backend, OPTIMIZERS[name](0.1), params=SQUARES, steps=4, tolerance=tolerance
    )


@every_optimizer
def test_complex_parameters_move_as_numpys(backend, name):
    tree = complex_tree()
    params = {"a": tree["weights"][0][:3, :3], "b": tree["nested"]["scale"]}
    assert_libraries_agree(backend, OPTIMIZERS[name](0.1), params=params, steps=4, tolerance=1e-9)


@pytest.mark.parametrize(
    "optimizer",
    [muon(0.1), shampoo(0.1, frequency=3), soap(0.1, frequency=3, max_size=3)],
    ids=lambda x: x.name,
)
def test_steps_run_inside_jit(optimizer):
    if optimizer.name != "soap":
        assert_jits(optimizer, tolerance=1e-9)
        return
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
        ("muon", "quadratic", 0.1, 100),
        ("muon", "rosenbrock", 0.02, 200),
        ("muon", "logistic", 0.1, 100),
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
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(40, 6)) * np.logspace(0, 1, 6), rng.normal(size=(6, 3))
    optimizer, w = OPTIMIZERS[name](RATES[name]), np.zeros((6, 3))
    state = optimizer.init(w)
    for _ in range(300):
        w, state = optimizer.step(w, x.T @ (x @ (w - target)) / len(x), state)
    assert np.max(np.abs(w - target)) < 0.1


@every_optimizer
def test_wrong_gradients_are_refused(name):
    optimizer, params = OPTIMIZERS[name](0.1), {"a": np.zeros((2, 2))}
    state = optimizer.init(params)
    with pytest.raises(ShapeError, match=r"\['a'\]"):
        optimizer.step(params, {"a": np.zeros(2)}, state)
    with pytest.raises(StructureError):
        optimizer.step(params, {"b": np.zeros((2, 2))}, state)
    with pytest.raises(StructureError, match="params"):
        optimizer.update(params, state)


@pytest.mark.parametrize("name", ["shampoo", "soap"])
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
