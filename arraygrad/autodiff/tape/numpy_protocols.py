"""NumPy's protocols: `np.exp(x)`, `ndarray * x` and `np.mean(x)` on traced arrays are recorded.

Each function of NumPy is spelt in the array's traced namespace: see `numpy_elementwise.py` and
`numpy_functions.py`. That serves the libraries which NumPy's functions serve (NumPy itself, CuPy),
and CuPy's own elementwise functions, which have the same names. What would lose a gradient raises.
"""

import inspect
import math
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, ClassVar

from arraygrad._namespace import library_name
from arraygrad.autodiff.tape.methods import refuse_out, write_out
from arraygrad.autodiff.tape.numpy_elementwise import apply, apply_method, standard_name
from arraygrad.autodiff.tape.numpy_functions import serving
from arraygrad.errors import GraphBreakError, NoRuleError

__all__ = ["Elementwise", "NumpyProtocols"]


class _StandardNames(dict[Any, "str | None"]):
    """The standard's names of NumPy's elementwise functions; `None` of those it lacks."""

    def __missing__(self, ufunc: Any) -> str | None:
        name = standard_name(_elementwise_name(ufunc))
        if name is not None:
            self[ufunc] = name
        return name


class Elementwise(dict[Any, "Callable[..., Any] | None"]):
    """What serves NumPy's elementwise functions of one class's arrays; `None` where more is asked.

    It returns `NotImplemented` for operands of other kinds, such as lists.
    """

    def __init__(self, cls: Any) -> None:
        super().__init__()
        self._cls = cls

    def __missing__(self, ufunc: Any) -> Callable[..., Any] | None:
        name, space = _standard_names[ufunc], self._cls._space
        if name in (None, "pow") or ufunc.nin > 2 or not space.library.numpy_functions:
            return None
        function = self[ufunc] = self._cls._quick[name] if ufunc.nin == 1 else _pair(space, name)
        return function


def _pair(space: Any, name: str) -> Callable[[Any, Any], Any]:
    """Return a function of two operands, one of them traced."""

    def function(a: Any, b: Any, /) -> Any:
        quick = isinstance(a, NumpyProtocols)
        return a._quick[name](a, b) if quick else space.operate(name, a, b)

    return function


class _Functions(dict[Any, Callable[..., Any]]):
    """What serves each of NumPy's other functions."""

    def __missing__(self, known: Any) -> Callable[..., Any]:
        function = self[known] = serving(_function_name(known), known)
        return function


class _OutPositions(dict[Any, float]):
    """How many arguments come before `out` in each of NumPy's functions: infinity has none."""

    def __missing__(self, known: Any) -> float:
        position = self[known] = _out_position(known)
        return position


def _out_position(known: Any) -> float:
    try:
        parameters = inspect.signature(known).parameters.values()
    except (TypeError, ValueError):  # in C, and silent in some versions
        return {"concatenate": 2, "dot": 2}.get(known.__name__, math.inf)
    names = [p.name for p in parameters if p.kind < inspect.Parameter.VAR_POSITIONAL]
    return names.index("out") if "out" in names else math.inf


def _elementwise_name(ufunc: Any) -> str:
    """Return the name of a ufunc of NumPy or SciPy; others' may be anything, so they have none."""
    import numpy as np

    name: str = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return name
    special = sys.modules.get("scipy.special._ufuncs")  # where a ufunc is, it has been imported
    return f"special.{name}" if getattr(special, name, None) is ufunc else repr(ufunc)


def _function_name(known: Any) -> str:
    """Return the name below `numpy`, like `linalg.norm`."""
    return f"{known.__module__}.{known.__name__}".removeprefix("numpy.")


_standard_names = _StandardNames()
_functions = _Functions()
_out_positions = _OutPositions()


class NumpyProtocols:
    """How NumPy's functions, and CuPy's elementwise ones, treat a traced array."""

    __slots__ = ()
    __array_priority__ = 1e6  # of a raw and a traced operand, ours decides

    # What a traced array has.
    _space: ClassVar[Any]
    _quick: ClassVar[Any]
    _elementwise: ClassVar[Elementwise]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if not keywords and method == "__call__":
            serve = self._elementwise[ufunc]
            if serve is not None:
                y = serve(*inputs)
                if y is not NotImplemented:
                    return y
        space = self._space
        if not space.library.numpy_functions:
            return self._foreign_ufunc(ufunc, method, inputs)
        if "out" in keywords and method != "at":
            return _into(space, ufunc, method, inputs, keywords)
        return _elementwise(space, ufunc, method, inputs, keywords)

    def __array_function__(self, known: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = known.__name__
        if not self._space.library.numpy_functions and name not in ("ndim", "shape"):
            raise self._not_numpys(name)
        out = kwargs.get("out")
        if "out" in kwargs:
            kwargs = {key: value for key, value in kwargs.items() if key != "out"}
        elif len(args) > _out_positions[known]:
            place = int(_out_positions[known])
            out, after = args[place], args[place + 1 :]
            args = (*args[:place], None, *after) if after else args[:place]
        if not isinstance(out, NumpyProtocols):
            refuse_out(out, f"numpy.{name}")
        try:
            y = _functions[known](self._space, *args, **kwargs)
            return y if out is None else write_out(out, y, True, name)
        except TypeError as error:
            if "unexpected keyword" not in str(error):
                raise
            message = f"numpy.{name} of a traced array has no such option: {error}"
            raise NoRuleError(message) from None

    def __cupy_override_elementwise_kernel__(self, kernel: Any, *args: Any, **kwargs: Any) -> Any:
        """Do what `cupy.sin(x)` asks of an argument that is no `cupy.ndarray`."""
        return apply(self._space, kernel.name.removeprefix("cupy_"), kernel, args, kwargs)

    def _foreign_ufunc(self, ufunc: Any, method: str, inputs: Any) -> Any:
        """Serve `np.float64(2) * x` for any library, and no other function of NumPy."""
        name, numbers = _standard_names[ufunc], [_number(x) for x in inputs]
        if name is None or method != "__call__" or all(x is self for x in inputs):
            raise self._not_numpys(ufunc.__name__)
        if any(x is not self and type(x) not in _NUMBERS for x in numbers):
            raise self._not_numpys(ufunc.__name__)
        return self._space.operate(name, *numbers)

    def _not_numpys(self, name: str) -> GraphBreakError:
        library = library_name(self._space.base)
        message = (
            f"numpy.{name} of a traced array of {library}: NumPy's functions serve arrays of NumPy "
            "and CuPy; take the same function from the array's own namespace"
        )
        return GraphBreakError(message)


_NUMBERS = frozenset({bool, complex, float, int})


def _number(x: Any) -> Any:
    """Return a scalar of NumPy as a Python number; anything else as it is."""
    import numpy as np

    # Comparisons hand their scalar over as a 0-d array.
    return x.item() if isinstance(x, np.generic | np.ndarray) and x.ndim == 0 else x


def _into(space: Any, ufunc: Any, method: str, inputs: Any, keywords: dict[str, Any]) -> Any:
    """Write the results into the arrays of `out`, where a mask holds."""
    outs, name = keywords.pop("out"), ufunc.__name__
    where = keywords.pop("where", True) if method == "__call__" else True
    for out in outs:
        if not isinstance(out, NumpyProtocols):
            refuse_out(out, name)
    with nullcontext() if where is True else space.library.quiet():  # NumPy leaves the rest out
        y = _elementwise(space, ufunc, method, inputs, keywords)
    if not isinstance(y, tuple):
        return write_out(outs[0], y, where, name)
    pairs = zip(outs, y, strict=True)
    return tuple(part if out is None else write_out(out, part, where, name) for out, part in pairs)


def _elementwise(space: Any, ufunc: Any, method: str, inputs: Any, keywords: Any) -> Any:
    name = _elementwise_name(ufunc)
    if method == "__call__":
        return apply(space, name, ufunc, inputs, keywords)
    return apply_method(space, name, method, ufunc, inputs, keywords)
