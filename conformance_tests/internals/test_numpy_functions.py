"""Each of NumPy's functions on traced arrays: its values, and the right derivatives."""

import numpy as np
import pytest

from conformance_tests.internals.traced_checks import check_derivatives

X = np.asarray([[0.31, 0.72, 0.15, 0.58], [0.86, 0.24, 0.67, 0.43], [0.52, 0.91, 0.36, 0.79]])
SIDES = X * [1.0, -1.0, 1.0, -1.0]  # of both signs
W = np.asarray([[1.2, -0.4, 0.3, 0.9], [0.1, 2.0, -1.1, 0.6], [-0.7, 0.5, 1.4, -0.2]])
ROW = W[0]
AWAY = np.abs(W) + 2.74  # no multiple of X, nor a fraction, within the reach of differences

SQUARE = W[:, :3]

UNARY = (
    "absolute arccos arcsin arcsinh arctan arctanh cbrt ceil conjugate cos cosh deg2rad degrees exp"
    " exp2 expm1 fabs floor log log10 log1p log2 modf negative positive rad2deg radians reciprocal"
    " rint sign sin sinh sqrt square tan tanh trunc"
).split()
BINARY = (
    "add arctan2 copysign divide divmod float_power floor_divide fmax fmin fmod hypot logaddexp"
    " logaddexp2 maximum minimum mod multiply nextafter power remainder subtract true_divide"
).split()

FUNCTIONS = {
    "amax": lambda x: np.amax(x, axis=1),
    "amin": lambda x: np.amin(x, 0),
    "angle": lambda x: np.angle(x * (1 + 2j) + 1j, deg=True),
    "append": lambda x: np.append(x, ROW),
    "append along": lambda x: np.append(W, x, axis=0),
    "around": lambda x: np.around(x * 3.63, 1) * x,
    "array_split": lambda x: np.array_split(x, 3, axis=1),
    "array_split at": lambda x: np.array_split(x, [1, -1, 9], axis=1),
    "atleast_1d": lambda x: np.atleast_1d(x[0, 0], x[0], x),
    "atleast_2d": lambda x: np.atleast_2d(x[0, 0], x[0], x),
    "atleast_3d": lambda x: np.atleast_3d(x[0, 0], x[0], x, x[None], x[None, None]),
    "average": lambda x: np.average(x, axis=1),
    "average weighted": lambda x: np.average(W, axis=0, weights=x, returned=True),
    "average along": lambda x: np.average(W, axis=1, weights=x[0]),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x[:, :1], ROW),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "clip": lambda x: np.clip(x, 0.3, 0.7),
    "clip by keyword": lambda x: np.clip(x, max=0.7),
    "clip bounds": lambda x: np.clip(W, x - 0.5, x),
    "column_stack": lambda x: np.column_stack([x, x[:, 0], ROW[:3]]),
    "concatenate": lambda x: np.concatenate([x, W, x * x]),
    "concatenate flat": lambda x: np.concatenate((x, ROW), axis=None),
    "copy": lambda x: np.copy(x) * x,
    "cross": lambda x: np.cross(x[:, :3], SQUARE),
    "cross axes": lambda x: np.cross(x, W, axis=0),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "cumsum": lambda x: np.cumsum(x * x),
    "diag of matrix": lambda x: np.diag(x * x, 1),
    "diag of vector": lambda x: [np.diag(x[0] * x[1], k) for k in (0, 2, -1)],
    "diagonal": lambda x: [np.diagonal(x * x, k) for k in (0, 1, -1, 3, -2, 4, -5)],
    "diagonal axes": lambda x: np.diagonal(np.multiply.outer(x, x), 1, 3, 0),
    "fmax, fmin beside NaN": lambda x: [
        np.fmax(x, np.where(W > 0.5, np.nan, W)),
        np.fmin(np.where(W > 0.5, np.nan, 1.0) * x, W),
    ],
    "heaviside": lambda x: [np.heaviside(W - 0.3, x), np.heaviside(x - 0.5, 0.5) * x],
    "ldexp": lambda x: [np.ldexp(x, 3), np.ldexp(x, np.asarray([1, -2, 0, 3]))],
    "unique": lambda x: [np.unique(np.floor(x * 3.63) + x[0, 0] ** 2), np.unique_counts(x).values],
    "diff": lambda x: np.diff(x * x, 2, prepend=0.5),
    "dot": lambda x: [np.dot(x.T, x), np.dot(x, ROW), np.dot(x[0], x[1]), np.dot(x[0, 0], x)],
    "dot of stacks": lambda x: np.dot(x[None], np.stack([x.T, x.T])),
    "dot from raw": lambda x: np.dot(W, x.T),
    "dsplit": lambda x: np.dsplit(x[None], 2),
    "dstack": lambda x: np.dstack([x, W, x * x]),
    "expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "fix": lambda x: np.fix(x * 3.63) * x,
    "flip": lambda x: np.flip(x * x),
    "fliplr": lambda x: np.fliplr(x * x),
    "flipud": lambda x: np.flipud(x * x),
    "full_like": lambda x: np.full_like(x, 2.5) * x,
    "hsplit": lambda x: [np.hsplit(x, 2), np.hsplit(x[0], [1, 2])],
    "hstack": lambda x: [np.hstack([x, W]), np.hstack([x[0], ROW])],
    "imag": lambda x: np.imag(x * x * (1 + 2j)),
    "inner": lambda x: [np.inner(x, W), np.inner(x[0], x[1]), np.inner(2.0, x)],
    "kron": lambda x: [np.kron(x, SQUARE), np.kron(x[0], x)],
    "linalg.matmul": lambda x: np.linalg.matmul(x.T, x),
    "linalg.matrix_transpose": lambda x: np.linalg.matrix_transpose(x * x),
    "linalg.vecdot": lambda x: np.linalg.vecdot(x, W),
    "linspace": lambda x: np.linspace(x[0], x[1], 5),
    "matmul": lambda x: np.matmul(W, x.T),
    "matrix_transpose": lambda x: np.matrix_transpose(x * x),
    "max": lambda x: [np.max(x), np.max(x, 0, keepdims=True)],
    "mean": lambda x: [np.mean(x * x), np.mean(x * x, axis=(0, 1), keepdims=True)],
    "mean in double": lambda x: np.mean(x * x, dtype=np.complex128),
    "meshgrid": lambda x: np.meshgrid(x[0], x[:, 0], indexing="ij"),
    "min": lambda x: np.min(x, axis=-1),
    "moveaxis": lambda x: np.moveaxis(x[None] * x, 0, -1),
    "nan_to_num": lambda x: np.nan_to_num(x * np.where(W > 1, np.nan, W), nan=3.0),
    "nanmean": lambda x: np.nanmean(x * np.where(W > 1, np.nan, x), axis=1),
    "nansum": lambda x: np.nansum(x * np.where(W > 1, np.nan, x)),
    "outer": lambda x: [np.outer(x, ROW), np.outer(x[0], x[1])],
    "prod": lambda x: np.prod(x, axis=1),
    "ptp": lambda x: np.ptp(x, axis=0),
    "ravel": lambda x: np.ravel(x * x),
    "real": lambda x: np.real(x * x * (1 + 2j)),
    "repeat": lambda x: np.repeat(x, 3, axis=1),
    "reshape": lambda x: [np.reshape(x, -1), np.reshape(x, (2, 6)), np.reshape(x, shape=(4, -1))],
    "roll": lambda x: np.roll(x, (1, 2), axis=(0, 1)),
    "rot90": lambda x: [np.rot90(x * x, k) for k in range(-1, 4)],
    "round": lambda x: np.round(x * 3.63) * x,
    "select": lambda x: np.select([x > 0.8, W > 0.4], [x * x, W * x], 0.25),
    "sort": lambda x: [np.sort(x * x), np.sort(x, axis=0), np.sort(x, axis=None)],
    "split": lambda x: [np.split(x, 2, axis=1), np.split(x, [1], axis=0)],
    "squeeze": lambda x: [np.squeeze(x[None, :, :1]), np.squeeze(x[None], 0)],
    "stack": lambda x: np.stack([x, W, x], axis=-1),
    "std": lambda x: [np.std(x), np.std(x, axis=0, ddof=1), np.std(x, axis=1, keepdims=True)],
    "sum": lambda x: [np.sum(x * x), np.sum(x * x, 0), np.sum(x, axis=(1,), keepdims=True)],
    "swapaxes": lambda x: np.swapaxes(x * x, 0, -1),
    "take": lambda x: [np.take(x, [0, 2, 0], axis=1), np.take(x, np.asarray([[5, 5], [1, 0]]))],
    "take_along_axis": lambda x: np.take_along_axis(x * x, np.argsort(x, axis=1), axis=1),
    "tensordot": lambda x: [np.tensordot(x, W, 2), np.tensordot(x, W, (-1, 1))],
    "tile": lambda x: [np.tile(x, 2), np.tile(x, (2, 1, 2))],
    "trace": lambda x: np.trace(x * x, 1),
    "transpose": lambda x: [np.transpose(x), np.transpose(x[None] * x, (2, 0, 1))],
    "trapezoid": lambda x: [np.trapezoid(x * x, dx=0.5), np.trapezoid(x, x * x, axis=0)],
    "tril": lambda x: np.tril(x * x, -1),
    "triu": lambda x: np.triu(x * x, 1),
    "var": lambda x: [
        np.var(x, correction=1),
        np.var(x, axis=0, ddof=1),
        np.var(x, axis=1, keepdims=True),
    ],
    "vdot": lambda x: np.vdot(x, x * W),
    "vecdot": lambda x: np.vecdot(x, x * W, axis=0),
    "vsplit": lambda x: np.vsplit(x, [1, 2]),
    "vstack": lambda x: np.vstack([x, ROW, x[0]]),
    "where": lambda x: [np.where(x > 0.5, x, 0), np.where(W > 0, 1.5, x), np.where(W, x, W)],
}
NEWER = {  # than the oldest NumPy that we serve
    "astype": lambda x: np.astype(x, np.complex128).real * x,
    "cumulative_prod": lambda x: np.cumulative_prod(x, axis=1, include_initial=True),
    "cumulative_sum": lambda x: np.cumulative_sum(x * x, axis=0),
    "matvec": lambda x: [np.matvec(x, ROW), np.matvec(x[None], x)],
    "unstack": lambda x: np.unstack(x * x, axis=1),
    "vecmat": lambda x: [np.vecmat(ROW, x.T), np.vecmat(x.T[:, None], x)],
}
FUNCTIONS |= {name: f for name, f in NEWER.items() if hasattr(np, name)}
METHODS = {
    "add.reduce": lambda x: [np.add.reduce(x * x), np.add.reduce(x, axis=None)],
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1, keepdims=True),
    "maximum.reduce": lambda x: np.maximum.reduce(x, 1),
    "minimum.reduce": lambda x: np.minimum.reduce(x),
    "add.accumulate": lambda x: np.add.accumulate(x * x),
    "multiply.accumulate": lambda x: np.multiply.accumulate(x, axis=1),
    "multiply.outer": lambda x: [np.multiply.outer(x, ROW), np.multiply.outer(2.0, x[0])],
    "subtract.outer": lambda x: np.subtract.outer(W, x),
    "multiply with dtype": lambda x: np.multiply(x, 2, dtype=np.float64) * x,
}
OPERATORS = {
    "+": lambda x: W + x,
    "-": lambda x: W - x * x,
    "*": lambda x: W * x,
    "/": lambda x: W / x,
    "//": lambda x: (AWAY // x) * x,
    "%": lambda x: AWAY % x,
    "**": lambda x: X**x,
    "@": lambda x: W @ x.T,
    "scalars": lambda x: np.float64(2.0) * x + x / np.float64(3.0) - np.float64(1.0) ** x,
    "comparison": lambda x: x * (x > W) + x * (np.float64(0.5) > x),
    "lists": lambda x: np.multiply(x, [1.0, 2.0, 3.0, 4.0]) + np.subtract([[0.5]], x),
}


@pytest.mark.parametrize("name", UNARY)
def test_unary_function_has_numpys_values_and_derivatives(name: str) -> None:
    """Every elementwise function of one operand, at first and second order."""
    function = getattr(np, name)
    signed = name in ("absolute", "cbrt", "fabs", "sign")
    check_derivatives(lambda x: function(x), SIDES if signed else X, rtol=3e-8)


def test_arccosh_has_numpys_values_and_derivatives() -> None:
    """Its domain begins at 1."""
    check_derivatives(np.arccosh, X + 1.5)


@pytest.mark.parametrize("name", BINARY)
def test_binary_function_has_numpys_values_and_derivatives(name: str) -> None:
    """Traced on either side, both, and beside a number."""
    function = getattr(np, name)
    check_derivatives(lambda x: [function(x, AWAY), function(AWAY, x)], X)
    check_derivatives(lambda x: [function(x, 1.89), function(1.89, x), function(x, 2)], X)
    check_derivatives(lambda x: function(x, np.sin(x) * 0.52), X)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_numpys_values_and_derivatives(name: str) -> None:
    """Every function of the table, at first and second order."""
    check_derivatives(FUNCTIONS[name], X)


@pytest.mark.parametrize("name", METHODS)
def test_method_of_elementwise_function_has_numpys_values_and_derivatives(name: str) -> None:
    """reduce, accumulate, outer."""
    check_derivatives(METHODS[name], X)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_between_raw_and_traced_array_is_recorded(name: str) -> None:
    """The raw array on the left leaves the decision to the traced one."""
    check_derivatives(OPERATORS[name], X)
