"""Rule measure_dynamics_references: the mean image, measured like a model."""

from pathlib import Path

from hgnpipe.data.extended import load_motion
from hgnpipe.data.rendering import render
from hgnpipe.data.videos import open_videos
from hgnpipe.evaluation.dynamics import as_rows, measures_of_rollouts
from hgnpipe.evaluation.rollouts import Extent, mse_of_mean_image
from hgnpipe.files.csv import write_csv
from hgnpipe.reporting.runs import Run, system_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.training.batches import NUM_COUNTED, frame_statistics


def main(
    train_videos: Path,
    motion: Path,
    num_frames: int,
    evaluation: Extent,
    output: Path,
    threads: int = 1,
) -> None:
    """Measure what a collapsed model predicts beyond the training window.

    Args:
        train_videos: Videos whose mean image is taken, ``.../{system}/...``, HDF5.
        motion: The motion before, during and after test videos, from rule extend.
        num_frames: Length of the videos.
        evaluation: ``num_extended``, how many of the motions to follow, at most;
            ``horizons``, frames beyond the training window over which errors are
            averaged.
        output: Table with a row per measure to write, CSV.
        threads: Processor cores to use.
    """
    choose_device("cpu", threads)
    videos = open_videos(train_videos, NUM_COUNTED).frames
    mean, _ = frame_statistics(videos)
    system, true, _ = load_motion(motion)
    q = true.q[true.first_exact(evaluation["num_extended"])]
    mse, square = mse_of_mean_image(mean, render(system, q, videos.shape[2]))
    window = (true.start, num_frames, evaluation["horizons"])
    measures = measures_of_rollouts(mse, square, mse, *window)
    this = Run(system_of(train_videos), "mean_image", seed=0)
    write_csv(as_rows(measures).assign(**this._asdict()), output)


if __name__ == "__main__":
    run(main)
