"""`audit` finds what is wrong with a gradient, and where; errors of a lost gradient say it too."""

import io

import array_api_strict
import numpy as np
import pytest
from array_api_compat import array_namespace

import arraygrad as ag
from arraygrad.errors import DtypeError, GraphBreakError, NoRuleError

LIBRARIES = pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "strict"])


def smooth(w, x):
    """Return a number from a tree and an array, in their own namespace."""
    xp = array_namespace(x)
    return xp.sum(xp.tanh(w["a"] * x)) + xp.mean(w["b"] ** 2)


def tree(xp):
    """Return the arguments of `smooth`."""
    return {"a": xp.asarray([0.5, -1.0]), "b": xp.asarray([[2.0, 3.0]])}, xp.asarray([1.0, 2.0])


@LIBRARIES
def test_nothing_is_wrong_with_a_good_gradient(xp):
    report = ag.audit(smooth, *tree(xp), quiet=True)
    assert report.ok, report
    assert [c.name for c in report.arguments] == ["args[0]['a']", "args[0]['b']", "args[1]"]
    assert all(c.error < 1e-9 for c in report.arguments)
    assert report.breaks == report.disconnected == report.nonfinite == ()


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_arrays_of_other_autodiffs_are_audited(library):
    xp = pytest.importorskip(library)
    report = ag.audit(smooth, *tree(xp), quiet=True)
    assert report.ok, report
    name = library.partition(".")[0]
    assert {c.name for c in report.libraries if c.agrees} >= {f"{name} by the tape", "numpy"}


def test_every_other_library_is_compared():
    for library in ("torch", "jax"):
        pytest.importorskip(library)
    report = ag.audit(smooth, *tree(np), quiet=True)
    agreed = {c.name for c in report.libraries if c.agrees}
    assert agreed >= {"array_api_strict", "torch", "jax"}


def test_a_library_that_the_function_cannot_run_on_is_listed():
    report = ag.audit(lambda x: np.sum(np.sin(x)), np.ones(2), quiet=True)
    (strict,) = (c for c in report.libraries if c.name == "array_api_strict")
    assert strict.agrees is None
    assert "GraphBreakError" in strict.reason
    assert report.ok


@LIBRARIES
@pytest.mark.parametrize("read", [float, complex])
def test_a_graph_break_is_named_with_file_and_line(xp, read):
    def f(w, s):
        taken = read(s).real
        return array_namespace(w).sum(w) * taken

    report = ag.audit(f, xp.asarray([1.0, 2.0]), xp.asarray(3.0), quiet=True)
    (found,) = report.breaks
    assert found.operation == f"{read.__name__}()"
    assert (found.file, found.line) == (__file__, f.__code__.co_firstlineno + 1)
    assert report.disconnected == ("args[1]",)
    assert [c.agrees for c in report.arguments] == [True, False]
    assert not report.ok


def test_each_break_is_listed_once_however_often_it_happens():
    def f(x):
        total = np.sum(x)
        for _ in range(3):
            total = total + float(x[0])
        return total * np.asarray(x)[1]

    report = ag.audit(f, np.asarray([1.0, 2.0]), quiet=True)
    assert [found.operation for found in report.breaks] == ["float()", "np.asarray()"]
    assert report.breaks[1].line - report.breaks[0].line == 1


def test_a_function_without_a_rule_is_a_break():
    def f(x):
        return np.sum(np.frexp(x)[0])

    report = ag.audit(f, np.asarray([1.5, 2.5]), quiet=True)
    (found,) = report.breaks
    assert "NoRuleError" in found.what
    assert found.line == f.__code__.co_firstlineno + 1
    assert [c.agrees for c in report.arguments] == [None]


@LIBRARIES
def test_what_has_no_influence_is_disconnected(xp):
    def f(a, b, c):
        return array_namespace(a).sum(a * ag.stop_gradient(b))

    ones = xp.asarray([1.0, 1.0])
    report = ag.audit(f, ones, ones, ones, quiet=True)
    assert report.disconnected == ("args[1]", "args[2]")
    assert [c.agrees for c in report.arguments] == [True, False, True]


@LIBRARIES
def test_infinities_and_nans_are_named_with_their_operation(xp):
    def f(x, y):
        xp = array_namespace(x)
        roots = xp.sqrt(x)
        return xp.sum(roots + xp.log(y))

    report = ag.audit(f, xp.asarray([1.0, 0.0]), xp.asarray([1.0, 0.0]), quiet=True)
    found = {
        (n.operation, n.what.split()[1], n.line - f.__code__.co_firstlineno)
        for n in report.nonfinite
    }
    assert found == {("log", "value", 3), ("log", "cotangent", 3), ("sqrt", "cotangent", 2)}


def test_gradients_that_are_infinite_on_every_library_agree():
    def f(x):
        xp = array_namespace(x)
        return xp.sum(xp.sqrt(x))

    report = ag.audit(f, np.asarray([1.0, 0.0]), quiet=True)
    assert all(c.agrees is not False for c in report.libraries)
    assert [c.agrees for c in report.arguments] == [False]


def test_an_argument_that_is_nan_is_named():
    report = ag.audit(lambda x: np.sum(x), np.asarray([1.0, np.nan]), quiet=True)
    assert report.nonfinite[0].operation == "args[0]"


def test_a_wrong_derivative_disagrees():
    @ag.custom_gradient
    def wrong(x):
        return x * x, lambda g: (g * x,)

    report = ag.audit(
        lambda x: array_namespace(x).sum(wrong(x)), np.asarray([1.0, 2.0]), quiet=True
    )
    assert [c.agrees for c in report.arguments] == [False]
    assert not report.ok


def test_numbers_and_single_precision_are_audited():
    assert ag.audit(lambda x: x * x, 3.0, quiet=True).ok
    x = np.asarray([1.0, 2.0], dtype=np.float32)
    assert ag.audit(lambda x: np.sum(np.exp(x)), x, quiet=True).ok


def test_complex_arrays_are_audited():
    report = ag.audit(
        lambda z: array_namespace(z).sum(array_namespace(z).exp(z)),
        np.asarray([1j, 2 - 1j]),
        quiet=True,
    )
    assert report.ok, report
    assert {c.name for c in report.libraries if c.agrees} >= {"array_api_strict"}


def test_the_table_is_printed_where_one_wants():
    file = io.StringIO()
    report = ag.audit(lambda x: np.sum(x), np.ones(2), file=file)
    assert file.getvalue() == f"{report}\n"
    assert file.getvalue().startswith("audit: nothing wrong\n")


def test_by_default_the_table_goes_to_the_standard_output(capsys):
    report = ag.audit(lambda x: np.sum(x), np.ones(2))
    assert capsys.readouterr().out == f"{report}\n"


def test_ordinary_tapes_still_refuse_reads_afterwards():
    def f(x):
        return x * float(x)

    ag.audit(f, np.asarray(2.0), quiet=True)
    with pytest.raises(GraphBreakError):
        ag.grad(f)(np.asarray(2.0))


def test_errors_of_the_function_itself_are_raised():
    with pytest.raises(ZeroDivisionError):
        ag.audit(lambda x: 1 // 0, np.ones(2), quiet=True)


def test_without_a_floating_array_there_is_nothing_to_audit():
    with pytest.raises(DtypeError, match="nothing to differentiate"):
        ag.audit(lambda x: x, np.asarray([1]), quiet=True)


@LIBRARIES
def test_a_graph_break_points_at_the_users_line(xp):
    def f(x):
        return x * float(x)

    with pytest.raises(GraphBreakError) as caught:
        ag.grad(f)(xp.asarray(2.0))
    assert caught.value.place == (__file__, f.__code__.co_firstlineno + 1)
    assert caught.value.__notes__ == [
        f"at {__file__}:{f.__code__.co_firstlineno + 1}: return x * float(x)"
    ]


def test_a_function_without_a_rule_points_at_the_users_line():
    def f(x):
        return np.sum(np.frexp(x)[0])

    with pytest.raises(NoRuleError) as caught:
        ag.grad(f)(np.ones(2))
    assert caught.value.place == (__file__, f.__code__.co_firstlineno + 1)


@LIBRARIES
def test_a_function_that_writes_into_its_argument_changes_nothing_of_the_callers(xp):
    def f(x):
        x *= 2
        return array_namespace(x).sum(x * x)

    x = xp.asarray([1.0, 2.0])
    assert ag.audit(f, x, quiet=True).ok
    assert [float(x[0]), float(x[1])] == [1.0, 2.0]
