"""How a function becomes an ONNX model: its inputs, their names, and what is refused."""
