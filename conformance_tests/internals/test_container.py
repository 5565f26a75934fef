"""`Container`: a dict with attributes, a node of everybody's trees, printed as on the page."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from arraygrad import _tree
from arraygrad.container import Container


def nested() -> Container:
    """Return a container with a container in it."""
    return Container(b=np.asarray([1.0, 2.0]), a={"c": np.asarray(3.0)})


def test_entries_are_items_and_attributes():
    x = nested()
    assert x.b is x["b"]
    x.b = 5
    assert x["b"] == 5
    x["d"] = 6
    assert x.d == 6
    del x.d
    assert "d" not in x
    assert list(x) == ["b", "a"]


@pytest.mark.parametrize("act", [lambda x: x.missing, lambda x: delattr(x, "missing")])
def test_a_missing_attribute_is_named(act):
    with pytest.raises(AttributeError, match=r"no entry 'missing'; it has \['b', 'a'\]"):
        act(nested())


def test_a_name_of_dict_is_no_attribute_of_ours():
    x = Container()
    with pytest.raises(AttributeError, match=r"set it as an item, \['items'\]"):
        x.items = 1
    x["items"] = 1
    assert list(x.items()) == [("items", 1)]


def test_plain_dicts_become_containers_wherever_they_enter():
    x = Container({"a": {}}, b={"c": {}})
    x["d"] = {}
    x.e = {}
    x.update(f={})
    x |= {"g": {}}
    x.setdefault("h", {})
    y = x | {"i": {}}
    z = {"j": {}} | x
    assert {type(child) for child in [*x.values(), x.b.c, *y.values(), *z.values()]} == {Container}
    assert (type(y), type(z)) == (Container, Container)
    assert list(z) == ["j", *x]


def test_a_value_of_another_kind_is_kept():
    value = [{"a": 1}]
    assert Container(x=value).x is value


def test_it_equals_a_dict_with_the_same_entries():
    assert Container(a=1, b={"c": 2}) == {"a": 1, "b": {"c": 2}}
    assert Container(a=1) != Container(a=2)


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, Container.copy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=["copy", "deepcopy", "method", "pickle"],
)
def test_a_copy_has_its_own_entries(duplicate):
    x = nested()
    y = duplicate(x)
    y.b = None
    assert (type(y), type(y.a), list(y)) == (Container, Container, list(x))
    assert x.b is not None


def test_dir_lists_the_entries():
    assert {"a", "b", "keys"} <= set(dir(nested()))


def test_it_prints_as_on_the_page():
    x = Container(a=np.asarray([1.0, 2.0]), b={"c": np.zeros((2, 2)), "d": Container()}, e=[1])
    assert repr(x) == (
        "{\n"
        "    a: array([1., 2.]),\n"
        "    b: {\n"
        "        c: array([[0., 0.],\n"
        "                  [0., 0.]]),\n"
        "        d: {}\n"
        "    },\n"
        "    e: [1]\n"
        "}"
    )


def test_it_has_no_arithmetic():
    with pytest.raises(TypeError):
        Container(a=1) + Container(a=1)


def test_it_is_a_node_of_our_trees_in_its_own_order():
    x = nested()
    paths, leaves, treedef = _tree.flatten_with_paths(x)
    assert paths == [("b",), ("a", "c")]
    rebuilt = _tree.unflatten(treedef, leaves)
    assert (type(rebuilt), type(rebuilt.a), list(rebuilt)) == (Container, Container, ["b", "a"])


def test_jax_knows_it():
    jax = pytest.importorskip("jax")
    x = Container(b=jax.numpy.ones(2), a={"c": jax.numpy.ones(())})
    y = jax.jit(lambda x: Container(a=x.a, d=2 * x.b))(x)
    assert (list(y), type(y.a)) == (["a", "d"], Container)
    np.testing.assert_array_equal(y.d, [2.0, 2.0])
    keys = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(x)]
    assert keys == ["['b']", "['a']['c']"]


def test_torch_knows_it():
    torch = pytest.importorskip("torch")
    from torch.utils import _pytree

    x = Container(b=torch.ones(2), a={"c": torch.ones(())})
    gradient = torch.func.grad(lambda x: (x.b**2).sum() * x.a.c)(x)
    assert (list(gradient), type(gradient.a)) == (["b", "a"], Container)
    assert gradient.b.tolist() == [2.0, 2.0]
    assert gradient.a.c.item() == 2.0
    paths = [_pytree.keystr(path) for path, _ in _pytree.tree_flatten_with_path(x)[0]]
    assert paths == ["['b']", "['a']['c']"]


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_it_imports_no_framework_and_meets_those_imported_later(framework):
    pytest.importorskip(framework)
    flatten = {"jax": "jax.tree_util.tree_leaves", "torch": "torch.utils._pytree.tree_leaves"}
    program = "\n".join(
        [
            "import sys",
            "from arraygrad.container import Container",
            "x = Container(a=1)",
            "assert not {'jax', 'torch'} & set(sys.modules)",
            f"import {framework}" + (".utils._pytree" if framework == "torch" else ""),
            "x.b = 2",
            f"assert {flatten[framework]}(x) == [1, 2]",
        ]
    )
    subprocess.run([sys.executable, "-c", program], check=True)
