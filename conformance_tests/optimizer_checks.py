"""What the tests of optimizers share: random trees, runs of many steps, peers, costs to descend.

Trees here are NumPy's, with leaves of every rank, 0-d and zero-size ones included. An optimizer is
ours; a peer is torch's class, or optax's transformation. Runs take a list of trees of gradients,
one for each step, and return trees of NumPy arrays.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import arraygrad as ag
from arraygrad._namespace import array_namespace
from arraygrad._tree import flatten, map_leaves, unflatten
from arraygrad.fusion import use_executor
from conformance_tests.backends import Backend, load
from conformance_tests.trees import assert_close, from_numpy, to_numpy

__all__ = [
    "COSTS",
    "STEPS",
    "Extra",
    "assert_descends",
    "assert_differentiable",
    "assert_jits",
    "assert_libraries_agree",
    "assert_like_optax",
    "assert_like_plain",
    "assert_like_torch",
    "complex_tree",
    "gradients_like",
    "random_tree",
    "run",
    "run_optax",
    "run_plain",
    "run_torch",
    "small_tree",
]

STEPS = 100

Extra = Callable[[int], dict[str, Any]]
"""What a step asks for beside the gradients, by its number from 0: `{"value": ...}`."""


# --- trees ----------------------------------------------------------------------------------------


def random_tree(seed: int = 0) -> Any:
    """Return parameters: a tree with a 0-d, a zero-size and a 3-d leaf among others."""
    draw = np.random.default_rng(seed).normal
    return {  # in alphabetical order, as jax returns it
        "bias": draw(size=(5,)),
        "nested": {"none": draw(size=(0, 3)), "one": draw(size=(1,)), "scale": np.asarray(draw())},
        "weights": [draw(size=(4, 3)), draw(size=(2, 3, 4))],
    }


def small_tree(seed: int = 0) -> Any:
    """Return parameters of three shapes: jax compiles for each."""
    draw = np.random.default_rng(seed).normal
    return {"matrix": draw(size=(2, 3)), "none": draw(size=(0, 2)), "scale": np.asarray(draw())}


def complex_tree(seed: int = 0) -> Any:
    """Return parameters of complex numbers, shaped like those of `random_tree`."""
    real, treedef = flatten(random_tree(seed))
    imaginary, _ = flatten(random_tree(seed + 1))
    pairs = zip(real, imaginary, strict=True)
    return unflatten(treedef, [np.asarray(re + 1j * im) for re, im in pairs])


def gradients_like(tree: Any, steps: int = STEPS, seed: int = 1) -> list[Any]:
    """Return a tree of gradients for every step, of several magnitudes, with a tenth of zeros."""
    rng = np.random.default_rng(seed)

    def leaf(w: Any) -> Any:
        g = rng.normal(size=w.shape) * 10 ** rng.uniform(-2, 1, size=w.shape)
        if np.iscomplexobj(w):
            g = g + 1j * rng.normal(size=w.shape)
        return np.asarray(g * (rng.uniform(size=w.shape) > 0.1))

    return [map_leaves(leaf, tree) for _ in range(steps)]


# --- runs -----------------------------------------------------------------------------------------


def run(
    optimizer: Any,
    params: Any,
    gradients: Sequence[Any],
    extra: Extra | None = None,
    *,
    backend: Backend | None = None,
) -> Any:
    """Return the parameters after our steps, taken on a backend's arrays, NumPy's by default."""
    backend = backend or load("numpy")
    params = from_numpy(backend, params)
    state = optimizer.init(params)
    for n, grads in enumerate(gradients):
        keywords = from_numpy(backend, extra(n)) if extra else {}
        params, state = optimizer.step(params, from_numpy(backend, grads), state, **keywords)
    return to_numpy(backend, params)


def run_torch(make: Callable[[list[Any]], Any], params: Any, gradients: Sequence[Any]) -> Any:
    """Return the parameters after steps of a torch optimizer: `make` takes the parameters."""
    torch = pytest.importorskip("torch")
    leaves, treedef = flatten(params)
    theirs = [torch.nn.Parameter(torch.asarray(np.copy(w))) for w in leaves]
    optimizer = make(theirs)
    for grads in gradients:
        for w, g in zip(theirs, flatten(grads)[0], strict=True):
            w.grad = torch.asarray(np.copy(g))
        optimizer.step()
    return unflatten(treedef, [w.detach().numpy() for w in theirs])


def run_optax(transformation: Any, params: Any, gradients: Sequence[Any]) -> Any:
    """Return the parameters after steps of an optax transformation, in double precision."""
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    backend = load("jax")
    params = from_numpy(backend, params)

    @jax.jit
    def step(params: Any, grads: Any, state: Any) -> Any:
        updates, state = transformation.update(_conjugated(grads), state, params)
        return optax.apply_updates(params, _conjugated(updates)), state

    with jax.numpy_dtype_promotion("standard"):
        state = transformation.init(params)
        for grads in gradients:
            params, state = step(params, from_numpy(backend, grads), state)
    return to_numpy(backend, params)


def _conjugated(tree: Any) -> Any:
    """Return conjugates: of complex gradients, optax expects what jax returns."""
    return map_leaves(lambda x: x.conj(), tree)


def run_plain(
    formula: Callable[..., Any], params: Any, gradients: Sequence[Any], slots: Sequence[float] = ()
) -> Any:
    """Return the parameters after steps of a formula of NumPy: the paper's pseudo-code.

    The formula is `(t, w, g, *slots) -> (w, *slots)`, leaf by leaf, t from 1; `slots` are the
    numbers that its slots are filled with at first.
    """
    leaves, treedef = flatten(params)
    rows = [(w, *(np.full_like(w, x) for x in slots)) for w in leaves]
    for n, grads in enumerate(gradients):
        columns = zip(rows, flatten(grads)[0], strict=True)
        rows = [formula(n + 1, row[0], g, *row[1:]) for row, g in columns]
    return unflatten(treedef, [np.asarray(row[0]) for row in rows])


# --- parity ---------------------------------------------------------------------------------------


def _case(params: Any, steps: int) -> tuple[Any, list[Any]]:
    params = random_tree() if params is None else params
    return params, gradients_like(params, steps)


def assert_like_torch(
    optimizer: Any,
    make: Callable[[list[Any]], Any],
    *,
    params: Any = None,
    steps: int = STEPS,
    tolerance: float = 1e-12,
) -> None:
    """Require the steps of a torch optimizer, which `make` makes for a list of parameters."""
    params, grads = _case(params, steps)
    assert_close(run(optimizer, params, grads), run_torch(make, params, grads), tolerance)


def assert_like_optax(
    optimizer: Any,
    transformation: Any,
    *,
    params: Any = None,
    steps: int = STEPS,
    tolerance: float = 1e-10,
) -> None:
    """Require the steps of an optax transformation."""
    params, grads = _case(params, steps)
    theirs = run_optax(transformation, params, grads)
    assert_close(run(optimizer, params, grads), theirs, tolerance)


def assert_like_plain(
    optimizer: Any,
    formula: Callable[..., Any],
    slots: Sequence[float] = (),
    *,
    params: Any = None,
    steps: int = STEPS,
    tolerance: float = 1e-12,
) -> None:
    """Require the steps of a formula: see `run_plain`."""
    params, grads = _case(params, steps)
    theirs = run_plain(formula, params, grads, slots)
    assert_close(run(optimizer, params, grads), theirs, tolerance)


def assert_libraries_agree(
    backend: Backend,
    optimizer: Any,
    extra: Extra | None = None,
    *,
    params: Any = None,
    steps: int = 8,
    tolerance: float = 1e-12,
) -> None:
    """Require the steps of the plain formula in NumPy from a backend, whoever computes there."""
    params, grads = _case(small_tree() if params is None else params, steps)
    ours = run(optimizer, params, grads, extra, backend=backend)
    with use_executor("plain"):
        assert_close(ours, run(optimizer, params, grads, extra), tolerance)


def assert_jits(
    optimizer: Any, extra: Extra | None = None, *, steps: int = 8, tolerance: float = 1e-12
) -> None:
    """Require the same steps inside `jax.jit`, where step and hyperparameters are traced arrays."""
    jax = pytest.importorskip("jax")
    backend = load("jax")
    params, grads = _case(small_tree(), steps)
    w = from_numpy(backend, params)
    state, step = optimizer.init(w), jax.jit(optimizer.step)
    for n, g in enumerate(grads):
        keywords = from_numpy(backend, extra(n)) if extra else {}
        w, state = step(w, from_numpy(backend, g), state, **keywords)
    assert_close(to_numpy(backend, w), run(optimizer, params, grads, extra), tolerance)


def assert_differentiable(
    backend: Backend,
    optimizer: Any,
    extra: Extra | None = None,
    *,
    steps: int = 3,
    tolerance: float = 1e-6,
) -> None:
    """Require the gradient of a sum of squares after some steps to be that of differences.

    The gradients that are fed to the optimizer are those of a cost, so that everything moves.
    """
    start = {"a": np.asarray([[0.7, -1.3], [0.4, 2.0]]), "b": np.asarray(0.9)}

    def end(params: Any, backend: Backend) -> Any:
        state, w = optimizer.init(params), params
        for n in range(steps):
            keywords = from_numpy(backend, extra(n)) if extra else {}
            grads = map_leaves(lambda x: 0.5 * x + 0.1 * x * x, w)
            w, state = optimizer.step(w, grads, state, **keywords)
        sums = [array_namespace(x).sum(x * x) for x in flatten(w)[0]]
        return functools.reduce(lambda x, y: x + y, sums)

    found = to_numpy(backend, ag.grad(lambda w: end(w, backend))(from_numpy(backend, start)))
    numpy, size = load("numpy"), 1e-6
    for name, sign in (("a", np.asarray([[1.0, -0.5], [2.0, 0.3]])), ("b", np.asarray(1.0))):
        ends = [float(end({**start, name: start[name] + s * size * sign}, numpy)) for s in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * size)
        assert np.sum(found[name] * sign) == pytest.approx(slope, rel=tolerance, abs=1e-7)


# --- costs to descend -----------------------------------------------------------------------------


def _quadratic(w: Any) -> tuple[float, Any]:
    scales = np.asarray([1.0, 3.0, 10.0])
    return 0.5 * float(np.sum(scales * w * w)), scales * w


def _rosenbrock(w: Any) -> tuple[float, Any]:
    x, y = w
    slope = y - x * x
    value = (1 - x) ** 2 + 100 * slope**2
    return float(value), np.asarray([-2 * (1 - x) - 400 * x * slope, 200 * slope])


@functools.cache
def _tumours() -> tuple[Any, Any]:
    """Return scikit-learn's measurements of tumours, standardized, and the labels as -1 or 1."""
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.column_stack([x, np.ones(len(x))]), 2.0 * y - 1


def _logistic(w: Any) -> tuple[float, Any]:
    x, y = _tumours()
    margins = y * (x @ w)
    return float(np.mean(np.logaddexp(0, -margins))), -(y / (1 + np.exp(margins))) @ x / len(x)


COSTS: dict[str, tuple[Callable[[Any], tuple[float, Any]], Any]] = {
    "quadratic": (_quadratic, np.asarray([1.0, -2.0, 0.5])),
    "rosenbrock": (_rosenbrock, np.asarray([-1.2, 1.0])),
    "logistic": (_logistic, np.zeros(31)),
}
"""By name: a function of the parameters to the cost and its gradient, and where to start."""


def assert_descends(
    optimizer: Any,
    cost: str,
    *,
    steps: int = 200,
    to: float = 0.5,
    extra: Callable[[float, Any], dict[str, Any]] | None = None,
) -> None:
    """Require that steps bring a cost of `COSTS` below a fraction of what it was at first.

    `extra` returns what a step asks for beside the gradient, of the cost and the parameters.
    """
    function, params = COSTS[cost]
    first, _ = function(params)
    state = optimizer.init(params)
    for _ in range(steps):
        value, grads = function(params)
        keywords = extra(value, params) if extra else {}
        params, state = optimizer.step(params, grads, state, **keywords)
    last, _ = function(params)
    assert last < to * first, f"{cost}: {first} became {last} in {steps} steps"
