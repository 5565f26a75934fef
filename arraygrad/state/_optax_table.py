"""How optax spells our optimizers: the classes and fields of their states, and options."""

from collections.abc import Mapping
from typing import NamedTuple

from arraygrad.state._forms import JOINED, OPPOSITE, RESHAPED, WHERE_FACTORED, Form

__all__ = ["COUNTS", "OPTIONS", "TABLE", "Entry"]


class Entry(NamedTuple):
    """Where optax keeps the slots of an optimizer of ours."""

    slots: Mapping[str, tuple[str, str]]
    """By our names: a class of optax's states, or several with `|` between them, and its field;
    or the fields of which ours is made, with `|` between them."""

    needs: str = ""
    """A word that our kernel has where its slots mean what they mean in optax."""

    never: tuple[str, ...] = ("rate",)  # weight decay that is not multiplied by the rate
    """Words that it must not have."""

    forms: Mapping[str, Form] = {}
    """Slots that are not simply those of optax."""

    inside: Mapping[str, str] = {}
    """`OPTIONS` that are others for the optimizer inside."""


_MOMENTS = {"mu": ("ScaleByAdamState", "mu"), "nu": ("ScaleByAdamState", "nu")}
_MOMENTS_OR_SQUARE = {**_MOMENTS, "nu": ("ScaleByAdamState|ScaleByRmsWithCountState", "nu")}
_BESIDE_MUON = {
    "learning_rate": "adam_learning_rate|learning_rate", "beta1": "adam_b1", "beta2": "adam_b2",
    "weight_decay": "adam_weight_decay",
}  # fmt: skip
_RMS = "ScaleByRmsState|ScaleByRStdDevState"

# No rprop: optax's takes each step one call late, which are other equations.
TABLE: Mapping[str, Entry] = {
    "adabelief": Entry(
        {"mu": ("ScaleByBeliefState", "mu"), "sigma": ("ScaleByBeliefState", "nu")}
    ),
    "adadelta": Entry(
        {"nu": ("ScaleByAdaDeltaState", "e_g"), "moves": ("ScaleByAdaDeltaState", "e_x")}
    ),
    "adafactor": Entry(
        {
            "rows": ("FactoredState", "v_row|v"), "columns": ("FactoredState", "v_col"),
            "velocity": ("EmaState", "ema"),
        },
        never=("relative", "torch"),
        forms={"rows": WHERE_FACTORED, "columns": RESHAPED, "velocity": OPPOSITE},
    ),
    "adagrad": Entry({"sum": ("ScaleByRssState", "sum_of_squares")}, needs="inside"),
    "adam": Entry(_MOMENTS),
    "adamax": Entry(_MOMENTS, needs="torch"),
    "adamaxw": Entry(_MOMENTS, needs="torch"),
    "adamw": Entry(_MOMENTS_OR_SQUARE),  # without means, inside schedule-free
    "adan": Entry(
        {
            "mu": ("ScaleByAdanState", "m"), "difference": ("ScaleByAdanState", "v"),
            "nu": ("ScaleByAdanState", "n"), "previous": ("ScaleByAdanState", "g"),
        },
        needs="optax",
    ),
    "ademamix": Entry(
        {
            "mu": ("ScaleByAdemamixState", "m1"), "slow": ("ScaleByAdemamixState", "m2"),
            "nu": ("ScaleByAdemamixState", "nu"),
        }
    ),
    "adopt": Entry(_MOMENTS),
    "amsgrad": Entry(
        {
            "mu": ("ScaleByAmsgradState", "mu"), "nu": ("ScaleByAmsgradState", "nu"),
            "nu_max": ("ScaleByAmsgradState", "nu_max"),
        },
        needs="optax",
    ),
    "dadapt_adamw": Entry(
        {
            "mu": ("DAdaptAdamWState", "exp_avg"), "nu": ("DAdaptAdamWState", "exp_avg_sq"),
            "sum": ("DAdaptAdamWState", "grad_sum"),
            "distance": ("DAdaptAdamWState", "estim_lr"),
            "numerator": ("DAdaptAdamWState", "numerator_weighted"),
        },
        needs="optax",
    ),
    "lamb": Entry(_MOMENTS),
    "lars": Entry(
        {"velocity": ("TraceState", "trace")}, needs="optax", forms={"velocity": OPPOSITE}
    ),
    "lion": Entry({"mu": ("ScaleByLionState", "mu")}),
    "muon": Entry({"mu": ("MuonState", "mu")}, needs="corrected", inside=_BESIDE_MUON),
    "nadam": Entry(_MOMENTS, needs="optax"),
    "nadamw": Entry(_MOMENTS, needs="optax"),
    "novograd": Entry(
        {"mu": ("ScaleByNovogradState", "mu"), "nu": ("ScaleByNovogradState", "nu")}
    ),
    "optimistic_adam": Entry(
        {**_MOMENTS, "previous": ("ScaleByOptimisticGradientState", "previous_gradient")}
    ),
    "optimistic_gradient_descent": Entry(
        {"previous": ("ScaleByOptimisticGradientState", "previous_gradient")}
    ),
    "prodigy": Entry(
        {
            "mu": ("ProdigyState", "exp_avg"), "nu": ("ProdigyState", "exp_avg_sq"),
            "sum": ("ProdigyState", "grad_sum"), "start": ("ProdigyState", "params0"),
            "distance": ("ProdigyState", "estim_lr"),
            "numerator": ("ProdigyState", "numerator_weighted"),
        },
        needs="optax",
    ),
    "radam": Entry(_MOMENTS),
    "rmsprop": Entry(
        {
            "nu": (_RMS, "nu"), "mu": ("ScaleByRStdDevState", "mu"),
            "velocity": ("TraceState", "trace"),
        },
        never=("rate", "torch"),
    ),
    "schedule_free": Entry(
        {
            "max_rate": ("ScheduleFreeState", "max_lr"),
            "weight_sum": ("ScheduleFreeState", "weight_sum"), "z": ("ScheduleFreeState", "z"),
        },
        inside={"beta1": ""},  # none: optax's `b1` is the outer one
    ),
    "sgd": Entry({"velocity": ("TraceState", "trace")}, never=("velocity",)),
    "sm3": Entry(
        {"mu": ("ScaleBySM3State", "nu"), "covers": ("ScaleBySM3State", "mu")},
        forms={"covers": JOINED},
    ),
    "sophia": Entry({"mu": ("SophiaState", "mu"), "hessian": ("SophiaState", "nu")}, needs="optax"),
    "yogi": Entry(_MOMENTS),
}  # fmt: skip

COUNTS = {"count": 0, "count_m2": 0, "t": 0, "step_count": 1}
"""Fields that count the steps done, and where they begin."""

OPTIONS = {
    "beta1": "b1", "beta2": "b2", "epsilon": "eps", "momentum": "momentum|beta",
    "weight_decay": "weight_decay|weight_decay_rate", "decay_power": "decay_rate",
    "initial_distance": "estim_lr0", "growth": "estim_lr_coef", "weight_power": "weight_lr_power",
    "clip": "clip_threshold",
}  # fmt: skip
"""Our hyperparameters that are called otherwise in the states of `optax.inject_hyperparams`; the
first name that is there."""
