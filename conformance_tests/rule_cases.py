"""Calls of every function that has a derivative rule, with tricky shapes and every keyword."""

import numpy as np

from conformance_tests.case_values import (
    Case,
    DType,
    bools,
    case,
    complexes,
    integers,
    reals,
    refused,
)
from conformance_tests.elementwise_cases import ELEMENTWISE
from conformance_tests.extension_cases import FOURIER, LINALG

__all__ = ["BEYOND_STANDARD", "CASES"]

X0, X1, X2, X3 = reals(), reals(4), reals(3, 4), reals(2, 3, 4)
Z2, E2 = complexes(3, 4), reals(0, 3)  # complex; empty
F2 = reals(3, 4).astype(np.float32)
ZEROS = np.asarray([[1.5, 0.0, -2.0, 0.5], [0.0, 3.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
MASK = np.asarray([[True, False, True, False], [False] * 4, [True] * 4])
NO_MASK = np.zeros((3, 4), dtype=bool)
TWICE = np.asarray([2, 0, 2, 2, 1])  # duplicates
FLOAT64, COMPLEX128 = DType("float64"), DType("complex128")

REDUCTIONS = [
    case(X0),
    case(X0, axis=()),
    case(X1),
    case(X2),
    case(X2, keepdims=True),
    case(X2, axis=1),
    case(X2, axis=-2, keepdims=True),
    case(X3, axis=(0, -1)),
    case(X3, axis=(2, 0), keepdims=True),
    case(X3, axis=()),
]
EMPTY = [case(E2, axis=0), case(reals(2, 0, 3), axis=(0, 2), keepdims=True)]
COMPLEX = [case(Z2), case(Z2, axis=0), case(complexes(), keepdims=True), case(Z2, axis=(-1, 0))]
SPREAD = [
    *(c for c in REDUCTIONS if c.args[0].ndim and c.kwargs.get("axis") != ()),
    case(X2, axis=1, correction=1),
    *refused("array_api_strict", *(c for c in COMPLEX if c.args[0].ndim)),
    *refused("array_api_strict", case(Z2, axis=0, correction=1)),
    *refused("torch", case(reals(3, 0), axis=0)),
]
FRACTION = case(X3, axis=(0, 1), correction=0.5, keepdims=True)
CUMULATIVE = [
    case(X1),
    case(reals(1)),
    case(X2, axis=0),
    case(X3, axis=-2),
    case(X3, axis=1, include_initial=True),
    case(complexes(5)),
    case(complexes(2, 7), axis=1, include_initial=True),
    case(reals(0)),
    case(E2, axis=0),
    case(E2, axis=1, include_initial=True),
    case(E2, axis=0, include_initial=True),
    case(F2, axis=0, dtype=FLOAT64),
]

STATISTICAL = {
    "cumulative_prod": [
        *CUMULATIVE,
        case(ZEROS, axis=1),
        case(ZEROS, axis=0, include_initial=True),
    ],
    "cumulative_sum": CUMULATIVE,
    "max": REDUCTIONS,
    "mean": [*REDUCTIONS, *COMPLEX, case(reals(3, 0), axis=0)],
    "min": REDUCTIONS,
    "prod": [
        *REDUCTIONS,
        *EMPTY,
        *COMPLEX,
        case(ZEROS),
        case(ZEROS, axis=1),
        case(ZEROS * (1 + 2j), axis=0, keepdims=True),
        case(F2, axis=1, dtype=FLOAT64),
        case(X2, axis=1, dtype=COMPLEX128),
    ],
    "std": [*SPREAD, *refused("torch", FRACTION)],
    "sum": [*REDUCTIONS, *EMPTY, *COMPLEX, case(F2, dtype=FLOAT64), case(X2, dtype=COMPLEX128)],
    "var": [*SPREAD, FRACTION, case(X0), case(X2, axis=())],
}

MANIPULATION = {
    "broadcast_arrays": [case(X2, reals(4), reals(3, 1)), case(X0, E2), case(Z2, X0), case(X1)],
    "broadcast_to": [
        case(X1, (3, 4)),
        case(reals(3, 1), (2, 3, 4)),
        case(X0, (2, 3)),
        case(X0, ()),
        case(reals(1), (0,)),
        case(reals(1, 3), (0, 3)),
        case(complexes(2, 1), (2, 3)),
        case(X2, (3, 4)),
    ],
    "concat": [
        case([X2, reals(2, 4), reals(0, 4)]),
        case((X2, reals(3, 1)), axis=-1),
        case([X2, reals(2)], axis=None),
        case([X3], axis=1),
        case([X2, Z2], axis=0),
    ],
    "expand_dims": [case(X2, 0), case(X2, -1), case(X0, 0), case(E2, 1), case(Z2, -2)],
    "flip": [case(X2), case(X2, axis=1), case(X3, axis=(0, -1)), case(X0), case(Z2, axis=-1)],
    "moveaxis": [case(X3, 0, 2), case(X3, -1, 0), case(X3, (0, 1), (-1, 0)), case(Z2, 0, 1)],
    "permute_dims": [case(X3, (2, 0, 1)), case(X2, (1, 0)), case(X0, ()), case(E2, (1, 0))],
    "repeat": [
        case(X1, 3),
        case(X2, 2),
        case(X2, 3, axis=0),
        case(X3, 2, axis=-2),
        case(X2, np.asarray([2, 0, 3]), axis=0),
        case(X3, np.asarray([1, 0, 2, 4]), axis=-1),
        case(X1, np.asarray([0, 1, 2, 3])),
        case(X1, 0),
        case(complexes(3), np.asarray([2, 1, 0])),
        case(E2, 2, axis=1),
    ],
    "reshape": [case(X2, (2, 6)), case(X2, (-1,)), case(X0, (1, 1)), case(E2, (3, 0, 5)),
                case(Z2, (4, 3), copy=True)],
    "roll": [
        case(X1, 1),
        case(X2, 5),
        case(X2, -1, axis=1),
        case(X3, (1, -2), axis=(0, 2)),
        case(X3, (1, 1), axis=(-1, -1)),
        case(Z2, 2, axis=0),
        case(E2, 1, axis=1),
    ],
    "squeeze": [case(reals(1, 3, 1), 0), case(reals(1, 3, 1), (0, -1)), case(reals(1), 0)],
    "stack": [case([X2, reals(3, 4, seed=1)]), case((X1, reals(4, seed=1)), axis=-1),
              case([X0, reals(seed=1)]), case([X3], axis=1), case([Z2, X2], axis=-2)],
    "tile": [case(X1, (3,)), case(X1, (2, 3)), case(X2, (2,)), case(X2, (1, 3)), case(X0, (2, 2)),
             case(X1, (0,)), case(Z2, (2, 1, 2)), case(E2, (2, 2))],
    "unstack": [case(X2), case(X3, axis=-2), case(X1), case(Z2, axis=1)],
}  # fmt: skip

LINEAR_ALGEBRA = {
    "matmul": [
        case(reals(3, 4), reals(4, 2)),
        case(reals(4), reals(4, seed=1)),
        case(reals(4), reals(4, 2)),
        case(reals(3, 4), reals(4)),
        case(reals(5, 3, 4), reals(4, 2)),
        case(reals(5, 3, 4), reals(4)),
        case(reals(4), reals(5, 4, 2)),
        case(reals(3, 4), reals(5, 4, 2)),
        case(reals(2, 1, 3, 4), reals(5, 4, 2)),
        case(reals(2, 5, 3, 4), reals(4, 2)),
        case(complexes(3, 4), complexes(4, 2)),
        case(complexes(4), complexes(4, seed=1)),
        case(complexes(5, 3, 4), complexes(4)),
        case(complexes(4), complexes(5, 4, 2)),
        case(complexes(1, 3, 4), complexes(5, 4, 2)),
        case(reals(0, 3), reals(3, 2)),
        case(reals(3, 0), reals(0, 2)),
        case(reals(0), reals(0)),
    ],
    "matrix_transpose": [case(X2), case(X3), case(Z2), case(E2)],
    "tensordot": [
        case(reals(3, 4, 2), reals(4, 2, 5)),
        case(reals(3, 4), reals(4, 2), axes=1),
        case(reals(3), reals(2, 2), axes=0),
        case(reals(3, 4, 2), reals(2, 5, 3), axes=((0, 2), (2, 0))),
        case(reals(3, 4, 2), reals(2, 5, 3), axes=((-1, 0), (0, -1))),
        case(reals(2, 3, 4, 2), reals(4, 2, 5, 3), axes=([1, 0, 2], [3, 1, 0])),
        case(reals(3, 4), reals(3, 4, seed=1), axes=((0, 1), (0, 1))),
        case(complexes(3, 4, 2), complexes(2, 5, 3), axes=((0, 2), (2, 0))),
        case(reals(), reals(seed=1), axes=0),
        case(reals(0, 3), reals(3, 2), axes=1),
    ],
    "vecdot": [
        case(reals(4), reals(4, seed=1)),
        case(reals(3, 4), reals(3, 4, seed=1)),
        case(reals(2, 1, 4), reals(3, 4)),
        case(reals(4), reals(3, 4)),
        case(reals(3, 4), reals(2, 3, 4), axis=-2),
        case(complexes(3, 4), complexes(3, 4, seed=1)),
        case(complexes(4), complexes(2, 3, 4)),
        case(complexes(3, 1), complexes(3, 5), axis=-2),
        case(reals(2, 0), reals(2, 0)),
    ],
}

KEYS_OF_MATRIX = [
    (1, ...),
    (0, -1),
    ...,
    (slice(None), 2),
    (slice(0, 2), slice(1, 4, 2)),
    (slice(1, 1), ...),
    (None, ..., None, 1),
    (None, 2, 3),
    MASK,
    NO_MASK,
    (TWICE, np.asarray([3, 1, 3, 0, 1])),
    (np.asarray([[-1, 0], [2, 0]]), np.asarray([1, 1])),
    (1, TWICE),
    (np.zeros(0, dtype=int), np.zeros(0, dtype=int)),
]

INDEXING = {
    "getitem": [
        *(case(X2, key) for key in KEYS_OF_MATRIX),
        *refused("torch", case(X2, (slice(None, None, -1), slice(1, 4, 2)))),
        case(X0, ()),
        case(X0, (None, ...)),
        case(X1, TWICE),
        case(X1, np.asarray([True, False, False, True])),
        case(X3, np.asarray([[True, False, True], [False, True, True]])),
        case(Z2, (TWICE, np.asarray([0, 0, 0, 0, 1]))),
        case(E2, (slice(None), 1)),
    ],
    "scatter_add": [
        case(X1, TWICE, reals(5)),
        case(X1, TWICE, reals(1)),
        case(X2, (TWICE, np.asarray([3, 1, 3, 0, 1])), reals(5)),
        case(X2, (slice(None), TWICE), reals(3, 5)),
        case(X2, (TWICE,), reals(5, 1)),
        case(X2, (slice(None), 2), reals(3)),
        case(X2, MASK, reals(6)),
        case(Z2, (1, TWICE), complexes(5)),
        case(X2, (np.zeros(0, dtype=int), np.zeros(0, dtype=int)), reals(0)),
    ],
    "set_at": [
        case(X1, np.asarray([2, 0]), reals(2)),
        case(X2, (np.asarray([2, -3]), np.asarray([3, 1])), reals(1)),
        case(X2, (slice(None), 2), reals(3)),
        *refused("torch", case(X2, (slice(None, None, -2), ...), reals(4))),
        case(X2, (0, 1), X0),
        case(X2, MASK, reals(6)),
        case(X2, MASK, X0),
        case(X2, MASK, 0.5),
        case(X3, np.asarray([[True, False, True], [False, True, True]]), reals(4)),
        case(X0, ..., reals(seed=1)),
        case(Z2, MASK, complexes()),
        case(E2, (slice(None), 1), 2.0),
    ],
    "take": [
        case(X1, TWICE),
        case(X2, TWICE, axis=0),
        case(X2, TWICE, axis=-1),
        case(X3, TWICE, axis=1),
        case(Z2, TWICE, axis=0),
        case(X2, np.zeros(0, dtype=int), axis=1),
        case(reals(3, 0), TWICE, axis=0),
    ],
    "take_along_axis": [
        case(X1, TWICE),
        case(X2, integers(3, 2, high=4), axis=1),
        case(X2, integers(5, 4, high=3), axis=0),
        case(X3, integers(2, 3, 6, high=4)),
        case(X3, integers(1, 5, 4, high=3), axis=-2),
        case(Z2, integers(3, 3, high=4), axis=-1),
        case(X2, integers(3, 0), axis=1),
    ],
}

UNIQUE = [case(np.asarray([[2.0, 0.5, 2.0], [3.0, 0.5, -1.0]])), case(X0), case(reals(0))]
OTHERS = {
    "argmax": [case(X2), case(X2, axis=0, keepdims=True)],
    "argmin": [case(X2), case(X2, axis=-1)],
    "argsort": [case(X2), case(X2, axis=0, descending=True, stable=False)],
    "count_nonzero": [case(X2), case(X2, axis=(0, 1), keepdims=True)],
    "nonzero": [case(X2), case(bools(3))],
    "searchsorted": [case(np.sort(X1), X2), case(np.sort(X1), X1, side="right")],
    "where": [
        case(MASK, X2, reals(3, 4, seed=1)),
        case(MASK, X2, 0.5),
        case(MASK, 1.5, X2),
        case(MASK, reals(4), reals(3, 1)),
        case(MASK, X0, Z2),
        case(np.asarray(True), X2, reals(2, 3, 4)),
        case(bools(2, 1, 1), X2, X0),
        case(bools(0, 3), E2, reals(3)),
    ],
    "sort": [
        case(X1),
        case(X2, axis=0),
        case(X3, axis=-2, descending=True),
        case(X2, stable=False),
        case(E2, axis=0),
        case(E2),
        case(reals(3, 1)),
    ],
    "isin": [case(X2, reals(3)), case(X2, X1, invert=True)],
    **dict.fromkeys(("unique_counts", "unique_inverse", "unique_values"), UNIQUE),
    "unique_all": refused("torch", *UNIQUE),
    "all": [case(bools(3, 4), axis=0), case(X2)],
    "any": [case(bools(3, 4), axis=(0, 1), keepdims=True), case(X2)],
    "diff": [
        case(X1),
        case(X2, axis=0),
        case(X3, axis=-2, n=2),
        case(X2, n=0),
        case(X2, n=9),
        case(X2, prepend=reals(3, 1)),
        case(X2, axis=0, append=reals(2, 4), n=2),
        case(X2, axis=-1, prepend=reals(3, 2), append=reals(3, 1, seed=1)),
        case(Z2, axis=0),
        case(E2, axis=0),
    ],
    "full": [case((2, 3), 1.5), case(4, 0.5, dtype=FLOAT64), case((), 2.0)],
    "full_like": [case(X2, 1.5), case(Z2, 0.5), case(X2, 2.0, dtype=COMPLEX128)],
    "arange": [case(0.5, 2.0, 0.25), case(0.5, 2.0), case(2.5)],
    "fft.fftfreq": [case(5, d=0.5)],
    "fft.rfftfreq": [case(4, d=0.5)],
    "linspace": [case(0.5, 2.0, 5), case(0.5, 2.0, 4, endpoint=False), case(1.0, 2.0, 0),
                 case(1.0, 2.0, 1)],
    "meshgrid": [case(X1, reals(3)), case(X1, reals(3), indexing="ij"), case(X1),
                 case(X1, reals(2), reals(3), indexing="xy"), case(complexes(2), complexes(0))],
    "tril": [case(X2), case(X2, k=-1), case(X3, k=1), case(Z2)],
    "triu": [case(X2), case(X2, k=-1), case(X3, k=1), case(Z2)],
    "asarray": [case(X2), case(X2, copy=True), case(F2, dtype=FLOAT64), case(X0), case(E2)],
    "astype": [
        case(F2, FLOAT64),
        case(X2, COMPLEX128),
        case(X2, FLOAT64, copy=False),
        case(Z2, COMPLEX128),
        case(X2, DType("int64")),
    ],
}  # fmt: skip

CASES: dict[str, list[Case]] = {
    **ELEMENTWISE,
    **STATISTICAL,
    **MANIPULATION,
    **LINEAR_ALGEBRA,
    **INDEXING,
    **OTHERS,
    **LINALG,
    **FOURIER,
}
"""Calls by the name of their function: the standard's, or one of the primitives."""

BEYOND_STANDARD = {
    "getitem": [
        case(X2, (slice(None), TWICE)),
        case(X2, (TWICE, ...)),
        case(X2, TWICE),
        case(X2, (slice(1, None), None, TWICE)),
        case(X3, (np.asarray([0, 1, 1]), slice(None), np.asarray([3, 0, 3]))),
        case(X3, (slice(None), np.asarray([True, False, True]), 1)),
    ],
}
"""Calls that NumPy, PyTorch and JAX understand, though the standard does not demand them."""
