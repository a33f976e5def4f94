"""Videos that a trained model makes, to look at, to save, and to show in a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.evaluation.films import to_stored
from hgnpipe.files.whole import written_whole
from hgnpipe.models.base import SequenceModel
from hgnpipe.reporting.plotting import WIDTH, figure_style, save_figure
from hgnpipe.reporting.strips import (
    Pictures,
    animate,
    film_strips,
    player,
    save_animation,
)
from hgnpipe.training.batches import to_pixels

COLUMNS = 8
"""Most videos side by side in an animation."""
STRIP_FRAMES = 16
"""Most frames of a film strip."""
FORMATS = (".gif", ".mp4", ".html", ".png", ".pdf", ".npz")


@dataclass(frozen=True)
class Clip:
    """Videos that belong together, played side by side.

    Attributes:
        videos: Frames ``(T, S, S, 3)``, uint8, by the label of the video.
        title: What they are.
        arrays: What else there is to know of them: ``energy`` along a rollout
            ``(T,)``, ``kl`` of its posterior in nats.
    """

    videos: Mapping[str, UInt8[np.ndarray, "T S S 3"]]
    title: str
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def save(self, path: str | Path) -> None:
        """Write an animation (GIF, MP4, a page), film strips (PNG, PDF), or numbers.

        The name's end says which; in ``.npz`` are ``frames``, ``labels`` and all
        ``arrays``. Videos shorter than the longest have their last frame repeated.

        Raises:
            ValueError: If the end is not in `FORMATS`, or the file cannot be written.
        """
        kind = Path(path).suffix.lower()
        require(kind in FORMATS, f"end of {path}", kind, ", ".join(FORMATS))
        if kind == ".npz":
            frames, labels = np.stack(self._filled()), np.array(list(self.videos))
            with written_whole(path) as temporary, open(temporary, "wb") as file:
                np.savez_compressed(file, frames=frames, labels=labels, **self.arrays)
        elif kind in (".png", ".pdf"):
            with figure_style():
                save_figure(self._strips(), [path])
        else:
            save_animation(self._pictures(), [path])

    def _repr_html_(self) -> str:
        """The animation, for a notebook."""
        return player(self._pictures())

    def _filled(self) -> list[np.ndarray]:
        """All videos, as long as the longest."""
        length = max(map(len, self.videos.values()))
        return [
            np.concatenate([v, np.repeat(v[-1:], length - len(v), axis=0)])
            for v in self.videos.values()
        ]

    def _pictures(self) -> Pictures:
        shown = list(self.videos.items())
        rows = {
            " " * number: shown[first : first + COLUMNS]
            for number, first in enumerate(range(0, len(shown), COLUMNS))
        }
        columns = min(len(shown), COLUMNS)
        with figure_style():
            return animate(rows, self.title, 0.6 + len(rows) * WIDTH / max(columns, 3))

    def _strips(self) -> plt.Figure:
        videos = list(self.videos.items())
        length, size = max(len(v) for _, v in videos), videos[0][1].shape[1]
        every = -(-length // STRIP_FRAMES)
        figure, axes = plt.subplots(figsize=(WIDTH, 0.6 + 0.42 * len(videos)))
        film_strips(axes, videos, every, size, length)
        axes.set(title=self.title, xlabel="step of the rollout")
        return figure


@torch.no_grad()
def predict(
    model: SequenceModel,
    video: UInt8[np.ndarray, "T S S 3"],
    *,
    speed: float = 1.0,
    num_steps: int | None = None,
) -> Clip:
    """What a model makes of one video: inferred at its first frame, and rolled out.

    Args:
        model: Trained.
        video: At least as many frames as the model looks at.
        speed: Multiplies the time step: 2 is twice as fast, -1 is backwards.
        num_steps: Length of the rollout; by default as long as the video.

    Raises:
        ValueError: If the video is too short or of another size than the model's.
    """
    made = model.predict(_batch(model, video), speed=speed, num_steps=num_steps)
    rollout = to_stored(made.frames)[0]
    seen = {"observed": video[: len(rollout)]} if speed == 1 else {}
    return Clip(
        {**seen, f"rollout, speed {speed:g}": rollout},
        f"rollout at speed {speed:g}",
        _numbers(energy=made.energy, kl=made.kl, of=0),
    )


@torch.no_grad()
def sample(model: SequenceModel, num: int, num_steps: int = 30, seed: int = 0) -> Clip:
    """Videos from the prior of a model.

    Raises:
        ValueError: If there are none to make, or the model has no prior.
    """
    require(num >= 1, "number of samples", num, "1 or more")
    require(num_steps >= 1, "number of steps", num_steps, "1 or more")
    if not hasattr(model, "sample"):
        raise ValueError(f"{type(model).__name__} has no prior to sample from.")
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    made = model.sample(num, num_steps, generator=generator)
    videos = to_stored(made.frames)
    labels = (f"{number}" for number in range(1, num + 1))
    return Clip(
        dict(zip(labels, videos, strict=True)),
        "samples from the prior",
        _numbers(energy=made.energy),
    )


@torch.no_grad()
def compare(
    models: Mapping[str, SequenceModel], video: UInt8[np.ndarray, "T S S 3"]
) -> Clip:
    """What several models make of one video, beside it; ``mse_x1e4`` of each.

    Raises:
        ValueError: If the video is too short or of another size than a model's.
    """
    made = {
        name: to_stored(model.predict(_batch(model, video)).frames)[0]
        for name, model in models.items()
    }
    errors = [np.square(video / 255.0 - v / 255.0).mean() * 1e4 for v in made.values()]
    arrays = {"mse_x1e4": np.array(errors)}
    return Clip({"observed": video, **made}, "rollouts", arrays)


def _batch(model: SequenceModel, video: np.ndarray) -> Tensor:
    return to_pixels(video[None], next(model.parameters()).device)


def _numbers(of: int | None = None, **found: Tensor | None) -> dict[str, np.ndarray]:
    """Those that a model predicts, of all videos or one."""
    here = {name: x for name, x in found.items() if x is not None}
    return {k: (x if of is None else x[of]).cpu().numpy() for k, x in here.items()}
