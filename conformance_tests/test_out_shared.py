"""`out=` with one memory at two places: no array can be two results, and nothing is written."""

import numpy as np
import pytest

from arraygrad import stop_gradient
from arraygrad.errors import OutError
from arraygrad.updates import gradient_descent_update

torch = pytest.importorskip("torch")


def trees(make):
    """Return weights and gradients."""
    return {"a": make([1.0, 2.0]), "b": make([3.0, 4.0])}, {"a": make([1.0, 1.0]), "b": make(1.0)}


def test_one_array_at_two_places_is_refused(backend):
    if not backend.mutable:
        pytest.skip("nothing is written")
    w, g = trees(backend.asarray)
    x = backend.asarray([7.0, 8.0])
    with pytest.raises(OutError, match=r"`out` at \['a'\] and at \['b'\] is one array"):
        gradient_descent_update(w, g, 0.1, out={"a": x, "b": x})
    with pytest.raises(OutError, match=r"`out` at \['a'\] and at \['b'\] is one array"):
        stop_gradient(w, out={"a": x, "b": x})
    assert backend.to_numpy(x).tolist() == [7.0, 8.0]


OVERLAPPING = {
    "the same elements": lambda x: (x[:2], x[:2]),
    "one in common": lambda x: (x[:2], x[1:3]),
    "the later first": lambda x: (x[1:3], x[:2]),
    "every other": lambda x: (x[::2][:2], x[2:4]),
}
APART = {
    "side by side": lambda x: (x[:2], x[2:4]),
    "interleaved": lambda x: (x[0:4:2], x[1:4:2]),
    "columns": lambda x: (x.reshape(2, 2)[:, 0], x.reshape(2, 2)[:, 1]),
}


@pytest.mark.parametrize("make", [np.asarray, torch.asarray], ids=["numpy", "torch"])
@pytest.mark.parametrize("cut", OVERLAPPING.values(), ids=OVERLAPPING)
def test_arrays_that_overlap_are_refused(make, cut):
    w, g = trees(make)
    x = make([0.0, 0.0, 0.0, 0.0])
    out = dict(zip("ab", cut(x), strict=True))
    with pytest.raises(OutError, match=r"`out` at \['a'\] and at \['b'\] share memory"):
        gradient_descent_update(w, g, 0.1, out=out)
    assert x.tolist() == [0.0] * 4


@pytest.mark.parametrize("make", [np.asarray, torch.asarray], ids=["numpy", "torch"])
@pytest.mark.parametrize("cut", APART.values(), ids=APART)
def test_views_of_one_array_may_lie_side_by_side(make, cut):
    w, g = trees(make)
    out = dict(zip("ab", cut(make([0.0, 0.0, 0.0, 0.0])), strict=True))
    gradient_descent_update(w, g, 1.0, out=out)
    assert [x.tolist() for x in out.values()] == [[0.0, 1.0], [2.0, 3.0]]


def test_an_overlap_is_found_behind_a_shorter_array():
    x = np.zeros(12)
    out = {"a": x[::3], "b": x[1:3:2], "c": x[6:10]}  # b lies between a's elements, c on one
    with pytest.raises(OutError, match=r"\['a'\] and at \['c'\] share memory"):
        stop_gradient({"a": np.ones(4), "b": np.ones(1), "c": np.ones(4)}, out=out)


def test_arrays_of_nothing_may_share_it():
    x = np.ones(0)
    stop_gradient({"a": np.ones(0), "b": np.ones(0)}, out={"a": x[:], "b": x[:]})


def test_out_may_be_the_weights():
    w, g = trees(np.asarray)
    gradient_descent_update(w, g, 1.0, out=w)
    assert [x.tolist() for x in w.values()] == [[0.0, 1.0], [2.0, 3.0]]
