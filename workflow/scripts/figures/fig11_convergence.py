"""Rules fig11 and fig12: reconstruction error of one model during training."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hgnpipe.collection import lookup
from hgnpipe.reporting.plotting import (
    add_legend,
    columns_width,
    draw_seeds,
    figure_style,
    log_scale,
    message,
    model_styles,
    save_figure,
    say,
    system_panels,
)
from hgnpipe.reporting.runs import by_run, label_of, read_history
from hgnpipe.reporting.table1 import SCALE, read_errors
from hgnpipe.runtime.command import run

LEVELS = ("mean_image", "noise_floor")
"""Not the true video: on most systems its line would lie on that of the floor."""


def main(
    history: list[Path],
    references: list[Path],
    model: str,
    labels: dict,
    output: list[Path],
) -> None:
    """Draw Fig. 11, or Fig. 12.

    Args:
        history: Course of the training of the model on every system with every seed,
            CSV; none if it was not trained.
        references: Errors of the references of every system, CSV.
        model: Name of the model.
        labels: Names of the models.
        output: Files to write, in the formats that their names ask for.
    """
    levels = read_errors(references).query("split == 'train'")
    levels = levels.groupby(["system", "model"], sort=False).mse.mean().unstack()
    courses: dict[str, dict[int, pd.Series]] = {system: {} for system in levels.index}
    for one, path in by_run(history).items():
        course = read_history(path, ["mse"]).mse
        lookup("system", one.system, courses)[one.seed] = course
    with figure_style():
        save_figure(draw(courses, levels, model, labels), output)


def draw(
    courses: dict[str, dict[int, pd.Series]],
    levels: pd.DataFrame,
    model: str,
    labels: dict[str, str],
) -> Figure:
    """A panel per system: error against iteration, between two references."""
    if not courses:
        return message(f"{label_of(model, labels)}: no system to show")
    figure = plt.figure(figsize=(columns_width(len(courses)), 2.1))
    panels = system_panels(figure, courses)[0]
    styles = model_styles([*labels, model])
    handles: dict[str, Artist] = {}
    for axes, (system, seeds) in zip(panels, courses.items(), strict=True):
        shown = SCALE * levels.loc[system].reindex(LEVELS).dropna()
        for name, level in shown.items():
            line = axes.axhline(level, label=name, **styles[name])
            handles[label_of(name, labels)] = line
        if seeds:
            handles |= draw_course(axes, pd.DataFrame(seeds), styles[model]["color"])
        else:
            absent = f"{model}:\nnot in this preset\nor not trained yet"
            say(axes, "not run" if any(courses.values()) else absent)
            axes.set(xticks=[], ylim=(shown.min() / 2, shown.max() * 2))
        log_scale(axes)
    panels[0].set_ylabel(f"{label_of(model, labels)}\nMSE $\\times\\,10^4$")
    add_legend(figure, handles)
    return figure


def draw_course(axes: Axes, table: pd.DataFrame, color: str) -> dict[str, Artist]:
    """Mean over the seeds, a column each, and their range; entries for the legend.

    What is logged is a mean over iterations already: nothing is smoothed here.
    """
    table = SCALE * table.where(np.isfinite(table))
    drawn = draw_seeds(axes, table, label="mean", color=color)
    remarks = ["iteration"]
    for seed in table.columns[table.isna().any()]:
        first = table.index[table[seed].isna()][0]
        remarks.append(f"seed {seed}: not finite at {first}")
    axes.set(xlabel="\n".join(remarks), xlim=(0, table.index[-1]))
    texts = ["mean over the seeds", "lowest to highest seed"]
    return dict(zip(texts if len(drawn) > 1 else ["one seed"], drawn, strict=True))


if __name__ == "__main__":
    run(main)
