"""Files of states: torn and foreign ones are refused, and a failure leaves what was there."""

import itertools
import os
import zipfile
from collections import namedtuple

import numpy as np
import pytest

from arraygrad.errors import ArraygradError, StateError
from arraygrad.optimizers import State
from arraygrad.state import load_state, save_state
from conformance_tests.test_state import formats, small_tree

# --- torn and foreign files -------------------------------------------------------------------


@formats
def test_a_torn_file_is_refused_wherever_it_is_cut(tmp_path, suffix):
    file, torn = tmp_path / f"a{suffix}", tmp_path / f"torn{suffix}"
    save_state(file, State(3, {"rate": 0.1}, {"mu": np.arange(50.0), "nu": 1j}))
    content = file.read_bytes()
    for length in {*range(0, len(content), 7), len(content) - 1, 1, 8, 9}:
        torn.write_bytes(content[:length])
        with pytest.raises(StateError, match="torn"):
            load_state(torn)
    if suffix == ".safetensors":  # a zip archive may have something behind it
        torn.write_bytes(content + b"more")
        with pytest.raises(StateError, match="is torn: its header describes other than"):
            load_state(torn)


@formats
def test_damaged_bytes_never_raise_anything_else(tmp_path, suffix):
    file, damaged = tmp_path / f"a{suffix}", tmp_path / f"damaged{suffix}"
    like = {"a": np.zeros(3), "b": [np.zeros((), np.int32)], "z": 0j}
    save_state(file, like)
    content = bytearray(file.read_bytes())
    refused = 0
    for place, value in itertools.product(range(len(content)), (0x00, 0x7B, 0xFF)):
        other = content.copy()
        other[place] = value
        damaged.write_bytes(other)
        try:
            load_state(damaged, like)
        except ArraygradError:
            refused += 1
    assert refused > len(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04\x95pickle",
        b"\xff" * 40,
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}more",
        (100).to_bytes(8, "little") + b"{}",
        (9).to_bytes(8, "little") + b'{"a":{}} ',
        (17).to_bytes(8, "little") + b'{"a":{}, "a":{}} ',
        (22).to_bytes(8, "little") + b'{"__metadata__": [1]} ',
    ],
)
def test_foreign_files_are_refused(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(StateError, match="`file` "):
        load_state(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "about",
    [
        '{"dtype":"F64","shape":[2],"data_offsets":[0,8]}',
        '{"dtype":"F64","shape":[-1],"data_offsets":[0,-8]}',
        '{"dtype":"F64","shape":[1],"data_offsets":[8,16]}',
        '{"dtype":"F64","shape":[true],"data_offsets":[0,8]}',
        '{"dtype":"F64","shape":[1.0],"data_offsets":[0,8]}',
        '{"dtype":"F8","shape":[1],"data_offsets":[0,8]}',
        '{"dtype":["F64"],"shape":[1],"data_offsets":[0,8]}',
        '{"dtype":"F64","shape":[1],"data_offsets":[0]}',
        '{"dtype":"F64","shape":null,"data_offsets":[0,8]}',
        "1",
    ],
)
def test_headers_that_lie_are_refused(tmp_path, about):
    header = f'{{"a":{about}}}'.encode()
    content = len(header).to_bytes(8, "little") + header + bytes(8)
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(StateError, match=r"cannot be read|is torn"):
        load_state(tmp_path / "a.safetensors")


def test_nothing_is_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    np.savez(tmp_path / "a.npz", a=np.asarray([Bomb()], dtype=object))
    with pytest.raises(StateError, match=r"no readable array at 'a\.npy'"):
        load_state(tmp_path / "a.npz")
    assert not (tmp_path / "exploded").exists()


def test_archives_of_something_else_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    with pytest.raises(StateError, match="no file of arrays"):
        load_state(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", a=np.asarray(["text"]))
    with pytest.raises(StateError, match="has dtype str"):
        load_state(tmp_path / "b.npz")


# --- writing ----------------------------------------------------------------------------------


@formats
def test_the_same_state_gives_the_same_bytes(tmp_path, suffix):
    for name in ("a", "b"):
        save_state(tmp_path / f"{name}{suffix}", small_tree())
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@formats
@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_what_was_there_survives_a_failure(tmp_path, suffix, at, monkeypatch):
    def fail(*_):
        message = "no space left"
        raise OSError(message)

    file = tmp_path / f"a{suffix}"
    save_state(file, {"a": 1.0})
    before = file.read_bytes()
    monkeypatch.setattr(os, at, fail)
    with pytest.raises(OSError, match="no space left"):
        save_state(file, {"a": 2.0})
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link_and_files_get_the_usual_permissions(tmp_path):
    target, link = tmp_path / "target.npz", tmp_path / "link.npz"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no links here")
    save_state(link, {"a": 1.0})
    assert link.is_symlink()
    usual = tmp_path / "usual"
    usual.write_bytes(b"")
    assert target.stat().st_mode == usual.stat().st_mode


def test_a_namedtuple_class_made_on_the_fly_has_its_fields_in_names(tmp_path):
    made = namedtuple("made", "alpha beta")
    save_state(tmp_path / "a.npz", made(1, [2.0]))
    assert list(load_state(tmp_path / "a.npz")) == ["alpha", "beta/0"]
