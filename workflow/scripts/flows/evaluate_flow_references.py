"""Rule evaluate_flow_references: what no flow can beat, and what it should beat."""

from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.collection import require
from hgnpipe.data.points import load_points
from hgnpipe.evaluation.likelihood import averaged, counted, gaussian_log_density
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.reporting.runs import system_of
from hgnpipe.runtime.command import run


def main(points: Path, num_points: int, output: Path) -> None:
    """Write the negative log-likelihood of two densities at the test points, in nats.

    ``target``: the true density, whose entropy it estimates; missing for a table.
    ``gaussian``: a Gaussian with mean and covariance of the training points.

    Args:
        points: Points of the density, ``.../{density}/points.h5``.
        num_points: How many test points to evaluate, at most.
        output: Table to write, CSV.
    """
    require(num_points >= 2, "num_points", num_points, "2 or more")
    check_writable(output)
    data, _ = load_points(points)
    test, truth = data.test[:num_points], data.log_density[:num_points]
    gaussian = gaussian_log_density(data.train, test)
    rows = [("gaussian", *row) for row in counted("", -gaussian)]
    if np.isfinite(truth).all():
        rows.append(("gaussian", *averaged("excess", truth - gaussian)))
        rows.append(("target", *averaged("nll", -truth)))
    table = pd.DataFrame(rows, columns=["model", "measure", "value", "error"])
    table.insert(0, "density", system_of(points))
    table.insert(2, "seed", pd.NA)
    write_csv(table, output)


if __name__ == "__main__":
    run(main)
