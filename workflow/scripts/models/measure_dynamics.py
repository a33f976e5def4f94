"""Rule measure_dynamics: how right the dynamics of one trained model are."""

from pathlib import Path

from hgnpipe.data.extended import load_about
from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import true_energy
from hgnpipe.data.videos import load_trajectories, open_videos
from hgnpipe.evaluation import dynamics
from hgnpipe.evaluation.kept import load_errors
from hgnpipe.evaluation.rollouts import Evaluation, mse_of_mean_image, play_beyond
from hgnpipe.evaluation.samples import Shown, measures_of_samples
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
    trajectories: Path,
    motion: Path,
    errors: Path,
    evaluation: Evaluation,
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Measure a model's dynamics on test trajectories, and its samples.

    Args:
        model_path: Trained model, ``.../{system}/{model}/seed{seed}/...``; its seed is
            that of the samples.
        train_videos: Videos whose mean image is taken, HDF5.
        videos: Test videos, HDF5.
        trajectories: Their trajectories, HDF5.
        motion: The motion before and after the first of them, from rule extend.
        errors: Learned energies of the test videos, from rule evaluate.
        evaluation: ``num_extended``, how many of the motions to follow, at most;
            ``horizons``, frames beyond the training window over which errors are
            averaged; ``symetric_repeats``, batches of five trajectories for SyMetric;
            ``batch_size``, videos at a time.
        output: Table with a row per measure to write, CSV.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    check_writable(output)
    this = run_of(model_path)
    num, size = evaluation["num_extended"], evaluation["batch_size"]
    model = load_model(model_path, choose_device(device, threads))
    shown, system, true = load_about(videos, motion, num)
    which = true.first_exact(num)
    frames, q, p = shown.frames[which], true.q[which], true.p[which]
    learned = load_errors(errors)["test"].energy
    known = load_trajectories(trajectories).trajectories
    first = (known.q[: len(learned), 0], known.p[: len(learned), 0])
    mean, _ = frame_statistics(open_videos(train_videos, NUM_COUNTED).frames)
    drawn = render(system, q, frames.shape[2])
    with Progress(f"measure {this.system}/{this.model}", len(frames), " videos") as bar:
        played = play_beyond(
            model, frames, drawn, true.start, batch_size=size, progress=bar.advance
        )
    mean_image, _ = mse_of_mean_image(mean, drawn)
    window = (true.start, frames.shape[1], evaluation["horizons"])
    measures = {
        **dynamics.measures_of_rollouts(played.mse, played.square, mean_image, *window),
        **dynamics.measures_of_motion(played),
        **dynamics.measures_of_energy(learned, true_energy(system, *first)),
        **dynamics.measures_of_map(
            played, *map(system.moving, (q, p)), evaluation["symetric_repeats"]
        ),
        **measures_of_samples(
            model, Shown(open_videos(videos).frames, system, known.q, known.p),
            size, this.seed,
        ),
    }  # fmt: skip
    write_csv(dynamics.as_rows(measures).assign(**this._asdict()), output)


if __name__ == "__main__":
    run(main)
