"""Finding where a derivative goes wrong: `debug_nonfinite`."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["debug_nonfinite"]


@contextmanager
def debug_nonfinite(*, values: bool = True) -> Iterator[None]:
    """Raise at the first operation whose value or derivative turns infinite or NaN.

    Parameters
    ----------
    values : bool, default True
        Whether to watch the values of operations too, beside their cotangents and tangents. Turn
        it off for a function that makes infinities on purpose, and selects others.

    Returns
    -------
    context manager
        In it, derivatives of the tape are watched. It must be around the outermost one.

    Raises
    ------
    NonFiniteError
        At the first such operation; the message has its name and the line that called it. An
        operation on operands that are infinite or NaN already is not to blame.

    Notes
    -----
    Watched derivatives are slow, and read values, which is impossible under `jax.jit`. Warnings of
    NumPy are silenced in them. The context holds for what its thread differentiates.

    PyTorch and JAX differentiate their own arrays, so on those this does nothing: there, ask for
    ``autodiff="tape"``, or use `torch.autograd.set_detect_anomaly` and `jax.debug_nans`.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> def length(x):
    ...     return np.sqrt(np.sum(x * x))
    >>> with ag.debug_nonfinite():
    ...     ag.grad(length)(np.zeros(2))
    Traceback (most recent call last):
    arraygrad.errors.NonFiniteError: the cotangent of sqrt turns infinite or NaN, at <...
    """
    # The tape is imported when something is first differentiated.
    from arraygrad.autodiff.tape.watch import Watch, watching

    with watching(Watch(values=values)):
        yield
