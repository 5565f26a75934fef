"""Train a small transformer on a short text, letter by letter, and let it write.

One block of causal attention and a two-layer network, with a normalization before each, on the text
of Lincoln's address at Gettysburg. It is written in the array standard alone, so it runs on every
library.

    python docs/examples/tiny_transformer.py
    python docs/examples/tiny_transformer.py --library jax --steps 2000 --width 64
"""

import argparse
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from libraries import LIBRARIES, load, to_numpy
from tqdm import trange

import arraygrad as ag
from arraygrad.optimizers import adam

TEXT = """\
Four score and seven years ago our fathers brought forth on this continent, a new nation, \
conceived in Liberty, and dedicated to the proposition that all men are created equal.

Now we are engaged in a great civil war, testing whether that nation, or any nation so \
conceived and so dedicated, can long endure. We are met on a great battle-field of that war. We \
have come to dedicate a portion of that field, as a final resting place for those who here gave \
their lives that that nation might live. It is altogether fitting and proper that we should do \
this.

But, in a larger sense, we can not dedicate -- we can not consecrate -- we can not hallow -- \
this ground. The brave men, living and dead, who struggled here, have consecrated it, far above \
our poor power to add or detract. The world will little note, nor long remember what we say \
here, but it can never forget what they did here. It is for us the living, rather, to be \
dedicated here to the unfinished work which they who fought here have thus far so nobly \
advanced. It is rather for us to be here dedicated to the great task remaining before us -- \
that from these honored dead we take increased devotion to that cause for which they gave the \
last full measure of devotion -- that we here highly resolve that these dead shall not have \
died in vain -- that this nation, under God, shall have a new birth of freedom -- and that \
government of the people, by the people, for the people, shall not perish from the earth.
"""
LETTERS = sorted(set(TEXT))


# --- the data ---------------------------------------------------------------------------------


class Batch(NamedTuple):
    """Letters by their numbers (n, length); those that follow as one-hot rows (n, length, k)."""

    letters: Any
    targets: Any


def encode(text: str) -> np.ndarray:
    """Return the numbers of letters."""
    return np.asarray([LETTERS.index(letter) for letter in text])


ENCODED = encode(TEXT)


def draw(rng: np.random.Generator, xp: Any, dtype: Any, size: int, length: int) -> Batch:
    """Cut random pieces out of the text; NumPy draws, so that every library gets the same."""
    starts = rng.integers(0, len(TEXT) - length, size)
    pieces = ENCODED[starts[:, None] + np.arange(length + 1)]
    targets = np.eye(len(LETTERS))[pieces[:, 1:]]
    return Batch(xp.asarray(pieces[:, :-1]), xp.asarray(targets, dtype=dtype))


# --- the model --------------------------------------------------------------------------------


def initialise(rng: np.random.Generator, xp: Any, dtype: Any, width: int, length: int) -> Any:
    """Draw the weights of the model."""

    def weight(*shape: int, scale: float | None = None) -> Any:
        scale = 1 / math.sqrt(shape[0]) if scale is None else scale
        return xp.asarray(rng.normal(0, scale, shape), dtype=dtype)

    def normalization() -> ag.Container:
        return ag.Container(scale=xp.ones(width, dtype=dtype), shift=xp.zeros(width, dtype=dtype))

    return ag.Container(
        letters=weight(len(LETTERS), width, scale=0.3),
        places=weight(length, width, scale=0.3),
        attention=ag.Container(
            before=normalization(),
            queries=weight(width, width),
            keys_=weight(width, width),
            values_=weight(width, width),
            output=weight(width, width),
        ),
        network=ag.Container(
            before=normalization(),
            hidden=weight(width, 4 * width),
            bias=xp.zeros(4 * width, dtype=dtype),
            output=weight(4 * width, width),
        ),
        after=normalization(),
        logits=weight(width, len(LETTERS)),
    )


def normalize(parameters: ag.Container, x: Any) -> Any:
    """Bring each vector to mean 0 and variance 1, then scale and shift."""
    xp = array_namespace(x)
    x = x - xp.mean(x, axis=-1, keepdims=True)
    x = x / xp.sqrt(xp.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    return x * parameters.scale + parameters.shift


def log_softmax(x: Any) -> Any:
    """Return log(exp(x) / Σ exp(x)) along the last axis; no exponential can overflow."""
    xp = array_namespace(x)
    x = x - ag.stop_gradient(xp.max(x, axis=-1, keepdims=True))
    return x - xp.log(xp.sum(xp.exp(x), axis=-1, keepdims=True))


def attend(parameters: ag.Container, x: Any, heads: int) -> Any:
    """Mix each place with those before it: (n, length, width) to the same."""
    xp = array_namespace(x)
    n, length, width = x.shape

    def split(weight: Any) -> Any:
        parts = xp.reshape(x @ weight, (n, length, heads, width // heads))
        return xp.permute_dims(parts, (0, 2, 1, 3))

    q, k, v = map(split, (parameters.queries, parameters.keys_, parameters.values_))
    scores = q @ xp.matrix_transpose(k) / math.sqrt(width // heads)
    past = xp.tril(xp.ones((length, length), dtype=x.dtype))
    weights = xp.exp(log_softmax(scores - 1e9 * (1 - past)))
    mixed = xp.permute_dims(weights @ v, (0, 2, 1, 3))
    return xp.reshape(mixed, (n, length, width)) @ parameters.output


def predict(parameters: ag.Container, letters: Any, heads: int) -> Any:
    """Return the logits of the next letter at each place, (n, length, k)."""
    xp = array_namespace(parameters.letters)
    n, length = letters.shape
    x = xp.take(parameters.letters, xp.reshape(letters, (-1,)), axis=0)
    x = xp.reshape(x, (n, length, x.shape[-1])) + parameters.places[:length, :]
    x = x + attend(parameters.attention, normalize(parameters.attention.before, x), heads)
    hidden = normalize(parameters.network.before, x) @ parameters.network.hidden
    hidden = xp.maximum(hidden + parameters.network.bias, xp.zeros_like(hidden))
    x = x + hidden @ parameters.network.output
    return normalize(parameters.after, x) @ parameters.logits


def make_loss(heads: int) -> Callable[[ag.Container, Batch], Any]:
    """Return the mean of -log of the probability of the letter that follows."""

    def loss(parameters: ag.Container, batch: Batch) -> Any:
        xp = array_namespace(batch.targets)
        found = log_softmax(predict(parameters, batch.letters, heads))
        return -xp.mean(xp.sum(batch.targets * found, axis=-1))

    return loss


# --- training ---------------------------------------------------------------------------------


def train(options: argparse.Namespace, xp: Any, library: Any) -> tuple[ag.Container, list[float]]:
    """Return the parameters, and the loss of every step."""
    dtype, rng = getattr(xp, options.dtype), np.random.default_rng(options.seed)
    parameters = initialise(rng, xp, dtype, options.width, options.length)
    optimizer = adam(lambda count: options.rate * (1 - count / options.steps), beta2=0.99)
    state = optimizer.init(parameters)
    differentiate = ag.value_and_grad(make_loss(options.heads))

    @library.compile
    def step(parameters: Any, state: Any, batch: Batch) -> Any:
        value, gradients = differentiate(parameters, batch)
        return value, *optimizer.step(parameters, gradients, state)

    losses: list[float] = []
    bar = trange(options.steps, desc="training", unit="step", disable=options.quiet)
    for _ in bar:
        batch = draw(rng, xp, dtype, options.batch_size, options.length)
        value, parameters, state = step(parameters, state, batch)
        losses.append(float(value))
        bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}", refresh=False)
    return parameters, losses


def write(options: argparse.Namespace, xp: Any, library: Any, parameters: ag.Container) -> str:
    """Go on with a text: always the likeliest letter."""
    text = options.begin
    predict_ = library.compile(lambda letters: predict(parameters, letters, options.heads))
    for _ in range(options.letters):
        seen = text[-options.length :]
        letters = encode(seen.ljust(options.length))  # causal: what follows is not read
        logits = to_numpy(predict_(xp.asarray(letters[None, :])))
        text += LETTERS[int(np.argmax(logits[0, len(seen) - 1]))]
    return text


def main() -> None:
    """Train, print the losses, write a little."""
    options = parse_arguments()
    xp, library = load(options.library)
    start = time.perf_counter()
    parameters, losses = train(options, xp, library)
    seconds = time.perf_counter() - start
    print(f"  {options.steps} steps on {options.library} ({options.dtype}) in {seconds:.1f} s")
    print(f"  loss per letter: {losses[0]:.3f} at first, {np.mean(losses[-20:]):.3f} at last")
    for line in write(options, xp, library, parameters).splitlines():
        print(f"  | {line}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", choices=LIBRARIES, default="numpy")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--rate", type=float, default=0.006, help="at first; it falls to 0")
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--length", type=int, default=24, help="letters that are seen at once")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--begin", default="The world ", help="what it goes on writing from")
    parser.add_argument("--letters", type=int, default=120, help="how many it writes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
