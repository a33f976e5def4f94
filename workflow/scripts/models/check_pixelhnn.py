"""Rule check_pixelhnn: PixelHNN learns small swings of a pendulum without noise."""

from pathlib import Path

import pandas as pd

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import true_energy
from hgnpipe.data.videos import load_trajectories
from hgnpipe.evaluation.dynamics import as_rows
from hgnpipe.evaluation.errors import mean_image_errors, model_errors
from hgnpipe.evaluation.films import to_stored
from hgnpipe.evaluation.kept import Filmed, save_filmed
from hgnpipe.evaluation.pixel_check import PixelCheck, fit_pixelhnn, measures_of_pixels
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.reporting.runs import Run, system_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.training.batches import frame_statistics, to_pixels
from hgnpipe.training.options import read_training


def main(
    trajectories: list[Path],
    check: PixelCheck,
    table: Path,
    film: Path,
    threads: int = 1,
) -> None:
    """Train PixelHNN on videos of its own, and roll it out on test videos.

    Args:
        trajectories: Those of train and of test, ``.../{system}/...``, HDF5.
        check: What is learned, and how it is judged.
        table: Table with a row per seed and measure to write, CSV.
        film: A test video, its rollout and errors, of the first seed, to write, HDF5.
        threads: Processor cores to use.
    """
    check_writable(table, film)
    chosen = choose_device("cpu", threads, training=True)
    name = system_of(trajectories[0])
    train, test = map(load_trajectories, trajectories)
    system, size, num = test.system, check["image_size"], check["num_test"]
    videos = render(system, train.trajectories.q_noisy[: check["num_train"]], size)
    shown = render(system, test.trajectories.q_noisy[:num], size)
    clean = render(system, test.trajectories.q[:num], size)
    first = (test.trajectories.q[:num, 0], test.trajectories.p[:num, 0])
    mean_image = mean_image_errors(frame_statistics(videos)[0], shown, clean)
    measures = {("mean_image", 0): {"mse_x1e4": 1e4 * mean_image.mse.mean(axis=1)}}
    steps = read_training(check["training"]).num_iterations
    total = steps * len(check["seeds"])
    with Progress(f"check_pixelhnn {name}", total, "it") as bar:
        for number, seed in enumerate(check["seeds"]):
            before = number * steps
            model = fit_pixelhnn(
                videos,
                2 * system.num_coordinates,
                check,
                seed,
                lambda done, row, before=before: bar.show(before + done, row),
            )
            errors = model_errors(model, shown, clean)
            measures["pixelhnn", seed] = measures_of_pixels(
                errors, mean_image, true_energy(system, *first)
            )
            if number == 0:
                predicted = model.predict(to_pixels(shown[:1], chosen)).frames
                courses = errors.mse.mean(axis=0), mean_image.mse.mean(axis=0)
                save_filmed(film, Filmed(shown[0], to_stored(predicted)[0], *courses))
    rows = [
        as_rows(found).assign(**Run(name, model, seed)._asdict())
        for (model, seed), found in measures.items()
    ]
    write_csv(pd.concat(rows), table)


if __name__ == "__main__":
    run(main)
