"""Leaves that are stepped together: in whatever order, reading each other, and all or none."""

from collections import OrderedDict

import numpy as np
import pytest

from arraygrad.errors import DtypeError, StructureError
from arraygrad.fusion import use_executor
from arraygrad.optimizers import KernelOptimizer, lookahead, sgd
from arraygrad.optimizers._kernel_optimizer import zeros

MAKERS = {
    "sorted": dict,
    "reversed": lambda tree: {key: tree[key] for key in reversed(tree)},
    "ordered": lambda tree: OrderedDict((key, tree[key]) for key in reversed(tree)),
}


@pytest.mark.parametrize("wrap", [lambda x: x, lookahead], ids=["alone", "wrapped"])
@pytest.mark.parametrize("leaves", [2, 6])
@pytest.mark.parametrize("of_state", MAKERS)
@pytest.mark.parametrize("of_grads", MAKERS)
@pytest.mark.parametrize("of_params", MAKERS)
def test_leaves_are_found_by_their_keys(of_params, of_grads, of_state, leaves, wrap):
    """Dicts of whatever order fit each other, in the first step and in those after it."""
    names = "abcdef"[:leaves]
    optimizer = wrap(sgd(0.5, momentum=0.5))
    plain = {name: np.full(2, float(n)) for n, name in enumerate(names)}
    for first in (dict, MAKERS[of_params]):
        w, g = first(plain), MAKERS[of_grads](plain)
        state = optimizer.init(MAKERS[of_state](plain))
        for velocity, weight in ((-0.5, 0.5), (-0.75, -0.25)):
            w, state = optimizer.step(w, g, state)
            assert list(w) == list(first(plain))
            for key, x in plain.items():
                np.testing.assert_allclose(w[key], weight * x)
                if wrap is not lookahead:
                    np.testing.assert_allclose(state.slots["velocity"][key], velocity * x)


def stepped(params, gradients, *, donate):
    """Return the parameters after two steps, the second of which packs may take part in."""
    optimizer = sgd(0.5)
    state = optimizer.init(params)
    params, state = optimizer.step(params, [x * 0 for x in params], state, donate=donate)
    return optimizer.step(params, gradients(params), state, donate=donate)[0]


CASES = {
    "two dtypes": (
        lambda: [np.arange(4, dtype="f4"), np.ones(4)],
        lambda w: [np.full(4, 100, "f4"), w[0]],
    ),
    "a view as complex": (
        lambda: [np.arange(4, dtype="f4"), np.ones(2, "c8")],
        lambda w: [np.full(4, 100, "f4"), w[0].view("c8")],
    ),
    "a pack, and a large leaf": (
        lambda: [*np.ones((5, 3)), np.ones(40_000)],
        lambda w: [*np.full((5, 3), 100.0), np.broadcast_to(w[0][:1], (40_000,))],
    ),
    "two packs": (
        lambda: [*np.ones((5, 3), "f4"), *np.ones((5, 3))],
        lambda w: [*np.full((5, 3), 100, "f4"), *w[:5]],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_leaf_may_be_the_gradient_of_another(case):
    make, gradients = CASES[case]
    expected = stepped(make(), gradients, donate=False)
    for x, y in zip(stepped(make(), gradients, donate=True), expected, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("leaves", [1, 5])
def test_what_was_given_away_is_unchanged_after_an_error(leaves):
    params = [np.ones(3) for _ in range(leaves + 1)]
    optimizer = sgd(0.5, momentum=0.5)
    state = optimizer.init(params)
    gradients = [*np.ones((leaves, 3)), np.full(3, 1j)]
    with pytest.raises(DtypeError):
        optimizer.step(params, gradients, state, donate=True)
    for x, m in zip(params, state.slots["velocity"], strict=True):
        assert (x == 1).all()
        assert (m == 0).all()


def test_a_state_that_is_none_says_so():
    w, optimizer = np.ones(2), sgd(0.1, momentum=0.5)
    state = optimizer.init(w)
    for wrong, words in (
        (state._replace(hyperparameters=None), "`state.hyperparameters` must be a dict"),
        (state._replace(slots=None), "`state.slots` must be a dict"),
    ):
        with pytest.raises(StructureError, match=words):
            optimizer.step(w, w, wrong)


@pytest.mark.parametrize("leaves", [1, 3, 6])
def test_forward_mode_of_torch_goes_through_a_step(leaves):
    torch = pytest.importorskip("torch")
    from torch.autograd import forward_ad

    w, optimizer = [torch.ones(3) for _ in range(leaves)], sgd(0.5)
    state = optimizer.init(w)
    optimizer.step(w, w, state)
    with forward_ad.dual_level():
        g = [forward_ad.make_dual(x, torch.ones(3)) for x in w]
        moved, _ = optimizer.step(w, g, state)
        tangents = [forward_ad.unpack_dual(x).tangent for x in moved]
    assert all((x == -0.5).all() for x in tangents)


def test_sums_in_a_compiled_loop_do_not_saturate():
    """In single precision 1 + 1 + … stops at 2²⁴ for one sum, and soon after for several."""
    pytest.importorskip("numba")

    def total(xp, w, g, m, *, rate):
        return -rate * g, m * 0 + xp.sum(w * w)

    optimizer = KernelOptimizer(
        "total", total, slots={"total": zeros}, hyperparameters={"rate": 0.0}, needs_params=True
    )
    w = np.full(30_000_001, 1.1, "float32")
    with use_executor("numba"):
        _, state = optimizer.update(w, optimizer.init(w), w)
    assert state.slots["total"][0] == pytest.approx(1.21 * w.size, rel=1e-6)
