import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from torch import nn

from hgnpipe.densities import build_density
from hgnpipe.evaluation.likelihood import held_out_log_density, watched_likelihood
from hgnpipe.flows import FLOWS, build_flow
from hgnpipe.nn.energies import MLPEnergy
from hgnpipe.training.batches import PointBatches, draw_indices
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions

NUM = 10
CPU = torch.device("cpu")

every_family = pytest.mark.parametrize("family", FLOWS.names())


class Interrupted(Exception):
    pass


class Slope(nn.Module):
    """Loss ``weight``: Adam lowers it by the learning rate at every iteration."""

    num_dims = 1

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.batches, self.modes = [], []

    def loss(self, points, iteration, generator=None):
        self.batches.append(points)
        self.modes.append(self.training)
        return {"loss": 1.0 * self.weight}


@pytest.fixture
def checkpoint(tmp_path):
    return tmp_path / "checkpoint.safetensors"


def numbered(num_dims=1):
    """Points whose every coordinate is their number."""
    return np.tile(np.arange(NUM, dtype=float)[:, None], (1, num_dims))


def options(**changes):
    usual = {"num_iterations": 12, "batch_size": 3, "learning_rate": 1e-2}
    return TrainingOptions(
        **{**usual, "log_every": 2, "checkpoint_every": 4, **changes}
    )


def interrupted(model, points, checkpoint, at, how=None, **arguments):
    """Train until the report of an iteration, and leave the checkpoint before it."""

    def report(done, row):
        if done == at:
            raise Interrupted

    with pytest.raises(Interrupted):
        fit(
            model, PointBatches(points), how or options(),
            checkpoint=checkpoint, report=report, **arguments,
        )  # fmt: skip


def content(checkpoint):
    with safe_open(checkpoint, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def assert_same_tensors(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


# Batches of points


def drawn(iterations, size=5, seed=0):
    batches = [
        PointBatches(numbered()).draw(Slope(), size, seed, iteration, CPU)
        for iteration in iterations
    ]
    return torch.cat(batches).ravel().int().tolist()


@pytest.mark.parametrize("size", [1, 2, 5, 10, 20])
def test_every_point_comes_once_per_epoch(size):
    numbers = np.array(drawn(range(40 // size), size)).reshape(4, NUM)
    np.testing.assert_array_equal(np.sort(numbers), np.tile(range(NUM), (4, 1)))


def test_an_epoch_may_end_within_a_batch():
    numbers = np.array(drawn(range(10), 3)).reshape(3, NUM)
    np.testing.assert_array_equal(np.sort(numbers), np.tile(range(NUM), (3, 1)))


def test_every_epoch_and_every_seed_has_an_order_of_its_own():
    first, second, other = drawn([0], NUM), drawn([1], NUM), drawn([0], NUM, seed=1)
    assert first != second and first != other and first != sorted(first)


def test_a_batch_depends_on_seed_and_iteration_alone():
    np.random.seed(0)
    alone = drawn([7])
    np.random.seed(1)
    assert drawn(range(8))[-5:] == alone


def test_a_batch_is_the_points_of_its_numbers_in_single_precision():
    points = np.random.default_rng(0).standard_normal((NUM, 3))
    batch = PointBatches(points).draw(Slope(), 4, 2, 6, CPU)
    picks = draw_indices(NUM, 4, 2, 6)
    assert batch.dtype == torch.float32
    np.testing.assert_allclose(batch, points[picks], rtol=1e-6)


@pytest.mark.parametrize("num_dims", [2, 3])
def test_points_of_another_dimension_are_refused_before_the_work_starts(num_dims):
    model = Slope()
    message = (
        f"^dimension of the points is {num_dims}; it must be that of the flow, 1.$"
    )
    with pytest.raises(ValueError, match=message):
        fit(model, PointBatches(numbered(num_dims)), options())
    assert model.batches == []


def test_no_points_are_refused():
    with pytest.raises(ValueError, match=r"^number of points is 0; it must be 1 or"):
        fit(Slope(), PointBatches(np.empty((0, 1))), options())


def test_training_sees_every_point_once_per_epoch():
    model = Slope()
    fit(model, PointBatches(numbered()), options(num_iterations=10))
    numbers = torch.cat(model.batches).reshape(3, NUM)
    assert (numbers.sort().values == torch.arange(NUM)).all()


# What a probe finds, and the best row


def test_what_the_probe_finds_joins_every_row():
    model, asked = Slope(), []

    def probe():
        asked.append(model.weight.item())
        return {"held_out": model.weight.item(), "other": 3.0}

    history = fit(model, PointBatches(numbered()), options(), probe=probe)
    assert history["held_out"].tolist() == asked
    np.testing.assert_allclose(asked, -1e-2 * np.array([2, 4, 6, 8, 10, 12]), rtol=1e-3)
    assert (history["other"] == 3).all()


def test_the_probe_sees_a_model_that_is_ready_to_use_and_training_goes_on():
    model, seen = Slope(), []

    def probe():
        seen.append(model.training)
        return {}

    fit(model, PointBatches(numbered()), options(), probe=probe)
    assert seen == [False] * 6
    assert model.modes == [True] * 12


def test_what_the_probe_finds_is_reported():
    rows = []
    fit(
        Slope(), PointBatches(numbered()), options(),
        probe=lambda: {"held_out": 7.0}, report=lambda _, row: rows.append(row),
    )  # fmt: skip
    assert [row["held_out"] for row in rows] == [7.0] * 6


def probe_of(model, best):
    """Lowest after ``best`` iterations: the weight tells how many there were."""
    return lambda: {"held_out": abs(model.weight.item() + 1e-2 * best)}


@pytest.mark.parametrize("best", [2, 6, 12])
def test_the_model_ends_with_the_weights_of_its_best_row(best):
    model = Slope()
    history = fit(
        model, PointBatches(numbered()), options(),
        probe=probe_of(model, best), keep_best="held_out",
    )  # fmt: skip
    assert history.iloc[history["held_out"].argmin()]["iteration"] == best
    assert model.weight.item() == pytest.approx(-1e-2 * best, rel=1e-3)
    assert len(history) == 6


def test_without_a_column_to_go_by_the_model_ends_with_its_last_weights():
    model = Slope()
    fit(model, PointBatches(numbered()), options(), probe=probe_of(model, 6))
    assert model.weight.item() == pytest.approx(-0.12, rel=1e-3)


def test_of_equally_good_rows_the_first_is_kept():
    model = Slope()
    fit(
        model, PointBatches(numbered()), options(),
        probe=lambda: {"held_out": 1.0}, keep_best="held_out",
    )  # fmt: skip
    assert model.weight.item() == pytest.approx(-0.02, rel=1e-3)


def test_the_loss_itself_may_be_the_column_to_go_by():
    model = Slope()
    fit(model, PointBatches(numbered()), options(), keep_best="loss")
    assert model.weight.item() == pytest.approx(-0.12, rel=1e-3)


@pytest.mark.parametrize("when", ["first", "middle"])
def test_a_row_whose_value_is_no_number_is_never_the_best(when):
    model, rows = Slope(), []

    def probe():
        rows.append(1)
        lost = len(rows) == (1 if when == "first" else 3)
        return {"held_out": float("nan") if lost else abs(model.weight.item() + 0.08)}

    fit(model, PointBatches(numbered()), options(), probe=probe, keep_best="held_out")
    assert model.weight.item() == pytest.approx(-0.08, rel=1e-3)


@pytest.mark.parametrize("best", [2, 6, 8, 10])
def test_a_resumed_training_knows_the_best_row_from_before(checkpoint, best):
    def arguments(model):
        return {"probe": probe_of(model, best), "keep_best": "held_out"}

    first, second = Slope(), Slope()
    interrupted(first, numbered(), checkpoint, at=10, **arguments(first))
    fit(
        second, PointBatches(numbered()), options(),
        checkpoint=checkpoint, **arguments(second),
    )  # fmt: skip
    assert len(second.batches) == 4
    assert second.weight.item() == pytest.approx(-1e-2 * best, rel=1e-3)


@pytest.mark.parametrize("best", [6, 12])
def test_a_finished_training_that_is_only_loaded_has_its_best_weights(checkpoint, best):
    for _ in range(2):
        model = Slope()
        fit(
            model, PointBatches(numbered()), options(), checkpoint=checkpoint,
            probe=probe_of(model, best), keep_best="held_out",
        )  # fmt: skip
    assert model.batches == []
    assert model.weight.item() == pytest.approx(-1e-2 * best, rel=1e-3)


# Training of flows


def small(family, **changes):
    return build_flow(family, num_dims=2, seed=3, hidden_size=8, **changes)


def held_out(flow, points, num_samples=4):
    """What a probe tells of a flow at points."""

    def probe():
        bound, estimate = held_out_log_density(flow, points, num_samples, seed=0)
        return {"held_out_bound": -bound.mean(), "held_out": -estimate.mean()}

    return probe


def draws(num, seed, **changes):
    target = build_density("modes", **{"num_modes": 2, "std": 0.3, **changes})
    return target.sample(np.random.default_rng(seed), num)


HARD = options(learning_rate=0.5, decay=0.5, weight_decay=1e-2, max_grad_norm=1.0)
"""Every knob, and steps so large that not every row is better than the last."""


@every_family
@pytest.mark.parametrize("at", [6, 10])
@pytest.mark.parametrize("how", [options(), HARD], ids=["easy", "hard"])
def test_a_resumed_training_is_the_undisturbed_one_bit_for_bit(
    checkpoint, tmp_path, family, at, how
):
    points, watched = draws(20, 0), draws(9, 1)
    undisturbed, cut, resumed = (small(family) for _ in range(3))
    whole = tmp_path / "undisturbed.safetensors"

    def arguments(flow):
        return {"probe": held_out(flow, watched), "keep_best": "held_out"}

    data = PointBatches(points)
    expected = fit(undisturbed, data, how, checkpoint=whole, **arguments(undisturbed))
    interrupted(cut, points, checkpoint, at, how, **arguments(cut))
    history = fit(resumed, data, how, checkpoint=checkpoint, **arguments(resumed))
    pd.testing.assert_frame_equal(history, expected, check_exact=True)
    assert_same_tensors(resumed.state_dict(), undisturbed.state_dict())
    assert_same_tensors(content(checkpoint), content(whole))


@every_family
@pytest.mark.parametrize("sign", [1, -1], ids=["best", "worst"])
def test_a_trained_flow_is_exactly_that_of_the_best_row_of_its_history(family, sign):
    """By a score and by its negative: one of them is not lowest in the last row."""
    flow = small(family)
    found = held_out(flow, draws(9, 1))

    def probe():
        return {"score": sign * found()["held_out"]}

    data = PointBatches(draws(20, 0))
    history = fit(flow, data, HARD, probe=probe, keep_best="score")
    assert history["score"].nunique() == 6
    assert probe()["score"] == history["score"].min()


@every_family
def test_a_far_row_among_the_watched_ones_does_not_decide_what_is_kept(
    family,
):
    """By a score and by its negative, as above."""
    flow, watched = small(family), np.append(draws(9, 1), [[0, 1e300]], axis=0)

    def probe():
        found = watched_likelihood(flow, watched, 4, seed=0)
        return {"score": -found["held_out"], **found}

    data = PointBatches(draws(20, 0))
    history = fit(flow, data, HARD, probe=probe, keep_best="score")
    assert np.isfinite(history).all(axis=None)
    assert (history["held_out_unjudged"] == 1).all()
    assert history["score"].nunique() == 6
    assert probe()["score"] == history["score"].min()


@every_family
def test_the_seed_alone_fixes_what_is_learned(family):
    histories = []
    for global_seed, seed in ((0, 5), (1, 5), (1, 6)):
        flow = small(family)
        torch.manual_seed(global_seed)
        histories.append(fit(flow, PointBatches(draws(20, 0)), options(), seed=seed))
    assert histories[0].equals(histories[1])
    assert not histories[1].equals(histories[2])


EASILY = {
    "nhf": {
        "num_steps": 2, "prior": "normal", "dt": 1.0, "hidden_size": 32,
        "gradient_rms": 0.3, "feature_scale": 3.0,
    },
    "realnvp": {"num_steps": 3, "hidden_size": 32},
}  # fmt: skip
"""Options with which a family learns quickly; without an entry, those of its class."""


@every_family
def test_a_short_training_lowers_the_held_out_loss_well_below_the_initial_one(family):
    """To where no Gaussian could get."""
    options = EASILY.get(family, {})
    flow = build_flow(family, num_dims=2, seed=0, **options)
    watched = draws(300, 1)
    before = held_out(flow, watched, 16)()["held_out"]
    how = TrainingOptions(num_iterations=250, batch_size=128, learning_rate=5e-3)
    fit(flow, PointBatches(draws(2000, 0)), how)
    after = held_out(flow, watched, 16)()["held_out"]
    std = draws(2000, 0).std(0)
    gaussian = np.log(std).sum() + np.log(2 * np.pi) + 1
    assert after < before - 0.5
    assert after < gaussian - 0.1


# Energies of points


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def random_energy(**options):
    """Energy whose biases are not zero either, so that each of them matters."""
    energy = MLPEnergy(3, 6, **options).double()
    for parameter in energy.parameters():
        nn.init.normal_(parameter, std=0.5)
    return energy


def test_the_closed_form_gradient_of_the_energy_is_that_of_autograd():
    energy, x = random_energy(), torch.randn(5, 3).double()
    expected = torch.func.grad(lambda x: energy(x).sum())(x)
    torch.testing.assert_close(energy.gradient(x), expected)


def test_the_closed_form_gradient_trains_the_parameters_as_autograd_does():
    energy, x = random_energy(), torch.randn(5, 3).double()
    target, gradients = torch.randn_like(x), []
    for rate in (energy.gradient, torch.func.grad(lambda x: energy(x).sum())):
        loss = (rate(x) - target).square().sum()
        gradients.append(torch.autograd.grad(loss, list(energy.parameters())))
    for closed, expected in zip(*gradients, strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(closed, expected)


def test_every_point_has_an_energy_of_its_own():
    energy, x = random_energy(), torch.randn(5, 3).double()
    alone = torch.cat([energy(point) for point in x.split(1)])
    assert energy(x).shape == (5,)
    torch.testing.assert_close(energy(x), alone)


@pytest.mark.parametrize("num_dims", [1, 2, 5])
@pytest.mark.parametrize("rms", [0.1, 3.0])
@pytest.mark.parametrize("feature_scale", [None, 4.0])
def test_the_gradient_starts_with_the_size_it_is_told(num_dims, rms, feature_scale):
    energy = MLPEnergy(num_dims, 64, gradient_rms=rms, feature_scale=feature_scale)
    gradient = energy.gradient(torch.randn(1000, num_dims))
    assert gradient.square().mean().sqrt().item() == pytest.approx(rms, rel=0.15)


def test_without_a_size_the_gradient_is_that_of_the_weights_as_they_are_drawn():
    plain, scaled = (
        [torch.manual_seed(0), MLPEnergy(2, 8, gradient_rms=rms)][1]
        for rms in (None, 1.0)
    )
    for name, weight in plain.named_parameters():
        same = torch.equal(weight, scaled.get_parameter(name))
        assert same == (name != "last.weight")


@pytest.mark.parametrize("num_dims", [1, 2, 5])
@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_the_weights_of_the_features_have_the_size_they_are_told(num_dims, scale):
    energy = MLPEnergy(num_dims, 2000, feature_scale=scale)
    assert energy.first.weight.std().item() == pytest.approx(scale, rel=0.1)
    assert energy.first.weight.mean().abs() < 0.1 * scale


def test_the_bends_of_the_features_lie_anywhere_in_a_box_of_half_width_three():
    first = MLPEnergy(1, 500, feature_scale=4.0).first
    bends = (-first.bias / first.weight.ravel()).detach()
    counts = torch.histc(bends, 6, -3, 3)
    assert counts.sum() == 500
    assert counts.min() > 50


@pytest.mark.parametrize("name", ["gradient_rms", "feature_scale"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_an_energy_that_moves_nothing_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^{name} is {value}; it must be positive.$"):
        MLPEnergy(2, 8, **{name: value})
