"""Models run in onnxruntime: they give what NumPy gives, and what cannot be a model says why."""

import doctest
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ndonnx")
onnxruntime = pytest.importorskip("onnxruntime")

# ruff: noqa: E402 (without the extra there is nothing to import)
from array_api_compat import array_namespace

import arraygrad as ag
from arraygrad import errors, onnx, optimizers, schedules
from arraygrad.transformations import chain, clip_by_global_norm, reduce_on_plateau
from arraygrad.transformations._members import step_of
from conformance_tests import scenarios
from conformance_tests.trees import assert_close, map_tree

DOCS = Path(__file__).parents[1] / "docs"
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}


def run(model, inputs):
    """Return a model's outputs by name."""
    return outputs(session_of(model), inputs)


def session_of(model):
    """Load a model."""
    text = model.SerializeToString()
    return onnxruntime.InferenceSession(text, providers=["CPUExecutionProvider"])


def outputs(session, inputs):
    """Return what a loaded model gives, by name."""
    names = [y.name for y in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def normal(*shape, dtype="float64", seed=0):
    """Return random numbers."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def cast(tree, dtype):
    """Return a tree whose floating arrays have another dtype."""
    return map_tree(lambda x: x.astype(dtype) if x.dtype.kind == "f" else x, tree)


def named(root, tree):
    """Return the leaves of a tree by the names that a model gives them."""
    if isinstance(tree, dict):
        tree = tree.items()
    elif isinstance(tree, list | tuple):
        tree = enumerate(tree)
    else:
        return {root: tree}
    return {name: x for key, child in tree for name, x in named(f"{root}.{key}", child).items()}


# --- gradients ------------------------------------------------------------------------------------


def softmax_regression(w, x, labels):
    """Return the mean cross entropy, written for NumPy."""
    scores = np.tanh(x @ w["layers"][0]) @ w["layers"][1] + w["bias"]
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - chosen)


WEIGHTS = {"layers": [normal(4, 8), normal(8, 3)], "bias": normal(3)}
IMAGES, LABELS = normal(6, 4, seed=1), np.asarray([0, 2, 1, 1, 0, 2])


def smoothed_picture(kernel, picture):
    """Return the energy of a convolution in two dimensions, spelt with slices."""
    xp = array_namespace(kernel)
    rows, columns = (n - m + 1 for n, m in zip(picture.shape, kernel.shape, strict=True))
    parts = [
        kernel[i, j] * picture[i : i + rows, j : j + columns] for i in range(3) for j in range(3)
    ]
    return xp.sum(sum(parts[1:], start=parts[0]) ** 2)


def geometry(x, rows):
    """Go through what ndonnx lacks or rounds in double precision, and through keys."""
    angles = np.arctan2(np.sin(x), np.cos(x) + 2) + np.hypot(x, 2.0) + np.arccos(x / 9)
    chosen = angles[rows] * np.cumprod(x[rows] ** 2, axis=0)
    return np.sum(np.where(chosen > 1, chosen, chosen**2)) + np.sum(np.sort(x, axis=0)[:2])


FUNCTIONS = {
    "softmax_regression": (softmax_regression, (WEIGHTS, IMAGES, LABELS)),
    "convolution": (smoothed_picture, (normal(3, 3), normal(5, 6))),
    "geometry": (geometry, (normal(4, 2), np.asarray([2, 0, 2, 3]))),
    "scenario": (
        scenarios.multilayer_perceptron,
        (scenarios.PERCEPTRON, normal(6, 3), np.asarray([[0], [2], [1], [1], [0], [2]])),
    ),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_in_onnxruntime_is_that_in_numpy(name, dtype):
    f, args = FUNCTIONS[name]
    args = cast(args, dtype)
    model = onnx.export_gradient(f, *map_tree(np.zeros_like, args))  # values do not matter
    names = inspect.getfullargspec(f).args
    found = run(model, onnx.feed(model, **dict(zip(names, args, strict=True))))
    value, gradient = ag.value_and_grad(f)(*args)
    expected = {"value": value, **named(f"grad.{names[0]}", gradient)}
    assert found.keys() == expected.keys()
    assert {x.dtype for x in found.values()} == {np.dtype(dtype)}
    assert_close(found, {key: expected[key] for key in found}, TOLERANCE[dtype])


def test_several_arguments_are_differentiated_in_order_and_named_by_path():
    def f(w, x, n, *others):
        return np.sum(w["scale"] * x) * n + np.sum(others[0] ** 2) * w["power"]

    w, x = {"scale": normal(3), "power": 2.0, "unit": "m"}, normal(3, seed=1)
    args = (w, x, np.asarray(3), normal(2))
    model = onnx.export_gradient(f, *args, argnums=(1, -4, 3), value=False)
    assert [x.name for x in model.graph.input] == ["w.scale", "x", "n", "others.0"]
    inputs = {"w.scale": w["scale"], "x": x, "n": args[2], "others.0": args[3]}
    found = run(model, inputs)
    expected = ag.grad(f, argnums=(1, 0, 3))(*args)
    assert list(found) == ["grad.x", "grad.w.power", "grad.w.scale", "grad.others.0"]
    by_name = [expected[0], expected[1]["power"], expected[1]["scale"], expected[2]]
    assert_close(list(found.values()), by_name, 1e-13)


@pytest.mark.parametrize("library", ["array_api_strict", "torch", "jax.numpy"])
def test_examples_may_be_of_any_library(library):
    xp = pytest.importorskip(library)
    w, x = xp.asarray([1.0, 2.0], dtype=xp.float32), xp.asarray([3, 4], dtype=xp.int32)
    f = lambda w, x: array_namespace(w).sum(w**2 * array_namespace(w).astype(x, w.dtype))
    model = onnx.export_gradient(f, w, x)
    found = run(model, onnx.feed(model, w=w, x=x))
    assert found["grad.w"].dtype == np.float32
    assert_close(found["grad.w"], np.asarray([6.0, 16.0], dtype=np.float32), 1e-6)


def test_second_derivatives_and_whole_functions_are_exported():
    def f(x):
        hessian = ag.hessian(lambda x: np.sum(x**3) * x[0])(x)
        return {"hessian": hessian, "positive": x > 0, "same": x}

    x = normal(3)
    model = onnx.export(f, x)
    found = run(model, onnx.feed(model, x=x))
    expected = {f"value.{key}": y for key, y in f(x).items()}
    assert_close(found, {key: expected[key] for key in found}, 1e-13)
    assert found["value.positive"].dtype == bool


def test_a_function_may_write_into_its_arguments():
    def f(x):
        x[1] = 2.0 * x[0]
        return x

    model = onnx.export(f, np.zeros(3))
    assert run(model, {"x": np.ones(3)})["value"].tolist() == [1.0, 2.0, 1.0]


# --- steps ----------------------------------------------------------------------------------------


def regression(w, x, y):
    """Return the squared error of a line."""
    return np.mean((x * w["slope"] + w["offset"] - y) ** 2)


LINE = {"slope": normal(3), "offset": normal()}
POINTS = (normal(4, 3, seed=1), normal(4, 3, seed=2))


def training(optimizer, loss, w, batch, steps=20):
    """Train in onnxruntime and in NumPy: return parameters and losses of both, and the states."""
    model = onnx.export_step(optimizer, loss, w, *batch)
    session, state = session_of(model), optimizer.init(w)
    names = inspect.getfullargspec(loss).args[1:]
    inputs = onnx.feed(model, params=w, state=state, **dict(zip(names, batch, strict=True)))
    losses, expected = [], []
    for _ in range(steps):
        found = outputs(session, inputs)
        losses.append(found.pop("value"))
        inputs.update({name.removeprefix("next."): y for name, y in found.items()})
        value, gradient = ag.value_and_grad(loss)(w, *batch)
        w, state = step_of(optimizer, w, gradient, state, {"value": value}, donate=False)
        expected.append(value)
    theirs = named("params", w)
    ours = {name: inputs[name] for name in theirs}
    return (ours, losses), (theirs, expected), (inputs, state)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_twenty_steps_of_adam_in_onnxruntime_are_those_in_numpy(dtype):
    w, x = cast(WEIGHTS, dtype), cast(IMAGES, dtype)
    adam = optimizers.adam(0.05)
    ours, theirs, _ = training(adam, softmax_regression, w, (x, LABELS))
    assert_close(ours, theirs, TOLERANCE[dtype])
    assert ours[1][-1] < 0.5 * ours[1][0]


OPTIMIZERS = {
    "schedule": optimizers.adam(schedules.cosine(0.1, 10)),
    "chain": chain(clip_by_global_norm(0.1), optimizers.sgd(0.2, momentum=0.9)),
    "lamb": optimizers.lamb(0.01),
    "polyak_sgd": optimizers.polyak_sgd(0.1),
    "plateau": chain(optimizers.sgd(0.5), reduce_on_plateau(factor=0.5, patience=2, cooldown=1)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_other_optimizers_step_as_they_do_in_numpy(name):
    ours, theirs, _ = training(OPTIMIZERS[name], regression, LINE, POINTS, steps=12)
    assert_close(ours, theirs, TOLERANCE["float64"])


def test_the_state_goes_in_as_it_comes_out():
    w, points = cast((LINE, POINTS), "float32")
    adam = optimizers.adam(np.asarray(0.05))
    _, _, (inputs, state) = training(adam, regression, w, points, steps=3)
    assert inputs["state.count"] == state.count == 3
    assert inputs["state.hyperparameters.learning_rate"] == 0.05
    assert "state.hyperparameters.beta1" not in inputs  # a number is part of the model
    slots = named("state.slots", state.slots)
    assert_close({name: inputs[name] for name in slots}, slots, 1e-5)
    assert {inputs[name].dtype for name in slots} == {np.dtype("float32")}


# --- what is refused ------------------------------------------------------------------------------

X = np.asarray([1.0, 2.0])
MATRIX = np.asarray([[2.0, 1.0], [1.0, 3.0]])
REFUSED = {
    "if": (lambda x: np.sum(x) if x[0] > 0 else x[1], r"bool\(\) reads a value.*where\(\)"),
    "solve": (lambda x: np.sum(np.linalg.solve(MATRIX, x)), "has no `solve`"),
    "fft": (lambda x: array_namespace(x).fft.fft(x)[0], "has no `fft`"),
    "nextafter": (lambda x: array_namespace(x).nextafter(x, x)[0], "refuses `nextafter`"),
}


@pytest.mark.parametrize("export", [onnx.export, onnx.export_gradient])
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_model_is_named(name, export):
    f, message = REFUSED[name]
    with pytest.raises(
        errors.ExportError, match=f"<lambda> cannot be exported: .*{message}"
    ) as caught:
        export(f, X)
    assert any(f"{Path(__file__).name}:" in note for note in caught.value.__notes__)


def test_errors_of_the_function_itself_stay_what_they_are():
    with pytest.raises(ZeroDivisionError):
        onnx.export(lambda x: x / (1 // 0), X)
    with pytest.raises(errors.GraphBreakError):
        onnx.export_gradient(lambda x: x[0] * float(x[1]), X)


def test_a_mask_is_refused_whose_length_nobody_knows():
    with pytest.raises(errors.ExportError, match=r"only values tell.*where"):
        onnx.export_gradient(lambda x: np.sum(x[x > 1]), X)


def test_arrays_that_onnx_does_not_compute_with_are_refused():
    with pytest.raises(errors.DtypeError, match=r"`w\.z` has dtype complex128"):
        onnx.export(lambda w: w["z"], {"z": X + 1j})
    with pytest.raises(errors.NotScalarError):
        onnx.export_gradient(lambda x: 2 * x, X)


def test_two_things_of_one_name_are_refused():
    with pytest.raises(errors.StructureError, match="both be called 'value'"):
        onnx.export(lambda value: 2 * value, X)
    with pytest.raises(errors.StructureError, match=r"called 'w\.a\.b'"):
        onnx.export(lambda w: w["a.b"], {"a.b": X, "a": {"b": X}})
    with pytest.raises(errors.StructureError, match="no array comes out"):
        onnx.export(lambda x: None, X)


def test_feeding_names_what_does_not_fit():
    model = onnx.export(lambda w, x: w["a"] * x, {"a": X}, X)
    with pytest.raises(errors.StructureError, match=r"input 'w\.a' is missing"):
        onnx.feed(model, w={"b": X}, x=X)
    with pytest.raises(errors.DtypeError, match="`x` has dtype float32, the model's input float64"):
        onnx.feed(model, w={"a": X}, x=X.astype("float32"))


@pytest.mark.parametrize("wrong", [3, None, "adam", optimizers.adam])
def test_what_is_no_optimizer_is_refused(wrong):
    with pytest.raises(errors.HyperparameterError, match="`optimizer` must have `init` and `step`"):
        onnx.export_step(wrong, np.sum, X)


def test_steps_that_ask_for_more_are_refused():
    def loss(w):
        return np.sum(w**2)

    with pytest.raises(errors.HyperparameterError, match="`noise` or `rng`"):
        onnx.export_step(optimizers.noisy_sgd(0.1), loss, X)
    with pytest.raises(errors.HyperparameterError, match="`gradient` and `perturbed_grads`"):
        onnx.export_step(optimizers.sam(optimizers.sgd(0.1)), loss, X)
    with pytest.raises(errors.ExportError, match="has no `eigh`"):
        onnx.export_step(optimizers.shampoo(0.1), loss, MATRIX)
    with pytest.raises(errors.StructureError, match="`params` holds no arrays"):
        onnx.export_step(optimizers.sgd(0.1), loss, {})


# --- the pages ------------------------------------------------------------------------------------


def test_the_page_runs_and_prints_what_it_says():
    page = (DOCS / "how-to" / "export-to-onnx.md").read_text(encoding="utf-8")
    source = "\n".join(re.findall(r"^```{code-block} python\n(.*?)^```", page, re.M | re.S))
    test = doctest.DocTestParser().get_doctest(source, {}, "export-to-onnx", None, 0)
    report = []
    failed, tried = doctest.DocTestRunner().run(test, out=report.append)
    assert not failed, "".join(report)
    assert tried > 5


def test_every_public_name_is_in_the_reference_once():
    page = (DOCS / "reference" / "onnx.md").read_text(encoding="utf-8")
    found = re.findall(r"autofunction:: arraygrad\.onnx\.(\w+)", page)
    assert sorted(found) == sorted(onnx.__all__)
