"""Make our node classes known to the trees of jax and torch, as soon as those are imported.

A `Container` may reach `jax.jit` before any function of ours has seen an array, so the first entry
that is set after jax was imported brings the registration about.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["introduce"]

Flatten: TypeAlias = Callable[[Any], tuple[tuple[Any, ...], tuple[str, ...]]]
Unflatten: TypeAlias = Callable[[Any, Any], Any]

_known: set[tuple[str, type]] = set()
_lock = threading.Lock()


def introduce(kind: type, flatten: Flatten, unflatten: Unflatten) -> None:
    """Register a class with keys and values in every imported framework that has not met it."""
    for name, register in _REGISTER.items():
        if name in sys.modules and (name, kind) not in _known:
            with _lock:
                if (name, kind) not in _known:
                    register(kind, flatten, unflatten)
                    _known.add((name, kind))


def _register_in_jax(kind: type, flatten: Flatten, unflatten: Unflatten) -> None:
    """Register a class in `jax.tree_util`."""
    from jax import tree_util

    def flatten_with_keys(node: Any) -> tuple[Any, Any]:
        values, keys = flatten(node)
        return [(tree_util.DictKey(k), v) for k, v in zip(keys, values, strict=True)], keys

    tree_util.register_pytree_with_keys(kind, flatten_with_keys, unflatten, flatten)


def _register_in_torch(kind: type, flatten: Flatten, unflatten: Unflatten) -> None:
    """Register a class in `torch.utils._pytree`, which `torch.func` walks."""
    from torch.utils import _pytree

    def flatten_to_list(node: Any) -> tuple[list[Any], Any]:
        values, keys = flatten(node)
        return list(values), keys

    def flatten_with_keys(node: Any) -> tuple[list[Any], Any]:
        values, keys = flatten(node)
        return [(_pytree.MappingKey(k), v) for k, v in zip(keys, values, strict=True)], keys

    _pytree.register_pytree_node(
        kind,
        flatten_to_list,
        lambda values, keys: unflatten(keys, values),
        serialized_type_name=f"{kind.__module__}.{kind.__qualname__}",
        flatten_with_keys_fn=flatten_with_keys,
    )


_REGISTER = {"jax": _register_in_jax, "torch": _register_in_torch}
