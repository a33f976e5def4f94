import numpy as np
import pytest
import torch
from torch import nn

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.evaluation.errors import (
    displacement,
    mean_image_errors,
    model_errors,
    noise_floor_errors,
    per_trajectory,
    pixel_mse,
    true_video_errors,
)
from hgnpipe.evaluation.kept import Errors
from hgnpipe.models.base import Prediction
from hgnpipe.systems import build_system
from hgnpipe.training.batches import frame_statistics

SHIFT = 51  # a fifth of the range of a pixel
SIZE = 8


class Brighter(nn.Module):
    """Predicts the frames it is shown, ``shift`` brighter; energy counts the frames."""

    num_frames = window = 2
    image_size = SIZE

    def __init__(self, shift):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift / 255))
        self.shown = []

    def set_frame_statistics(self, mean_image, std):
        raise NotImplementedError

    def loss(self, frames, iteration, generator=None):
        raise NotImplementedError

    @torch.no_grad()
    def predict(self, frames, *, speed=1.0, num_steps=None):
        self.shown.append(len(frames))
        num, length = frames.shape[:2]
        energy = torch.arange(float(length)).expand(num, -1)
        return Prediction(frames + self.shift, energy, torch.full((num,), 2.0))


@pytest.fixture
def observed():
    rng = np.random.default_rng(0)
    return rng.integers(SHIFT, 256, (5, 4, SIZE, SIZE, 3), np.uint8)


@pytest.fixture
def clean(observed):
    return observed - np.uint8(SHIFT)


def test_pixel_mse_is_the_mean_square_over_pixels_and_colours():
    zero, one = torch.zeros(1, 2, 3, 2, 2), torch.zeros(1, 2, 3, 2, 2)
    one[0, 0, 0, 0, 0], one[0, 1] = 0.6, 0.5
    np.testing.assert_allclose(pixel_mse(zero, one), [[0.36 / 12, 0.25]], rtol=1e-6)


def test_a_model_that_sees_through_the_noise_has_the_errors_of_the_noise(
    observed, clean
):
    errors = model_errors(Brighter(-SHIFT), observed, clean)
    np.testing.assert_allclose(errors.mse, np.full((5, 4), 0.04), rtol=1e-5)
    np.testing.assert_allclose(errors.mse_clean, np.zeros((5, 4)), atol=1e-12)


def test_a_model_that_copies_the_noise_has_no_error_but_against_the_clean_frames(
    observed, clean
):
    errors = model_errors(Brighter(0), observed, clean)
    np.testing.assert_allclose(errors.mse, np.zeros((5, 4)), atol=1e-12)
    np.testing.assert_allclose(errors.mse_clean, np.full((5, 4), 0.04), rtol=1e-5)


def test_energy_and_kl_are_those_of_the_prediction(observed, clean):
    errors = model_errors(Brighter(0), observed, clean)
    np.testing.assert_array_equal(errors.energy, np.tile(range(4), (5, 1)))
    np.testing.assert_array_equal(errors.kl, np.full(5, 2))


def test_motion_is_the_mean_square_difference_from_the_first_frame():
    frames = torch.zeros(2, 3, 3, 2, 2)
    frames[0, 1], frames[0, 2, 0] = 0.5, 0.3
    np.testing.assert_allclose(
        displacement(frames), [(0.25 + 0.09 / 3) / 2, 0], rtol=1e-6
    )
    np.testing.assert_allclose(displacement(frames + 0.4), displacement(frames), 1e-5)


def test_the_motion_of_a_model_is_that_of_its_frames_and_the_true_one_of_the_clean(
    observed,
):
    clean = np.repeat(observed[:, :1], 4, axis=1)
    clean[:, 1:] -= np.uint8(SHIFT)
    errors = model_errors(Brighter(7), observed, clean, batch_size=2)
    pixels = torch.from_numpy(observed / 255).permute(0, 1, 4, 2, 3)
    np.testing.assert_allclose(errors.moved, displacement(pixels), rtol=1e-4)
    np.testing.assert_allclose(errors.moved_true, np.full(5, 0.04), rtol=1e-4)


def test_the_batch_size_does_not_change_the_errors(tiny_hgn, observed, clean):
    model = tiny_hgn().eval()
    expected = model_errors(model, observed, clean, batch_size=50)
    for batch_size in (1, 2):
        errors = model_errors(model, observed, clean, batch_size=batch_size)
        for one, other in zip(errors, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4)


def test_videos_come_in_batches_and_each_is_reported(observed, clean):
    model, reported = Brighter(0), []
    model_errors(model, observed, clean, batch_size=2, progress=reported.append)
    assert model.shown == reported == [2, 2, 1]


@pytest.mark.parametrize("shape", [(5, 4, 16, 16, 3), (5, 1, 8, 8, 3), (0, 4, 8, 8, 3)])
def test_videos_that_do_not_fit_the_model_are_not_predicted(shape):
    model, frames = Brighter(0), np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match=r"^(Videos|number of videos) "):
        model_errors(model, frames, frames)
    assert model.shown == []


def test_errors_of_the_mean_image_are_in_numpy(observed, clean):
    mean, _ = frame_statistics(observed)
    errors = mean_image_errors(mean, observed, clean)
    for found, frames in ((errors.mse, observed), (errors.mse_clean, clean)):
        error = (frames / 255 - (observed / 255).mean(axis=(0, 1))) ** 2
        np.testing.assert_allclose(found, error.mean(axis=(2, 3, 4)), rtol=1e-4)


def test_the_mean_image_has_no_energy_and_no_posterior(observed, clean):
    errors = mean_image_errors(frame_statistics(observed)[0], observed, clean)
    assert np.isnan(errors.energy).all() and errors.energy.shape == (5, 4)
    np.testing.assert_array_equal(errors.kl, np.zeros(5))


@pytest.fixture(scope="module", params=["pendulum", "three_body"])
def many_looks(request):
    """Errors of pairs out of 200 observations of a motion, and what all of them say.

    The best guess is the mean over the noise. Its error against an observed frame is
    the variance of the pixels, its error against the clean frame their squared bias.
    """
    system = build_system(request.param)
    q = simulate(system, 8, 5, seed=0).q
    rng = np.random.default_rng(1)

    def look():
        noisy = q + system.noise_std * rng.standard_normal(q.shape)
        return render(system, noisy, SIZE)

    num, clean = 200, render(system, q, SIZE)
    looks = np.stack([look() for _ in range(num)])
    mean, variance = (looks / 255).mean(axis=0), (looks / 255).var(axis=0, ddof=1)
    bias = (mean - clean / 255) ** 2 - variance / num
    one = np.concatenate([looks] * 3).reshape(-1, *clean.shape[1:])
    other = np.concatenate([np.roll(looks, k, axis=0) for k in (1, 2, 3)])
    truth = np.broadcast_to(clean, other.shape).reshape(one.shape)
    errors = noise_floor_errors(one, other.reshape(one.shape), truth)
    return errors, variance.mean(), bias.mean(), true_video_errors(one, truth)


def test_the_noise_floor_is_the_error_of_the_best_possible_prediction(many_looks):
    errors, variance, *_ = many_looks
    assert errors.mse.mean() == pytest.approx(variance, rel=0.05)


def test_the_clean_error_of_the_floor_is_that_of_the_best_possible_prediction(
    many_looks,
):
    errors, _, bias, _ = many_looks
    assert errors.mse_clean.mean() == pytest.approx(bias, rel=0.15)


def test_the_true_video_is_as_much_worse_than_the_floor_as_the_floor_is_blurred(
    many_looks,
):
    floor, variance, bias, truth = many_looks
    assert truth.mse.mean() == pytest.approx(variance + bias, rel=0.05)
    assert truth.mse.mean() > 1.02 * floor.mse.mean()


def test_errors_of_the_true_video_are_those_of_the_noise_alone(observed, clean):
    errors = true_video_errors(observed, clean)
    np.testing.assert_allclose(errors.mse, np.full((5, 4), 0.04), rtol=1e-5)
    np.testing.assert_array_equal(errors.mse_clean, np.zeros((5, 4)))
    assert np.isnan(errors.energy).all() and not errors.kl.any()


def test_without_noise_the_floor_is_zero(clean):
    errors = noise_floor_errors(clean, clean, clean)
    assert not errors.mse.any() and not errors.mse_clean.any()


def test_errors_are_averaged_and_the_energy_varies_over_the_frames():
    mse, energy = np.array([[1.0, 3.0], [5.0, 5.0]]), np.array([[1.0, 3.0], [2.0, 2.0]])
    errors = Errors(mse, 2 * mse, energy, np.array([7.0, 8.0]), *np.zeros((2, 2)))
    table = per_trajectory(errors)
    assert table.to_dict("list") == {
        "trajectory": [0, 1], "mse": [2, 5], "mse_clean": [4, 10], "kl": [7, 8],
        "energy_mean": [2, 2], "energy_variance": [1, 0],
    }  # fmt: skip
