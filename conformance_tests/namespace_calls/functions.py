"""Calls of the standard's functions, extensions apart."""

from collections.abc import Callable
from typing import Any

from conformance_tests.namespace_calls.products import products
from conformance_tests.standard_names import names_of

__all__ = ["FUNCTIONS"]

Call = Callable[[Any, Any], Any]

UNARY = (
    "abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag"
    " isfinite isinf isnan log log10 log1p log2 logical_not negative positive real reciprocal"
    " round sign signbit sin sinh sqrt square tan tanh trunc".split()
)
BINARY = [n for n in names_of("elementwise_functions") if n not in (*UNARY, "clip")]


def _unary(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(20)),
        lambda xp, a: getattr(xp, name)(a()),
        lambda xp, a: getattr(xp, name)(a(0, 2)),
    ]


def _binary(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(20, 1), a(20)),
        lambda xp, a: getattr(xp, name)(a(), a(2, 0)),
        lambda xp, a: getattr(xp, name)(a(3), a(3, dtype="float32")),
        lambda xp, a: getattr(xp, name)(a(3, dtype="int16"), a(3)),
        lambda xp, a: getattr(xp, name)(a(3), 2),
        lambda xp, a: getattr(xp, name)(True, a(3)),
    ]


def _reduction(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(2, 3)),
        lambda xp, a: getattr(xp, name)(a()),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=-1, keepdims=True),
        lambda xp, a: getattr(xp, name)(a(2, 3, 2), axis=(0, 2)),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=()),
        lambda xp, a: getattr(xp, name)(a(0, 3), axis=0),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=2),
    ]


def _cast_reduction(name: str) -> list[Call]:
    return [
        *_reduction(name),
        lambda xp, a: getattr(xp, name)(a(2, 3), dtype=xp.float64),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=1, dtype=xp.int64),
    ]


def _spread(name: str) -> list[Call]:
    return [
        *_reduction(name),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=1, correction=1),
        lambda xp, a: getattr(xp, name)(a(2, 3), correction=0.5, keepdims=True),
    ]


def _running(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(5)),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=1),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=-2, include_initial=True),
        lambda xp, a: getattr(xp, name)(a(4), dtype=xp.float64),
        lambda xp, a: getattr(xp, name)(a(2, 3)),  # an axis must be given
    ]


def _index(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(2, 3)),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=1, keepdims=True),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=0),
    ]


def _order(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(20)),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=0, descending=True),
        lambda xp, a: getattr(xp, name)(a(2, 3), axis=-1, stable=False),
        lambda xp, a: getattr(xp, name)(a(0)),
    ]


def _like(name: str, *fill: Any) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(2, 3), *fill),
        lambda xp, a: getattr(xp, name)(a(2), *fill, dtype=xp.float32),
        lambda xp, a: getattr(xp, name)(a(), *fill, device=a.device),
    ]


def _shaped(name: str, *fill: Any) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)((2, 3), *fill, device=a.device),
        lambda xp, a: getattr(xp, name)(3, *fill, dtype=a.dtype, device=a.device),
        lambda xp, a: getattr(xp, name)((), *fill, dtype=a.dtype, device=a.device),
        lambda xp, a: getattr(xp, name)([2, 0], *fill, dtype=a.dtype, device=a.device),
    ]


def _triangle(name: str) -> list[Call]:
    return [
        lambda xp, a: getattr(xp, name)(a(3, 4)),
        lambda xp, a: getattr(xp, name)(a(2, 3, 3), k=1),
        lambda xp, a: getattr(xp, name)(a(3, 0), k=-1),
    ]


CREATION: dict[str, list[Call]] = {
    "arange": [
        lambda xp, a: xp.arange(3, device=a.device),
        lambda xp, a: xp.arange(1, 9, 2, dtype=a.dtype, device=a.device),
        lambda xp, a: xp.arange(1.5, stop=4, device=a.device),
    ],
    "asarray": [
        lambda xp, a: xp.asarray(a(2, 3)),
        lambda xp, a: xp.asarray(a(2, 3), copy=True),
        lambda xp, a: xp.asarray(a(2, 3), copy=False),
        lambda xp, a: xp.asarray(a(2), dtype=a.dtype, device=a.device),
        lambda xp, a: xp.asarray(a(2), dtype=xp.complex128),
        lambda xp, a: xp.asarray(a(2), dtype=xp.complex64, copy=False),
        lambda xp, a: xp.asarray([[1, 0], [1, 1]], dtype=a.dtype, device=a.device),
        lambda xp, a: xp.asarray([1.5, 2], device=a.device),
        lambda xp, a: xp.asarray((True, False), device=a.device),
        lambda xp, a: xp.asarray(1j, device=a.device),
        lambda xp, a: xp.asarray([], device=a.device),
        lambda xp, a: xp.asarray([1.0, [2.0]]),
    ],
    "empty": [
        lambda xp, a: xp.empty((2, 0), dtype=a.dtype, device=a.device),
        lambda xp, a: xp.empty(3, device=a.device).shape,
    ],
    "empty_like": [
        lambda xp, a: xp.empty_like(a(0, 2)),
        lambda xp, a: xp.empty_like(a(0), dtype=xp.float32, device=a.device),
    ],
    "eye": [
        lambda xp, a: xp.eye(3, device=a.device),
        lambda xp, a: xp.eye(2, 4, k=1, dtype=a.dtype, device=a.device),
        lambda xp, a: xp.eye(0, None, k=-1, dtype=a.dtype, device=a.device),
    ],
    "from_dlpack": [
        lambda xp, a: xp.from_dlpack(a(2, 3)),
        lambda xp, a: xp.from_dlpack(a()),
        lambda xp, a: xp.from_dlpack(a(3), copy=True),
        lambda xp, a: xp.from_dlpack(a(3), copy=False),
        lambda xp, a: xp.from_dlpack(a(3), device=a(3).device),
    ],
    "full": [*_shaped("full", 1), *_shaped("full", 0.5), *_shaped("full", True)],
    "full_like": [*_like("full_like", 1), *_like("full_like", 1j)],
    "linspace": [
        lambda xp, a: xp.linspace(0, 1, 5, device=a.device),
        lambda xp, a: xp.linspace(1, -2.0, num=3, dtype=a.dtype, endpoint=False, device=a.device),
        lambda xp, a: xp.linspace(1j, 2, 0, device=a.device),
    ],
    "meshgrid": [
        lambda xp, a: xp.meshgrid(a(2), a(3)),
        lambda xp, a: xp.meshgrid(a(2), a(3), a(1), indexing="ij"),
        lambda xp, a: xp.meshgrid(),
    ],
    "ones": _shaped("ones"),
    "ones_like": _like("ones_like"),
    "tril": _triangle("tril"),
    "triu": _triangle("triu"),
    "zeros": _shaped("zeros"),
    "zeros_like": _like("zeros_like"),
}

DATA_TYPES: dict[str, list[Call]] = {
    "astype": [
        *(
            lambda xp, a, to=to: xp.astype(a.plain(3), getattr(xp, to))
            for to in "bool uint8 int32 float32 float64 complex64 complex128".split()
        ),
        lambda xp, a: xp.astype(a(2), a.dtype, copy=False),
        lambda xp, a: xp.astype(a(2), xp.float32, device=a.device),
    ],
    "can_cast": [
        lambda xp, a: xp.can_cast(a.dtype, xp.float32),
        lambda xp, a: xp.can_cast(a(), xp.float64),
        lambda xp, a: xp.can_cast(xp.float32, a.dtype),
    ],
    "finfo": [
        lambda xp, a: _limits(xp.finfo(a.dtype)),
        lambda xp, a: _limits(xp.finfo(a(2))),
    ],
    "iinfo": [
        lambda xp, a: _limits(xp.iinfo(a.dtype)),
        lambda xp, a: _limits(xp.iinfo(a(2))),
    ],
    "isdtype": [
        lambda xp, a: xp.isdtype(a.dtype, ("integral", "complex floating")),
        lambda xp, a: xp.isdtype(a.dtype, xp.float64),
        lambda xp, a: xp.isdtype(dtype=a.dtype, kind="numeric"),
    ],
    "result_type": [
        lambda xp, a: xp.result_type(a(2), xp.float32),
        lambda xp, a: xp.result_type(a.dtype, a(), a(3)),
        lambda xp, a: xp.result_type(a(2), 1.5),
        lambda xp, a: xp.result_type(True, a(2), 1j),
        lambda xp, a: xp.result_type(),
    ],
}


def _limits(info: Any) -> list[Any]:
    names = "bits eps max min smallest_normal dtype".split()
    found = {name: getattr(info, name, None) for name in names}
    return [x if name in ("bits", "dtype") or x is None else float(x) for name, x in found.items()]


MOVING: dict[str, list[Call]] = {
    "broadcast_arrays": [
        lambda xp, a: xp.broadcast_arrays(a(2, 1), a(3), a()),
        lambda xp, a: xp.broadcast_arrays(a(2), a(3)),
        lambda xp, a: xp.broadcast_arrays(),
    ],
    "broadcast_shapes": [
        lambda xp, a: xp.broadcast_shapes((2, 1), (3,), ()),
        lambda xp, a: xp.broadcast_shapes((2,), (3,)),
        lambda xp, a: xp.broadcast_shapes(a(2, 3).shape, (1,)),
    ],
    "broadcast_to": [
        lambda xp, a: xp.broadcast_to(a(3), (2, 3)),
        lambda xp, a: xp.broadcast_to(a(), (0, 2)),
        lambda xp, a: xp.broadcast_to(a(3), (2,)),
    ],
    "concat": [
        lambda xp, a: xp.concat([a(2, 3), a(1, 3)]),
        lambda xp, a: xp.concat((a(2), a(2, 3)), axis=None),
        lambda xp, a: xp.concat([a(2, 3), a(2, 3, dtype="float32")], axis=-1),
        lambda xp, a: xp.concat([a(2, 3), a(2)]),
    ],
    "expand_dims": [
        lambda xp, a: xp.expand_dims(a(2, 3)),
        lambda xp, a: xp.expand_dims(a(2, 3), axis=-1),
        lambda xp, a: xp.expand_dims(a(2, 3), axis=(0, 2)),
        lambda xp, a: xp.expand_dims(a(2, 3), axis=4),
    ],
    "flip": [
        lambda xp, a: xp.flip(a(2, 3)),
        lambda xp, a: xp.flip(a(2, 3), axis=-1),
        lambda xp, a: xp.flip(a(2, 3), axis=(0, 1)),
    ],
    "moveaxis": [
        lambda xp, a: xp.moveaxis(a(2, 3, 4), 0, -1),
        lambda xp, a: xp.moveaxis(a(2, 3, 4), (0, 1), (2, 0)),
    ],
    "permute_dims": [
        lambda xp, a: xp.permute_dims(a(2, 3, 4), (2, 0, 1)),
        lambda xp, a: xp.permute_dims(a(2, 3), axes=(-1, 0)),
        lambda xp, a: xp.permute_dims(a(2, 3), (0, 0)),
    ],
    "repeat": [
        lambda xp, a: xp.repeat(a(3), 2),
        lambda xp, a: xp.repeat(a(2, 3), 3, axis=1),
        lambda xp, a: xp.repeat(a(2, 3), a.integers([1, 0, 2]), axis=-1),
        lambda xp, a: xp.repeat(a(2, 3), 2),
    ],
    "reshape": [
        lambda xp, a: xp.reshape(a(2, 3), (3, 2)),
        lambda xp, a: xp.reshape(a(2, 3), (-1,)),
        lambda xp, a: xp.reshape(a(2, 3), shape=(1, 6), copy=True),
        lambda xp, a: xp.reshape(a(6), (2, 3), copy=False),
        lambda xp, a: xp.reshape(a(2, 3), (4,)),
    ],
    "roll": [
        lambda xp, a: xp.roll(a(2, 3), 1),
        lambda xp, a: xp.roll(a(2, 3), -4, axis=1),
        lambda xp, a: xp.roll(a(2, 3), shift=(1, 2), axis=(0, -1)),
    ],
    "squeeze": [
        lambda xp, a: xp.squeeze(a(1, 3), 0),
        lambda xp, a: xp.squeeze(a(1, 3, 1), axis=(0, -1)),
        lambda xp, a: xp.squeeze(a(2, 3), axis=0),
    ],
    "stack": [
        lambda xp, a: xp.stack([a(2, 3), a(2, 3)]),
        lambda xp, a: xp.stack((a(3), a(3)), axis=-1),
        lambda xp, a: xp.stack([a(2), a(3)]),
    ],
    "tile": [
        lambda xp, a: xp.tile(a(2, 3), (2,)),
        lambda xp, a: xp.tile(a(3), (2, 1, 2)),
        lambda xp, a: xp.tile(a(2, 3), (0, 1)),
    ],
    "unstack": [
        lambda xp, a: xp.unstack(a(2, 3)),
        lambda xp, a: xp.unstack(a(2, 3), axis=-1),
        lambda xp, a: xp.unstack(a(0, 3)),
    ],
}

SEARCHING: dict[str, list[Call]] = {
    "argmax": _index("argmax"),
    "argmin": _index("argmin"),
    "argsort": _order("argsort"),
    "count_nonzero": [
        lambda xp, a: xp.count_nonzero(a(2, 3)),
        lambda xp, a: xp.count_nonzero(a(2, 3), axis=1, keepdims=True),
        lambda xp, a: xp.count_nonzero(a(2, 3), axis=(0, 1)),
    ],
    "nonzero": [lambda xp, a: xp.nonzero(a(2, 3)), lambda xp, a: xp.nonzero(a())],
    "searchsorted": [
        lambda xp, a: xp.searchsorted(a.sorted(5), a(2, 3)),
        lambda xp, a: xp.searchsorted(a.sorted(5), a(3), side="right"),
        lambda xp, a: xp.searchsorted(a.sorted(3), a(2), sorter=a.integers([0, 1, 2])),
    ],
    "sort": _order("sort"),
    "take": [
        lambda xp, a: xp.take(a(5), a.integers([4, 0, 0])),
        lambda xp, a: xp.take(a(2, 3), a.integers([2, 1]), axis=-1),
        lambda xp, a: xp.take(a(2, 3), a.integers([]), axis=0),
    ],
    "take_along_axis": [
        lambda xp, a: xp.take_along_axis(a(2, 3), a.integers([[2, 0], [1, 1]])),
        lambda xp, a: xp.take_along_axis(a(2, 3), a.integers([[1, 0, 1]]), axis=0),
    ],
    "where": [
        lambda xp, a: xp.where(a.mask(2, 3), a(2, 3), a(3)),
        lambda xp, a: xp.where(a.mask(), a(2), a(2, dtype="float32")),
        lambda xp, a: xp.where(a.mask(3), a(3), 0),
        lambda xp, a: xp.where(a.mask(3), 1.5, a(3)),
    ],
    "isin": [
        lambda xp, a: xp.isin(a(2, 3), a(4)),
        lambda xp, a: xp.isin(a(3), a(2), invert=True),
        lambda xp, a: xp.isin(a(3), 1),
    ],
    "unique_all": [lambda xp, a: xp.unique_all(a.plain(2, 4))],
    "unique_counts": [lambda xp, a: xp.unique_counts(a.plain(2, 4))],
    "unique_inverse": [lambda xp, a: xp.unique_inverse(a.plain(2, 4))],
    "unique_values": [lambda xp, a: xp.unique_values(a.plain(2, 4))],
}

SUMMARIES: dict[str, list[Call]] = {
    "all": _reduction("all"),
    "any": _reduction("any"),
    "cumulative_prod": _running("cumulative_prod"),
    "cumulative_sum": _running("cumulative_sum"),
    "diff": [
        lambda xp, a: xp.diff(a(5)),
        lambda xp, a: xp.diff(a(2, 4), axis=0, n=1),
        lambda xp, a: xp.diff(a(2, 4), n=2, prepend=a(2, 1), append=a(2, 2)),
    ],
    "max": _reduction("max"),
    "mean": _reduction("mean"),
    "min": _reduction("min"),
    "prod": _cast_reduction("prod"),
    "std": _spread("std"),
    "sum": _cast_reduction("sum"),
    "var": _spread("var"),
}


FUNCTIONS: dict[str, list[Call]] = {
    **CREATION,
    **DATA_TYPES,
    **{name: _unary(name) for name in UNARY},
    **{name: _binary(name) for name in BINARY},
    "clip": [
        lambda xp, a: xp.clip(a(20), 0, 2),
        lambda xp, a: xp.clip(a(2, 3), min=a.plain(3)),
        lambda xp, a: xp.clip(a(5), max=1),
        lambda xp, a: xp.clip(a(5), None, None),
    ],
    **MOVING,
    **SEARCHING,
    **SUMMARIES,
    **products(lambda xp: xp),
}
