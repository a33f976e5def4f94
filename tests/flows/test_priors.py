from itertools import pairwise

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest

from hgnpipe.flows._priors import SoftUniform, inner_uniform

SHAPES = [(4.0, 4.0), (1.0, 20.0), (8.0, 0.5), (0.5, 1.0), (3.0, 50.0)]
"""Widths and sharpnesses: like a box, like a bell, and between."""

every_shape = pytest.mark.parametrize(("sigma", "beta"), SHAPES)


def prior(sigma, beta, dtype=torch.float64, **options):
    kind = {"dtype": dtype}
    return SoftUniform(
        torch.tensor(sigma, **kind), torch.tensor(beta, **kind), **options
    )


def reach(sigma, beta):
    """Beyond this distance from zero there is nothing left, 1e-17."""
    return sigma / 2 + 40 / beta


def integral(function, sigma, beta, low=None, high=None):
    """Of a function of one number, in pieces between the edges."""
    far = reach(sigma, beta)
    low, high = -far if low is None else low, far if high is None else high
    edges = [edge for edge in (-sigma / 2, 0.0, sigma / 2) if low < edge < high]
    pieces = pairwise([low, *edges, high])
    return sum(quad(function, *piece, epsabs=1e-12, limit=200)[0] for piece in pieces)


def at(function):
    """A function of tensors as one of numbers."""
    return lambda s: function(torch.tensor(s, dtype=torch.float64)).item()


def density(distribution):
    return at(lambda s: distribution.log_prob(s).exp())


@every_shape
def test_the_density_integrates_to_one(sigma, beta):
    found = integral(density(prior(sigma, beta)), sigma, beta)
    assert found == pytest.approx(1, abs=1e-9)


@every_shape
def test_the_density_is_the_product_of_the_paper_up_to_its_integral(sigma, beta):
    def product(s):
        rising = torch.sigmoid(beta * (s + sigma / 2))
        return rising * torch.sigmoid(-beta * (s - sigma / 2))

    normaliser = integral(at(product), sigma, beta)
    s = torch.linspace(-sigma, sigma, 41, dtype=torch.float64)
    expected = product(s) / normaliser
    torch.testing.assert_close(prior(sigma, beta).log_prob(s).exp(), expected)


@every_shape
def test_the_distribution_function_is_the_integral_of_the_density(sigma, beta):
    tested = prior(sigma, beta)
    for s in (-0.7 * sigma, -0.5 * sigma, 0.1 * sigma, 0.5 * sigma, 0.8 * sigma):
        expected = integral(density(tested), sigma, beta, high=s)
        assert at(tested.cdf)(s) == pytest.approx(expected, abs=1e-9)


@every_shape
def test_the_inverse_undoes_the_distribution_function(sigma, beta):
    tested = prior(sigma, beta)
    s = torch.linspace(-1, 1, 21, dtype=torch.float64) * (sigma / 2 + 5 / beta)
    torch.testing.assert_close(tested.icdf(tested.cdf(s)), s, rtol=1e-8, atol=1e-8)


@every_shape
def test_the_distribution_function_undoes_its_inverse(sigma, beta):
    tested = prior(sigma, beta)
    share = torch.linspace(1e-6, 1 - 1e-6, 31, dtype=torch.float64)
    torch.testing.assert_close(tested.cdf(tested.icdf(share)), share)


@every_shape
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_samples_follow_the_distribution(sigma, beta, dtype):
    torch.manual_seed(0)
    tested = prior(sigma, beta, dtype)
    samples = tested.sample(torch.Size((5000,)))
    assert samples.dtype == dtype
    shares = prior(sigma, beta).cdf(samples.double())
    assert kstest(shares.numpy(), "uniform").pvalue > 1e-3


@every_shape
def test_mean_and_variance_are_those_of_the_density(sigma, beta):
    tested = prior(sigma, beta)
    p = density(tested)
    assert tested.mean.item() == 0
    assert integral(lambda s: s * p(s), sigma, beta) == pytest.approx(0, abs=1e-9)
    variance = integral(lambda s: s**2 * p(s), sigma, beta)
    assert tested.variance.item() == pytest.approx(variance, rel=1e-8)


@every_shape
def test_gradients_go_through_the_samples_to_the_parameters(sigma, beta):
    parameters = [
        torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (sigma, beta)
    ]

    def samples(sigma, beta):
        torch.manual_seed(0)
        return SoftUniform(sigma, beta).rsample(torch.Size((4, 3)))

    assert torch.autograd.gradcheck(samples, parameters)


@every_shape
def test_the_log_density_knows_its_slope(sigma, beta):
    tensors = [torch.tensor(x, dtype=torch.float64) for x in (sigma, beta)]
    s = torch.linspace(-sigma, sigma, 9, dtype=torch.float64)
    inputs = [x.requires_grad_() for x in (s, *tensors)]

    def log_density(s, sigma, beta):
        return SoftUniform(sigma, beta).log_prob(s)

    assert torch.autograd.gradcheck(log_density, inputs)


def test_samples_are_cut_off_from_the_parameters_and_rsamples_are_not():
    sigma = torch.tensor(2.0, requires_grad=True)
    tested = SoftUniform(sigma, 3.0)
    assert not tested.sample(torch.Size((2,))).requires_grad
    assert tested.rsample(torch.Size((2,))).requires_grad


@pytest.mark.parametrize("distance", [100.0, 1e4])
def test_far_away_the_log_density_is_low_but_finite(distance):
    tested = prior(4.0, 4.0, torch.float32)
    s = torch.tensor([-distance, distance], requires_grad=True)
    value = tested.log_prob(s)
    expected = -4.0 * (distance - 2.0)
    torch.testing.assert_close(value, torch.full((2,), expected), rtol=0.02, atol=0)
    (slope,) = torch.autograd.grad(value.sum(), s)
    torch.testing.assert_close(slope, torch.tensor([4.0, -4.0]))


FAR = [1e4, 1e8, 1e20, 3e38, float("inf")]


@every_shape
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_at_any_distance_the_log_density_is_a_number_or_minus_infinity(
    sigma, beta, dtype
):
    s = torch.tensor([*FAR, *(-x for x in FAR)], dtype=dtype)
    values = prior(sigma, beta, dtype).log_prob(s)
    assert not values.isnan().any() and (values < 0).all()
    assert values[4] == values[9] == -torch.inf


@every_shape
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_at_any_distance_the_distribution_function_is_zero_or_one(sigma, beta, dtype):
    s = torch.tensor(FAR, dtype=dtype)
    tested = prior(sigma, beta, dtype)
    assert (tested.cdf(s) == 1).all() and (tested.cdf(-s) == 0).all()


def test_every_pair_of_parameters_is_a_distribution_of_its_own():
    together = SoftUniform(torch.tensor([1.0, 2.0]), torch.tensor([[3.0], [4.0]]))
    assert together.batch_shape == (2, 2)
    assert together.sample(torch.Size((5,))).shape == (5, 2, 2)
    for row, beta in enumerate((3.0, 4.0)):
        for column, sigma in enumerate((1.0, 2.0)):
            alone = SoftUniform(sigma, beta).log_prob(torch.tensor(0.4))
            found = together.log_prob(torch.tensor(0.4))[row, column]
            torch.testing.assert_close(found, alone)


@pytest.mark.parametrize("bad", [0.0, -1.0])
@pytest.mark.parametrize("name", ["sigma", "beta"])
def test_a_parameter_that_is_not_positive_is_refused_by_name(name, bad):
    parameters = {"sigma": 1.0, "beta": 1.0, name: bad}
    with pytest.raises(ValueError, match=f"parameter {name} "):
        SoftUniform(**parameters, validate_args=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_uniform_numbers_at_an_end_give_finite_samples(monkeypatch, dtype, end):
    ends = torch.full((3,), end, dtype=dtype)
    monkeypatch.setattr(torch, "rand", lambda *shape, **kind: ends)
    tested = prior(4.0, 4.0, dtype)
    uniform = inner_uniform((3,), tested.sigma)
    assert ((uniform > 0) & (uniform < 1)).all()
    assert tested.sample(torch.Size((3,))).isfinite().all()


def test_uniform_numbers_come_from_the_generator():
    draws = [
        inner_uniform((4,), torch.ones(()), torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[1], draws[2])
