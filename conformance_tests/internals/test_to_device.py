"""An array that moves to another device takes its gradient along, and brings it back."""

import array_api_strict as xp

import arraygrad as ag

HERE, THERE = xp.Device("CPU_DEVICE"), xp.Device("device1")


def there_and_back(x):
    """Return the sum of the fourth powers, half of the way on another device."""
    y = (x * x).to_device(THERE)
    z = (y * y).to_device(HERE)
    return z.__array_namespace__().sum(z)


def test_gradient_comes_back_to_the_device_of_its_array():
    """The cotangent takes the way back."""
    x = xp.asarray([1.0, 2.0])
    gradient = ag.grad(there_and_back)(x)
    assert gradient.device == HERE
    assert xp.all(gradient == 4 * x**3)


def test_tangent_goes_along():
    """Forward mode moves the tangent with its array."""
    x = xp.asarray([1.0, 2.0])
    y, tangent = ag.jvp(there_and_back, (x,), (x,))
    assert y == 17.0
    assert tangent == 4 * 17.0


def test_second_derivative_takes_both_ways():
    """A gradient that moves is differentiated like anything else."""
    x = xp.asarray([1.0, 2.0])
    product = ag.hvp(there_and_back, (x,), (x,))[0]
    assert xp.all(product == 12 * x**3)
