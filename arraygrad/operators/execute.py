"""A function's value together with the gradients of all its outputs: `execute_with_gradients`."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

from arraygrad._namespace import array_namespace, is_array
from arraygrad._tree import Path, flatten, flatten_with_paths, format_path, unflatten
from arraygrad._typing import Array, Autodiff, Leaves, Namespace, Tree
from arraygrad.errors import NotScalarError, StructureError
from arraygrad.libraries import there
from arraygrad.operators import _nothing
from arraygrad.operators._arrays import Kinds, check_floating
from arraygrad.operators._body import check_scalar
from arraygrad.operators._locate import locate, spell

__all__ = ["execute_with_gradients"]

Indices: TypeAlias = Sequence[Sequence[str | int]]
FIRST: Indices = ((0,),)


def execute_with_gradients(
    func: Callable[[Any], Any],
    xs: Tree,
    /,
    *,
    retain_grads: bool = False,
    xs_grad_idxs: Indices | None = FIRST,
    ret_grad_idxs: Indices | None = FIRST,
) -> tuple[Tree, Tree]:
    """Evaluate a function, and the gradients of its outputs for its inputs.

    Parameters
    ----------
    func : callable
        A function of one argument, `xs`. It returns a real 0-d array, or a tree of them; other
        leaves than arrays are passed on.
    xs : array or tree of arrays
        The inputs. Differentiated integer arrays are promoted to the default floating dtype.
    retain_grads : bool, default False
        Whether the results stay part of graphs of the caller's own, such as those of torch
        parameters that `func` uses. Inside another operator they always can be differentiated.
    xs_grad_idxs : sequence of paths, optional
        The inputs to differentiate, each a path of keys and positions, to an array or to a tree of
        them. The default is the first entry of a list or tuple, and everything elsewhere. None
        means everything.
    ret_grad_idxs : sequence of paths, optional
        The outputs to differentiate, chosen in the same way.

    Returns
    -------
    ret : tree
        What `func` returns.
    grads : tree
        Of the structure of `ret`, and in each place of an output the structure of `xs` with the
        gradients of this output. What was not chosen, or is no array, holds None. A single array
        adds no level.

    Raises
    ------
    NotScalarError
        If a chosen output is an array, but not a real floating 0-d array; or if none is an array.
    DtypeError
        If a chosen input is an array of bools or objects.
    StructureError
        If there is nothing at a path, or indices are no paths.
    MixedLibraryError, DeviceError
        If the arrays belong to several libraries, or lie on several devices.

    Notes
    -----
    One array at several chosen places is one variable: `func` sees one object there, and each of
    the places gets the total derivative, the sum over all of them. An output that does not depend
    on an input gives it zeros.

    Examples
    --------
    >>> import numpy as np
    >>> import arraygrad as ag
    >>> x = np.asarray([[1, 4, 6], [2, 6, 9]])
    >>> ret, grads = ag.execute_with_gradients(lambda x: np.sum(x * x) / 2, x)
    >>> print(ret, grads[0])
    87.0 [1. 4. 6.]

    Every output for every input:

    >>> xs = ag.Container(a=np.asarray(1.0), b=np.asarray(2.0))
    >>> func = lambda xs: {"sum": xs.a + xs.b, "product": xs.a * xs.b}
    >>> ret, grads = ag.execute_with_gradients(func, xs)
    >>> print(grads["product"].a, grads["product"].b)
    2.0 1.0
    """
    inputs = _Inputs(xs, xs_grad_idxs)
    body = _Body(func, inputs, ret_grad_idxs)
    here = there(inputs.leaves[0]) if inputs.leaves else nullcontext()
    with here, _graph(inputs.autodiff, retain_grads):
        recorder = inputs.autodiff if inputs.leaves else _nothing
        ys, pullback, aux = recorder.vjp(body, inputs.leaves, inputs.constants)
        rows = [pullback(seeds) for seeds in _units(ys)]
    grads = body.tree([None] * len(aux), [inputs.mirror(row) for row in rows])
    return body.tree(aux, ys), grads


def _graph(autodiff: Autodiff, retain: bool) -> AbstractContextManager[None]:
    """Stay in the caller's graphs, where an autodiff would leave them."""
    graph: Callable[[], AbstractContextManager[None]] = getattr(autodiff, "keep_graph", nullcontext)
    return graph() if retain else nullcontext()


def _units(ys: list[Array]) -> list[list[Array]]:
    """Return for each output the cotangents that choose it."""
    ones = [array_namespace(y).ones_like(y) for y in ys]
    zeros = [array_namespace(y).zeros_like(y) for y in ys]
    return [[*zeros[:i], ones[i], *zeros[i + 1 :]] for i in range(len(ys))]


class _Inputs:
    """The inputs taken apart: variables, each array once, and constants."""

    def __init__(self, xs: Tree, indices: Indices | None) -> None:
        self.xs = xs
        paths, self.found, self.treedef = flatten_with_paths(xs)
        chosen = _chosen(xs, paths, indices, "xs_grad_idxs")
        self.places = [i for i in chosen if is_array(self.found[i])]
        kinds = Kinds(self.found, self.where)
        self.xp, self.autodiff = kinds.xp, kinds.autodiff(None)
        self.fixed = kinds.constants(sorted(set(range(len(self.found))).difference(self.places)))
        self.constants = [self.found[i] for i in self.fixed]
        self._unite({id(self.found[i]): self.found[i] for i in self.places})

    def _unite(self, variables: dict[int, Array]) -> None:
        """Make one leaf of each variable, wherever it occurs; promote integers."""
        self.leaves = [_promoted(self.xp, x) for x in variables.values()]
        for x in self.leaves:
            check_floating(self.xp, x, self.where)
        numbers = {key: number for number, key in enumerate(variables)}
        self.slots = [numbers[id(self.found[i])] for i in self.places]

    def where(self, leaf: Any) -> str:
        """Spell where a leaf lies."""
        return locate(leaf, xs=self.xs)

    def rebuild(self, leaves: Leaves, constants: Leaves) -> Tree:
        """Return the inputs with other arrays."""
        found = list(self.found)
        for place, slot in zip(self.places, self.slots, strict=True):
            found[place] = leaves[slot]
        for place, x in zip(self.fixed, constants, strict=True):
            found[place] = x
        return unflatten(self.treedef, found)

    def mirror(self, gradients: list[Array]) -> Tree:
        """Return a tree like the inputs: gradients, copied where a variable occurs again."""
        found: list[Array | None] = [None] * len(self.found)
        seen = set()
        for place, slot in zip(self.places, self.slots, strict=True):
            found[place] = gradients[slot] * 1 if slot in seen else gradients[slot]
            seen.add(slot)
        return unflatten(self.treedef, found)


class _Body:
    """The function between flat lists: chosen outputs, and all else as aux with gaps for them."""

    def __init__(
        self, func: Callable[[Any], Any], inputs: _Inputs, indices: Indices | None
    ) -> None:
        self.func, self.inputs, self.indices = func, inputs, indices
        self.places: list[int] = []
        self.treedef = flatten(None)[1]

    def __call__(self, leaves: Leaves, constants: Leaves) -> tuple[list[Array], list[Any]]:
        ret = self.func(self.inputs.rebuild(leaves, constants))
        paths, found, self.treedef = flatten_with_paths(ret)
        chosen = _chosen(ret, paths, self.indices, "ret_grad_idxs")
        self.places = [i for i in chosen if is_array(found[i])]
        if found and not self.places:
            message = f"func must return an array to differentiate, got {type(ret).__name__}"
            raise NotScalarError(message)
        ys = [found[i] for i in self.places]
        xp = self.inputs.xp if leaves else None
        for i, y in zip(self.places, ys, strict=True):
            check_scalar(xp, y, spell("func(xs)", paths[i]))
            found[i] = None
        return ys, found

    def tree(self, others: list[Any], values: list[Any]) -> Tree:
        """Return a tree like what `func` returned."""
        leaves = list(others)
        for place, value in zip(self.places, values, strict=True):
            leaves[place] = value
        return unflatten(self.treedef, leaves)


def _chosen(tree: Tree, paths: list[Path], indices: Indices | None, argument: str) -> list[int]:
    """Return which leaves lie at the chosen paths, or below them."""
    if indices is None:
        return list(range(len(paths)))
    if isinstance(indices, str) or not _are_paths(indices):
        message = f"`{argument}` must be a sequence of paths, as [[0, 'w']], got {indices!r}"
        raise StructureError(message)
    prefixes = [tuple(index) for index in indices]
    if prefixes == [(0,)] and not isinstance(tree, (list, tuple)):
        return list(range(len(paths)))
    for prefix in prefixes:
        if prefix != (0,) and not any(path[: len(prefix)] == prefix for path in paths):
            message = f"`{argument}` asks for {format_path(prefix)}, where nothing is"
            raise StructureError(message)
    return [i for i, path in enumerate(paths) if any(path[: len(p)] == p for p in prefixes)]


def _are_paths(indices: Any) -> bool:
    return isinstance(indices, Iterable) and all(isinstance(x, Iterable) for x in indices)


def _promoted(xp: Namespace, x: Array) -> Array:
    """Turn an array of integers into one of the default floating dtype."""
    return xp.astype(x, xp.asarray(0.0).dtype) if xp.isdtype(x.dtype, "integral") else x
