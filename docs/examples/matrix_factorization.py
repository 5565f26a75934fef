"""Fill in what is hidden of a matrix: 1,797 images of digits, of which most pixels are covered.

The matrix of all images, (1797, 64), is close to a product of two narrow ones. They are fitted to
the pixels that can be seen: a mask in the loss is all that it takes. Then the product says what is
under the covered ones.

    python docs/examples/matrix_factorization.py
    python docs/examples/matrix_factorization.py --library torch --rank 8 --seen 0.5
"""

import argparse
import time
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from libraries import LIBRARIES, load
from sklearn.datasets import load_digits
from tqdm import trange

import arraygrad as ag
from arraygrad.optimizers import adam

SHADES = " .:-=+*#%@"


class Pixels(NamedTuple):
    """Shades (n, 64) in [0, 1], and a mask of the same shape: 1 where a pixel is seen, else 0."""

    shades: Any
    seen: Any


def load_data(xp: Any, dtype: Any, rng: np.random.Generator, seen: float) -> Pixels:
    """Return the images, and the mask of a random part of the pixels."""
    shades = load_digits().data / 16
    mask = rng.random(shades.shape) < seen
    return Pixels(xp.asarray(shades, dtype=dtype), xp.asarray(mask, dtype=dtype))


def initialise(xp: Any, dtype: Any, rng: np.random.Generator, pixels: Pixels, rank: int) -> Any:
    """Draw small factors; the offset is the mean of what is seen of each pixel."""
    n, m = pixels.shades.shape
    left, right = rng.normal(0, 0.1, (n, rank)), rng.normal(0, 0.1, (m, rank))
    return ag.Container(
        left=xp.asarray(left, dtype=dtype),
        right=xp.asarray(right, dtype=dtype),
        offset=seen_mean(pixels),
    )


def seen_mean(pixels: Pixels) -> Any:
    """Return the mean of what is seen of each pixel, (64,)."""
    xp = array_namespace(pixels.shades)
    return xp.sum(pixels.seen * pixels.shades, axis=0) / (1 + xp.sum(pixels.seen, axis=0))


def product(factors: ag.Container) -> Any:
    """Return the matrix that the factors stand for."""
    return factors.left @ factors.right.T + factors.offset


def loss(factors: ag.Container, pixels: Pixels, decay: float) -> Any:
    """Return the squared error at the pixels that are seen, for each image, and the penalty."""
    xp = array_namespace(pixels.shades)
    error = pixels.seen * (product(factors) - pixels.shades)
    penalty = xp.sum(factors.left**2) + xp.sum(factors.right**2)
    return (xp.sum(error**2) + decay * penalty) / pixels.shades.shape[0]


def error(matrix: Any, pixels: Pixels, where: Any) -> float:
    """Return the root of the mean squared error at some of the pixels."""
    xp = array_namespace(matrix)
    return float(xp.sum(where * (matrix - pixels.shades) ** 2) / xp.sum(where)) ** 0.5


def fit(options: argparse.Namespace, xp: Any, library: Any) -> tuple[Pixels, ag.Container]:
    """Return the pixels and the factors."""
    dtype, rng = getattr(xp, options.dtype), np.random.default_rng(options.seed)
    pixels = load_data(xp, dtype, rng, options.seen)
    factors = initialise(xp, dtype, rng, pixels, options.rank)
    optimizer = adam(options.rate)
    state = optimizer.init(factors)
    differentiate = ag.value_and_grad(loss)

    @library.compile
    def step(factors: Any, state: Any) -> Any:
        value, gradients = differentiate(factors, pixels, options.decay)
        return value, *optimizer.step(factors, gradients, state)

    bar = trange(options.steps, desc="fitting", unit="step", disable=options.quiet)
    for n in bar:
        value, factors, state = step(factors, state)
        if n % 20 == 0:
            bar.set_postfix(loss=f"{float(value):.4f}", refresh=False)
    return pixels, factors


def picture(shades: Any) -> list[str]:
    """Draw an image of 8 x 8 shades with letters."""
    rows = [[float(shades[8 * i + j]) for j in range(8)] for i in range(8)]
    last = len(SHADES) - 1
    return ["".join(2 * SHADES[round(last * min(max(x, 0), 1))] for x in row) for row in rows]


def show(pixels: Pixels, filled: Any, number: int) -> str:
    """Draw an image as it is, as it is seen, and as it was filled in, side by side."""
    images = pixels.shades[number, :], (pixels.shades * pixels.seen)[number, :], filled[number, :]
    lines = zip(*map(picture, images), strict=True)
    titles = "  ".join(f"{title:<16}" for title in ("the image", "what was seen", "filled in"))
    return "\n".join(["  " + titles, *("  " + "  ".join(line) for line in lines)])


def main() -> None:
    """Fit, print the errors, draw one image."""
    options = parse_arguments()
    xp, library = load(options.library)
    start = time.perf_counter()
    pixels, factors = fit(options, xp, library)
    seconds = time.perf_counter() - start
    hidden = 1 - pixels.seen
    filled = pixels.seen * pixels.shades + hidden * product(factors)
    print(show(pixels, filled, options.show))
    print(f"  {options.steps} steps on {options.library} in {seconds:.1f} s")
    mean = seen_mean(pixels) * xp.ones_like(pixels.shades)
    print("  root of the mean squared error")
    print(f"    of the product, where seen:    {error(product(factors), pixels, pixels.seen):.4f}")
    print(f"    of the product, where covered: {error(product(factors), pixels, hidden):.4f}")
    print(f"    of each pixel's mean, there:   {error(mean, pixels, hidden):.4f}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", choices=LIBRARIES, default="numpy")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    parser.add_argument("--rank", type=int, default=10, help="columns of each factor")
    parser.add_argument("--seen", type=float, default=0.4, help="the part of pixels that is seen")
    parser.add_argument("--decay", type=float, default=2.0, help="how much large factors cost")
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--show", type=int, default=5, metavar="NUMBER", help="the image to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
