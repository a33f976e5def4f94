"""Rule evaluate_flow: judge one trained flow on held-out points."""

from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.collection import require
from hgnpipe.data.points import PointSets, load_points
from hgnpipe.evaluation.likelihood import (
    NUM_STARTS,
    averaged,
    held_out_log_density,
    local_minima,
    matched,
    structure,
)
from hgnpipe.files.whole import check_writable, written_whole
from hgnpipe.flows import load_flow
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress

NUM_STATES = 100
"""Draws of the prior at which the map is measured."""


def main(
    flow_path: Path,
    points: Path,
    target: str,
    model: str,
    seed: int,
    num_points: int,
    num_importance_samples: list[int],
    metrics: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Write a table of measures: ``target, model, seed, measure, value, error``.

    Log-likelihoods are in nats and negative; ``error`` is the standard error of their
    mean over the points. ``excess`` is what ``nll`` has more than the true density at
    the same points.

    Args:
        flow_path: Trained flow.
        points: Points of the target, HDF5.
        target: Name of the target, for the tables.
        model: Name of the flow, for the tables.
        seed: Seed of the training, for the tables.
        num_points: How many test points to evaluate, at most.
        num_importance_samples: Samples per point; the largest gives ``nll``.
        metrics: Table to write, CSV.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    legal = bool(num_importance_samples) and min(num_importance_samples) >= 1
    require(
        legal, "num_importance_samples", num_importance_samples, "numbers of 1 or more"
    )
    require(num_points >= 2, "num_points", num_points, "2 or more")
    check_writable(metrics)
    chosen = choose_device(device, threads)
    flow = load_flow(flow_path, chosen)
    data, _ = load_points(points)
    test = data.test[:num_points]
    counts = [1] if flow.exact else sorted(set(num_importance_samples))
    rows = []
    with Progress(
        f"evaluate {target}/{model}", len(test) * len(counts), " points"
    ) as bar:
        for count in counts:
            bound, estimate = held_out_log_density(
                flow, test, count, seed, progress=bar.advance
            )
            if not flow.exact:
                rows.append(averaged(f"nll_{count}", -estimate))
    rows.append(averaged("nll", -estimate))
    rows.append(averaged("nll_bound", -bound))
    rows.append(("num_importance_samples", 0 if flow.exact else counts[-1], np.nan))
    truth = data.log_density[: len(test)]
    if np.isfinite(truth).all():
        rows.append(averaged("excess", truth - estimate))
        rows.append(averaged("excess_bound", truth - bound))
    if hasattr(flow, "hamiltonians"):
        rows += of_the_map(flow, data, seed)
    table = pd.DataFrame(rows, columns=["measure", "value", "error"])
    names = {"target": target, "model": model, "seed": seed}
    with written_whole(metrics) as path:
        table.assign(**names)[[*names, *table.columns]].to_csv(path, index=False)


def of_the_map(
    flow: object, data: PointSets, seed: int
) -> list[tuple[str, float, float]]:
    """Volumes, inverse, and the minima of the potential energy of every step."""
    rows = [(k, v, np.nan) for k, v in structure(flow, NUM_STATES, seed).items()]
    exact = flow.to("cpu").double()
    starts = data.test[:NUM_STARTS]
    for number, hamiltonian in enumerate(exact.hamiltonians, start=1):
        minima = local_minima(hamiltonian.potential, starts)
        rows.append((f"num_minima_{number}", len(minima), np.nan))
        if len(data.modes):
            share = matched(minima, data.modes)
            rows.append((f"modes_with_minimum_{number}", share, np.nan))
    if len(data.modes):
        rows.append(("num_modes", len(data.modes), np.nan))
    return rows


if __name__ == "__main__":
    run(main)
