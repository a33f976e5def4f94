"""Rule measure_observed: measures of one model of videos made elsewhere."""

from pathlib import Path

from hgnpipe.data.observed import load_clips
from hgnpipe.data.videos import open_videos
from hgnpipe.evaluation.dynamics import as_rows
from hgnpipe.evaluation.observed import measures_of_clips, measures_of_sampled_videos
from hgnpipe.evaluation.rollouts import Evaluation
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.models import load_model
from hgnpipe.reporting.runs import run_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.training.batches import NUM_COUNTED, frame_statistics


def main(
    model_path: Path,
    train_videos: Path,
    videos: Path,
    clips: Path,
    evaluation: Evaluation,
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Measure a model's dynamics on clips of test videos, and its samples.

    Args:
        model_path: Trained model, ``.../{system}/{model}/seed{seed}/...``; its seed is
            that of the samples.
        train_videos: Videos whose mean image is taken, HDF5.
        videos: Test videos, HDF5.
        clips: The same with what is known of the time around them, HDF5.
        evaluation: ``horizons``, frames beyond the training window over which errors
            are averaged; ``symetric_repeats``, batches of five clips for SyMetric;
            ``batch_size``, videos at a time.
        output: Table with a row per measure to write, CSV.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    check_writable(output)
    this = run_of(model_path)
    model = load_model(model_path, choose_device(device, threads))
    found, shown = load_clips(clips), open_videos(videos).frames
    mean, _ = frame_statistics(open_videos(train_videos, NUM_COUNTED).frames)
    num_frames, num = shown.shape[1], len(found.frames)
    with Progress(f"measure {this.system}/{this.model}", num, " videos") as bar:
        measures = {
            **measures_of_clips(
                model, found, num_frames, mean, evaluation, bar.advance
            ),
            **measures_of_sampled_videos(model, shown, this.seed),
        }
    write_csv(as_rows(measures).assign(**this._asdict()), output)


if __name__ == "__main__":
    run(main)
