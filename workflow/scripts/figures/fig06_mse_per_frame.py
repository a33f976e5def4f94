"""Rule fig06: the error of each frame along one train and one test rollout."""

import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from hgnpipe.collection import lookup, require
from hgnpipe.evaluation.errors import Errors, load_errors
from hgnpipe.reporting.plotting import (
    REFERENCES,
    columns_width,
    figure_style,
    log_scale,
    model_styles,
    save_figure,
    say,
    system_label,
)
from hgnpipe.reporting.runs import by_run
from hgnpipe.reporting.table1 import SCALE, skill
from hgnpipe.runtime.command import run

SPLITS = ("train", "test")
COLLAPSED = 0.05
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
        references: Errors of mean image and noise floor of every system, HDF5.
        families: Family of every model; each family has rows, and scales, of its own.
        labels: Names of the models.
        example: Which of the evaluated trajectories to draw.
        output: Files to write, in the formats that their names ask for.
    """
    scores = {path.stem: {"references": load_errors(path)} for path in references}
    for one, path in by_run(errors).items():
        lookup("system", one.system, scores)[one.model] = load_errors(path)
    for models in scores.values():
        for splits in models.values():
            num = min(len(split.mse) for split in splits.values())
            require(0 <= example < num, "example", example, f"less than {num}")
    with figure_style():
        save_figure(draw(scores, families, labels, example), output)


def draw(
    scores: dict[str, dict[str, Rollouts]],
    families: dict[str, str],
    labels: dict[str, str],
    example: int,
) -> Figure:
    """Two rows, train and test, for each family; a column for each system."""
    blocks = [
        [model for model in families if families[model] == family]
        for family in dict.fromkeys(families.values())
    ]
    size = (columns_width(len(scores)), 3.0 * len(blocks))
    figure = plt.figure(figsize=size)
    styles = model_styles([*labels, *families])
    parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
    for part, models in zip(parts, blocks, strict=True):
        panels = part.subplots(2, len(scores), sharex=True, sharey="col", squeeze=False)
        for column, (system, found) in zip(panels.T, scores.items(), strict=True):
            column[0].set_title(system_label(system))
            for axes, split in zip(column, SPLITS, strict=True):
                draw_rollouts(axes, found, split, models, styles, example)
            column[-1].set_xlabel("\n".join(["frame", *noted(found, models, labels)]))
        for axes, split in zip(panels[:, 0], SPLITS, strict=True):
            axes.set_ylabel(f"{split}\nMSE $\\times\\,10^4$")
        add_legend(part, [*models, *REFERENCES], styles, labels)
    return figure


def draw_rollouts(
    axes: Axes,
    found: dict[str, Rollouts],
    split: str,
    models: list[str],
    styles: dict[str, dict],
    example: int,
) -> None:
    """Error of each frame of one trajectory under every model."""
    # The floor of one trajectory is one draw of the noise: its mean says more.
    mean_image, floor = (found["references"][f"{name} {split}"] for name in REFERENCES)
    lines = {"mean_image": mean_image.mse[example], "noise_floor": floor.mse.mean(0)}
    lines |= {name: found[name][split].mse[example] for name in models if name in found}
    for name, mse in lines.items():
        axes.plot(SCALE * mse, label=name, **{"linewidth": 1.1, **styles.get(name, {})})
    if len(lines) == len(REFERENCES):
        say(axes, "not run")
    log_scale(axes)


def noted(
    found: dict[str, Rollouts], models: list[str], labels: dict[str, str]
) -> list[str]:
    """What the lines of one system do not show by themselves."""
    kinds: dict[str, list[str]] = {}
    for name in models:
        if kind := kind_of(found, name):
            label = labels.get(name, name).replace(" ", "\N{NO-BREAK SPACE}")
            kinds.setdefault(kind, []).append(label)
    texts = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items()]
    return [textwrap.fill(text, 28, break_on_hyphens=False) for text in texts]


def kind_of(found: dict[str, Rollouts], name: str) -> str:
    """What is wrong with a model over all evaluated trajectories, or nothing."""
    if name not in found:
        return "not run"
    if not all(np.isfinite(found[name][split].mse).all() for split in SPLITS):
        return "not finite"
    references = found["references"]
    skills = [
        skill(
            found[name][split].mse.mean(dtype=float),
            references[f"noise_floor {split}"].mse.mean(dtype=float),
            references[f"mean_image {split}"].mse.mean(dtype=float),
        )
        for split in SPLITS
    ]
    return "like the mean image or worse" if max(skills) < COLLAPSED else ""


def add_legend(
    part: SubFigure, names: list[str], styles: dict, labels: dict[str, str]
) -> None:
    """The models of a family, above its rows."""
    handles = [plt.Line2D([], [], **styles.get(name, {})) for name in names]
    texts = [labels.get(name, name.replace("_", " ")) for name in names]
    place = {"loc": "outside upper center", "ncols": len(names), "handlelength": 3}
    part.legend(handles, texts, columnspacing=1.2, **place)


if __name__ == "__main__":
    run(main)
