"""Optimizer maths: pure functions of arrays, one file per family.

A kernel is straight-line array code: `(xp, w, g, [m, v,] *hyperparameters)` to the update, to be
*added* to the weights, and the new moments if it has any. It knows no trees, reads no values and
expects arrays of one precision, float32 or better; hyperparameters are Python numbers or arrays.
"""
