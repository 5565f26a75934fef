"""Gradients and optimizer steps as ONNX models: they run wherever ONNX does, without Python.

The function is traced on the lazy arrays of ndonnx, once, with the shapes and dtypes of an example.
`pip install 'arraygrad[onnx]'` brings what this room needs.
"""

from arraygrad._onnx.feeding import feed
from arraygrad._onnx.models import export, export_gradient, export_step

__all__ = ["export", "export_gradient", "export_step", "feed"]
