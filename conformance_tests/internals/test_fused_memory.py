"""Arrays in odd memory run as they are written, or fused as all others: with the same numbers."""

import warnings

import numpy as np
import pytest

from arraygrad.errors import OutError, ShapeError
from arraygrad.fusion import loop, use_executor
from arraygrad.optimizers import adam, sgd

EXECUTORS = ["blocked", *(["numba"] if loop.available() else [])]


def trained(optimizer, params, grads, steps=3, donate=False):
    """Return a list of parameters after some steps."""
    state = optimizer.init(params)
    for _ in range(steps):
        params, state = optimizer.step(params, grads, state, donate=donate)
    return params


# --- byte order -----------------------------------------------------------------------------------


@pytest.mark.parametrize("donate", [False, True])
@pytest.mark.parametrize("count", [1, 2, 6])
@pytest.mark.parametrize("foreign", ["params", "grads", "both"])
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_the_other_byte_order_gives_the_same_numbers(kind, executor, foreign, count, donate):
    other = np.dtype(kind).newbyteorder()
    w_dtype = kind if foreign == "grads" else other
    g_dtype = kind if foreign == "params" else other
    params = [np.linspace(1, 2, 5 + n).astype(w_dtype) for n in range(count)]
    grads = [np.linspace(-1, 1, 5 + n).astype(g_dtype) for n in range(count)]
    with use_executor("plain"):
        native = [[x.astype(kind) for x in column] for column in (params, grads)]
        expected = trained(adam(0.1), *native)
    with use_executor(executor):
        found = trained(adam(0.1), params, grads, donate=donate)
    for ours, plain, w in zip(found, expected, params, strict=True):
        assert ours.dtype == w.dtype
        np.testing.assert_allclose(ours, plain, rtol=1e-6 if kind == "f4" else 1e-14)


# --- donated arrays beside each other -------------------------------------------------------------


def interleaved(count, size=5):
    """Return the columns of one array, each of them between the others' elements."""
    memory = np.linspace(1, 2, count * size).reshape(size, count)
    return memory, [memory[:, n] for n in range(count)]


def test_a_parameter_and_its_slot_may_be_interleaved():
    optimizer, g = sgd(0.1, momentum=0.9), np.linspace(-1, 1, 5)
    _, (w, velocity) = interleaved(2)
    (name,) = optimizer.init(w).slots
    state = optimizer.init(w)._replace(slots={name: velocity})
    expected, after = optimizer.step(w, g, state)
    found, new = optimizer.step(w, g, state, donate=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(new.slots[name], after.slots[name])


def test_leaves_may_be_interleaved_with_others_and_with_gradients():
    optimizer = sgd(0.1)
    _, (a, b, g) = interleaved(3)
    rows = np.linspace(1, 2, 20).reshape(5, 2, 2)
    between, around = rows[1, 0], rows[:, 1]
    for params, grads in (([a, b], [g, b]), ([between, around], [rows[2, 0], rows[:, 0]])):
        expected, _ = optimizer.step(params, grads, optimizer.init(params))
        found, _ = optimizer.step(params, grads, optimizer.init(params), donate=True)
        for ours, plain in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, plain)


@pytest.mark.parametrize(
    "share",
    [
        lambda x: (x[:, 0], x[:, 0]),
        lambda x: (x[:, :2], x[:, 1]),
        lambda x: (x, x[:, 1]),
        lambda x: (x.reshape(-1)[:4], x.reshape(-1)[3:]),
    ],
)
def test_interleaved_arrays_that_share_an_element_are_refused(share):
    optimizer, memory = sgd(0.1), np.ones((5, 3))
    params = list(share(memory))
    grads = [np.ones(x.shape) for x in params]
    with pytest.raises(OutError, match="donated arrays share memory: array 0 of leaf 0 and 0 of"):
        optimizer.step(params, grads, optimizer.init(params), donate=True)
    np.testing.assert_array_equal(memory, 1)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_slot_that_is_another_one_is_refused_among_many_leaves(library):
    xp, optimizer = pytest.importorskip(library), adam(0.1)
    params = [xp.ones(3) for _ in range(6)]
    params, state = optimizer.step(params, params, optimizer.init(params))
    shared = state._replace(slots=dict.fromkeys(state.slots, state.slots["mu"]))
    with pytest.raises(OutError, match="donated arrays share memory"):
        optimizer.step(params, params, shared, donate=True)
    assert all(abs(float(x[0]) - 0.9) < 1e-6 for x in params)


# --- leaves that change their shape between two steps ---------------------------------------------


@pytest.mark.parametrize("donate", [False, True])
def test_leaves_reshaped_in_place_have_their_new_shapes_after_the_next_step(donate):
    optimizer = adam(0.1)
    params, grads = [np.ones(6) for _ in range(5)], [np.ones(6) for _ in range(5)]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    for x in (params[2], grads[2], *(slot[2] for slot in state.slots.values())):
        reshape_in_place(x, (2, 3))
    for _ in range(2):
        params, state = optimizer.step(params, grads, state, donate=donate)
        for tree in (params, *state.slots.values()):
            assert [x.shape for x in tree] == [x.shape for x in grads]
    np.testing.assert_allclose(params[2], 0.7)


def test_a_slot_is_refused_where_only_its_parameter_was_reshaped_in_place():
    optimizer = adam(0.1)
    params, grads = [np.ones(6) for _ in range(5)], [np.ones(6) for _ in range(5)]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    reshape_in_place(params[2], (2, 3))
    reshape_in_place(grads[2], (2, 3))
    with pytest.raises(ShapeError, match=r"`state.slots\['mu'\]` at \[2\] has shape \(6,\)"):
        optimizer.step(params, grads, state)


def reshape_in_place(x, shape):
    """Give an array another shape, and leave it the same object."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        x.shape = shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("epsilon", [1e-8, 1e-30, 0.0])
@pytest.mark.parametrize("odd", [0.0, -1.0, "denormal", np.nan, np.inf])
@pytest.mark.parametrize("size", [100, 50_000])
def test_a_root_is_bounded_where_that_matters(size, odd, epsilon, dtype):
    """A look for small and negative numbers is left out where ε hides what it would find."""
    tiny = np.finfo(dtype).smallest_normal
    optimizer, w = adam(0.1, epsilon=epsilon), np.ones(size, dtype)
    state = optimizer.init(w)
    state.slots["nu"][: size // 2] = tiny / 8 if odd == "denormal" else odd
    g = np.zeros_like(w)
    g[::3] = 0.5

    def run(executor):
        with use_executor(executor), np.errstate(all="ignore"):
            return optimizer.step(w, g, state)

    (found, slots), (expected, plain) = run("blocked"), run("plain")
    np.testing.assert_array_max_ulp(found, expected, 4)
    np.testing.assert_allclose(slots.slots["nu"], plain.slots["nu"], rtol=1e-6, atol=2 * tiny)
