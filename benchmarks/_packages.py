"""Which peers are installed here."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TypeVar

__all__ = ["enable_float64", "installed"]

Peer = TypeVar("Peer")


def installed(peers: Mapping[str, Peer], needs: Mapping[str, str]) -> dict[str, Peer]:
    """Return the peers whose package is installed; say which are left out."""
    missing = [name for name in peers if name in needs and find_spec(needs[name]) is None]
    for name in missing:
        print(f"{name} is left out: {needs[name]} is not installed")
    return {name: peer for name, peer in peers.items() if name not in missing}


def enable_float64() -> None:
    """Let jax keep float64, where it is installed."""
    try:
        import jax
    except ImportError:
        return
    jax.config.update("jax_enable_x64", True)
