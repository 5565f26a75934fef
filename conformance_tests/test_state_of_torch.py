"""Taking over states of torch: training goes on as if nothing had happened."""

import collections

import numpy as np
import pytest

from arraygrad import Container
from arraygrad import optimizers as ours
from arraygrad._tree import flatten, unflatten
from arraygrad.errors import StateError
from arraygrad.state import from_torch, load_state, save_state, to_torch
from conformance_tests.backends import load
from conformance_tests.optimizer_checks import gradients_like
from conformance_tests.state_exchanges import HALF, STEPS, walk
from conformance_tests.torch_state_cases import TORCH
from conformance_tests.trees import assert_close, from_numpy, to_numpy

TOLERANCE = 1e-12


class Torch:
    """A torch optimizer of the leaves of a tree."""

    def __init__(self, params, kind, options, rate=0.1, named=False):
        import torch

        leaves, self.treedef = flatten(params)
        self.params = [torch.nn.Parameter(torch.asarray(np.copy(w))) for w in leaves]
        given = [(f"p{n}", w) for n, w in enumerate(self.params)] if named else self.params
        if not hasattr(torch.optim, kind):
            pytest.skip(f"this torch has no {kind}")
        self.optimizer = getattr(torch.optim, kind)(given, lr=rate, **options)

    def walk(self, gradients):
        import torch

        for grads in gradients:
            for w, g in zip(self.params, flatten(grads)[0], strict=True):
                w.grad = torch.asarray(np.copy(g))
            self.optimizer.step()
        return self

    @property
    def tree(self):
        return unflatten(self.treedef, [w.detach().numpy().copy() for w in self.params])


@pytest.fixture(autouse=True)
def torch_in_double(monkeypatch):
    """Let torch keep its products and rates, too, in double precision."""
    torch = pytest.importorskip("torch")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    # Muon iterates in half precision, which is too rough to compare
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    yield
    torch.set_default_dtype(usual)


def drawn(*shapes):
    """Return parameters, and gradients for all steps."""
    draw = np.random.default_rng(0).normal
    bias, *nets = (np.asarray(draw(size=shape)) for shape in shapes)
    params = {"bias": bias, "nets": nets}
    return params, gradients_like(params, STEPS)


@pytest.fixture(scope="module")
def case():
    """Parameters, and gradients for all steps."""
    return drawn((), (2, 3), (0, 2))


@pytest.fixture(scope="module")
def cases(case):
    """The same by torch's classes, some of which take no empty arrays, or matrices alone."""
    cases = {"Adafactor": drawn((), (2, 3), (3,), (2, 4, 3)), "Muon": drawn((2, 3), (4, 2))}
    return collections.defaultdict(lambda: case, cases)


@pytest.mark.parametrize("name", TORCH)
def test_ours_goes_on_where_torch_stopped(cases, name):
    pytest.importorskip("torch")
    make, kind, options = TORCH[name]
    params, gradients = cases[kind]
    whole = Torch(params, kind, options).walk(gradients).tree
    begun = Torch(params, kind, options).walk(gradients[:HALF])
    optimizer = make(123.0)  # torch's rate is taken over
    state = from_torch(begun.optimizer.state_dict(), begun.tree, optimizer)
    assert state.hyperparameters.get("learning_rate", 0.1) == 0.1
    assert_close(walk(optimizer, begun.tree, state, gradients[HALF:])[0], whole, TOLERANCE)


@pytest.mark.parametrize("name", TORCH)
def test_torch_goes_on_where_ours_stopped(cases, name):
    pytest.importorskip("torch")
    make, kind, options = TORCH[name]
    params, gradients = cases[kind]
    optimizer = make(0.1)
    whole, _ = walk(optimizer, params, optimizer.init(params), gradients)
    half, state = walk(optimizer, params, optimizer.init(params), gradients[:HALF])
    theirs = Torch(half, kind, options, rate=123.0)
    theirs.optimizer.load_state_dict(to_torch(state, theirs.optimizer.state_dict(), optimizer))
    assert_close(theirs.walk(gradients[HALF:]).tree, whole, TOLERANCE)


@pytest.mark.parametrize("name", TORCH)
def test_a_state_of_torch_survives_the_way_there_and_back(cases, name):
    torch = pytest.importorskip("torch")
    make, kind, options = TORCH[name]
    params, gradients = cases[kind]
    theirs = Torch(params, kind, options).walk(gradients[:HALF])
    before, optimizer = theirs.optimizer.state_dict(), make(0.5)
    after = to_torch(from_torch(before, params, optimizer), before, optimizer)
    assert after["param_groups"] == before["param_groups"]
    kept = {
        place: {key: value for key, value in row.items() if value is not None}
        for place, row in before["state"].items()
    }
    if "momentum" not in options and kind == "SGD":
        kept = {}
    assert after["state"].keys() == kept.keys()
    for place, row in kept.items():
        assert after["state"][place].keys() == row.keys()
        for key, value in row.items():
            assert torch.equal(after["state"][place][key], value)


@pytest.mark.parametrize("backend_name", ["numpy", "array_api_strict", "torch", "jax"])
def test_a_state_of_torch_goes_to_any_library_and_through_a_file(case, backend_name, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip(backend_name)
    (params, gradients), (make, kind, options) = case, TORCH["adam"]
    backend = load(backend_name)
    whole = Torch(params, kind, options).walk(gradients).tree
    begun = Torch(params, kind, options).walk(gradients[:HALF])
    here, optimizer = from_numpy(backend, begun.tree), make(0.1)
    state = from_torch(begun.optimizer.state_dict(), here, optimizer)
    save_state(tmp_path / "a.safetensors", state)
    state = load_state(tmp_path / "a.safetensors", optimizer.init(here))
    rest = [from_numpy(backend, grads) for grads in gradients[HALF:]]
    found = to_numpy(backend, walk(optimizer, here, state, rest)[0])
    assert_close(found, whole, TOLERANCE)


# --- which parameter is which -----------------------------------------------------------------


def two(a, b):
    """Two parameters of one shape, in the other order than the alphabet's."""
    return {"w": np.full(2, a), "b": np.full(2, b)}


def test_names_say_which_parameter_is_which():
    torch = pytest.importorskip("torch")
    w, b = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2))
    optimizer, params = ours.adam(0.1), {"net": [two(1.0, 1.0)]}
    theirs = torch.optim.Adam([w, b], lr=0.1)
    w.grad, b.grad = torch.full_like(w, 1.0), torch.full_like(b, 2.0)
    theirs.step()
    with pytest.raises(StateError, match="pass `names`"):
        from_torch(theirs.state_dict(), params, optimizer)
    for names in (["net.0.w", "net.0.b"], ["net/0/w", "net/0/b"]):
        state = from_torch(theirs.state_dict(), params, optimizer, names=names)
        mean = state.slots["mu"]["net"][0]
        assert mean["w"].tolist() == pytest.approx([0.1, 0.1])
        assert mean["b"].tolist() == pytest.approx([0.2, 0.2])
        back = to_torch(state, theirs.state_dict(), optimizer, names=names)
        for place in (0, 1):
            expected = theirs.state_dict()["state"][place]["exp_avg"]
            assert torch.equal(back["state"][place]["exp_avg"], expected)
    with pytest.raises(StateError, match=r"called \['net\.0\.x', 'net\.0\.b'\]"):
        from_torch(theirs.state_dict(), params, optimizer, names=["net.0.x", "net.0.b"])


def test_names_that_torch_keeps_are_used():
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 2, dtype=torch.float64)
    theirs = torch.optim.Adam(model.named_parameters(), lr=0.1)
    if "param_names" not in theirs.state_dict()["param_groups"][0]:
        pytest.skip("torch keeps no names before 2.6")
    model(torch.ones(2, dtype=torch.float64)).sum().backward()
    theirs.step()
    params = {name: w.detach().numpy() for name, w in model.named_parameters()}
    state = from_torch(theirs.state_dict(), params, ours.adam(0.1))
    assert state.slots["mu"]["weight"].shape == (2, 2)
    assert state.slots["mu"]["bias"].shape == (2,)


def test_containers_keep_their_order_and_need_no_names():
    torch = pytest.importorskip("torch")
    theirs = Torch([np.ones(2), np.ones(2)], "Adam", {}).walk([[np.ones(2), np.zeros(2)]])
    state = from_torch(theirs.optimizer.state_dict(), Container(two(1.0, 1.0)), ours.adam(0.1))
    assert state.slots["mu"].w.tolist() == pytest.approx([0.1, 0.1])
    assert state.slots["mu"].b.tolist() == [0, 0]
    assert torch.optim.Adam is type(theirs.optimizer)


# --- what cannot be taken over ------------------------------------------------------------------


def test_what_never_began_begins_here(case):
    pytest.importorskip("torch")
    params, _ = case
    state = from_torch(Torch(params, "Adam", {}).optimizer.state_dict(), params, ours.adam(0.5))
    assert state.count == 0
    assert state.hyperparameters["learning_rate"] == 0.1
    assert all(not x.any() for x in flatten(state.slots)[0])


@pytest.mark.parametrize(
    ("make", "kind", "options", "told"),
    [
        (lambda: ours.adam(0.1), "Adam", {"amsgrad": True}, "amsgrad=True"),
        (lambda: ours.adam(0.1), "Adam", {"maximize": True}, "maximize=True"),
        (lambda: ours.sgd(0.1, convention="torch"), "SGD", {"weight_decay": 0.1}, "weight_decay"),
        (lambda: ours.sgd(0.1, convention="torch"), "SGD", {"momentum": 0.9}, "momentum=0.9"),
        (
            lambda: ours.sgd(0.1, momentum=0.9, convention="torch"),
            "SGD",
            {"momentum": 0.9, "nesterov": True},
            "nesterov=True",
        ),
        (
            lambda: ours.sgd(0.1, momentum=0.9, nesterov=True, convention="torch"),
            "SGD",
            {"momentum": 0.9},
            "nesterov=False",
        ),
        (
            lambda: ours.sgd(0.1, momentum=0.9),
            "SGD",
            {"momentum": 0.9},
            'make it with convention="torch"',
        ),
        (
            lambda: ours.adafactor(0.1, epsilon=1e-3, convention="torch"),
            "Adafactor",
            {},
            r"eps=\(None, 0.001\)",
        ),
        (
            lambda: ours.adafactor(0.1, convention="torch"),
            "Adafactor",
            {"eps": (0.0, 1e-3)},
            r"eps=\(0.0, 0.001\)",
        ),
        (lambda: ours.adafactor(0.1), "Adafactor", {}, 'make it with convention="torch"'),
        (lambda: ours.muon(0.1), "Muon", {"ns_steps": 4}, "ns_steps=4"),
        (lambda: ours.muon(0.1), "Muon", {"ns_coefficients": (3.0, -4.0, 2.0)}, "ns_coefficients="),
        (lambda: ours.muon(0.1), "Muon", {"adjust_lr_fn": "match_rms_adamw"}, "adjust_lr_fn="),
        (lambda: ours.muon(0.1, nesterov=False), "Muon", {}, "nesterov=True"),
        (lambda: ours.muon(0.1, convention="optax"), "Muon", {}, 'make it with convention="torch"'),
        (
            lambda: ours.signsgd(0.1),
            "SGD",
            {},
            "one whose states can be exchanged with torch",
        ),
    ],
)
def test_options_that_ours_does_not_have_are_refused(cases, make, kind, options, told):
    pytest.importorskip("torch")
    params, gradients = cases[kind]
    theirs = Torch(params, kind, options).walk(gradients[:1]).optimizer.state_dict()
    with pytest.raises(StateError, match=told):
        from_torch(theirs, params, make())


def test_groups_that_differ_are_refused():
    torch = pytest.importorskip("torch")
    params = [np.ones(2), np.ones(2)]
    a, b = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    theirs = torch.optim.Adam([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)
    with pytest.raises(StateError, match=r"learning_rate must be the same everywhere, got 0\.1, 0"):
        from_torch(theirs.state_dict(), params, ours.adam(0.1))


def test_parameters_without_a_state_and_of_other_shapes_are_refused():
    torch = pytest.importorskip("torch")
    a, b = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    theirs = torch.optim.Adam([a, b], lr=0.1)
    a.grad = torch.ones(2)
    theirs.step()
    with pytest.raises(StateError, match="no 'exp_avg' for the parameter 1: it never had"):
        from_torch(theirs.state_dict(), [np.ones(2), np.ones(2)], ours.adam(0.1))
    b.grad = torch.ones(2)
    theirs.step()
    with pytest.raises(StateError, match="step` must be the same everywhere, got"):
        from_torch(theirs.state_dict(), [np.ones(2), np.ones(2)], ours.adam(0.1))
    with pytest.raises(StateError, match="2 parameters"):
        from_torch(theirs.state_dict(), [np.ones(2)], ours.adam(0.1))
    theirs = Torch([np.ones(3)], "Adam", {}).walk([[np.ones(3)]])
    with pytest.raises(StateError, match=r"exp_avg` at 0 has shape \(3,\), expected \(2,\)"):
        from_torch(theirs.optimizer.state_dict(), [np.ones(2)], ours.adam(0.1))


@pytest.mark.parametrize("value", [None, 3, (1.0,)])
def test_options_of_another_shape_are_refused(cases, value):
    pytest.importorskip("torch")
    params, gradients = cases["Muon"]
    theirs = Torch(params, "Muon", {}).walk(gradients[:1]).optimizer.state_dict()
    theirs["param_groups"][0]["ns_coefficients"] = value
    with pytest.raises(StateError, match="torch's optimizer has ns_coefficients="):
        from_torch(theirs, params, ours.muon(0.1))


@pytest.mark.parametrize("slot", ["row_var", "col_var", "variance"])
def test_a_state_without_a_field_is_refused(cases, slot):
    pytest.importorskip("torch")
    params, gradients = cases["Adafactor"]
    theirs = Torch(params, "Adafactor", {}).walk(gradients[:1]).optimizer.state_dict()
    row = next(row for row in theirs["state"].values() if slot in row)
    optimizer = ours.adafactor(0.1, convention="torch")
    row[slot] = row[slot].reshape(-1)[:-1]
    with pytest.raises(StateError, match=r"has shape .*, expected"):
        from_torch(theirs, params, optimizer)
    del row[slot]
    with pytest.raises(StateError, match=f"torch has no '{slot}' for the parameter"):
        from_torch(theirs, params, optimizer)


def test_what_is_no_matrix_is_refused_for_muon(cases):
    pytest.importorskip("torch")
    params, gradients = cases["Muon"]
    theirs = Torch(params, "Muon", {}).walk(gradients[:1]).optimizer.state_dict()
    optimizer, more = ours.muon(0.1), {**params, "more": np.ones(2)}
    with pytest.raises(StateError, match=r"torch has nothing like <optimizer adam.* `others` of"):
        from_torch(theirs, more, optimizer)
    with pytest.raises(StateError, match=r"torch has nothing like <optimizer adam.* `others` of"):
        to_torch(optimizer.init(more), theirs, optimizer)


@pytest.mark.parametrize("make", [ours.sgd, ours.muon])
def test_states_of_other_optimizers_of_ours_are_refused(make):
    torch = pytest.importorskip("torch")
    optimizer = make(0.1, convention="torch")
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.ones(2, 2))]).state_dict()
    for state in ({}, None, ours.adam(0.1).init([np.ones((2, 2))])):
        with pytest.raises(StateError, match="`state` must be the state of <optimizer"):
            to_torch(state, theirs, optimizer)


@pytest.mark.parametrize("given", [{}, {"state": {}}, None, [1]])
def test_what_is_no_state_of_torch_is_refused(given):
    with pytest.raises(StateError, match="`state_dict` must be what"):
        from_torch(given, [np.ones(2)], ours.adam(0.1))
