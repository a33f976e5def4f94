import math
from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import nn

from hgnpipe.evaluation.kept import grid_of
from hgnpipe.evaluation.likelihood import held_out_log_density, log_volume_change
from hgnpipe.flows import FLOWS, build_flow
from hgnpipe.flows.nhf import PRIORS, log_mean_exp
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import euler, leapfrog

MOVING = {"hidden_size": 16, "dt": 0.5, "gradient_rms": 1.0, "feature_scale": 2.0}
SHAPE = {"sigma": 3.0, "beta": 4.0}

every_family = pytest.mark.parametrize("family", FLOWS.names())
every_prior = pytest.mark.parametrize("prior", PRIORS)
every_number_of_steps = pytest.mark.parametrize("num_steps", [1, 2, 3])
every_dimension = pytest.mark.parametrize("num_dims", [1, 2, 5])


def moving(num_dims=1, num_steps=2, seed=0, dtype=torch.float64, **changes):
    """A flow with random weights that moves points a good deal."""
    options = {**MOVING, **SHAPE, "prior": "normal", **changes}
    flow = build_flow(
        "nhf", seed=seed, num_dims=num_dims, num_steps=num_steps, **options
    )
    with torch.no_grad():
        # An encoder wider than what it stands for: estimates converge fast.
        flow.momentum_log_std[-1].bias.fill_(0.7)
    return flow.to(dtype)


def small(family, num_dims=2):
    """A flow of any family, its weights somewhat away from where a seed puts them."""
    flow = build_flow(family, seed=1, num_dims=num_dims, hidden_size=8)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return flow


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def states(num_dims, num=200, dtype=torch.float64):
    return State(*torch.randn(2, num, num_dims, generator=noise(), dtype=dtype))


def farthest(one, other):
    pairs = zip(one, other, strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


# The map


@every_dimension
@every_number_of_steps
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)]
)
def test_the_inverse_undoes_a_flow_that_moves_points(
    num_dims, num_steps, dtype, tolerance
):
    flow = moving(num_dims, num_steps, dtype=dtype)
    start = states(num_dims, dtype=dtype)
    end = flow(start)
    assert (end.q - start.q).abs().mean() > 0.1
    assert (end.p - start.p).abs().mean() > 0.1
    assert farthest(flow.inverse(end), start) < tolerance


@every_dimension
@every_number_of_steps
def test_the_flow_undoes_its_inverse(num_dims, num_steps):
    flow, start = moving(num_dims, num_steps), states(num_dims)
    assert farthest(flow(flow.inverse(start)), start) < 1e-10


@every_dimension
@every_number_of_steps
def test_the_flow_keeps_volumes(num_dims, num_steps):
    flow = moving(num_dims, num_steps)
    assert log_volume_change(flow, states(num_dims, 20)).abs().max() < 1e-10


@every_dimension
def test_steps_that_are_not_symplectic_do_not_keep_volumes(num_dims):
    """Otherwise the test above would see nothing."""
    flow = moving(num_dims)

    def explicit(state):
        for hamiltonian in flow.hamiltonians:
            state = euler(hamiltonian, state, flow.dt)
        return state

    change = log_volume_change(explicit, states(num_dims, 20))
    assert change.abs().mean() > 0.01


def test_a_stretched_flow_does_not_keep_volumes():
    flow = moving(2)

    def stretched(state):
        return State(1.01 * flow(state).q, flow(state).p)

    change = log_volume_change(stretched, states(2, 20))
    expected = torch.full((20,), 2 * math.log(1.01), dtype=torch.float64)
    torch.testing.assert_close(change, expected)


def test_every_step_has_a_hamiltonian_of_its_own():
    flow, start = moving(2, 3), states(2)
    ends = [leapfrog(hamiltonian, start, flow.dt) for hamiltonian in flow.hamiltonians]
    assert len(ends) == 3
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert farthest(ends[one], ends[other]) > 0.1


@pytest.mark.parametrize("num_leapfrog", [1, 3])
def test_the_flow_is_leapfrog_with_each_hamiltonian_in_turn(num_leapfrog):
    flow, state = moving(2, 3, num_leapfrog=num_leapfrog), states(2)
    expected = state
    for hamiltonian in flow.hamiltonians:
        for _ in range(num_leapfrog):
            expected = leapfrog(hamiltonian, expected, MOVING["dt"])
    assert farthest(flow(state), expected) < 1e-12


def test_several_leapfrog_steps_are_inverted_and_keep_volumes_too():
    flow, start = moving(2, num_leapfrog=3), states(2, 20)
    assert farthest(flow.inverse(flow(start)), start) < 1e-10
    assert log_volume_change(flow, start).abs().max() < 1e-10


@every_dimension
def test_the_closed_form_gradients_of_the_energies_move_points_as_autograd_does(
    num_dims,
):
    flow, start = moving(num_dims), states(num_dims)
    expected = start
    for hamiltonian in flow.hamiltonians:
        plain = lambda q, p, energy=hamiltonian: energy(q, p)  # noqa: E731
        expected = leapfrog(plain, expected, flow.dt)
    assert farthest(flow(start), expected) < 1e-8


# Densities that are known


class Quadratic(nn.Module):
    """Energy ``factor * x^2 / 2``, a factor per coordinate."""

    def __init__(self, factor):
        super().__init__()
        self.register_buffer("factor", torch.tensor(factor, dtype=torch.float64))

    def forward(self, x):
        return (self.factor * x.square()).sum(-1) / 2


STIFFNESS = [[0.8, 2.5], [3.0, 0.4]]
"""Of V, in every step and for every coordinate."""


def linear(num_dims, **changes):
    """A flow of oscillators; with a normal prior its density is a Gaussian."""
    flow = moving(num_dims, **changes)
    for hamiltonian, stiffness in zip(flow.hamiltonians, STIFFNESS, strict=True):
        hamiltonian.kinetic = Quadratic(1.0)
        hamiltonian.potential = Quadratic(stiffness[:num_dims])
    return flow


def covariances(num_dims):
    """Of final position and momentum of every coordinate, ``(d, 2, 2)``."""
    found = []
    for coordinate in range(num_dims):
        drift = np.array([[1, MOVING["dt"]], [0, 1]])
        matrix = np.eye(2)
        for stiffness in STIFFNESS:
            kick = np.array([[1, 0], [-stiffness[coordinate] * MOVING["dt"] / 2, 1]])
            matrix = kick @ drift @ kick @ matrix
        found.append(matrix @ matrix.T)
    return torch.tensor(np.array(found))


def positions(num_dims, num=40):
    """Points where the linear flow has some density, for tests to evaluate at."""
    std = covariances(num_dims)[:, 0, 0].sqrt()
    return std * torch.randn(num, num_dims, generator=noise(), dtype=torch.float64)


def known_log_density(q):
    std = covariances(q.shape[1])[:, 0, 0].sqrt()
    return torch.distributions.Normal(0.0, std).log_prob(q).sum(-1)


def known_bound(flow, q):
    """ln p(q) minus the divergence of the encoder from the true posterior."""
    matrix = covariances(q.shape[1])
    variance, mixed = matrix[:, 0, 0], matrix[:, 0, 1]
    # The maps keep areas: the determinant of every matrix is 1.
    posterior = torch.distributions.Normal(q * mixed / variance, variance.rsqrt())
    gap = torch.distributions.kl_divergence(flow.encoder(q), posterior)
    return known_log_density(q) - gap.sum(-1)


@pytest.mark.parametrize("num_dims", [1, 2])
def test_samples_of_a_flow_of_oscillators_have_the_variance_of_their_gaussian(num_dims):
    samples = linear(num_dims).sample(20_000, noise())
    variance = covariances(num_dims)[:, 0, 0]
    torch.testing.assert_close(samples.var(0), variance, rtol=0.05, atol=0)


@pytest.mark.parametrize("num_dims", [1, 2])
def test_the_estimate_of_a_gaussian_density_is_its_formula(num_dims):
    flow, q = linear(num_dims), positions(num_dims)
    with torch.no_grad():
        estimate = flow.log_density(q, 2000, noise()).estimate
    assert (estimate - known_log_density(q)).mean().abs() < 0.02
    assert (estimate - known_log_density(q)).abs().max() < 0.2


@pytest.mark.parametrize("num_dims", [1, 2])
def test_the_bound_on_a_gaussian_density_is_lower_by_the_divergence_of_the_encoder(
    num_dims,
):
    flow, q = linear(num_dims), positions(num_dims)
    with torch.no_grad():
        bound = flow.log_density(q, 5000, noise()).bound
        expected = known_bound(flow, q)
    assert (known_log_density(q) - expected).min() > 0.05
    torch.testing.assert_close(bound, expected, rtol=0, atol=0.15)
    assert (bound - expected).mean().abs() < 0.02


@pytest.mark.parametrize("num_dims", [1, 2])
@pytest.mark.parametrize("num_samples", [2, 8])
def test_on_average_the_estimate_lies_between_the_bound_and_the_density(
    num_dims, num_samples
):
    flow, q = linear(num_dims), positions(num_dims).repeat(100, 1)
    with torch.no_grad():
        bound, estimate = flow.log_density(q, num_samples, noise())
    gap = known_log_density(q) - estimate
    assert (bound <= estimate).all()
    assert (estimate - bound).mean() > 0.05
    assert gap.mean() > 4 * gap.std() / math.sqrt(len(gap)) > 0


def test_more_samples_never_lower_the_mean_of_the_estimate():
    flow, q = linear(2), positions(2).repeat(50, 1)
    with torch.no_grad():
        means = [
            flow.log_density(q, num, noise(num)).estimate.mean().item()
            for num in (1, 3, 10, 30, 100)
        ]
    assert means == sorted(means)
    assert means[0] < means[-1] - 0.1
    assert means[-1] == pytest.approx(known_log_density(q).mean().item(), abs=0.02)


# Densities by quadrature


def by_quadrature(flow, q, num=241, reach=12.0):
    """Ln p of positions in one dimension: the joint density, summed over momenta."""
    p = torch.linspace(-reach, reach, num, dtype=torch.float64)
    pairs = State(
        q.reshape(-1, 1).repeat_interleave(num, 0), p.repeat(len(q)).reshape(-1, 1)
    )
    with torch.no_grad():
        joint = flow.log_joint(pairs).reshape(len(q), num)
    return joint.logsumexp(1) + math.log(2 * reach / (num - 1))


LINE = torch.linspace(-10, 10, 401, dtype=torch.float64)
STEP = (LINE[1] - LINE[0]).item()


@cache
def density_on_line(prior, num_steps):
    flow = moving(1, num_steps, prior=prior)
    return by_quadrature(flow, LINE).exp().numpy()


@every_prior
@every_number_of_steps
def test_the_density_of_a_random_flow_integrates_to_one(prior, num_steps):
    density = density_on_line(prior, num_steps)
    assert density.sum() * STEP == pytest.approx(1, abs=1e-4)


@every_prior
@every_number_of_steps
def test_samples_of_a_random_flow_follow_its_own_density(prior, num_steps):
    flow = moving(1, num_steps, prior=prior)
    share = density_on_line(prior, num_steps).cumsum() * STEP
    samples = flow.sample(3000, noise()).ravel().numpy()
    found = np.interp(samples, LINE.numpy() + STEP / 2, share)
    assert kstest(found, "uniform").pvalue > 1e-3


@every_prior
@every_number_of_steps
def test_the_estimate_of_a_random_flow_is_the_integral_over_the_momentum(
    prior, num_steps
):
    flow = moving(1, num_steps, prior=prior)
    q = flow.sample(30, noise())
    with torch.no_grad():
        bound, estimate = flow.log_density(q, 2000, noise(1))
    exact = by_quadrature(flow, q)
    assert (estimate - exact).mean().abs() < 0.02
    assert (estimate - exact).abs().max() < 0.3
    assert ((exact - bound) > -0.05).all()


@every_prior
def test_the_estimated_density_on_a_grid_integrates_to_one(prior):
    flow = moving(2, prior=prior, dtype=torch.float32)
    reach, num = 7.0, 57
    _, estimate = held_out_log_density(flow, grid_of(reach, num), 200, seed=0)
    cell = (2 * reach / (num - 1)) ** 2
    assert np.exp(estimate).sum() * cell == pytest.approx(1, abs=0.02)


# Priors


@every_prior
def test_initial_states_follow_the_prior(prior):
    flow = moving(2, prior=prior)
    for part in flow.sample_prior(3000, noise()):
        for coordinate in part.T:
            share = flow.prior(part).cdf(coordinate)
            assert kstest(share.numpy(), "uniform").pvalue > 1e-3


def test_position_and_momentum_start_independently():
    initial = torch.cat(moving(2).sample_prior(20_000, noise()), dim=1)
    correlation = torch.corrcoef(initial.T)
    assert (correlation - torch.eye(4)).abs().max() < 0.04


def test_the_prior_named_normal_is_the_standard_normal():
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    expected = -x.square() / 2 - math.log(2 * math.pi) / 2
    torch.testing.assert_close(moving(prior="normal").prior(x).log_prob(x), expected)


def test_the_soft_uniform_prior_has_the_width_and_sharpness_it_is_told():
    x = torch.zeros(1, dtype=torch.float64)
    prior = moving(prior="soft_uniform", sigma=2.5, beta=7.0).prior(x)
    assert (prior.sigma.item(), prior.beta.item()) == (2.5, 7.0)


# Training objective


@every_prior
def test_with_one_sample_the_loss_is_minus_the_bound(prior):
    flow, q = moving(2, prior=prior, num_importance_samples=1), states(2).q
    terms = flow.loss(q, 0, noise())
    bound = flow.log_density(q, 1, noise()).bound.mean()
    torch.testing.assert_close(terms["loss"], -bound, rtol=1e-12, atol=0)
    torch.testing.assert_close(terms["elbo"], bound, rtol=1e-12, atol=0)


def test_with_more_samples_the_loss_is_the_tighter_bound_at_as_much_fewer_points():
    flow, q = moving(2, num_importance_samples=5), states(2).q
    terms = flow.loss(q, 0, noise())
    bound, estimate = flow.log_density(q[::5], 5, noise())
    torch.testing.assert_close(terms["loss"], -estimate.mean())
    torch.testing.assert_close(terms["elbo"], bound.mean())
    assert terms["loss"] < -terms["elbo"] - 0.05


def test_a_training_may_begin_with_the_bound_of_one_sample():
    flow = moving(2, num_importance_samples=5, elbo_iterations=3)
    plain, tighter = moving(2), moving(2, num_importance_samples=5)
    q = states(2).q
    for iteration, expected in ((0, plain), (2, plain), (3, tighter), (4, tighter)):
        found = flow.loss(q, iteration, noise())["loss"]
        assert found == expected.loss(q, iteration, noise())["loss"]


def test_the_mean_of_exponentials_is_taken_without_overflow():
    weights = torch.tensor([[1000.0, -1000.0, 0.0], [1000.0, -1000.0, math.log(3)]])
    expected = torch.tensor([1000.0, -1000.0, math.log(2)])
    torch.testing.assert_close(log_mean_exp(weights), expected)


def test_every_sample_of_the_momentum_is_of_the_point_it_stands_for():
    """Otherwise the shape would be right and the numbers of other points."""
    flow, q = moving(2), states(2, 5).q
    with torch.no_grad():
        together = flow.log_density(q, 3000, noise()).estimate
        alone = [flow.log_density(point, 3000, noise(1)) for point in q.split(1)]
    alone = torch.cat([density.estimate for density in alone])
    torch.testing.assert_close(together, alone, rtol=0, atol=0.1)


# Every flow

FAR = [3000.0, 1e4, -1e8, 1e15, -1e25, 3e38, -1e39, 1e300]
"""Coordinates far from anything that a flow has learned."""


def wild(family, scale, **options):
    """A flow with weights as large as those of a training that went astray."""
    flow = build_flow(family, num_dims=2, hidden_size=8, **options)
    generator = noise(4)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(scale * torch.randn(weight.shape, generator=generator))
    return flow


KINDS = [("nhf", {"prior": prior}) for prior in PRIORS] + [
    (family, {}) for family in FLOWS.names() if family != "nhf"
]


@pytest.mark.parametrize(("family", "options"), KINDS)
@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_density_of_any_finite_point_is_a_number_or_nothing(
    family, options, scale, dtype
):
    flow = wild(family, scale, **options).to(dtype)
    points = torch.cartesian_prod(
        torch.tensor([0.5, *FAR], dtype=torch.float64),
        torch.tensor([0.0, *FAR], dtype=torch.float64),
    )
    for values in flow.log_density(points, 5, noise()):
        assert not values.isnan().any() and (values < torch.inf).all()


@pytest.mark.parametrize(("family", "options"), KINDS)
def test_a_far_point_leaves_the_densities_of_the_others_as_they_are(family, options):
    flow, points = wild(family, 0.1, **options), states(2, 6, torch.float32).q
    expected = flow.log_density(points, 5, noise())
    points[2] = torch.tensor([3000.0, -1e30])
    found = flow.log_density(points, 5, noise())
    for one, other in zip(found, expected, strict=True):
        assert one[2] < -1e3
        assert torch.equal(one[[0, 1, 3, 4, 5]], other[[0, 1, 3, 4, 5]])


def test_a_sample_that_ran_over_counts_for_nothing_beside_the_others():
    class Half(type(moving())):
        def log_weights(self, q, num_samples=1, generator=None):
            weights = super().log_weights(q, num_samples, generator)
            weights[0] = torch.nan
            return weights

    flow, q = moving(2), states(2, 5).q
    weights = flow.log_weights(q, 4, noise())
    flow.__class__ = Half
    bound, estimate = flow.log_density(q, 4, noise())
    assert (bound == -torch.inf).all()
    expected = weights[1:].logsumexp(0) - math.log(4)
    torch.testing.assert_close(estimate, expected)


@every_family
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int64])
def test_rows_of_any_precision_have_the_density_of_that_of_the_flow(family, dtype):
    flow, rows = small(family), torch.tensor([[1, -2], [0, 3]], dtype=dtype)
    found = flow.log_density(rows, 3, noise())
    expected = flow.log_density(rows.float(), 3, noise())
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32 and torch.equal(one, other)


@every_family
@pytest.mark.parametrize("num", [0, -1])
def test_a_density_from_no_samples_is_refused(family, num):
    message = f"^num_importance_samples is {num}; it must be 1 or more.$"
    with pytest.raises(ValueError, match=message):
        small(family).log_density(torch.zeros(3, 2), num)


@every_family
@pytest.mark.parametrize(
    ("points", "message"),
    [
        (torch.zeros(3, 5), r"shape of the points is \(3, 5\); .* \(points, 2\)"),
        (torch.zeros(2), r"shape of the points is \(2,\)"),
        (torch.tensor([[0.0, torch.nan]]), "a coordinate that is not a finite number"),
        (torch.tensor([[torch.inf, 0.0]]), "a coordinate that is not a finite number"),
    ],
)
def test_points_that_have_no_density_are_refused(unchecked, family, points, message):
    with pytest.raises(ValueError, match=message):
        small(family).log_density(points)


@every_family
def test_every_parameter_gets_a_gradient_from_the_loss(family):
    flow = small(family)
    flow.loss(states(2, dtype=torch.float32).q, 0, noise())["loss"].backward()
    gradients = {name: weight.grad for name, weight in flow.named_parameters()}
    assert [n for n, g in gradients.items() if g is None or not g.any()] == []


@every_family
def test_the_generator_fixes_the_samples(family):
    flow = small(family)
    one, same, other = (flow.sample(20, noise(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)


@every_family
def test_the_generator_fixes_estimates_and_loss(family):
    flow, q = small(family), states(2, dtype=torch.float32).q
    found = []
    for global_seed in (0, 1):
        torch.manual_seed(global_seed)
        density = flow.log_density(q, 3, noise())
        found.append([*density, flow.loss(q, 0, noise())["loss"]])
    assert all(map(torch.equal, *found))


@every_family
def test_only_an_exact_flow_knows_its_density_without_samples(family):
    flow, q = small(family), states(2, dtype=torch.float32).q
    one, other = (flow.log_density(q, 3, noise(seed)) for seed in (0, 1))
    assert torch.equal(one.estimate, other.estimate) == flow.exact
    assert torch.equal(one.bound, one.estimate) == flow.exact


@every_family
def test_the_density_has_as_many_numbers_as_there_are_points(family):
    bound, estimate = small(family).log_density(torch.zeros(7, 2), 3, noise())
    assert bound.shape == estimate.shape == (7,)
    assert small(family).sample(5).shape == (5, 2)


@every_family
def test_samples_need_no_graph(family):
    assert not small(family).sample(3).requires_grad


@every_family
@pytest.mark.parametrize("name", ["num_dims", "num_steps", "hidden_size"])
@pytest.mark.parametrize("value", [0, -2])
def test_a_count_below_its_least_is_one_line_that_names_it(family, name, value):
    options = {"num_dims": 2, "num_steps": 1, "hidden_size": 8, name: value}
    with pytest.raises(ValueError, match=rf"^{name} is {value}; it must be \d or more"):
        build_flow(family, **options)


@every_family
def test_an_unknown_option_is_answered_with_the_known_ones(family):
    with pytest.raises(ValueError, match=r"'widht' of flow family.*Known: num_dims"):
        build_flow(family, num_dims=2, widht=8)


@every_family
def test_a_flow_needs_to_know_its_dimension(family):
    with pytest.raises(ValueError, match="Missing option 'num_dims'"):
        build_flow(family, hidden_size=8)


@pytest.mark.parametrize(
    "name", ["dt", "sigma", "beta", "gradient_rms", "feature_scale"]
)
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_a_size_that_is_not_positive_is_one_line_that_names_it(name, value):
    with pytest.raises(ValueError, match=f"^{name} is {value}; it must be positive.$"):
        build_flow("nhf", num_dims=2, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("num_importance_samples", 0, "1 or more"), ("num_leapfrog", 0, "1 or more"),
        ("elbo_iterations", -1, "zero or positive"),
    ],
)  # fmt: skip
def test_a_count_that_only_this_flow_has_is_checked_too(name, value, legal):
    with pytest.raises(ValueError, match=f"^{name} is {value}; it must be {legal}.$"):
        build_flow("nhf", num_dims=2, **{name: value})


def test_an_unknown_prior_is_answered_with_the_known_ones():
    message = "^Unknown prior 'uniform'. Known: normal, soft_uniform.$"
    with pytest.raises(ValueError, match=message):
        build_flow("nhf", num_dims=2, prior="uniform")


def test_an_unknown_family_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"^Unknown flow family 'nfh'. Known: nhf, "):
        build_flow("nfh", num_dims=2)
