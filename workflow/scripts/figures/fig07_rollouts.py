"""Rule fig07: a video as observed, and what models make of it."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hgnpipe.evaluation.kept import Film, load_films
from hgnpipe.reporting.plotting import (
    WIDTH,
    figure_style,
    message,
    save_figure,
)
from hgnpipe.reporting.runs import by_run, label_of, system_label
from hgnpipe.reporting.strips import Strip, animate, film_strips, save_animation
from hgnpipe.reporting.table1 import read_errors, skill, skill_text
from hgnpipe.runtime.command import run

SPLITS = ("train", "test")
EVERY = 3


def main(
    films: list[Path],
    errors: list[Path],
    system: str,
    models: list[str],
    baselines: list[str],
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
        models: Names of the models that are rolled out at all speeds.
        baselines: Names of models that are rolled out forward only.
        labels: Names of the models.
        figure: Film strips to write, PDF or PNG.
        animation: Animations to write, GIF or MP4.
    """
    loaded = {one.model: load_films(path) for one, path in by_run(films).items()}
    shown = {model: found for model, (found, _) in loaded.items()}
    samples = {model: found for model, (_, found) in loaded.items()}
    means = read_errors(errors).groupby(["split", "model"]).mse.mean()
    names = {name: label_of(name, labels) for name in (*models, *baselines)}
    title = system_label(system)
    strips = {}
    for split in SPLITS if shown else ():
        mse = means[split]
        skills = {name: judged(mse[name], mse) for name in shown}
        films_of = {name: film[split] for name, film in shown.items()}
        strips[split] = strips_of(films_of, skills, names, baselines)
    with figure_style():
        save_figure(draw(strips, title), figure)
        moving = {
            split: shortened(rows) + samples_of(samples, names, models, number)
            for number, (split, rows) in enumerate(strips.items())
        }
        save_animation(animate(moving, title, 2.8), animation)


def judged(mse: float, means: pd.Series) -> str:
    """How good a model is; where nobody knows the noise, against the mean image."""
    if "noise_floor" in means:
        return skill_text(skill(mse, means.noise_floor, means.mean_image))
    return f"MSE / mean image {mse / means.mean_image:.2f}"


def strips_of(
    films: dict[str, Film],
    skills: dict[str, str],
    names: dict[str, str],
    baselines: list[str],
) -> list[Strip]:
    """Rows of the figure for one split, without rollouts that a model cannot make."""
    models = [name for name in names if name not in baselines]
    any_film = next(iter(films.values()))

    def rows(kind: str, field: str, shown: list[str]) -> list[Strip]:
        found = {one: getattr(films[one], field) for one in shown if one in films}
        said = skills if field == "forward" else {}
        return [
            (with_skill(f"{names[one]}\n{kind}", said.get(one)), found.get(one))
            for one in shown
            if one not in found or len(found[one])
        ]

    return [
        ("observed", any_film.observed),
        *rows("forward", "forward", models),
        *([("true past", any_film.past)] if len(any_film.past) else []),
        *rows("backward", "backward", models),
        *rows("double speed", "double", models),
        *rows("half speed", "half", models),
        *rows("forward", "forward", baselines),
    ]


def with_skill(label: str, skill: str | None) -> str:
    """Label of a rollout; without a skill if the model was not run."""
    return f"{label}, {skill}" if skill else label


def shortened(strips: list[Strip]) -> list[Strip]:
    """The same for the narrow panels of an animation: at usual speed, short labels."""
    return [
        (re.split(", (?:skill|MSE) ", label)[0].replace(" (", "\n("), frames)
        for label, frames in strips
        if not label.endswith(" speed")
    ]


def samples_of(
    samples: dict[str, np.ndarray],
    names: dict[str, str],
    models: list[str],
    number: int,
) -> list[Strip]:
    """One video from the prior of each model that has one, for an animation."""
    return shortened(
        [
            (f"{names[one]}\nsample", samples[one][number % len(samples[one])])
            for one in models
            if len(samples.get(one, ()))
        ]
    )


def draw(strips: dict[str, list[Strip]], title: str) -> Figure:
    """Film strips of both splits below each other."""
    if not strips:
        return message(f"{title}: no model of this figure was run")
    num_frames, size = strips["train"][0][1].shape[:2]
    cells = 1 + (num_frames - 1) // EVERY, len(strips["train"])
    height = 2 * (0.8 * WIDTH / cells[0] * cells[1] + 0.5)
    highest = max(11, 0.9 * cells[1])
    figure, axes = plt.subplots(2, figsize=(WIDTH, min(height, highest)))
    for ax, split in zip(axes, SPLITS, strict=True):
        film_strips(ax, strips[split], EVERY, size, num_frames)
        ax.set_title(f"{title}, {split} video", loc="left")
        ax.set_xlabel("frame, or step of the rollout, from the first frame")
    return figure


if __name__ == "__main__":
    run(main)
