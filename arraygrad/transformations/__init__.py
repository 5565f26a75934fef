"""Transformations of gradients and updates, chained with optimizers or wrapped around them.

They have the optimizers' `init`, `update` and `step`, and their states are trees too.
"""

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
from arraygrad.transformations.masking import freeze, groups, masked, set_to_zero

__all__ = [
    "Chain",
    "GlobalNormState",
    "adaptive_clip",
    "add_decayed_weights",
    "add_noise",
    "centralize",
    "chain",
    "clip_by_block_rms",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "decouple_weight_decay",
    "freeze",
    "global_norm",
    "groups",
    "masked",
    "scale",
    "set_to_zero",
    "zero_nans",
]
