"""Trajectories and videos on disk, in HDF5 that any other program can read.

Every file carries what made it: format, system and its options, seed, split, versions.
Videos lie uncompressed and in one piece, so that they can be memory-mapped: training
starts at once, and jobs that read the same videos share the memory. Every video has a
checksum of its own, so that who needs a few need not read all.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8

from hgnpipe.collection import require
from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import Trajectories
from hgnpipe.files.hdf5 import created, opened, read_arrays, write_arrays
from hgnpipe.files.whole import AGAIN
from hgnpipe.systems import build_system
from hgnpipe.systems.base import System

TRAJECTORIES = "hgnpipe trajectories 2"
VIDEOS = "hgnpipe videos 2"

Frames = UInt8[np.ndarray, "N T S S 3"]
"""Stored videos: RGB values."""
Arrays = TypeVar("Arrays", bound=tuple)


class Videos(NamedTuple):
    """Videos of one system, memory-mapped.

    Attributes:
        frames: RGB values, ``(N, T, S, S, 3)``.
        frame_dt: Time between two frames.
        attributes: The other metadata of the file.
    """

    frames: Frames
    frame_dt: float
    attributes: dict[str, object]


class Split(NamedTuple):
    """Videos and the motion that they show.

    Attributes:
        name: ``train`` or ``test``.
        frames: Observed videos, ``(N, T, S, S, 3)``.
        system: The system that is seen.
        q: Positions without noise, ``(N, T, n)``.
    """

    name: str
    frames: Frames
    system: System
    q: np.ndarray

    def draw(self, noise: float | np.ndarray = 0.0) -> Frames:
        """The same motion again, with this ``noise`` added to the positions."""
        return render(self.system, self.q + noise, self.frames.shape[2])


class Simulated(NamedTuple):
    """Trajectories and the system that they belong to."""

    system: System
    trajectories: Trajectories
    attributes: dict[str, object]


def save_trajectories(
    path: str | Path,
    trajectories: Trajectories,
    *,
    name: str,
    system: System,
    seed: int,
    split: str,
) -> None:
    """Write trajectories and the options of their system, ``name``, to ``path``."""
    origin = {
        "system": name,
        "options": json.dumps(system.options()),
        "frame_dt": system.frame_dt,
        "seed": seed,
        "split": split,
    }
    with created(path, TRAJECTORIES, origin) as file:
        write_arrays(file, trajectories)


def load_trajectories(path: str | Path) -> Simulated:
    """Read what `save_trajectories` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    return Simulated(*load_of_system(path, TRAJECTORIES, Trajectories))


def load_of_system(
    path: str | Path, expected: str, kind: type[Arrays]
) -> tuple[System, Arrays, dict[str, object]]:
    """System, arrays and metadata of a file of the ``expected`` format.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, expected) as file:
        attributes = dict(file.attrs)
        return described_system(attributes), read_arrays(file, kind), attributes


def described_system(attributes: Mapping[str, Any]) -> Any:
    """System, or videos of one, that the metadata of a file describe."""
    return build_system(attributes["system"], **json.loads(attributes["options"]))


def count_trajectories(path: str | Path) -> int:
    """Number of trajectories in a file that `save_trajectories` wrote."""
    with opened(path, TRAJECTORIES) as file:
        return len(file["q"])


def render_videos(
    source: str | Path, target: str | Path, image_size: int, chunk: int = 250
) -> Iterator[int]:
    """Render the noisy trajectories of ``source`` into videos at ``target``.

    Works through ``chunk`` videos at a time, so that memory does not grow with their
    number, and yields how many it has just finished.

    Raises:
        ValueError: If ``source`` is not a file of trajectories, or ``image_size`` is
            too small.
    """
    system, trajectories, attributes = load_trajectories(source)
    q = trajectories.q_noisy
    shape = (*q.shape[:2], image_size, image_size, 3)
    with created(target, VIDEOS, attributes, apart="frames") as file:
        frames = file.create_dataset("frames", shape, np.uint8)
        checksums = []
        for first in range(0, len(q), chunk):
            part = render(system, q[first : first + chunk], image_size)
            frames[first : first + len(part)] = part
            checksums += map(zlib.crc32, part)
            yield len(part)
        file.create_dataset("checksums", data=np.array(checksums, np.uint32))


def open_videos(path: str | Path, num: int | None = None) -> Videos:
    """Memory-map the videos of a file, and check that they are what was written.

    Args:
        path: The file.
        num: Take the first ones only, and check only those; by default all.

    Raises:
        ValueError: If the file is missing, damaged, or something else, or ``num`` not
            positive.
    """
    require(num is None or num >= 1, "num", num, "1 or more")
    with opened(path, VIDEOS) as file:
        attributes = dict(file.attrs)
        frames = file["frames"]
        offset, shape = frames.id.get_offset(), frames.shape
        if offset is None or frames.dtype != np.uint8 or len(shape) != 5:
            raise ValueError(
                f"{path}: 'frames' is {frames.dtype} {shape}; it must be uncompressed "
                f"uint8 (videos, frames, height, width, 3)."
            )
        checksums = file["checksums"][:num]
    mapped = np.memmap(path, np.uint8, "r", offset, shape)[:num]
    for number, (video, checksum) in enumerate(zip(mapped, checksums, strict=True)):
        if zlib.crc32(video) != checksum:
            raise ValueError(
                f"{path} is damaged: video {number} is not what was written. {AGAIN}"
            )
    return Videos(mapped, float(attributes["frame_dt"]), attributes)


def load_splits(
    videos: Sequence[str | Path], trajectories: Sequence[str | Path], num: int
) -> Iterator[Split]:
    """The first ``num`` videos of each file, with the motion that they show.

    Raises:
        ValueError: If files are missing or damaged, or videos and trajectories do not
            belong together.
    """
    together = len(trajectories) == len(videos)
    require(together, "number of trajectories", len(trajectories), "that of videos")
    require(num >= 1, "num_trajectories", num, "1 or more")
    for path, source in zip(videos, trajectories, strict=True):
        frames, _, attributes = open_videos(path, num)
        system, motion, expected = load_trajectories(source)
        check_together(path, attributes, source, expected)
        yield Split(expected["split"], frames, system, motion.q[:num])


def check_together(
    path: str | Path,
    attributes: Mapping[str, object],
    source: str | Path,
    expected: Mapping[str, object],
) -> None:
    """Check by their metadata that two files are of the same trajectories.

    Raises:
        ValueError: If they are not; the message says where they differ.
    """
    for key in ("system", "options", "seed", "split"):
        if attributes.get(key) != expected.get(key):
            raise ValueError(
                f"{path} and {source} do not belong together: {key} is "
                f"{attributes.get(key)!r} and {expected.get(key)!r}."
            )
