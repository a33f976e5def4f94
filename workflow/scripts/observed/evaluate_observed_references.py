"""Rule evaluate_observed_references: errors of the mean image of such videos."""

from pathlib import Path

import pandas as pd

from hgnpipe.data.videos import open_videos
from hgnpipe.evaluation.errors import per_trajectory
from hgnpipe.evaluation.kept import save_errors
from hgnpipe.evaluation.observed import observed_mean_image_errors
from hgnpipe.files.csv import write_csv
from hgnpipe.reporting.runs import Run, system_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.training.batches import NUM_COUNTED, frame_statistics


def main(
    videos: list[Path],
    num_trajectories: int,
    table: Path,
    errors: Path,
    threads: int = 1,
) -> None:
    """Evaluate what a collapsed model predicts; noise and true motion are not known.

    Args:
        videos: Videos of each split, those for training first, of which the mean image
            is taken, ``.../{system}/...``, HDF5.
        num_trajectories: How many of each split to evaluate, at most.
        table: Table with a row per video to write, CSV.
        errors: Errors of every frame to write, HDF5; a group for each split.
        threads: Processor cores to use.
    """
    choose_device("cpu", threads)
    mean, _ = frame_statistics(open_videos(videos[0], NUM_COUNTED).frames)
    this, rows, found = Run(system_of(videos[0]), "mean_image", seed=0), [], {}
    for path in videos:
        shown = open_videos(path, num_trajectories)
        split = str(shown.attributes["split"])
        values = observed_mean_image_errors(mean, shown.frames)
        found[f"mean_image {split}"] = values
        rows.append(per_trajectory(values).assign(**this._asdict(), split=split))
    write_csv(pd.concat(rows), table)
    save_errors(errors, found)


if __name__ == "__main__":
    run(main)
