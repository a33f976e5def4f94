"""Which initial weights to train: those that learn fastest of a few."""

import copy
import math
from collections.abc import Callable
from contextlib import suppress

import pandas as pd
from torch import nn

from hgnpipe.training.batches import random_seed
from hgnpipe.training.checkpoint import TrainingFailed

LAST_ROWS = 2
"""Rows of the history over which starts are compared."""


def start_seed(seed: int, number: int) -> int:
    """Seed of the initial weights of a number; of the first it is that of the run."""
    return random_seed(seed, number, purpose=4) if number else seed


def choose_start(
    model: nn.Module,
    other: Callable[[int], nn.Module],
    trial: Callable[..., pd.DataFrame],
    num: int,
    leave: Callable[[], bool],
) -> int:
    """Try some initial weights, and give the model those of the lowest loss.

    Where one latent coordinate has to tell all pictures apart, some initial weights
    fold them onto each other, and no training unfolds them again: from the first
    hundred iterations on their error is several times that of the others.

    Args:
        model: With the first of these weights.
        other: Makes it with other weights, by a number from 1 on.
        trial: Trains a copy for a short while and gives its history.
        num: How many initial weights are tried.
        leave: See `hgnpipe.training.loop.fit`.

    Returns:
        Number of the best; 0 is what the model began with.

    Raises:
        TrainingFailed: If every trial failed.
    """
    losses: dict[int, float] = {}
    for number in range(num):
        start = other(number) if number else copy.deepcopy(model)
        with suppress(TrainingFailed):
            history = trial(start, leave=leave)
            losses[number] = float(history["loss"].tail(LAST_ROWS).mean())
    finite = {number: loss for number, loss in losses.items() if math.isfinite(loss)}
    if not finite:
        raise TrainingFailed(f"None of {num} starts has a loss that is a number.")
    best = min(finite, key=lambda number: finite[number])
    if best:
        model.load_state_dict(dict(other(best).named_parameters()), strict=False)
    return best
