"""Draw how the training of the digits went, and which digits it still gets wrong."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl

mpl.use("Agg")  # writes files, needs no screen

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import SubFigure
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
    StrMethodFormatter,
)

__all__ = ["draw"]

TRAIN, TEST, INK, PALE = "#8aa1b1", "#d1495b", "#22313f", "#d9dee2"
PAPER = LinearSegmentedColormap.from_list("paper", ["#f1f3f5", INK])
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
        figure = plt.figure(figsize=(10, 6.6), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=(2.5, 1.2))
        left, right = upper.subplots(1, 2, gridspec_kw={"wspace": 0.06})
        draw_loss(left, history["train_loss"], history["test_loss"])
        draw_accuracy(right, history["train_accuracy"], history["test_accuracy"])
        draw_mistakes(lower, images, targets.argmax(-1), logits)
        heading(upper, f"Handwritten digits: {title}", size=14)
        figure.savefig(path, dpi=150, facecolor="white", bbox_inches="tight", pad_inches=0.2)
        plt.close(figure)


def heading(figure: SubFigure, text: str, size: float) -> None:
    """Write a heading at the left edge."""
    figure.suptitle(text, x=0.012, ha="left", size=size, weight="bold")


def draw_curves(axes: Axes, title: str, train: Sequence[float], test: Sequence[float]) -> None:
    """Draw one quantity against the epochs, in training and on the test digits."""
    epochs = np.arange(1, len(train) + 1)
    axes.plot(epochs, train, color=TRAIN, lw=2, label="training, blurred by noise")
    axes.plot(epochs, test, color=TEST, lw=2, label="test")
    axes.set(title=title, xlabel="epoch", xlim=(1, max(len(train), 2)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def draw_loss(axes: Axes, train: Sequence[float], test: Sequence[float]) -> None:
    """Draw the cross-entropy, on a logarithmic axis."""
    draw_curves(axes, "Cross-entropy", train, test)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(frameon=False)


def draw_accuracy(axes: Axes, train: Sequence[float], test: Sequence[float]) -> None:
    """Draw the accuracy, and say what it came to."""
    draw_curves(axes, "Accuracy", train, test)
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.annotate(
        f"{test[-1]:.1%} of the test digits",
        (len(test), test[-1]),
        (-4, -30),
        textcoords="offset points",
        ha="right",
        color=TEST,
        weight="bold",
    )


def draw_mistakes(
    figure: SubFigure, images: np.ndarray, labels: np.ndarray, logits: np.ndarray
) -> None:
    """Draw the digits on which the classifier errs, the surest errors first."""
    guesses = logits.argmax(-1)
    wrong = np.flatnonzero(guesses != labels)
    margin = logits.max(-1) - logits[np.arange(len(labels)), labels]
    wrong = wrong[np.argsort(-margin[wrong])]
    which = f"; these are the {SHOWN} surest mistakes" if len(wrong) > SHOWN else ""
    heading(figure, f"{len(wrong)} of {len(labels)} test digits are misread{which}", size=11)
    for axes in (panels := figure.subplots(1, SHOWN)):
        axes.set_axis_off()
    for axes, row in zip(panels, wrong, strict=False):
        axes.imshow(images[row].reshape(8, 8), cmap=PAPER, interpolation="nearest")
        axes.set_title(f"{labels[row]} read as {guesses[row]}", loc="center", weight="normal")
