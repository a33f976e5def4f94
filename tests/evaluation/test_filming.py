import numpy as np
import pytest
import torch
from tiny_models import SIZE, every_family, random_videos, trained

from hgnpipe.evaluation.filming import dream, film, to_stored
from hgnpipe.training.batches import to_pixels


def test_frames_are_stored_as_they_were_read():
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 4, 8, 8, 3)
    values = values.transpose(0, 1, 3, 2, 4).copy()
    stored = to_stored(to_pixels(values, torch.device("cpu")))
    np.testing.assert_array_equal(stored, values)
    assert stored.dtype == np.uint8


def test_frames_are_rounded_and_kept_in_range():
    values = torch.tensor([-0.1, 0.0, 0.4 / 255, 0.6 / 255, 1.0, 1.2])
    frames = values.view(1, 6, 1, 1, 1).expand(1, 6, 3, 8, 8)
    stored = to_stored(frames)[0, :, 0, 0, 0]
    np.testing.assert_array_equal(stored, [0, 0, 0, 1, 255, 255])


@every_family
def test_a_film_shows_what_the_model_plays_at_each_speed(name):
    model, videos = trained(name), random_videos()
    made = film(model, videos[0], videos[1])
    pixels = to_pixels(videos[:1], torch.device("cpu"))
    speeds = {"forward": 1.0, "backward": -1.0, "double": 2.0, "half": 0.5}
    for part, speed in speeds.items():
        expected = to_stored(model.predict(pixels, speed=speed).frames)[0]
        np.testing.assert_array_equal(getattr(made, part), expected)


def test_a_film_keeps_what_was_observed_and_what_was_before():
    videos = random_videos()
    made = film(trained("hgn"), videos[0], videos[1])
    np.testing.assert_array_equal(made.observed, videos[0])
    np.testing.assert_array_equal(made.past, videos[1])


def test_all_speeds_of_a_film_begin_with_the_same_frame():
    made = film(trained("hgn"), *random_videos()[:2])
    for part in (made.backward, made.double, made.half):
        np.testing.assert_array_equal(part[0], made.forward[0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_dreams_are_the_samples_of_the_model():
    model = trained("hgn")
    expected = to_stored(model.sample(3, 5, generator=generator()).frames)
    np.testing.assert_array_equal(dream(model, 3, 5, generator()), expected)
    assert expected.shape == (3, 6, SIZE, SIZE, 3)


def test_other_seeds_are_other_dreams():
    model = trained("hgn")
    one, other = (dream(model, 3, 5, generator(seed)) for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("name", ["deterministic", "pixelhnn"])
def test_a_model_without_a_prior_has_no_dreams(name):
    assert dream(trained(name), 3, 5, generator()).shape == (0, 6, SIZE, SIZE, 3)
