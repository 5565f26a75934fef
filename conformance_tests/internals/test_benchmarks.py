"""What is benchmarked is right: every gradient written by hand is the one arraygrad finds."""

import numpy as np
import pytest

from benchmarks._floor import compiler, floor
from benchmarks._measure import interleaved
from benchmarks._more_cases import EVERY_CASE
from benchmarks._optimizers import NEEDS, OURS
from benchmarks._optimizers import PEERS as OPTIMIZERS
from benchmarks._peers import arraygrad, hand
from benchmarks._report import table
from benchmarks._updates import NAIVE, arraygrad_out, draw, naive_numpy
from benchmarks._updates import arraygrad as arraygrad_update
from benchmarks.tape import chosen

TOLERANCE = {"float32": 2e-3, "float64": 1e-9}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", EVERY_CASE)
def test_the_hand_written_gradient_is_arraygrads(name, dtype):
    parameters, data = EVERY_CASE[name].data(dtype)
    value, gradients = hand(EVERY_CASE[name], parameters, data)()
    our_value, ours = arraygrad(EVERY_CASE[name], parameters, data)()
    for mine, theirs in zip([our_value, *ours], [value, *gradients], strict=True):
        scale = np.max(np.abs(theirs))
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE[dtype] * scale)
        assert mine.dtype == dtype


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("name", "peer"),
    [(name, peer) for name, case in EVERY_CASE.items() for peer in case.spellings],
)
def test_other_words_say_the_same(name, peer, dtype):
    case, (parameters, data) = EVERY_CASE[name], EVERY_CASE[name].data(dtype)
    value, gradients = hand(case, parameters, data)()
    other_value, others = arraygrad(case.spelt_for(peer), parameters, data)()
    for one, other in zip([value, *gradients], [other_value, *others], strict=True):
        scale = np.max(np.abs(one))
        np.testing.assert_allclose(other, one, rtol=0, atol=TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("name", NAIVE)
@pytest.mark.parametrize("peer", [peer for peer in OURS if "zero" not in peer])
def test_optimizers_take_the_steps_of_the_floor(name, peer):
    if peer in NEEDS:
        pytest.importorskip(NEEDS[peer])
    if compiler() is None:
        pytest.skip("no C compiler")
    ours, theirs = (
        OPTIMIZERS[peer](name, *draw("1e3", "float64")),
        floor(name, *draw("1e3", "float64")),
    )
    for _ in range(3):
        reached, expected = ours(), theirs()
    np.testing.assert_allclose(np.asarray(reached[0]), expected[0], rtol=0, atol=1e-9)


def test_groups_of_cases_are_spelt_out_once():
    eight = chosen(["eight"])
    assert len(eight) == 8
    assert chosen(["all"]) == list(EVERY_CASE) == [*eight, "gp", "fft", "gather", "masked", "ode"]
    assert chosen(["gp", "eight", "rnn"]) == ["gp", *eight]
    with pytest.raises(SystemExit, match="no such case: gq"):
        chosen(["gq"])


@pytest.mark.parametrize("start", [arraygrad_update, arraygrad_out])
@pytest.mark.parametrize("name", NAIVE)
def test_three_steps_lead_where_the_plain_formulas_lead(name, start):
    ours, theirs = start(name, *draw("1e3", "float64")), naive_numpy(name, *draw("1e3", "float64"))
    for _ in range(3):
        reached, expected = ours(), theirs()
    np.testing.assert_allclose(reached[0], expected[0], rtol=1e-12, atol=0)


def test_every_function_gets_its_blocks_in_every_round():
    calls = {"one": 0, "two": 0}

    def count(name):
        calls[name] += 1

    functions = {name: lambda name=name: count(name) for name in calls}
    medians = interleaved(functions, rounds=4, block=0.0, label="test")
    assert medians.keys() == calls.keys()
    assert all(made >= 4 for made in calls.values())


def test_a_table_lines_up():
    lines = table("title", ["a", "long column"], {"x": ["1", "2"], "yy": ["30", "4"]}).splitlines()
    assert lines[1] == "**title**"
    assert len({len(line) for line in lines[3:]}) == 1
