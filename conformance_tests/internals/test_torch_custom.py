"""Functions with their own derivative on torch: in its own graphs and transforms too."""

import pytest

import arraygrad as ag

torch = pytest.importorskip("torch")


def tensor(values, **options):
    """Make a tensor of double precision."""
    return torch.tensor(values, dtype=torch.float64, **options)


def equal(found, expected):
    """Compare a tensor with its expected values."""
    torch.testing.assert_close(found, tensor(expected), rtol=1e-13, atol=1e-14)


@ag.custom_gradient
def cube(x):
    """Return x³, with its pullback."""
    return x**3, lambda g: (3 * x**2 * g,)


def scaled_sum(x, scale):
    """Sum what a block makes of a vector."""
    return (torch.sin(x) * scale).sum()


def test_backward_of_a_graph_of_the_users():
    x = tensor([1.0, 2.0], requires_grad=True)
    cube(x * 2).sum().backward()
    equal(x.grad, [24.0, 96.0])


def test_second_order_in_a_graph_of_the_users():
    x = tensor([1.0, 2.0], requires_grad=True)
    (first,) = torch.autograd.grad(cube(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    equal(second, [6.0, 12.0])


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: torch.func.grad(lambda x: f(x).sum()),
        lambda f: torch.func.vmap(torch.func.grad(f)),
        lambda f: lambda x: torch.func.jvp(f, (x,), (torch.ones_like(x),))[1],
        lambda f: lambda x: torch.func.jacfwd(f)(x).sum(0),
        lambda f: lambda x: torch.func.jacrev(f)(x).sum(0),
    ],
)
@pytest.mark.parametrize("f", [cube, ag.checkpoint(lambda x: x**3)])
def test_transforms_of_torch(transform, f):
    equal(transform(f)(tensor([1.0, 2.0])), [3.0, 12.0])


def test_a_batch_is_mapped_before_it_is_differentiated():
    x = tensor([1.0, 2.0], requires_grad=True)
    torch.func.vmap(cube)(x).sum().backward()
    equal(x.grad, [3.0, 12.0])


def test_the_function_may_leave_torch_and_runs_once():
    runs = []

    @ag.custom_gradient
    def halved(x):
        runs.append(x)
        return torch.from_numpy(x.numpy() / 2), lambda g: (g / 2,)

    equal(ag.grad(lambda x: halved(x).sum())(tensor([1.0, 2.0])), [0.5, 0.5])
    assert len(runs) == 1


def test_gradients_are_detached_as_ever():
    weight = torch.nn.Parameter(tensor([3.0, 4.0]))
    times = ag.custom_gradient(lambda x: (x * weight, lambda g: (g * weight,)))
    gradient = ag.grad(lambda x: times(x).sum())(tensor([1.0, 2.0]))
    assert not gradient.requires_grad
    equal(gradient, [3.0, 4.0])


def test_a_checkpoint_passes_gradients_on_to_a_parameter_it_closes_over():
    weight = tensor(2.0, requires_grad=True)
    x = tensor([1.0, 2.0], requires_grad=True)
    ag.checkpoint(lambda x: scaled_sum(x, weight))(x).backward()
    equal(weight.grad, float(torch.sin(x.detach()).sum()))
    torch.testing.assert_close(x.grad, 2 * torch.cos(x.detach()))


def test_second_order_through_a_checkpoint_in_a_graph_of_the_users():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = ag.checkpoint(lambda x: (x**3).sum())(x)
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    equal(first.detach(), [3.0, 12.0])
    (second,) = torch.autograd.grad(first.sum(), x)
    equal(second, [6.0, 12.0])


def test_a_checkpoint_keeps_no_intermediate_result():
    sizes = []

    def count(x):
        sizes.append(x.numel())
        return x

    def block(x):
        for _ in range(10):
            x = torch.tanh(x)
        return x

    x = tensor([0.5, 1.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda x: x):
        block(x)
        plain, _ = len(sizes), sizes.clear()
        ag.checkpoint(block)(x)
    assert plain == 10
    assert len(sizes) == 2  # argument and value


def test_without_gradients_a_checkpoint_is_its_function():
    with torch.no_grad():
        assert not ag.checkpoint(torch.sin)(tensor([1.0], requires_grad=True)).requires_grad
