"""Rule evaluate_references: score the mean image and the noise floor of one system."""

from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.batches import frame_statistics
from hgnpipe.command import run
from hgnpipe.data import load_trajectories, open_videos
from hgnpipe.device import choose_device
from hgnpipe.evaluation import per_trajectory, score_mean_image, score_noise_floor
from hgnpipe.files import written_whole
from hgnpipe.registry import require
from hgnpipe.rendering import render
from hgnpipe.simulation import random_source


def main(
    train_videos: Path,
    videos: list[Path],
    trajectories: list[Path],
    system: str,
    seed: int,
    num_trajectories: int,
    metrics: Path,
    threads: int = 1,
) -> None:
    """Score what a collapsed model predicts, and what no model can do better.

    Args:
        train_videos: Videos whose mean image is taken, HDF5.
        videos: Videos of each split, HDF5.
        trajectories: Trajectories of each split, in the same order.
        system: Name of the system, for the table.
        seed: Seed of the second, independent observation noise.
        num_trajectories: How many of each split to evaluate, at most.
        metrics: Table with a row per trajectory to write, CSV.
        threads: Processor cores to use.
    """
    together = len(trajectories) == len(videos)
    require(together, "number of trajectories", len(trajectories), "that of videos")
    require(num_trajectories >= 1, "num_trajectories", num_trajectories, "1 or more")
    choose_device("cpu", threads)
    mean, _ = frame_statistics(open_videos(train_videos).frames)
    tables = []
    for path, source in zip(videos, trajectories, strict=True):
        frames = open_videos(path).frames[:num_trajectories]
        moving, motion, attributes = load_trajectories(source)
        split, size = attributes["split"], frames.shape[2]
        q = motion.q[:num_trajectories]
        rng = np.random.default_rng(random_source(seed, moving, f"{split} floor"))
        other = q + moving.noise_std * rng.standard_normal(q.shape)
        clean = render(moving, q, size)
        rows = {
            "mean_image": score_mean_image(mean, frames, clean),
            "noise_floor": score_noise_floor(
                frames, render(moving, other, size), clean
            ),
        }
        for model, scores in rows.items():
            table = per_trajectory(scores)
            tables.append(table.assign(system=system, model=model, seed=0, split=split))
    with written_whole(metrics) as path:
        pd.concat(tables).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
