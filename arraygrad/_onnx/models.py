"""Functions, gradients and steps, traced on the lazy arrays of ndonnx."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from arraygrad._namespace import array_namespace, cast, is_array
from arraygrad._onnx.graph import Graph, outputs_of
from arraygrad._onnx.names import argument_names, function_name, named_leaves
from arraygrad._onnx.needed import check_installed
from arraygrad._onnx.refusals import explained
from arraygrad._tree import flatten, map_leaves
from arraygrad._typing import Tree
from arraygrad.autodiff.tape import traced_namespace
from arraygrad.autodiff.tape.general import strip
from arraygrad.errors import StructureError
from arraygrad.operators import value_and_grad
from arraygrad.operators._call import Argnums
from arraygrad.optimizers import Optimizer
from arraygrad.optimizers._checked import checked_optimizer
from arraygrad.transformations._members import step_of

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["export", "export_gradient", "export_step"]

check_installed()


def export(f: Callable[..., Any], /, *example: Tree) -> "ModelProto":
    """Return an ONNX model that computes a function.

    Parameters
    ----------
    f : callable
        Returns an array or a tree of arrays. Written with the namespace of its arguments, or with
        NumPy's functions.
    *example : trees of arrays
        The arguments, of any library: structures, shapes and dtypes count, values do not. Python
        numbers, and whatever else is no array, become part of the model as they are.

    Returns
    -------
    onnx.ModelProto
        A checked model, its shapes fixed. Its inputs are the arrays of the arguments, named by
        parameter and path: `x`, `w.scale`, `w.layers.0`. Its outputs are named likewise, under
        `value`.

    Raises
    ------
    ExportError
        If the function asks for a value, or for what ONNX lacks: `if` on an array, `linalg.solve`,
        `fft`. The message names it.
    DtypeError
        If an argument holds complex arrays, or others that ONNX does not compute with.
    StructureError
        If two arrays would have one name.

    Notes
    -----
    The function is run once, on arrays without values (those of ndonnx), and what it does is the
    graph: Python loops are unrolled, and an array that it closes over becomes a constant.

    Examples
    --------
    >>> import numpy as np
    >>> from onnxruntime import InferenceSession
    >>> import arraygrad.onnx
    >>> def line(w, x):
    ...     return w["slope"] * x + w["offset"]
    >>> w = {"slope": np.asarray(2.0), "offset": np.asarray(1.0)}
    >>> model = arraygrad.onnx.export(line, w, np.zeros(3))
    >>> session = InferenceSession(model.SerializeToString())
    >>> [x.name for x in session.get_inputs()]
    ['w.offset', 'w.slope', 'x']
    >>> session.run(["value"], arraygrad.onnx.feed(model, w=w, x=np.arange(3.0)))
    [array([1., 3., 5.])]
    """
    graph, args = _arguments(f, example)
    with explained(f):
        outputs = outputs_of(_plain(f(*map(_traced, args))), "value")
    return graph.model(outputs, function_name(f))


def export_gradient(
    f: Callable[..., Any], /, *example: Tree, argnums: Argnums = 0, value: bool = True
) -> "ModelProto":
    """Return an ONNX model that computes the gradient of a function.

    Parameters
    ----------
    f : callable
        Returns a real 0-d array. Written with the namespace of its arguments, or with NumPy's
        functions.
    *example : trees of arrays
        The arguments, as for `export`.
    argnums : int or sequence of int, default 0
        The arguments to differentiate, as for `value_and_grad`.
    value : bool, default True
        Whether the value is an output too.

    Returns
    -------
    onnx.ModelProto
        A checked model, its shapes fixed. Its inputs are named as by `export`; its outputs are
        `value`, and for each input that is differentiated its gradient: `grad.w.scale`.

    Raises
    ------
    ExportError, StructureError
        As for `export`.
    DtypeError
        As for `export`, and if a differentiated argument holds integers.
    NotScalarError
        If `f` does not return a real floating 0-d array.

    Examples
    --------
    >>> import numpy as np
    >>> from onnxruntime import InferenceSession
    >>> import arraygrad.onnx
    >>> def loss(w, x):
    ...     return np.sum((w["scale"] * x - 1.0) ** 2)
    >>> w, x = {"scale": np.asarray(2.0)}, np.asarray([1.0, 3.0])
    >>> model = arraygrad.onnx.export_gradient(loss, w, x)
    >>> session = InferenceSession(model.SerializeToString())
    >>> [y.name for y in session.get_outputs()]
    ['value', 'grad.w.scale']
    >>> print(*session.run(None, arraygrad.onnx.feed(model, w=w, x=x)))
    26.0 32.0
    """
    graph, args = _arguments(f, example)
    numbers = tuple(argnums) if not isinstance(argnums, int) else (argnums,)
    with explained(f):
        y, gradients = value_and_grad(f, numbers)(*args)
    names = argument_names(f, len(args))
    outputs = {"value": y} if value else {}
    for number, gradient in zip(numbers, gradients, strict=True):
        outputs.update(outputs_of(gradient, f"grad.{names[number]}"))
    return graph.model(outputs, f"gradient of {function_name(f)}")


def export_step(
    optimizer: Optimizer, loss: Callable[..., Any], params: Tree, /, *batch: Tree
) -> "ModelProto":
    """Return an ONNX model of one training step: loss, gradient and update.

    Parameters
    ----------
    optimizer : Optimizer
        One of `arraygrad.optimizers`, alone or in a chain, but those that ask for more than a
        gradient and a value (`noisy_sgd`, `sam`) or for what ONNX lacks (`shampoo` and `soap`:
        `linalg.eigh` and `linalg.qr`). Hyperparameters given as 0-d arrays are inputs of the
        model, Python numbers are part of it, schedules are computed in it.
    loss : callable
        A function `loss(params, *batch)` that returns a real 0-d array.
    params : tree of arrays
        The parameters, of any library: structure, shapes and dtypes count.
    *batch : trees of arrays
        The loss's other arguments, likewise.

    Returns
    -------
    onnx.ModelProto
        A checked model, its shapes fixed. Its inputs are `params`, `state` (as far as a step
        changes it, and its arrays) and the batch, named by path as by `export`: `params.w`,
        `state.count`, `state.slots.mu.w`, `x`. Its outputs are `value`, the loss before the step,
        and what comes next: `next.params.w`, `next.state.count`, one for each input of params and
        state. Feed these to the next step, without `next.`.

    Raises
    ------
    ExportError, StructureError
        As for `export`.
    HyperparameterError
        If `optimizer` has no `init` and `step`, or its step asks for more than is given here.
    DtypeError
        As for `export`, and if a parameter is not floating.
    NotScalarError
        If `loss` does not return a real floating 0-d array.

    Notes
    -----
    `optimizer.init(params)` is the first state: `feed(model, params=params, state=..., ...)`.

    Examples
    --------
    >>> import numpy as np
    >>> from onnxruntime import InferenceSession
    >>> import arraygrad.onnx
    >>> from arraygrad.optimizers import sgd
    >>> optimizer, w = sgd(0.1, momentum=0.9), np.asarray([1.0, 2.0])
    >>> model = arraygrad.onnx.export_step(optimizer, lambda w: np.sum(w**2), w)
    >>> session = InferenceSession(model.SerializeToString())
    >>> [x.name for x in session.get_inputs()]
    ['params', 'state.count', 'state.slots.velocity']
    >>> inputs = arraygrad.onnx.feed(model, params=w, state=optimizer.init(w))
    >>> value, *after = session.run(None, inputs)
    >>> inputs = dict(zip(inputs, after))  # for the next step
    >>> print(value, inputs["params"])
    5.0 [0.8 1.6]
    """
    state = checked_optimizer(optimizer, "optimizer", "init", "step").init(params)
    with explained(optimizer.step):
        numbers = _changing(optimizer, params, state)
    graph = Graph()
    w = graph.inputs_like(params, "params")
    before = graph.inputs_like(state, "state", numbers)
    names = argument_names(loss, 1 + len(batch))[1:]
    rest = [graph.inputs_like(x, name) for x, name in zip(batch, names, strict=True)]
    with explained(loss):
        value, grads = value_and_grad(loss)(w, *rest)
    with explained(optimizer.step):
        w, after = _stepped(optimizer, w, grads, before, value)
        new = named_leaves(after, "state")[0]
        pairs = ((name, x, new[name]) for name, x in named_leaves(before, "state")[0].items())
        kept = {f"next.{name}": _like(y, x) for name, x, y in pairs if is_array(x)}
    outputs = {"value": value, **outputs_of(w, "next.params"), **kept}
    return graph.model(outputs, f"a step of {optimizer!r} on {function_name(loss)}")


# --- a function -----------------------------------------------------------------------------------


def _arguments(f: Callable[..., Any], example: tuple[Tree, ...]) -> tuple[Graph, list[Tree]]:
    """Return a graph, and the arguments with its inputs in them."""
    graph, names = Graph(), argument_names(f, len(example))
    return graph, [graph.inputs_like(x, name) for x, name in zip(example, names, strict=True)]


def _traced(tree: Tree) -> Tree:
    """Return arrays as constants of the tape: NumPy's functions, and ours, serve them."""
    return map_leaves(
        lambda x: traced_namespace(array_namespace(x)).lift(x) if is_array(x) else x, tree
    )


def _plain(tree: Tree) -> Tree:
    """Return the values of constants."""
    return map_leaves(strip, tree)


# --- a step ---------------------------------------------------------------------------------------


def _changing(optimizer: Optimizer, params: Tree, state: Any) -> frozenset[str]:
    """Return which of the state's numbers a step changes, the count for one: they are inputs."""
    numbers: frozenset[str] = frozenset()
    while True:
        graph = Graph()
        w = graph.inputs_like(params, "params")
        before = graph.inputs_like(state, "state", numbers)
        _, after = _stepped(optimizer, w, w, before, _number_of(w))
        old, new = named_leaves(before, "state")[0], named_leaves(after, "state")[0]
        _check_names(old, new)
        changed = {name for name, x in old.items() if not is_array(x) and _differs(x, new[name])}
        if changed <= numbers:
            return numbers
        numbers |= changed  # with these in the graph, others may depend on them


def _stepped(optimizer: Optimizer, w: Tree, grads: Tree, state: Any, value: Any) -> Any:
    """Take a step, with the loss if the optimizer asks for it."""
    return step_of(optimizer, w, grads, state, {"value": value}, donate=False)


def _number_of(params: Tree) -> Any:
    """Return a real 0-d array of the graph, to stand for the loss."""
    leaves = flatten(params)[0]
    if not leaves:
        message = "`params` holds no arrays: there is nothing to step"
        raise StructureError(message)
    xp = array_namespace(leaves[0])
    return xp.sum(leaves[0])


def _differs(old: Any, new: Any) -> bool:
    return bool(is_array(new) or old != new)


def _check_names(old: dict[str, Any], new: dict[str, Any]) -> None:
    if old.keys() != new.keys():
        other = ", ".join(sorted(old.keys() ^ new.keys()))
        message = f"a step changes the structure of the state, at {other}"
        raise StructureError(message)


def _like(new: Any, old: Any) -> Any:
    """Return what comes out as an array of the dtype that went in, for it goes in again."""
    xp = array_namespace(old)
    return cast(xp, new if is_array(new) else xp.asarray(new), old.dtype)
