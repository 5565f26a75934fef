"""Derivatives of the standard's functions, as data: a file per chapter of the standard.

Each chapter has some of these tables. Keys are the standard's names; a rule's arguments are
always `xp`, the cotangent `g` and the result `y` (as far as the table has them), then the
function's own arguments in the standard's order. A rule is written in the standard, never looks
at values, and is therefore itself differentiable.

`DERIVATIVES`   elementwise: the derivative for each operand, `(xp, y, *operands)`. The tape
                multiplies, conjugates, un-broadcasts and casts, once for all.
`LINEAR`        the function is linear in all its operands together: only its transpose is
                written, `(xp, g, y, *arguments)`, one for each positional argument (`None`: not an
                operand). Values of operands and of `y` are not kept: a rule sees only their
                `shape`, `ndim`, `size`, `dtype` and `device`.
`MULTILINEAR`   linear in each operand by itself, like `matmul`. Written like `LINEAR`, with values.
`PULLBACKS`     everything else: the map of cotangents, `(xp, g, y, *arguments)`, for each
                positional argument.
`COMPOSITIONS`  made of other functions of the standard: `(xp, *arguments)`.
`CONSTANT`      no derivative, or one that is zero wherever it exists.

An operand that is a list of arrays (`concat`) has one rule, which returns a list. `g` has the
shape and dtype of `y`; of a function with several results (`linalg.eigh`), `y` is a tuple, and `g`
a list with a cotangent for each. Rules other than `DERIVATIVES` return the shape of their operand;
dtypes are cast for them (to the real part, where the operand is real).
"""
