"""Rule fig08: videos sampled from the prior of HGN, on every system."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hgnpipe.evaluation.films import load_films
from hgnpipe.reporting.plotting import (
    WIDTH,
    figure_style,
    message,
    save_figure,
    system_label,
)
from hgnpipe.reporting.runs import by_run, label_of
from hgnpipe.reporting.strips import Strip, animate, film_strips, save_animation
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
    loaded = {one.system: load_films(path) for one, path in by_run(films).items()}
    samples = {name: found for name, (_, found) in loaded.items() if len(found)}
    observed = {name: splits["train"].observed for name, (splits, _) in loaded.items()}
    label = label_of(model, labels)
    with figure_style():
        save_figure(draw(samples, observed, systems, label), figure)
        rows = {
            system_label(name): [("", one) for one in samples.get(name, [None])]
            for name in systems
        }
        title, height = f"{label}, samples from the prior", 0.4 + 0.9 * len(systems)
        save_animation(animate(rows, title, height), animation)


def draw(
    samples: dict[str, np.ndarray],
    observed: dict[str, np.ndarray],
    systems: list[str],
    label: str,
) -> Figure:
    """Samples of each system as film strips, below one observed video."""
    if not systems:
        return message(f"{label}: no system to show")
    rows = -(-len(systems) // 2)
    figure, axes = plt.subplots(
        rows, 2, figsize=(WIDTH, 2.3 * rows), squeeze=False, layout="constrained"
    )
    for ax, system in zip(axes.flat, systems, strict=False):
        ax.set_title(system_label(system), loc="left")
        if system not in samples:
            ax.axis("off")
            ax.text(0, 0.5, f"{label}: no samples on this system")
            continue
        strips: list[Strip] = [("data", observed[system])]
        strips += [(f"sample {n + 1}", s) for n, s in enumerate(samples[system])]
        length, size = observed[system].shape[:2]
        film_strips(ax, strips[: MAX_ROWS + 1], EVERY, size, length)
        ax.set_xlabel("frame")
    for ax in axes.flat[len(systems) :]:
        ax.axis("off")
    return figure


if __name__ == "__main__":
    run(main)
