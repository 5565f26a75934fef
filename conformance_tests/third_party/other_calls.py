"""Calls of array-api-extra, of einops.array_api, and of xarray."""

import array_api_extra as xpx
import einops.array_api as einops
import xarray as xr
from array_api_compat import array_namespace

from conformance_tests.third_party.calls import Call, matrix, vector

__all__ = ["OTHERS"]

V, W = vector(), vector(seed=1)
X, Y = matrix(), matrix(seed=1)

EXTRA = {
    "array_api_extra.apply_where": Call(
        lambda x: xpx.apply_where(
            x > 0, x, lambda x: array_namespace(x).log(x), lambda x: array_namespace(x).exp(x)
        ),
        (V,),
    ),
    "array_api_extra.at.set": Call(lambda x, v: xpx.at(x * 1.0)[2:4].set(v[:2]), (V, W)),
    "array_api_extra.at.multiply": Call(lambda x: xpx.at(x * 1.0)[x > 0].multiply(3.0), (V,)),
    "array_api_extra.atleast_nd": Call(lambda x: xpx.atleast_nd(x, ndim=3) ** 2, (V,)),
    "array_api_extra.cov": Call(xpx.cov, (X,)),
    "array_api_extra.create_diagonal": Call(xpx.create_diagonal, (V,)),
    "array_api_extra.expand_dims": Call(lambda x: xpx.expand_dims(x, axis=(0, 1)) ** 2, (V,)),
    "array_api_extra.kron": Call(xpx.kron, (X, Y[:2])),
    "array_api_extra.pad": Call(lambda x: xpx.pad(x, 2) ** 2, (X,)),
    "array_api_extra.sinc": Call(xpx.sinc, (V,)),
}
EINOPS = {
    "einops.rearrange": Call(lambda x: einops.rearrange(x, "(a b) c -> a (c b)", b=2) ** 2, (X,)),
    "einops.reduce(max)": Call(lambda x: einops.reduce(x, "(a b) c -> a c", "max", b=2), (X,)),
    "einops.reduce(mean)": Call(lambda x: einops.reduce(x, "a b -> b", "mean") ** 2, (X,)),
    "einops.repeat": Call(lambda x: einops.repeat(x, "a b -> a 3 b") ** 2, (X,)),
    "einops.pack": Call(lambda x, y: einops.pack([x, y], "* c")[0] ** 2, (X, Y)),
}


def labelled(x: object) -> xr.DataArray:
    """Return an array with named axes."""
    return xr.DataArray(x, dims=("time", "place"))


XARRAY = {
    "xarray.mean": Call(lambda x: labelled(x**2).mean("time").data, (X,)),
    "xarray.arithmetic": Call(
        lambda x, y: (labelled(x) * labelled(y) - labelled(x).sum("place")).data, (X, Y)
    ),
    "xarray.isel": Call(lambda x: labelled(x).isel(time=slice(1, 4)).data ** 2, (X,)),
    "xarray.transpose": Call(lambda x: labelled(x).transpose("place", "time").data ** 2, (X,)),
    "xarray.where": Call(lambda x: labelled(x).where(labelled(x) > 0, 0.5).data ** 2, (X,)),
    "xarray.concat": Call(
        lambda x, y: xr.concat([labelled(x), labelled(y)], dim="time").data ** 2, (X, Y)
    ),
    "xarray.max": Call(lambda x: labelled(x).max("time", skipna=False).data, (X,)),
}

OTHERS = {**EXTRA, **EINOPS, **XARRAY}
