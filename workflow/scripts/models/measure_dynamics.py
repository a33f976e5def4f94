"""Rule measure: how right the dynamics of one trained model are."""

from pathlib import Path

from hgnpipe.data.extended import load_motion
from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import true_energy
from hgnpipe.data.videos import check_together, load_trajectories, open_videos
from hgnpipe.evaluation.dynamics import (
    as_rows,
    measures_of_energy,
    measures_of_map,
    measures_of_motion,
    measures_of_rollouts,
)
from hgnpipe.evaluation.errors import load_errors
from hgnpipe.evaluation.rollouts import mse_of_mean_image, play_beyond
from hgnpipe.files.whole import check_writable, written_whole
from hgnpipe.models import load_model
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
    rollouts: Path,
    system: str,
    model: str,
    seed: int,
    num_trajectories: int,
    horizons: list[int],
    symetric_repeats: int,
    batch_size: int,
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Measure a model's dynamics on test trajectories.

    Args:
        model_path: Trained model.
        train_videos: Videos whose mean image is taken, HDF5.
        videos: Test videos, HDF5.
        trajectories: Their trajectories, HDF5.
        motion: The motion before and after the first of them, from rule extend.
        rollouts: Learned energies of the test videos, from rule evaluate.
        system: Name of the system, for the table.
        model: Name of the model, for the table.
        seed: Seed of the training, for the table.
        num_trajectories: How many of the motions to follow, at most.
        horizons: Frames beyond the training window over which errors are averaged.
        symetric_repeats: Batches of five trajectories for SyMetric.
        batch_size: Videos at a time.
        output: Table with a row per measure to write, CSV.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    check_writable(output)
    chosen = choose_device(device, threads)
    trained = load_model(model_path, chosen)
    kind, true, origin = load_motion(motion)
    seen, _, attributes = open_videos(videos, num_trajectories)
    check_together(videos, attributes, motion, origin)
    which = true.first_exact(num_trajectories)
    frames, q, p = seen[which], true.q[which], true.p[which]
    drawn = render(kind, q, frames.shape[2])
    with Progress(f"measure {system}/{model}", len(frames), " videos") as bar:
        played = play_beyond(
            trained,
            frames,
            drawn,
            true.start,
            batch_size=batch_size,
            progress=bar.advance,
        )
    mean, _ = frame_statistics(open_videos(train_videos, NUM_COUNTED).frames)
    measures = measures_of_rollouts(
        played.mse,
        played.square,
        mse_of_mean_image(mean, drawn)[0],
        true.start,
        frames.shape[1],
        horizons,
    )
    measures |= measures_of_motion(played)
    learned = load_errors(rollouts)["test"].energy
    known = load_trajectories(trajectories).trajectories
    first = (known.q[: len(learned), 0], known.p[: len(learned), 0])
    measures |= measures_of_energy(learned, true_energy(kind, *first))
    measures |= measures_of_map(played, q, p, symetric_repeats)
    table = as_rows(measures).assign(system=system, model=model, seed=seed)
    with written_whole(output) as path:
        table.to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
