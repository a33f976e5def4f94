"""Rule evaluate_references: errors of mean image, noise floor and true video."""

from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.data.simulation import random_source
from hgnpipe.data.videos import load_splits, open_videos
from hgnpipe.evaluation.errors import (
    mean_image_errors,
    noise_floor_errors,
    per_trajectory,
    true_video_errors,
)
from hgnpipe.evaluation.kept import save_errors
from hgnpipe.files.csv import write_csv
from hgnpipe.reporting.runs import Run, system_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.training.batches import NUM_COUNTED, frame_statistics


def main(
    train_videos: Path,
    videos: list[Path],
    trajectories: list[Path],
    num_trajectories: int,
    seed: int,
    table: Path,
    errors: Path,
    threads: int = 1,
) -> None:
    """Evaluate what a collapsed model predicts, the best blurred one, and the truth.

    Args:
        train_videos: Videos whose mean image is taken, ``.../{system}/...``, HDF5.
        videos: Videos of each split, HDF5.
        trajectories: Trajectories of each split, in the same order.
        num_trajectories: How many of each split to evaluate, at most.
        seed: Seed of the second, independent observation noise.
        table: Table with a row per trajectory to write, CSV.
        errors: Errors of every frame to write, HDF5; a group, such as ``mean_image
            train``, for each reference and split.
        threads: Processor cores to use.
    """
    choose_device("cpu", threads)
    mean, _ = frame_statistics(open_videos(train_videos, NUM_COUNTED).frames)
    rows, found = [], {}
    for split in load_splits(videos, trajectories, num_trajectories):
        source = random_source(seed, split.system, f"{split.name} floor")
        rng = np.random.default_rng(source)
        noise = split.system.draw_noise(rng, split.q.shape[:-1])
        other, clean = split.draw(noise), split.draw()
        references = {
            "mean_image": mean_image_errors(mean, split.frames, clean),
            "noise_floor": noise_floor_errors(split.frames, other, clean),
            "true_video": true_video_errors(split.frames, clean),
        }
        for name, values in references.items():
            found[f"{name} {split.name}"] = values
            this = Run(system_of(train_videos), name, seed=0)
            part = per_trajectory(values)
            rows.append(part.assign(**this._asdict(), split=split.name))
    write_csv(pd.concat(rows), table)
    save_errors(errors, found)


if __name__ == "__main__":
    run(main)
