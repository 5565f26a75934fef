"""Write the tables of who differentiates other people's code, by running it through all four.

SCIPY_ARRAY_API=1 python -m docs._generate_third_party    # takes minutes; torch, jax, autograd
"""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance_tests.third_party.calls import (
    Call,
    difference,
    directions,
    gradient,
    scalar,
    settings,
)
from conformance_tests.third_party.other_calls import OTHERS
from conformance_tests.third_party.scipy_calls import SCIPY
from conformance_tests.third_party.sklearn_calls import SKLEARN

PAGE = Path(__file__).parent / "explanation" / "third-party.md"
CALLS = {**SCIPY, **SKLEARN, **OTHERS}
BEST = {
    "`scipy.special.logsumexp`": "special.logsumexp",
    "`scipy.special.betainc`": "special.betainc",
    "`scipy.stats.pearsonr(x, y).pvalue`": "stats.pearsonr.pvalue",
    "`scipy.stats.kurtosistest(x).pvalue`": "stats.kurtosistest.pvalue",
    "`scipy.integrate.tanhsinh`, by its bounds": "integrate.tanhsinh",
    "`scipy.optimize.elementwise.find_root`": "optimize.elementwise.find_root",
    "`scipy.differentiate.jacobian`": "differentiate.jacobian",
    "`scipy.signal.hilbert`": "signal.hilbert",
    "`scipy.spatial.transform.Rotation`": "Rotation.as_euler",
    "`sklearn` `StandardScaler` + `PCA`": "pipeline.make_pipeline",
    "`sklearn` `GaussianMixture`": "mixture.GaussianMixture(full)",
    "`array_api_extra.apply_where`": "array_api_extra.apply_where",
    "`xarray.DataArray.mean`": "xarray.mean",
}


# --- four ways to a gradient ----------------------------------------------------------------------


def by_torch(call: Call) -> list[Any]:
    """Differentiate on torch's tensors."""
    import torch

    xs = [
        torch.asarray(x.copy()).requires_grad_(n in call.argnums) for n, x in enumerate(call.args)
    ]
    scalar(call.f)(*xs).backward()
    return [np.asarray(xs[n].grad) for n in call.argnums]


def by_jax(call: Call) -> list[Any]:
    """Differentiate on jax's arrays."""
    import jax

    jax.config.update("jax_enable_x64", True)
    xs = [jax.numpy.asarray(x) for x in call.args]
    return [np.asarray(g) for g in jax.grad(scalar(call.f), argnums=call.argnums)(*xs)]


def by_autograd(call: Call) -> list[Any]:
    """Differentiate on NumPy's arrays with HIPS autograd, whose own functions weigh and sum."""
    import autograd
    import autograd.numpy as anp

    def total(*xs: Any) -> Any:
        y = anp.reshape(call.f(*xs), (-1,))
        return anp.sum(y * np.cos(np.arange(y.shape[0]) + 0.5))

    return list(autograd.grad(total, call.argnums)(*call.args))


def by_arraygrad(call: Call) -> list[Any]:
    """Differentiate on NumPy's arrays."""
    return list(gradient(call))


WAYS: dict[str, Callable[[Call], list[Any]]] = {
    "arraygrad, on NumPy": by_arraygrad,
    "torch": by_torch,
    "jax": by_jax,
    "autograd": by_autograd,
}


def verdict(way: Callable[[Call], list[Any]], call: Call) -> str:
    """Return a check mark, or what happens instead: an error, or a number that is wrong."""
    try:
        with settings(), np.errstate(all="ignore"):
            found = way(call)
    except Exception as error:  # of any kind: it is what the table says
        return f"`{type(error).__name__}`"
    along = directions(call)
    slope = sum(float(np.sum(g * along[n])) for n, g in zip(call.argnums, found, strict=True))
    return "✓" if np.isclose(slope, difference(call), rtol=1e-5, atol=1e-6) else "wrong"


# --- the page -------------------------------------------------------------------------------------


def table(verdicts: dict[str, list[str]]) -> str:
    """Return the dozen, and the counts of all calls."""
    rows = [["", *WAYS], ["---", *[":---:"] * len(WAYS)]]
    rows += [[title, *verdicts[name]] for title, name in BEST.items()]
    counts = [sum(v == "✓" for v in column) for column in zip(*verdicts.values(), strict=True)]
    rows.append([f"of all {len(verdicts)} calls", *map(str, counts)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Run all calls through all four, and rewrite the page."""
    if os.environ.get("SCIPY_ARRAY_API") != "1":
        sys.exit("set SCIPY_ARRAY_API=1: else SciPy and scikit-learn take NumPy's arrays only")
    warnings.simplefilter("ignore")
    verdicts = {name: [verdict(w, call) for w in WAYS.values()] for name, call in CALLS.items()}
    for name, found in verdicts.items():
        print(name, *found)
    begin, end = "<!-- table: begin -->", "<!-- table: end -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n{table(verdicts)}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
