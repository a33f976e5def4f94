from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hgnpipe.models.hgn import HGN
from hgnpipe.training import batches
from hgnpipe.training.batches import (
    PointBatches,
    VideoBatches,
    check_frames,
    copy_to,
    cut_windows,
    draw_indices,
    draw_windows,
    fits_in,
    frame_statistics,
    to_pixels,
)

NUM, LENGTH = 7, 5


@pytest.fixture
def numbered():
    """Videos whose every pixel tells which video and which frame it is from."""
    values = np.arange(NUM * LENGTH, dtype=np.uint8).reshape(NUM, LENGTH, 1, 1, 1)
    return np.tile(values, (1, 1, 8, 8, 3))


def drawn(frames, iterations, window=LENGTH, seed=0, batch_size=3):
    """Numbers of the frames of every window, iteration after iteration."""
    batches = [
        cut_windows(
            frames, *draw_windows(frames.shape, window, batch_size, seed, i), window
        )
        for i in iterations
    ]
    return np.concatenate(batches)[..., 0, 0, 0].astype(int)


def indices(num, batch_size, iterations, seed=0):
    batches = [draw_indices(num, batch_size, seed, i) for i in iterations]
    return np.concatenate(batches)


@pytest.mark.parametrize(
    ("num", "batch_size"), [(1, 3), (6, 1), (6, 4), (6, 6), (6, 15), (4, 60)]
)
def test_each_sample_comes_once_before_any_comes_again(num, batch_size):
    drawn = indices(num, batch_size, range(60 // batch_size))
    epochs = drawn.reshape(-1, num)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(range(num), (60 // num, 1)))


def test_the_order_of_the_samples_does_not_depend_on_the_size_of_a_batch():
    np.testing.assert_array_equal(indices(7, 3, range(8)), indices(7, 8, range(3)))


def test_the_videos_of_a_batch_are_those_whose_turn_it_is(numbered):
    videos = drawn(numbered, range(9))[:, 0] // LENGTH
    np.testing.assert_array_equal(videos, indices(NUM, 3, range(9)))


def test_each_video_is_seen_once_per_epoch(numbered):
    videos = drawn(numbered, range(7))[:, 0] // LENGTH
    epochs = videos.reshape(3, NUM)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(range(NUM), (3, 1)))


def test_every_epoch_and_every_seed_has_an_order_of_its_own(numbered):
    first, second = drawn(numbered, range(14))[:, 0].reshape(6, NUM)[:2]
    other = drawn(numbered, range(7), seed=1)[:NUM, 0]
    assert not (first == second).all() and not (first == other).all()
    assert not (first == np.sort(first)).all()


def test_a_batch_can_be_larger_than_the_data(numbered):
    videos = drawn(numbered, [0], batch_size=2 * NUM)[:, 0] // LENGTH
    np.testing.assert_array_equal(np.bincount(videos), np.full(NUM, 2))


def test_a_window_is_consecutive_frames_of_one_video(numbered):
    windows = drawn(numbered, range(20), window=3)
    assert (np.diff(windows, axis=1) == 1).all()
    assert (windows[:, 0] // LENGTH == windows[:, -1] // LENGTH).all()


def test_windows_start_anywhere_in_a_video(numbered):
    starts = drawn(numbered, range(100), window=3)[:, 0] % LENGTH
    counts = np.bincount(starts)
    assert len(counts) == 3 and counts.min() > 70


def test_a_batch_depends_on_nothing_but_seed_and_iteration(numbered):
    np.random.seed(0)
    alone = drawn(numbered, [4], window=3)
    np.random.seed(1)
    np.testing.assert_array_equal(drawn(numbered, range(5), window=3)[-3:], alone)


def test_the_statistics_are_the_mean_image_and_the_deviation_from_it():
    frames = np.random.default_rng(0).integers(0, 256, (230, 2, 8, 8, 3), np.uint8)
    pixels = frames / 255
    expected = pixels.mean(axis=(0, 1))
    mean, std = frame_statistics(frames)
    assert mean.shape == (3, 8, 8)
    np.testing.assert_allclose(mean.permute(1, 2, 0), expected, atol=1e-6)
    assert std == pytest.approx(np.sqrt(np.square(pixels - expected).mean()))


def test_the_statistics_look_at_the_first_videos_only(numbered):
    mean, _ = frame_statistics(numbered, max_videos=2)
    np.testing.assert_allclose(mean, np.full((3, 8, 8), 4.5 / 255), rtol=1e-5)


def test_videos_that_never_change_have_a_deviation_to_divide_by():
    _, std = frame_statistics(np.full((3, 2, 8, 8, 3), 81, np.uint8))
    assert 0 < std < 1e-3


def test_pixels_are_colours_first_and_between_zero_and_one():
    frames = np.zeros((1, 2, 8, 8, 3), np.uint8)
    frames[0, 1, 2, 5, 0] = 255
    pixels = to_pixels(frames, torch.device("cpu"))
    assert pixels.shape == (1, 2, 3, 8, 8)
    assert pixels.dtype == torch.float32
    assert pixels.nonzero().tolist() == [[0, 1, 0, 2, 5]]
    assert pixels.max() == 1


@pytest.mark.filterwarnings("error")
def test_frames_may_be_a_memory_map_that_cannot_be_written(numbered, tmp_path):
    np.save(tmp_path / "frames.npy", numbered)
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    pixels = to_pixels(mapped[:2], torch.device("cpu"))
    assert pixels[1, 0, 0, 0, 0].item() == pytest.approx(LENGTH / 255)
    np.testing.assert_array_equal(drawn(mapped, [0]), drawn(numbered, [0]))


@pytest.mark.parametrize(
    ("window", "num_frames", "shape"),
    [
        (5, 5, (2, 4, 8, 8, 3)),
        (2, 5, (2, 4, 8, 8, 3)),
        (5, 2, (2, 4, 8, 8, 3)),
        (2, 2, (2, 4, 16, 16, 3)),
    ],
)
def test_videos_that_do_not_fit_the_model_are_answered_with_what_does(
    window, num_frames, shape
):
    model = model_for(window, num_frames)
    message = f"needs {max(window, num_frames)} frames or more of 8x8"
    with pytest.raises(ValueError, match=message):
        VideoBatches(np.zeros(shape, np.uint8)).check(model)


def test_a_model_cannot_be_trained_on_no_videos():
    with pytest.raises(ValueError, match="number of videos is 0; it must be 1 or more"):
        VideoBatches(np.zeros((0, 6, 8, 8, 3), np.uint8)).check(model_for(2, 3))


@pytest.mark.parametrize("take", [VideoBatches, frame_statistics, to_pixels])
@pytest.mark.parametrize(
    "frames",
    [
        np.random.default_rng(0).random((2, 6, 8, 8, 3)),
        np.full((2, 6, 8, 8, 3), 255.0, np.float32),
        np.full((2, 6, 8, 8, 3), 40_000, np.uint16),
        np.zeros((2, 6, 3, 8, 8), np.uint8),
    ],
    ids=["0 to 1", "0 to 255", "uint16", "colours first"],
)
def test_videos_that_are_not_as_stored_are_refused(unchecked, take, frames):
    rest = (torch.device("cpu"),) if take is to_pixels else ()
    with pytest.raises(ValueError, match=f"^Videos are ndarray of {frames.dtype} "):
        take(frames, *rest)


def test_videos_are_checked_once_and_not_for_every_batch(numbered, monkeypatch):
    data, model = VideoBatches(numbered), model_for(3, 3)
    monkeypatch.setattr(batches, "check_videos", None)
    data.draw(model, 2, 0, 0, torch.device("cpu"))


def test_videos_longer_than_the_model_needs_are_fine():
    VideoBatches(np.zeros((2, 6, 8, 8, 3), np.uint8)).check(model_for(2, 3))


def test_a_model_need_not_listen_to_statistics():
    VideoBatches(np.zeros((2, 6, 8, 8, 3), np.uint8)).prepare(model_for(2, 2))


@pytest.mark.parametrize(("needed", "fits"), [(4, True), (5, False)])
def test_videos_to_predict_need_not_be_as_long_as_those_to_train_on(needed, fits):
    frames = np.zeros((2, 4, 8, 8, 3), np.uint8)
    with nullcontext() if fits else pytest.raises(ValueError, match="needs 5 frames"):
        check_frames(model_for(9, needed), frames, needed)


def model_for(window, num_frames):
    names = ("loss", "predict")
    methods = dict.fromkeys(names, lambda *_, **__: None)
    sizes = {"window": window, "num_frames": num_frames, "image_size": 8}
    return SimpleNamespace(**sizes, **methods)


def test_a_copy_on_the_device_gives_the_same_batches_as_the_file(numbered):
    model = HGN(num_frames=3, image_size=8, num_filters=2, latent_channels=1)
    cpu = torch.device("cpu")
    stays, copied = VideoBatches(numbered), VideoBatches(numbered)
    copied._copies[cpu] = copy_to(numbered, cpu, chunk=2)
    for iteration in range(5):
        batch = copied.draw(model, 3, 0, iteration, cpu)
        torch.testing.assert_close(batch, stays.draw(model, 3, 0, iteration, cpu))


@pytest.mark.parametrize(("num_bytes", "fits"), [(0, True), (50, True), (51, False)])
def test_data_may_fill_half_of_the_free_memory_of_a_gpu(monkeypatch, num_bytes, fits):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    assert fits_in(num_bytes, torch.device("cuda")) is fits


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.array([[0.0, 1.0], [np.nan, 2.0]]), r"^Point 1 is \[nan, 2.0\]; "),
        (np.array([[0.0, 1e200]]), r"^Point 0 is \[0.0, 1e\+200\]; "),
        (np.array([0.0, 1.0]), r"^Points are ndarray of float64 \(2,\); "),
    ],
)
def test_points_that_no_flow_can_learn_are_refused(unchecked, points, message):
    with pytest.raises(ValueError, match=message):
        PointBatches(points).check(SimpleNamespace(num_dims=2))
