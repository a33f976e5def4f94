"""Scores of rollouts, frame by frame, and their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hgnpipe.files.hdf5 import created, opened

SCORES = "hgnpipe scores 2"


class Scores(NamedTuple):
    """What is measured along the rollouts of one split.

    Attributes:
        mse: Error against the observed frames, ``(N, T)``.
        mse_clean: Error against the frames without noise, ``(N, T)``.
        energy: Learned Hamiltonian, ``(N, T)``; NaN where there is none.
        kl: KL divergence of the posterior from the prior in nats, ``(N,)``.
    """

    mse: np.ndarray
    mse_clean: np.ndarray
    energy: np.ndarray
    kl: np.ndarray


def save_scores(path: str | Path, scores: Mapping[str, Scores]) -> None:
    """Write the scores of each split, a group each, to ``path``."""
    with created(path, SCORES) as file:
        for split, arrays in scores.items():
            for name, values in arrays._asdict().items():
                file.create_dataset(f"{split}/{name}", data=values.astype(np.float32))


def load_scores(path: str | Path) -> dict[str, Scores]:
    """Read what `save_scores` wrote, by split.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, SCORES) as file:
        return {
            split: Scores(*(group[name][:] for name in Scores._fields))
            for split, group in file.items()
        }
