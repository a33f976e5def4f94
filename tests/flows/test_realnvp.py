import numpy as np
import pytest
import torch
from scipy.stats import kstest

from hgnpipe.evaluation.kept import grid_of
from hgnpipe.evaluation.likelihood import held_out_log_density
from hgnpipe.flows import build_flow

every_number_of_steps = pytest.mark.parametrize("num_steps", [1, 2, 3])
every_dimension = pytest.mark.parametrize("num_dims", [2, 3, 5])


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def curved(num_dims=2, num_steps=3):
    """A flow whose couplings do a good deal."""
    flow = build_flow("realnvp", num_dims=num_dims, num_steps=num_steps, hidden_size=8)
    generator = noise()
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    return flow.double()


def points(num_dims, num=50):
    return torch.randn(num, num_dims, generator=noise(1), dtype=torch.float64)


def to_noise(flow):
    """The map from points to noise."""
    return flow.flow().transform


@every_dimension
@every_number_of_steps
def test_the_log_density_is_that_of_the_noise_and_of_the_change_of_volume(
    num_dims, num_steps
):
    flow, x = curved(num_dims, num_steps), points(num_dims)
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(to_noise(flow), point) for point in x]
    )
    volume = torch.linalg.slogdet(jacobian).logabsdet
    assert volume.abs().mean() > 0.1
    normal = torch.distributions.Normal(0.0, 1.0)
    expected = normal.log_prob(to_noise(flow)(x)).sum(-1) + volume
    torch.testing.assert_close(flow.log_density(x).bound, expected)
    torch.testing.assert_close(flow.log_density(x).estimate, expected)


@every_dimension
@every_number_of_steps
def test_the_inverse_undoes_a_flow_that_moves_points(num_dims, num_steps):
    flow, x = curved(num_dims, num_steps), points(num_dims)
    moved = to_noise(flow)(x)
    assert (moved - x).abs().mean() > 0.1
    torch.testing.assert_close(to_noise(flow).inv(moved), x)


@every_dimension
def test_samples_are_the_noise_of_the_generator_moved(num_dims):
    flow = curved(num_dims)
    samples = flow.sample(20, noise(3))
    expected = torch.randn(20, num_dims, generator=noise(3), dtype=torch.float64)
    torch.testing.assert_close(to_noise(flow)(samples), expected)


def test_the_density_on_a_grid_integrates_to_one():
    reach, num = 9.0, 301
    _, density = held_out_log_density(curved(), grid_of(reach, num), 1, seed=0)
    cell = (2 * reach / (num - 1)) ** 2
    assert np.exp(density).sum() * cell == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("coordinate", [0, 1])
def test_samples_follow_the_density(coordinate):
    reach, num = 9.0, 301
    grid, cell = grid_of(reach, num), 2 * reach / (num - 1)
    _, density = held_out_log_density(curved(), grid, 1, seed=0)
    marginal = np.exp(density).reshape(num, num).sum(coordinate) * cell
    edges = np.linspace(-reach, reach, num) + cell / 2
    samples = curved().sample(3000, noise()).numpy()[:, coordinate]
    share = np.interp(samples, edges, marginal.cumsum() * cell)
    assert kstest(share, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_couplings_change_one_half_of_the_coordinates_and_then_the_other(num_steps):
    flow, x = curved(4, num_steps), points(4)
    changed = []
    for coupling in to_noise(flow).transforms:
        same = (coupling(x) == x).all(0)
        if not same.all():
            assert same.sum() == 2
            changed.append(tuple((~same).tolist()))
    assert len(changed) == num_steps
    assert len(set(changed)) == min(num_steps, 2)


def test_the_loss_is_minus_the_mean_of_the_log_density():
    flow, x = curved(), points(2)
    expected = -flow.log_density(x).estimate.mean()
    torch.testing.assert_close(flow.loss(x, 0)["loss"], expected)


@pytest.mark.parametrize("num_samples", [1, 7])
def test_the_number_of_samples_has_no_effect(num_samples):
    flow, x = curved(), points(2)
    found = flow.log_density(x, num_samples, noise())
    assert torch.equal(found.estimate, flow.log_density(x).estimate)


def test_one_dimension_is_refused_with_the_reason():
    message = "^num_dims is 1; it must be 2 or more for RNVP's couplings.$"
    with pytest.raises(ValueError, match=message):
        build_flow("realnvp", num_dims=1)
