"""The traced array: an Array API array that knows where its value is recorded.

`TracedArray` is what users see: every operation goes through its namespace, the one general path
that is always right. `arraygrad.autodiff.tape.classes` derives a class for each library and dtype
whose methods replace the common operations by quick ones.
"""

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NoReturn

from arraygrad._typing import Array, DType, Namespace
from arraygrad.autodiff.tape.record import Tape
from arraygrad.errors import GraphBreakError, SpentTapeError

__all__ = ["BINARY_OPERATORS", "UNARY_OPERATORS", "TracedArray", "apart"]

Operator = Callable[[Any, Any], Any]

BINARY_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "pow", "matmul": "matmul",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
COMPARISONS = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "eq": "equal", "ne": "not_equal",
}  # fmt: skip
UNARY_OPERATORS = {
    "neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert",
}  # fmt: skip


class TracedArray:
    """An array whose operations are recorded on a tape.

    It behaves as an array of its library: namespace, operators, methods, NumPy functions. What
    would lose the gradient raises `GraphBreakError`.
    """

    __slots__ = ("__weakref__", "_index", "_tape", "_value")

    # Set on the class derived for each library and dtype.
    _space: ClassVar[Any]
    _lower: ClassVar[Any]  # the class of the values, where those are traced themselves
    _quick: ClassVar[Any]  # the quick functions by name

    _value: Array  # raw, or a traced array of an outer tape
    _index: int  # the number of its record
    _tape: Tape

    # --- what an array tells of itself -------------------------------------------------------

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        """Return the traced namespace of this array's library."""
        return self._space

    @property
    def dtype(self) -> DType:
        """The data type of the elements."""
        return self._value.dtype

    @property
    def device(self) -> Any:
        """The device that holds the elements."""
        return self._space.device_of(self._value)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        shape: tuple[int, ...] = self._value.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._value.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def T(self) -> Array:  # noqa: N802 (the standard's name)
        """The transpose of a matrix; all axes reversed, as far as the library allows."""
        axes = tuple(reversed(range(self.ndim)))
        return self._space.permute_dims(self, axes)

    @property
    def mT(self) -> Array:  # noqa: N802 (the standard's name)
        """The transposes of a stack of matrices."""
        return self._space.matrix_transpose(self)

    @property
    def real(self) -> Array:
        """The real part."""
        return self._space.call("real", self) if self._space.is_complex(self.dtype) else self

    @property
    def imag(self) -> Array:
        """The imaginary part."""
        if self._space.is_complex(self.dtype):
            return self._space.call("imag", self)
        return self._space.zeros_like(self)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        """Return the array on a device."""
        return self._space.call("to_device", self, device, stream=stream)

    def __len__(self) -> int:
        if not self.shape:
            message = "len() of a 0-d array"
            raise TypeError(message)
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        if not self.shape:
            message = "iteration over a 0-d array"
            raise TypeError(message)
        return (self[n] for n in range(self.shape[0]))

    def __repr__(self) -> str:
        return f"TracedArray({self._value!r})"

    # --- indexing ----------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Array:
        return self._space.call("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if (
            isinstance(value, TracedArray)
            and not self._quick.floating
            and not value._tape.read(f"assignment into an array of {self.dtype}")
        ):
            message = (
                f"a value with a gradient was written into an array of {self.dtype}, which would "
                "lose it: make the array floating, or write stop_gradient(value)"
            )
            raise GraphBreakError(message)
        self._rebind(self._space.call("set_at", self, key, self._space.written(value)))

    def _rebind(self, new: "TracedArray") -> None:
        """Make this name stand for another array: how in-place operations work here."""
        self._value, self._index, self._tape = new._value, new._index, new._tape
        self.__class__ = new.__class__

    # --- reads: control flow may, arithmetic may not --------------------------------------------

    def __bool__(self) -> bool:
        return bool(self._value)

    def __float__(self) -> float:
        return float(self._read("float()"))

    def __int__(self) -> int:
        return int(self._read("int()"))

    def __complex__(self) -> complex:
        return complex(self._read("complex()"))

    def __index__(self) -> int:
        return operator.index(self._read("operator.index()"))

    def item(self, *args: Any) -> Any:
        """Return one element as a Python number; only of arrays without a gradient."""
        return self._read("item()").item(*args)

    def tolist(self) -> Any:
        """Return nested lists; only of arrays without a gradient."""
        return self._read("tolist()").tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        value = self._read("np.asarray()")
        return np.asarray(value, dtype=dtype) if copy is None else np.array(value, dtype, copy=copy)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:  # fmt: skip
        given = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        given = {name: x for name, x in given.items() if x is not None}
        value = self._space.raw.asarray(self._read("__dlpack__()"))  # NumPy's scalars have none
        return value.__dlpack__(**given)

    def __dlpack_device__(self) -> Any:
        value = self._value
        traced = isinstance(value, TracedArray)
        return (value if traced else self._space.raw.asarray(value)).__dlpack_device__()

    def __reduce__(self) -> NoReturn:
        message = "a traced array cannot be pickled: pass its value, stop_gradient(x)"
        raise GraphBreakError(message)

    def __dask_tokenize__(self) -> NoReturn:
        # `da.sum(x)` takes what is no array of dask for data, and hides it in a graph.
        message = (
            "a function of dask.array of a traced array would lose its gradient: take the same "
            "function from the array's own namespace, or NumPy's"
        )
        raise GraphBreakError(message)

    def _read(self, how: str) -> Any:
        """Return the value for a use that leaves the graph, or say why not."""
        if self._tape.closed:
            message = f"{how} of a traced array after the function that made it had returned"
            raise SpentTapeError(message)
        if not self._tape.read(how):
            message = (
                f"{how} of a traced array would lose its gradient: "
                "take the value of stop_gradient(x), or stay in the array's namespace"
            )
            raise GraphBreakError(message)
        value = self._value
        return value._read(how) if isinstance(value, TracedArray) else value

    __hash__ = None  # type: ignore[assignment]  # `==` is elementwise


def apart(x: Any) -> Any:
    """Return a traced array under another name, which writing into it by the first leaves alone.

    What is kept of an array that somebody else holds must be kept so; others stay what they are.
    """
    if not isinstance(x, TracedArray):
        return x
    other = type(x)()
    other._value, other._index, other._tape = x._value, x._index, x._tape
    return other


def _operator_method(name: str, own: Operator) -> Callable[..., Any]:
    def method(self: TracedArray, other: Any) -> Any:
        return self._space.operate(name, self, other, own)

    return method


def _reflected_method(name: str, own: Operator) -> Callable[..., Any]:
    def method(self: TracedArray, other: Any) -> Any:
        return self._space.operate(name, other, self, own)

    return method


def _in_place_method(name: str, own: Operator) -> Callable[..., Any]:
    def method(self: TracedArray, other: Any) -> Any:
        self._rebind(self._space.in_place(name, self, other, own))
        return self

    return method


def _unary_method(name: str) -> Callable[..., Any]:
    def method(self: TracedArray) -> Any:
        return self._space.call(name, self)

    return method


for _short, _name in BINARY_OPERATORS.items():
    _own = getattr(operator, f"__{_short}__")
    setattr(TracedArray, f"__{_short}__", _operator_method(_name, _own))
    setattr(TracedArray, f"__r{_short}__", _reflected_method(_name, _own))
    setattr(TracedArray, f"__i{_short}__", _in_place_method(_name, _own))
for _short, _name in COMPARISONS.items():
    _own = getattr(operator, f"__{_short}__")
    setattr(TracedArray, f"__{_short}__", _operator_method(_name, _own))
for _short, _name in UNARY_OPERATORS.items():
    setattr(TracedArray, f"__{_short}__", _unary_method(_name))
