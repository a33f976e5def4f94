"""Rule measure_observed_references: the mean image, measured like a model."""

from pathlib import Path

from hgnpipe.data.observed import load_clips
from hgnpipe.data.videos import open_videos
from hgnpipe.evaluation.dynamics import as_rows
from hgnpipe.evaluation.observed import measures_of_frames
from hgnpipe.evaluation.rollouts import Extent, mse_of_mean_image
from hgnpipe.files.csv import write_csv
from hgnpipe.reporting.runs import Run, system_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.training.batches import NUM_COUNTED, frame_statistics


def main(
    train_videos: Path, clips: Path, evaluation: Extent, output: Path, threads: int = 1
) -> None:
    """Measure what a collapsed model predicts on clips of test videos.

    Args:
        train_videos: Videos whose mean image is taken, ``.../{system}/...``, HDF5.
        clips: Test videos with what is known of the time around them, HDF5.
        evaluation: ``horizons``, frames beyond the training window over which errors
            are averaged.
        output: Table with a row per measure to write, CSV.
        threads: Processor cores to use.
    """
    choose_device("cpu", threads)
    videos = open_videos(train_videos, NUM_COUNTED).frames
    mean, _ = frame_statistics(videos)
    found = load_clips(clips)
    mse, square = mse_of_mean_image(mean, found.frames)
    window = (found.start, videos.shape[1], evaluation["horizons"])
    measures = measures_of_frames(mse, square, mse, *window)
    this = Run(system_of(train_videos), "mean_image", seed=0)
    write_csv(as_rows(measures).assign(**this._asdict()), output)


if __name__ == "__main__":
    run(main)
