"""Calls of the standard's extensions, `linalg` and `fft`."""

from collections.abc import Callable
from typing import Any

from conformance_tests.namespace_calls.products import products

__all__ = ["EXTENSIONS"]

Call = Callable[[Any, Any], Any]

LINALG: dict[str, list[Call]] = {
    **products(lambda xp: xp.linalg),
    "cholesky": [
        lambda xp, a: xp.linalg.cholesky(a.definite(3)),
        lambda xp, a: xp.linalg.cholesky(a.definite(3), upper=True),
    ],
    "cross": [
        lambda xp, a: xp.linalg.cross(a.plain(3), a.plain(3)),
        lambda xp, a: xp.linalg.cross(a.plain(3, 2), a.plain(3, 1), axis=-2),
    ],
    "det": [lambda xp, a: xp.linalg.det(a.definite(3))],
    "diagonal": [
        lambda xp, a: xp.linalg.diagonal(a(2, 3)),
        lambda xp, a: xp.linalg.diagonal(a(2, 3, 3), offset=1),
    ],
    "eig": [lambda xp, a: xp.linalg.eig(a.definite(3))],
    "eigh": [lambda xp, a: xp.linalg.eigh(a.definite(3))],
    "eigvals": [lambda xp, a: xp.linalg.eigvals(a.definite(3))],
    "eigvalsh": [lambda xp, a: xp.linalg.eigvalsh(a.definite(3))],
    "inv": [lambda xp, a: xp.linalg.inv(a.definite(3))],
    "matrix_norm": [
        *(
            lambda xp, a, ord=ord: xp.linalg.matrix_norm(a.definite(3), ord=ord)
            for ord in ("fro", "nuc", 1, -2, float("inf"))
        ),
        lambda xp, a: xp.linalg.matrix_norm(a.plain(2, 3, 2), keepdims=True),
    ],
    "matrix_power": [
        *(lambda xp, a, n=n: xp.linalg.matrix_power(a.definite(2), n) for n in (0, 1, 3, -2)),
    ],
    "matrix_rank": [
        lambda xp, a: xp.linalg.matrix_rank(a.definite(3)),
        lambda xp, a: xp.linalg.matrix_rank(a.definite(3), rtol=0.1),
    ],
    "outer": [lambda xp, a: xp.linalg.outer(a(2), a(3))],
    "pinv": [
        lambda xp, a: xp.linalg.pinv(a.definite(3)),
        lambda xp, a: xp.linalg.pinv(a.definite(3), rtol=0.1),
    ],
    "qr": [
        lambda xp, a: xp.linalg.qr(a.definite(3)),
        lambda xp, a: xp.linalg.qr(a.definite(3), mode="complete"),
    ],
    "slogdet": [lambda xp, a: xp.linalg.slogdet(a.definite(3))],
    "solve": [
        lambda xp, a: xp.linalg.solve(a.definite(3), a.plain(3)),
        lambda xp, a: xp.linalg.solve(a.definite(3), a.plain(3, 2)),
    ],
    "svd": [
        lambda xp, a: xp.linalg.svd(a.definite(3)),
        lambda xp, a: xp.linalg.svd(a.plain(2, 3), full_matrices=False),
    ],
    "svdvals": [lambda xp, a: xp.linalg.svdvals(a.definite(3))],
    "trace": [
        lambda xp, a: xp.linalg.trace(a(2, 3)),
        lambda xp, a: xp.linalg.trace(a(3, 3), offset=-1, dtype=xp.float64),
    ],
    "vector_norm": [
        lambda xp, a: xp.linalg.vector_norm(a(2, 3)),
        lambda xp, a: xp.linalg.vector_norm(a.plain(2, 3), axis=1, keepdims=True, ord=1),
        lambda xp, a: xp.linalg.vector_norm(a.plain(2, 3), axis=(0, 1), ord=float("inf")),
    ],
}


def _transform(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp.fft, name)(a.plain(5)),
        lambda xp, a: getattr(xp.fft, name)(a.plain(4, 3), n=3, axis=0, norm="ortho"),
        lambda xp, a: getattr(xp.fft, name)(a.plain(4), n=7, norm="forward"),
    ]


def _transform_n(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp.fft, name)(a.plain(3, 4)),
        lambda xp, a: getattr(xp.fft, name)(a.plain(3, 4), s=(5, 2), axes=(1, 0)),
        lambda xp, a: getattr(xp.fft, name)(a.plain(3, 4), axes=(0,), norm="ortho"),
    ]


FFT: dict[str, list[Call]] = {
    **{name: _transform(name) for name in "fft ifft rfft irfft hfft ihfft".split()},
    **{name: _transform_n(name) for name in "fftn ifftn rfftn irfftn".split()},
    "fftfreq": [
        lambda xp, a: xp.fft.fftfreq(5, device=a.device),
        lambda xp, a: xp.fft.fftfreq(4, d=0.5, dtype=a.dtype, device=a.device),
    ],
    "rfftfreq": [
        lambda xp, a: xp.fft.rfftfreq(5, device=a.device),
        lambda xp, a: xp.fft.rfftfreq(4, d=0.5, dtype=a.dtype, device=a.device),
    ],
    "fftshift": [
        lambda xp, a: xp.fft.fftshift(a(5)),
        lambda xp, a: xp.fft.fftshift(a(2, 3), axes=1),
    ],
    "ifftshift": [
        lambda xp, a: xp.fft.ifftshift(a(5)),
        lambda xp, a: xp.fft.ifftshift(a(2, 3), axes=(0, 1)),
    ],
}


EXTENSIONS: dict[str, list[Call]] = {
    **{f"linalg.{name}": calls for name, calls in LINALG.items()},
    **{f"fft.{name}": calls for name, calls in FFT.items()},
}
