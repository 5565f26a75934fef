"""The packages that ONNX models are made with."""

from importlib.util import find_spec

from arraygrad.errors import MissingExtraError

__all__ = ["check_installed"]


def check_installed() -> None:
    """Raise `MissingExtraError`, an `ImportError`, if one is missing."""
    for needed in ("ndonnx", "onnx", "onnxruntime"):
        if find_spec(needed) is None:
            message = f"arraygrad.onnx needs {needed}: pip install 'arraygrad[onnx]'"
            raise MissingExtraError(message)
