import numpy as np
import pytest
import torch

from hgnpipe.evaluation.minima import local_minima, matched


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
