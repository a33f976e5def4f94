"""Rule fig08: videos sampled from the prior of HGN, on every system."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hgnpipe.evaluation.films import load_films
from hgnpipe.reporting.plotting import WIDTH, figure_style, save_figure, system_label
from hgnpipe.reporting.runs import by_run
from hgnpipe.reporting.strips import Strip, film_strips, record, save_animation
from hgnpipe.runtime.command import run

EVERY = 4
MAX_ROWS = 4


def main(
    films: list[Path],
    systems: list[str],
    model: str,
    labels: dict,
    figure: list[Path],
    animation: list[Path],
) -> None:
    """Draw film strips and an animation of samples.

    Args:
        films: Films of the model on the systems where it was run, from rule make_films.
        systems: Systems to show.
        model: Name of the model.
        labels: Names of the models.
        figure: Film strips to write, PDF or PNG.
        animation: Animations to write, GIF or MP4.
    """
    loaded = {run.system: load_films(path) for run, path in by_run(films).items()}
    dreams = {name: samples for name, (_, samples) in loaded.items() if len(samples)}
    observed = {name: splits["train"].observed for name, (splits, _) in loaded.items()}
    label = labels.get(model, model)
    with figure_style():
        save_figure(draw(dreams, observed, systems, label), figure)
        save_animation(animate(dreams, systems, label), animation)


def draw(
    dreams: dict[str, np.ndarray],
    observed: dict[str, np.ndarray],
    systems: list[str],
    label: str,
) -> Figure:
    """Samples of each system as film strips, below one observed video."""
    rows = -(-len(systems) // 2)
    figure, axes = plt.subplots(
        rows, 2, figsize=(WIDTH, 2.3 * rows), squeeze=False, layout="constrained"
    )
    for ax, system in zip(axes.flat, systems, strict=False):
        ax.set_title(system_label(system), loc="left")
        if system not in dreams:
            ax.axis("off")
            ax.text(0, 0.5, f"{label}: no samples on this system")
            continue
        strips: list[Strip] = [("data", observed[system])]
        strips += [(f"sample {n + 1}", s) for n, s in enumerate(dreams[system])]
        length, size = observed[system].shape[:2]
        film_strips(ax, strips[: MAX_ROWS + 1], EVERY, size, length)
        ax.set_xlabel("frame")
    for ax in axes.flat[len(systems) :]:
        ax.axis("off")
    return figure


def animate(
    dreams: dict[str, np.ndarray], systems: list[str], label: str
) -> np.ndarray:
    """Pictures of all samples, a row for each system."""
    columns = max([len(samples) for samples in dreams.values()] or [1])
    height = 0.4 + 0.9 * len(systems)
    figure, axes = plt.subplots(
        len(systems), columns, figsize=(WIDTH, height), squeeze=False
    )
    shown, length = [], 1
    for row, system in zip(axes, systems, strict=True):
        for number, ax in enumerate(row):
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if number < len(dreams.get(system, ())):
                frames = dreams[system][number]
                length = max(length, len(frames))
                shown.append((ax.imshow(frames[0]), frames))
        row[0].set_ylabel(system_label(system))
        if system not in dreams:
            row[0].text(0, 0.5, "no samples", transform=row[0].transAxes)
    title = figure.suptitle(" ")

    def update(step: int) -> None:
        title.set_text(f"{label}, samples from the prior, step {step}")
        for image, frames in shown:
            image.set_data(frames[min(step, len(frames) - 1)])

    return record(figure, update, length)


if __name__ == "__main__":
    run(main)
