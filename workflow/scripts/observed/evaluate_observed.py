"""Rule evaluate_observed: errors of one trained model on videos made elsewhere."""

from pathlib import Path

import pandas as pd

from hgnpipe.collection import require
from hgnpipe.data.videos import open_videos
from hgnpipe.evaluation.errors import per_trajectory
from hgnpipe.evaluation.kept import save_errors
from hgnpipe.evaluation.observed import observed_errors
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.models import load_model
from hgnpipe.reporting.runs import run_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress


def main(
    model_path: Path,
    videos: list[Path],
    num_trajectories: int,
    batch_size: int,
    table: Path,
    errors: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Evaluate a model on the first videos of each split; there is no other truth.

    Args:
        model_path: Trained model, ``.../{system}/{model}/seed{seed}/...``.
        videos: Videos of each split, HDF5.
        num_trajectories: How many of each split to evaluate, at most.
        batch_size: Videos at a time.
        table: Table with a row per video to write, CSV.
        errors: Errors and energies of every frame to write, HDF5.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    require(batch_size >= 1, "batch_size", batch_size, "1 or more")
    check_writable(table, errors)
    this = run_of(model_path)
    model = load_model(model_path, choose_device(device, threads))
    opened = [open_videos(path, num_trajectories) for path in videos]
    rows, found = [], {}
    total = sum(len(one.frames) for one in opened)
    with Progress(f"evaluate {this.system}/{this.model}", total, " videos") as bar:
        for one in opened:
            split = str(one.attributes["split"])
            found[split] = observed_errors(
                model, one.frames, batch_size=batch_size, progress=bar.advance
            )
            part = per_trajectory(found[split])
            rows.append(part.assign(**this._asdict(), split=split))
    save_errors(errors, found)
    write_csv(pd.concat(rows), table)


if __name__ == "__main__":
    run(main)
