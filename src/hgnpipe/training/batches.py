"""From stored data to what models take: videos, or points of a density.

What is drawn when is a function of (seed, iteration) alone.
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.data.stored import check_points, check_videos

NUM_COUNTED = 2000
"""Videos of which the statistics are taken: the first ones, at most."""


@runtime_checkable
class Viewer(Protocol):
    """What must be known of a model of videos."""

    num_frames: int
    window: int
    image_size: int


@runtime_checkable
class Batches(Protocol):
    """Training data that `hgnpipe.training.loop.fit` draws from."""

    def check(self, model: Any) -> None:
        """Raise a `ValueError` if a model cannot be trained on these data."""

    def prepare(self, model: Any) -> None:
        """Tell a new model, once, what its training data look like."""

    def draw(
        self, model: Any, size: int, seed: int, iteration: int, device: torch.device
    ) -> Tensor:
        """Batch of one iteration, as the ``loss`` of the model takes it."""


@dataclass(frozen=True)
class VideoBatches:
    """Windows of videos, which stay as they are; only batches are converted.

    On a processor they also stay where they are, in a memory map, say. A GPU gets a
    copy of all of them, if they fill no more than half of its free memory.

    Attributes:
        frames: RGB values, ``(N, T, S, S, 3)``.
    """

    frames: UInt8[np.ndarray, "N T S S 3"]
    _copies: dict[torch.device, Tensor | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_videos(self.frames)

    def check(self, model: Viewer) -> None:
        """See `check_frames`."""
        check_frames(model, self.frames, max(model.window, model.num_frames))

    def prepare(self, model: Viewer) -> None:
        """Tell the model the mean image and the deviation from it, if it listens."""
        if hasattr(model, "set_frame_statistics"):
            model.set_frame_statistics(*self._statistics)

    @cached_property
    def _statistics(self) -> tuple[Float[Tensor, "3 S S"], float]:
        """Taken once, however many initial weights are tried."""
        return frame_statistics(self.frames)

    def draw(
        self, model: Viewer, size: int, seed: int, iteration: int, device: torch.device
    ) -> Float[Tensor, "B window 3 S S"]:
        """Windows from videos in random order, pixel values in [0, 1]."""
        windows = draw_windows(self.frames.shape, model.window, size, seed, iteration)
        if device not in self._copies:
            fits = device.type == "cuda" and fits_in(self.frames.nbytes, device)
            self._copies[device] = copy_to(self.frames, device) if fits else None
        copied = self._copies[device]
        if copied is None:
            cut = cut_windows(self.frames, *windows, model.window)
            return as_pixels(send(cut, device))
        picks, starts = send(np.stack(windows), device)
        times = starts[:, None] + torch.arange(model.window, device=device)
        return as_pixels(copied[picks[:, None], times])


@dataclass(frozen=True)
class PointBatches:
    """Points of a density, for the flows.

    Attributes:
        points: Coordinates, ``(N, d)``.
    """

    points: Float[np.ndarray, "N d"]

    def check(self, model: Any) -> None:
        """Check that there are points, of the dimension that the flow is built for."""
        check_points(self.points, model.num_dims)

    def prepare(self, model: Any) -> None:
        """Nothing: points are standardised before they are stored."""

    def draw(
        self, model: Any, size: int, seed: int, iteration: int, device: torch.device
    ) -> Float[Tensor, "B d"]:
        """Points in random order."""
        picks = draw_indices(len(self.points), size, seed, iteration)
        return send(self.points[picks].astype(np.float32), device)


def check_frames(
    model: Viewer, frames: UInt8[np.ndarray, "N T S S 3"], needed: int
) -> None:
    """See `check_videos` and `check_length`; and that there are videos at all."""
    check_videos(frames)
    require(len(frames) > 0, "number of videos", 0, "1 or more")
    check_length(model, *frames.shape[1:3], needed)


def check_length(model: Viewer, num_frames: int, image_size: int, needed: int) -> None:
    """Check that videos of this length and size fit a model.

    Args:
        model: The model.
        num_frames: Length of the videos.
        image_size: Height and width of their frames.
        needed: Least length: its ``window`` to train, its ``num_frames`` to predict.

    Raises:
        ValueError: If they do not fit.
    """
    if image_size != model.image_size or num_frames < needed:
        raise ValueError(
            f"Videos have {num_frames} frames of {image_size}x{image_size} pixels; "
            f"this model needs {needed} frames or more of {model.image_size}x"
            f"{model.image_size}."
        )


def frame_statistics(
    frames: UInt8[np.ndarray, "N T S S 3"], max_videos: int = NUM_COUNTED
) -> tuple[Float[Tensor, "3 S S"], float]:
    """Mean image, and root mean square deviation of the pixel values from it.

    From at most the first ``max_videos`` videos, a hundred at a time.
    """
    check_videos(frames)
    frames = frames[:max_videos]
    total, squares = 0.0, 0.0
    for first in range(0, len(frames), 100):
        part = frames[first : first + 100].astype(np.float32) / 255
        total = total + part.sum(axis=(0, 1), dtype=np.float64)
        squares = squares + np.square(part).sum(axis=(0, 1), dtype=np.float64)
    count = frames.shape[0] * frames.shape[1]
    mean = total / count
    variance = float((squares / count - np.square(mean)).mean())
    std = max(variance, 1e-12) ** 0.5
    return torch.from_numpy(mean).float().permute(2, 0, 1), std


def to_pixels(frames: UInt8[np.ndarray, "B T S S 3"], device: torch.device) -> Tensor:
    """Stored frames to what models take: ``(B, T, 3, S, S)``, values in [0, 1]."""
    check_videos(frames)
    return as_pixels(send(np.array(frames), device))


def as_pixels(stored: UInt8[Tensor, "B T S S 3"]) -> Float[Tensor, "B T 3 S S"]:
    """RGB values to what models take, values in [0, 1]."""
    return stored.permute(0, 1, 4, 2, 3).float() / 255


def send(values: np.ndarray, device: torch.device) -> Tensor:
    """Copy of an array on a device, for which nothing waits."""
    tensor = torch.from_numpy(values)
    if device.type == "cuda":  # only from pinned memory a copy goes on by itself
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def fits_in(num_bytes: int, device: torch.device) -> bool:
    """Whether data fill no more than half of the free memory of a GPU."""
    free, _ = torch.cuda.mem_get_info(device)
    return num_bytes <= free / 2


def copy_to(
    frames: UInt8[np.ndarray, "N T S S 3"], device: torch.device, chunk: int = 1000
) -> UInt8[Tensor, "N T S S 3"]:
    """Copy of stored frames on a device, made ``chunk`` videos at a time."""
    copied = torch.empty(frames.shape, dtype=torch.uint8, device=device)
    for first in range(0, len(frames), chunk):
        part = np.array(frames[first : first + chunk])
        copied[first : first + len(part)] = torch.from_numpy(part)
    return copied


def draw_windows(
    shape: tuple[int, ...], window: int, batch_size: int, seed: int, iteration: int
) -> tuple[Int64[np.ndarray, " B"], Int64[np.ndarray, " B"]]:
    """Videos in random order, as `draw_indices` says, and first frames.

    Args:
        shape: Of the stored frames, ``(N, T, ...)``.
        window: Consecutive frames in one sample.
        batch_size: Samples.
        seed: Fixes what is drawn in every iteration.
        iteration: Number of batches drawn before.
    """
    num, length = shape[:2]
    rng = np.random.default_rng(random_seed(seed, iteration, purpose=3))
    starts = rng.integers(0, length - window + 1, size=batch_size)
    return draw_indices(num, batch_size, seed, iteration), starts


def cut_windows(
    frames: UInt8[np.ndarray, "N T S S 3"],
    picks: Int64[np.ndarray, " B"],
    starts: Int64[np.ndarray, " B"],
    window: int,
) -> UInt8[np.ndarray, "B window S S 3"]:
    """Consecutive frames of some videos."""
    cuts = zip(picks, starts, strict=True)
    return np.stack([frames[video, s : s + window] for video, s in cuts])


def draw_indices(
    num: int, batch_size: int, seed: int, iteration: int
) -> Int64[np.ndarray, " B"]:
    """Which of ``num`` samples come in one iteration: each once before any again."""
    position = iteration * batch_size + np.arange(batch_size)
    picks = np.empty(batch_size, dtype=np.int64)
    for epoch in np.unique(position // num).tolist():
        inside = position // num == epoch
        picks[inside] = _order(seed, epoch, num)[position[inside] % num]
    return picks


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, num: int) -> np.ndarray:
    """Order of the samples in one epoch."""
    rng = np.random.default_rng(random_seed(seed, epoch, purpose=2))
    return rng.permutation(num)


def random_seed(seed: int, index: int, purpose: int) -> int:
    """Seed that is independent for every (seed, index, purpose)."""
    sequence = np.random.SeedSequence([seed, int(index), purpose])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))
