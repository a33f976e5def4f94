"""Check that PixelHNN learns where it can: what it is given, and how it is judged."""

import numpy as np
import pytest

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.evaluation.kept import Errors, Filmed, load_filmed, save_filmed
from hgnpipe.evaluation.pixel_check import (
    build_pixelhnn,
    fit_pixelhnn,
    measures_of_pixels,
)
from hgnpipe.systems import build_system

CHECK = {
    "seeds": [0], "image_size": 8, "num_train": 4, "num_test": 2,
    "options": {"hidden_size": 4},
    "training": {"num_iterations": 2, "batch_size": 2, "learning_rate": 1e-3},
}  # fmt: skip


def errors_of(mse, energy):
    return Errors(
        np.array(mse), np.array(mse), np.array(energy), *np.zeros((3, len(mse)))
    )


def test_the_skill_is_one_minus_the_error_relative_to_that_of_the_mean_image():
    energy = [[1.0, 1.5], [2.0, 2.0]]
    model = errors_of([[0.1, 0.3], [0.4, 0.4]], energy)
    mean_image = errors_of([[0.6, 1.0], [0.9, 0.7]], energy)
    measures = measures_of_pixels(model, mean_image, np.array([1.0, 2.0]))
    np.testing.assert_allclose(measures["mse_x1e4"], [2000, 4000])
    np.testing.assert_allclose(measures["skill"], [0.75, 0.5])
    np.testing.assert_allclose(measures["energy_drift"], [1.0, 0.0])  # 0.5 / 0.5


def test_the_learned_energy_is_compared_with_the_true_one():
    true = np.linspace(1, 2, 12)
    model = errors_of(np.ones((12, 2)), np.stack([true, true], axis=1))
    measures = measures_of_pixels(model, model, true)
    assert measures["energy_r2_linear"] == pytest.approx(1)


def test_trainings_are_the_same_again_and_differ_by_seed():
    system = build_system("pendulum", noise_std=0.0)
    videos = render(system, simulate(system, 4, 4, 0).q, 8)
    weights = [
        fit_pixelhnn(videos, 2, CHECK, seed).hamiltonian.network[0].weight
        for seed in (0, 0, 1)
    ]
    assert (weights[0] == weights[1]).all() and (weights[0] != weights[2]).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": {"hiden_size": 4}}, "Unknown option 'hiden_size' of pixelhnn"),
        ({"options": {"hidden_size": 0}}, "hidden_size is 0"),
        ({"image_size": 7}, "image_size is 7; it must be 8 or more"),
    ],
)
def test_bad_options_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        build_pixelhnn({**CHECK, **change}, 2)


def test_a_film_comes_back_from_its_file(tmp_path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 3, 8, 8, 3), np.uint8)
    film = Filmed(frames[0], frames[1], rng.random(3), rng.random(3))
    save_filmed(tmp_path / "pixels.h5", film)
    for found, expected in zip(load_filmed(tmp_path / "pixels.h5"), film, strict=True):
        np.testing.assert_array_equal(found, expected)
