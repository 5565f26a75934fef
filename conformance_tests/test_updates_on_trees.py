"""The updates on trees: structures, what serves many leaves, and `out=`."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from arraygrad import _tree
from arraygrad.container import Container
from arraygrad.errors import OutError, ShapeError, StructureError
from arraygrad.updates import adam_step, optimizer_update
from conformance_tests.update_cases import (
    G,
    M,
    V,
    W,
    adam,
    close,
    every_update,
    lamb,
    plain,
    plain_adam,
    with_moments,
)

Pair = namedtuple("Pair", ["first", "second"])
TREES = [
    lambda a, b: {"b": b, "a": {"c": a}},
    lambda a, b: [a, (b,)],
    Pair,
    lambda a, b: Container(b=b, a={"c": a}),
    lambda a, b: OrderedDict(b=b, a=[a, None]),
]


@every_update
@pytest.mark.parametrize("tree", TREES)
def test_trees_are_updated_leaf_by_leaf(backend, update, tree):
    trees = [tree(backend.asarray(x), backend.asarray(x[0])) for x in (W, G, M, V)]
    expected = zip(plain(update, W, G, M, V), plain(update, W[0], G[0], M[0], V[0]), strict=True)
    for got, (a, b) in zip(update(*trees), expected, strict=True):
        leaves, treedef = _tree.flatten(got)
        wanted, structure = _tree.flatten(tree(a, b))
        assert treedef == structure
        for x, y in zip(leaves, wanted, strict=True):
            close(backend, x, y)


@with_moments
def test_each_result_is_a_tree_if_what_it_is_made_of_is(backend, update):
    w, g, m, v = (backend.asarray(x) for x in (W, G, M, V))

    def kinds(*arguments):
        return [type(x) is Container for x in update(*arguments)]

    assert kinds(Container(a=w, b=w), g, m, v) == [True, False, False]
    assert kinds(w, g, Container(a=m), v) == [True, True, False]
    assert kinds(w, g, m, Container(a=v)) == [True, False, True]
    assert kinds(w, Container(a=g), m, v) == [True, True, True]
    new_w, new_m, _ = update(Container(a=w, b=w), g, m, v)
    expected = plain(update, W, G, M, V)
    close(backend, new_w.b, expected[0])
    close(backend, new_m, expected[1])


def test_hyperparameters_may_be_trees(backend):
    w = Container(a=backend.asarray(W), b=backend.asarray(W))
    result = optimizer_update(w, backend.asarray(G), Container(a=0.1, b=0.2))
    close(backend, result.a, W - 0.1 * G)
    close(backend, result.b, W - 0.2 * G)


@every_update
def test_empty_trees_stay_empty(backend, update):
    w, m, v = update({}, {}, {}, {})
    assert (w, m, v) == ({}, {}, {})
    w, m, v = update({}, backend.asarray(G), {}, {})
    assert (w, m, v) == ({}, {}, {})


@every_update
@pytest.mark.parametrize("shape", [(), (0,), (2, 0)])
def test_scalars_and_empty_arrays_are_arrays(backend, update, shape):
    arrays = [backend.asarray(np.full(shape, x)) for x in (1.0, 0.5, 0.2, 0.3)]
    for result, array in zip(update(*arrays), arrays, strict=False):
        assert (tuple(result.shape), type(result)) == (shape, type(array))


# --- out ------------------------------------------------------------------------------------------


@every_update
@pytest.mark.parametrize("aliased", ["w", "g", "m", None])
def test_out_receives_the_weights_and_is_returned(backend, update, aliased):
    operands = {name: backend.asarray(x) for name, x in zip("wgmv", (W, G, M, V), strict=True)}
    out = Container(a=operands.get(aliased, backend.asarray(np.zeros_like(W))))
    trees = [Container(a=x) for x in operands.values()]
    if not backend.mutable:
        with pytest.raises(OutError, match=r"`out` at \['a'\] is read-only"):
            update(*trees, out=out)
        return
    new_w, new_m, _ = update(*trees, out=out)
    expected = plain(update, W, G, M, V)
    assert new_w is out
    close(backend, out.a, expected[0])
    if aliased != "m" or update in (adam, lamb):
        close(backend, new_m.a, expected[1])


def test_out_of_adam_step_receives_the_direction(backend):
    g, m, v, out = (backend.asarray(x) for x in (G, M, V, W))
    if not backend.mutable:
        with pytest.raises(OutError, match="read-only"):
            adam_step(g, m, v, 3, out=out)
        return
    delta, new_m, _ = adam_step(g, m, v, 3, out=out)
    assert delta is out
    close(backend, out, plain_adam(G, M, V, 3)[0])
    close(backend, new_m, plain_adam(G, M, V, 3)[1])
    close(backend, m, M)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        ({"a": np.zeros((2, 2))}, ShapeError),
        ({"a": np.zeros((2, 3), np.float32)}, OutError),
        ({"b": np.zeros((2, 3))}, StructureError),
        (np.zeros((2, 3)), StructureError),
        ({"a": 1.0}, OutError),
    ],
)
def test_an_out_that_does_not_fit_is_left_alone(backend, out, error):
    w = {"a": backend.asarray(W)}
    arrays = _tree.map_leaves(
        lambda x: backend.asarray(x, None) if isinstance(x, np.ndarray) else x, out
    )
    with pytest.raises((error, OutError), match="`out`"):
        optimizer_update(w, backend.asarray(G), 0.1, out=arrays)
    close(backend, w["a"], W)
