"""Saving and loading states: every library, dtype and format; names, and what is not the same."""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

from arraygrad import Container, grad
from arraygrad._namespace import array_namespace, device_of
from arraygrad._tree import flatten
from arraygrad.errors import GraphBreakError, StateError
from arraygrad.optimizers import State, adam
from arraygrad.state import load_state, save_state

SUFFIXES = (".npz", ".safetensors")
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()
COMPLEX = ("complex64", "complex128")

formats = pytest.mark.parametrize("suffix", SUFFIXES)


def arrays_of_all_dtypes(backend):
    """Every dtype of the standard; 0-d, empty and larger arrays."""
    values = np.asarray([[0.0, 1.0, 100.0], [3.0, 1.0, 0.0]])
    plain = {name: backend.asarray(values.astype(name), name) for name in DTYPES}
    complex_ = {name: backend.asarray(values + 1j, name) for name in COMPLEX}
    shapes = {"scalar": backend.asarray(2.5), "empty": backend.asarray(np.zeros((3, 0, 2)))}
    return {**plain, **complex_, **shapes}


def small_tree(xp=np, dtype="float64"):
    """Layers, as networks have them."""
    dtype = getattr(xp, dtype)
    return {
        "layers": [
            Container(w=xp.asarray([[1.0, 2.0]], dtype=dtype), b=xp.asarray(3.0, dtype=dtype)),
            Container(w=xp.asarray([4.0], dtype=dtype), b=xp.asarray(5.0, dtype=dtype)),
        ]
    }


def same(backend, got, want):
    """Compare two trees: structure, library, dtype, device, values."""
    (a, ours), (b, theirs) = flatten(got), flatten(want)
    assert ours == theirs
    for x, y in zip(a, b, strict=True):
        assert array_namespace(x) is array_namespace(y)
        assert (x.dtype, x.shape, device_of(x)) == (y.dtype, y.shape, device_of(y))
        np.testing.assert_array_equal(backend.to_numpy(x), backend.to_numpy(y))


@formats
def test_every_dtype_comes_back_as_it_was(backend, tmp_path, suffix):
    tree = arrays_of_all_dtypes(backend)
    zeros = {name: backend.xp.zeros_like(x) for name, x in tree.items()}
    save_state(tmp_path / f"a{suffix}", tree)
    same(backend, load_state(tmp_path / f"a{suffix}", zeros), tree)


@formats
def test_a_state_goes_from_every_library_to_numpy_and_back(backend, tmp_path, suffix):
    state = adam(0.1).init({"w": backend.asarray([1.0, -2.0]), "b": backend.asarray(0.5)})
    state = state._replace(count=7, slots={**state.slots, "mu": {"w": state.slots["mu"]["w"] + 2}})
    here, there = tmp_path / f"here{suffix}", tmp_path / f"there{suffix}"
    save_state(here, state)
    slots = {
        "mu": {"w": np.ones(2, np.float32)},
        "nu": {"w": np.ones(2, np.float32), "b": np.asarray(0.0, np.float32)},
    }
    like = State(0, dict.fromkeys(state.hyperparameters, 0.0), slots)
    loaded = load_state(here, like)
    assert loaded.count == 7
    assert type(loaded.count) is int
    assert loaded.hyperparameters == state.hyperparameters
    assert loaded.slots["mu"]["w"].tolist() == [2, 2]
    assert loaded.slots["mu"]["w"].dtype == np.float32
    save_state(there, loaded)
    back = load_state(there, state)
    assert back.hyperparameters == state.hyperparameters
    same(backend, back.slots, state.slots)


@formats
@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_exact(tmp_path, suffix, library, dtype):
    xp = pytest.importorskip(library)
    values = [1.0, -0.0, 3.0e38 if dtype == "bfloat16" else 65504.0, np.inf, np.nan, 1e-7]
    x = xp.asarray(values, dtype=getattr(xp, dtype))
    save_state(tmp_path / f"a{suffix}", {"x": x})
    got = load_state(tmp_path / f"a{suffix}", {"x": xp.zeros_like(x)})["x"]
    assert got.dtype == x.dtype
    wide = [np.asarray(xp.asarray(y, dtype=xp.float32)) for y in (got, x)]
    np.testing.assert_array_equal(*wide)
    assert np.signbit(wide[0][1])
    plain = load_state(tmp_path / f"a{suffix}")["x"]
    assert plain.dtype == (np.float32 if dtype == "bfloat16" else np.float16)
    np.testing.assert_array_equal(plain, wide[1].astype(plain.dtype))


def test_torch_tensors_in_graphs_and_lazy_conjugates_are_saved(tmp_path):
    torch = pytest.importorskip("torch")
    w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    z = torch.tensor([1 + 2j]).conj()
    save_state(tmp_path / "a.npz", {"w": w, "v": w * 2, "z": z, "t": torch.ones(2, 3).T})
    found = load_state(tmp_path / "a.npz")
    assert found["w"].tolist() == [1, 2]
    assert found["v"].tolist() == [2, 4]
    assert found["z"].tolist() == [1 - 2j]
    assert found["t"].shape == (3, 2)


# --- names ------------------------------------------------------------------------------------


class Pair(NamedTuple):
    first: object
    second: object


def test_names_are_readable_paths(tmp_path):
    state = State(3, {"learning_rate": 0.1}, {"mu": small_tree()})
    save_state(tmp_path / "a.npz", state)
    assert list(load_state(tmp_path / "a.npz")) == [
        "count",
        "hyperparameters/learning_rate",
        "slots/mu/layers/0/w",
        "slots/mu/layers/0/b",
        "slots/mu/layers/1/w",
        "slots/mu/layers/1/b",
    ]


@formats
@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (2.0, ["."]),
        ({}, []),
        ({"a": None, "b": ()}, []),
        ({"": 1, "é": 2, "a b": 3}, ["", "a b", "é"]),
        ({"a/b": {"50%": 1}, "c\\d": 2, "n\0": 3}, ["a%2Fb/50%25", "c%5Cd", "n%00"]),
        ({"\ud800": 1}, ["%D800"]),
        ({3: 1, 10: 2}, ["3", "10"]),
        (Pair(OrderedDict(z=1, a=2), [3, (4,)]), ["first/z", "first/a", "second/0", "second/1/0"]),
        ({"a.npy": 1, "a": 2}, ["a", "a.npy"]),
        ({"arraygrad": 1, "__arraygrad__": 2, "file": 3}, None),
    ],
)
def test_names_and_trees_survive(tmp_path, suffix, tree, names):
    file = tmp_path / f"a{suffix}"
    save_state(file, tree)
    assert load_state(file, tree) == tree
    if names is not None:
        assert sorted(load_state(file)) == sorted(names)


@pytest.mark.parametrize("tree", [{1: 1.0, "1": 2.0}, {("a", "b"): 1.0}, {b"a": 1}])
def test_keys_without_a_name_of_their_own_are_refused(tmp_path, tree):
    with pytest.raises(StateError, match=r"`tree`"):
        save_state(tmp_path / "a.npz", tree)
    assert not list(tmp_path.iterdir())


def test_the_name_that_safetensors_keeps_is_refused_there(tmp_path):
    with pytest.raises(StateError, match="__metadata__"):
        save_state(tmp_path / "a.safetensors", {"__metadata__": 1.0})
    assert not list(tmp_path.iterdir())
    save_state(tmp_path / "a.npz", {"__metadata__": 1.0})


# --- what is not the same ---------------------------------------------------------------------


@formats
def test_partial_loading_says_what_it_did(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    in_file = {"a": np.ones(2), "b": np.ones(3), "c": np.ones(2), "d": 4, "e": np.asarray(1.5)}
    save_state(file, in_file)
    like = {
        "a": np.zeros(2, np.float32), "b": np.zeros(2), "c": np.zeros(2, np.int64),
        "e": 0.0, "f": 5.0,
    }  # fmt: skip
    tree, report = load_state(file, like, strict=False)
    assert report.loaded == ("a", "e")
    assert report.missing == ("f",)
    assert report.unexpected == ("d",)
    assert report.shapes == {"b": ((3,), (2,))}
    assert report.dtypes == {"c": ("float64", "int64")}
    assert report.cast == {"a": ("float64", "float32")}
    assert not report.complete
    assert tree["a"].tolist() == [1, 1]
    assert tree["a"].dtype == np.float32
    assert tree["e"] == 1.5
    assert all(tree[name] is like[name] for name in "bcf")
    with pytest.raises(StateError) as raised:
        load_state(file, like)
    assert raised.value.report == report
    for line in ("missing: f", "unexpected: d", "shape of b: (3,), expected (2,)", "dtype of c"):
        assert line in str(raised.value)
    assert like["a"].tolist() == [0, 0]


def test_values_widen_to_later_kinds_and_numbers_take_the_saved_kind(tmp_path):
    save_state(tmp_path / "a.npz", {"a": np.asarray([1, 2]), "b": True, "c": np.asarray(2.5)})
    like = {"a": np.zeros(2, complex), "b": np.zeros((), np.int8), "c": 0}
    tree, report = load_state(tmp_path / "a.npz", like, strict=False)
    assert report.complete
    assert tree["a"].dtype == complex
    assert tree["b"].dtype == np.int8
    assert tree["b"] == 1
    assert tree["c"] == 2.5
    assert type(tree["c"]) is float


@pytest.mark.parametrize(
    ("value", "dtype"), [(1e300, "float32"), (70_000.0, "float16"), (300, "int8"), (-1, "uint8")]
)
def test_numbers_too_large_for_the_dtype_are_refused(tmp_path, value, dtype):
    save_state(tmp_path / "a.npz", {"a": np.asarray([1, value])})
    with pytest.raises(StateError, match=f"at a .* too large for {dtype}"):
        load_state(tmp_path / "a.npz", {"a": np.zeros(2, dtype)})


def test_infinities_and_nans_are_no_numbers_too_large(tmp_path):
    save_state(tmp_path / "a.npz", {"a": np.asarray([np.inf, np.nan])})
    got = load_state(tmp_path / "a.npz", {"a": np.zeros(2, np.float32)})["a"]
    assert got[0] == np.inf
    assert np.isnan(got[1])


def test_loaded_arrays_are_writeable_and_their_own(tmp_path):
    for suffix in SUFFIXES:
        save_state(tmp_path / f"a{suffix}", {"a": np.ones(2), "b": np.ones(2)})
        tree = load_state(tmp_path / f"a{suffix}", {"a": np.zeros(2), "b": np.zeros(2)})
        tree["a"][...] = 5
        assert tree["b"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "leaf", ["text", object(), np.asarray(["text"]), np.asarray([object()]), 10**30]
)
def test_what_is_no_number_is_refused_with_its_name(tmp_path, leaf):
    with pytest.raises(StateError, match="`tree` at a/0 "):
        save_state(tmp_path / "a.npz", {"a": [leaf]})
    assert not list(tmp_path.iterdir())
    save_state(tmp_path / "a.npz", {"a": [1.0]})
    if not isinstance(leaf, int):
        with pytest.raises(StateError, match="`like` at a/0 "):
            load_state(tmp_path / "a.npz", {"a": [leaf]})


def test_a_traced_array_is_not_saved_behind_the_gradients_back(tmp_path):
    def f(x):
        save_state(tmp_path / "a.npz", {"x": x})
        return x

    with pytest.raises(GraphBreakError):
        grad(f)(np.asarray(1.0))
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(StateError, match=r"`file` must end in \.npz or \.safetensors, got .*pkl"):
        save_state(tmp_path / "a.pkl", 1.0)


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_state(tmp_path / "a.npz")


# --- other people's files ---------------------------------------------------------------------


def test_files_of_numpy_are_read_and_numpy_reads_ours(tmp_path):
    np.savez_compressed(tmp_path / "theirs.npz", a=np.arange(3, dtype=">i4"))
    assert load_state(tmp_path / "theirs.npz", {"a": np.zeros(3, np.int32)})["a"].tolist() == [
        0, 1, 2,
    ]  # fmt: skip
    save_state(tmp_path / "ours.npz", small_tree())
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as found:
        assert found["layers/0/w"].tolist() == [[1, 2]]


def test_files_of_safetensors_are_read_and_safetensors_reads_ours(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    torch = pytest.importorskip("torch")
    dtypes = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()
    tree = {name: torch.tensor([[0.0, 1.0, 3.0]]).to(getattr(torch, name)) for name in dtypes}
    zeros = {name: torch.zeros_like(x) for name, x in tree.items()}
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    safetensors.save_file(tree, theirs, metadata={"format": "pt"})
    save_state(ours, tree)
    for found in (load_state(theirs, zeros), safetensors.load_file(ours)):
        for name, x in tree.items():
            assert found[name].dtype == x.dtype
            assert torch.equal(found[name], x)
