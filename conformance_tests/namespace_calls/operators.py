"""What an array does by itself: operators, indexing, attributes, reads."""

import operator
from collections.abc import Callable
from typing import Any

__all__ = ["METHODS", "OPERATORS"]

Call = Callable[[Any, Any], Any]

BINARY_OPERATORS = (
    "add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift lt le gt ge eq ne"
).split()
IN_PLACE_OPERATORS = (
    "iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift"
).split()
SCALARS: tuple[Any, ...] = (2, -1.5, True, 1j)


def _both_ways(name: str) -> list[Call]:
    apply = getattr(operator, name)
    alike = [
        lambda xp, a: apply(a(20, 1), a(1, 20)),
        lambda xp, a: apply(a.plain(3, 3), a.plain(3, 3)),
        lambda xp, a: apply(a(), a(2, 0)),
        *(lambda xp, a, s=s: apply(a(20), s) for s in SCALARS),
        *(lambda xp, a, s=s: apply(s, a(20)) for s in SCALARS),
    ]
    mixed = [
        lambda xp, a: apply(a(3), a(3, dtype="float64")),
        lambda xp, a: apply(a(3, dtype="uint8"), a(3)),
    ]
    return alike if name == "matmul" else [*alike, *mixed]  # libraries differ in mixed products


def _in_place(name: str) -> list[Call]:
    apply = getattr(operator, name)
    square = [lambda xp, a: apply(a.plain(3, 3), a.plain(3, 3))]
    if name == "imatmul":
        return square  # the standard asks for shapes that do not change
    return [
        *square,
        lambda xp, a: apply(a(2, 20), a(20)),
        lambda xp, a: apply(a(3), a(3, dtype="float32")),
        *(lambda xp, a, s=s: apply(a(20), s) for s in SCALARS),
    ]


OPERATORS: dict[str, list[Call]] = {
    **{name: _both_ways(name) for name in BINARY_OPERATORS},
    **{name: _in_place(name) for name in IN_PLACE_OPERATORS},
    "abs": [lambda xp, a: abs(a(20)), lambda xp, a: abs(a())],
    "invert": [lambda xp, a: ~a(20), lambda xp, a: ~a()],
    "neg": [lambda xp, a: -a(20), lambda xp, a: -a()],
    "pos": [lambda xp, a: +a(20), lambda xp, a: +a()],
}


def _got(key: Any, *shape: int) -> Call:
    return lambda xp, a: a(*shape)[key]


def _set(key: Any, value: Callable[[Any], Any], *shape: int) -> Call:
    def call(xp: Any, a: Any) -> Any:
        x = a(*shape)
        x[key(a) if callable(key) else key] = value(a)
        return x

    return call


KEYS: list[tuple[Any, tuple[int, ...]]] = [
    (0, (3,)), (-1, (2, 3)), ((1, 2), (2, 3)), ((), ()), (..., ()), (..., (2, 3)),
    (slice(None), (3,)), (slice(None, None, -1), (3,)), (slice(1, None, 2), (5, 2)),
    ((slice(None), 1), (2, 3)), ((..., 0), (2, 3)), ((0, ...), (2, 3)), ((slice(0, 0), 1), (2, 3)),
    ((slice(-2, None), slice(2, 0, -1)), (3, 4)),
]  # fmt: skip
NEW_AXES: list[tuple[Any, tuple[int, ...]]] = [
    (None, (3,)), ((None, 0), (2, 3)), ((slice(None), None), (2, 3)), ((..., None), ()),
]  # fmt: skip
WRONG_KEYS: list[tuple[Any, tuple[int, ...]]] = [
    (3, (3,)), ((0, 0), (3,)), (0, ()), ("a", (3,)), (1.5, (3,)),
]  # fmt: skip

METHODS: dict[str, list[Call]] = {
    "getitem": [
        *(_got(key, *shape) for key, shape in (*KEYS, *NEW_AXES, *WRONG_KEYS)),
        lambda xp, a: a(2, 3)[a.mask(2, 3)],
        lambda xp, a: a(2, 3)[a.mask(2)],
        lambda xp, a: a(3)[a.mask()],
        lambda xp, a: a()[a.mask()],
        lambda xp, a: a(3)[a.mask(2)],
        lambda xp, a: a(5)[a.integers([4, -1, 0])],
        lambda xp, a: a(2, 3)[a.integers([[1], [0]]), a.integers([2, 0])],
        lambda xp, a: a(2, 3)[1, a.integers([2, 0])],
        lambda xp, a: a(3)[a.integers([7])],
        lambda xp, a: a(5)[a.integers(3)],
    ],
    "setitem": [
        *(_set(key, lambda a: a(), *shape) for key, shape in KEYS),
        *(_set(key, lambda a: True, *shape) for key, shape in KEYS[:4]),
        _set(0, lambda a: 2, 3),
        _set(0, lambda a: 1.5, 3),
        _set(0, lambda a: 1j, 3),
        _set(0, lambda a: float("nan"), 3),
        _set((slice(None), 0), lambda a: a(2), 2, 3),
        _set(1, lambda a: a(2), 2, 3),
        _set(slice(None), lambda a: a(3, dtype="int8"), 3),
        _set(slice(None), lambda a: a(3, dtype="float32"), 3),
        _set(3, lambda a: 0, 3),
        _set((0, 0), lambda a: 0, 3),
        _set(lambda a: a.mask(2, 3), lambda a: a(), 2, 3),
        _set(lambda a: a.mask(2, 3), lambda a: 1, 2, 3),
        _set(lambda a: a.mask(4), lambda a: a(2), 4),
        _set(lambda a: a.mask(2), lambda a: a(3), 2, 3),
    ],
    "attributes": [
        lambda xp, a: a(2, 3).T,
        lambda xp, a: a(2, 3).mT,
        lambda xp, a: a(2, 3, 4).mT,
        lambda xp, a: a(3).mT,
        lambda xp, a: list(a(2, 3)),
        lambda xp, a: list(a()),
        lambda xp, a: len(a()),
    ],
    "reads": [
        *(
            lambda xp, a, read=read: read(a.plain())
            for read in (bool, int, float, complex, operator.index)
        ),
        *(lambda xp, a, read=read: read(a(2)) for read in (bool, int, float, complex)),
        *(lambda xp, a, read=read: read(a(1)) for read in (bool, float, operator.index)),
        lambda xp, a: a(3).__dlpack_device__(),
        lambda xp, a: bool(a(0)),
    ],
}
