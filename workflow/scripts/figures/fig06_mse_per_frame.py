"""Rule fig06: the error of each frame along train and test rollouts."""

import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hgnpipe.collection import lookup, require
from hgnpipe.evaluation.kept import Errors, load_errors
from hgnpipe.reporting.plotting import (
    REFERENCES,
    add_legend,
    columns_width,
    figure_style,
    log_scale,
    message,
    model_styles,
    save_figure,
    say,
    system_panels,
)
from hgnpipe.reporting.runs import by_run, label_of
from hgnpipe.reporting.table1 import SCALE, skill
from hgnpipe.runtime.command import run

SPLITS = ("train", "test")
ALONE = {"linestyle": "-", "linewidth": 0.5, "alpha": 0.6, "zorder": 1.5}
LEAST_SKILL = 0.05
"""Skill below which a model has learned little more than the mean image."""

Rollouts = dict[str, Errors]
"""Errors by split."""


def main(
    errors: list[Path],
    references: list[Path],
    families: dict,
    labels: dict,
    example: int,
    output: list[Path],
) -> None:
    """Draw Fig. 6.

    Args:
        errors: Errors of one run of every model on every system, HDF5.
        references: Errors of mean image, noise floor and true video of every system,
            HDF5; of videos that were not made here the mean image alone.
        families: Family of every sequence model of the preset; each family has rows,
            and scales, of its own.
        labels: Names of the models.
        example: Which of the evaluated trajectories to draw alone, behind the means.
        output: Files to write, in the formats that their names ask for.
    """
    found = {path.stem: {"references": load_errors(path)} for path in references}
    for one, path in by_run(errors).items():
        lookup("system", one.system, found)[one.model] = load_errors(path)
    for models in found.values():
        for splits in models.values():
            num = min(len(split.mse) for split in splits.values())
            require(0 <= example < num, "example", example, f"less than {num}")
    with figure_style():
        save_figure(draw(found, families, labels, example), output)


def draw(
    found: dict[str, dict[str, Rollouts]],
    families: dict[str, str],
    labels: dict[str, str],
    example: int,
) -> Figure:
    """Two rows, train and test, for each family; a column for each system."""
    if not found or not families:
        return message(f"no {'model' if found else 'system'} to show")
    blocks: dict[str, list[str]] = {}
    for model, family in families.items():
        blocks.setdefault(family, []).append(model)
    known = known_references(found)
    figure = plt.figure(figsize=(columns_width(len(found)), 3.6 * len(blocks)))
    styles = model_styles([*labels, *families])
    parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
    for part, models in zip(parts, blocks.values(), strict=True):
        panels = system_panels(part, found, 2, sharex=True, sharey="col")
        for column, ran in zip(panels.T, found.values(), strict=True):
            for axes, split in zip(column, SPLITS, strict=True):
                draw_rollouts(axes, ran, split, models, styles, example)
            column[-1].set_xlabel("\n".join(["frame", *remarks(ran, models, labels)]))
        for axes, split in zip(panels[:, 0], SPLITS, strict=True):
            axes.set_ylabel(f"{split}\nMSE $\\times\\,10^4$")
        handles = {
            label_of(name, labels): plt.Line2D([], [], **styles[name])
            for name in [*models, *known]
        }
        alone = plt.Line2D([], [], color="0.3", **ALONE)
        handles[f"thin: trajectory {example} alone"] = alone
        add_legend(part, handles, "upper", columnspacing=1.2)
    return figure


def known_references(found: dict[str, dict[str, Rollouts]]) -> list[str]:
    """Those of the references that any system has."""
    keys = {key for ran in found.values() for key in ran["references"]}
    return [n for n in REFERENCES if any(f"{n} {split}" in keys for split in SPLITS)]


def draw_rollouts(
    axes: Axes,
    found: dict[str, Rollouts],
    split: str,
    models: list[str],
    styles: dict[str, dict],
    example: int,
) -> None:
    """Error of each frame: mean over all trajectories, and one of them behind."""
    known, references = known_references({"": found}), found["references"]
    lines = {name: references[f"{name} {split}"].mse for name in known}
    lines |= {name: found[name][split].mse for name in models if name in found}
    for name, mse in lines.items():
        axes.plot(SCALE * mse.mean(axis=0, dtype=float), label=name, **styles[name])
        # Floor and truth of one trajectory are one draw of the noise: they say little.
        if name in models:
            color = styles[name]["color"]
            axes.plot(SCALE * mse[example], label=f"_{name}", color=color, **ALONE)
    if len(lines) == len(known):
        say(axes, "not run")
    log_scale(axes)


def remarks(
    found: dict[str, Rollouts], models: list[str], labels: dict[str, str]
) -> list[str]:
    """What the lines of one system do not show by themselves."""
    kinds: dict[str, list[str]] = {}
    for name in models:
        if kind := remark(found, name):
            label = label_of(name, labels).replace(" ", "\N{NO-BREAK SPACE}")
            kinds.setdefault(kind, []).append(label)
    texts = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items()]
    return [textwrap.fill(text, 24, break_on_hyphens=False) for text in texts]


def remark(found: dict[str, Rollouts], name: str) -> str:
    """What is wrong with a model over all evaluated trajectories, or nothing."""
    if name not in found:
        return "not run"
    if not all(np.isfinite(found[name][split].mse).all() for split in SPLITS):
        return "not finite"
    means = {key: one.mse.mean(dtype=float) for key, one in found["references"].items()}
    skills = []
    for split in SPLITS:
        mse = found[name][split].mse.mean(dtype=float)
        floor = means.get(f"noise_floor {split}", 0.0)  # where nobody knows the noise
        skills.append(skill(mse, floor, means[f"mean_image {split}"]))
    return "like the mean image or worse" if max(skills) < LEAST_SKILL else ""


if __name__ == "__main__":
    run(main)
