import numpy as np
import pytest
from damage import edited
from tiny_models import SHOWN, SIZE, random_videos

from hgnpipe.evaluation.films import Film, load_films, save_films
from hgnpipe.evaluation.scores import save_scores


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
    read, dreams = load_films(tmp_path / "films.h5")
    np.testing.assert_array_equal(dreams, samples)
    assert read.keys() == films.keys()
    for split, expected in films.items():
        np.testing.assert_array_equal(read[split], expected)


def test_equal_films_are_equal_files(films, tmp_path):
    paths = [tmp_path / "one.h5", tmp_path / "other.h5"]
    for path in paths:
        save_films(path, films, random_videos())
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_file_that_holds_no_films_is_refused(tmp_path):
    save_scores(tmp_path / "scores.h5", {})
    with pytest.raises(ValueError, match=r"scores\.h5 is a file of format"):
        load_films(tmp_path / "scores.h5")


@pytest.mark.parametrize("part", ["samples", "films", "films/train/past"])
def test_a_file_that_lacks_a_part_is_refused(films, tmp_path, part):
    save_films(tmp_path / "films.h5", films, random_videos())
    with edited(tmp_path / "films.h5") as file:
        del file[part]
    with pytest.raises(ValueError, match=r"films\.h5 lacks a part"):
        load_films(tmp_path / "films.h5")
