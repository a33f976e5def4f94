"""The paper's check that its PixelHNN learns from pixels where it can (Sec. 4).

As Greydanus et al. did: small swings of a pendulum, on small pictures, without noise.
"""

from collections.abc import Callable, Mapping
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Float

from hgnpipe.collection import check_options, require
from hgnpipe.data.videos import Frames
from hgnpipe.evaluation.dynamics import Measures, energy_drift, measures_of_energy
from hgnpipe.evaluation.kept import Errors
from hgnpipe.models.pixelhnn import PixelHNN
from hgnpipe.training.batches import VideoBatches
from hgnpipe.training.loop import fit
from hgnpipe.training.options import read_training

MIN_SIZE = 8
"""Of a picture, see `hgnpipe.data.rendering.render`."""


class PixelCheck(TypedDict):
    """What PixelHNN learns from, and how.

    Attributes:
        seeds: Of weights, and of the order of the data.
        image_size: Height and width of a frame.
        num_train: Videos to learn from, at most.
        num_test: Videos to judge by, at most.
        options: Of `hgnpipe.models.pixelhnn.PixelHNN`.
        training: How to train, see `hgnpipe.training.options.TrainingOptions`.
    """

    seeds: list[int]
    image_size: int
    num_train: int
    num_test: int
    options: dict
    training: dict


def build_pixelhnn(check: PixelCheck, latent_size: int, seed: int = 0) -> PixelHNN:
    """New PixelHNN, its weights drawn with ``seed``.

    Raises:
        ValueError: If an option is unknown, of a wrong type or out of range, or the
            pictures are smaller than any that can be drawn.
    """
    size = check["image_size"]
    require(size >= MIN_SIZE, "image_size", size, f"{MIN_SIZE} or more")
    given = {"image_size": size, "latent_size": latent_size}
    options = check_options("pixelhnn", PixelHNN, {**given, **check["options"]})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PixelHNN(**options)


def fit_pixelhnn(
    videos: Frames,
    latent_size: int,
    check: PixelCheck,
    seed: int,
    report: Callable[[int, Mapping[str, float]], None] | None = None,
) -> PixelHNN:
    """PixelHNN, trained on videos."""
    model = build_pixelhnn(check, latent_size, seed)
    training = read_training(check["training"])
    fit(model, VideoBatches(videos), training, seed=seed, report=report)
    return model


def measures_of_pixels(
    errors: Errors, mean_image: Errors, true: Float[np.ndarray, " N"]
) -> Measures:
    """How right rollouts of PixelHNN are.

    Args:
        errors: Of the model on videos.
        mean_image: Of the mean image on the same.
        true: True energy of each motion.

    Returns:
        ``mse_x1e4`` and ``skill``, 1 minus the error relative to the mean image's, per
        video; ``energy_drift`` of the learned energy, and ``energy_r2_linear`` and
        ``energy_r2_monotone``, see `hgnpipe.evaluation.dynamics`.
    """
    mse = errors.mse.mean(axis=1)
    return {
        "mse_x1e4": 1e4 * mse,
        "skill": 1 - mse / mean_image.mse.mean(),
        "energy_drift": energy_drift(errors.energy),
        **measures_of_energy(errors.energy, true),
    }
