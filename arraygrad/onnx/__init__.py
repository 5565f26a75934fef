"""Gradients and optimizer steps as ONNX models: they run wherever ONNX does, without Python.

The function is traced on the lazy arrays of ndonnx, once, with the shapes and dtypes of an example.
`pip install arraygrad[onnx]` brings what this room needs.

    models.py     functions, gradients and steps become models
    feeding.py    arrays become a model's inputs
    graph.py      a graph under construction: its inputs and outputs
    names.py      what inputs and outputs are called
    refusals.py   what ONNX cannot do, said of the user's function
"""

from importlib.util import find_spec

from arraygrad.errors import MissingExtraError
from arraygrad.onnx.feeding import feed
from arraygrad.onnx.models import export, export_gradient, export_step

__all__ = ["export", "export_gradient", "export_step", "feed"]

for _needed in ("ndonnx", "onnx", "onnxruntime"):
    if find_spec(_needed) is None:
        _message = f"arraygrad.onnx needs {_needed}: pip install arraygrad[onnx]"
        raise MissingExtraError(_message)
