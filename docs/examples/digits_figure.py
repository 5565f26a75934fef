"""Draw how the training of the digits went, and which digits it still gets wrong."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl

mpl.use("Agg")  # writes files, needs no screen

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

__all__ = ["draw"]

TRAIN, TEST, INK, PALE = "#8aa1b1", "#d1495b", "#22313f", "#d9dee2"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": PALE,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}
SHOWN = 8


def draw(
    path: str,
    title: str,
    history: Mapping[str, Sequence[float]],
    images: np.ndarray,
    targets: np.ndarray,
    logits: np.ndarray,
) -> None:
    """Write the figure: loss, accuracy, and some of the misclassified digits."""
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=(10, 6.4), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=(2.6, 1.3), hspace=0.04)
        left, right = upper.subplots(1, 2)
        curves(left, "Loss", history["train_loss"], history["test_loss"])
        left.set_yscale("log")
        curves(right, "Accuracy", history["train_accuracy"], history["test_accuracy"])
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        right.annotate(
            f"{history['test_accuracy'][-1]:.1%} on test digits",
            (len(history["test_accuracy"]), history["test_accuracy"][-1]),
            (-4, -28),
            textcoords="offset points",
            ha="right",
            color=TEST,
            weight="bold",
        )
        left.legend(frameon=False)
        mistakes(lower, images, targets.argmax(-1), logits)
        figure.suptitle(f"Handwritten digits: {title}", x=0.01, ha="left", size=13, weight="bold")
        figure.savefig(path, dpi=150, facecolor="white")
        plt.close(figure)


def curves(axes: Axes, title: str, train: Sequence[float], test: Sequence[float]) -> None:
    """Draw one quantity, in training and on the test digits, against the epochs."""
    epochs = np.arange(1, len(train) + 1)
    axes.plot(epochs, train, color=TRAIN, lw=2, label="training")
    axes.plot(epochs, test, color=TEST, lw=2, label="test")
    axes.set(title=title, xlabel="epoch", xlim=(1, max(len(train), 2)))


def mistakes(
    figure: mpl.figure.SubFigure, images: np.ndarray, labels: np.ndarray, logits: np.ndarray
) -> None:
    """Draw the digits on which the classifier errs, the surest errors first."""
    guesses = logits.argmax(-1)
    wrong = np.flatnonzero(guesses != labels)
    margin = logits.max(-1) - logits[np.arange(len(labels)), labels]
    wrong = wrong[np.argsort(-margin[wrong])]
    figure.suptitle(
        f"{len(wrong)} of {len(labels)} test digits are misread"
        + (f"; the {SHOWN} surest mistakes" if len(wrong) > SHOWN else ""),
        x=0.01,
        ha="left",
        size=11,
        weight="bold",
    )
    panels = figure.subplots(1, SHOWN)
    for axes in panels:
        axes.set_axis_off()
    for axes, row in zip(panels, wrong, strict=False):
        axes.imshow(images[row].reshape(8, 8), cmap="gray_r", interpolation="nearest")
        axes.set_title(f"{labels[row]} read as {guesses[row]}", loc="center", weight="normal")
