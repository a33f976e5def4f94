"""Rule evaluate: score one trained model on both splits."""

from pathlib import Path

import pandas as pd

from hgnpipe.command import run
from hgnpipe.data import load_trajectories, open_videos
from hgnpipe.device import choose_device
from hgnpipe.evaluation import per_trajectory, score_model
from hgnpipe.files import written_whole
from hgnpipe.models import load_model
from hgnpipe.progress import Progress
from hgnpipe.registry import require
from hgnpipe.rendering import render
from hgnpipe.scores import save_scores


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
    together = len(trajectories) == len(videos)
    require(together, "number of trajectories", len(trajectories), "that of videos")
    require(num_trajectories >= 1, "num_trajectories", num_trajectories, "1 or more")
    require(batch_size >= 1, "batch_size", batch_size, "1 or more")
    chosen = choose_device(device, threads)
    trained = load_model(model_path, chosen)
    tables, scores = [], {}
    total = num_trajectories * len(videos)
    with Progress(f"evaluate {system}/{model}", total, " videos") as progress:
        for path, source in zip(videos, trajectories, strict=True):
            frames = open_videos(path).frames[:num_trajectories]
            moving, motion, attributes = load_trajectories(source)
            clean = render(moving, motion.q[:num_trajectories], frames.shape[2])
            split = attributes["split"]
            scores[split] = score_model(
                trained, frames, clean, batch_size=batch_size, progress=progress.advance
            )
            table = per_trajectory(scores[split])
            tables.append(
                table.assign(system=system, model=model, seed=seed, split=split)
            )
    save_scores(rollouts, scores)
    with written_whole(metrics) as path:
        pd.concat(tables).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
