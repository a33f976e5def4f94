"""Rule fig07: a video as observed, and what HGN and HNN make of it."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hgnpipe.evaluation.films import Film, load_films
from hgnpipe.reporting.plotting import WIDTH, figure_style, save_figure, system_label
from hgnpipe.reporting.runs import by_run
from hgnpipe.reporting.strips import Strip, film_strips, message, record, save_animation
from hgnpipe.reporting.table1 import read_errors, skill
from hgnpipe.runtime.command import run

SPLITS = ("train", "test")
EVERY = 3


def main(
    films: list[Path],
    errors: list[Path],
    system: str,
    model: str,
    baseline: str,
    labels: dict,
    figure: list[Path],
    animation: list[Path],
) -> None:
    """Draw film strips and animations of one train and one test video.

    Args:
        films: Films of the runs to show, from rule make_films.
        errors: Errors of these runs and of the references of the system, for the
            skills.
        system: Name of the system.
        model: Name of the model that plays at all speeds.
        baseline: Name of the model that plays forward only.
        labels: Names of the models.
        figure: Film strips to write, PDF or PNG.
        animation: Animations to write, GIF or MP4.
    """
    played = {run.model: load_films(path)[0] for run, path in by_run(films).items()}
    means = read_errors(errors).groupby(["split", "model"]).mse.mean()
    strips = {
        split: strips_of(
            {name: splits[split] for name, splits in played.items()},
            {name: skill_text(means[split], name) for name in played},
            {name: labels.get(name, name) for name in (model, baseline)},
        )
        for split in SPLITS
        if played
    }
    with figure_style():
        save_figure(draw(strips, system), figure)
        save_animation(animate(strips, system), animation)


def skill_text(means: pd.Series, model: str) -> str:
    """Skill of a model, given the errors of all and of the references."""
    found = skill(means[model], means["noise_floor"], means["mean_image"])
    return f"skill {round(found, 2) + 0.0:.2f}"  # no -0.00


def strips_of(
    films: dict[str, Film], skills: dict[str, str], names: dict[str, str]
) -> list[Strip]:
    """Rows of the figure for one split; ``names`` are those of model and baseline."""
    (model, label), (baseline, baseline_label) = names.items()
    film, other = films.get(model), films.get(baseline)
    any_film = film or other
    return [
        ("observed", any_film.observed),
        (f"{label}\nforward, {skills.get(model, '')}", film and film.forward),
        ("true past", any_film.past),
        (f"{label}\nbackward", film and film.backward),
        (f"{label}\ndouble speed", film and film.double),
        (f"{label}\nhalf speed", film and film.half),
        (f"{baseline_label}\nforward, {skills.get(baseline, '')}",
         other and other.forward),
    ]  # fmt: skip


def draw(strips: dict[str, list[Strip]], system: str) -> Figure:
    """Film strips of both splits below each other."""
    if not strips:
        return message(f"{system_label(system)}: no model of this figure was run")
    num_frames, size = strips["train"][0][1].shape[:2]
    cells = 1 + (num_frames - 1) // EVERY, len(strips["train"])
    height = 2 * (0.8 * WIDTH / cells[0] * cells[1] + 0.5)
    figure, axes = plt.subplots(2, figsize=(WIDTH, min(height, 11)))
    for ax, split in zip(axes, SPLITS, strict=True):
        film_strips(ax, strips[split], EVERY, size, num_frames)
        ax.set_title(f"{system_label(system)}, {split} video", loc="left")
        ax.set_xlabel("frame, or step of the rollout, from the first frame")
    return figure


def animate(strips: dict[str, list[Strip]], system: str) -> np.ndarray:
    """Pictures of the same videos side by side, a row for each split."""
    if not strips:
        return record(message(f"{system_label(system)}: not run"), lambda _: None, 1)
    figure, axes = plt.subplots(2, len(strips["train"]), figsize=(WIDTH, 2.8))
    shown = []
    for split, row in zip(SPLITS, axes, strict=True):
        row[0].set_ylabel(split)
        for ax, (label, frames) in zip(row, strips[split], strict=True):
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if split == "train":
                ax.set_title(label.split(", skill")[0].replace(" (", "\n("), fontsize=7)
            if frames is None:
                ax.text(0.5, 0.5, "not run", ha="center", transform=ax.transAxes)
            else:
                shown.append((ax.imshow(frames[0]), frames))
    title = figure.suptitle(" ")

    def update(step: int) -> None:
        title.set_text(f"{system_label(system)}, step {step}")
        for image, frames in shown:
            image.set_data(frames[step])

    return record(figure, update, len(strips["train"][0][1]))


if __name__ == "__main__":
    run(main)
