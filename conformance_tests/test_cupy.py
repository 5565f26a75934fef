"""CuPy as far as it can be proven without a GPU: see `host_cupy.py` for what stands in for it.

What is asked here beside the suite's own tests: that nothing reads a value back, that results lie
on the device of what they are computed from, and how optimizers are launched.
"""

import copy
import gc
import shutil

import numpy as np
import pytest
from array_api_compat import array_namespace

pytest.importorskip("cupy")

import arraygrad as ag
from arraygrad import optimizers
from arraygrad._tree import flatten
from arraygrad.errors import DeviceError, OutError
from conformance_tests import backends, host_cuda
from conformance_tests.cupy_kernels import OPTIMIZERS, program_of
from conformance_tests.products import all_products, direction
from conformance_tests.ruled_calls import RULED_CALLS
from conformance_tests.scenarios import SCENARIOS
from conformance_tests.test_stand_ins import needs_values
from conformance_tests.trees import assert_close, from_numpy, leaves, to_numpy

host_cupy = pytest.importorskip("conformance_tests.host_cupy")


@pytest.fixture(scope="module")
def gpu():
    """Return the backend of CuPy's arrays over the host's memory."""
    if host_cupy.has_gpu():
        pytest.skip("there is a GPU: nothing need stand in for it")
    ours = host_cupy.install()
    yield backends.load("conformance_tests.host_cupy")
    if ours:
        host_cupy.uninstall()


def array(gpu, values, device=0, dtype="float64"):
    with host_cupy.HostDevice(device):
        return gpu.asarray(np.asarray(values), dtype)


# --- nothing is read back -------------------------------------------------------------------------


def test_reads_are_noticed(gpu):
    x = array(gpu, 1.0)
    for read in (bool, float, int, complex, np.asarray, lambda x: x.get(), lambda x: x.item()):
        with host_cupy.no_reads(), pytest.raises((host_cupy.HostReadError, TypeError)):
            read(x)


FIRST_OF_EACH = {}
for _call in RULED_CALLS:
    if _call.first and not needs_values(_call):
        FIRST_OF_EACH.setdefault(_call.name, _call)


@pytest.mark.parametrize("name", FIRST_OF_EACH)
def test_no_rule_reads(gpu, name):
    call = FIRST_OF_EACH[name]
    args, t = call.args_in(gpu), call.args_in(gpu, direction(call.args))
    with host_cupy.no_reads():
        all_products(call.f, args, "tape", t)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_no_model_reads(gpu, scenario):
    args = from_numpy(gpu, scenario.args)
    with host_cupy.no_reads():
        found = all_products(scenario.f, args, "tape", args)
    expected = all_products(scenario.f, scenario.args, "tape", scenario.args)
    assert_close(to_numpy(gpu, found[:3]), expected[:3], 1e-12)


def cost(w, x):
    """Return a smooth function of a tree and an array, with every kind of operation."""
    xp = array_namespace(x)
    hidden = xp.tanh(x @ w["a"] + w["b"])[xp.asarray([0, 1, 1], device=x.device)]
    return xp.sum(xp.where(hidden > 0, hidden, 0.1 * hidden) ** 2) / hidden.shape[0]


def model(gpu, device=0):
    rng = np.random.default_rng(0)
    w = {"a": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    with host_cupy.HostDevice(device):
        return from_numpy(gpu, w), gpu.asarray(rng.normal(size=(4, 3)))


OPERATORS = {
    "grad": lambda w, x: ag.grad(cost)(w, x),
    "value_and_grad": lambda w, x: ag.value_and_grad(cost)(w, x),
    "argnums": lambda w, x: ag.grad(cost, (0, 1))(w, x),
    "vjp": lambda w, x: (lambda y, pullback: pullback(y))(*ag.vjp(cost, w, x)),
    "jvp": lambda w, x: ag.jvp(cost, (w, x), (w, x)),
    "hvp": lambda w, x: ag.hvp(cost, (w, x), (w, x)),
    "jac forward": lambda w, x: ag.jac(lambda x: x @ w["a"], mode="forward")(x),
    "jac reverse": lambda w, x: ag.jac(lambda x: x @ w["a"], mode="reverse")(x),
    "hessian": lambda w, x: ag.hessian(lambda b: cost({"a": w["a"], "b": b}, x))(w["b"]),
    "elementwise_grad": lambda w, x: ag.elementwise_grad(lambda x: x**3)(x),
    "checkpoint": lambda w, x: ag.grad(ag.checkpoint(cost))(w, x),
    "execute_with_gradients": lambda w, x: ag.execute_with_gradients(lambda w: cost(w, x), w),
    "grad of grad": lambda w, x: ag.grad(lambda x: (ag.grad(cost, 1)(w, x) ** 2).sum())(x),
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("device", [0, 1])
def test_no_operator_reads_or_leaves_the_device(gpu, name, device):
    w, x = model(gpu, device)  # while device 0 is current
    with host_cupy.no_reads():
        found = [y for y in leaves(OPERATORS[name](w, x)) if y is not None]
    assert {y.data.device_id for y in found} == {device}


def test_memory_is_free_without_the_garbage_collector(gpu):
    x = array(gpu, np.linspace(0, 1, 1000))

    def f(x):
        for _ in range(20):
            x = array_namespace(x).sin(x) * x
        return x.sum()

    gc.collect()
    gc.disable()
    try:
        before = host_cupy.live_bytes()
        value, g = ag.value_and_grad(f)(x)
        assert host_cupy.live_bytes() - before == value.nbytes + g.nbytes
    finally:
        gc.enable()


def test_a_sweep_frees_what_it_has_passed(gpu):
    x, seen = array(gpu, np.linspace(0, 1, 1000)), []

    @ag.custom_gradient
    def watched(x):
        def pullback(g):
            seen.append(host_cupy.live_bytes())
            return g

        return x * 1.0, pullback

    def f(x):
        for _ in range(10):
            x = watched(array_namespace(x).sin(x) * x)
        return x.sum()

    ag.grad(f)(x)
    assert len(seen) == 10
    assert seen[-1] < seen[0] - 8 * 2 * x.nbytes


def test_devices_cannot_be_mixed(gpu):
    x, y = array(gpu, [1.0]), array(gpu, [1.0], device=1)
    for f in (ag.grad(lambda a, b: (a * b).sum()), ag.value_and_grad(lambda a, b: (a * b).sum())):
        with pytest.raises(DeviceError):
            f(x, y)
    optimizer = optimizers.adam(0.1)
    with pytest.raises(DeviceError, match=r"`grads` at the root is on .*Device 1.* on .*Device 0"):
        optimizer.step(x, y, optimizer.init(x))
    optimizer = optimizers.sgd(array(gpu, 0.1, device=1))
    state = optimizer.init(x)
    with pytest.raises(DeviceError, match="hyperparameter"):
        optimizer.step(x, x, state)


PAGE = {
    "gradient_descent_update": lambda w, g, rate: ag.gradient_descent_update(w, g, rate),
    "optimizer_update": lambda w, g, rate: ag.optimizer_update(w, g, rate),
    "lars_update": lambda w, g, rate: ag.lars_update(w, g, rate, decay_lambda=0.1),
    "adam_step": lambda w, g, rate: ag.adam_step(g, g, g, 3),
    "adam_update": lambda w, g, rate: ag.adam_update(w, g, rate, g, abs(g), 3),
    "lamb_update": lambda w, g, rate: ag.lamb_update(w, g, rate, g, abs(g), 3),
}
needs_a_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


@needs_a_compiler
@pytest.mark.parametrize("where", ["host", "device"])
@pytest.mark.parametrize("name", PAGE)
def test_no_update_reads(gpu, name, where):
    w, g = array(gpu, [1.0, 2.0]), array(gpu, [0.5, -1.0])
    rate = 0.1 if where == "host" else array(gpu, 0.1)
    with host_cupy.no_reads():
        found = PAGE[name](w, g, rate)
    expected = PAGE[name](np.asarray([1.0, 2.0]), np.asarray([0.5, -1.0]), 0.1)
    assert_close(to_numpy(gpu, found), expected, 1e-12)


def usual_optimizers():
    """Return every optimizer that needs nothing but gradients."""
    for name in sorted(optimizers.__all__):
        try:
            optimizer = getattr(optimizers, name)(0.01)
            optimizer.step(*2 * [np.ones((2, 2))], optimizer.init(np.ones((2, 2))))
        except (AttributeError, TypeError, ValueError):  # no optimizer, or it wants more
            continue
        yield name


@pytest.mark.parametrize("name", list(usual_optimizers()))
def test_no_optimizer_reads(gpu, name, monkeypatch):
    # As written: how the kernels run is looked at below.
    optimizer = getattr(optimizers, name)(0.01)
    w, g = array(gpu, [[1.0, 2.0], [3.0, 4.0]]), array(gpu, [[0.5, -1.0], [2.0, 0.0]])
    with host_cupy.no_reads(), ag.fusion.use_executor("plain"):
        state = optimizer.init(w)
        for _ in range(2):
            w, state = optimizer.step(w, g, state)
    assert type(w) is host_cupy.HostArray


# --- one launch for all leaves --------------------------------------------------------------------


def stepped(gpu, optimizer, shapes, *, dtype="float32", donate=True, steps=2, rate=None):
    """Return parameters and slots after some steps on the host's GPU, and as NumPy has them."""
    rng, optimizer = np.random.default_rng(1), copy.deepcopy(optimizer)
    tree = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    grads = [[rng.normal(size=s).astype(dtype) for s in shapes] for _ in range(steps)]
    found = []
    for make in (lambda x: gpu.asarray(x, dtype), np.array):
        params = [make(x) for x in tree]
        state = optimizer.init(params)
        if rate is not None and make is not np.array:
            state = state._replace(hyperparameters={**state.hyperparameters, "learning_rate": rate})
        extra = {name: [make(abs(x)) for x in grads[0]] for name in optimizer._arrays}
        extra |= dict.fromkeys(optimizer._values, 0.5)
        for g in grads:
            with ag.fusion.use_executor("plain") if make is np.array else host_cupy.no_reads():
                params, state = optimizer.step(
                    params, [make(x) for x in g], state, donate=donate, **extra
                )
        found.append((params, state.slots))
    return to_numpy(gpu, found[0]), found[1]


SHAPES = [(5,), (), (0, 3), (4097,), (3, 4)]
STRUCTURES = [
    "adam-paper",
    "lamb-paper",
    "lars-ivy",
    "rprop-paper",
    "sgd-torch",
    "novograd",
    "lion",
]


@needs_a_compiler
@pytest.mark.parametrize("name", STRUCTURES)
def test_a_launch_computes_what_the_formula_says(gpu, name):
    found, expected = stepped(gpu, OPTIMIZERS[name], SHAPES)
    assert_close(found, expected, 2e-5)


@needs_a_compiler
def test_half_precision_is_computed_in_single(gpu):
    found, expected = stepped(gpu, OPTIMIZERS["adam-paper"], [(5,), (7,)], dtype="float16")
    assert_close(found, expected, 2e-3)


@needs_a_compiler
@pytest.mark.parametrize("name", ["adam-paper", "lamb-paper"])
def test_a_learning_rate_may_stay_on_the_device(gpu, name):
    rate = array(gpu, 0.01, dtype="float32")
    found, expected = stepped(gpu, OPTIMIZERS[name], SHAPES, rate=rate)
    assert_close(found, expected, 2e-5)


@needs_a_compiler
@pytest.mark.parametrize(
    ("name", "launches"),
    [
        ("adam-paper", ["arraygrad_update"]),
        ("lamb-paper", ["arraygrad_sums0", "arraygrad_finish", "arraygrad_update"]),
    ],
)
def test_a_thousand_leaves_need_no_more_launches_than_one(gpu, name, launches):
    for shapes in ([(3,)], [(n % 7,) for n in range(1000)]):
        host_cuda.launches.clear()
        stepped(gpu, OPTIMIZERS[name], shapes, steps=1)
        assert host_cuda.launches == launches


@needs_a_compiler
def test_each_dtype_has_its_launch(gpu):
    optimizer = OPTIMIZERS["adam-paper"]
    params = [array(gpu, np.ones(3), dtype=d) for d in ("float32", "float64") for _ in range(3)]
    host_cuda.launches.clear()
    new, _ = optimizer.step(params, params, optimizer.init(params))
    assert host_cuda.launches == ["arraygrad_update"] * 2
    assert [x.dtype for x in new] == [x.dtype for x in params]


@needs_a_compiler
def test_donated_arrays_are_written_to_and_others_are_not(gpu):
    optimizer, w, g = OPTIMIZERS["adam-paper"], array(gpu, np.ones(4)), array(gpu, np.ones(4))
    state = optimizer.init(w)
    new, _ = optimizer.step(w, g, state)
    assert new.data.ptr != w.data.ptr
    np.testing.assert_array_equal(w.get(), np.ones(4))
    kept, after = optimizer.step(w, g, state, donate=True)
    assert kept is w
    assert all(after.slots[name] is x for name, x in state.slots.items())
    np.testing.assert_array_equal(w.get(), new.get())


@needs_a_compiler
@pytest.mark.parametrize("donate", [False, True])
def test_the_layout_does_not_matter(gpu, donate):
    optimizer = OPTIMIZERS["adam-paper"]
    values = np.arange(12.0).reshape(3, 4)
    w, g = array(gpu, values).T, array(gpu, values)[:, ::-1].T
    found, _ = optimizer.step(w, g, optimizer.init(w), donate=donate)
    ours, theirs = values.T.copy(), values[:, ::-1].T.copy()
    expected, _ = optimizer.step(ours, theirs, optimizer.init(ours))
    np.testing.assert_allclose(found.get(), expected, rtol=1e-12)


@needs_a_compiler
def test_a_gradient_that_overlaps_its_parameter_is_read_first(gpu):
    optimizer, memory = OPTIMIZERS["sgd-torch"], np.linspace(1, 2, 60)
    shared = array(gpu, memory)
    w, g = shared[:50], shared[5:55]
    expected, _ = optimizer.step(memory[:50].copy(), memory[5:55].copy(), optimizer.init(memory))
    found, _ = optimizer.step(w, g, optimizer.init(w), donate=True)
    np.testing.assert_allclose(found.get(), expected, rtol=1e-12)


def test_trees_that_differ_are_told_apart_without_a_look(gpu):
    optimizer, x = optimizers.adam(0.1), array(gpu, np.ones(3))
    trees = [x, [x, x], {"a": x}, {"a": [x]}, {"a": {"b": x}}, {"a": (x, x)}]
    with host_cupy.no_reads(), ag.fusion.use_executor("plain"):
        for tree in [*trees, *trees]:
            optimizer.step(tree, tree, optimizer.init(tree))
            ag.grad(lambda tree: sum(y.sum() for y in flatten(tree)[0]))(tree)


def test_memory_cannot_be_given_away_twice(gpu):
    optimizer, memory = OPTIMIZERS["adam-paper"], array(gpu, np.ones(60))
    params = [memory[:50], memory[10:]]
    grads = [array(gpu, np.ones(50)) for _ in range(2)]
    with pytest.raises(OutError, match="donated arrays share memory"):
        optimizer.step(params, grads, optimizer.init(params), donate=True)
    np.testing.assert_array_equal(memory.get(), np.ones(60))


@needs_a_compiler
def test_steps_stay_on_their_device(gpu):
    optimizer = OPTIMIZERS["lamb-paper"]
    w = array(gpu, np.ones(4), device=1)
    state = optimizer.init(w)
    new, state = optimizer.step(w, w, state)
    found = [new, *state.slots.values()]
    assert {x.data.device_id for x in found} == {1}


def test_complex_parameters_run_as_the_formula_is_written(gpu):
    optimizer, values = optimizers.adam(0.1), np.asarray([1 + 2j, 3 - 1j])
    w = array(gpu, values, dtype="complex128")
    with host_cupy.no_reads():
        found, _ = optimizer.step(w, w, optimizer.init(w))
    expected, _ = optimizer.step(values, values, optimizer.init(values))
    np.testing.assert_allclose(found.get(), expected, rtol=1e-12)


def test_most_optimizers_are_fused():
    unfused = {name.partition("-")[0] for name in OPTIMIZERS if program_of(name, "f") is None}
    assert unfused <= {"adafactor", "asgd", "sm3"}
