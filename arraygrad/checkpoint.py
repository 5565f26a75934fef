"""Functions that are run again rather than remembered: `checkpoint`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from arraygrad._tree import TreeDef, unflatten
from arraygrad._typing import Array, Leaves, Tree
from arraygrad.operators._operands import Operands

__all__ = ["checkpoint"]

P = ParamSpec("P")
T = TypeVar("T")


def checkpoint(f: Callable[P, T]) -> Callable[P, T]:
    """Return a function that is run again for its derivative, instead of remembered.

    Parameters
    ----------
    f : callable
        Returns a tree of floating arrays. It must give the same result every time.

    Returns
    -------
    callable
        A function of the same arguments, with the same value and the same derivatives. Between its
        evaluation and the use of its pullback only the arguments and the value are kept.

    Raises
    ------
    DtypeError
        If the value holds anything but floating arrays.

    Notes
    -----
    A chain of n operations, checkpointed in blocks of √n, holds about 2√n intermediate results
    at once instead of n, and runs about once more.

    What `f` closes over may be differentiated too. On the tape and on torch `f` is then recorded as
    usual, which saves nothing: pass such arrays as arguments. The same goes for torch below
    another derivative, where its transforms do not allow it. The tape's forward mode records
    one checkpointed function at a time.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> block = ag.checkpoint(lambda x: np.sin(np.exp(x)))
    >>> print(ag.grad(lambda x: np.sum(block(x)))(np.asarray([0.0])))
    [0.54030231]
    """

    @wraps(f)
    def function(*args: P.args, **kwargs: P.kwargs) -> T:
        operands = Operands(args, kwargs, keywords=True)
        body = _Body(f, operands)
        again = getattr(operands.autodiff, "checkpoint", _remembered)
        value: T = body.whole(again(body, *operands.hand_over()))
        return value

    return function


class _Body:
    """The function between flat lists that an autodiff sees."""

    def __init__(self, f: Callable[..., Any], operands: Operands) -> None:
        self.f, self.operands = f, operands
        self.treedef: TreeDef

    def __call__(self, leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Any]]:
        args, kwargs = self.operands.arguments(leaves, constants)
        outputs, self.treedef = self.operands.outputs(self.f(*args, **kwargs))
        return outputs, []

    def whole(self, outputs: Leaves) -> Tree:
        """Return a tree shaped like the value."""
        return unflatten(self.treedef, outputs)


def _remembered(body: _Body, leaves: Leaves, constants: Leaves) -> list[Array]:
    """Apply a function on an autodiff that cannot run it again."""
    return body(leaves, constants)[0]
