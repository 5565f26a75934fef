"""Write the table of what works on which library, by trying it on those that are installed.

python docs/_generate_support_table.py            # rewrite the table where it stands
python docs/_generate_support_table.py --check    # return 1 if it would change
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from array_api_compat import array_namespace

import arraygrad as ag
from arraygrad.errors import ArraygradError
from arraygrad.libraries import library_of

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "reference" / "support.md")
BEGIN, END = "<!-- support table: begin -->", "<!-- support table: end -->"

LIBRARIES = {
    "NumPy": "numpy",
    "array-api-strict": "array_api_strict",
    "PyTorch": "torch",
    "JAX": "jax.numpy",
}
TOLERANCE = 1e-5  # the libraries' default floating dtypes differ


# --- the functions that are differentiated ----------------------------------------------------


def half_square(x: Any) -> Any:
    """Return Σ x² / 2, whose gradient is x."""
    xp = array_namespace(x)
    return xp.sum(x * x) / 2


def half_square_of_tree(tree: Any) -> Any:
    """Return half the squares of the leaves `a` and `b`."""
    return half_square(tree["a"]) + half_square(tree["b"])


def modulus(z: Any) -> Any:
    """Return Σ |z|², whose gradient is 2z."""
    xp = array_namespace(z)
    return xp.sum(xp.real(z * xp.conj(z)))


def chosen(x: Any, rows: Any) -> Any:
    """Return half the squares of some elements, repeated ones counted again."""
    xp = array_namespace(x)
    return half_square(xp.take(x, rows))


# --- one smoke case for each: what it gives, and what it should give -----------------------------


def trees(xp: Any) -> Any:
    """Differentiate a dict that holds a Container, and take a step."""
    weights = {"a": xp.asarray([3.0]), "b": ag.Container(c=xp.asarray(2.0))}
    gradient = ag.grad(lambda w: half_square(w["a"]) + half_square(w["b"].c))(weights)
    new = ag.gradient_descent_update(weights, gradient, 0.5)
    return new["a"][0], new["b"].c


def written_out(xp: Any) -> Any:
    """Write new weights into the memory of the old ones."""
    w = xp.asarray([3.0, 2.0])
    ag.gradient_descent_update(w, w, 0.5, out=w)
    return w


def products(xp: Any) -> Any:
    """Pull a cotangent back."""
    y, pullback = ag.vjp(lambda x: x * x, xp.asarray([3.0, 2.0]))
    return y, pullback(xp.asarray([1.0, 10.0]))[0]


def execute(xp: Any) -> Any:
    """Evaluate a function of a tree and its gradients."""
    tree = ag.Container(a=xp.asarray(3.0), b=xp.asarray(2.0))
    value, gradients = ag.execute_with_gradients(half_square_of_tree, tree)
    return value, gradients.a, gradients.b


def own_gradient(xp: Any) -> Any:
    """Differentiate a function that says its gradient is 3."""
    tripled = ag.custom_gradient(lambda x: (x * 1.0, lambda g: (3 * g,)))
    return ag.grad(lambda x: half_square(tripled(x)))(xp.asarray(PAIR))


def with_moments(update: Callable[..., Any]) -> Callable[[Any], Any]:
    """Take the first step of an optimizer with moments: the direction is ±1."""

    def step(xp: Any) -> Any:
        w, zeros = xp.asarray([3.0, 4.0]), xp.zeros(2)
        return update(w, xp.asarray([0.5, -2.0]), 0.1, zeros, zeros, 1)[0]

    return step


def audited(xp: Any) -> Any:
    """Audit a gradient, and find nothing wrong."""
    report = ag.audit(half_square, xp.asarray([3.0, 2.0]), quiet=True)
    return xp.asarray(float(report.ok))


def debugged(xp: Any) -> Any:
    """Watch a gradient of the tape."""
    with ag.debug_nonfinite():
        return ag.grad(half_square, autodiff="tape")(xp.asarray([3.0, 2.0]))


def optimized(make: Callable[[], Any], *, donate: bool = False) -> Callable[[Any], Any]:
    """Take the first step of an optimizer of Adam's kind: the direction is ±1."""

    def step(xp: Any) -> Any:
        params, optimizer = {"w": xp.asarray([3.0, 4.0])}, make()
        state = optimizer.init(params)
        gradients = {"w": xp.asarray([0.5, -2.0])}
        return optimizer.step(params, gradients, state, donate=donate)[0]["w"]

    return step


def learned_rate(xp: Any) -> Any:
    """Differentiate the loss after a step by the learning rate."""

    def loss(rate: Any) -> Any:
        optimizer, w = ag.optimizers.sgd(rate), xp.asarray(PAIR)
        return half_square(optimizer.step(w, w, optimizer.init(w))[0])

    return ag.grad(loss)(xp.asarray(0.5))


def saved(xp: Any) -> Any:
    """Write an array to disk, and read it again."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.npz"
        ag.state.save_state(file, {"w": xp.asarray(PAIR)})
        return ag.state.load_state(file, like={"w": xp.zeros(2)})["w"]


def clipped() -> Any:
    """Return Adam of clipped gradients."""
    clip = ag.transformations.clip_by_global_norm(1.0)
    return ag.transformations.chain(clip, ag.optimizers.adam(0.1))


PAIR = [3.0, 2.0]
CASES: dict[str, tuple[Callable[[Any], Any], list[complex]]] = {
    "`grad`": (lambda xp: ag.grad(half_square)(xp.asarray(PAIR)), [3, 2]),
    "`value_and_grad`": (lambda xp: ag.value_and_grad(half_square)(xp.asarray(PAIR)), [6.5, 3, 2]),
    "`vjp`": (products, [9, 4, 6, 40]),
    "`jvp`": (
        lambda xp: ag.jvp(half_square, (xp.asarray(PAIR),), (xp.asarray([1.0, 10.0]),)),
        [6.5, 23],
    ),
    "`hvp`": (
        lambda xp: ag.hvp(half_square, (xp.asarray(PAIR),), (xp.asarray([1.0, 10.0]),)),
        [1, 10],
    ),
    "`jac`": (lambda xp: ag.jac(lambda x: x * x)(xp.asarray(PAIR)), [6, 0, 0, 4]),
    "`hessian`": (lambda xp: ag.hessian(half_square)(xp.asarray(PAIR)), [1, 0, 0, 1]),
    "`elementwise_grad`": (
        lambda xp: ag.elementwise_grad(lambda x: x * x)(xp.asarray(PAIR)),
        [6, 4],
    ),
    "`custom_gradient`": (own_gradient, [9, 6]),
    "`checkpoint`": (
        lambda xp: ag.grad(ag.checkpoint(half_square))(xp.asarray(PAIR)),
        [3, 2],
    ),
    "`from_torch`": (
        lambda xp: ag.grad(ag.from_torch(lambda x: (x * x).sum() / 2))(xp.asarray(PAIR)),
        [3, 2],
    ),
    "`from_jax`": (
        lambda xp: ag.grad(ag.from_jax(lambda x: (x * x).sum() / 2))(
            xp.asarray(PAIR, dtype=xp.float32)  # jax has no other without its x64
        ),
        [3, 2],
    ),
    "`execute_with_gradients`": (execute, [6.5, 3, 2]),
    "`stop_gradient`": (
        lambda xp: ag.grad(lambda x: x * ag.stop_gradient(x))(xp.asarray(3.0)),
        [3],
    ),
    "`gradient_descent_update`": (
        lambda xp: ag.gradient_descent_update(xp.asarray(PAIR), xp.asarray(PAIR), 0.5),
        [1.5, 1],
    ),
    "`optimizer_update`": (
        lambda xp: ag.optimizer_update(xp.asarray(PAIR), xp.asarray(PAIR), 0.5),
        [1.5, 1],
    ),
    "`lars_update`": (
        lambda xp: ag.lars_update(xp.asarray([3.0, 4.0]), xp.asarray([0.6, 0.8]), 0.5),
        [1.5, 2],
    ),
    "`adam_step`": (
        lambda xp: ag.adam_step(xp.asarray([0.5, -2.0]), xp.zeros(2), xp.zeros(2), 1)[1],
        [0.05, -0.2],
    ),
    "`adam_update`": (with_moments(ag.adam_update), [2.9, 4.1]),
    "`lamb_update`": (with_moments(ag.lamb_update), [3 - 0.5 / 2**0.5, 4 + 0.5 / 2**0.5]),
    "`optimizers`": (optimized(lambda: ag.optimizers.adam(0.1)), [2.9, 4.1]),
    "`step(..., donate=True)`": (
        optimized(lambda: ag.optimizers.adam(0.1), donate=True),
        [2.9, 4.1],
    ),
    "`transformations.chain`": (optimized(clipped), [2.9, 4.1]),
    "`schedules`": (
        optimized(lambda: ag.optimizers.adam(ag.schedules.linear(0.1, 0.0, 10))),
        [2.9, 4.1],
    ),
    "`grad` of an optimizer's step": (learned_rate, [-6.5]),
    "`save_state`, `load_state`": (saved, [3, 2]),
    "`audit`": (audited, [1]),
    "`debug_nonfinite`": (debugged, [3, 2]),
    "`Container` and other trees": (trees, [1.5, 1]),
    "`out=`": (written_out, [1.5, 1]),
    "`grad` of `grad`": (
        lambda xp: ag.grad(ag.grad(lambda x: x * x * x))(xp.asarray(2.0)),
        [12],
    ),
    "complex arrays": (lambda xp: ag.grad(modulus)(xp.asarray([1 + 2j])), [2 + 4j]),
    "repeated integer indices": (
        lambda xp: ag.grad(chosen)(xp.asarray(PAIR), xp.asarray([0, 0, 1])),
        [6, 2],
    ),
    '`autodiff="tape"`': (
        lambda xp: ag.grad(half_square, autodiff="tape")(xp.asarray(PAIR)),
        [3, 2],
    ),
}


# --- trying ---------------------------------------------------------------------------------------


def numbers(result: Any) -> list[complex]:
    """Return all numbers of an array, or of a tuple of arrays."""
    if isinstance(result, tuple):
        return [number for part in result for number in numbers(part)]
    if result.ndim:
        return [number for i in range(result.shape[0]) for number in numbers(result[i, ...])]
    return [complex(result)]


def cell(run: Callable[[Any], Any], expected: list[complex], xp: Any) -> str:
    """Return a check mark, or the error of ours that a case raises; a wrong number is a bug."""
    try:
        found = numbers(run(xp))
    except ArraygradError as error:
        return f"`{type(error).__name__}`"
    pairs = zip(found, expected, strict=True)
    assert all(abs(x - y) <= TOLERANCE for x, y in pairs), (run, xp, found, expected)
    return "✓"


def table() -> str:
    """Return the table in Markdown."""
    spaces = [importlib.import_module(module) for module in LIBRARIES.values()]
    autodiffs = [library_of(array_namespace(xp.asarray(0.0))).autodiff for xp in spaces]
    rows = [
        ["", *LIBRARIES],
        ["---", *[":---:"] * len(spaces)],
        ["differentiated by", *(f"`{name}`" for name in autodiffs)],
        *([name, *(cell(*case, xp) for xp in spaces)] for name, case in CASES.items()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def with_table(page: str, table: str) -> str:
    """Return a page with the table between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main() -> int:
    """Rewrite the pages, or check that there is nothing to rewrite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made, stale = table(), False
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        if (new := with_table(page, made)) != page:
            stale = True
            print(f"{path.relative_to(ROOT)}: the table is out of date")
            if not options.check:
                path.write_text(new, encoding="utf-8")
    return int(stale and options.check)


if __name__ == "__main__":
    sys.exit(main())
