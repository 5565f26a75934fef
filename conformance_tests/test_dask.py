"""Gradients of dask arrays in several uneven chunks: NumPy's, lazy, in the chunks of the argument.

The suite itself runs on one chunk, `--array-backend=dask.array`.
"""

import collections

import numpy as np
import pytest

import arraygrad as ag
from arraygrad import errors
from arraygrad._namespace import array_namespace
from conformance_tests.trees import assert_close, leaves, map_tree

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

CHUNKS = ((3, 1, 2), (1, 4))
X = np.random.default_rng(0).uniform(0.5, 2.0, (6, 5))
W = np.random.default_rng(1).uniform(0.5, 2.0, (5, 4))
SQUARE = X[:5] + 3 * np.eye(5)
ROWS = np.asarray([4, 0, 4, -1, 2, 4, 1])
MASK = X > 1.1

pytestmark = pytest.mark.filterwarnings("ignore::dask.array.PerformanceWarning")


@pytest.fixture(autouse=True)
def only_tests_compute():
    """Refuse to compute but where a test says `value`."""

    def refuse(*_, **__):
        message = "somebody asked for a value"
        raise AssertionError(message)

    with dask.config.set(scheduler=refuse):
        yield


def value(tree):
    """Compute the arrays of a tree, together."""
    with np.errstate(all="ignore"):
        found = iter(dask.compute(*leaves(tree), scheduler="synchronous"))
    return map_tree(lambda _: next(found), tree)


def chunked(x, chunks=None):
    """Return an array in uneven chunks."""
    x = np.asarray(x)
    return da.from_array(x, chunks=chunks or tuple((1, n - 1) if n > 1 else (n,) for n in x.shape))


def in_chunks(x):
    return da.from_array(x, chunks=CHUNKS)


def like(x, array):
    """Return a constant in the library of `x`, in chunks of its own."""
    return chunked(array) if "dask" in array_namespace(x).__name__ else array


def weighted(y):
    """Reduce with weights of its own for each element."""
    xp = array_namespace(y)
    n = int(np.prod(y.shape))
    return xp.sum(y * xp.reshape(xp.arange(1.0, n + 1.0), y.shape))


FUNCTIONS = {
    # elementwise
    "chain": lambda xp, x: xp.exp(-x) * xp.sin(x) / (1 + x**2),
    "broadcast": lambda xp, x: x * xp.mean(x, axis=0) + xp.sum(x, axis=1, keepdims=True),
    "where": lambda xp, x: xp.where(x > 1.1, x * x, -x),
    "clip": lambda xp, x: xp.clip(x, 0.8, 1.7) + xp.maximum(x, 1.1),
    # reductions
    "sum": lambda xp, x: xp.sum(x**3, axis=1),
    "mean": lambda xp, x: xp.mean(x * x),
    "var": lambda xp, x: xp.var(x, axis=0, correction=1.0),
    "std": lambda xp, x: xp.std(x, axis=(0, 1)),
    "max": lambda xp, x: xp.max(x, axis=1) - xp.min(x),
    "prod": lambda xp, x: xp.prod(x, axis=0),
    "norm": lambda xp, x: xp.linalg.vector_norm(x, axis=1),
    # products
    "matmul": lambda xp, x: x @ like(x, W),
    "matmul by a vector": lambda xp, x: x @ like(x, W[:, 0]),
    "matmul from the left": lambda xp, x: like(x, W.T) @ xp.matrix_transpose(x),
    "both operands": lambda xp, x: xp.matmul(xp.matrix_transpose(x), x),
    "tensordot": lambda xp, x: xp.tensordot(x, like(x, W), axes=([1], [0])),
    "tensordot over both": lambda xp, x: xp.tensordot(x, x * x, axes=2),
    "vecdot": lambda xp, x: xp.vecdot(x, x**2),
    # indexing
    "slices": lambda xp, x: x[1:5:2, ::-1] * x[0, None, :],
    "one element": lambda xp, x: x[4, 2] * x[-1],
    "nothing": lambda xp, x: xp.sum(x[2:2] ** 2) + x,
    "take": lambda xp, x: xp.take(x, like(x, ROWS), axis=0) ** 2,
    "take columns": lambda xp, x: xp.take(x, like(x, ROWS[:3] % 5), axis=1) ** 2,
    "integers": lambda xp, x: x[like(x, ROWS)] ** 2,
    "integers behind a slice": lambda xp, x: x[2:, like(x, ROWS[:3] % 5)] ** 2,
    "integers behind an integer": lambda xp, x: x[2, like(x, ROWS % 5)] ** 2,
    "integers for both axes": lambda xp, x: x[like(x, ROWS), like(x, ROWS % 5)] ** 2,
    "along an axis": lambda xp, x: xp.take_along_axis(x, xp.argsort(x, axis=0), axis=0),
    "mask": lambda xp, x: xp.sum(x[x > 1.1] ** 2),
    "mask of rows": lambda xp, x: xp.sum(x[x[:, 0] > 1.1] ** 2, axis=0),
    "extreme of a mask": lambda xp, x: xp.max(x[x > 1.1] ** 2),
    # moving
    "concat": lambda xp, x: xp.concat([x, x[:2] ** 2], axis=0),
    "stack": lambda xp, x: xp.stack([x, x**2], axis=1),
    "reshape": lambda xp, x: xp.reshape(x, (3, 10)) ** 2,
    "reshape across": lambda xp, x: xp.reshape(xp.reshape(x, (-1,)), (5, 6)) ** 2,
    "transpose": lambda xp, x: xp.permute_dims(x, (1, 0)) ** 2,
    "flip and roll": lambda xp, x: xp.roll(xp.flip(x, axis=1), 2, axis=0) ** 2,
    "broadcast_to": lambda xp, x: xp.broadcast_to(x[:, None, :], (6, 3, 5)) ** 2,
    "tile": lambda xp, x: xp.tile(x, (2, 1)) ** 2,
    "repeat": lambda xp, x: xp.repeat(x, 3, axis=1) ** 2,
    "sort": lambda xp, x: xp.sort(x, axis=0),
    # cumulative
    "cumulative_sum": lambda xp, x: xp.cumulative_sum(x, axis=0) ** 2,
    "cumulative_prod": lambda xp, x: xp.cumulative_prod(x, axis=1),
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


def function_of(name):
    return lambda x: weighted(FUNCTIONS[name](array_namespace(x), x))


@every_function
def test_value_and_gradient_are_those_of_numpy(name):
    f = function_of(name)
    found = list(ag.value_and_grad(f)(in_chunks(X)))
    assert found[1].chunks == CHUNKS
    assert_close(value(found), list(ag.value_and_grad(f)(X)), 1e-12)


@every_function
def test_hessian_vector_product_is_that_of_numpy(name):
    f = function_of(name)
    v = np.cos(X)
    found = ag.hvp(f, (in_chunks(X),), (in_chunks(v),))[0]
    assert found.chunks == CHUNKS
    assert_close(value(found), ag.hvp(f, (X,), (v,))[0], 1e-11)


def square(x):
    """Return a matrix in square chunks, for which dask has algorithms of its own."""
    return da.from_array(x, chunks=(3, 3))


@pytest.mark.parametrize(
    "name", ["inv", "cholesky", "det", "slogdet", "svdvals", "pinv", "eigvalsh"]
)
def test_matrices_in_chunks(name):
    def f(x):
        xp = array_namespace(x)
        x = x @ xp.matrix_transpose(x) if name in ("cholesky", "eigvalsh") else x
        y = getattr(xp.linalg, name)(x)
        return weighted(y[1] if name == "slogdet" else y)

    found = ag.grad(f)(square(SQUARE))
    assert found.chunks == square(SQUARE).chunks
    assert_close(value(found), ag.grad(f)(SQUARE), 1e-9)


def test_both_sides_of_a_solution_in_chunks():
    def f(a, b):
        return weighted(array_namespace(a).linalg.solve(a, b))

    found = ag.grad(f, (0, 1))(square(SQUARE), chunked(W))
    assert_close(value(found), ag.grad(f, (0, 1))(SQUARE, W), 1e-10)


# --- writing --------------------------------------------------------------------------------------

WRITES = {
    "slices": ((slice(1, 5), slice(None, None, 2)), (4, 3)),
    "an element": ((2, 3), ()),
    "rows": ((ROWS[[0, 1, 4]],), (3, 5)),
    "rows several times": ((ROWS,), (7, 5)),
    "columns": ((slice(None), ROWS % 5), (6, 7)),
    "elements": ((ROWS, ROWS % 5), (7,)),
    "a mask": ((MASK,), ()),
    "a mask, one value for each": ((MASK,), (int(MASK.sum()),)),
}


@pytest.mark.parametrize("name", WRITES)
def test_assigned_values_have_gradients(name):
    key, shape = WRITES[name]
    v = np.random.default_rng(2).uniform(1, 2, shape)

    def f(x, v):
        at = tuple(like(x, part) if isinstance(part, np.ndarray) else part for part in key)
        y = x * 1.0
        y[at if len(at) > 1 else at[0]] = v
        return weighted(y * y)

    found = ag.value_and_grad(f, (0, 1))(in_chunks(X), chunked(v))
    assert found[1][0].chunks == CHUNKS
    assert_close(value(found), ag.value_and_grad(f, (0, 1))(X, v), 1e-12)


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_rows_read_from_many_chunks_add_up(chunk):
    # More values than rows: they are summed in parts.
    rows = np.random.default_rng(3).integers(-6, 6, 50)
    f = lambda x, rows: weighted(x[rows] ** 2)
    found = ag.grad(f)(in_chunks(X), da.from_array(rows, chunks=chunk))
    assert_close(value(found), ag.grad(f)(X, rows), 1e-12)


# --- laziness -------------------------------------------------------------------------------------


def loaded(x, chunks, counts):
    """Return an array that counts how often each of its chunks is loaded."""

    def load(block_info=None):
        where = tuple(block_info[None]["array-location"])
        counts[where] += 1
        return x[tuple(slice(*ends) for ends in where)]

    return da.map_blocks(load, chunks=chunks, dtype=x.dtype, meta=np.empty((0, 0)))


def logistic_loss(params, x, y):
    xp = array_namespace(params["w"])
    z = x @ params["w"] + params["b"]
    return xp.mean(xp.log1p(xp.exp(-xp.abs(z))) + xp.maximum(z, 0) - z * y)


def test_value_and_gradient_load_each_chunk_once():
    counts = collections.Counter()
    data = loaded(X, ((3, 1, 2), (5,)), counts)
    labels = da.from_array(np.asarray([1.0, 0, 1, 1, 0, 0]), chunks=((3, 1, 2),))
    params = {"w": da.from_array(W[:, 0]), "b": da.from_array(np.asarray(0.5))}
    found = ag.value_and_grad(logistic_loss)(params, data, labels)
    assert not counts
    expected = ag.value_and_grad(logistic_loss)(value(params), X, value(labels))
    assert_close(list(value(found)), list(expected), 1e-12)
    assert sorted(counts.values()) == [1, 1, 1]


@pytest.mark.parametrize("order", ["grad", "hvp"])
def test_the_argument_itself_is_loaded_once(order):
    counts = collections.Counter()
    x = loaded(X, CHUNKS, counts)
    f = function_of("chain")
    found = ag.grad(f)(x) if order == "grad" else ag.hvp(f, (x,), (in_chunks(X),))
    assert not counts
    value(found)
    assert sorted(counts.values()) == [1] * 6


def test_tasks_grow_in_proportion_to_chunks():
    def tasks(n):
        x = da.ones((60 * n, 5), chunks=(60, 5))
        found = ag.value_and_grad(logistic_loss)(
            {"w": da.ones(5), "b": da.zeros(())}, x, da.ones(60 * n, chunks=60)
        )
        return len(dask.optimize(found)[0][1]["w"].__dask_graph__())

    assert tasks(80) < 9 * tasks(10)


def test_branches_ask_for_their_condition_only():
    f = lambda x: weighted(x) if (x > 0).all() else -weighted(x)
    with pytest.raises(AssertionError, match="asked for a value"):
        ag.grad(f)(in_chunks(X))


def test_gradients_that_are_not_finite_raise_when_computed():
    f = lambda tree: weighted(array_namespace(tree["w"]).sqrt(tree["w"]))
    found = ag.grad(f, nonfinite="raise")({"w": in_chunks(np.where(MASK, X, 0))})
    with pytest.raises(errors.NonFiniteError, match=r"\['w'\] holds an infinity or a NaN"):
        value(found)


def test_functions_of_dask_itself_are_refused_and_those_of_numpy_serve():
    with pytest.raises(errors.GraphBreakError, match="would lose its gradient"):
        ag.grad(lambda x: da.sum(x * x))(in_chunks(X))
    found = ag.grad(lambda x: np.sum(np.sin(x)))(in_chunks(X))
    assert_close(value(found), np.cos(X), 1e-14)


@pytest.mark.parametrize("name", ["mean", "var", "std", "prod"])
def test_a_length_that_nobody_knows_yet_is_refused(name):
    f = lambda x: getattr(array_namespace(x), name)(x[x > 1.1])
    with pytest.raises(errors.ShapeError, match="expected known lengths along axis None"):
        ag.grad(f)(in_chunks(X))


def test_what_is_written_at_a_mask_may_have_an_unknown_length():
    def f(x):
        y = x * 1.0
        y[x > 1.1] = x[x > 1.1] ** 2
        return weighted(y)

    assert_close(value(ag.grad(f)(in_chunks(X))), ag.grad(f)(X), 1e-12)


# --- trees, optimizers ----------------------------------------------------------------------------


def test_nested_containers_keep_structure_and_chunks():
    def f(tree):
        xp = array_namespace(tree["layers"][0])
        return xp.sum(xp.tanh(tree["layers"][0] @ tree["layers"][1])) + xp.sum(tree["deep"].b ** 2)

    tree = {"layers": [X, W], "deep": ag.Container(b=X[0])}
    given = {"layers": [in_chunks(X), chunked(W)], "deep": ag.Container(b=chunked(X[0]))}
    found = ag.grad(f)(given)
    assert map_tree(lambda x: x.chunks, found) == map_tree(lambda x: x.chunks, given)
    assert_close(value(found), ag.grad(f)(tree), 1e-12)


OPTIMIZERS = {
    "sgd": lambda: ag.optimizers.sgd(0.1, momentum=0.9),
    "adam": lambda: ag.optimizers.adam(0.1),
    "adamw": lambda: ag.optimizers.adamw(0.1, weight_decay=0.01),
    "lamb": lambda: ag.optimizers.lamb(0.1),
    "lion": lambda: ag.optimizers.lion(0.1),
    "rmsprop": lambda: ag.optimizers.rmsprop(0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_stay_lazy_and_in_chunks(name):
    f, optimizer = function_of("chain"), OPTIMIZERS[name]()

    def run(x):
        params, state = {"x": x}, optimizer.init({"x": x})
        for _ in range(3):
            gradients = {"x": ag.grad(f)(params["x"])}
            params, state = optimizer.step(params, gradients, state)
        return params["x"]

    found = run(in_chunks(X))
    assert found.chunks == CHUNKS
    assert_close(value(found), run(X), 1e-12)


def test_a_function_of_the_page_stays_lazy():
    g, m, v = X - 1, 0.1 * X, 0.2 * X
    found = ag.adam_update(*map(in_chunks, (X, g)), 0.1, *map(in_chunks, (m, v)), 3)
    assert all(x.chunks == CHUNKS for x in found)
    assert_close(list(value(found)), list(ag.adam_update(X, g, 0.1, m, v, 3)), 1e-13)
