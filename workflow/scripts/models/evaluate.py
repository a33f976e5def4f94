"""Rule evaluate: score one trained model on both splits."""

from pathlib import Path

import pandas as pd

from hgnpipe.collection import require
from hgnpipe.data.videos import load_splits
from hgnpipe.evaluation.errors import model_errors, per_trajectory, save_errors
from hgnpipe.files.whole import check_writable, written_whole
from hgnpipe.models import load_model
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress


def main(
    model_path: Path,
    videos: list[Path],
    trajectories: list[Path],
    system: str,
    model: str,
    seed: int,
    num_trajectories: int,
    batch_size: int,
    metrics: Path,
    rollouts: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Score a model on the first trajectories of each split.

    Args:
        model_path: Trained model.
        videos: Videos of each split, HDF5.
        trajectories: Trajectories of each split, in the same order.
        system: Name of the system, for the tables.
        model: Name of the model, for the tables.
        seed: Seed of the training, for the tables.
        num_trajectories: How many of each split to evaluate, at most.
        batch_size: Videos at a time.
        metrics: Table with a row per trajectory to write, CSV.
        rollouts: Errors and energies of every frame to write, HDF5.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    require(batch_size >= 1, "batch_size", batch_size, "1 or more")
    check_writable(metrics, rollouts)
    chosen = choose_device(device, threads)
    trained = load_model(model_path, chosen)
    tables, scores = [], {}
    total = num_trajectories * len(videos)
    with Progress(f"evaluate {system}/{model}", total, " videos") as bar:
        for split in load_splits(videos, trajectories, num_trajectories):
            scores[split.name] = model_errors(
                trained,
                split.frames,
                split.draw(),
                batch_size=batch_size,
                progress=bar.advance,
            )
            table = per_trajectory(scores[split.name])
            names = {"system": system, "model": model, "seed": seed}
            tables.append(table.assign(**names, split=split.name))
    save_errors(rollouts, scores)
    with written_whole(metrics) as path:
        pd.concat(tables).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
