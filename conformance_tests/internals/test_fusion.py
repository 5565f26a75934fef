"""Kernels, fused: the same numbers as the plain expression, whoever runs them and on whatever."""

import inspect
import pickle

import array_api_compat.numpy as xp
import numpy as np
import pytest
import torch

from arraygrad import fusion, optimizers
from arraygrad.errors import HyperparameterError, OutError, ShapeError
from arraygrad.fusion import explain, loop, memory, packed, use_executor
from arraygrad.fusion.threads import split
from arraygrad.fusion.trace import trace
from arraygrad.kernels.lamb import lamb_ivy
from arraygrad.optimizers import KernelOptimizer, adam, sm3

RATES = {"learning_rate": 0.1, "step": 3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
EXECUTORS = ["blocked", *(["numba"] if loop.available() else [])]


def kernel_optimizers():
    """Return every optimizer that is one kernel, at its defaults."""
    found = {}
    for name in optimizers.__all__:
        factory = getattr(optimizers, name)
        parameters = inspect.signature(factory).parameters if inspect.isfunction(factory) else {}
        if "learning_rate" in parameters and "optimizer" not in parameters:
            optimizer = factory(0.01)
            if type(optimizer) is KernelOptimizer:
                found[name] = optimizer
    return found


OPTIMIZERS = kernel_optimizers()


def arrays_of(optimizer, size, dtype, seed=0):
    """Draw a parameter, a gradient, and trees of extra arrays; slots as after some steps."""
    rng = np.random.default_rng(seed)
    w, g = (rng.normal(size=size).astype(dtype) for _ in range(2))
    extra = {name: abs(rng.normal(size=size)).astype(dtype) for name in optimizer._arrays}
    extra |= dict.fromkeys(optimizer._values, 0.5)
    state = optimizer.init(w)
    with use_executor("plain"):
        for _ in range(3):
            w, state = optimizer.step(w, rng.normal(size=size).astype(dtype), state, **extra)
    return w, g, state, extra


def assert_same(ours, plain, like, dtype):
    """Compare two results: 4 units in the last place of what was added up."""
    scale = np.maximum(np.abs(plain), np.abs(like)).astype(np.float64)
    tolerance = 4 * np.finfo(dtype).eps * scale + np.finfo(dtype).smallest_normal
    assert ours.dtype == plain.dtype
    assert np.all(np.abs(ours.astype(np.float64) - plain) <= tolerance)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_fused_equals_unfused(name, dtype, executor):
    optimizer = OPTIMIZERS[name]
    w, g, state, extra = arrays_of(optimizer, (37, 5), dtype)
    with use_executor("plain"):
        expected, after = optimizer.step(w, g, state, **extra)
    with use_executor(executor):
        found, fused = optimizer.step(w, g, state, **extra)
    assert_same(found, expected, w, dtype)
    for slot in after.slots:
        largest = np.maximum(np.abs(np.asarray(state.slots[slot])), np.max(np.abs(g)))
        assert_same(fused.slots[slot], after.slots[slot], largest, dtype)


def test_most_optimizers_are_fused():
    def program(optimizer):
        arrays = 2 + len(optimizer._slots) + len(optimizer._arrays)
        return trace(optimizer.kernel, xp, np.dtype("float32"), arrays, len(optimizer._slots), True)

    plain = {name for name, optimizer in OPTIMIZERS.items() if program(optimizer) is None}
    assert len(plain) <= 4, plain


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("donate", [False, True])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x,
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: np.asfortranarray(x),
        lambda x: x[::-1],
        lambda x: np.broadcast_to(x[:1], x.shape),
    ],
    ids=["contiguous", "strided", "transposed", "reversed", "read-only"],
)
def test_the_layout_does_not_matter(spoil, donate, executor):
    optimizer = adam(0.1)
    w, g, state, _ = arrays_of(optimizer, (9, 4), "float64")
    w, g = spoil(w), spoil(g)
    with use_executor("plain"):
        expected, _ = optimizer.step(np.array(w), np.array(g), state)
    with use_executor(executor):
        found, _ = optimizer.step(w, g, state, donate=donate)
    assert_same(found, expected, w, "float64")


@pytest.mark.parametrize("executor", EXECUTORS)
def test_without_donation_nothing_changes(executor):
    optimizer = adam(0.1)
    w, g, state, _ = arrays_of(optimizer, 50, "float32")
    copies = [x.copy() for x in (w, g, *state.slots.values())]
    with use_executor(executor):
        optimizer.step(w, g, state)
    for x, copy in zip((w, g, *state.slots.values()), copies, strict=True):
        np.testing.assert_array_equal(x, copy)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_gradient_that_overlaps_its_parameter_is_read_first(executor):
    optimizer, memory_ = adam(0.1), np.linspace(1, 2, 60)
    w, g = memory_[:50], memory_[5:55]
    expected, _ = optimizer.step(w.copy(), g.copy(), optimizer.init(w))
    with use_executor(executor):
        found, _ = optimizer.step(w, g, optimizer.init(w), donate=True)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_small_step_starts_no_threads_of_numba(monkeypatch):
    """They are torch's, where both use one OpenMP: its number of threads would change."""
    parallel = pytest.importorskip("numba.np.ufunc.parallel")
    monkeypatch.setattr(parallel, "_launch_threads", lambda: pytest.fail("threads are started"))
    memory._staged.cache_clear()
    w = np.ones(5)
    with use_executor("numba"):
        adam(0.1).step(w, w, adam(0.1).init(w))


def test_memory_cannot_be_given_away_twice():
    optimizer, memory_ = adam(0.1), np.ones(60)
    params = {"a": memory_[:50], "b": memory_[10:]}
    grads = {name: np.ones(50) for name in params}
    with pytest.raises(OutError, match=r"donated arrays share memory"):
        optimizer.step(params, grads, optimizer.init(params), donate=True)
    np.testing.assert_array_equal(memory_, np.ones(60))


def many_leaves(rng, dtype="float32"):
    return [rng.normal(size=(3, n)).astype(dtype) for n in range(12)]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("donate", [False, True])
@pytest.mark.parametrize("convert", [np.asarray, torch.asarray], ids=["numpy", "torch"])
def test_small_leaves_run_together_and_may_be_changed_between_steps(convert, donate, executor):
    rng, optimizer = np.random.default_rng(0), adam(0.1)
    start = [*many_leaves(rng), *many_leaves(rng, "float64"), np.asarray(2.0), np.ones(40_000)]
    grads = [[rng.normal(size=x.shape).astype(x.dtype) for x in start] for _ in range(6)]

    def run(executor, donate):
        params = [convert(x.copy()) for x in start]
        state = optimizer.init(params)
        with use_executor(executor):
            for turn, g in enumerate(grads):
                params, state = optimizer.step(params, list(map(convert, g)), state, donate=donate)
                if turn == 2:  # shapes 3 x 5 in both halves, of different dtypes
                    params = list(params)
                    params[5] = convert(np.asarray(params[5]) * 0.5)
                    params[0], params[12] = params[0] * 1, params[12] * 1
        return [np.asarray(x) for x in params]

    for ours, plain, like in zip(run(executor, donate), run("plain", False), start, strict=True):
        assert ours.shape == plain.shape
        np.testing.assert_allclose(ours, plain, rtol=0, atol=2e-6 if like.dtype == "f4" else 1e-13)


@pytest.mark.parametrize("convert", [np.asarray, torch.asarray], ids=["numpy", "torch"])
def test_swapped_leaves_are_not_mistaken_for_those_of_the_last_step(convert):
    optimizer = adam(0.1)
    params = [convert(np.full(3, float(n))) for n in range(6)]
    grads = [convert(np.ones(3)) for _ in params]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    swapped = [params[1], params[0], *params[2:]]
    found, _ = optimizer.step(swapped, grads, state, donate=True)
    assert found[0][0] > found[1][0]


@pytest.mark.parametrize("which", ["parameter", "gradient"])
def test_small_leaves_in_a_graph_stay_in_it(which):
    optimizer = adam(0.1)
    params = [torch.full((3,), float(n)) for n in range(6)]
    grads = [torch.ones(3) for _ in params]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    leaf = {"parameter": params, "gradient": grads}[which][2].requires_grad_()
    before = leaf.detach().clone()
    found, _ = optimizer.step(params, grads, state, donate=True)
    assert found[2].requires_grad
    (slope,) = torch.autograd.grad(found[2].sum(), leaf)
    assert (which == "parameter") == bool(torch.all(slope == 1))
    assert torch.equal(leaf.detach(), before)


@pytest.mark.parametrize("convert", [np.asarray, torch.asarray], ids=["numpy", "torch"])
def test_gradients_of_another_dtype_run_leaf_by_leaf(convert):
    optimizer = adam(0.1)
    params = [convert(np.full(3, n, "float32")) for n in range(6)]
    grads = [convert(np.linspace(-1, 1, 3, dtype="float32")) for _ in params]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    wide = [convert(np.asarray(g, "float64")) for g in grads]
    found, _ = optimizer.step(params, wide, state, donate=True)
    with use_executor("plain"):
        expected, _ = optimizer.step(params, wide, state)
    for ours, plain in zip(found, expected, strict=True):
        assert ours.dtype == plain.dtype
        np.testing.assert_allclose(np.asarray(ours), np.asarray(plain), rtol=1e-6)


def test_a_gradient_of_another_shape_is_refused_among_many_leaves():
    optimizer = adam(0.1)
    params = [np.ones((2, 3)) for _ in range(6)]
    grads = [np.ones((2, 3)) for _ in params]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    grads[4] = grads[4].T
    with pytest.raises(ShapeError, match=r"`grads` at \[4\] has shape \(3, 2\)"):
        optimizer.step(params, grads, state, donate=True)
    assert params[0][0, 0] == params[4][0, 0]


@pytest.mark.parametrize("moved", ["data", "turned"])
def test_tensors_that_were_moved_between_steps_are_gathered_anew(moved):
    optimizer = adam(0.1)
    params = [torch.arange(4.0).reshape(2, 2) + n for n in range(6)]
    grads = [torch.ones(2, 2) for _ in params]
    params, state = optimizer.step(params, grads, optimizer.init(params))
    if moved == "data":
        params[2].data = torch.full((2, 2), 7.0)
    else:
        params[2].t_()
    with use_executor("plain"):
        expected, _ = optimizer.step([x.clone() for x in params], grads, state)
    found, _ = optimizer.step(params, grads, state, donate=True)
    for ours, plain in zip(found, expected, strict=True):
        assert torch.allclose(ours, plain, atol=1e-6)


def test_leaves_that_died_leave_nothing_behind():
    optimizer, known = adam(0.1), len(packed._homes)
    params = [torch.ones(3) for _ in range(6)]
    grads = [torch.ones(3) for _ in params]
    params, state = optimizer.step(params, grads, optimizer.init(params), donate=True)
    assert len(packed._homes) == known + 3 * len(params)
    del params, state
    assert len(packed._homes) == known


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_moments_never_stay_denormal(executor, dtype):
    tiny = np.finfo(dtype).smallest_normal
    optimizer, w = adam(0.1), np.ones(5000, dtype)
    state = optimizer.init(w)
    slots = {name: np.full_like(x, tiny * 0.9) for name, x in state.slots.items()}
    with use_executor(executor):
        _, state = optimizer.step(w, np.zeros_like(w), state._replace(slots=slots))
    assert all(np.all(x == 0) for x in state.slots.values())


@pytest.mark.parametrize("executor", EXECUTORS)
def test_nan_and_infinity_stay(executor):
    optimizer, w = adam(0.1), np.ones(3)
    g = np.asarray([np.nan, np.inf, 1.0])
    with use_executor("plain"), np.errstate(all="ignore"):
        expected, _ = optimizer.step(w, g, optimizer.init(w))
    with use_executor(executor), np.errstate(all="ignore"):
        found, _ = optimizer.step(w, g, optimizer.init(w))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_sums_over_several_blocks_and_outputs_that_wait(executor):
    def kernel(xp, w, g, m, *, rate):
        """The slot is written first, and its old value read once more after the sum."""
        norm = xp.sqrt(xp.sum(g * g))
        return -rate * g / norm + 0.5 * m, m + g

    rng = np.random.default_rng(0)
    w, g, m = (rng.normal(size=600_007) for _ in range(3))
    expected = (w - 0.1 * g / np.linalg.norm(g) + 0.5 * m, m + g)
    with use_executor(executor):
        found = fusion.evaluate(kernel, [[w], [g], [m]], {"rate": 0.1}, slots=1, donate=True)
    for (ours,), theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("size", [5, 70_000])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_truth_value_of_all_chooses_for_each(executor, size):
    def kernel(xp, w, g, *, bound):
        """The step is left out where the gradient is too long."""
        return (xp.where(xp.sum(g * g) > bound, 0 * g, -g),)

    w, g = np.zeros(size), np.ones(size)
    with use_executor(executor):
        for bound, expected in ((size + 1.0, -g), (size - 1.0, 0 * g)):
            ((found,),) = fusion.evaluate(kernel, [[w], [g]], {"bound": bound}, slots=0)
            np.testing.assert_array_equal(found, expected)


def test_names_that_the_printed_code_uses_are_no_trouble():
    def kernel(xp, w, block, *, i):
        return -i * block

    w, g = np.zeros(3), np.ones(3)
    ((found,),) = fusion.evaluate(kernel, [[w], [g]], {"i": 2.0}, slots=0)
    np.testing.assert_array_equal(found, -2 * g)


def test_parts_of_a_walk_are_added_up():
    seen = []

    def part(start, stop):
        seen.append((start, stop))
        return [float(stop - start)]

    assert split(part, 1_000_003, 1000) == [1_000_003.0]
    assert sorted(seen)[0][0] == 0
    assert sorted(seen)[-1][1] == 1_000_003


def test_what_symbols_cannot_follow_runs_as_it_is_written():
    def kernel(xp, w, g, *, rate):
        return -rate * xp.cumulative_sum(g)

    w, g = np.ones(3), np.ones(3)
    assert trace(kernel, xp, w.dtype, 2, 0, True) is None
    ((found,),) = fusion.evaluate(kernel, [[w], [g]], {"rate": 0.5}, slots=0)
    np.testing.assert_array_equal(found, [0.5, 0.0, -0.5])


def test_an_executor_must_be_known():
    with pytest.raises(HyperparameterError, match=r"`name` must be one of"):
        use_executor("gpu").__enter__()


def test_optimizers_and_states_can_be_pickled():
    optimizer, w = adam(0.1), np.ones(3)
    w, state = optimizer.step(w, w, optimizer.init(w))
    again = pickle.loads(pickle.dumps((optimizer, state)))
    np.testing.assert_array_equal(again[0].step(w, w, again[1])[0], optimizer.step(w, w, state)[0])


def test_explain_says_who_runs_and_what():
    w = np.ones(100_000, "float32")
    with use_executor("blocked"):
        text = explain(lamb_ivy, w, w, w, w)
    assert "cache-blocked NumPy" in text
    assert "stage 1" in text
    assert "total" in text
    assert "arrays that cannot be fused" in explain(lamb_ivy, w.astype(complex), w, w, w)
    assert "not elementwise" in explain(sm3(0.1), np.ones((3, 2)))
    with use_executor("plain"):
        assert "as was asked for" in explain(lamb_ivy, w, w, w, w)
