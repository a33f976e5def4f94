"""Measures of models whose samples are right, or wrong in one known way."""

import warnings

import numpy as np
import pytest
import torch
from tiny_models import trained
from torch import nn

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.evaluation.films import to_stored
from hgnpipe.evaluation.samples import Shown, measures_of_samples, nearest_mse
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import leapfrog, rollout
from hgnpipe.models.base import Inferred, SamplingModel
from hgnpipe.systems import build_system
from hgnpipe.training.batches import to_pixels

SIZE, NUM, LENGTH = 16, 60, 12
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_warnings():
    """Nothing here may warn, whatever the numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def shown_of(name, num=NUM):
    system = build_system(name)
    made = simulate(system, num, LENGTH, seed=0)
    return Shown(render(system, made.q, SIZE), system, made.q, made.p)


class Truthful(nn.Module):
    """Knows the system, and samples as the data were sampled.

    Args:
        shown: Videos whose first states it knows.
        stretch: Multiplies sampled momenta.
        decode: Pictures of positions, from the true pictures of a batch.
        bend: Latent momenta are the true ones and so many times the squared position.
        still: Nothing moves.
    """

    num_frames = window = 2
    image_size = SIZE

    def __init__(self, shown, stretch=1.0, decode=None, bend=0.0, still=False):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.system, self.dt = shown.system, 0.0 if still else shown.system.frame_dt
        self.stretch, self.change, self.bend = stretch, decode, bend
        self.known = {
            video[0].tobytes(): (q[0], p[0])
            for video, q, p in zip(shown.frames, shown.q, shown.p, strict=True)
        }

    @property
    def hamiltonian(self):
        return self.system.hamiltonian

    def set_frame_statistics(self, mean_image, std):
        raise NotImplementedError

    def loss(self, frames, iteration, generator=None):
        raise NotImplementedError

    def predict(self, frames, *, speed=1.0, num_steps=None):
        raise NotImplementedError

    def infer(self, frames):
        return Inferred(self.sample_inferred(frames), torch.zeros(len(frames)), None)

    def sample_inferred(self, frames, generator=None):
        first = [self.known[one[0].tobytes()] for one in to_stored(frames)]
        q, p = (torch.tensor(np.array(x)) for x in zip(*first, strict=True))
        return State(q, p + self.bend * q.square())

    def sample_states(self, num, generator=None):
        rng = np.random.default_rng(generator.initial_seed())
        q, p = self.system.sample_initial_states(rng, num)
        q, p = torch.tensor(q), self.stretch * torch.tensor(p)
        return State(q, p + self.bend * q.square())

    def rollout(self, initial, dt, num_steps):
        q, p = initial
        start = State(q, p - self.bend * q.square())
        path = rollout(leapfrog, self.hamiltonian, start, dt, num_steps)
        return State(path.q, path.p + self.bend * path.q.square())

    def decode_path(self, path):
        q = path.q.nan_to_num(0.0).numpy()
        pictures = to_pixels(render(self.system, q, SIZE), CPU)
        return self.change(pictures) if self.change else pictures


def measured(shown, batch_size=25, seed=0, **options):
    found = measures_of_samples(Truthful(shown, **options), shown, batch_size, seed)
    return {name: float(values.mean()) for name, values in found.items()}


@pytest.fixture(scope="module")
def swing():
    return shown_of("pendulum")


@pytest.fixture(scope="module")
def truth(swing):
    return measured(swing)


def test_the_model_of_these_tests_is_a_model_that_samples(swing):
    assert isinstance(Truthful(swing), SamplingModel)


def test_samples_like_the_data_have_the_energies_of_the_data(truth):
    assert truth["state_map_r2"] > 0.999
    assert truth["sample_energy_distance"] < 0.25  # 300 samples, 60 videos
    assert truth["sample_energy_shift"] == pytest.approx(0, abs=0.25)
    assert truth["sample_energy_std"] == pytest.approx(1, abs=0.2)
    assert truth["inferred_energy_distance"] < 0.05


def test_samples_like_the_data_are_as_sharp_diverse_and_moving(truth):
    for name in ("sample_nearest_x1e4", "true_nearest_x1e4"):
        assert truth[name] < 0.5, name  # of 27 for the mean image
    for name in ("sample_diversity", "sample_diversity_last", "sample_motion"):
        assert truth[name] == pytest.approx(1, abs=0.25), name


@pytest.mark.parametrize("name", ["two_body", "three_body"])
def test_systems_with_poles_have_their_energies_too(name):
    found = measured(shown_of(name))
    assert found["sample_energy_distance"] < 0.35
    assert found["inferred_energy_distance"] < 0.1


def test_samples_with_too_much_momentum_have_too_much_energy(swing):
    found = measured(swing, stretch=1.5)
    assert found["sample_energy_shift"] > 1
    assert found["sample_energy_distance"] > 1
    assert found["state_map_r2"] > 0.99


def test_a_bent_latent_space_has_the_same_energies(swing, truth):
    found = measured(swing, bend=0.3)
    assert found["state_map_r2"] > 0.99
    for part in ("shift", "std", "distance"):
        name = f"sample_energy_{part}"
        assert found[name] == pytest.approx(truth[name], abs=0.1)


def mean_image(pictures):
    return pictures.mean(dim=(0, 1), keepdim=True).expand_as(pictures)


def test_the_mean_image_is_blurred_and_neither_diverse_nor_moving(swing):
    found = measured(swing, decode=mean_image)
    for name in ("sample_diversity", "sample_diversity_last", "sample_motion"):
        assert found[name] == pytest.approx(0, abs=0.05), name
    assert found["sample_nearest_x1e4"] > 5


def test_a_mixture_of_two_pictures_is_blurred(swing):
    found = measured(swing, decode=lambda x: (x + x.roll(1, dims=0)) / 2)
    assert found["sample_nearest_x1e4"] > 5
    assert found["sample_motion"] > 0.1


def test_the_same_picture_always_is_sharp_but_not_diverse(swing):
    found = measured(swing, 50, decode=lambda x: x[:1, :1].expand_as(x))
    assert found["sample_nearest_x1e4"] < 0.5
    assert found["sample_diversity"] == pytest.approx(0, abs=1e-6)
    assert found["sample_motion"] == 0


def test_samples_that_stand_still_are_diverse_and_do_not_move(swing):
    found = measured(swing, still=True)
    assert found["sample_motion"] == 0
    assert found["sample_diversity"] == pytest.approx(1, abs=0.25)


def test_batches_do_not_change_the_measures_and_seeds_do(swing, truth):
    assert measured(swing, batch_size=7) == pytest.approx(truth, rel=1e-4)
    assert measured(swing, seed=1) != pytest.approx(truth, rel=1e-4)


@pytest.mark.parametrize("name", ["deterministic", "pixelhnn"])
def test_a_model_without_a_prior_has_no_such_measures(swing, name):
    assert measures_of_samples(trained(name), swing, 5, 0) == {}


def test_below_four_motions_there_are_no_such_measures(swing):
    few = Shown(swing.frames[:3], swing.system, swing.q[:3], swing.p[:3])
    assert measured(few) == {}


def test_a_model_that_diverges_has_no_energies_and_nothing_fails(swing):
    found = measured(swing, stretch=np.nan, decode=torch.zeros_like)
    assert np.isnan(found["sample_energy_distance"])
    assert np.isfinite(found["sample_nearest_x1e4"])


def test_an_untrained_hgn_is_measured(swing):
    model = trained("hgn")
    frames = swing.frames[:, :4, ::2, ::2].copy()
    shown = Shown(frames, swing.system, swing.q[:, :4], swing.p[:, :4])
    found = measures_of_samples(model, shown, 25, 0)
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["state_map_r2"] < 0.9


def test_the_nearest_picture_is_the_nearest():
    rng = np.random.default_rng(0)
    bank = torch.tensor(rng.random((40, 3 * 8 * 8)), dtype=torch.float32)
    videos = torch.tensor(rng.random((2, 5, 3, 8, 8)), dtype=torch.float32)
    errors = (videos.flatten(2)[:, :, None] - bank).square().mean(-1).amin(-1)
    np.testing.assert_allclose(nearest_mse(videos, bank), errors.mean(1), rtol=1e-5)
    own = bank[[3, 7]].view(1, 2, 3, 8, 8)
    np.testing.assert_array_equal(nearest_mse(own, bank), [0])
