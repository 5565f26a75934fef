"""Muon: matrices move along orthogonal matrices."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import adam, muon
from conformance_tests.matrix_checks import MATRICES, assert_finds_a_matrix, assert_refuses
from conformance_tests.optimizer_checks import (
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_torch,
    complex_tree,
    gradients_like,
    random_tree,
    run,
)

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


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("epsilon", [1e-8, 1e-3])
def test_muon_moves_what_is_no_matrix_as_optax_does(nesterov, epsilon):
    contrib = pytest.importorskip("optax.contrib")
    params = {**random_tree(), "nested": {"one": np.asarray([0.3]), "scale": np.asarray(2.0)}}
    ours = muon(0.02, nesterov=nesterov, epsilon=epsilon, convention="optax")
    assert_like_optax(ours, contrib.muon(0.02, nesterov=nesterov, eps=epsilon), params=params)


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


def test_libraries_agree(backend):
    params = {"a": MATRICES["a"], "b": MATRICES["b"], "c": np.asarray(0.3), "d": np.zeros((0, 2))}
    assert_libraries_agree(backend, muon(0.1), params=params, steps=4)


def test_complex_parameters_move_as_numpys(backend):
    assert_libraries_agree(backend, muon(0.1), params=complex_tree(), steps=4)


def test_steps_run_inside_jit():
    assert_jits(muon(0.1))


def test_steps_are_differentiable(backend):
    assert_differentiable(backend, muon(0.1))


@pytest.mark.parametrize(
    ("cost", "rate", "steps"),
    [("quadratic", 0.1, 100), ("rosenbrock", 0.02, 200), ("logistic", 0.1, 100)],
)
def test_costs_descend(cost, rate, steps):
    assert_descends(muon(rate), cost, steps=steps)


def test_a_matrix_finds_another():
    assert_finds_a_matrix(muon(lambda n: 0.2 / (1 + n / 50)))


def test_wrong_gradients_are_refused():
    assert_refuses(muon(0.1))
