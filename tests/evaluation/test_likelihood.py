import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from hgnpipe.evaluation import likelihood as density
from hgnpipe.evaluation.likelihood import (
    LOWEST,
    averaged,
    gaussian_log_density,
    held_out_log_density,
    inversion_error,
    log_volume_change,
    measures_of_likelihood,
    structure,
    watched_likelihood,
)
from hgnpipe.flows import FLOWS, build_flow
from hgnpipe.hamiltonian import State

SMALL = {"num_dims": 2, "num_steps": 2, "hidden_size": 8}

every_family = pytest.mark.parametrize("family", FLOWS.names())


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def some_points(num=30, num_dims=2, seed=0):
    return np.random.default_rng(seed).standard_normal((num, num_dims))


# Held-out log-density


@every_family
def test_the_held_out_log_density_is_that_of_the_flow(family):
    flow, points = build_flow(family, **SMALL), some_points()
    bound, estimate = held_out_log_density(flow, points, 3, seed=4)
    with torch.no_grad():
        expected = flow.log_density(torch.from_numpy(points).float(), 3, noise(4))
    np.testing.assert_allclose(bound, expected.bound, rtol=1e-6)
    np.testing.assert_allclose(estimate, expected.estimate, rtol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
def test_how_many_points_are_evaluated_at_a_time_changes_no_exact_density(
    monkeypatch, chunk
):
    flow, points = build_flow("realnvp", **SMALL), some_points()
    expected = held_out_log_density(flow, points, 1, seed=0)
    monkeypatch.setattr(density, "CHUNK", chunk)
    found = held_out_log_density(flow, points, 1, seed=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("chunk", "num_samples", "parts"),
    [
        (20, 2, [10, 10, 10]),
        (14, 2, [7, 7, 7, 7, 2]),
        (1000, 2, [30]),
        (4, 9, [1] * 30),
    ],
)
def test_points_times_samples_are_evaluated_a_chunk_at_a_time(
    monkeypatch, chunk, num_samples, parts
):
    monkeypatch.setattr(density, "CHUNK", chunk)
    counts, flow = [], build_flow("nhf", **SMALL)
    found = held_out_log_density(flow, some_points(), num_samples, 0, counts.append)
    assert counts == parts
    assert [values.shape for values in found] == [(30,), (30,)]


def test_chunks_have_samples_of_their_own(monkeypatch):
    flow, points = build_flow("nhf", **SMALL), np.zeros((6, 2))
    monkeypatch.setattr(density, "CHUNK", 2)
    _, estimate = held_out_log_density(flow, points, 1, seed=0)
    assert len(set(estimate.tolist())) == 6


@every_family
def test_the_held_out_log_density_depends_on_the_seed_alone(family):
    flow, points, found = build_flow(family, **SMALL), some_points(), []
    for global_seed, seed in ((0, 5), (1, 5), (1, 6)):
        torch.manual_seed(global_seed)
        found.append(np.stack(held_out_log_density(flow, points, 2, seed)))
    assert (found[0] == found[1]).all()
    assert (found[1] == found[2]).all() == flow.exact


def test_an_average_comes_with_its_standard_error():
    name, mean, error = averaged("nll", np.array([1.0, 2.0, 3.0, 6.0]))
    assert (name, mean) == ("nll", 3.0)
    assert error == pytest.approx(math.sqrt(14 / 3 / 4))


def test_an_average_leaves_out_points_without_a_density():
    values = np.array([1.0, np.inf, 2.0, np.inf, 3.0, 6.0])
    assert averaged("nll", values) == averaged("nll", values[np.isfinite(values)])


def test_an_average_of_nothing_is_infinite_and_of_one_point_has_no_error():
    assert averaged("nll", np.full(3, np.inf))[1] == np.inf
    _, mean, error = averaged("nll", np.array([np.inf, 2.0]))
    assert mean == 2 and np.isnan(error)


def with_far_rows(num):
    """Points of which some are far from all that a flow has learned."""
    points = some_points()
    points[:num] = 1e30
    return points


@every_family
@pytest.mark.parametrize("num", [0, 1, 7, 30])
def test_every_mean_says_how_many_points_it_leaves_out(family, num):
    flow, counts = build_flow(family, **SMALL), [2, 5]
    unknown = np.full(30, np.nan)
    rows = measures_of_likelihood(flow, with_far_rows(num), unknown, counts, 0)
    found = {name: value for name, value, _ in rows}
    kinds = ["", "_bound"] + [f"_{count}" for count in counts if not flow.exact]
    for kind in kinds:
        assert found[f"num_unjudged{kind}"] == num
        assert np.isfinite(found[f"nll{kind}"]) == (num < 30)


@every_family
def test_the_likelihood_is_that_of_the_points_that_have_one(family):
    flow, num = build_flow(family, **SMALL), 7
    unknown = np.full(30, np.nan)
    _, estimate = held_out_log_density(flow, with_far_rows(num), 3, 0)
    rows = measures_of_likelihood(flow, with_far_rows(num), unknown, [3], 0)
    (nll,) = [row[1:] for row in rows if row[0] == "nll"]
    assert nll == averaged("nll", -estimate[num:])[1:]


@every_family
def test_a_training_is_watched_by_all_points_without_a_density_as_the_lowest(family):
    flow = build_flow(family, **SMALL)
    found = watched_likelihood(flow, with_far_rows(2), 3, 0)
    both = held_out_log_density(flow, with_far_rows(2), 3, 0)
    bound, estimate = (-(v[2:].sum() + 2 * LOWEST) / 30 for v in both)
    assert found["held_out_unjudged"] == 2
    assert found["held_out"] == pytest.approx(estimate)
    assert found["held_out_bound"] == pytest.approx(bound)


@every_family
def test_a_training_on_ordinary_points_is_watched_by_their_plain_means(family):
    flow = build_flow(family, **SMALL)
    bound, estimate = held_out_log_density(flow, some_points(), 3, 0)
    assert watched_likelihood(flow, some_points(), 3, 0) == {
        "held_out_bound": -bound.mean(), "held_out": -estimate.mean(),
        "held_out_unjudged": 0,
    }  # fmt: skip


# A Gaussian for comparison


@pytest.mark.parametrize("num_dims", [1, 2, 4])
def test_the_gaussian_has_mean_and_covariance_of_the_training_points(num_dims):
    mixing = some_points(num_dims, num_dims, seed=1)
    train, points = some_points(50, num_dims) @ mixing + 3, some_points(9, num_dims, 2)
    covariance = np.cov(train, rowvar=False)
    expected = multivariate_normal(train.mean(0), covariance).logpdf(points)
    found = gaussian_log_density(train, points)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_columns_that_depend_on_each_other_still_have_a_gaussian():
    train = some_points(50, 1) @ np.array([[1.0, 2.0]])
    on_line = gaussian_log_density(train, train)
    assert np.isfinite(on_line).all()
    beside = gaussian_log_density(train, train + np.array([0, 1]))
    assert (beside < on_line - 1e3).all()


# Volumes and inverses


def linear_map(num_dims, seed=0):
    """A linear map of phase space, and its matrix."""
    matrix = torch.randn(
        2 * num_dims, 2 * num_dims, generator=noise(seed), dtype=torch.float64
    )

    def step(state):
        return State(*(torch.cat(state, dim=1) @ matrix.T).chunk(2, dim=1))

    return step, matrix


def some_states(num_dims, num=6):
    return State(*torch.randn(2, num, num_dims, generator=noise(), dtype=torch.float64))


@pytest.mark.parametrize("num_dims", [1, 2, 3])
def test_the_change_of_volume_of_a_linear_map_is_its_determinant(num_dims):
    step, matrix = linear_map(num_dims)
    expected = torch.linalg.det(matrix).abs().log()
    found = log_volume_change(step, some_states(num_dims))
    torch.testing.assert_close(found, expected.expand(6))


def test_the_change_of_volume_differs_from_point_to_point():
    states = some_states(2)
    found = log_volume_change(lambda s: State(s.q.exp(), s.p + s.q), states)
    torch.testing.assert_close(found, states.q.sum(1))


def test_the_change_of_volume_sees_all_of_the_phase_space():
    """A map that stretches positions as much as it shrinks momenta keeps volumes."""
    found = log_volume_change(lambda s: State(3 * s.q, s.p / 3), some_states(2))
    torch.testing.assert_close(found, torch.zeros(6, dtype=torch.float64))


class Shift(torch.nn.Module):
    """A flow whose inverse is wrong by ``error`` in one coordinate of one part."""

    def __init__(self, part, error):
        super().__init__()
        self.part, self.error = part, error

    def forward(self, state):
        return State(state.q + 1, state.p - 1)

    def inverse(self, state):
        wrong = {"q": torch.zeros(2), "p": torch.zeros(2)}
        wrong[self.part][1] = self.error
        return State(state.q - 1 + wrong["q"], state.p + 1 + wrong["p"])


@pytest.mark.parametrize("part", ["q", "p"])
@pytest.mark.parametrize("error", [0.0, 0.25, -0.25])
def test_the_inversion_error_is_the_largest_of_all_coordinates(part, error):
    found = inversion_error(Shift(part, error), some_states(2))
    assert found == pytest.approx(abs(error), abs=1e-12)


@pytest.mark.parametrize("part", ["q", "p"])
def test_an_inverse_that_gives_no_number_has_an_infinite_error(part):
    assert inversion_error(Shift(part, math.nan), some_states(2)) == math.inf


@pytest.mark.parametrize("num_dims", [1, 2, 3])
def test_the_map_of_a_flow_keeps_volumes_and_has_an_inverse(num_dims):
    flow = build_flow("nhf", **{**SMALL, "num_dims": num_dims}, gradient_rms=0.5)
    found = structure(flow, 20, seed=0)
    assert list(found) == [
        "log_volume_change", "inversion_error_float32", "inversion_error_float64",
    ]  # fmt: skip
    assert found["log_volume_change"] < 1e-12
    assert 1e-9 < found["inversion_error_float32"] < 1e-5
    assert found["inversion_error_float64"] < 1e-13


class Swelling(torch.nn.Module):
    """A flow that stretches what it is given by a factor that grows with |q|."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def sample_prior(self, num, generator):
        q, p = torch.randn(2, num, 1, generator=generator, dtype=self.weight.dtype)
        return State(q, p)

    def forward(self, state):
        return State(state.q.sinh(), state.p)

    def inverse(self, state):
        return State(state.q.asinh(), state.p)


def test_the_largest_change_of_volume_at_draws_of_the_prior_counts():
    found = structure(Swelling(), 20, seed=3)
    draws = Swelling().double().sample_prior(20, noise(3)).q
    expected = draws.cosh().log().max().item()
    assert found["log_volume_change"] == pytest.approx(expected)


def test_measuring_the_map_leaves_the_flow_as_it_was():
    flow = build_flow("nhf", **SMALL)
    before = {name: weight.clone() for name, weight in flow.state_dict().items()}
    structure(flow, 5, seed=0)
    for name, weight in flow.state_dict().items():
        assert weight.dtype == torch.float32 and torch.equal(weight, before[name])
