"""Videos that were not made here, cut into those that models take, and their files.

Files of videos are those of `hgnpipe.data.videos`. What is known beyond a window,
frames before and after it and true states, is in a file of its own: clips.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import singledispatch
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from hgnpipe.collection import require
from hgnpipe.data.footage import Named, read_footage
from hgnpipe.data.suite import read_suite
from hgnpipe.data.videos import VIDEOS, Frames
from hgnpipe.data.windows import held_out, to_square, window_indices
from hgnpipe.files.hdf5 import created, opened, read_arrays, write_arrays
from hgnpipe.systems._observed import Observed, entries_of
from hgnpipe.systems.dm_suite import DMSuite
from hgnpipe.systems.videos import Videos

CLIPS = "hgnpipe clips 1"


class Recording(NamedTuple):
    """One video, and the motion that it shows.

    Attributes:
        frames: RGB values, square, ``(T, S, S, 3)``.
        states: True positions and momenta side by side, ``(T, 2 n)``; n = 0 where they
            are not known.
    """

    frames: UInt8[np.ndarray, "T S S 3"]
    states: Float[np.ndarray, "T m"]


class Windows(NamedTuple):
    """Windows of recordings.

    Attributes:
        frames: RGB values, ``(N, F, S, S, 3)``.
        states: See `Recording`, ``(N, F, 2 n)``.
        num_short: Recordings that were too short for one.
    """

    frames: Frames
    states: Float[np.ndarray, "N F m"]
    num_short: int


class Clips(NamedTuple):
    """Test videos with what is known of the time around them.

    Attributes:
        frames: RGB values, ``(N, M, S, S, 3)``.
        start: Index of the first frame of the window that models see.
        q: True positions, ``(N, M, n)``; n = 0 where they are not known.
        p: True momenta, likewise.
    """

    frames: Frames
    start: int
    q: np.ndarray
    p: np.ndarray


@singledispatch
def recordings(
    system: Observed, split: str, image_size: int, seed: int
) -> Iterator[Recording]:
    """Square videos of a split, one after the other.

    Args:
        system: Where they are, and how they become square.
        split: train, test or long; the last has the videos of the first.
        image_size: S, height and width.
        seed: Fixes which videos are held out, where a share of them is.

    Raises:
        ValueError: If there are no videos, or they cannot be read or split.
    """
    raise TypeError(f"{type(system).__name__} is read by nothing.")


@recordings.register
def _(system: Videos, split: str, image_size: int, seed: int) -> Iterator[Recording]:
    system.files(split)  # that there are some
    videos = _of_one_size(_read_all(system.place(split), system.key))
    square = (
        (name, to_square(frames, image_size, system.fit)) for name, frames in videos
    )
    if system.share is not None:  # all of them must be known before one is chosen
        kept = dict(square)
        require(len(kept) >= 2, "number of videos", len(kept), "2 or more, to split")
        chosen = held_out([*kept], system.share, seed)
        mine = chosen if split == "test" else kept.keys() - chosen
        square = ((name, frames) for name, frames in kept.items() if name in mine)
    for _, frames in square:
        yield Recording(frames, np.empty((len(frames), 0)))


@recordings.register
def _(system: DMSuite, split: str, image_size: int, seed: int) -> Iterator[Recording]:
    for frames, states in read_suite(*system.files(split)):
        yield Recording(to_square(frames, image_size, system.fit), states)


def _read_all(place: str, key: str | None) -> Iterator[Named]:
    """Videos by names that are unique: with the file or folder that they are from."""
    for entry in entries_of(place):
        for name, frames in read_footage(entry, key):
            yield Named(f"{entry.as_posix()}: {name}", frames)


def _of_one_size(videos: Iterable[Named]) -> Iterator[Named]:
    first = None
    for video in videos:
        first = first or video
        (h, w), (h0, w0) = video.frames.shape[1:3], first.frames.shape[1:3]
        if (h, w) != (h0, w0):
            raise ValueError(
                f"{video.name} is {w}x{h} pixels, {first.name} {w0}x{h0}; videos of a "
                f"system must all be of one size."
            )
        yield video


def cut_windows(
    found: Iterable[Recording], system: Observed, num_frames: int, num: int
) -> Windows:
    """The first windows of recordings, at most ``num``; none is read beyond them.

    Raises:
        ValueError: If all recordings are too short.
    """
    frames, states, num_short, left, longest = [], [], 0, num, 0
    for one in found:
        length = len(one.frames)
        how = (num_frames, system.frame_step, system.stride)
        where = window_indices(length, *how)[:left]
        longest, num_short = max(longest, length), num_short + (len(where) == 0)
        frames.append(one.frames[where])
        states.append(one.states[where])
        left -= len(where)
        if left == 0:
            break
    if left == num:
        step, span = system.frame_step, (num_frames - 1) * system.frame_step + 1
        raise ValueError(
            f"the longest of {len(frames)} videos has {longest} frames; windows of "
            f"{num_frames} frames with frame_step {step} take {span}."
        )
    return Windows(np.concatenate(frames), np.concatenate(states), num_short)


def cut_clips(
    found: Iterable[Recording],
    system: Observed,
    num_frames: int,
    num_before: int,
    horizons: Sequence[int],
    num: int,
) -> Clips:
    """Windows with frames before and after them, as far as every video has them.

    At most ``num``, of as many recordings. Videos too short for a window are left out.
    After it come as many frames as the longest of the ``horizons`` that fits the
    shortest of the others; before it ``num_before``, or none where these do not fit as
    well.

    Raises:
        ValueError: If all recordings are too short for a window.
    """
    found = list(islice(found, num))
    lengths = [-(-len(one.frames) // system.frame_step) for one in found]
    shortest = min((n for n in lengths if n >= num_frames), default=num_frames)
    after = max((h for h in horizons if num_frames + h <= shortest), default=0)
    before = num_before if num_before + num_frames + after <= shortest else 0
    cut = cut_windows(found, system, before + num_frames + after, num)
    q, p = np.split(cut.states, 2, axis=2)
    return Clips(cut.frames, before, q, p)


def save_windows(
    path: str | Path, system: Observed, kind: str, cut: Windows, seed: int, split: str
) -> None:
    """Write videos and where they came from; to be read by `open_videos`."""
    num = cut.states.shape[2] // 2 or system.num_coordinates
    origin = {
        "system": kind,
        "options": json.dumps(replace(system, num_coordinates=num).options()),
        "frame_dt": system.frame_dt * system.frame_step,
        "seed": seed,
        "split": split,
    }
    with created(path, VIDEOS, origin, apart="frames") as file:
        file.create_dataset("frames", data=cut.frames)
        checksums = [zlib.crc32(video) for video in cut.frames]
        file.create_dataset("checksums", data=np.array(checksums, np.uint32))


def save_clips(path: str | Path, clips: Clips) -> None:
    """Write clips to ``path``."""
    with created(path, CLIPS) as file:
        write_arrays(file, clips)


def load_clips(path: str | Path) -> Clips:
    """Read what `save_clips` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, CLIPS) as file:
        return read_arrays(file, Clips)
