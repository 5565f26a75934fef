"""States on disk and between libraries: parameters, moments, any tree of arrays and numbers.

`save_state` and `load_state` write and read files of named arrays. `from_torch`, `to_torch`,
`from_optax` and `to_optax` take over the state of another library's optimizer, and give it back.
"""

from arraygrad.state._report import StateReport
from arraygrad.state.files import load_state, save_state
from arraygrad.state.optax import from_optax, to_optax
from arraygrad.state.torch import from_torch, to_torch

__all__ = [
    "StateReport",
    "from_optax",
    "from_torch",
    "load_state",
    "save_state",
    "to_optax",
    "to_torch",
]
