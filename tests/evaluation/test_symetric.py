import warnings

import numpy as np
import pytest
import torch
from sklearn.preprocessing import PolynomialFeatures

from hgnpipe.evaluation.symetric import (
    SyMetric,
    moving_pairs,
    polynomial_jacobian,
    repeated_symetric,
    symetric,
)
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import leapfrog, rollout
from hgnpipe.systems import build_system

NUM, LENGTH = 5, 60


def cloud(num_pairs, num=NUM, seed=0):
    """Independent points of equal spread in every coordinate, (q, p)."""
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal((2, num, LENGTH, num_pairs)))


def rotated(q, p, angle=0.7):
    """Every pair turned by an angle in its plane: symplectic."""
    return (
        np.cos(angle) * q + np.sin(angle) * p,
        np.cos(angle) * p - np.sin(angle) * q,
    )


def mixed(q, p):
    """Pairs mixed by one orthogonal matrix for q and p: symplectic."""
    mix = np.linalg.qr(np.random.default_rng(1).standard_normal((q.shape[-1],) * 2))[0]
    return q @ mix, p @ mix


def sheared(q, p):
    """p + f(q) with the gradient f of a potential of fourth order: symplectic."""
    return q, p - 0.5 * q * np.square(q).sum(axis=-1, keepdims=True)


def paired_wrongly(q, p):
    """Positions of one pair and momenta of the next in the first coordinates."""
    return np.stack([q[..., 0], p[..., 0]], -1), np.stack([q[..., 1], p[..., 1]], -1)


def sheared_across(q, p):
    """q1 gains p2 while q2 does not gain p1: not symplectic."""
    return q + p[..., ::-1] * [1.0, 0.0], p


def sheared_by_no_potential(q, p):
    """p1 gains a force of q2 while p2 gains none of q1: not symplectic."""
    return q, p + 0.8 * q[..., ::-1] ** 3 * [1.0, 0.0]


def squeezed(q, p):
    """Areas grow away from the origin: not symplectic."""
    return q + q**3, p + p**3


def pendulum(num=NUM, num_steps=LENGTH - 1, seed=0):
    """Leapfrog paths of the pendulum, (q, p) as numpy arrays."""
    system = build_system("pendulum")
    start = system.sample_initial_states(np.random.default_rng(seed), num)
    initial = State(*map(torch.from_numpy, start))
    path = rollout(leapfrog, system.hamiltonian, initial, 0.1, num_steps)
    return path.q.numpy(), path.p.numpy()


def embedded(q, p, num_pairs, seed=0):
    """States in more dimensions, by one orthonormal matrix for q and p."""
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((num_pairs, q.shape[-1])))[0].T
    return q @ frame, p @ frame


@pytest.mark.parametrize("num_pairs", [1, 2, 4])
@pytest.mark.parametrize("change", [rotated, mixed])
def test_linear_changes_of_canonical_coordinates_score_one(change, num_pairs):
    latent = cloud(num_pairs)
    result = symetric(*latent, *change(*latent))
    assert result.score == 1
    assert result.order == 1
    assert result.num_pairs == num_pairs


@pytest.mark.parametrize("num_pairs", [1, 2])
def test_a_nonlinear_symplectic_map_scores_one(num_pairs):
    latent = cloud(num_pairs)
    result = symetric(*latent, *rotated(*sheared(*latent)))
    assert result.score == 1
    assert result.order == 3


def test_the_flow_of_the_pendulum_is_symplectic():
    start = tuple(0.8 * x for x in cloud(1))
    states = State(*(torch.from_numpy(x) for x in start))
    for _ in range(8):
        states = leapfrog(build_system("pendulum").hamiltonian, states, 0.1)
    result = symetric(*start, *(x.numpy() for x in states))
    assert result.score == 1
    assert result.order > 1


@pytest.mark.parametrize(
    ("change", "num_pairs"),
    [
        (sheared_across, 2),
        (sheared_by_no_potential, 2),
        (squeezed, 1),
        (squeezed, 2),
    ],
)
def test_a_smooth_map_that_is_not_symplectic_scores_zero(change, num_pairs):
    latent = cloud(num_pairs)
    result = symetric(*latent, *change(*latent))
    assert result.r2 > 0.9
    assert result.deviation > 0.05
    assert result.score == 0


def test_unrelated_latents_score_zero():
    result = symetric(*cloud(2, seed=1), *cloud(2))
    assert result.r2 < 0.9
    assert result.score == 0


def test_the_deviation_of_a_single_pair_is_half_the_relative_variance_of_its_area():
    q, p = (x[:, :10] for x in cloud(1, num=30))
    result = symetric(q, p, *squeezed(q, p))
    squared_area = ((1 + 3 * q**2) * (1 + 3 * p**2)) ** 2
    relative = squared_area / squared_area.mean(axis=1, keepdims=True)
    assert result.order == 3
    assert result.deviation == pytest.approx(relative.var(axis=1).mean() / 2, rel=0.1)


def test_a_fit_that_does_not_converge_is_no_warning_to_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert symetric(*cloud(2, seed=1), *cloud(2)).order == 5


def test_more_latents_than_true_coordinates_may_score_one():
    q, p = cloud(3)
    assert symetric(q, p, *rotated(q[..., :2], p[..., :2])).score == 1


def test_units_of_the_coordinates_of_a_single_pair_do_not_matter():
    q, p = cloud(1)
    truth = rotated(*sheared(q, p))
    result = symetric(100 * q, p / 7, 3 * truth[0], truth[1] + 5)
    assert result.score == 1
    assert result.deviation == pytest.approx(symetric(q, p, *truth).deviation)


def test_any_linear_map_of_a_single_pair_scores_one_as_the_definition_has_it():
    q, p = cloud(1)
    assert symetric(q, p, 3 * q + p, p - 2 * q).score == 1


def test_wrong_partners_pass_as_the_definition_has_it():
    latent = cloud(2)
    assert symetric(*paired_wrongly(*latent), *latent).score == 1


def test_truth_with_dependent_coordinates_must_be_reduced_to_score_one():
    q, p = cloud(2)
    bodies = [np.concatenate([x, -x], axis=-1) for x in (q, p)]
    result = symetric(q, p, *bodies)
    # A A* is (1, -1; -1, 1) for the coordinates of two opposite bodies: 8 of 64 wrong.
    assert result.deviation == pytest.approx(8 / 64, rel=1e-2)
    assert result.score == 0
    relative = moving_pairs(*bodies, max_pairs=4)
    assert relative[0].shape == q.shape
    assert symetric(q, p, *relative).score == 1


def test_the_jacobian_of_the_polynomial_equals_finite_differences():
    rng, h = np.random.default_rng(0), 1e-6
    x = rng.standard_normal((2, 3, 4))
    x[0, 0] = 0
    features = PolynomialFeatures(4, include_bias=False).fit(x.reshape(-1, 4))
    weights = rng.standard_normal((5, len(features.powers_)))

    def values(points):
        monomials = features.transform(points.reshape(-1, 4))
        return (monomials @ weights.T).reshape(2, 3, 5)

    differences = [(values(x + step) - values(x - step)) for step in h * np.eye(4)]
    jacobian = polynomial_jacobian(features.powers_, weights, x)
    np.testing.assert_allclose(
        jacobian, np.stack(differences, axis=-1) / (2 * h), rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_pendulum_hidden_in_many_pairs_is_found_in_one(noise):
    truth = pendulum()
    disturbance = noise * np.random.default_rng(1).standard_normal((2, NUM, LENGTH, 16))
    hidden = tuple(
        x + d for x, d in zip(embedded(*truth, 16), disturbance, strict=True)
    )
    q, p = moving_pairs(*hidden, max_pairs=6)
    assert q.shape == p.shape == (NUM, LENGTH, 1)
    assert symetric(q, p, *truth).score == 1


def test_positions_and_momenta_are_projected_by_one_orthonormal_basis():
    states = cloud(6, seed=3)
    reduced = moving_pairs(*states, share=0.6, max_pairs=6)
    bases = [
        np.linalg.lstsq(x.reshape(-1, 6), y.reshape(NUM * LENGTH, -1))[0]
        for x, y in zip(states, reduced, strict=True)
    ]
    np.testing.assert_allclose(bases[0], bases[1], atol=1e-12)
    np.testing.assert_allclose(
        bases[0].T @ bases[0], np.eye(bases[0].shape[1]), atol=1e-12
    )


def test_which_directions_move_does_not_depend_on_units():
    q, p = (x * [2.0, 1.0] for x in cloud(2))
    q, p = embedded(q, p, 5)
    expected = moving_pairs(q, p, max_pairs=1)[0]
    reduced = moving_pairs(1000 * q, p / 1000, max_pairs=1)[0] / 1000
    sign = np.sign((reduced * expected).sum())
    np.testing.assert_allclose(sign * reduced, expected)


@pytest.mark.parametrize(("share", "num_pairs"), [(0.5, 1), (0.85, 2), (1.0, 3)])
def test_the_fewest_pairs_that_hold_the_share_are_kept(share, num_pairs):
    q, p = (x * np.sqrt([6, 3, 1]) for x in cloud(3))
    reduced = moving_pairs(*embedded(q, p, 8), share=share, max_pairs=8)
    assert reduced[0].shape[2] == num_pairs


def test_no_more_pairs_than_the_most_allowed_are_kept():
    assert moving_pairs(*cloud(6), max_pairs=4)[0].shape[2] == 4


def test_a_diverged_trajectory_leaves_the_projection_of_the_others_as_it_is():
    q, p = embedded(*cloud(2), 6)
    expected = moving_pairs(q[1:], p[1:], max_pairs=3)
    q[0, 30:] = np.inf
    reduced = moving_pairs(q, p, max_pairs=3)
    np.testing.assert_array_equal(reduced[0][1:], expected[0])
    assert not np.isfinite(reduced[0][0, -1]).any()


@pytest.mark.parametrize("value", [0.0, 3.7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_latents_that_do_not_move_score_zero(value, dtype):
    collapsed = np.full((NUM, LENGTH, 3), value, dtype)
    assert symetric(collapsed, collapsed, *cloud(1)) == SyMetric(0, 0, 1000, 0, 0)
    reduced = moving_pairs(collapsed, collapsed, max_pairs=2)
    result = symetric(*reduced, *cloud(1))
    assert result.score == 0
    assert np.isfinite(result).all()


def test_a_pair_of_which_one_member_does_not_move_scores_zero():
    q, p = cloud(1)
    result = symetric(q, np.ones_like(p), q, p)
    assert result.score == 0
    assert np.isfinite(result).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_a_diverged_rollout_scores_zero(value):
    q, p = cloud(1)
    broken = q.copy()
    broken[2, 50:] = value
    assert symetric(broken, p, q, p).score == 0


def test_pairs_of_which_neither_is_informative_are_left_out():
    q, p = cloud(3)
    variance = np.array([[0.1, 1.0, 0.9], [0.9, 0.2, 0.8]])
    masked = symetric(q, p, *mixed(q, p), variance=variance)
    assert masked.num_pairs == 2
    assert masked == symetric(q[..., :2], p[..., :2], *mixed(q, p))


def test_all_pairs_stay_if_none_is_informative():
    q, p = cloud(2)
    masked = symetric(q, p, *mixed(q, p), variance=np.ones((2, 2)))
    assert masked == symetric(q, p, *mixed(q, p))
    assert masked.num_pairs == 2


@pytest.mark.parametrize(
    ("options", "order"),
    [({"max_order": 2}, 2), ({"max_features": 20}, 2), ({"max_features": 1}, 1)],
)
def test_an_order_beyond_the_limits_is_not_tried(options, order):
    assert symetric(*cloud(2, seed=1), *cloud(1), **options).order == order


def test_above_thirty_two_dimensions_the_map_is_linear():
    assert symetric(*cloud(17, seed=1), *cloud(1)).order == 1


def test_the_same_seed_gives_the_same_result():
    latent = cloud(1)
    truth = squeezed(*latent)
    deviations = [symetric(*latent, *truth, seed=s).deviation for s in (0, 0, 1)]
    assert deviations[0] == deviations[1] != deviations[2]


def test_repeats_are_reproducible_and_differ_from_each_other():
    states = cloud(1, num=12)
    arguments = (*states, *squeezed(*states))
    results = repeated_symetric(*arguments, num_repeats=4, seed=3)
    assert len({result.r2 for result in results}) == 4
    assert results == repeated_symetric(*arguments, num_repeats=4, seed=3)


def test_batches_share_no_trajectory_while_there_are_enough():
    q, p = cloud(1, num=11)
    q[0, 0, 0] = np.nan
    results = repeated_symetric(
        q, p, *cloud(1, num=11), num_repeats=4, trajectories_per_repeat=5, max_order=1
    )
    diverged = [result.order == 0 for result in results]
    assert sum(diverged[:2]) <= 1
    assert sum(diverged[2:]) <= 1


def test_options_of_the_repeats_reach_each_of_them():
    states = cloud(2, num=5)
    variance = np.array([[0.1, 1.0], [1.0, 1.0]])
    (result,) = repeated_symetric(*states, *states, num_repeats=1, variance=variance)
    assert result.num_pairs == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: symetric(*x, *x, max_order=0), "max_order is 0; .* 1 or more"),
        (lambda x: symetric(*x, x[0], 0 * x[1]), "true coordinate is 0.0; .* positive"),
        (lambda x: symetric(*x, x[0], np.nan * x[1]), "true coordinate is nan"),
        (lambda x: repeated_symetric(*x, *x, num_repeats=0), "num_repeats is 0"),
        (
            lambda x: repeated_symetric(*x, *x, trajectories_per_repeat=6),
            "trajectories_per_repeat is 6; it must be in 1 to 5",
        ),
        (lambda x: moving_pairs(*x, max_pairs=0), "max_pairs is 0; .* 1 or more"),
        (
            lambda x: moving_pairs(*x, share=0.0, max_pairs=1),
            "share is 0.0; .* above 0",
        ),
        (lambda x: moving_pairs(*x, share=1.1, max_pairs=1), "share is 1.1; .* most 1"),
    ],
)
def test_bad_input_is_named_with_what_would_be_legal(call, message):
    with pytest.raises(ValueError, match=message):
        call(cloud(1))
