"""Optimizers: `init`, `update` and `step`, for arrays and trees of any library.

The maths is in `arraygrad.kernels`, a pure formula each; here is what it is called, what it
remembers, and its hyperparameters. One file per family.
"""

from arraygrad.optimizers._kernel_optimizer import KernelOptimizer
from arraygrad.optimizers._protocol import Optimizer, State, apply_updates
from arraygrad.optimizers.adafactor import adafactor
from arraygrad.optimizers.adagrad import adadelta, adagrad
from arraygrad.optimizers.adam import adam, adamw
from arraygrad.optimizers.adamax import adamax, adamaxw
from arraygrad.optimizers.adan import adan
from arraygrad.optimizers.ademamix import ademamix
from arraygrad.optimizers.amsgrad import amsgrad
from arraygrad.optimizers.asgd import asgd
from arraygrad.optimizers.belief import adabelief, yogi
from arraygrad.optimizers.clipped import adopt, sophia
from arraygrad.optimizers.dadapt import dadapt_adamw
from arraygrad.optimizers.layerwise import fromage, lamb, lars, novograd
from arraygrad.optimizers.lookahead import lookahead
from arraygrad.optimizers.muon import muon
from arraygrad.optimizers.nadam import nadam, nadamw
from arraygrad.optimizers.optimistic import optimistic_adam, optimistic_gradient_descent
from arraygrad.optimizers.prodigy import prodigy
from arraygrad.optimizers.radam import radam
from arraygrad.optimizers.rmsprop import rmsprop
from arraygrad.optimizers.rprop import rprop
from arraygrad.optimizers.sam import sam
from arraygrad.optimizers.schedule_free import (
    schedule_free,
    schedule_free_adamw,
    schedule_free_params,
    schedule_free_sgd,
)
from arraygrad.optimizers.sgd import sgd
from arraygrad.optimizers.shampoo import shampoo
from arraygrad.optimizers.sign import lion, signsgd, signum
from arraygrad.optimizers.sm3 import sm3
from arraygrad.optimizers.soap import soap
from arraygrad.optimizers.stochastic import noisy_sgd, polyak_sgd

__all__ = [
    "KernelOptimizer",
    "Optimizer",
    "State",
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamaxw",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "amsgrad",
    "apply_updates",
    "asgd",
    "dadapt_adamw",
    "fromage",
    "lamb",
    "lars",
    "lion",
    "lookahead",
    "muon",
    "nadam",
    "nadamw",
    "noisy_sgd",
    "novograd",
    "optimistic_adam",
    "optimistic_gradient_descent",
    "polyak_sgd",
    "prodigy",
    "radam",
    "rmsprop",
    "rprop",
    "sam",
    "schedule_free",
    "schedule_free_adamw",
    "schedule_free_params",
    "schedule_free_sgd",
    "sgd",
    "shampoo",
    "signsgd",
    "signum",
    "sm3",
    "soap",
    "sophia",
    "yogi",
]
