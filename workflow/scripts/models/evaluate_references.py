"""Rule evaluate_references: score the mean image and the noise floor of one system."""

from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.data.simulation import random_source
from hgnpipe.data.videos import load_splits, open_videos
from hgnpipe.evaluation.errors import (
    mean_image_errors,
    noise_floor_errors,
    per_trajectory,
    save_errors,
)
from hgnpipe.files.whole import written_whole
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.training.batches import NUM_COUNTED, frame_statistics


def main(
    train_videos: Path,
    videos: list[Path],
    trajectories: list[Path],
    system: str,
    seed: int,
    num_trajectories: int,
    metrics: Path,
    rollouts: Path,
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
        rollouts: Errors of every frame to write, HDF5; a group, such as ``mean_image
            train``, for each reference and split.
        threads: Processor cores to use.
    """
    choose_device("cpu", threads)
    mean, _ = frame_statistics(open_videos(train_videos, NUM_COUNTED).frames)
    tables, frames = [], {}
    for split in load_splits(videos, trajectories, num_trajectories):
        source = random_source(seed, split.system, f"{split.name} floor")
        noise = np.random.default_rng(source).standard_normal(split.q.shape)
        other, clean = split.draw(split.system.noise_std * noise), split.draw()
        rows = {
            "mean_image": mean_image_errors(mean, split.frames, clean),
            "noise_floor": noise_floor_errors(split.frames, other, clean),
        }
        for model, scores in rows.items():
            frames[f"{model} {split.name}"] = scores
            table = per_trajectory(scores)
            names = {"system": system, "model": model, "seed": 0}
            tables.append(table.assign(**names, split=split.name))
    with written_whole(metrics) as path:
        pd.concat(tables).to_csv(path, index=False)
    save_errors(rollouts, frames)


if __name__ == "__main__":
    run(main)
