"""How a function becomes an ONNX model.

models.py     functions, gradients and steps become models
feeding.py    arrays become a model's inputs
graph.py      a graph under construction: its inputs and outputs
names.py      what inputs and outputs are called
refusals.py   what cannot be written as a graph, said by name
needed.py     the packages that must be there
"""
