"""What tools cannot use they refuse, in words of ours: `explain`, the checks, the environment."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import arraygrad
from arraygrad import optimizers, transformations
from arraygrad.errors import (
    DtypeError,
    HyperparameterError,
    MissingExtraError,
    ShapeError,
    StructureError,
)
from arraygrad.fusion import explain, switch, threads
from arraygrad.testing import check_autodiff, check_gradients

W = np.ones(3)
ADAM = optimizers.adam(0.1)

# --- explain --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [transformations.chain(ADAM), optimizers.lookahead(ADAM), optimizers.adam, 3, int, lambda w: w],
    ids=["chain", "lookahead", "function", "number", "class", "lambda"],
)
def test_explain_takes_kernels_and_optimizers_of_one(wrong):
    with pytest.raises(HyperparameterError, match=r"takes a kernel\(xp, w, g, \.\.\.\)"):
        explain(wrong, W)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((), "needs arrays: the parameter at least"),
        (({"w": W},), "takes arrays, got dict: pass one leaf"),
        ((3.0,), "takes arrays, got float"),
        ((W, W), "takes the arrays w, g, m, v, got 2"),
        ((W,) * 5, "takes the arrays w, g, m, v, got 5"),
    ],
)
def test_explain_takes_the_arrays_of_a_leaf(arrays, message):
    with pytest.raises(StructureError, match=message):
        explain(ADAM, *arrays)


# --- checks ---------------------------------------------------------------------------------------


def test_without_floating_arrays_there_is_nothing_to_check():
    with pytest.raises(DtypeError, match="hold no floating array"):
        check_gradients(lambda x: x, np.arange(3))


def test_an_autodiff_is_checked_with_an_array_of_doubles():
    with pytest.raises(DtypeError, match="`x` must be an array of float64, got list"):
        check_autodiff("tape", [1.0])
    with pytest.raises(DtypeError, match="float32"):
        check_autodiff("tape", W.astype("float32"))
    with pytest.raises(ShapeError, match=r"shape \(n,\), n at least 2, got \(1,\)"):
        check_autodiff("tape", W[:1])


@pytest.mark.parametrize("library", ["torch", "jax", "cupy", "array_api_strict"])
def test_traced_namespaces_name_what_is_missing(library, monkeypatch):
    for name in (library, "jax.numpy", f"array_api_compat.{library}"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"arraygrad.testing.traced_{library}", raising=False)
    with pytest.raises(MissingExtraError, match=f"{library}.*: pip install '.*'"):
        __import__(f"arraygrad.testing.traced_{library}")


# --- the environment ------------------------------------------------------------------------------


@pytest.fixture
def asked_anew():
    """Forget what the environment said, before and after."""
    functions = (switch._of_the_process, threads.thread_count)
    for function in functions:
        function.cache_clear()
    yield
    for function in functions:
        function.cache_clear()


@pytest.mark.usefixtures("asked_anew")
def test_an_unknown_executor_of_the_environment_is_refused_in_use(monkeypatch):
    monkeypatch.setenv("ARRAYGRAD_EXECUTOR", "foo")
    with pytest.raises(HyperparameterError, match=r"`ARRAYGRAD_EXECUTOR` must be one of .*'foo'"):
        ADAM.step(W, W, ADAM.init(W))


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("wrong", ["abc", "0", "-1", "1.5"])
def test_a_number_of_threads_is_a_number(wrong, monkeypatch):
    monkeypatch.setenv("ARRAYGRAD_NUM_THREADS", wrong)
    with pytest.raises(HyperparameterError, match="`ARRAYGRAD_NUM_THREADS` must be a number"):
        threads.thread_count()


@pytest.mark.usefixtures("asked_anew")
def test_numbers_of_threads_are_ours_first(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")  # a list, which is not for us
    monkeypatch.delenv("ARRAYGRAD_NUM_THREADS", raising=False)
    assert threads.thread_count() >= 1
    threads.thread_count.cache_clear()
    monkeypatch.setenv("ARRAYGRAD_NUM_THREADS", "3")
    assert threads.thread_count() == 3


# --- rooms ----------------------------------------------------------------------------------------


def test_type_checkers_are_told_of_all_rooms():
    source = Path(arraygrad.__file__).read_text(encoding="utf-8")
    told = re.findall(r"^    from arraygrad import (\w+) as \1$", source, re.MULTILINE)
    assert {*told} == arraygrad._ROOMS
