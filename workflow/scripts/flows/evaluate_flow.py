"""Rule evaluate_flow: judge one trained flow on held-out points."""

from pathlib import Path

import pandas as pd

from hgnpipe.collection import require
from hgnpipe.data.points import load_points
from hgnpipe.evaluation.likelihood import measures_of_likelihood, measures_of_map
from hgnpipe.evaluation.minima import NUM_STARTS
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.flows import load_flow
from hgnpipe.reporting.runs import run_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress

NUM_STATES = 100
"""Draws of the prior at which the map is measured."""


def main(
    flow_path: Path,
    points: Path,
    num_points: int,
    num_importance_samples: list[int],
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Write a table of measures: ``density, model, seed, measure, value, error``.

    Args:
        flow_path: Trained flow, ``.../{density}/{model}/seed{seed}/flow.safetensors``.
        points: Points of the density, HDF5.
        num_points: How many test points to evaluate, at most.
        num_importance_samples: Samples per point; the largest gives ``nll``.
        output: Table to write, CSV.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    legal = bool(num_importance_samples) and min(num_importance_samples) >= 1
    require(
        legal, "num_importance_samples", num_importance_samples, "numbers of 1 or more"
    )
    require(num_points >= 2, "num_points", num_points, "2 or more")
    check_writable(output)
    density, model, seed = run_of(flow_path)
    flow = load_flow(flow_path, choose_device(device, threads))
    data, _ = load_points(points)
    test, truth = data.test[:num_points], data.log_density[:num_points]
    counts = [1] if flow.exact else sorted(set(num_importance_samples))
    total = len(test) * len(counts)
    with Progress(f"evaluate {density}/{model}", total, " points") as bar:
        rows = measures_of_likelihood(flow, test, truth, counts, seed, bar.advance)
    if hasattr(flow, "hamiltonians"):
        starts = data.test[:NUM_STARTS]
        rows += measures_of_map(flow, starts, data.modes, NUM_STATES, seed)
    columns = ["density", "model", "seed", "measure", "value", "error"]
    table = [(density, model, seed, *row) for row in rows]
    write_csv(pd.DataFrame(table, columns=columns), output)


if __name__ == "__main__":
    run(main)
