"""`torch.compile` of kernels; most tests run the printed walk without the compiler, at once."""

import shutil

import numpy as np
import pytest

from arraygrad.errors import OutError
from arraygrad.fusion import compiled, explain, use_executor
from arraygrad.optimizers import adam, lamb, sgd
from conformance_tests.cupy_kernels import OPTIMIZERS, program_of

torch = pytest.importorskip("torch")
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
FUSED = [name for name in OPTIMIZERS if program_of(name, "d") is not None]


def leaves(seed):
    """Return arrays of several dtypes and shapes: 0-d, zero-size and transposed ones, too."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape, dtype=torch.float64):
        return torch.randn(shape, dtype=dtype, generator=draw)

    return {
        "a": normal(3, 4), "b": normal(), "c": normal(0), "d": normal(5, dtype=torch.float32),
        "e": normal(4, 3).T,
    }  # fmt: skip


def run(optimizer, executor, *, donate=False):
    """Return parameters and slots after three steps."""
    w, *gradients = map(leaves, range(4))
    state = optimizer.init(w)
    extra = dict.fromkeys(optimizer._values, 1.5) | dict.fromkeys(optimizer._arrays, leaves(9))
    with use_executor(executor):
        for g in gradients:
            w, state = optimizer.step(w, g, state, donate=donate, **extra)
    return w, state.slots


def assert_same(found, expected):
    """Compare parameters, and each slot."""
    pairs = [(found[0], expected[0]), *((found[1][name], x) for name, x in expected[1].items())]
    for tree, other in pairs:
        for key, x in other.items():
            y = tree[key]
            assert (y.dtype, y.shape) == (x.dtype, x.shape)
            tolerance = TOLERANCE[x.dtype]
            torch.testing.assert_close(y, x, rtol=tolerance, atol=tolerance)


@pytest.fixture
def uncompiled(monkeypatch):
    """Run the walks as they are printed."""
    calls = []
    monkeypatch.setattr(torch, "compile", lambda f, **options: calls.append(options) or f)
    compiled._walk.cache_clear()
    yield calls
    compiled._walk.cache_clear()


@pytest.mark.parametrize("donate", [False, True])
@pytest.mark.parametrize("name", FUSED)
def test_printed_walks_are_the_kernels(name, donate, uncompiled):
    optimizer = OPTIMIZERS[name]
    assert_same(run(optimizer, "compiled", donate=donate), run(optimizer, "plain"))
    assert uncompiled


@pytest.mark.skipif(not shutil.which("g++"), reason="no compiler of C++")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler of its own torch.jit
def test_torch_compiles_a_step():
    optimizer = lamb(0.1, weight_decay=0.1)
    w, g = torch.linspace(1.0, 2.0, 50), torch.linspace(-1.0, 1.0, 50)
    expected, _ = optimizer.step(w.clone(), g, optimizer.init(w))
    address = w.data_ptr()
    with use_executor("compiled"):
        found, _ = optimizer.step(w, g, optimizer.init(w), donate=True)
    assert found.data_ptr() == address
    torch.testing.assert_close(found, expected)


def test_a_new_rate_compiles_nothing(uncompiled):
    w = torch.ones(4)
    with use_executor("compiled"):
        for rate in (0.1, 0.2):
            sgd(rate).step(w, w, sgd(rate).init(w))
    assert len(uncompiled) == 1


def test_what_overlaps_is_read_first_and_not_given_away_twice(uncompiled):
    memory, optimizer = torch.linspace(1.0, 2.0, 60), adam(0.1)
    w, g = memory[:50], memory[5:55]
    expected, _ = optimizer.step(w.clone(), g.clone(), optimizer.init(w))
    with use_executor("compiled"):
        found, _ = optimizer.step(w, g, optimizer.init(w), donate=True)
        torch.testing.assert_close(found, expected)
        twice = {"a": memory[:50], "b": memory[10:]}
        with pytest.raises(OutError, match="donated arrays share memory"):
            optimizer.step(twice, twice, optimizer.init(twice), donate=True)


def test_a_leaf_may_be_the_gradient_of_another(uncompiled):
    a, b, z = torch.arange(4.0), torch.ones(4, dtype=torch.float64), torch.ones(4) * 1j
    optimizer, grads = sgd(0.5), [torch.full((4,), 100.0), a, a]
    expected, _ = optimizer.step([a, b, z], grads, optimizer.init([a, b, z]))
    with use_executor("compiled"):
        state = optimizer.init([a, b, z])
        found, _ = optimizer.step([a, b, z], [grads[0], a, a], state, donate=True)
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x, y)


def test_what_is_differentiated_runs_as_it_is_written(uncompiled):
    w = torch.ones(3, dtype=torch.float64)
    rate = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    with use_executor("compiled"):
        moved, _ = sgd(rate).step(w, w, sgd(rate).init(w))
        moved.sum().backward()
        calls = len(uncompiled)

        def step(x):
            return sgd(0.1).step(x, x * 2, sgd(0.1).init(x), donate=True)[0]

        slope = torch.func.grad(lambda x: step(x).sum())(w)
        many = torch.func.vmap(step)(torch.ones(2, 3))
        _, tangent = torch.func.jvp(step, (w,), (w,))
    assert rate.grad == -3
    for found in (slope, many, tangent):
        torch.testing.assert_close(found, torch.full_like(found, 0.8))
    assert len(uncompiled) == calls


def test_complex_leaves_run_as_they_are_written(uncompiled):
    w = {"real": torch.ones(2), "complex": torch.ones(2, dtype=torch.complex64) * 1j}
    with use_executor("compiled"):
        found, _ = sgd(0.5).step(w, w, sgd(0.5).init(w))
    assert [x[0].item() for x in found.values()] == [0.5, 0.5j]
    assert len(uncompiled) == 1


def test_other_libraries_run_as_ever():
    w = np.ones(20_000)
    with use_executor("compiled"):
        found, _ = sgd(0.5).step(w, w, sgd(0.5).init(w))
        assert "numba" in explain(sgd(0.5), w, w) or "NumPy" in explain(sgd(0.5), w, w)
        assert "3 elements: torch.compile" in explain(sgd(0.5), torch.ones(3), torch.ones(3))
    assert (found == 0.5).all()
