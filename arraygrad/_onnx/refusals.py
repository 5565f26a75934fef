"""What cannot be written as a graph, said by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from arraygrad._onnx.names import function_name
from arraygrad._where import place_of
from arraygrad.errors import ArraygradError, ExportError

__all__ = ["explained"]

_READS = {
    "__bool__": "bool()",
    "__complex__": "complex()",
    "__float__": "float()",
    "__index__": "operator.index()",
    "__int__": "int()",
    "unwrap_numpy": "what asks for NumPy's arrays",
}


@contextmanager
def explained(f: Callable[..., Any]) -> Iterator[None]:
    """Turn what ndonnx raises while a function is traced into an `ExportError`.

    Errors of ours, and of the function itself, are what they are.
    """
    try:
        yield
    except ArraygradError:
        raise
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        refusal = ExportError(f"{function_name(f)} cannot be exported: {reason}")
        place = place_of(error)
        if place is not None:
            refusal.add_note(f"at {place}")
        raise refusal from error


def _reason(error: Exception) -> str | None:
    """Return what ndonnx could not do, `None` if it was not ndonnx that raised."""
    if isinstance(error, AttributeError) and "ndonnx" in getattr(error.obj, "__name__", ""):
        return f"ndonnx, which writes the graph, has no `{error.name}`"
    function = _entered(error)
    if function is None:
        return None
    if function in _READS:
        return (
            f"{_READS[function]} reads a value, which a graph has only when it runs: "
            "choose with where(), not with `if` or `while`"
        )
    said = str(error).partition("\n")[0]
    return f"ndonnx, which writes the graph, refuses `{function}`" + (f": {said}" if said else "")


def _entered(error: Exception) -> str | None:
    """Return the function of ndonnx, or of its completion, through which an error came."""
    step = error.__traceback__
    while step is not None:
        module = step.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] == "ndonnx" or module.startswith("arraygrad.libraries.ndonnx."):
            name = step.tb_frame.f_code.co_name
            if name != "wrapped":  # the decorator of ndonnx's functions
                return name
        step = step.tb_next
    return None
