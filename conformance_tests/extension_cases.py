"""Calls of the standard's extensions, `linalg` and `fft`, at matrices of well separated spectra.

Some are only defined on Hermitian matrices, some only up to a phase of their vectors. They are
tested as functions of any matrix, and of no phase: see `seen_through`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from conformance_tests.case_values import (
    Case,
    DType,
    case,
    complexes,
    function_named,
    reals,
    refused,
)

__all__ = ["FOURIER", "HERMITIAN", "LINALG", "seen_through"]

X2, X3, Z2 = reals(3, 4), reals(2, 3, 4), complexes(3, 4)
F2 = reals(3, 4).astype(np.float32)


def _vectors(values: Any, rows: int, columns: int, seed: int) -> np.ndarray:
    return np.asarray(np.linalg.qr(values(rows, columns, seed=seed, low=-1.0, high=1.1))[0])


def hermitian(n: int, values: Any = reals, *, low: float = -1.5, seed: int = 0) -> np.ndarray:
    """Return a Hermitian matrix with eigenvalues evenly between `low` and 2."""
    v = _vectors(values, n, n, seed)
    x = (v * np.linspace(low, 2.0, n)) @ np.conj(v.T)
    return np.asarray((x + np.conj(x.T)) / 2)


def matrix(rows: int, columns: int, values: Any = reals, *, seed: int = 0) -> np.ndarray:
    """Return a matrix with singular values evenly between 1/2 and 2."""
    k = min(rows, columns)
    u, v = _vectors(values, rows, k, seed), _vectors(values, columns, k, seed + 1)
    return np.asarray((u * np.linspace(2.0, 0.5, k)) @ np.conj(v.T))


def stacked(make: Callable[..., np.ndarray], *args: Any, **kwargs: Any) -> np.ndarray:
    """Return two such matrices."""
    return np.stack([make(*args, seed=seed, **kwargs) for seed in (2, 5)])


SQUARE = [
    case(matrix(3, 3)),
    case(matrix(1, 1)),
    case(stacked(matrix, 4, 4)),
    case(matrix(3, 3, complexes)),
    case(stacked(matrix, 2, 2, complexes)[:, None]),
    case(np.zeros((0, 3, 3))),
]
POSITIVE = [
    case(hermitian(3, low=0.5)),
    case(stacked(hermitian, 4, low=0.5)),
    case(hermitian(3, complexes, low=0.5)),
    case(np.zeros((0, 2, 2))),
]
SELF_ADJOINT = [
    case(hermitian(3)),
    case(hermitian(1)),
    case(stacked(hermitian, 4)),
    case(hermitian(3, complexes)),
    case(stacked(hermitian, 2, complexes)),
    case(np.zeros((0, 2, 2))),
]
ROTATING = np.asarray([[1.0, -2.0, 0.3], [1.5, 0.4, 0.2], [0.1, -0.3, 2.5]])  # a complex pair
GENERAL = [
    case(ROTATING),
    case(matrix(3, 3) + np.diag([3.0, 0.0, -3.0])),
    case(np.stack([ROTATING, ROTATING.T + 0.1])),
    case(matrix(3, 3, complexes)),
]
TALL_OR_WIDE = [
    case(matrix(3, 3)),
    case(matrix(4, 2)),
    case(matrix(2, 4)),
    case(stacked(matrix, 3, 2)),
    case(matrix(4, 3, complexes)),
    case(matrix(2, 3, complexes)),
    case(matrix(3, 3, complexes)),
    case(np.zeros((0, 3, 2))),
]


def with_keyword(cases: list[Case], **kwargs: Any) -> list[Case]:
    """Return the same calls with another keyword."""
    return [Case(c.args, {**c.kwargs, **kwargs}, c.refused_by) for c in cases]


NORMS = [
    case(reals(5)),
    case(X2),
    case(X2, keepdims=True),
    case(X2, axis=1),
    case(X3, axis=(0, -1), keepdims=True),
    case(Z2, axis=-2),
    case(reals(3, 0), axis=0),
]

LINALG = {
    "linalg.cholesky": [*POSITIVE, *with_keyword(POSITIVE, upper=True)],
    "linalg.cross": [
        case(reals(3), reals(3, seed=1)),
        case(reals(2, 3), reals(2, 3, seed=1)),
        case(reals(3, 2), reals(4, 3, 2), axis=-2),
        case(complexes(2, 3), complexes(1, 3)),
    ],
    "linalg.det": SQUARE,
    "linalg.diagonal": [
        case(X2),
        case(X2, offset=1),
        case(X3, offset=-2),
        case(X2, offset=4),
        case(X2, offset=-3),
        case(Z2, offset=3),
        case(reals(0, 3)),
    ],
    "linalg.eig": GENERAL,
    "linalg.eigh": SELF_ADJOINT,
    "linalg.eigvals": GENERAL,
    "linalg.eigvalsh": SELF_ADJOINT,
    "linalg.inv": SQUARE,
    "linalg.matmul": [case(reals(3, 4), reals(4, 2))],
    "linalg.matrix_norm": [
        *(case(matrix(3, 4), ord=p) for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)),
        *(case(stacked(matrix, 3, 2), ord=p, keepdims=True) for p in ("fro", "nuc", 1, 2)),
        *(case(matrix(2, 3, complexes), ord=p) for p in ("fro", "nuc", -1, -2, -math.inf)),
    ],
    "linalg.matrix_power": [
        *(case(matrix(3, 3), n) for n in (-3, -1, 0, 1, 2, 3, 6, 7)),
        case(stacked(matrix, 2, 2, complexes), 5),
        case(stacked(matrix, 2, 2), 0),
    ],
    "linalg.matrix_transpose": [case(X3)],
    "linalg.outer": [
        case(reals(3), reals(4)),
        case(complexes(2), reals(3)),
        case(reals(0), reals(2)),
    ],
    "linalg.pinv": [*TALL_OR_WIDE, case(matrix(3, 2), rtol=0.1)],
    "linalg.qr": [
        *TALL_OR_WIDE,
        *with_keyword([c for c in TALL_OR_WIDE if c.args[0].shape[-2] <= c.args[0].shape[-1]],
                      mode="complete"),
    ],
    "linalg.slogdet": SQUARE,
    "linalg.solve": [
        case(matrix(3, 3), reals(3)),
        case(matrix(3, 3), reals(3, 2)),
        case(stacked(matrix, 3, 3), reals(3)),
        case(stacked(matrix, 3, 3), reals(2, 3, 2)),
        case(stacked(matrix, 2, 2)[:, None], reals(3, 2, 1)),
        case(matrix(2, 2), reals(3, 2, 2)),
        case(matrix(3, 3, complexes), complexes(3)),
        case(stacked(matrix, 2, 2, complexes), complexes(2, 3)),
        case(np.zeros((0, 2, 2)), reals(0, 2, 3)),
    ],
    "linalg.svd": [
        *with_keyword(TALL_OR_WIDE, full_matrices=False),
        case(matrix(3, 3)),
        case(matrix(2, 2, complexes)),
    ],
    "linalg.svdvals": TALL_OR_WIDE,
    "linalg.tensordot": [case(reals(3, 4), reals(4, 2), axes=1)],
    "linalg.trace": [
        case(X2),
        case(X3, offset=1),
        case(X2, offset=-2),
        case(Z2, offset=2),
        case(F2, dtype=DType("float64")),
        case(reals(0, 3)),
    ],
    "linalg.vecdot": [case(reals(3, 4), reals(3, 4, seed=1), axis=-2)],
    "linalg.vector_norm": [
        *NORMS,
        *(case(X2, axis=1, ord=p) for p in (0, 1, -1, 3, 2.5, 0.5, -2, math.inf, -math.inf)),
        *(case(Z2, axis=0, ord=p, keepdims=True) for p in (0, 1, 2, 3, math.inf, -math.inf)),
        case(X3, ord=1),
        case(X3, ord=math.inf, axis=(1, 2)),
    ],
}  # fmt: skip


NORMALIZED = [{"norm": norm} for norm in ("backward", "ortho", "forward")]


def transforms(values: Any) -> list[Case]:
    """Return transforms along one axis: odd and even lengths, cut and filled."""
    lengths = [{}, {"n": 3}, {"n": 4}, {"n": 7}, {"n": 8}]
    return [
        *(case(values(n), **norm) for n in (1, 2, 5, 6) for norm in NORMALIZED),
        *(case(values(2, 5), **n, **NORMALIZED[k % 3]) for k, n in enumerate(lengths)),
        *(case(values(6, 3), axis=0, **n, **NORMALIZED[k % 3]) for k, n in enumerate(lengths, 1)),
        *refused("torch", case(values(0, 4))),
    ]


def transforms_n(values: Any) -> list[Case]:
    """Return transforms along several axes."""
    return [
        case(values(4)),
        *(case(values(3, 4), **norm) for norm in NORMALIZED),
        *(case(values(2, 5, 3), axes=(0, -1), **norm) for norm in NORMALIZED),
        case(values(4, 2, 3), axes=(1, 0), s=(3, 5), norm="ortho"),
        case(values(4, 5), axes=(0, 1), s=(6, 4)),
        case(values(3, 4), axes=(0,)),
    ]


SHIFTS = [case(reals(5)), case(X2), case(X3, axes=(0, -1)), case(complexes(4, 3), axes=1)]

FOURIER = {
    "fft.fft": transforms(complexes),
    "fft.fftn": transforms_n(complexes),
    "fft.fftshift": SHIFTS,
    "fft.hfft": [c for c in transforms(complexes) if c.args[0].shape != (1,)],
    "fft.ifft": transforms(complexes),
    "fft.ifftn": transforms_n(complexes),
    "fft.ifftshift": SHIFTS,
    "fft.ihfft": transforms(reals),
    "fft.irfft": [c for c in transforms(complexes) if c.args[0].shape != (1,)],
    "fft.irfftn": transforms_n(complexes),
    "fft.rfft": transforms(reals),
    "fft.rfftn": transforms_n(reals),
}


# --- functions of any matrix, and of no phase -----------------------------------------------------

HERMITIAN = frozenset({"linalg.cholesky", "linalg.eigh", "linalg.eigvalsh"})


def _adjoint(xp: Any, x: Any) -> Any:
    x = xp.matrix_transpose(x)
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x


def _pairs(xp: Any, a: Any, b: Any) -> Any:
    """Return the products aₖ bₖᴴ of columns, which a common phase does not change."""
    return a[..., :, None, :] * (xp.conj(b) if b.dtype != xp.abs(b).dtype else b)[..., None, :, :]


OBSERVED: dict[str, Callable[..., list[Any]]] = {
    "linalg.eig": lambda xp, values, v: [values, _pairs(xp, v, v)],
    "linalg.eigh": lambda xp, values, v: [values, _pairs(xp, v, v)],
    "linalg.svd": lambda xp, u, s, vh: [s, _pairs(xp, u, u), _pairs(xp, u, _adjoint(xp, vh))],
}


def seen_through(xp: Any, name: str) -> Callable[..., Any]:
    """Return a function that takes any matrix and gives what does not depend on a phase."""
    function = function_named(xp, name)

    def observed(*args: Any, **kwargs: Any) -> Any:
        if name in HERMITIAN:
            args = ((args[0] + _adjoint(xp, args[0])) / 2,)
        result = function(*args, **kwargs)
        return OBSERVED[name](xp, *result) if name in OBSERVED else result

    return observed
