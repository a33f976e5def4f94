import inspect

import numpy as np
import pytest
import torch

from hgnpipe.evaluation.likelihood import local_minima
from hgnpipe.evaluation.portraits import grid_of
from hgnpipe.evaluation.portraying import portray
from hgnpipe.flows import FLOWS, build_flow
from hgnpipe.hamiltonian import State

HOW = {"num_samples": 40, "grid_size": 9, "num_importance_samples": 3, "seed": 5}

every_family = pytest.mark.parametrize("family", FLOWS.names())


def flow_of(family, **options):
    sizes = {"num_dims": 2, "num_steps": 2, "hidden_size": 8}
    return build_flow(family, seed=1, **{**sizes, **options})


def moving():
    """A flow that moves its points a good deal."""
    return flow_of("nhf", dt=0.5, gradient_rms=1.0, num_leapfrog=2)


def points():
    return np.random.default_rng(0).uniform(-2, 2, (15, 2))


def noise(seed=HOW["seed"]):
    return torch.Generator().manual_seed(seed)


def assert_same(one, other):
    """Equal to the last bit, through all parts of parts."""
    assert type(one) is type(other)
    if isinstance(one, tuple):
        assert len(one) == len(other)
        for part, other_part in zip(one, other, strict=True):
            assert_same(part, other_part)
    else:
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


@every_family
def test_the_density_is_that_of_the_flow_at_every_point_of_the_grid(family):
    flow = flow_of(family)
    portrait = portray(flow, points(), **HOW)
    line = np.linspace(-portrait.position_range, portrait.position_range, 9)
    x, y = np.meshgrid(line, line)
    grid = torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1)).float()
    with torch.no_grad():
        expected = flow.log_density(grid, 3, noise()).estimate.exp().reshape(9, 9)
    np.testing.assert_allclose(portrait.density, expected, rtol=1e-4)


def test_the_density_has_y_first():
    flow = flow_of("realnvp")
    portrait = portray(flow, points(), **HOW)
    line = torch.linspace(-portrait.position_range, portrait.position_range, 9)
    with torch.no_grad():
        here, there = flow.log_density(
            torch.stack([line[[7, 1]], line[[1, 7]]], dim=1)
        ).bound.exp()
    assert abs(here - there) > 1e-3 * here
    assert portrait.density[1, 7] == pytest.approx(here.item(), rel=1e-4)
    assert portrait.density[7, 1] == pytest.approx(there.item(), rel=1e-4)


@every_family
def test_the_grid_of_positions_covers_the_points(family):
    for shift in ([3.0, 0.0], [0.0, -3.0]):
        shifted = points() + np.array(shift)
        portrait = portray(flow_of(family), shifted, **HOW)
        assert np.abs(shifted).max() < portrait.position_range
        assert portrait.position_range < 1.5 * np.abs(shifted).max()


@every_family
def test_samples_are_draws_from_the_flow(family):
    flow = flow_of(family)
    samples = portray(flow, points(), **HOW).samples
    np.testing.assert_allclose(samples, flow.sample(40, noise()), rtol=1e-5, atol=1e-6)


@every_family
def test_paths_end_at_the_samples(family):
    portrait = portray(flow_of(family), points(), **HOW)
    np.testing.assert_array_equal(portrait.paths[:, -1], portrait.samples)


def test_paths_start_at_draws_of_the_prior():
    flow = moving()
    portrait = portray(flow, points(), **HOW)
    initial = flow.sample_prior(40, noise()).q
    np.testing.assert_array_equal(portrait.paths[:, 0], initial)
    assert np.abs(portrait.paths[:, 0] - portrait.samples).mean() > 0.1


@pytest.mark.parametrize("num_steps", [1, 3])
def test_paths_go_on_by_one_flow_step_after_the_other(num_steps):
    flow = flow_of("nhf", num_steps=num_steps, gradient_rms=1.0, num_leapfrog=2)
    portrait = portray(flow, points(), **HOW)
    state = flow.sample_prior(40, noise())
    assert portrait.paths.shape == (40, num_steps + 1, 2)
    for number, hamiltonian in enumerate(flow.hamiltonians):
        state = State(*(x.detach() for x in flow.step(hamiltonian, state, flow.dt)))
        np.testing.assert_allclose(
            portrait.paths[:, number + 1], state.q, rtol=1e-5, atol=1e-6
        )


def on_grid(energy, half_width):
    with torch.no_grad():
        values = energy(torch.from_numpy(grid_of(half_width, 9)).float())
    return values.reshape(9, 9)


def test_energies_are_those_of_every_step_on_their_grids():
    flow = moving()
    portrait = portray(flow, points(), **HOW)
    assert len(portrait.steps) == 2
    tolerance = {"rtol": 1e-4, "atol": 1e-5}
    for step, hamiltonian in zip(portrait.steps, flow.hamiltonians, strict=True):
        expected = on_grid(hamiltonian.potential, portrait.position_range)
        np.testing.assert_allclose(step.potential, expected, **tolerance)
        expected = on_grid(hamiltonian.kinetic, step.momentum_range)
        np.testing.assert_allclose(step.kinetic, expected, **tolerance)


def test_the_grid_of_momenta_covers_those_before_and_after_the_step():
    flow = moving()
    portrait = portray(flow, points(), **{**HOW, "num_samples": 300})
    state = flow.sample_prior(300, noise())
    for step, hamiltonian in zip(portrait.steps, flow.hamiltonians, strict=True):
        momenta = [state.p]
        state = State(*(x.detach() for x in flow.step(hamiltonian, state, flow.dt)))
        momenta = torch.cat([*momenta, state.p]).abs()
        assert (momenta <= step.momentum_range).float().mean() > 0.98
        assert step.momentum_range < 1.5 * momenta.max()


class Wells(torch.nn.Module):
    """Potential energy with four minima."""

    def forward(self, x):
        return (x.square() - 1).square().sum(-1)


def test_minima_are_those_of_the_potential_energy_of_the_step():
    flow = moving()
    flow.hamiltonians[1].potential = Wells()
    steps = portray(flow, points(), **HOW).steps
    assert len(steps[1].minima) >= 4
    for step, hamiltonian in zip(steps, flow.double().hamiltonians, strict=True):
        expected = local_minima(hamiltonian.potential, points())
        np.testing.assert_allclose(step.minima, expected)


def test_a_flow_without_hamiltonians_has_no_steps():
    portrait = portray(flow_of("realnvp"), points(), **HOW)
    assert portrait.steps == () and portrait.paths.shape == (40, 1, 2)


@every_family
def test_the_seed_alone_fixes_the_portrait(family):
    portraits = []
    for global_seed, seed in ((0, 1), (1, 1), (1, 2)):
        torch.manual_seed(global_seed)
        portraits.append(portray(flow_of(family), points(), **{**HOW, "seed": seed}))
    assert_same(portraits[0], portraits[1])
    assert not (portraits[1].samples == portraits[2].samples).any()


@every_family
def test_a_portrait_leaves_the_flow_as_it_was(family):
    flow = flow_of(family)
    before = {name: weight.clone() for name, weight in flow.state_dict().items()}
    portray(flow, points(), **HOW)
    for name, weight in flow.state_dict().items():
        assert weight.dtype == before[name].dtype and torch.equal(weight, before[name])


@pytest.mark.parametrize("num_dims", [1, 3])
def test_points_in_other_than_two_dimensions_are_refused(num_dims):
    flow = build_flow("nhf", num_dims=num_dims, hidden_size=8)
    unchecked = inspect.unwrap(portray)
    message = f"^dimension of the points is {num_dims}; it must be 2.$"
    with pytest.raises(ValueError, match=message):
        unchecked(flow, np.zeros((5, num_dims)), **HOW)
