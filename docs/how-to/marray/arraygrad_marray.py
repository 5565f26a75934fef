"""What is peculiar to marray: masked arrays, here over NumPy."""

from marray import numpy as mxp

import arraygrad as ag

__all__ = ["unique_values"]  # this goes in front of marray's own


def unique_values(x, /):
    """Return the values in an order that is always the same: NumPy's, of complex ones, is not."""
    return mxp.sort(mxp.unique_values(x))


def to_numpy(x):
    """Return the values, those under the mask too."""
    return x.data


LIBRARY = ag.Library(namespace="arraygrad_marray", readable=True, to_numpy=to_numpy)

ag.register_library("marray", LIBRARY)
