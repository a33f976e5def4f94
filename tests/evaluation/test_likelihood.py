import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from hgnpipe.evaluation import likelihood as density
from hgnpipe.evaluation.likelihood import (
    averaged,
    gaussian_log_density,
    held_out_log_density,
    inversion_error,
    local_minima,
    log_volume_change,
    matched,
    structure,
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


# Minima of an energy


def starts(num_dims, num=30, half_width=2.0):
    rng = np.random.default_rng(0)
    return rng.uniform(-half_width, half_width, (num, num_dims))


def wells(x):
    """A minimum at 1 and at -1 in every coordinate."""
    return (x.square() - 1).square().sum(-1)


def double_well(x):
    """A minimum at 1 and at -1 in the first coordinate, a bowl in the others."""
    return (x[:, 0].square() - 1).square() + x[:, 1:].square().sum(-1)


def corners(num_dims):
    return np.stack(np.meshgrid(*[[-1.0, 1.0]] * num_dims), -1).reshape(-1, num_dims)


def assert_same_points(found, expected, tolerance=1e-3):
    distance = np.linalg.norm(found[:, None] - expected, axis=-1)
    assert distance.shape == (len(expected), len(expected))
    assert (distance.min(0) < tolerance).all() and (distance.min(1) < tolerance).all()


@pytest.mark.parametrize("num_dims", [1, 2, 3])
def test_all_wells_are_found_once(num_dims):
    assert_same_points(local_minima(wells, starts(num_dims)), corners(num_dims))


def test_a_descent_that_ends_on_a_slope_has_found_no_minimum():
    """From these starts L-BFGS-B may stop early and call it converged."""
    hard = [[1.66, -1.49], [-1.74, 1.34], [-1.51, -1.69], [-1.41, 1.48], [1.34, 1.73]]
    around = np.concatenate([2 * corners(2), hard])
    assert_same_points(local_minima(wells, around), corners(2))


@pytest.mark.parametrize("num_dims", [1, 2, 3])
def test_a_double_well_has_two_minima(num_dims):
    expected = np.zeros((2, num_dims))
    expected[:, 0] = -1, 1
    assert_same_points(local_minima(double_well, starts(num_dims)), expected)


def test_the_minima_of_an_uneven_energy_are_found_where_they_are():
    found = local_minima(lambda x: wells(x) + 0.3 * x.sum(-1), starts(1))
    roots = np.roots([4, 0, -4, 0.3])
    lowest = [root for root in roots.real if 12 * root**2 - 4 > 0]
    assert_same_points(found, np.array(lowest)[:, None])


@pytest.mark.parametrize("num_dims", [1, 2, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_slope_has_no_minimum(num_dims, sign):
    def slope(x):
        return sign * x[:, 0] + x[:, 1:].square().sum(-1)

    assert local_minima(slope, starts(num_dims)).shape == (0, num_dims)


@pytest.mark.parametrize("num_dims", [1, 2, 3])
def test_a_hill_has_no_minimum(num_dims):
    found = local_minima(lambda x: -x.square().sum(-1), starts(num_dims))
    assert found.shape == (0, num_dims)


@pytest.mark.parametrize(("place", "num"), [(2.5, 1), (3.5, 0)])
def test_a_minimum_counts_if_it_is_in_the_box_around_the_starts_or_close(place, num):
    box = np.array([[-2.0], [2.0], [0.5]])
    assert len(local_minima(lambda x: (x[:, 0] - place).square(), box)) == num


def test_the_minimum_that_most_starts_lead_to_comes_first():
    for few, many in ((-1, 1), (1, -1)):
        where = np.array([1.5 * few, *many * np.array([0.5, 0.8, 1.2, 1.5])])
        found = local_minima(wells, where[:, None])
        np.testing.assert_allclose(found[:, 0], [many, few], atol=1e-3)


@pytest.mark.parametrize(("tolerance", "num"), [(0.2, 2), (0.6, 1)])
def test_minima_closer_than_a_share_of_the_box_are_one(tolerance, num):
    found = local_minima(wells, starts(1, half_width=2.0), tolerance)
    assert len(found) == num


def test_an_energy_that_knows_its_gradient_is_asked_for_it():
    class Bowl:
        def __call__(self, x):
            return (x - 0.5).square().sum(-1)

        def gradient(self, x):
            asked.append(1)
            return 2 * (x - 0.5)

    asked = []
    assert_same_points(local_minima(Bowl(), starts(2, 5)), np.array([[0.5, 0.5]]))
    assert asked


def test_minima_of_a_rough_landscape_have_no_slope_and_lie_in_bowls():
    def energy(x):
        waves = torch.sin(3 * x[:, 0] + x[:, 1]) * torch.sin(4 * x[:, 1])
        return 2 * waves + x.square().sum(-1) / 2

    minima = torch.from_numpy(local_minima(energy, starts(2, 40)))
    assert len(minima) > 4
    for minimum in minima:
        at = (lambda x: energy(x[None])[0], minimum)
        assert torch.autograd.functional.jacobian(*at).abs().max() < 1e-3
        hessian = torch.autograd.functional.hessian(*at)
        assert (torch.linalg.eigvalsh(hessian) > 0).all()


# Modes that have a minimum

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])


@pytest.mark.parametrize(
    ("minima", "share"),
    [
        (SQUARE, 1.0),
        (SQUARE + np.array([0.5, -0.5]), 1.0),
        (SQUARE[:3], 0.75),
        (SQUARE[[1, 1, 1]] + [[0.1, 0], [0, 0.1], [-0.1, 0]], 0.25),
        ([[2.0, 2.0]], 0.0),
        ([[1.9, 0.0]], 0.25),
        ([[-1.9, 0.0]], 0.25),
        ([[-2.1, 0.0]], 0.0),
        ([[40.0, 40.0]], 0.0),
    ],
)
def test_a_mode_is_matched_by_a_minimum_within_half_the_way_to_the_next(minima, share):
    assert matched(np.array(minima), SQUARE) == share


def test_every_mode_has_a_reach_of_its_own():
    modes = np.array([[0.0], [1.0], [10.0]])
    assert matched(np.array([[0.4]]), modes) == pytest.approx(1 / 3)
    assert matched(np.array([[-0.6]]), modes) == 0
    assert matched(np.array([[14.0]]), modes) == pytest.approx(1 / 3)


def test_without_minima_or_modes_nothing_is_matched():
    assert matched(np.empty((0, 2)), SQUARE) == 0
    assert matched(SQUARE, np.empty((0, 2))) == 0
