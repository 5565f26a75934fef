"""Gradients on a cluster of dask: large arrays stay there, and a dead worker is survived."""

import doctest
import importlib.util
import os
import re
import subprocess
import sys
from argparse import Namespace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from array_api_compat import array_namespace

import arraygrad as ag
from benchmarks import distributed as benchmark

distributed = pytest.importorskip("distributed")
cloudpickle = pytest.importorskip("cloudpickle")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
pytest.importorskip("tqdm")

DOCS = Path(__file__).parents[1] / "docs"
PROGRAM = DOCS / "examples" / "distributed_logistic_regression.py"
CHUNKS, FEATURES, STEPS = 8, 5, 3
SMALL = ("--rows", CHUNKS * 500, "--chunk-rows", 500, "--features", FEATURES, "--quiet")


def load_program():
    spec = importlib.util.spec_from_file_location("distributed_logistic_regression", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


program = load_program()


class CountingClient(distributed.Client):
    """A client that counts the bytes of all results that it fetches."""

    fetched = 0

    async def _gather(self, futures, *arguments, **keywords):
        found = await super()._gather(futures, *arguments, **keywords)
        self.fetched += sum(np.asarray(x).nbytes for x in found)
        return found


@pytest.fixture(scope="module")
def cluster():
    with program.connect(options()) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with CountingClient(cluster) as client:
        yield client


def options(*more):
    arguments = (*SMALL, "--steps", STEPS, *more)
    return program.parse_arguments([str(x) for x in arguments])


def tasks_of_training(client, *more):
    """Train, and return the keys of all tasks that the workers ran."""
    with distributed.get_task_stream(client) as stream:
        program.train(client, options(*more))
    return [str(task["key"]) for task in stream.data]


def draws(keys):
    return sum(key.startswith("('normal-") for key in keys)


# --- on the cluster -----------------------------------------------------------------------------


def test_the_workers_are_two_processes_of_their_own(client):
    processes = set(client.run(os.getpid).values())
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize("optimizer", program.OPTIMIZERS)
def test_the_loss_falls(client, optimizer):
    losses = program.train(client, options("--optimizer", optimizer))[1].loss
    assert len(losses) == STEPS
    assert losses[0] == pytest.approx(np.log(2), abs=1e-12)
    assert all(after < before for before, after in pairwise(losses))


def test_the_result_is_numpys(client):
    data = [client.compute(part).result() for part in program.make_data(options())]
    parameters, history = program.train(client, options())
    expected = {"weight": np.zeros(FEATURES), "bias": np.zeros(())}
    optimizer = program.OPTIMIZERS["adam"][0](program.OPTIMIZERS["adam"][1])
    state = optimizer.init(expected)
    for value in history.loss:
        loss, gradients = ag.value_and_grad(program.loss)(expected, program.Data(*data))
        expected, state = optimizer.step(expected, gradients, state)
        assert value == pytest.approx(float(loss), rel=1e-12)
    for name, x in expected.items():
        np.testing.assert_allclose(parameters[name], x, rtol=0, atol=1e-12)


def test_only_the_loss_and_the_gradient_reach_the_client(client):
    program.train(client, options())
    numbers = STEPS * (1 + FEATURES + 1) + 1  # and the accuracy at the end
    assert client.fetched == 8 * numbers


def test_data_in_memory_are_drawn_once(client):
    assert draws(tasks_of_training(client)) == CHUNKS


def test_data_drawn_again_are_drawn_once_in_a_step(client):
    passes = STEPS + 1  # and one for the accuracy
    assert draws(tasks_of_training(client, "--draw-again")) == CHUNKS * passes


def test_every_step_has_as_many_tasks_as_the_first(client):
    one, two, five = (len(tasks_of_training(client, "--steps", n)) for n in (1, 2, 5))
    assert two > one
    assert five - two == 3 * (two - one)


def test_there_are_no_more_tasks_than_by_hand(client):
    steps = benchmark.steps(client, 1, Namespace(chunks=20, rows=10))  # compares the results
    tasks = benchmark.tasks(client, steps)
    assert tasks[benchmark.OURS, 1] <= tasks[benchmark.HAND, 1]


def test_a_program_runs_on_the_cluster_of_its_user(cluster, tmp_path):
    arguments = [*SMALL[:-1], "--steps", STEPS, "--scheduler", cluster.scheduler_address]
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert found.returncode == 0, found.stderr[-2000:]
    assert f"2 workers at {cluster.scheduler_address}" in found.stdout
    assert re.search(rf"{STEPS}/{STEPS} .*loss=0\.\d+", found.stderr)


def test_a_killed_worker_changes_nothing(client):
    calm, _ = program.train(client, options())
    with program.connect(options()) as other, distributed.Client(other) as troubled:
        before = set(troubled.nthreads())
        survived, _ = program.train(troubled, options("--kill-worker-at", 1))
        troubled.wait_for_workers(2, timeout=60)
        assert len(before - set(troubled.nthreads())) == 1
    for name, x in calm.items():
        np.testing.assert_allclose(survived[name], x, rtol=0, atol=1e-12)


# --- graphs, without a cluster ------------------------------------------------------------------


def graph(chunks):
    """Return the graph of a step."""
    data = dask.persist(*benchmark.draw(chunks, 2), scheduler="sync")
    return dask.highlevelgraph.HighLevelGraph.merge(
        *(x.__dask_graph__() for x in benchmark.by_arraygrad(*data))
    )


def test_sums_are_trees():
    widest = [max(map(len, graph(n).get_all_dependencies().values())) for n in (16, 256)]
    assert widest[0] == widest[1] < 16


def test_workers_need_nothing_of_ours():
    assert b"arraygrad" not in cloudpickle.dumps(graph(4).to_dict())


SUMS = {
    "sum": lambda xp, x: xp.sum(x) ** 2,
    "mean": lambda xp, x: xp.mean(x) ** 2,
    "rows": lambda xp, x: xp.sum(xp.mean(x, axis=1) ** 3),
    "columns": lambda xp, x: xp.sum(xp.sum(x, axis=0, keepdims=True) ** 3),
    "both": lambda xp, x: xp.sum(x, axis=(0, 1)) ** 3,
}


@pytest.mark.parametrize("name", SUMS)
def test_a_sums_cotangent_lies_in_the_chunks_of_the_summands(name):
    values = np.random.default_rng(0).normal(size=(7, 5))
    x = da.from_array(values, chunks=(3, 2))

    def f(x):
        return SUMS[name](array_namespace(x), x)

    def slope(x):
        return array_namespace(x).sum(ag.grad(f)(x) ** 2)

    for function in (f, slope):
        gradient = ag.grad(function)(x)
        assert gradient.chunks == x.chunks
        assert not any("rechunk" in layer for layer in gradient.__dask_graph__().layers)
        found = gradient.compute(scheduler="sync")
        np.testing.assert_allclose(found, ag.grad(function)(values), rtol=1e-10)


def test_the_page_prints_what_it_says():
    page = (DOCS / "how-to" / "use-dask.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, "use-dask.md", None, 0)
    with dask.config.set(scheduler="sync"):
        assert doctest.DocTestRunner().run(test) == (0, 12)
