"""Everything that can be wrong with a gradient, looked for at once: `audit`."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from arraygrad._typing import Tree
from arraygrad.libraries.generic import quiet_numpy

if TYPE_CHECKING:
    from arraygrad.report import Report

__all__ = ["audit"]


def audit(
    f: Callable[..., Tree],
    *args: Tree,
    tolerance: float | None = None,
    seed: int = 0,
    file: TextIO | None = None,
    quiet: bool = False,
) -> "Report":
    """Look for everything that can be wrong with the gradient of a function.

    Parameters
    ----------
    f : callable
        A function of `args` that returns floating arrays, or a tree of them; smooth near `args`.
    *args : trees of arrays
        Where to evaluate. All floating arrays, and Python floats, are differentiated.
    tolerance : float, optional
        The largest relative error that counts as agreement: 1e-6 by default, 1e-2 where an array
        has less than 64 bits.
    seed : int, default 0
        Of the random directions along which differences are taken.
    file : text file, optional
        Where the table is printed; by default to the standard output.
    quiet : bool, default False
        Whether to print nothing.

    Returns
    -------
    Report
        Its fields are `arguments`, the gradient of each array against finite differences;
        `libraries`, all gradients against those of every other installed library; `breaks`, each
        place where the graph broke, with file and line; `disconnected`, the arguments without
        influence; `nonfinite`, the operations whose value or cotangent turned infinite or NaN.
        `ok` says that there is nothing wrong, and `str(report)` is the table.

    Raises
    ------
    DtypeError
        If there is no floating array, and no float, among `args`.
    Exception
        Whatever `f` itself raises, for the arrays it was given.

    Notes
    -----
    The gradient is that of the library's own autodiff. On the tape, graph breaks are noted and
    passed over, as far as that goes; a function without a rule ends the search. Arrays of PyTorch
    and JAX go through the tape as well, to find what is wrong, and to be compared.

    Differences are central ones of fourth order, with step 1e-3, along one direction for each
    array. `f` is called some four times for each, and a few times for each library: by way of
    NumPy, with the random cotangent and the arrays that the first one got. Libraries that `f`
    cannot run on are listed with what they raised.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> def loss(w, scale):
    ...     return np.sum(w**2) * float(scale)
    >>> report = ag.audit(loss, np.asarray([1.0, 2.0]), np.asarray(3.0), quiet=True)
    >>> report.ok
    False
    >>> [(found.operation, found.line) for found in report.breaks]
    [('float()', 2)]
    >>> report.disconnected
    ('args[1]',)
    """
    from arraygrad._audit import Audit  # with all that it compares with: only when it is wanted

    with quiet_numpy():  # the report says it better than warnings
        report = Audit(f, args, tolerance, seed).report()
    if not quiet:
        (file or sys.stdout).write(f"{report}\n")
    return report
