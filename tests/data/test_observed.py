"""Videos that were made elsewhere become those that models take."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from tfrecords import example, integers, record, write_suite

from hgnpipe.data.observed import (
    Recording,
    cut_clips,
    cut_windows,
    load_clips,
    recordings,
    save_clips,
    save_windows,
)
from hgnpipe.data.videos import open_videos
from hgnpipe.systems import build_system

SIZE = 8


def numbered(num, length, size=SIZE, first=0):
    """Videos of one grey each: frame t of video n has 10 n + t."""
    grey = 10 * (first + np.arange(num)[:, None]) + np.arange(length)
    frames = np.zeros((num, length, size, size, 3), np.uint8)
    return frames + grey[..., None, None, None].astype(np.uint8)


def greys(frames):
    return frames[..., 0, 0, 0].tolist()


@pytest.fixture
def files(tmp_path):
    """Four videos in two files, two others, and what is wrong with some more."""
    np.save(tmp_path / "a.npy", numbered(2, 9))
    np.save(tmp_path / "b.npy", numbered(2, 9, first=2))
    np.save(tmp_path / "test.npy", numbered(2, 5, first=10))
    np.save(tmp_path / "large.npy", numbered(1, 9, size=12))
    np.save(tmp_path / "one.npy", numbered(1, 9))
    np.save(tmp_path / "nan.npy", np.full((2, 9, 8, 8), np.nan))
    np.save(tmp_path / "flat.npy", np.zeros((2, 9, 8), np.uint8))
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["one/videos"] = file["others"] = numbered(2, 9)
    return tmp_path


def read(files, split="train", seed=0, **options):
    for key in ("train", "test"):
        if isinstance(path := options.get(key), str):
            options[key] = str(files / path)
    system = build_system("videos", **options)
    return system, list(recordings(system, split, SIZE, seed))


def firsts(found):
    return [int(one.frames[0, 0, 0, 0]) for one in found]


def test_splits_of_their_own_paths_are_those_files(files):
    paths = {"train": "[ab].npy", "test": "test.npy"}
    assert firsts(read(files, **paths)[1]) == [0, 10, 20, 30]
    assert firsts(read(files, "long", **paths)[1]) == [0, 10, 20, 30]
    assert firsts(read(files, "test", **paths)[1]) == [100, 110]


def test_a_share_holds_out_whole_videos_the_same_ones_for_a_seed(files):
    def split(seed):
        return [
            firsts(read(files, split, seed, train="[ab].npy", test=0.25)[1])
            for split in ("train", "test", "long")
        ]

    train, test, long = split(0)
    assert len(test) == 1 and long == train
    assert sorted(train + test) == [0, 10, 20, 30]
    assert split(0) == [train, test, long]
    assert len({split(seed)[1][0] for seed in range(10)}) > 1


def recorded(*lengths, n=0):
    return [
        Recording(numbered(1, length, first=number)[0], np.arange(length * n * 2.0)
                  .reshape(length, -1) if n else np.empty((length, 0)))
        for number, length in enumerate(lengths)
    ]  # fmt: skip


def observed(**options):
    return build_system("videos", train="a", **options)


def test_windows_are_the_first_ones_and_short_videos_are_counted():
    cut = cut_windows(recorded(7, 2, 9), observed(), 3, 4)
    assert greys(cut.frames) == [[0, 1, 2], [3, 4, 5], [20, 21, 22], [23, 24, 25]]
    assert cut.num_short == 1


def test_windows_follow_frame_step_and_stride():
    cut = cut_windows(recorded(9), observed(frame_step=2, stride=3), 3, 10)
    assert greys(cut.frames) == [[0, 2, 4], [3, 5, 7]]


def test_no_video_is_read_beyond_the_windows_that_are_asked_for():
    def endless():
        yield from recorded(6)
        raise AssertionError("another video was read")

    assert len(cut_windows(endless(), observed(), 3, 2).frames) == 2


def test_states_stay_with_their_frames():
    cut = cut_windows(recorded(7, n=2), observed(frame_step=2), 3, 1)
    np.testing.assert_array_equal(cut.states[0, :, 0], [0, 8, 16])


def test_all_videos_too_short_is_an_error_that_counts_frames():
    with pytest.raises(ValueError, match=r"longest of 2 videos has 4 frames.*take 5"):
        cut_windows(recorded(4, 3), observed(frame_step=2), 3, 10)


@pytest.mark.parametrize(
    ("lengths", "start", "num_frames"),
    [
        ((9, 9), 2, 9),  # two before, three shown, four after
        ((8, 9), 0, 7),  # four after fit, but not the two before as well
        ((9, 5, 2), 0, 5),  # the short horizon; what has no window does not count
        ((4, 9), 0, 3),  # no horizon, and then nothing before
        ((3, 3), 0, 3),
    ],
)
def test_clips_reach_as_far_as_all_videos_do(lengths, start, num_frames):
    clips = cut_clips(recorded(*lengths), observed(), 3, 2, [2, 4], 10)
    assert (clips.start, clips.frames.shape[1]) == (start, num_frames)
    assert clips.q.shape[2] == 0


def test_clips_come_back_with_their_states(tmp_path):
    clips = cut_clips(recorded(9, 9, n=2), observed(), 3, 2, [4], 1)
    save_clips(tmp_path / "clips.h5", clips)
    again = load_clips(tmp_path / "clips.h5")
    for mine, yours in zip(clips, again, strict=True):
        np.testing.assert_array_equal(mine, yours)
    assert again.start == 2 and again.q.shape == again.p.shape == (1, 9, 2)
    np.testing.assert_array_equal(again.p[0, :, 0] - again.q[0, :, 0], 2)


def test_stored_windows_are_videos_like_all_others(tmp_path):
    system = observed(frame_step=2, frame_dt=0.1, num_coordinates=3)
    cut = cut_windows(recorded(9), system, 3, 10)
    save_windows(tmp_path / "v.h5", system, "videos", cut, 4, "test")
    videos = open_videos(tmp_path / "v.h5")
    np.testing.assert_array_equal(videos.frames, cut.frames)
    assert videos.frame_dt == pytest.approx(0.2)
    assert (videos.attributes["split"], videos.attributes["seed"]) == ("test", 4)
    options = json.loads(videos.attributes["options"])
    assert build_system(videos.attributes["system"], **options) == system


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train": "gone.npy"}, r"train is '.*gone.npy'; it must be a file, folder"),
        ({"train": "*.mp4"}, r"train is '.*\*.mp4'; it must be a file, folder"),
        ({"train": "a.npy", "test": "gone"}, r"test is '.*gone'; it must be a file"),
        ({"train": "one.npy"}, "number of videos is 1; it must be 2 or more"),
        ({"train": "a.npy", "test": "*.npy"}, "train and test both read .*a.npy"),
        ({"train": "[al]*.npy"}, r"large.npy.* is 12x12 pixels, .*a.npy.* 8x8"),
        ({"train": "nan.npy"}, "nan.npy holds float64 from nan to nan"),
        ({"train": "flat.npy"}, r"flat.npy has shape \(2, 9, 8\); videos must be"),
        ({"train": "two.h5"}, r"key of .*two.h5 is None.*one/videos, others"),
        ({"train": "two.h5", "key": "film"}, r"key of .*two.h5 is 'film'.*others"),
    ],
)
def test_what_is_wrong_with_files_is_said_with_their_names(files, options, words):
    split = "test" if options.get("test") == "gone" else "train"
    with pytest.raises(ValueError, match=words):
        read(files, split, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test": 1}, "test is 1; it must be the path of other videos, or a share"),
        ({"test": 0.0}, "test is 0.0"),
        ({"test": "a"}, "test is 'a'; it must be the path of other videos"),
        ({"fit": "stretch"}, "'crop' or 'pad'"),
        ({"frame_step": 0}, "frame_step is 0; it must be 1 or more"),
        ({"stride": 0}, "stride is 0; it must be 1 or more"),
        ({"frame_dt": 0.0}, "frame_dt is 0.0; it must be positive"),
        ({"num_coordinates": 0}, "num_coordinates is 0; it must be 1 or more"),
        ({"files": "a"}, "Unknown option 'files' of system 'videos'. Known: "),
    ],
)
def test_a_bad_option_is_named_with_what_is_legal(options, words):
    with pytest.raises(ValueError, match=words):
        observed(**options)


@pytest.fixture
def suite(tmp_path):
    """A data set with two coordinates, and what was written."""
    rng = np.random.default_rng(0)
    frames = {
        split: rng.integers(0, 256, (num, 6, SIZE, SIZE, 3), np.uint8)
        for split, num in {"train": 3, "test": 2}.items()
    }
    states = {split: rng.normal(size=(len(v), 6, 4)) for split, v in frames.items()}
    return tmp_path / "suite", frames, states


@pytest.mark.parametrize(("dtype", "exact"), [("float64", 0), ("float32", 1e-6)])
def test_the_suite_is_read_as_it_was_written(suite, dtype, exact):
    folder, frames, states = suite
    write_suite(folder, frames, states, dtype)
    system = build_system("dm_suite", folder=str(folder))
    for split in frames:
        found = list(recordings(system, split, SIZE, seed=0))
        np.testing.assert_array_equal([one.frames for one in found], frames[split])
        read = np.stack([one.states for one in found])
        np.testing.assert_allclose(read, states[split], rtol=exact)


def test_files_of_the_suite_say_how_many_coordinates_move(suite, tmp_path):
    folder, frames, states = suite
    write_suite(folder, frames, states)
    system = build_system("dm_suite", folder=str(folder), frame_step=2)
    cut = cut_windows(recordings(system, "test", SIZE, 0), system, 3, 5)
    save_windows(tmp_path / "v.h5", system, "dm_suite", cut, 0, "test")
    videos = open_videos(tmp_path / "v.h5")
    options = json.loads(videos.attributes["options"])
    assert options["num_coordinates"] == 2 and videos.frame_dt == pytest.approx(0.1)
    np.testing.assert_array_equal(videos.frames, frames["test"][:, ::2])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("features.txt", None, r"folder is '.*'; it must be a folder with train.tf"),
        ("features.txt", "x (6, 4) float64\n", "has the line 'x .*expected a key"),
        ("features.txt", "x, (6, 4), float64\n", "features.txt has no 'image' of"),
        (
            "features.txt",
            "x, (6, 4), float64\nimage, (7, 8, 8, 3), uint8\n",
            "record 0 is not as .*features.txt says",
        ),
        ("train.tfrecord", record(example(x=integers([1]))), "record 0 is not as"),
        ("train.tfrecord", b"text", "train.tfrecord is damaged"),
    ],
)
def test_a_bad_data_set_of_the_suite_is_named(suite, name, content, words):
    folder, frames, states = suite
    write_suite(folder, frames, states)
    (folder / name).unlink()
    if content is not None:
        write = Path.write_text if isinstance(content, str) else Path.write_bytes
        write(folder / name, content)
    system = build_system("dm_suite", folder=str(folder))
    with pytest.raises(ValueError, match=words):
        list(recordings(system, "train", SIZE, 0))


def test_an_array_is_chosen_by_its_key(files):
    options = {"train": "two.h5", "key": "one/videos", "test": 0.5}
    assert len(read(files, **options)[1]) == 1
