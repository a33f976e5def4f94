"""What a trained HGN draws samples from, where it is more than a unit Gaussian.

The KL term asks the posteriors of all videos together to fill the unit Gaussian, but
gives little for it, and data such as swings between two amplitudes lie on a ring. So a
density is fitted to those posteriors after training.

References:
    Ghosh, Sajjadi, Vergari, Black and Schoelkopf, From variational to deterministic
    autoencoders, ICLR 2020: ex-post density estimation.
"""

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn

from hgnpipe.nn.gaussian import draw_from
from hgnpipe.training.batches import NUM_COUNTED, random_seed, to_pixels

BATCH = 50
PER_COMPONENT = 20
"""Latent vectors for each component, at least; few videos are drawn from repeatedly."""


@torch.no_grad()
def learn_prior(
    model: nn.Module, frames: UInt8[np.ndarray, "N T S S 3"], seed: int
) -> None:
    """Fit the mixture of a model to posteriors of its training videos, if it has one.

    Args:
        model: Trained.
        frames: What it was trained on; the first `NUM_COUNTED` videos are used.
        seed: Of the run.
    """
    mixture = getattr(model, "mixture", None)
    if mixture is None:
        return
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(random_seed(seed, 0, purpose=5))
    frames = frames[:NUM_COUNTED, model.first_seen :]
    repeats = -(-PER_COMPONENT * len(mixture.weights) // len(frames))
    vectors = []
    for first in range(0, len(frames), BATCH):
        posterior = model.posterior(to_pixels(frames[first : first + BATCH], device))
        vectors += [draw_from(posterior, generator) for _ in range(repeats)]
    mixture.fit(torch.cat(vectors), seed)
