"""Files and states that nobody's optimizer wrote: refused as such, whatever is wrong with them."""

import io
import json
import os
import struct
import zipfile

import numpy as np
import pytest

from arraygrad.errors import StateError
from arraygrad.optimizers import adam, sgd
from arraygrad.state import from_torch, load_state, save_state, to_torch

# --- safetensors ------------------------------------------------------------------------------


def safetensors(file, header, data=b""):
    """Write a file with this header."""
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return file


@pytest.mark.parametrize("pairs", ["[[1]]", "[{}]", "[1]", "[null]", "[" * 100_000, '["b"]', "{}"])
def test_metadata_that_names_no_arrays_is_refused(tmp_path, pairs):
    about = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    header = {"__metadata__": {"arraygrad.complex": pairs}, "a": about}
    with pytest.raises(StateError, match="is torn"):
        load_state(safetensors(tmp_path / "a.safetensors", header, bytes(8)))


@pytest.mark.parametrize(
    ("shape", "size"),
    [([0, 10**30], 0), ([10**30, 0], 0), ([2**62, 0, 2**62], 0), ([1] * 100 + [2], 8)],
)
def test_shapes_that_no_array_has_are_refused(tmp_path, shape, size):
    header = {"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}
    with pytest.raises(StateError, match="no readable array at 'a'"):
        load_state(safetensors(tmp_path / "a.safetensors", header, bytes(size)))


def test_a_huge_description_is_not_repeated_whole(tmp_path):
    header = {"a": {"dtype": "x" * 10_000, "shape": [10**4000], "data_offsets": [0] * 10_000}}
    with pytest.raises(StateError, match="cannot be read") as refused:
        load_state(safetensors(tmp_path / "a.safetensors", header))
    assert len(str(refused.value)) < 1000


def test_truth_values_of_other_bytes_are_true(tmp_path):
    header = {"a": {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}}
    loaded = load_state(safetensors(tmp_path / "a.safetensors", header, b"\x00\x01\x07"))["a"]
    assert loaded.dtype == bool
    assert loaded.view(np.uint8).tolist() == [0, 1, 1]


# --- npz --------------------------------------------------------------------------------------


def npz(file, header, data=b""):
    """Write an archive of one array with this header."""
    text = header.encode("latin1") + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", content)
    return file


@pytest.mark.parametrize(
    "header",
    [
        "(" * 3000,
        "-" * 5000 + "1",
        "{[]:1}",
        "{1: 2, 'a': 3}",
        "  {",
        "'''",
        "\x00",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1.0,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10**30,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': [[[]]], 'fortran_order': False, 'shape': ()}",
    ],
)
def test_headers_that_cannot_be_parsed_are_refused(tmp_path, header):
    with pytest.raises(StateError, match=r"no readable array at 'a\.npy'"):
        load_state(npz(tmp_path / "a.npz", header, bytes(8)))


def test_truth_values_of_other_bytes_are_true_in_an_archive_too(tmp_path):
    header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}"
    loaded = load_state(npz(tmp_path / "a.npz", header, b"\x00\x01\x07"))["a"]
    assert loaded.view(np.uint8).tolist() == [0, 1, 1]
    content = io.BytesIO()
    np.savez(content, a=np.asarray(True))
    (tmp_path / "b.npz").write_bytes(content.getvalue())
    assert load_state(tmp_path / "b.npz", {"a": False}) == {"a": True}


def test_a_path_too_long_for_an_archive_is_refused(tmp_path):
    tree = {"x" * 70_000: np.ones(2)}
    with pytest.raises(StateError, match="too long for npz: 70000 characters"):
        save_state(tmp_path / "a.npz", tree)
    assert os.listdir(tmp_path) == []
    save_state(tmp_path / "a.npz", {"x" * (65_535 - 4): np.ones(2)})
    assert list(load_state(tmp_path / "a.npz")) == ["x" * (65_535 - 4)]
    save_state(tmp_path / "a.safetensors", tree)
    assert list(load_state(tmp_path / "a.safetensors")) == list(tree)


# --- torch ------------------------------------------------------------------------------------


PARAMS = {"a": np.ones(2), "b": np.ones(2)}
OPTIONS = {"lr": 0.1, "betas": [0.9, 0.99], "eps": 1e-8, "weight_decay": 0.0}


@pytest.mark.parametrize(
    "state_dict",
    [
        None,
        [],
        {"state": {}},
        {"state": None, "param_groups": [{"params": [0, 1], **OPTIONS}]},
        {"state": {}, "param_groups": None},
        {"state": {}, "param_groups": 3},
        {"state": {}, "param_groups": []},
        {"state": {}, "param_groups": [None]},
        {"state": {}, "param_groups": [{"params": None, **OPTIONS}]},
        {"state": {}, "param_groups": [{"params": [[], {}], **OPTIONS}]},
        {"state": {}, "param_groups": [{"params": [0, 1], "param_names": None, **OPTIONS}]},
        {"state": {}, "param_groups": [{"params": [0, 1], "param_names": [0, 1], **OPTIONS}]},
        {"state": {0: 1, 1: 1}, "param_groups": [{"params": [0, 1], **OPTIONS}]},
    ],
)
def test_what_is_no_state_of_torch_is_refused(state_dict):
    with pytest.raises(StateError, match="must be what a torch optimizer's state_dict"):
        from_torch(state_dict, PARAMS, adam(0.1))


@pytest.mark.parametrize(
    ("group", "missing"),
    [({}, "'lr'"), ({**OPTIONS, "betas": [0.9]}, "'betas'"), ({**OPTIONS, "betas": 3}, "'betas'")],
)
def test_groups_without_our_options_are_refused(group, missing):
    state_dict = {"state": {}, "param_groups": [{"params": [0, 1], **group}]}
    with pytest.raises(StateError, match=f"has no {missing}"):
        from_torch(state_dict, PARAMS, adam(0.1))


def test_groups_without_all_our_options_cannot_be_given_back():
    pytest.importorskip("torch")
    optimizer = adam(0.1)
    state_dict = {"state": {}, "param_groups": [{"params": [0, 1], "betas": [0.9]}]}
    with pytest.raises(StateError, match="has no 'betas'"):
        to_torch(optimizer.init(PARAMS), state_dict, optimizer)


@pytest.mark.parametrize("state", [None, (), {}, "state"])
def test_what_is_no_state_of_ours_is_not_given_to_torch(state):
    state_dict = {"state": {}, "param_groups": [{"params": [0, 1], "lr": 0.1}]}
    with pytest.raises(StateError, match="`state` must be the state of <optimizer sgd"):
        to_torch(state, state_dict, sgd(0.1))
