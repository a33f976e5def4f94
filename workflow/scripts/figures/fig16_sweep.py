"""Rule fig16: error against the values of a sweep."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hgnpipe.reporting.pages import read_table
from hgnpipe.reporting.plotting import (
    REFERENCES,
    WIDTH,
    add_legend,
    figure_style,
    log_scale,
    model_styles,
    save_figure,
    say,
)
from hgnpipe.reporting.runs import system_label
from hgnpipe.reporting.sweeps import places, value_text
from hgnpipe.runtime.command import run

NEEDED = ("model", "system", "split", "mse_x1e4", "seed_std_x1e4", "mean_image_x1e4")
MEAN_IMAGE = "mean image"


def main(table: Path, rows: dict, systems: list[str], output: list[Path]) -> None:
    """Draw Fig. 16.

    Args:
        table: Table of rule sweep, CSV.
        rows: Value by option of every row of the sweep.
        systems: Names of the systems, in the order of the legend.
        output: Files to write, in the formats that their names ask for.
    """
    found = read_table(table, "a sweep", NEEDED).query("split == 'test'")
    with figure_style():
        save_figure(draw(found, rows, systems), output)


def draw(table: pd.DataFrame, rows: dict[str, dict], systems: list[str]) -> Figure:
    """A panel for each option; in each, a line for each system."""
    options = list(next(iter(rows.values())))
    figure, panels = plt.subplots(
        1, len(options), figsize=(WIDTH, 2.8), sharey=True, squeeze=False
    )
    figure.suptitle(next(iter(rows)).partition(".")[0])
    styles, handles = model_styles(systems), {}
    for axes, option in zip(panels[0], options, strict=True):
        values = {row: value[option] for row, value in rows.items()}
        x, logarithmic = places(list(values.values()))
        where = dict(zip(values, x, strict=True))
        for system in systems:
            here = table[table.system == system]
            handles |= draw_system(axes, here, where, styles[system], system)
        texts = {place: value_text(values[row]) for row, place in where.items()}
        axes.set(xlabel=option, xscale="log" if logarithmic else "linear")
        turned = {"rotation": 45, "ha": "right"} if len(texts) > 6 else {}
        axes.set_xticks([*texts], [*texts.values()], **turned)
        axes.xaxis.set_minor_locator(NullLocator())
        if not np.isfinite(table[table.model.isin([*rows])].mse_x1e4).any():
            say(axes, "not run")
    log_scale(panels[0, 0])
    panels[0, 0].set_ylabel("MSE $\\times\\,10^4$, test videos")
    add_legend(figure, dict(sorted(handles.items(), key=lambda e: e[0] == MEAN_IMAGE)))
    return figure


def draw_system(
    axes: Axes, table: pd.DataFrame, where: dict[str, float], style: dict, system: str
) -> dict[str, Artist]:
    """The lowest error at each value, all errors, and the error of the mean image."""
    runs = table[table.model.isin([*where])]
    runs = runs[np.isfinite(runs.mse_x1e4)].assign(x=runs.model.map(where))
    lowest = runs.groupby("x").mse_x1e4.min()
    name = system_label(system)
    (line,) = axes.plot(lowest.index, lowest, label=name, **style)
    axes.errorbar(
        runs.x, runs.mse_x1e4, runs.seed_std_x1e4.fillna(0), fmt="o", markersize=3,
        color=style["color"], alpha=0.7,
    )  # fmt: skip
    handles: dict[str, Artist] = {name: line}
    for level in table.mean_image_x1e4.dropna().head(1):
        reference = {**REFERENCES["mean_image"], "color": style["color"]}
        axes.axhline(level, **reference)
        grey = plt.Line2D([], [], **REFERENCES["mean_image"])
        handles[MEAN_IMAGE] = grey
    return handles


if __name__ == "__main__":
    run(main)
