"""Stop a training, and go on from a file: not one bit of the result is different.

The network of `train_digits.py` is trained three times: in one go; until it is stopped, halfway;
and from there on, with nothing but the file. Parameters and the optimizer's state go into one file,
by name; the order in which the digits come is drawn anew for each epoch, from its number.

    python docs/examples/resume_from_checkpoint.py
    python docs/examples/resume_from_checkpoint.py --library jax --file run.npz
"""

import argparse
import os
import tempfile
from typing import Any

import numpy as np
from libraries import LIBRARIES, load, to_numpy
from tqdm import tqdm
from train_digits import Digits, accuracy, batches, initialise, load_data, objective

import arraygrad as ag
from arraygrad.optimizers import adam
from arraygrad.state import load_state, save_state


class Training:
    """A network, its optimizer, and all that one needs to go on with them."""

    def __init__(self, options: argparse.Namespace) -> None:
        xp, library = load(options.library)
        dtype = getattr(xp, options.dtype)
        self.options = options
        self.digits, self.test_digits = load_data(xp, dtype)
        self.optimizer = adam(options.rate)
        self.parameters: Any = initialise(np.random.default_rng(options.seed), xp, dtype)
        self.state: Any = self.optimizer.init(self.parameters)
        self.epoch = 0
        self._step = library.compile(self._one_step)

    @property
    def everything(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"parameters": self.parameters, "state": self.state, "epoch": self.epoch}

    def save(self, file: str) -> None:
        """Write a checkpoint: the old file is there until the new one is whole."""
        save_state(file, self.everything)

    def resume(self, file: str) -> None:
        """Take everything from a checkpoint; this training says library, dtype and device."""
        found = load_state(file, like=self.everything)
        self.parameters, self.state, self.epoch = (
            found[name] for name in ("parameters", "state", "epoch")
        )

    def _one_step(self, parameters: Any, state: Any, digits: Digits) -> Any:
        (loss, _), gradients = ag.value_and_grad(objective, has_aux=True)(parameters, digits)
        return loss, *self.optimizer.step(parameters, gradients, state)

    def run(self, until: int, title: str) -> None:
        """Train until an epoch."""
        epochs = range(self.epoch, until)
        for epoch in tqdm(epochs, desc=title, unit="epoch", disable=self.options.quiet):
            order = np.random.default_rng([self.options.seed, epoch])
            for batch in batches(order, self.digits, 32):
                _, self.parameters, self.state = self._step(self.parameters, self.state, batch)
            self.epoch = epoch + 1

    def result(self) -> tuple[float, float]:
        """Return loss and accuracy on the test digits."""
        loss, logits = objective(self.parameters, self.test_digits)
        return float(loss), accuracy(logits, self.test_digits.targets)


def difference(one: Training, other: Training) -> float:
    """Return the largest difference of two networks' weights."""
    pairs = [
        (layer[name], other.parameters[key][name])
        for key, layer in one.parameters.items()
        for name in layer
    ]
    return max(float(np.max(np.abs(to_numpy(a) - to_numpy(b)))) for a, b in pairs)


def main() -> None:
    """Train in one go, then with a stop, and compare."""
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or os.path.join(folder, "digits.safetensors")
        whole = Training(options)
        whole.run(options.epochs, "in one go")

        stopped = Training(options)
        stopped.run(options.epochs // 2, "until stopped")
        stopped.save(file)
        size = os.path.getsize(file)
        del stopped

        resumed = Training(options)
        resumed.resume(file)
        resumed.run(options.epochs, "from the file")
        names = list(load_state(file))
    print(f"  the file: {size:,} bytes, {len(names)} leaves, from {names[0]} to {names[-1]}")
    for title, training in (("in one go", whole), ("resumed", resumed)):
        print("  {:<10} test loss {:.6f}, accuracy {:.2%}".format(title, *training.result()))
    print(f"  largest difference of a weight: {difference(whole, resumed)}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", choices=LIBRARIES, default="numpy")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", metavar="NPZ|SAFETENSORS", help="keep the checkpoint here")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
