"""A call of every special function that has a rule, at ordinary points of its domain."""

import numpy as np

__all__ = ["CASES", "Operand"]

Operand = np.ndarray | float | int
X = np.asarray([-1.3, -0.4, 0.006, 0.9, 2.2])  # any number
P = np.asarray([0.12, 0.35, 0.5, 0.71, 0.93])  # a probability
R = np.asarray([0.3, 0.8, 1.4, 2.6, 4.1])  # a positive number
S = np.asarray([0.7, 1.9, 2.4, 1.1, 3.3])  # another
N = np.asarray([5.0, 4.0, 6.0, 8.0, 7.0])  # counts, as floats
K = np.asarray([2.0, 0.0, 3.0, 5.0, 1.0])  # fewer

ANYWHERE = """
    cosdg cosm1 dawsn erf erfc erfcx erfi exp10 exp2 expit expm1 exprel i0 i0e i1 i1e j0 j1
    log_expit log_ndtr ndtr sinc sindg softplus tandg wrightomega
""".split()
OF_PROBABILITIES = "ellipe ellipk ellipkm1 erfinv logit ndtri".split()
OF_POSITIVE_NUMBERS = """
    cbrt cotdg digamma entr exp1 expi gamma gammaln gammasgn k0 k0e k1 k1e log1p loggamma psi
    rgamma spence y0 y1
""".split()

# Operands by position; a number is no array, and no operand of the derivative.
CASES: dict[str, tuple[Operand, ...]] = {
    **dict.fromkeys(ANYWHERE, (X,)),
    **dict.fromkeys(OF_PROBABILITIES, (P,)),
    **dict.fromkeys(OF_POSITIVE_NUMBERS, (R,)),
    "erfcinv": (P + P,),
    "ndtri_exp": (-R,),
    "radian": (X, X + 1, X - 1),
    "boxcox": (R, X),
    "boxcox1p": (R, X),
    "inv_boxcox": (P, X),
    "inv_boxcox1p": (P, X),
    "huber": (S, X * 2),
    "pseudo_huber": (S, X),
    "kl_div": (R, S),
    "rel_entr": (R, S),
    "xlog1py": (X, R),
    "xlogy": (X, R),
    "beta": (R, S),
    "betaln": (R, S),
    "binom": (N + P, K + P / 2),
    "poch": (R, S),
    "polygamma": (2, R),
    "zeta": (2.5, R),
    "betainc": (2.5, 1.5, P),
    "betaincc": (2.5, 1.5, P),
    "betainccinv": (2.5, 1.5, P),
    "betaincinv": (2.5, 1.5, P),
    "gammainc": (1.7, R),
    "gammaincc": (1.7, R),
    "gammainccinv": (1.7, P),
    "gammaincinv": (1.7, P),
    "bdtr": (2.0, 6, P),
    "bdtrc": (2.0, 6, P),
    "bdtri": (2.0, 6, P),
    "chdtr": (3.5, R),
    "chdtrc": (3.5, R),
    "chdtri": (3.5, P),
    "fdtr": (3.5, 6.0, R),
    "fdtrc": (3.5, 6.0, R),
    "fdtri": (3.5, 6.0, P),
    "gdtr": (R, 2.2, S),
    "gdtrc": (R, 2.2, S),
    "nbdtr": (2, 4, P),
    "nbdtrc": (2, 4, P),
    "pdtr": (2.0, R),
    "pdtrc": (2.0, R),
    "pdtri": (2, P),
    "stdtr": (3.5, X),
    "stdtrit": (3.5, P),
    "expn": (2, R),
    **dict.fromkeys("iv ive jv kv kve yv".split(), (1.3, R)),
    "yn": (2, R),
    "hyp0f1": (1.3, X),
    "hyp1f1": (1.3, 2.1, X),
    "hyp2f1": (1.3, 0.4, 2.1, P),
    "hyperu": (1.3, 2.1, R),
    "lpmv": (1, 3, P),
    "logsumexp": (X,),
    "log_softmax": (X,),
    "softmax": (X,),
    "multigammaln": (R + 2, 3),
}  # fmt: skip
