"""The torch adapter: two engines, and when results are part of somebody's graph."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

import arraygrad as ag
from arraygrad import errors

torch = pytest.importorskip("torch")
from arraygrad.autodiff import torch as adapter  # noqa: E402 -- needs torch


def tensor(values, **options):
    """Make a tensor of double precision."""
    return torch.tensor(values, dtype=torch.float64, **options)


def equal(found, expected):
    """Compare a tensor with its expected values."""
    torch.testing.assert_close(found, tensor(expected), rtol=1e-13, atol=1e-14)


def cube(x):
    """Sum third powers: gradient 3x²."""
    return (x**3).sum()


# --- the protocol ---------------------------------------------------------------------------------


def body(leaves, constants):
    """A function in flat lists, with auxiliary data of all sorts."""
    x, y = leaves
    return [x * y, x.sum(), constants[0]], ["text", x * 2, None, constants[0]]


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_outputs_pullback_and_aux(once, nested):
    leaves, constants = [tensor([1.0, 2.0]), tensor(3.0)], [tensor([7.0])]
    if nested:
        leaves = [x.requires_grad_() * 1 for x in leaves]
    outputs, pullback, aux = adapter.vjp(body, leaves, constants, once=once)
    equal(outputs[0].detach(), [3.0, 6.0])
    assert aux[0] == "text"
    assert aux[2] is None
    equal(aux[1].detach(), [2.0, 4.0])
    first, second = pullback([tensor([1.0, 10.0]), tensor(100.0), tensor([5.0])])
    equal(first.detach(), [103.0, 130.0])
    equal(second.detach(), 21.0)
    results = [*outputs[:2], aux[1], first, second]
    assert [x.requires_grad for x in results] == [nested] * 5


@pytest.mark.parametrize("nested", [True, False])
def test_a_pullback_for_a_single_call_refuses_a_second(nested):
    x = tensor([1.0, 2.0])
    if nested:
        x = x.requires_grad_() * 1
    _, pullback, _ = adapter.vjp(lambda leaves, _: ([leaves[0] * 2], []), [x], [], once=True)
    pullback([tensor([1.0, 1.0])])
    with pytest.raises(errors.SpentTapeError, match="single call"):
        pullback([tensor([1.0, 1.0])])


def test_a_pullback_for_a_single_call_lets_go_of_everything():
    x = tensor([1.0, 2.0])
    between = []

    def f(leaves, _):
        y = leaves[0] * 2
        between.append(weakref.ref(y))
        return [(y * y).sum()], []

    _, pullback, _ = adapter.vjp(f, [x], [], once=True)
    pullback([tensor(1.0)])
    gc.collect()
    assert between[0]() is None


def test_nothing_returned_has_gradient_zero():
    x = tensor([1.0, 2.0])
    for leaf in (x, x.clone().requires_grad_() * 1):
        outputs, pullback, aux = adapter.vjp(lambda leaves, _: ([], []), [leaf], [])
        assert outputs == aux == []
        equal(pullback([])[0], [0.0, 0.0])
        assert adapter.jvp(lambda leaves, _: ([], []), [leaf], [x], []) == ([], [], [])


# --- whose graph a result is part of --------------------------------------------------------------


def test_a_parameter_is_outermost_and_gets_no_grad():
    w = torch.nn.Parameter(tensor([1.0, 2.0]))
    value, gradient = ag.value_and_grad(cube)(w)
    equal(gradient, [3.0, 12.0])
    assert not value.requires_grad
    assert not gradient.requires_grad
    assert w.grad is None
    assert w.requires_grad
    assert type(gradient) is torch.Tensor


def test_a_closed_over_parameter_does_not_leak_its_graph():
    w, x = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0])
    f = lambda x: (w * x**2).sum()
    value, gradient = ag.value_and_grad(f)(x)
    y, pullback = ag.vjp(f, x)
    results = [value, gradient, y, *pullback(tensor(1.0)), *ag.jvp(f, (x,), (x,))]
    results += [ag.jac(f)(x), ag.hessian(f)(x), *ag.hvp(f, (x,), (x,))]
    results += ag.execute_with_gradients(f, x)
    assert not any(result.requires_grad for result in results)
    assert w.grad is None
    equal(gradient, [6.0, 16.0])


def test_results_stay_in_the_graph_of_their_arguments():
    w = tensor([1.0, 2.0], requires_grad=True)
    ag.grad(cube)(w * 1).sum().backward()
    equal(w.grad, [6.0, 12.0])


def test_results_stay_in_the_graph_of_a_constant():
    w, x = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0])
    ag.grad(lambda x, w: (w * x**2).sum())(x, w * 1).sum().backward()
    equal(w.grad, [6.0, 8.0])


def test_retained_gradients_stay_in_the_graph_of_what_is_closed_over():
    w, x = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0])
    f = lambda x: (w * x**2).sum()
    ret, grads = ag.execute_with_gradients(f, x, retain_grads=True)
    (grads.sum() + ret).backward()
    equal(w.grad, [15.0, 24.0])


def test_retained_gradients_stay_in_the_graph_of_the_inputs():
    x = tensor([1.0, 2.0], requires_grad=True)
    _, grads = ag.execute_with_gradients(cube, x, retain_grads=True)
    grads.sum().backward()
    equal(x.grad, [6.0, 12.0])


# --- inside and outside of torch's own tools ------------------------------------------------------


def test_gradients_inside_transforms_of_torch():
    x, batch = tensor([1.0, 2.0]), tensor([[1.0, 2.0], [3.0, 4.0]])
    gradient = ag.grad(cube)
    equal(torch.func.grad(lambda x: gradient(x).sum())(x), [6.0, 12.0])
    equal(torch.func.jvp(gradient, (x,), (x,))[1], [6.0, 24.0])
    equal(torch.vmap(gradient)(batch), [[3.0, 12.0], [27.0, 48.0]])
    equal(torch.func.jacrev(gradient)(x), [[6.0, 0.0], [0.0, 12.0]])
    equal(torch.func.jacfwd(gradient)(x), [[6.0, 0.0], [0.0, 12.0]])


def test_products_inside_transforms_of_torch():
    x, batch = tensor([1.0, 2.0]), tensor([[1.0, 2.0], [3.0, 4.0]])
    rate = lambda x: ag.jvp(cube, (x,), (x,))[1]
    equal(torch.func.grad(rate)(x), [9.0, 36.0])
    equal(torch.vmap(rate)(batch), [27.0, 273.0])
    _, pullback = ag.vjp(lambda x: x**3, x)
    equal(torch.vmap(lambda c: pullback(c)[0])(batch), [[3.0, 24.0], [9.0, 48.0]])
    equal(torch.func.grad(lambda c: (pullback(c)[0] ** 2).sum())(x), [18.0, 576.0])


def test_transforms_of_torch_inside():
    x = tensor([1.0, 2.0])
    equal(ag.grad(lambda x: torch.func.grad(cube)(x).sum())(x), [6.0, 12.0])
    equal(ag.grad(lambda x: torch.func.jvp(cube, (x,), (x,))[1])(x), [9.0, 36.0])


def test_a_closed_over_variable_of_a_transform_keeps_its_gradient():
    one = tensor(1.0)
    f = lambda x: x * ag.grad(lambda y: x * y)(one)
    equal(torch.func.grad(f)(tensor(3.0)), 6.0)
    equal(torch.func.jvp(f, (tensor(3.0),), (one,))[1], 6.0)


def test_no_grad_outside_changes_nothing():
    x, one = tensor([1.0, 2.0]), tensor([1.0, 1.0])
    with torch.no_grad():
        equal(ag.grad(cube)(x), [3.0, 12.0])
        equal(ag.grad(lambda x: ag.grad(cube)(x).sum())(x), [6.0, 12.0])
        equal(ag.jvp(ag.grad(cube), (x,), (one,))[1], [6.0, 12.0])
        equal(ag.hessian(cube)(x), [[6.0, 0.0], [0.0, 12.0]])
        assert not torch.is_grad_enabled()


def test_no_grad_inside_makes_constants():
    def f(x):
        with torch.no_grad():
            y = x * 2
        return (x * y).sum()

    equal(ag.grad(f)(tensor([1.0, 2.0])), [2.0, 4.0])


def test_tensors_on_two_devices_raise():
    x, y = tensor([1.0]), torch.empty(1, device="meta")
    with pytest.raises(errors.DeviceError, match=r"args\[0\] on cpu and kwargs\['y'\] on meta"):
        ag.grad(lambda x, y: cube(x))(x, y=y)


def test_values_are_never_read():
    x = torch.empty((2, 3), dtype=torch.float64, device="meta")
    for found in (
        ag.grad(cube)(x),
        ag.hvp(cube, (x,), (x,))[0],
        ag.execute_with_gradients(cube, x)[1],
    ):
        assert found.shape == x.shape
        assert found.device == x.device
    assert ag.jac(lambda x: x**2)(x).shape == (2, 3, 2, 3)


def test_inference_mode_raises_instead_of_returning_zeros():
    x = tensor([1.0, 2.0])
    with torch.inference_mode():
        with pytest.raises(errors.GraphBreakError, match="inference_mode"):
            ag.grad(cube)(x)
        with pytest.raises(errors.GraphBreakError, match="inference_mode"):
            ag.jvp(cube, (x,), (x,))


def test_what_fails_inside_leaves_the_next_call_outermost():
    def fail(x):
        ag.grad(cube)(x)
        raise KeyError

    w = tensor([1.0, 2.0], requires_grad=True)
    for call in (ag.grad(fail), lambda x: ag.jvp(fail, (x,), (x,)), lambda x: ag.vjp(fail, x)):
        with pytest.raises(KeyError):
            call(tensor([1.0, 2.0]))
        assert not ag.grad(lambda x: (w * x).sum())(tensor([1.0, 1.0])).requires_grad


# --- threads --------------------------------------------------------------------------------------


def test_many_threads_differentiate_at_once():
    start = threading.Barrier(4)

    def work(value):
        start.wait()
        return [ag.grad(ag.grad(lambda x: x**3))(tensor(value)).item() for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, [1.0, 2.0, 3.0, 4.0]))
    assert found == [[6.0 * value] * 20 for value in (1.0, 2.0, 3.0, 4.0)]


def test_a_pool_inside_a_copy_of_the_context_is_nested():
    def f(x):
        inner = lambda: ag.grad(lambda y: x * y**2)(tensor(2.0))
        with ThreadPoolExecutor(1) as pool:
            return x * pool.submit(copy_context().run, inner).result()

    equal(ag.grad(f)(tensor(3.0)), 24.0)
