"""Rule fig08: videos sampled from the priors of models, on every system."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hgnpipe.evaluation.kept import load_films
from hgnpipe.reporting.plotting import (
    WIDTH,
    figure_style,
    message,
    save_figure,
)
from hgnpipe.reporting.runs import by_run, label_of, system_label
from hgnpipe.reporting.strips import Strip, animate, film_strips, save_animation
from hgnpipe.runtime.command import run

EVERY = 4
MAX_ROWS = 4
"""Samples of each model in the film strips; an animation shows all."""

Samples = dict[str, np.ndarray]
"""Sampled videos by model; none of a model that was not run on the system."""


def main(
    films: list[Path],
    systems: list[str],
    models: list[str],
    labels: dict,
    figure: list[Path],
    animation: list[Path],
) -> None:
    """Draw film strips and an animation of samples.

    Args:
        films: Films of the models on the systems where they were run, from rule
            make_films.
        systems: Systems to show.
        models: Names of the models.
        labels: How they are called.
        figure: Film strips to write, PDF or PNG.
        animation: Animations to write, GIF or MP4.
    """
    samples: dict[str, Samples] = {name: {} for name in systems}
    observed = {}
    for run_, path in by_run(films).items():
        splits, found = load_films(path)
        observed[run_.system] = splits["train"].observed
        if len(found):
            samples[run_.system][run_.model] = found
    names = {model: label_of(model, labels) for model in models}
    with figure_style():
        save_figure(draw(samples, observed, names), figure)
        rows = {
            f"{system_label(system)}\n{label}": [
                ("", one) for one in ran.get(model, [None])
            ]
            for system, ran in samples.items()
            for model, label in names.items()
        }
        height = 0.4 + 0.9 * len(rows)
        save_animation(animate(rows, "Samples from the prior", height), animation)


def draw(
    samples: dict[str, Samples], observed: Samples, names: dict[str, str]
) -> Figure:
    """Samples of each model as film strips, below one observed video of the system."""
    if not names:
        return message("no model to show")
    if not samples:
        return message(f"{', '.join(names.values())}: no system to show")
    rows = -(-len(samples) // 2)
    height = (0.6 + 0.36 * MAX_ROWS * len(names)) * rows
    figure, axes = plt.subplots(
        rows, 2, figsize=(WIDTH, height), squeeze=False, layout="constrained"
    )
    for ax, (system, ran) in zip(axes.flat, samples.items(), strict=False):
        ax.set_title(system_label(system), loc="left")
        if not ran:
            ax.axis("off")
            ax.text(0, 0.5, f"{', '.join(names.values())}: no samples on this system")
            continue
        strips: list[Strip] = [("data", observed[system])]
        for model, label in names.items():
            for number, video in enumerate(ran.get(model, [None])[:MAX_ROWS], 1):
                name = f"{label}\nsample {number}" if number == 1 else f"{number}"
                strips.append((name, video))
        length, size = observed[system].shape[:2]
        film_strips(ax, strips, EVERY, size, length)
        ax.set_xlabel("frame")
    for ax in axes.flat[len(samples) :]:
        ax.axis("off")
    return figure


if __name__ == "__main__":
    run(main)
