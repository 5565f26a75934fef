"""Transformations of gradients and updates, chained with optimizers or wrapped around them.

They have the optimizers' `init`, `update` and `step`, and their states are trees too.
"""

from arraygrad.transformations.accumulation import (
    AccumulationState,
    Accumulator,
    accumulate_gradients,
)
from arraygrad.transformations.averages import Averager, AverageState, average_params, ema_params
from arraygrad.transformations.chaining import Chain, chain
from arraygrad.transformations.clipping import (
    GlobalNormState,
    adaptive_clip,
    clip_by_block_rms,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    global_norm,
)
from arraygrad.transformations.elementwise import (
    add_decayed_weights,
    add_noise,
    centralize,
    decouple_weight_decay,
    scale,
    zero_nans,
)
from arraygrad.transformations.finite import FiniteState, apply_if_finite
from arraygrad.transformations.injection import with_hyperparameters
from arraygrad.transformations.masking import freeze, groups, masked, set_to_zero
from arraygrad.transformations.plateau import PlateauState, reduce_on_plateau
from arraygrad.transformations.precision import (
    LossScaleState,
    MasterState,
    keep_master_weights,
    scale_loss,
)

__all__ = [
    "AccumulationState",
    "Accumulator",
    "AverageState",
    "Averager",
    "Chain",
    "FiniteState",
    "GlobalNormState",
    "LossScaleState",
    "MasterState",
    "PlateauState",
    "accumulate_gradients",
    "adaptive_clip",
    "add_decayed_weights",
    "add_noise",
    "apply_if_finite",
    "average_params",
    "centralize",
    "chain",
    "clip_by_block_rms",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "decouple_weight_decay",
    "ema_params",
    "freeze",
    "global_norm",
    "groups",
    "keep_master_weights",
    "masked",
    "reduce_on_plateau",
    "scale",
    "scale_loss",
    "set_to_zero",
    "with_hyperparameters",
    "zero_nans",
]
