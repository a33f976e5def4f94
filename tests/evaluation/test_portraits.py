import inspect

import h5py
import numpy as np
import pytest
import torch
from damage import edited

from hgnpipe.evaluation.kept import (
    PORTRAIT,
    Portrait,
    grid_of,
    load_portrait,
    save_portrait,
)
from hgnpipe.evaluation.minima import local_minima
from hgnpipe.evaluation.portraits import make_portrait
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
    portrait = make_portrait(flow, points(), **HOW)
    line = np.linspace(-portrait.position_range, portrait.position_range, 9)
    x, y = np.meshgrid(line, line)
    grid = torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1)).float()
    with torch.no_grad():
        expected = flow.log_density(grid, 3, noise()).estimate.exp().reshape(9, 9)
    np.testing.assert_allclose(portrait.density, expected, rtol=1e-4)


def test_the_density_has_y_first():
    flow = flow_of("realnvp")
    portrait = make_portrait(flow, points(), **HOW)
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
        portrait = make_portrait(flow_of(family), shifted, **HOW)
        assert np.abs(shifted).max() < portrait.position_range
        assert portrait.position_range < 1.5 * np.abs(shifted).max()


@every_family
def test_samples_are_draws_from_the_flow(family):
    flow = flow_of(family)
    samples = make_portrait(flow, points(), **HOW).samples
    np.testing.assert_allclose(samples, flow.sample(40, noise()), rtol=1e-5, atol=1e-6)


@every_family
def test_paths_end_at_the_samples(family):
    portrait = make_portrait(flow_of(family), points(), **HOW)
    np.testing.assert_array_equal(portrait.paths[:, -1], portrait.samples)


def test_paths_start_at_draws_of_the_prior():
    flow = moving()
    portrait = make_portrait(flow, points(), **HOW)
    initial = flow.sample_prior(40, noise()).q
    np.testing.assert_array_equal(portrait.paths[:, 0], initial)
    assert np.abs(portrait.paths[:, 0] - portrait.samples).mean() > 0.1


@pytest.mark.parametrize("num_steps", [1, 3])
def test_paths_go_on_by_one_flow_step_after_the_other(num_steps):
    flow = flow_of("nhf", num_steps=num_steps, gradient_rms=1.0, num_leapfrog=2)
    portrait = make_portrait(flow, points(), **HOW)
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
    portrait = make_portrait(flow, points(), **HOW)
    assert len(portrait.steps) == 2
    tolerance = {"rtol": 1e-4, "atol": 1e-5}
    for step, hamiltonian in zip(portrait.steps, flow.hamiltonians, strict=True):
        expected = on_grid(hamiltonian.potential, portrait.position_range)
        np.testing.assert_allclose(step.potential, expected, **tolerance)
        expected = on_grid(hamiltonian.kinetic, step.momentum_range)
        np.testing.assert_allclose(step.kinetic, expected, **tolerance)


def test_the_grid_of_momenta_covers_those_before_and_after_the_step():
    flow = moving()
    portrait = make_portrait(flow, points(), **{**HOW, "num_samples": 300})
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
    steps = make_portrait(flow, points(), **HOW).steps
    assert len(steps[1].minima) >= 4
    for step, hamiltonian in zip(steps, flow.double().hamiltonians, strict=True):
        expected = local_minima(hamiltonian.potential, points())
        np.testing.assert_allclose(step.minima, expected)


def test_a_flow_without_hamiltonians_has_no_steps():
    portrait = make_portrait(flow_of("realnvp"), points(), **HOW)
    assert portrait.steps == () and portrait.paths.shape == (40, 1, 2)


@every_family
def test_the_seed_alone_fixes_the_portrait(family):
    portraits = []
    for global_seed, seed in ((0, 1), (1, 1), (1, 2)):
        torch.manual_seed(global_seed)
        portraits.append(
            make_portrait(flow_of(family), points(), **{**HOW, "seed": seed})
        )
    assert_same(portraits[0], portraits[1])
    assert not (portraits[1].samples == portraits[2].samples).any()


@every_family
def test_a_portrait_leaves_the_flow_as_it_was(family):
    flow = flow_of(family)
    before = {name: weight.clone() for name, weight in flow.state_dict().items()}
    make_portrait(flow, points(), **HOW)
    for name, weight in flow.state_dict().items():
        assert weight.dtype == before[name].dtype and torch.equal(weight, before[name])


@pytest.mark.parametrize("num_dims", [1, 3])
def test_points_in_other_than_two_dimensions_are_refused(num_dims):
    flow = build_flow("nhf", num_dims=num_dims, hidden_size=8)
    unchecked = inspect.unwrap(make_portrait)
    message = f"^dimension of the points is {num_dims}; it must be 2.$"
    with pytest.raises(ValueError, match=message):
        unchecked(flow, np.zeros((5, num_dims)), **HOW)


def test_a_grid_runs_row_by_row_from_the_lower_left():
    expected = [(x, y) for y in (-2, 0, 2) for x in (-2, 0, 2)]
    np.testing.assert_array_equal(grid_of(2.0, 3), expected)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "portraits" / "portrait.h5"


@every_family
def test_a_portrait_survives_being_stored_bit_for_bit(path, family):
    portrait = make_portrait(flow_of(family), points(), **HOW)
    save_portrait(path, portrait)
    loaded = load_portrait(path)
    assert isinstance(loaded, Portrait)
    assert_same(loaded, portrait)


def test_no_minimum_survives_being_stored_too(path):
    portrait = make_portrait(moving(), points(), **HOW)
    steps = tuple(s._replace(minima=np.empty((0, 2))) for s in portrait.steps)
    save_portrait(path, portrait._replace(steps=steps))
    assert [step.minima.shape for step in load_portrait(path).steps] == [(0, 2)] * 2


def test_saving_leaves_only_the_portrait(path):
    save_portrait(path, make_portrait(flow_of("realnvp"), points(), **HOW))
    assert list(path.parent.iterdir()) == [path]


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(ValueError) as error:
        load_portrait(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_portrait_is_named(path):
    assert refusal(path) == f"{path} does not exist."


def test_a_file_that_is_no_hdf5_is_named(path):
    path.parent.mkdir()
    path.write_bytes(b"portrait")
    assert refusal(path).startswith(f"{path} is text; expected {PORTRAIT!r}.")


@pytest.mark.parametrize("format", [None, "hgnpipe points 1", "hgnpipe portrait 1"])
def test_hdf5_of_another_format_is_refused_with_the_format(path, format):
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        if format is not None:
            file.attrs["format"] = format
    what = f"a file of format {format!r}" if format else "HDF5 of another program"
    expected = f"{path} is {what}; expected {PORTRAIT!r}."
    assert refusal(path).startswith(expected)


@pytest.mark.parametrize("part", ["density", "paths", "step1/minima", "step0"])
def test_a_file_that_lacks_a_part_is_named(path, part):
    save_portrait(path, make_portrait(moving(), points(), **HOW))
    with edited(path) as file:
        del file[part]
    assert refusal(path).startswith(f"{path} lacks a part: ")
