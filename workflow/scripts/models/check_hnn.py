"""Rule check_hnn: an energy and a perceptron learn one system from true states."""

from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.data.videos import load_trajectories
from hgnpipe.evaluation.dynamics import as_rows
from hgnpipe.evaluation.kept import save_followed
from hgnpipe.evaluation.state_check import (
    StateCheck,
    fit_state_model,
    follow,
    follow_truth,
    learned_rates,
    measures_of_states,
    states_and_rates,
)
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.nn.state_space import STATE_MODELS
from hgnpipe.reporting.runs import Run, system_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.training.options import read_training


def main(
    trajectories: list[Path],
    check: StateCheck,
    table: Path,
    motions: Path,
    threads: int = 1,
) -> None:
    """Train both on noisy states, and follow the first test states.

    Args:
        trajectories: Those of train and of test, ``.../{system}/...``, HDF5.
        check: What is learned, and how it is judged.
        table: Table with a row per model, seed and measure to write, CSV.
        motions: True and learned motions, those of the first seed, to write, HDF5.
        threads: Processor cores to use.
    """
    check_writable(table, motions)
    choose_device("cpu", threads, training=True)
    name, training = system_of(trajectories[0]), read_training(check["training"])
    train, test = map(load_trajectories, trajectories)
    points = states_and_rates(train.system, train.trajectories, check["num_train"])
    starts = (test.trajectories.q[:, 0], test.trajectories.p[:, 0])
    initial = np.concatenate(starts, axis=1)[: check["num_test"]]
    t = test.system.frame_dt * np.arange(max(check["horizons"]) + 1)
    true = follow_truth(test.system, initial, t)
    rest = follow(np.zeros_like, test.system, initial, t)
    rows, followed = [], {"true": true}
    still = measures_of_states(
        np.zeros_like, test.system, rest, true, check["horizons"]
    )
    still = {name: values for name, values in still.items() if "energy" not in name}
    rows.append(as_rows(still).assign(**Run(name, "rest", 0)._asdict()))
    steps = training.num_iterations
    total = steps * len(STATE_MODELS) * len(check["seeds"])
    with Progress(f"check_hnn {name}", total, "it") as bar:
        for seed in check["seeds"]:
            for model in STATE_MODELS:
                learned = fit_state_model(model, points, training, seed)
                bar.advance(steps)
                rates = learned_rates(learned)
                found = follow(rates, test.system, initial, t)
                followed.setdefault(model, found)
                measures = measures_of_states(
                    rates, test.system, found, true, check["horizons"]
                )
                this = Run(name, model, seed)._asdict()
                rows.append(as_rows(measures).assign(**this))
    save_followed(motions, followed, t)
    write_csv(pd.concat(rows), table)


if __name__ == "__main__":
    run(main)
