"""Nadam and RAdam: steps of torch, optax and keras, on every library."""

import numpy as np
import pytest

from arraygrad.errors import HyperparameterError
from arraygrad.optimizers import nadam, nadamw, radam
from conformance_tests.optimizer_checks import (
    COSTS,
    assert_descends,
    assert_differentiable,
    assert_jits,
    assert_libraries_agree,
    assert_like_optax,
    assert_like_plain,
    assert_like_torch,
    complex_tree,
)

CASES = {
    "nadam": nadam(0.05),
    "nadam-torch": nadam(0.05, convention="torch", weight_decay=0.1),
    "nadam-optax": nadam(0.05, convention="optax"),
    "nadamw": nadamw(0.05, weight_decay=0.1),
    "radam": radam(0.05),
    "radam-torch": radam(0.05, convention="torch", weight_decay=0.1),
    "radam-decoupled": radam(0.05, weight_decay=0.1, decoupled_weight_decay=True),
}
every_case = pytest.mark.parametrize("optimizer", CASES.values(), ids=CASES)
one_of_each = pytest.mark.parametrize("name", ["nadam", "radam"])


@every_case
def test_each_agrees_on_every_library(backend, optimizer):
    assert_libraries_agree(backend, optimizer)


@one_of_each
def test_each_takes_complex_parameters(backend, name):
    assert_libraries_agree(backend, CASES[name], params=complex_tree(), steps=2)


@one_of_each
def test_each_jits(name):
    assert_jits(CASES[name])


@one_of_each
def test_each_is_differentiable(backend, name):
    assert_differentiable(backend, CASES[name], steps=7 if name == "radam" else 3)


@every_case
@pytest.mark.parametrize("cost", COSTS)
def test_each_descends(cost, optimizer):
    if optimizer.name == "radam" and cost == "rosenbrock":
        optimizer = radam(0.0003)  # whose first steps are as long as the gradient
    assert_descends(optimizer, cost, to=0.8)


# --- Nadam ----------------------------------------------------------------------------------------


@pytest.fixture
def torch_in_double():
    """Return torch where the product of momenta, too, is a number of double precision."""
    torch = pytest.importorskip("torch")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(usual)


@pytest.mark.parametrize("keywords", [{}, {"momentum_decay": 0.3}, {"weight_decay": 0.1}], ids=str)
def test_nadam_is_that_of_torch(keywords, torch_in_double):
    assert_like_torch(
        nadam(0.1, **keywords, convention="torch"),
        lambda w: torch_in_double.optim.NAdam(w, lr=0.1, **keywords),
        tolerance=1e-11,
    )


def test_nadamw_is_that_of_torch(torch_in_double):
    keywords = {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}
    assert_like_torch(
        nadamw(0.1, weight_decay=0.2, convention="torch"),
        lambda w: torch_in_double.optim.NAdam(w, **keywords),
    )


def test_nadam_is_that_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(nadam(0.1, convention="optax"), optax.nadam(0.1))
    assert_like_optax(nadam(0.1, convention="optax"), optax.nadam(0.1), params=complex_tree())
    ours = nadamw(0.1, weight_decay=0.2, convention="optax")
    assert_like_optax(ours, optax.nadamw(0.1, weight_decay=0.2))


@pytest.mark.parametrize("convention", ["paper", "keras"])
def test_nadam_is_its_formula(convention):
    paper = convention == "paper"

    def formula(t, w, g, m, v):
        def momentum(i):
            return 0.9 * (1 - 0.5 * 0.96 ** (i * (0.25 if paper else 1.0)))

        product = np.prod([momentum(i) for i in range(1, t + 1)])
        kept, factor = (momentum(t), 0.95) if paper else (0.9, 1.0)
        m, v = kept * m + (1 - kept) * g, 0.95 * v + 0.05 * g**2
        ahead = momentum(t + 1) * m / (1 - product * momentum(t + 1))
        ahead = ahead + (1 - momentum(t)) * g / (1 - product)
        return w - 0.1 * ahead / (np.sqrt(factor * v / (1 - 0.95**t)) + 1e-3), m, v

    keywords = {"momentum_decay": 0.25} if paper else {}
    ours = nadam(0.1, beta2=0.95, epsilon=1e-3, convention=convention, **keywords)
    assert_like_plain(ours, formula, [0.0, 0.0])


def test_nadam_keeps_a_number_of_single_precision_at_least():
    state = nadam(0.1).init({"a": np.ones((2, 3), np.float16), "b": np.ones(3)})
    product = state.slots["mu_product"]
    assert [product["a"].shape, product["b"].shape] == [(), ()]
    assert [product["a"].dtype, product["b"].dtype] == [np.float32, np.float64]


# --- RAdam ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keywords",
    [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    ids=str,
)
def test_radam_is_that_of_torch(keywords):
    torch = pytest.importorskip("torch")
    assert_like_torch(
        radam(0.1, **keywords, convention="torch"),
        lambda w: torch.optim.RAdam(w, lr=0.1, **keywords),
        tolerance=1e-11,
    )


def test_radam_is_that_of_optax():
    optax = pytest.importorskip("optax")
    assert_like_optax(radam(0.1, beta2=0.99, convention="optax"), optax.radam(0.1, b2=0.99))
    assert_like_optax(
        radam(0.1, beta2=0.99, threshold=9.0, convention="optax"),
        optax.radam(0.1, b2=0.99, threshold=9.0),
        params=complex_tree(),
    )


def test_radam_is_its_formula():
    longest = 2 / (1 - 0.95) - 1

    def formula(t, w, g, m, v):
        m, v = 0.9 * m + 0.1 * g, 0.95 * v + 0.05 * g**2
        rho = longest - 2 * t * 0.95**t / (1 - 0.95**t)
        direction = m / (1 - 0.9**t)
        if rho > 4:
            r = (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)
            direction = np.sqrt(r) * direction / (np.sqrt(v / (1 - 0.95**t)) + 1e-3)
        return w - 0.1 * direction, m, v

    assert_like_plain(radam(0.1, beta2=0.95, epsilon=1e-3), formula, [0.0, 0.0])


@pytest.mark.parametrize("beta2", [0.0, 0.5, 0.6])
def test_radam_with_a_short_memory_never_divides(beta2):
    def formula(t, w, g, m):
        m = 0.9 * m + 0.1 * g
        return w - 0.1 * m / (1 - 0.9**t), m

    assert_like_plain(radam(0.1, beta2=beta2), formula, [0.0])


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [nadam, nadamw, radam])
@pytest.mark.parametrize(
    "keywords",
    [
        {"learning_rate": -1.0},
        {"beta1": 1.0},
        {"beta2": -0.1},
        {"epsilon": -1e-8},
        {"weight_decay": -0.1},
        {"convention": "mine"},
    ],
    ids=str,
)
def test_each_refuses(make, keywords):
    with pytest.raises(HyperparameterError, match=f"`{next(iter(keywords))}` must be"):
        make(**{"learning_rate": 0.1, **keywords})


def test_what_has_no_meaning_is_refused():
    with pytest.raises(HyperparameterError, match="`threshold` must be at least 4"):
        radam(0.1, threshold=3)
    with pytest.raises(HyperparameterError, match="`momentum_decay` has no meaning"):
        nadam(0.1, momentum_decay=0.1, convention="optax")
