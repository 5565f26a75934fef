"""Derivatives of special functions, under SciPy's names; a library need not have them all.

Most are elementwise, for real operands. Where the derivative by a parameter has no closed form,
as by the degrees of freedom of a distribution, its rule raises: only if that is asked for.
Formulas: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov, chapters 5 to 15.
"""

import math
from collections.abc import Callable
from typing import Any, NoReturn

from arraygrad._typing import Array, Namespace
from arraygrad.errors import NoRuleError
from arraygrad.rules.primitives import constant, unbroadcast

__all__ = ["COMPOSITIONS", "CONSTANT", "DERIVATIVES", "PULLBACKS"]

Rule = Callable[..., Any]

LN2, LN10 = math.log(2), math.log(10)
DEGREE = math.pi / 180
ROOT_PI, ROOT_2PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)


def unknown(function: str, parameter: str) -> Rule:
    """Return the rule of a parameter by which nobody has a closed form."""

    def rule(*_: Any) -> NoReturn:
        message = (
            f"special.{function} has no derivative rule for its parameter `{parameter}`: "
            "there is no closed form; take stop_gradient of that argument"
        )
        raise NoRuleError(message)

    rule.__doc__ = f"Raise: no closed form for `{parameter}`."
    return rule


def quotient(xp: Namespace, above: Array, below: Array, at_zero: float) -> Array:
    """Return above / below, and its limit where `below` is 0."""
    zero = below == 0
    return xp.where(zero, at_zero, above / xp.where(zero, 1.0, below))


def share(xp: Namespace, a: Array, b: Array) -> Array:
    """Return a / b, which is 0 for a = 0 even where b = 0."""
    return a / xp.where(a == 0, 1.0, b)


# --- densities: the derivatives of distribution functions, whose reciprocals are those of inverses


def beta_density(xp: Namespace, a: Array, b: Array, x: Array) -> Array:
    """Return x^(a-1) (1-x)^(b-1) / B(a, b)."""
    sp = xp.special
    return xp.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


def gamma_density(xp: Namespace, a: Array, x: Array) -> Array:
    """Return x^(a-1) e^(-x) / Γ(a)."""
    return xp.exp(xp.special.xlogy(a - 1, x) - x - xp.special.gammaln(a))


def chi2_density(xp: Namespace, v: Array, x: Array) -> Array:
    """Return the density of χ² with `v` degrees of freedom."""
    return gamma_density(xp, v / 2, x / 2) / 2


def t_density(xp: Namespace, v: Array, t: Array) -> Array:
    """Return the density of Student's t with `v` degrees of freedom."""
    log_scale = xp.special.betaln(v / 2, xp.ones_like(v) / 2) + xp.log(v) / 2
    return xp.exp(-(v + 1) / 2 * xp.log1p(t * t / v) - log_scale)


def f_density(xp: Namespace, m: Array, n: Array, x: Array) -> Array:
    """Return the density of F with `m` and `n` degrees of freedom."""
    share = m * x / (m * x + n)  # has a beta distribution
    return beta_density(xp, m / 2, n / 2, share) * share * (1 - share) / x


def poisson_mass(xp: Namespace, k: Array, m: Array) -> Array:
    """Return mᵏ e⁻ᵐ / k!, `k` rounded down."""
    return gamma_density(xp, xp.floor(k) + 1, m)


def binomial_slope(xp: Namespace, k: Array, n: Array, p: Array) -> Array:
    """Return how fast the chance of more than `k` of `n` successes grows with `p`."""
    k = xp.floor(k)
    return beta_density(xp, k + 1, n - k, p)


# --- functions whose formulas cancel at a point -----------------------------------------------------


def exprel_slope(xp: Namespace, y: Array, x: Array) -> Array:
    """Return (eˣ - y) / x, for y = (eˣ - 1) / x; its series near 0."""
    series = xp.zeros_like(x)
    for n in range(7, -1, -1):
        series = series * x + (n + 1) / math.factorial(n + 2)
    near = xp.abs(x) < 0.02
    return xp.where(near, series, (xp.exp(x) - y) / xp.where(near, 1.0, x))


def sinc_slope(xp: Namespace, y: Array, x: Array) -> Array:
    """Return (cos(πx) - y) / x, for y = sin(πx) / (πx); its series near 0."""
    u = (math.pi * x) ** 2
    series = math.pi**2 * x * (u * (u * (u / 45360 - 1 / 840) + 1 / 30) - 1 / 3)
    near = u < 0.02
    return xp.where(near, series, (xp.cos(math.pi * x) - y) / xp.where(near, 1.0, x))


def spence_slope(xp: Namespace, y: Array, x: Array) -> Array:
    """Return log(x) / (1 - x), which is -1 at 1."""
    return quotient(xp, xp.log(x), 1 - x, -1.0)


def boxcox_power(xp: Namespace, log: Array, power: Array) -> Array:
    """Return the derivative of (x^power - 1) / power by the power, from log(x)."""
    u = power * log
    return log * log * exprel_slope(xp, xp.special.exprel(u), u)


def ellipk_slope(xp: Namespace, m: Array) -> Array:
    """Return K'(m) as a hypergeometric function, which does not cancel at 0."""
    return math.pi / 8 * hyp2f1(xp, 1.5, 1.5, 2.0, m)


def hyp2f1(xp: Namespace, a: float, b: float, c: float, x: Array) -> Array:
    """Return ₂F₁ for three numbers."""
    like = xp.ones_like(x)
    return xp.special.hyp2f1(a * like, b * like, c * like, x)


# --- Huber's losses ---------------------------------------------------------------------------------


def inside(xp: Namespace, delta: Array, r: Array) -> Array:
    """Say where the loss is quadratic."""
    return xp.abs(r) <= delta


def pseudo_huber_root(xp: Namespace, delta: Array, r: Array) -> Array:
    """Return √(1 + (r/δ)²)."""
    return xp.hypot(xp.ones_like(r), r / delta)


def pseudo_huber_delta(xp: Namespace, y: Array, delta: Array, r: Array) -> Array:
    """Return (2y - r²/s) / δ, for the root s."""
    return (2 * y - r * r / pseudo_huber_root(xp, delta, r)) / delta


# fmt: off
DERIVATIVES: dict[str, tuple[Rule | None, ...]] = {
    # the exponential and the logarithm, precise where they would cancel
    "special.cosm1":        (lambda xp, y, x: -xp.sin(x),),
    "special.exp10":        (lambda xp, y, x: LN10 * y,),
    "special.exp2":         (lambda xp, y, x: LN2 * y,),
    "special.expit":        (lambda xp, y, x: y * (1 - y),),
    "special.expm1":        (lambda xp, y, x: y + 1,),
    "special.exprel":       (exprel_slope,),
    "special.log1p":        (lambda xp, y, x: 1 / (x + 1),),
    "special.log_expit":    (lambda xp, y, x: xp.special.expit(-x),),
    "special.logit":        (lambda xp, y, x: 1 / (x * (1 - x)),),
    "special.softplus":     (lambda xp, y, x: xp.special.expit(x),),
    "special.wrightomega":  (lambda xp, y, x: y / (1 + y),),
    "special.boxcox":       (lambda xp, y, x, p: x ** (p - 1),         lambda xp, y, x, p: boxcox_power(xp, xp.log(x), p)),
    "special.boxcox1p":     (lambda xp, y, x, p: (1 + x) ** (p - 1),   lambda xp, y, x, p: boxcox_power(xp, xp.log1p(x), p)),
    "special.inv_boxcox":   (lambda xp, y, x, p: y ** (1 - p),         lambda xp, y, x, p: -(y ** (1 - p)) * boxcox_power(xp, xp.log(y), p)),
    "special.inv_boxcox1p": (lambda xp, y, x, p: (1 + y) ** (1 - p),   lambda xp, y, x, p: -((1 + y) ** (1 - p)) * boxcox_power(xp, xp.log1p(y), p)),
    # roots and angles
    "special.cbrt":         (lambda xp, y, x: 1 / (3 * y * y),),
    "special.cosdg":        (lambda xp, y, x: -DEGREE * xp.special.sindg(x),),
    "special.cotdg":        (lambda xp, y, x: -DEGREE * (1 + y * y),),
    "special.radian":       (lambda xp, y, d, m, s: DEGREE, lambda xp, y, d, m, s: DEGREE / 60, lambda xp, y, d, m, s: DEGREE / 3600),
    "special.sinc":         (sinc_slope,),
    "special.sindg":        (lambda xp, y, x: DEGREE * xp.special.cosdg(x),),
    "special.tandg":        (lambda xp, y, x: DEGREE * (1 + y * y),),
    # entropies and losses
    "special.entr":         (lambda xp, y, x: -xp.log(x) - 1,),
    "special.huber":        (lambda xp, y, d, r: xp.where(inside(xp, d, r), 0.0, xp.abs(r) - d), lambda xp, y, d, r: xp.where(inside(xp, d, r), r, d * xp.sign(r))),
    "special.kl_div":       (lambda xp, y, a, b: xp.log(a / b),        lambda xp, y, a, b: 1 - a / b),
    "special.pseudo_huber": (pseudo_huber_delta,                       lambda xp, y, d, r: r / pseudo_huber_root(xp, d, r)),
    "special.rel_entr":     (lambda xp, y, a, b: xp.log(a / b) + 1,    lambda xp, y, a, b: -a / b),
    "special.xlog1py":      (lambda xp, y, a, b: xp.log1p(b),          lambda xp, y, a, b: share(xp, a, 1 + b)),
    "special.xlogy":        (lambda xp, y, a, b: xp.log(b),            lambda xp, y, a, b: share(xp, a, b)),
    # the error function and the normal distribution
    "special.dawsn":        (lambda xp, y, x: 1 - 2 * x * y,),
    "special.erf":          (lambda xp, y, x: 2 / ROOT_PI * xp.exp(-x * x),),
    "special.erfc":         (lambda xp, y, x: -2 / ROOT_PI * xp.exp(-x * x),),
    "special.erfcinv":      (lambda xp, y, x: -ROOT_PI / 2 * xp.exp(y * y),),
    "special.erfcx":        (lambda xp, y, x: 2 * x * y - 2 / ROOT_PI,),
    "special.erfi":         (lambda xp, y, x: 2 / ROOT_PI * xp.exp(x * x),),
    "special.erfinv":       (lambda xp, y, x: ROOT_PI / 2 * xp.exp(y * y),),
    "special.log_ndtr":     (lambda xp, y, x: xp.exp(-x * x / 2 - y) / ROOT_2PI,),
    "special.ndtr":         (lambda xp, y, x: xp.exp(-x * x / 2) / ROOT_2PI,),
    "special.ndtri":        (lambda xp, y, x: ROOT_2PI * xp.exp(y * y / 2),),
    "special.ndtri_exp":    (lambda xp, y, x: ROOT_2PI * xp.exp(x + y * y / 2),),
    # the gamma and beta functions
    "special.beta":         (lambda xp, y, a, b: y * (xp.special.digamma(a) - xp.special.digamma(a + b)), lambda xp, y, a, b: y * (xp.special.digamma(b) - xp.special.digamma(a + b))),
    "special.betaln":       (lambda xp, y, a, b: xp.special.digamma(a) - xp.special.digamma(a + b), lambda xp, y, a, b: xp.special.digamma(b) - xp.special.digamma(a + b)),
    "special.binom":        (lambda xp, y, n, k: y * (xp.special.digamma(n + 1) - xp.special.digamma(n - k + 1)), lambda xp, y, n, k: y * (xp.special.digamma(n - k + 1) - xp.special.digamma(k + 1))),
    "special.digamma":      (lambda xp, y, x: xp.special.polygamma(1, x),),
    "special.gamma":        (lambda xp, y, x: y * xp.special.digamma(x),),
    "special.gammaln":      (lambda xp, y, x: xp.special.digamma(x),),
    "special.loggamma":     (lambda xp, y, x: xp.special.digamma(x),),
    "special.poch":         (lambda xp, y, z, m: y * (xp.special.digamma(z + m) - xp.special.digamma(z)), lambda xp, y, z, m: y * xp.special.digamma(z + m)),
    "special.psi":          (lambda xp, y, x: xp.special.polygamma(1, x),),
    "special.rgamma":       (lambda xp, y, x: -y * xp.special.digamma(x),),
    "special.zeta":         (unknown("zeta", "x"),                     lambda xp, y, s, q: -s * xp.special.zeta(s + 1, q)),
    # incomplete gamma and beta functions
    "special.betainc":      (unknown("betainc", "a"), unknown("betainc", "b"), lambda xp, y, a, b, x: beta_density(xp, a, b, x)),
    "special.betaincc":     (unknown("betaincc", "a"), unknown("betaincc", "b"), lambda xp, y, a, b, x: -beta_density(xp, a, b, x)),
    "special.betainccinv":  (unknown("betainccinv", "a"), unknown("betainccinv", "b"), lambda xp, y, a, b, p: -1 / beta_density(xp, a, b, y)),
    "special.betaincinv":   (unknown("betaincinv", "a"), unknown("betaincinv", "b"), lambda xp, y, a, b, p: 1 / beta_density(xp, a, b, y)),
    "special.gammainc":     (unknown("gammainc", "a"),                 lambda xp, y, a, x: gamma_density(xp, a, x)),
    "special.gammaincc":    (unknown("gammaincc", "a"),                lambda xp, y, a, x: -gamma_density(xp, a, x)),
    "special.gammainccinv": (unknown("gammainccinv", "a"),             lambda xp, y, a, p: -1 / gamma_density(xp, a, y)),
    "special.gammaincinv":  (unknown("gammaincinv", "a"),              lambda xp, y, a, p: 1 / gamma_density(xp, a, y)),
    # distribution functions
    "special.bdtr":         (None, unknown("bdtr", "n"),               lambda xp, y, k, n, p: -binomial_slope(xp, k, n, p)),
    "special.bdtrc":        (None, unknown("bdtrc", "n"),              lambda xp, y, k, n, p: binomial_slope(xp, k, n, p)),
    "special.bdtri":        (None, unknown("bdtri", "n"),              lambda xp, y, k, n, p: -1 / binomial_slope(xp, k, n, y)),
    "special.chdtr":        (unknown("chdtr", "v"),                    lambda xp, y, v, x: chi2_density(xp, v, x)),
    "special.chdtrc":       (unknown("chdtrc", "v"),                   lambda xp, y, v, x: -chi2_density(xp, v, x)),
    "special.chdtri":       (unknown("chdtri", "v"),                   lambda xp, y, v, p: -1 / chi2_density(xp, v, y)),
    "special.fdtr":         (unknown("fdtr", "dfn"), unknown("fdtr", "dfd"), lambda xp, y, m, n, x: f_density(xp, m, n, x)),
    "special.fdtrc":        (unknown("fdtrc", "dfn"), unknown("fdtrc", "dfd"), lambda xp, y, m, n, x: -f_density(xp, m, n, x)),
    "special.fdtri":        (unknown("fdtri", "dfn"), unknown("fdtri", "dfd"), lambda xp, y, m, n, p: 1 / f_density(xp, m, n, y)),
    "special.gdtr":         (lambda xp, y, a, b, x: x * gamma_density(xp, b, a * x), unknown("gdtr", "b"), lambda xp, y, a, b, x: a * gamma_density(xp, b, a * x)),
    "special.gdtrc":        (lambda xp, y, a, b, x: -x * gamma_density(xp, b, a * x), unknown("gdtrc", "b"), lambda xp, y, a, b, x: -a * gamma_density(xp, b, a * x)),
    "special.nbdtr":        (None, unknown("nbdtr", "n"),              lambda xp, y, k, n, p: beta_density(xp, n, xp.floor(k) + 1, p)),
    "special.nbdtrc":       (None, unknown("nbdtrc", "n"),             lambda xp, y, k, n, p: -beta_density(xp, n, xp.floor(k) + 1, p)),
    "special.pdtr":         (None,                                     lambda xp, y, k, m: -poisson_mass(xp, k, m)),
    "special.pdtrc":        (None,                                     lambda xp, y, k, m: poisson_mass(xp, k, m)),
    "special.pdtri":        (None,                                     lambda xp, y, k, p: -1 / poisson_mass(xp, k, y)),
    "special.stdtr":        (unknown("stdtr", "df"),                   lambda xp, y, v, t: t_density(xp, v, t)),
    "special.stdtrit":      (unknown("stdtrit", "df"),                 lambda xp, y, v, p: 1 / t_density(xp, v, y)),
    # exponential integrals, dilogarithm
    "special.exp1":         (lambda xp, y, x: -xp.exp(-x) / x,),
    "special.expi":         (lambda xp, y, x: xp.exp(x) / x,),
    "special.expn":         (unknown("expn", "n"),                                     lambda xp, y, n, x: -xp.special.expn(n - 1, x)),
    "special.spence":       (spence_slope,),
    # Bessel functions
    "special.i0":           (lambda xp, y, x: xp.special.i1(x),),
    "special.i0e":          (lambda xp, y, x: xp.special.i1e(x) - xp.sign(x) * y,),
    "special.i1":           (lambda xp, y, x: xp.special.i0(x) - quotient(xp, y, x, 0.5),),
    "special.i1e":          (lambda xp, y, x: xp.special.i0e(x) - xp.sign(x) * y - quotient(xp, y, x, 0.5),),
    "special.iv":           (unknown("iv", "v"),                       lambda xp, y, v, x: (xp.special.iv(v - 1, x) + xp.special.iv(v + 1, x)) / 2),
    "special.ive":          (unknown("ive", "v"),                      lambda xp, y, v, x: (xp.special.ive(v - 1, x) + xp.special.ive(v + 1, x)) / 2 - xp.sign(x) * y),
    "special.j0":           (lambda xp, y, x: -xp.special.j1(x),),
    "special.j1":           (lambda xp, y, x: xp.special.j0(x) - quotient(xp, y, x, 0.5),),
    "special.jv":           (unknown("jv", "v"),                       lambda xp, y, v, x: (xp.special.jv(v - 1, x) - xp.special.jv(v + 1, x)) / 2),
    "special.k0":           (lambda xp, y, x: -xp.special.k1(x),),
    "special.k0e":          (lambda xp, y, x: y - xp.special.k1e(x),),
    "special.k1":           (lambda xp, y, x: -xp.special.k0(x) - y / x,),
    "special.k1e":          (lambda xp, y, x: y - xp.special.k0e(x) - y / x,),
    "special.kv":           (unknown("kv", "v"),                       lambda xp, y, v, x: -(xp.special.kv(v - 1, x) + xp.special.kv(v + 1, x)) / 2),
    "special.kve":          (unknown("kve", "v"),                      lambda xp, y, v, x: y - (xp.special.kve(v - 1, x) + xp.special.kve(v + 1, x)) / 2),
    "special.y0":           (lambda xp, y, x: -xp.special.y1(x),),
    "special.y1":           (lambda xp, y, x: xp.special.y0(x) - y / x,),
    "special.yn":           (unknown("yn", "n"),                                     lambda xp, y, n, x: (xp.special.yn(n - 1, x) - xp.special.yn(n + 1, x)) / 2),
    "special.yv":           (unknown("yv", "v"),                       lambda xp, y, v, x: (xp.special.yv(v - 1, x) - xp.special.yv(v + 1, x)) / 2),
    # elliptic integrals, hypergeometric functions, Legendre functions
    "special.ellipe":       (lambda xp, y, m: -math.pi / 8 * hyp2f1(xp, 0.5, 1.5, 2.0, m),),
    "special.ellipk":       (lambda xp, y, m: ellipk_slope(xp, m),),
    "special.ellipkm1":     (lambda xp, y, p: -ellipk_slope(xp, 1 - p),),
    "special.hyp0f1":       (unknown("hyp0f1", "v"),                   lambda xp, y, v, x: xp.special.hyp0f1(v + 1, x) / v),
    "special.hyp1f1":       (unknown("hyp1f1", "a"), unknown("hyp1f1", "b"), lambda xp, y, a, b, x: a / b * xp.special.hyp1f1(a + 1, b + 1, x)),
    "special.hyp2f1":       (unknown("hyp2f1", "a"), unknown("hyp2f1", "b"), unknown("hyp2f1", "c"), lambda xp, y, a, b, c, x: a * b / c * xp.special.hyp2f1(a + 1, b + 1, c + 1, x)),
    "special.hyperu":       (unknown("hyperu", "a"), unknown("hyperu", "b"), lambda xp, y, a, b, x: -a * xp.special.hyperu(a + 1, b + 1, x)),
    "special.lpmv":         (unknown("lpmv", "m"), unknown("lpmv", "v"),               lambda xp, y, m, v, x: (v * x * y - (v + m) * xp.special.lpmv(m, v - 1, x)) / (x * x - 1)),
}


def _polygamma_x(xp: Namespace, g: Array, y: Array, n: Any, x: Array) -> Array:
    """Multiply by the next polygamma function; libraries want `n` as it was given."""
    return unbroadcast(xp, g * xp.special.polygamma(n + 1, x), x.shape)


PULLBACKS = {"special.polygamma": (unknown("polygamma", "n"), _polygamma_x)}
# fmt: on


# --- functions of a whole axis, and of several functions --------------------------------------------


def _top(xp: Namespace, x: Array, axis: Any) -> Array:
    """Return the largest element as a constant, 0 where it is infinite: what is subtracted."""
    top = constant(xp, "max", x, axis=axis, keepdims=True)
    return xp.where(xp.isfinite(top), top, 0.0)


def logsumexp(
    xp: Namespace, a: Array, axis: Any = None, b: Any = None, keepdims: bool = False
) -> Array:
    """Sum exponentials without overflow."""
    top = _top(xp, a, axis)
    terms = xp.exp(a - top) if b is None else b * xp.exp(a - top)
    y = xp.log(xp.sum(terms, axis=axis, keepdims=True)) + top
    return y if keepdims else xp.squeeze(y, axis=_axes(a, axis))


def _axes(x: Array, axis: Any) -> tuple[int, ...]:
    """Return axes as a tuple."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(axis) if isinstance(axis, tuple | list) else (axis,)


def softmax(xp: Namespace, x: Array, axis: Any = None) -> Array:
    """Divide exponentials by their sum."""
    terms = xp.exp(x - _top(xp, x, axis))
    return terms / xp.sum(terms, axis=axis, keepdims=True)


def log_softmax(xp: Namespace, x: Array, axis: Any = None) -> Array:
    """Subtract the logarithm of the sum of exponentials."""
    return x - logsumexp(xp, x, axis=axis, keepdims=True)


def multigammaln(xp: Namespace, a: Array, d: int) -> Array:
    """Sum `d` logarithms of the gamma function."""
    terms = [xp.special.gammaln(a - n / 2) for n in range(int(d))]
    return sum(terms[1:], terms[0]) + d * (d - 1) / 4 * math.log(math.pi)


COMPOSITIONS = {
    "special.log_softmax": log_softmax,
    "special.logsumexp": logsumexp,
    "special.multigammaln": multigammaln,
    "special.softmax": softmax,
}
CONSTANT = frozenset({"special.gammasgn"})
