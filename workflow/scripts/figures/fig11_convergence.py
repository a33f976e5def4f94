"""Rules fig11 and fig12: reconstruction error of one model during training."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hgnpipe.collection import lookup
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
from hgnpipe.reporting.table1 import SCALE, read_errors
from hgnpipe.runtime.command import run


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
        references: Scores of mean image and noise floor of every system, CSV.
        model: Name of the model.
        labels: Names of the models.
        output: Files to write, in the formats that their names ask for.
    """
    levels = read_errors(references).query("split == 'train'")
    levels = levels.groupby(["system", "model"], sort=False).mse.mean().unstack()
    courses: dict[str, dict[int, pd.Series]] = {system: {} for system in levels.index}
    for one, path in by_run(history).items():
        lookup("system", one.system, courses)[one.seed] = read_course(path)
    with figure_style():
        save_figure(draw(courses, levels, model, labels), output)


def read_course(path: Path) -> pd.Series:
    """Error by iteration.

    Raises:
        ValueError: If the file is missing, damaged or something else.
    """
    try:
        return pd.read_csv(path).set_index("iteration")["mse"].astype(float)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path} is not the course of a training: {error}") from error


def draw(
    courses: dict[str, dict[int, pd.Series]],
    levels: pd.DataFrame,
    model: str,
    labels: dict[str, str],
) -> Figure:
    """A panel per system: error against iteration, between two references."""
    figure = plt.figure(figsize=(columns_width(len(courses)), 2.1))
    styles = model_styles(labels)
    handles = {}
    for axes, (system, seeds) in zip(
        figure.subplots(1, len(courses), squeeze=False)[0], courses.items(), strict=True
    ):
        axes.set_title(system_label(system))
        for name in REFERENCES:
            text = labels.get(name, name.replace("_", " "))
            level = SCALE * levels.loc[system, name]
            handles[text] = axes.axhline(level, label=name, **styles[name])
        if seeds:
            handles |= draw_course(axes, pd.DataFrame(seeds), styles.get(model, {}))
        else:
            absent = f"{model}:\nnot in this preset\nor not trained yet"
            say(axes, "not run" if any(courses.values()) else absent)
            axes.set(xticks=[], ylim=limits(levels.loc[system]))
        log_scale(axes)
    figure.axes[0].set_ylabel(f"{labels.get(model, model)}\nMSE $\\times\\,10^4$")
    place = {"loc": "outside lower center", "ncols": len(handles), "handlelength": 3}
    figure.legend(handles.values(), handles.keys(), **place)
    return figure


def draw_course(axes: Axes, table: pd.DataFrame, style: dict) -> dict[str, object]:
    """Mean over the seeds, a column each, and their range; entries for the legend.

    What is logged is a mean over iterations already: nothing is smoothed here.
    """
    table = SCALE * table.where(np.isfinite(table))
    color = {"color": style.get("color")}
    handles = {}
    if len(table.columns) > 1:
        low, high = table.min(axis=1), table.max(axis=1)
        band = axes.fill_between(table.index, low, high, alpha=0.25, lw=0, **color)
        handles["lowest to highest seed"] = band
    (line,) = axes.plot(table.mean(axis=1), label="mean", **color)
    remarks = []
    for seed in table.columns[table.isna().any()]:
        first = table.index[table[seed].isna()][0]
        remarks.append(f"seed {seed}: not finite at {first}")
    axes.set(xlabel="\n".join(["iteration", *remarks]), xlim=(0, table.index[-1]))
    return {"mean over the seeds" if handles else "one seed": line, **handles}


def limits(levels: pd.Series) -> tuple[float, float]:
    """Range of y that shows both references, below and above them some room."""
    shown = SCALE * levels[list(REFERENCES)]
    return shown.min() / 2, shown.max() * 2


if __name__ == "__main__":
    run(main)
