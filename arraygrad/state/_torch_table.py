"""How torch spells our optimizers: their slots, hyperparameters and options."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["DECOUPLED", "NEVER", "TABLE", "ByAxes", "Entry"]


class ByAxes(NamedTuple):
    """A slot that torch calls otherwise, or has not, where our leaf has less than two axes."""

    matrix: str
    other: str | None


class Entry(NamedTuple):
    """How torch spells an optimizer of ours."""

    slots: Mapping[str, str | ByAxes]
    """Slots by their names in torch's `state`."""

    options: Mapping[str, Any]
    """Hyperparameters by their names in torch's `param_groups`, with an index where in a tuple,
    and `-` before those that are the opposite there.
    Those that an optimizer of ours does not have must be 0 there."""

    flags: tuple[str, ...] = ()
    """Options that are on where our kernel has that word, and off elsewhere."""

    off: tuple[str, ...] = ("maximize",)
    """Options that must be off."""

    on: tuple[str, ...] = ()
    """Options that must be on."""

    same: Mapping[str, Callable[[Any, Mapping[str, Any], Mapping[str, Any]], bool]] = {}
    """Whether an option says what our kernel's keywords and our hyperparameters do."""

    needs: str = ""
    """A word that our kernel has where its slots mean what they mean in torch."""

    counts: bool = True
    """Whether torch counts the steps."""

    derived: Mapping[str, Callable[[Mapping[str, Any], int], float]] = {}
    """What torch keeps beside, as functions of our hyperparameters and the number of steps."""


NEVER = ("velocity", "rate", "inside")  # sums of moves, decay without the rate, ε under the root

_RATE = {"learning_rate": "lr", "weight_decay": "weight_decay"}
_ADAM = {**_RATE, "beta1": ("betas", 0), "beta2": ("betas", 1), "epsilon": "eps"}
_NADAM = {**_ADAM, "momentum_decay": "momentum_decay"}
_MOMENTS = {"mu": "exp_avg", "nu": "exp_avg_sq"}
_MOMENTS_AND_MAX = {**_MOMENTS, "nu_max": "max_exp_avg_sq"}
_MOMENTS_AND_PRODUCT = {**_MOMENTS, "mu_product": "mu_product"}
DECOUPLED = "decoupled_weight_decay"

_SCALINGS = {None: "width", "original": "width", "match_rms_adamw": "rms"}

TABLE = {
    "adadelta": Entry(
        {"nu": "square_avg", "moves": "acc_delta"}, {**_RATE, "decay": "rho", "epsilon": "eps"}
    ),
    "adafactor": Entry(
        {"rows": ByAxes("row_var", "variance"), "columns": ByAxes("col_var", None)},
        {
            **_RATE, "decay_power": "-beta2_decay", "epsilon": ("eps", 0),
            "minimum_scale": ("eps", 1), "clipping_threshold": "d",
        },
        same={"eps": lambda eps, _, ours: (eps[0] is None) == ("epsilon" not in ours)},
        needs="torch",
    ),
    "adagrad": Entry(
        {"sum": "sum"}, {**_RATE, "learning_rate_decay": "lr_decay", "epsilon": "eps"}
    ),
    "adam": Entry(_MOMENTS, _ADAM, off=("maximize", "amsgrad", DECOUPLED)),
    "adamax": Entry({"mu": "exp_avg", "nu": "exp_inf"}, _ADAM, needs="torch"),
    "adamw": Entry(_MOMENTS, _ADAM, off=("maximize", "amsgrad"), on=(DECOUPLED,)),
    "amsgrad": Entry(
        _MOMENTS_AND_MAX, _ADAM, off=("maximize", DECOUPLED), on=("amsgrad",), needs="torch"
    ),
    "asgd": Entry(
        {"average": "ax"},
        {**_RATE, "decay": "lambd", "power": "alpha", "start": "t0"},
        derived={
            "eta": lambda h, n: (
                h["learning_rate"] / (1 + h["decay"] * h["learning_rate"] * n) ** h["power"]
            ),
            "mu": lambda h, n: 1 / max(1, n - h["start"]),
        },
    ),
    "muon": Entry(
        {"mu": "momentum_buffer"},
        {**_RATE, "momentum": "momentum", "epsilon": "eps"},
        flags=("nesterov",),
        same={
            "adjust_lr_fn": lambda name, ours, _: _SCALINGS.get(name) == ours["scaling"],
            "ns_coefficients": lambda row, ours, _: {tuple(row)} == {*ours["polynomials"]},
            "ns_steps": lambda steps, ours, _: steps == len(ours["polynomials"]),
        },
        needs="paper",
        counts=False,
    ),
    "nadam": Entry(_MOMENTS_AND_PRODUCT, _NADAM, off=("maximize", DECOUPLED), needs="torch"),
    "nadamw": Entry(_MOMENTS_AND_PRODUCT, _NADAM, on=(DECOUPLED,), needs="torch"),
    "radam": Entry(_MOMENTS, _ADAM, flags=(DECOUPLED,), needs="torch"),
    "rmsprop": Entry(
        {"nu": "square_avg", "mu": "grad_avg", "velocity": "momentum_buffer"},
        {**_RATE, "decay": "alpha", "momentum": "momentum", "epsilon": "eps"},
        flags=("centered",),
        needs="torch",
    ),
    "rprop": Entry(
        {"sizes": "step_size", "previous": "prev"},
        {
            "eta_minus": ("etas", 0), "eta_plus": ("etas", 1),
            "smallest": ("step_sizes", 0), "largest": ("step_sizes", 1),
        },
        needs="torch",
    ),
    "sgd": Entry(
        {"velocity": "momentum_buffer"},
        {**_RATE, "momentum": "momentum", "dampening": "dampening"},
        flags=("nesterov",),
        counts=False,
    ),
}  # fmt: skip
