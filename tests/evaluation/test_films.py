import numpy as np
import pytest
import torch
from damage import edited
from tiny_models import SHOWN, SIZE, every_family, random_videos, trained

from hgnpipe.evaluation.films import make_film, sample_videos, to_stored
from hgnpipe.evaluation.kept import Film, load_films, save_errors, save_films
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
    made = make_film(model, videos[0], videos[1])
    pixels = to_pixels(videos[:1], torch.device("cpu"))
    speeds = {"forward": 1.0, "backward": -1.0, "double": 2.0, "half": 0.5}
    if name == "latent_gru":
        assert speeds.pop("half") and len(made.half) == 0
    for part, speed in speeds.items():
        expected = to_stored(model.predict(pixels, speed=speed).frames)[0]
        np.testing.assert_array_equal(getattr(made, part), expected)


def test_a_film_keeps_what_was_observed_and_what_was_before():
    videos = random_videos()
    made = make_film(trained("hgn"), videos[0], videos[1])
    np.testing.assert_array_equal(made.observed, videos[0])
    np.testing.assert_array_equal(made.past, videos[1])


def test_all_speeds_of_a_film_begin_with_the_same_frame():
    made = make_film(trained("hgn"), *random_videos()[:2])
    for part in (made.backward, made.double, made.half):
        np.testing.assert_array_equal(part[0], made.forward[0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_sampled_videos_are_those_of_the_model():
    model = trained("hgn")
    expected = to_stored(model.sample(3, 5, generator=generator()).frames)
    np.testing.assert_array_equal(sample_videos(model, 3, 5, generator()), expected)
    assert expected.shape == (3, 6, SIZE, SIZE, 3)


def test_other_seeds_are_other_videos():
    model = trained("hgn")
    one, other = (sample_videos(model, 3, 5, generator(seed)) for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("name", ["deterministic", "pixelhnn"])
def test_a_model_without_a_prior_has_no_videos_of_its_own(name):
    samples = sample_videos(trained(name), 3, 5, generator())
    assert samples.shape == (0, 6, SIZE, SIZE, 3)


@pytest.fixture
def films():
    rng = np.random.default_rng(0)
    shape = (6, SHOWN, SIZE, SIZE, 3)
    return {
        split: Film(*rng.integers(0, 256, shape, np.uint8))
        for split in ("train", "test")
    }


@pytest.mark.parametrize("num", [0, 2])
def test_films_and_samples_are_read_as_they_were_written(films, tmp_path, num):
    samples = random_videos()[:num]
    save_films(tmp_path / "films.h5", films, samples)
    read, sampled = load_films(tmp_path / "films.h5")
    np.testing.assert_array_equal(sampled, samples)
    assert read.keys() == films.keys()
    for split, expected in films.items():
        np.testing.assert_array_equal(read[split], expected)


def test_a_film_without_a_speed_is_read_as_it_was_written(films, tmp_path):
    film = films["test"]._replace(half=films["test"].half[:0])
    save_films(tmp_path / "films.h5", {"test": film}, random_videos())
    assert load_films(tmp_path / "films.h5")[0]["test"].half.shape == film.half.shape


def test_equal_films_are_equal_files(films, tmp_path):
    paths = [tmp_path / "one.h5", tmp_path / "other.h5"]
    for path in paths:
        save_films(path, films, random_videos())
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_file_that_holds_no_films_is_refused(tmp_path):
    save_errors(tmp_path / "errors.h5", {})
    with pytest.raises(ValueError, match=r"errors\.h5 is a file of format"):
        load_films(tmp_path / "errors.h5")


@pytest.mark.parametrize("part", ["samples", "films", "films/train/past"])
def test_a_file_that_lacks_a_part_is_refused(films, tmp_path, part):
    save_films(tmp_path / "films.h5", films, random_videos())
    with edited(tmp_path / "films.h5") as file:
        del file[part]
    with pytest.raises(ValueError, match=r"films\.h5 lacks a part"):
        load_films(tmp_path / "films.h5")
