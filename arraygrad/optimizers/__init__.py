"""Optimizers: `init`, `update` and `step`, for arrays and trees of any library.

The maths is in `arraygrad.kernels`, a pure formula each; here is what it is called, what it
remembers, and its hyperparameters. One file per family.
"""

from arraygrad.optimizers._kernel_optimizer import KernelOptimizer
from arraygrad.optimizers._protocol import Optimizer, State, apply_updates
from arraygrad.optimizers.adam import adam

__all__ = ["KernelOptimizer", "Optimizer", "State", "adam", "apply_updates"]
