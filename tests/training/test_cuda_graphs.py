import gc
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_models import FAMILIES, SIZE, random_videos
from torch.utils._python_dispatch import TorchDispatchMode

from hgnpipe.flows import build_flow
from hgnpipe.flows.realnvp import RealNVP
from hgnpipe.models import build_model
from hgnpipe.training.batches import PointBatches, VideoBatches
from hgnpipe.training.cuda_graphs import (
    MAX_RECORDINGS,
    WARM_UP,
    RecordedSteps,
    Scheduled,
    record_cuda_graph,
)  # fmt: skip
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions

HGN = {"image_size": SIZE, **FAMILIES["hgn"]}
SLOW_START = {"kl_delay": 5, "kl_ramp": 6, "num_decoded": 2}
MODELS = {
    "hgn": ("hgn", HGN | SLOW_START),
    "growing": ("hgn", HGN | SLOW_START | {"horizon_growth": 8}),
    "deterministic": ("hgn", {"image_size": SIZE, **FAMILIES["deterministic"]}),
    "pixelhnn": ("pixelhnn", {"image_size": SIZE, **FAMILIES["pixelhnn"]}),
    "latent_ode": ("latent_ode", {"image_size": SIZE, **FAMILIES["latent_ode"]}),
    "latent_gru": ("latent_gru", {"image_size": SIZE, **FAMILIES["latent_gru"]}),
    "nhf": (
        "nhf",
        {"num_dims": 2, "hidden_size": 8, "num_importance_samples": 3,
         "elbo_iterations": 6},
    ),
}  # fmt: skip


class Moment(NamedTuple):
    length: int
    weight: float


class Operations(TorchDispatchMode):
    """Notes the name of every operation."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.add(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


WAITING = {"_local_scalar_dense", "lift_fresh", "nonzero", "equal", "masked_select"}
"""Reading a value, writing a constant, and what has a size that depends on values."""


class Recorder:
    """Records as a GPU does: work is not done then, and is the same in every replay."""

    def __init__(self):
        self.works, self.replays = [], 0

    def __call__(self, work):
        self.works.append(work)
        result = torch.zeros((), dtype=torch.float64)

        def launch():
            self.replays += 1
            values = work()
            result.resize_(values.shape).copy_(values)

        return launch, result


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def steps(recorder):
    """Steps that tell what they were given, and how often they ran."""

    def step(batch, moment):
        steps.ran += 1
        return torch.stack([batch.sum(), torch.as_tensor(moment.weight).double()])

    steps = RecordedSteps(lambda iteration: steps.moments[iteration], step, recorder)
    steps.moments = []
    steps.ran = 0
    return steps


def at(steps, moment):
    """Number of an iteration with this schedule."""
    steps.moments.append(moment)
    return len(steps.moments) - 1


def batch_of(value):
    return torch.full((2,), value, dtype=torch.float64)


def build(name):
    family, options = MODELS[name]
    if family == "nhf":
        points = np.random.default_rng(0).normal(size=(40, 2))
        return build_flow(family, seed=0, **options), PointBatches(points)
    return build_model(family, seed=0, **options), VideoBatches(random_videos())


def train(name, record=None, num_iterations=25):
    model, data = build(name)
    options = TrainingOptions(
        num_iterations=num_iterations, batch_size=3, learning_rate=1e-2, decay=0.5,
        max_grad_norm=1.0, log_every=5,
    )  # fmt: skip
    return model, fit(model, data, options, seed=1, record=record)


@pytest.mark.parametrize("name", MODELS)
def test_a_training_that_is_replayed_makes_the_same_updates(recorder, name):
    model, history = train(name)
    replayed, same_history = train(name, recorder)
    assert isinstance(model, Scheduled) and recorder.replays > 0
    pd.testing.assert_frame_equal(history, same_history, rtol=1e-5)
    for found, expected in zip(replayed.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("name", "kinds"), [("hgn", 2), ("growing", 3), ("pixelhnn", 1), ("nhf", 2)]
)
def test_each_kind_of_iteration_is_recorded_once(recorder, name, kinds):
    # growing: one step of rollout without KL term; two, and then three, with it
    train(name, recorder)
    assert len(recorder.works) == kinds


def test_a_model_without_a_schedule_is_never_recorded(recorder):
    options = TrainingOptions(num_iterations=9, batch_size=3, learning_rate=1e-2)
    fit(RealNVP(num_dims=2), build("nhf")[1], options, record=recorder)
    assert not recorder.works


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("iteration", [0, 7, 20])
def test_no_iteration_makes_the_processor_wait_for_the_device(name, iteration):
    model, data = build(name)
    batch = data.draw(model, 3, 0, iteration, torch.device("cpu"))
    schedule = model.schedule(iteration)
    values = [torch.tensor(x) if isinstance(x, float) else x for x in schedule]
    moment = getattr(type(schedule), "_make", tuple)(values)
    generator = torch.Generator().manual_seed(0)
    with Operations() as operations:
        loss = model.loss(batch, moment, generator)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    assert operations.names.isdisjoint(WAITING)


def test_what_makes_the_processor_wait_is_noticed():
    with Operations() as operations:
        float(torch.ones(2).sum() + torch.tensor(1.0))
    assert {"_local_scalar_dense", "lift_fresh"} <= operations.names


def test_the_first_iterations_of_a_kind_are_done_as_they_are(steps, recorder):
    for count in range(1, WARM_UP + 1):
        steps(batch_of(1.0), at(steps, Moment(3, 0.5)))
        assert (steps.ran, recorder.replays) == (count, 0)
    steps(batch_of(1.0), at(steps, Moment(3, 0.5)))
    assert (len(recorder.works), recorder.replays) == (1, 1)


def test_batches_and_floats_reach_every_replay(steps, recorder):
    for i in range(10):
        total, weight = steps(batch_of(float(i)), at(steps, Moment(3, i / 8))).tolist()
        assert (total, weight) == (2 * i, i / 8)
    assert recorder.replays == 10 - WARM_UP


def test_whatever_is_no_float_makes_another_kind(steps, recorder):
    for length in (3, 4, 3):
        for _ in range(WARM_UP + 1):
            steps(batch_of(1.0), at(steps, Moment(length, 0.5)))
    assert len(recorder.works) == 2


def test_of_many_kinds_the_last_few_recordings_are_kept(steps, recorder):
    lengths = range(3, 3 + MAX_RECORDINGS + 2)
    for length in lengths:
        for _ in range(WARM_UP + 2):
            steps(batch_of(1.0), at(steps, Moment(length, 0.5)))
        assert len(steps.recordings) <= MAX_RECORDINGS
    assert len(recorder.works) == len(lengths)
    steps(batch_of(1.0), at(steps, Moment(lengths[-2], 0.5)))  # is still there
    assert len(recorder.works) == len(lengths)
    steps(batch_of(1.0), at(steps, Moment(lengths[0], 0.5)))
    assert len(recorder.works) == len(lengths) + 1


def test_nothing_is_recorded_where_that_is_switched_off(recorder):
    model, data = build("hgn")
    options = TrainingOptions(num_iterations=9, batch_size=3, learning_rate=1e-2)
    fit(model, data, options, record=recorder, graphs=False)
    assert not recorder.works


def test_a_batch_of_another_shape_makes_another_kind(steps, recorder):
    for size in (2, 3):
        for _ in range(WARM_UP + 1):
            steps(torch.ones(size), at(steps, Moment(3, 0.5)))
    assert len(recorder.works) == 2


def test_what_cannot_be_recorded_is_done_as_it_is(steps, recorder):
    def fail(work):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    steps.record = fail
    with pytest.warns(UserWarning, match="^Cannot be recorded: operation not"):
        totals = [
            steps(batch_of(1.0), at(steps, Moment(length, 0.5)))[0].item()
            for length in (3, 4)
            for _ in range(WARM_UP + 2)
        ]
    assert totals == [2.0] * len(totals) and steps.ran == len(totals)


class FakeGenerator(torch.Generator):
    """What `record_cuda_graph` asks of a GPU's generator."""

    def __init__(self, device=None):
        self.state = torch.Generator.__new__(torch.Generator)

    def manual_seed(self, seed):
        return self

    def graphsafe_get_state(self):
        return self.state

    def graphsafe_set_state(self, state):
        self.state = state


@pytest.fixture
def fake_cuda(monkeypatch):
    """CUDA graphs of a machine without a GPU: the work is done at once."""

    class Graph:
        def register_generator_state(self, generator):
            pass

        def replay(self):
            pass

    @contextmanager
    def recording(graph, pool, stream):
        yield

    fakes = {
        "graph_pool_handle": lambda: 0, "current_stream": lambda: None,
        "CUDAGraph": Graph, "graph": recording,
    }  # fmt: skip
    for name, fake in fakes.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    monkeypatch.setattr(torch, "Generator", FakeGenerator)


@pytest.mark.usefixtures("fake_cuda")
def test_nothing_is_thrown_away_while_a_graph_is_recorded():
    record = record_cuda_graph(FakeGenerator())
    _, enabled = record(lambda: torch.tensor(gc.isenabled()))
    assert not enabled and gc.isenabled()


@pytest.mark.usefixtures("fake_cuda")
def test_a_recording_that_fails_leaves_a_generator_that_can_be_used():
    def fail():
        raise RuntimeError("operation failed due to a previous error during capture")

    generator = FakeGenerator()
    stuck = generator.state
    with pytest.raises(RuntimeError, match="previous error"):
        record_cuda_graph(generator)(fail)
    assert generator.state is not stuck and gc.isenabled()


def test_after_a_recording_that_fails_the_earlier_ones_are_not_replayed(steps):
    for value in range(WARM_UP + 1):
        steps(batch_of(value), at(steps, Moment(1, 0.5)))
    assert len(steps.recordings) == 1

    def fail(work):
        raise RuntimeError("Cannot")

    steps.record = fail
    with pytest.warns(UserWarning, match="Cannot be recorded"):
        for value in range(WARM_UP + 1):
            steps(batch_of(value), at(steps, Moment(2, 0.5)))
    assert not steps.recordings  # they draw from a generator that is seeded no more
    ran = steps.ran
    steps(batch_of(7), at(steps, Moment(1, 0.5)))
    assert steps.ran == ran + 1
