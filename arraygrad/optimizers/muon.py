"""Muon: matrices move along orthogonal matrices. Not one kernel: other leaves move otherwise."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from arraygrad._namespace import array_namespace
from arraygrad._numbers import is_number
from arraygrad._tree import unflatten
from arraygrad._typing import Array, Tree
from arraygrad.errors import HyperparameterError, StructureError
from arraygrad.fusion import plain
from arraygrad.kernels.muon import FACTORS, QUINTIC, muon_corrected, muon_paper
from arraygrad.optimizers._checked import TreeOptimizer, checked_optimizer, keywords_of
from arraygrad.optimizers._hyperparameters import (
    at_least_zero,
    chosen,
    first_values,
    in_unit,
    whole,
)
from arraygrad.optimizers._kernel_optimizer import zeros
from arraygrad.optimizers._protocol import Hyperparameter, Optimizer, checked_leaves
from arraygrad.optimizers._trees import slots_like
from arraygrad.optimizers.adam import adam
from arraygrad.optimizers.nadam import nadam

__all__ = ["Muon", "MuonState", "muon"]

_CONVENTIONS = {"paper": muon_paper, "torch": muon_paper, "optax": muon_corrected}


class MuonState(NamedTuple):
    """What `muon` remembers.

    Attributes
    ----------
    count : int or 0-d array
        The number of steps done.
    hyperparameters : dict
        Those that the last step used.
    slots : dict
        The momentum `mu`: a tree like the parameters, with `None` for what is no matrix.
    others
        The state of the optimizer of the other leaves: of a tree with `None` for matrices, or
        `None` where there are no others.
    """

    count: Any
    hyperparameters: dict[str, Any]
    slots: dict[str, Tree]
    others: Any


def muon(
    learning_rate: Hyperparameter,
    *,
    momentum: Hyperparameter = 0.95,
    weight_decay: Hyperparameter = 0.0,
    epsilon: Hyperparameter = 1e-7,
    nesterov: bool = True,
    iterations: int = 5,
    coefficients: Sequence[Any] = QUINTIC,
    scaling: str = "width",
    others: Optimizer | None = None,
    convention: str = "paper",
) -> "Muon":
    """Make Muon: matrices move by momentum that is made nearly orthogonal.

    A matrix stage: leaves of two dimensions take part, and another optimizer moves the rest.
    Embeddings and output layers are matrices too, and better left to the other: put them in a
    tree of their own.

    Parameters
    ----------
    learning_rate : float, 0-d array or schedule
        The size of a step: that of each singular value of a matrix, times its scaling.
    momentum : float, 0-d array or schedule
        What each step keeps of the mean gradient, in [0, 1).
    weight_decay : float, 0-d array or schedule
        What matrices lose in each step, times the learning rate.
    epsilon : float, 0-d array or schedule
        Keeps the divisor, a norm, away from zero.
    nesterov : bool
        Whether the gradient counts once more.
    iterations : int
        How often the polynomial is applied.
    coefficients : three floats, or a sequence of threes
        Of the polynomial a s + b s³ + c s⁵; or of one polynomial for each iteration.
    scaling : {"width", "rms", "none"}
        The factor of a step of an m × n matrix: √max(1, m / n), 0.2 √max(m, n), or 1.
    others : Optimizer, optional
        Moves the leaves that are no matrices; by default Adam with the same learning rate, in the
        convention "optax" with the same ε too, and NAdam where `nesterov`.
    convention : {"paper", "torch", "optax"}
        `"optax"` corrects the bias of means, and takes matrices as inputs by outputs, so that the
        width's factor is √max(1, n / m). `"torch"` is the paper's (torch itself iterates in
        bfloat16).

    Returns
    -------
    Optimizer
        With the state `MuonState`.

    Raises
    ------
    HyperparameterError
        If a number is out of its range, the convention or the scaling unknown, or `others` no
        optimizer.

    Notes
    -----
    With f the iteration, ‖·‖ Frobenius' norm, and c the scaling::

        μ ← βμ + (1 - β)g
        x ← βμ + (1 - β)g  (Nesterov), else μ
        x ← x / (‖x‖ + ε);  then x ← a x + (b xxᴴ + c (xxᴴ)²) x, `iterations` times
        w ← w - lr · (c x + λw)

    The singular values of x end between about 0.7 and 1.1, not at 1. Complex matrices are made
    nearly unitary. Computed in the parameters' precision, float32 at least.

    References
    ----------
    Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". The scaling
    "rms": Liu et al. 2025, arXiv:2502.16982, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from arraygrad.optimizers import muon
    >>> optimizer = muon(0.1)
    >>> params = {"w": np.zeros((2, 2)), "b": np.zeros(2)}
    >>> state = optimizer.init(params)
    >>> grads = {"w": np.asarray([[3.0, 1.0], [0.0, 5.0]]), "b": np.asarray([2.0, -1.0])}
    >>> params, state = optimizer.step(params, grads, state)
    >>> params["w"].round(3)
    array([[-0.081, -0.011],
           [ 0.01 , -0.084]])
    >>> params["b"].round(3)
    array([-0.1,  0.1])
    """
    whole(iterations=iterations)
    in_unit(momentum=momentum)
    at_least_zero(learning_rate=learning_rate, weight_decay=weight_decay, epsilon=epsilon)
    chosen(scaling, FACTORS, "scaling")
    kernel = functools.partial(
        chosen(convention, _CONVENTIONS),
        nesterov=nesterov, scaling=scaling, polynomials=_polynomials(coefficients, iterations),
    )  # fmt: skip
    hyperparameters = {
        "learning_rate": learning_rate, "momentum": momentum,
        "weight_decay": weight_decay, "epsilon": epsilon,
    }  # fmt: skip
    others = _others(learning_rate, epsilon, nesterov, convention) if others is None else others
    checked_optimizer(others, "others", "init", "update", "step")
    return Muon(kernel, hyperparameters, others, takes_step=convention == "optax")


def _others(rate: Any, epsilon: Any, nesterov: bool, convention: str) -> Optimizer:
    """Return what moves the leaves that are no matrices, if nothing else is said."""
    if convention != "optax":
        return adam(rate)
    if nesterov:
        return nadam(rate, epsilon=epsilon, convention="optax")
    return adam(rate, epsilon=epsilon)


def _polynomials(
    coefficients: Sequence[Any], iterations: int
) -> tuple[tuple[float, float, float], ...]:
    """Return the polynomial of each iteration."""
    given = list(coefficients) if isinstance(coefficients, Iterable) else []
    single = all(map(is_number, given))
    rows = [tuple(x) if isinstance(x, Iterable) else () for x in ([given] if single else given)]
    rows *= iterations if single else 1
    if len(rows) != iterations or not all(map(_is_polynomial, rows)):
        message = (
            "`coefficients` must be three numbers, or three for each of the "
            f"{iterations} `iterations`, got {coefficients!r}"
        )
        raise HyperparameterError(message)
    return tuple(rows)


def _is_polynomial(row: tuple[Any, ...]) -> bool:
    """Say whether this may be a polynomial's coefficients."""
    return len(row) == 3 and all(map(is_number, row))


def _is_matrix(w: Array) -> bool:
    """Say whether a leaf has a direction to make orthogonal."""
    return w.ndim == 2 and 0 not in w.shape


class Muon(TreeOptimizer):
    """Muon for matrices, another optimizer for the rest: see `muon`."""

    name = "muon"

    def __init__(
        self, kernel: Any, hyperparameters: Any, others: Optimizer, *, takes_step: bool
    ) -> None:
        self.kernel, self._hyperparameters, self._others = kernel, hyperparameters, others
        self._takes_step, self.takes = takes_step, keywords_of(others)
        self.nested = {"others": others}

    def init(self, params: Tree, /) -> MuonState:
        """Return the state before the first step."""
        leaves, treedef = checked_leaves(params, "params")
        mu = [zeros(array_namespace(w), w) if _is_matrix(w) else None for w in leaves]
        rest = _rest(leaves, leaves, treedef)
        state = None if rest is None else self._others.init(rest)
        slots = {"mu": unflatten(treedef, mu)}
        return MuonState(0, first_values(self._hyperparameters), slots, state)

    def _run(
        self, grads: Tree, state: MuonState, params: Tree | None, *, add: bool, **extra: Any
    ) -> tuple[Tree, MuonState]:
        """Return updates, or with `add` new parameters, and the next state."""
        weights, gradients, treedef = self._checked(params, grads)
        kept = self._current(state)
        scalars = {**kept, "step": state.count + 1} if self._takes_step else kept
        momenta = slots_like(treedef, state, ["mu"], weights)["mu"]
        if [mu is not None for mu in momenta] != list(map(_is_matrix, weights)):
            message = "`state` is that of other parameters: they had their matrices elsewhere"
            raise StructureError(message)
        rows = [
            plain.leaf(self.kernel, (w, g, mu), scalars, add=add) if _is_matrix(w) else (None, None)
            for w, g, mu in zip(weights, gradients, momenta, strict=True)
        ]
        others, updates = state.others, [row[0] for row in rows]
        rest = _rest(weights, weights, treedef)
        if rest is not None:
            given = _rest(gradients, weights, treedef)
            moved, others = (
                self._others.step(rest, given, others, **extra)
                if add
                else self._others.update(given, others, rest, **extra)
            )
            left = treedef.flatten_up_to(moved)
            updates = [x if u is None else u for u, x in zip(updates, left, strict=True)]
        slots = {"mu": unflatten(treedef, [row[1] for row in rows])}
        return unflatten(treedef, updates), MuonState(state.count + 1, kept, slots, others)


def _rest(leaves: Sequence[Array], weights: Sequence[Array], treedef: Any) -> Tree | None:
    """Return the tree of what is no matrix, with `None` for matrices; `None` if nothing is left."""
    if all(map(_is_matrix, weights)):
        return None
    pairs = zip(leaves, weights, strict=True)
    return unflatten(treedef, [None if _is_matrix(w) else x for x, w in pairs])
