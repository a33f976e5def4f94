"""Small files of data and of errors, written as the pipeline does."""

import numpy as np

from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import save_trajectories
from hgnpipe.evaluation.kept import Errors, save_errors
from hgnpipe.systems import build_system


def write_trajectories(path, name="pendulum", num=5, **options):
    system = build_system(name, **options)
    trajectories = simulate(system, num, 4, seed=3, split="test")
    save_trajectories(
        path, trajectories, name=name, system=system, seed=3, split="test"
    )
    return system, trajectories


def write_errors(path):
    rng = np.random.default_rng(0)
    numbers = rng.random((6, 3, 2), np.float32)
    numbers[2] = np.nan
    errors = Errors(*numbers[:3], *numbers[3:, :, 0])
    save_errors(path, {"train": errors, "test": errors._replace(kl=errors.kl + 1)})
    return errors
