"""Optimizers of ours and of torch whose states can be exchanged; no number is a default."""

from arraygrad import optimizers as ours

__all__ = ["TORCH"]

BETAS = {"betas": (0.8, 0.99), "eps": 1e-6}


def moments(make, **options):
    """Return our Adam-like optimizer, by its rate, in torch's convention."""
    options = {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6, "convention": "torch", **options}
    return lambda rate: make(rate, **options)


def torchs(make, **options):
    """Return another optimizer of ours, by its rate, in torch's convention."""
    return lambda rate: make(rate, convention="torch", **options)


# name: (ours, torch's class, its options)
TORCH = {
    "adafactor": (
        torchs(
            ours.adafactor, decay_power=0.7, minimum_scale=1e-2, clipping_threshold=1.1,
            weight_decay=0.1,
        ),
        "Adafactor",
        {"beta2_decay": -0.7, "eps": (None, 1e-2), "d": 1.1, "weight_decay": 0.1},
    ),
    "adafactor-epsilon": (
        torchs(ours.adafactor, epsilon=1e-2), "Adafactor", {"eps": (1e-2, 1e-3)}
    ),
    "adadelta": (
        lambda rate: ours.adadelta(rate, decay=0.8, epsilon=1e-4),
        "Adadelta",
        {"rho": 0.8, "eps": 1e-4},
    ),
    "adagrad": (
        torchs(ours.adagrad, learning_rate_decay=0.1, epsilon=1e-4),
        "Adagrad",
        {"lr_decay": 0.1, "eps": 1e-4},
    ),
    "adam": (moments(ours.adam), "Adam", BETAS),
    "adam-decay": (moments(ours.adam, weight_decay=0.1), "Adam", {**BETAS, "weight_decay": 0.1}),
    "adamax": (moments(ours.adamax), "Adamax", BETAS),
    "adamw": (moments(ours.adamw, weight_decay=0.1), "AdamW", {**BETAS, "weight_decay": 0.1}),
    "amsgrad": (moments(ours.amsgrad), "Adam", {**BETAS, "amsgrad": True}),
    "asgd": (
        lambda rate: ours.asgd(rate, decay=0.01, power=0.5, start=7.0),
        "ASGD",
        {"lambd": 0.01, "alpha": 0.5, "t0": 7.0},
    ),
    "muon": (
        torchs(ours.muon, momentum=0.8, weight_decay=0.2, epsilon=1e-30),
        "Muon",
        {"momentum": 0.8, "weight_decay": 0.2, "eps": 1e-30},
    ),
    "muon-plain": (
        torchs(
            ours.muon, epsilon=1e-30, nesterov=False, iterations=3, coefficients=(2.0, -1.5, 0.5),
            scaling="rms",
        ),
        "Muon",
        {
            "weight_decay": 0.0, "eps": 1e-30, "nesterov": False, "ns_steps": 3,
            "ns_coefficients": (2.0, -1.5, 0.5), "adjust_lr_fn": "match_rms_adamw",
        },
    ),
    "nadam": (
        moments(ours.nadam, momentum_decay=0.01), "NAdam", {**BETAS, "momentum_decay": 0.01}
    ),
    "nadamw": (
        moments(ours.nadamw, weight_decay=0.1, momentum_decay=0.01),
        "NAdam",
        {**BETAS, "weight_decay": 0.1, "momentum_decay": 0.01, "decoupled_weight_decay": True},
    ),
    "radam": (moments(ours.radam), "RAdam", BETAS),
    "radamw": (
        moments(ours.radam, weight_decay=0.1, decoupled_weight_decay=True),
        "RAdam",
        {**BETAS, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
    "rmsprop": (
        torchs(ours.rmsprop, decay=0.8, epsilon=1e-4), "RMSprop", {"alpha": 0.8, "eps": 1e-4}
    ),
    "rmsprop-centered": (
        torchs(ours.rmsprop, decay=0.8, momentum=0.7, centered=True),
        "RMSprop",
        {"alpha": 0.8, "momentum": 0.7, "centered": True},
    ),
    "rprop": (
        torchs(ours.rprop, eta_minus=0.4, eta_plus=1.3, smallest=1e-3, largest=0.2),
        "Rprop",
        {"etas": (0.4, 1.3), "step_sizes": (1e-3, 0.2)},
    ),
    "sgd": (torchs(ours.sgd), "SGD", {}),
    "sgd-momentum": (
        torchs(ours.sgd, momentum=0.8, weight_decay=0.1),
        "SGD",
        {"momentum": 0.8, "weight_decay": 0.1},
    ),
    "sgd-nesterov": (
        torchs(ours.sgd, momentum=0.8, nesterov=True), "SGD", {"momentum": 0.8, "nesterov": True}
    ),
    "sgd-dampening": (
        torchs(ours.sgd, momentum=0.8, dampening=0.5), "SGD", {"momentum": 0.8, "dampening": 0.5}
    ),
}  # fmt: skip
