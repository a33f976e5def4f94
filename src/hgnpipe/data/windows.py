"""From videos of any size and length to those that models take."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64, UInt8
from PIL import Image

from hgnpipe.collection import require
from hgnpipe.data.footage import Footage


def to_square(
    frames: Footage, size: int, fit: str = "crop"
) -> UInt8[np.ndarray, "T S S 3"]:
    """Square frames of ``size`` pixels, averaged where they shrink.

    Args:
        frames: RGB values.
        size: Height and width to make.
        fit: ``crop`` cuts off what is beyond the middle square; ``pad`` keeps all, and
            fills the rest with the median colour of the first frame's edge.

    Raises:
        ValueError: If ``size`` is too small, or ``fit`` unknown.
    """
    require(size >= 8, "image_size", size, "8 or more")
    require(fit in ("crop", "pad"), "fit", fit, "crop or pad")
    height, width = frames.shape[1:3]
    side = min(height, width) if fit == "crop" else max(height, width)
    square = np.empty((len(frames), side, side, 3), np.uint8)
    if fit == "crop":
        top, left = (height - side) // 2, (width - side) // 2
        square[:] = frames[:, top : top + side, left : left + side]
    else:
        first = frames[0]
        edge = np.concatenate([first[0], first[-1], first[:, 0], first[:, -1]])
        square[:] = np.median(edge, axis=0)
        top, left = (side - height) // 2, (side - width) // 2
        square[:, top : top + height, left : left + width] = frames
    if side == size:
        return square
    how = Image.Resampling.LANCZOS
    return np.stack([Image.fromarray(f).resize((size, size), how) for f in square])


def cut(
    frames: Footage, num_frames: int, step: int = 1, stride: int | None = None
) -> UInt8[np.ndarray, "N F H W 3"]:
    """Windows of a video; none if it is too short.

    Args:
        frames: RGB values.
        num_frames: Length F of each window.
        step: Frames of the video from one of the window to the next.
        stride: Frames of the video from one window to the next; by default they do not
            overlap.

    Raises:
        ValueError: If a number is too small.
    """
    where = window_indices(len(frames), num_frames, step, stride)
    return frames[where]


def window_indices(
    length: int, num_frames: int, step: int = 1, stride: int | None = None
) -> Int64[np.ndarray, "N F"]:
    """Frames of a video of this ``length`` that are in each window, see `cut`.

    Raises:
        ValueError: If a number is too small.
    """
    require(num_frames >= 2, "num_frames", num_frames, "2 or more")
    require(step >= 1, "frame_step", step, "1 or more")
    require(stride is None or stride >= 1, "stride", stride, "1 or more")
    within = step * np.arange(num_frames)
    starts = np.arange(0, length - within[-1], stride or num_frames * step)
    return starts[:, None] + within


def held_out(names: Sequence[str], share: float, seed: int) -> set[str]:
    """Names of the videos that are for testing, the same for the same names.

    Whole videos, so that no window of a test video is seen in training.

    Raises:
        ValueError: If there are fewer than two videos, names that are not unique, or
            the share leaves no video on a side.
    """
    require(len(names) >= 2, "number of videos", len(names), "2 or more, to hold out")
    require(len({*names}) == len(names), "names of videos", len(names), "unique")
    require(0 < share < 1, "share", share, "between 0 and 1")
    num = min(max(1, round(share * len(names))), len(names) - 1)
    order = np.random.default_rng(seed).permutation(len(names))
    return {sorted(names)[index] for index in order[:num]}
