"""Are the videos that a model makes up like the data (Fig. 8)?

Sampled motions have an energy, found by a map from latent to true states; their
pictures are sharp or not, differ from each other or not, and move or not. All is
compared with true motions of the same system, drawn without noise.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import wasserstein_distance
from torch import Tensor

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import true_energy
from hgnpipe.data.videos import Frames
from hgnpipe.evaluation.dynamics import Measures
from hgnpipe.evaluation.errors import displacement, pixel_mse
from hgnpipe.evaluation.state_map import fit_state_map
from hgnpipe.hamiltonian import State
from hgnpipe.models.base import SamplingModel, SequenceModel
from hgnpipe.systems.base import System
from hgnpipe.training.batches import to_pixels

NUM_MOTIONS = 300
"""Motions that are sampled, and videos on which the map is fitted, at most."""
NUM_VIDEOS = 50
"""Sampled motions that are looked at as videos, and as many true ones, at most."""
NUM_KNOWN = 200
"""Other true motions, of which all pictures are compared with those of samples."""
NUM_TIMES = 11
"""Times of a motion that enter the map and the search for the nearest picture."""


class Shown(NamedTuple):
    """Test videos and the motion that they show.

    Attributes:
        frames: Observed videos, ``(N, T, S, S, 3)``.
        system: The system that is seen.
        q: Positions without noise, ``(N, T, n)``.
        p: Momenta, likewise.
    """

    frames: Frames
    system: System
    q: np.ndarray
    p: np.ndarray


@torch.no_grad()
def measures_of_samples(
    model: SequenceModel, shown: Shown, batch_size: int, seed: int
) -> Measures:
    """Energies, sharpness, diversity and motion of videos that a model samples.

    Args:
        model: Model on the device on which to evaluate.
        shown: At least four motions, none of which the model was trained on. Samples
            are as long as they are. The later half of them, `NUM_KNOWN` at most, are
            the true pictures to which the nearest is sought.
        batch_size: Videos at a time.
        seed: Of the samples.

    Returns:
        See `measures_of_energies` and `measures_of_pictures`; nothing if the model has
        no prior or there are fewer motions.
    """
    has_prior = isinstance(model, SamplingModel)
    if not has_prior or getattr(model, "deterministic", False) or len(shown.q) < 4:
        return {}
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    state = model.sample_states(NUM_MOTIONS, generator)
    num_steps = shown.q.shape[1] - 1
    paths = list(_paths(model, _batches(state, batch_size), num_steps))
    few = Shown(
        *(part if part is shown.system else part[:NUM_MOTIONS] for part in shown)
    )
    inferred = _inferred_paths(model, few, batch_size, generator)
    few_paths = paths[: -(-NUM_VIDEOS // batch_size)]
    videos = torch.cat([model.decode_path(path) for path in few_paths])[:NUM_VIDEOS]
    half, size = len(shown.q) // 2, shown.frames.shape[2]
    true, known = (
        _drawn(shown.system, q, size, videos.device)
        for q in (shown.q[: min(half, NUM_VIDEOS)], shown.q[half:][:NUM_KNOWN])
    )
    return {
        **measures_of_energies(np.concatenate(list(map(_flat, paths))), inferred, few),
        **measures_of_pictures(videos, true, known),
    }


def measures_of_energies(
    sampled: Float[np.ndarray, "K T d"],
    inferred: Float[np.ndarray, "N T d"],
    shown: Shown,
) -> Measures:
    """Distribution of the true energies of sampled motions, against the data's.

    Args:
        sampled: Latent states of sampled motions.
        inferred: Those of the shown ones, drawn from the posterior.
        shown: What they show.

    Returns:
        In standard deviations of the data's energies: ``sample_energy_shift``, mean of
        the samples minus that of the data, ``sample_energy_std``, and
        ``sample_energy_distance``, Wasserstein's. ``inferred_energy_distance`` is the
        same for the shown motions as the map sees them when fitted on others: what is
        owed to the map. ``state_map_r2`` is its R^2. NaN where it cannot be fitted;
        energies are NaN where constants of the system vary, which the map does not say.
    """
    times = _some_times(shown.q.shape[1])
    moving = map(shown.system.moving, (shown.q, shown.p))
    true = np.concatenate([*moving], axis=2)[:, times]
    to_truth = fit_state_map(inferred[:, times], true)
    data = true_energy(shown.system, shown.q[:, 0], shown.p[:, 0])
    unit = data.std()
    own = _energies(shown.system, to_truth(sampled[:, times]))
    again = _energies(shown.system, to_truth.held_out)
    values = dict.fromkeys(("shift", "std", "distance"), np.nan)
    if np.isfinite(own).all() and unit > 0:
        values = {
            "shift": (own.mean() - data.mean()) / unit,
            "std": own.std() / unit,
            "distance": wasserstein_distance(own, data) / unit,
        }
    known = np.isfinite(again).all() and unit > 0
    return {
        **{f"sample_energy_{k}": np.array([float(v)]) for k, v in values.items()},
        "inferred_energy_distance": np.array(
            [wasserstein_distance(again, data) / unit if known else np.nan]
        ),
        "state_map_r2": np.array([to_truth.r2]),
    }


def measures_of_pictures(
    videos: Float[Tensor, "K T 3 S S"],
    true: Float[Tensor, "N T 3 S S"],
    known: Float[Tensor, "M T 3 S S"],
) -> Measures:
    """Sharpness, diversity and motion of sampled videos, against true ones.

    Args:
        videos: Sampled.
        true: What they are compared with.
        known: Others, of whose pictures the nearest is sought.

    Returns:
        ``sample_nearest_x1e4``: error of each frame against the nearest of many true
        pictures, mean over a video, and ``true_nearest_x1e4``, the same of other true
        videos. Relative to true videos: ``sample_diversity``, mean squared difference
        of the first frames of two videos, ``sample_diversity_last`` of the last ones,
        and ``sample_motion``, that of later frames from the first of a video.
    """
    bank, times = known.flatten(0, 1).flatten(1), _some_times(videos.shape[1])
    motion = displacement(true).mean()
    diversity = {
        "sample_diversity": (_variance(videos[:, 0]), _variance(true[:, 0])),
        "sample_diversity_last": (_variance(videos[:, -1]), _variance(true[:, -1])),
    }
    return {
        "sample_nearest_x1e4": 1e4 * nearest_mse(videos[:, times], bank),
        "true_nearest_x1e4": 1e4 * nearest_mse(true[:, times], bank),
        **{
            k: np.array([a / b if b > 0 else np.nan]) for k, (a, b) in diversity.items()
        },
        "sample_motion": displacement(videos) / (motion if motion > 0 else np.nan),
    }


def nearest_mse(
    videos: Float[Tensor, "K T 3 S S"], bank: Float[Tensor, "M D"]
) -> Float[np.ndarray, " K"]:
    """Error of each frame against the picture of a bank that is nearest to it, mean."""
    flat, middle = videos.flatten(0, 1).flatten(1), bank.mean(dim=0)
    # Which is nearest, by one product of matrices; then its error, without rounding.
    flat, centred = flat - middle, bank - middle
    half_squares = centred.square().sum(dim=1) / 2
    nearest = torch.cat(
        [(half_squares - few @ centred.T).argmin(dim=1) for few in flat.split(256)]
    )
    pictures = bank[nearest].view_as(videos)
    return pixel_mse(videos, pictures).mean(axis=1)


def _inferred_paths(
    model: SamplingModel, shown: Shown, batch_size: int, generator: torch.Generator
) -> Float[np.ndarray, "N T d"]:
    """Latent states of videos, rolled out from first states out of the posterior."""
    device, num_steps = next(model.parameters()).device, shown.q.shape[1] - 1
    first = (
        model.sample_inferred(
            to_pixels(shown.frames[n : n + batch_size], device), generator
        )
        for n in range(0, len(shown.q), batch_size)
    )
    return np.concatenate([_flat(path) for path in _paths(model, first, num_steps)])


def _paths(model: SamplingModel, first: Iterator[State], num_steps: int):
    for state in first:
        yield model.rollout(state, model.dt, num_steps)


def _batches(state: State, size: int) -> Iterator[State]:
    for q, p in zip(state.q.split(size), state.p.split(size), strict=True):
        yield State(q, p)


def _flat(path: State) -> Float[np.ndarray, "N T d"]:
    """States of a path, q and p side by side."""
    return torch.cat([path.q.flatten(2), path.p.flatten(2)], dim=2).cpu().numpy()


def _some_times(length: int) -> slice:
    return slice(None, None, max(1, -(-length // NUM_TIMES)))


def _energies(
    system: System, states: Float[np.ndarray, "N T m"]
) -> Float[np.ndarray, " N"]:
    """True energy of each motion: the median over its times, as poles are near.

    Args:
        system: What moves.
        states: Those coordinates that move. Where there are others, which are then
            unknown, energies are NaN.
    """
    if system.varies:
        return np.full(len(states), np.nan)
    return np.median(true_energy(system, *np.split(states, 2, axis=2)), axis=1)


def _drawn(
    system: System, q: Float[np.ndarray, "N T n"], size: int, device: torch.device
) -> Float[Tensor, "N T 3 S S"]:
    return to_pixels(render(system, q, size), device)


def _variance(pictures: Float[Tensor, "K 3 S S"]) -> float:
    """Half the mean squared difference of two different pictures."""
    return float(pictures.var(dim=0, correction=1).mean()) if len(pictures) > 1 else 0.0
